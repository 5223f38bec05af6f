/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/resolve.c - see store/resolve.h.
 *
 * All lists are walked together in the order of prefix_compare(), in which a prefix comes before
 * everything inside it; so the prefixes that hold the current one are a stack of at most 129. There
 * is a stack for each family: the IPv4 addresses lie inside ::/0, but no IPv6 entry holds them.
 */
#include <string.h>

#include "store/resolve.h"

/* What the prefixes around the current one say, and what it adds. */
struct scope {
	struct prefix prefix;
	bool allowed;  /* an allow entry is here or further out */
	bool enforced; /* an enforced block entry is here or further out */
};

/* The entries of all lists at one prefix, boiled down. */
struct here {
	uint8_t allow;     /* class, CLASS_NONE if there is no allow entry */
	uint8_t enforced;  /* class of the strictest enforced block entry */
	uint8_t monitored; /* class of the strictest block entry in monitor mode */
};

static void keep_stricter(uint8_t *kept, uint8_t slot, uint8_t action)
{
	if (*kept == CLASS_NONE || action > class_action(*kept))
		*kept = class_make(slot, action);
}

static void here_add(struct here *here, const struct list_info *list, const struct entry *entry)
{
	if (list->kind == LIST_KIND_ALLOW)
		keep_stricter(&here->allow, list->slot, ACTION_DROP);
	else if (list->monitor)
		keep_stricter(&here->monitored, list->slot, entry->action);
	else
		keep_stricter(&here->enforced, list->slot, entry->action);
}

/* The class that takes effect at a prefix whose surroundings are `outer`; updates `scope`. */
static uint8_t decide(const struct here *here, const struct scope *outer, struct scope *scope)
{
	scope->allowed = outer->allowed || here->allow;
	scope->enforced = outer->enforced || here->enforced;
	if (here->allow)
		return here->allow;
	if (outer->allowed)
		return CLASS_NONE;
	if (here->enforced)
		return here->enforced;
	return outer->enforced ? CLASS_NONE : here->monitored;
}

int resolve_lists_read(struct store_txn *txn, struct resolve_lists *out, struct error *err)
{
	const int count = store_list_all(txn, out->list, err);

	if (count < 0)
		return count;
	out->count = count;
	return 0;
}

/* The next entry of each list that has one left. */
struct head {
	const struct list_info *list;
	struct store_scan *scan;
	const struct entry *run;
	int left;
};

struct nesting {
	struct scope scope[PREFIX_LENGTHS + 1]; /* the first is the world, which no entry holds */
	int depth;
};

struct walk {
	struct head head[LIST_SLOTS];
	int heads;
	struct nesting ipv4, ipv6;
};

static int head_refill(struct head *head, struct error *err)
{
	head->left = store_scan_next(head->scan, &head->run, err);
	return head->left < 0 ? head->left : 0;
}

static void walk_close(struct walk *walk)
{
	for (int i = 0; i < walk->heads; i++)
		store_scan_close(&walk->head[i].scan);
}

static int walk_open(struct walk *walk, struct store_txn *txn, const struct resolve_lists *lists,
		     struct error *err)
{
	int result = 0;

	memset(walk, 0, sizeof(*walk));
	for (int i = 0; i < lists->count && !result; i++) {
		struct head *head = &walk->head[walk->heads];

		head->list = &lists->list[i];
		result = store_scan_open(txn, head->list, NULL, &head->scan, err);
		if (result)
			break;
		walk->heads++;
		result = head_refill(head, err);
	}
	if (result)
		walk_close(walk);
	return result;
}

static const struct prefix *walk_smallest(const struct walk *walk)
{
	const struct prefix *smallest = NULL;

	for (int i = 0; i < walk->heads; i++) {
		const struct head *head = &walk->head[i];

		if (head->left && (!smallest || prefix_compare(&head->run->prefix, smallest) < 0))
			smallest = &head->run->prefix;
	}
	return smallest;
}

/* Takes the entries at `prefix` from all lists. */
static int walk_take(struct walk *walk, const struct prefix *prefix, struct here *here,
		     struct error *err)
{
	int result;

	for (int i = 0; i < walk->heads; i++) {
		struct head *head = &walk->head[i];

		if (!head->left || memcmp(&head->run->prefix, prefix, sizeof(*prefix)))
			continue;
		here_add(here, head->list, head->run);
		head->run++;
		if (--head->left)
			continue;
		result = head_refill(head, err);
		if (result)
			return result;
	}
	return 0;
}

static uint8_t walk_decide(struct walk *walk, const struct prefix *prefix, const struct here *here)
{
	struct nesting *nesting = prefix_is_ipv4(prefix) ? &walk->ipv4 : &walk->ipv6;
	struct scope *scope = &nesting->scope[nesting->depth];

	while (nesting->depth && !prefix_contains(&scope->prefix, &prefix->addr)) {
		nesting->depth--;
		scope--;
	}
	nesting->depth++;
	scope[1].prefix = *prefix;
	return decide(here, scope, scope + 1);
}

int resolve_walk(struct store_txn *txn, const struct resolve_lists *lists, effect_cb cb, void *arg,
		 struct error *err)
{
	const struct prefix *smallest;
	struct walk walk;
	int result;

	result = walk_open(&walk, txn, lists, err);
	if (result)
		return result;
	while (!result && (smallest = walk_smallest(&walk))) {
		struct effect effect = { .prefix = *smallest };
		struct here here = { 0 };

		result = walk_take(&walk, &effect.prefix, &here, err);
		if (result)
			break;
		effect.list_class = walk_decide(&walk, &effect.prefix, &here);
		if (effect.list_class)
			result = cb(&effect, arg);
	}
	walk_close(&walk);
	return result;
}

static bool list_has_length(const struct list_info *list, unsigned int len)
{
	return list->lengths[len / 64] >> (len % 64) & 1;
}

static int here_read(struct store_txn *txn, const struct resolve_lists *lists,
		     const struct prefix *prefix, struct here *here, struct error *err)
{
	struct entry entry;
	int found;

	for (int i = 0; i < lists->count; i++) {
		if (!list_has_length(&lists->list[i], prefix->len))
			continue;
		found = store_get(txn, &lists->list[i], prefix, &entry, err);
		if (found < 0)
			return found;
		if (found)
			here_add(here, &lists->list[i], &entry);
	}
	return 0;
}

int resolve_prefix(struct store_txn *txn, const struct resolve_lists *lists,
		   const struct prefix *prefix, struct effect *at, struct effect *cover,
		   struct error *err)
{
	/* Both families share one space of 128 bits, but ::/0 holds no IPv4 address. */
	const unsigned int first = prefix_is_ipv4(prefix) ? 96 : 0;
	struct effect last = { 0 }, now = { 0 };
	struct scope outer = { 0 }, scope;
	int result;

	for (unsigned int len = first; len <= prefix->len; len++) {
		struct here here = { 0 };

		if (now.list_class)
			last = now;
		now.prefix = prefix_of(&prefix->addr, len);
		result = here_read(txn, lists, &now.prefix, &here, err);
		if (result)
			return result;
		now.list_class = decide(&here, &outer, &scope);
		outer = scope;
	}
	*at = now;
	*cover = last;
	return 0;
}

/* The first entry of the list at or behind `from`, in the order of prefix_compare(); 0 if none. */
static int first_from(struct store_txn *txn, const struct list_info *list,
		      const struct prefix *from, struct prefix *out, struct error *err)
{
	const struct entry *run;
	struct store_scan *scan;
	int result;

	result = store_scan_open(txn, list, from, &scan, err);
	if (result)
		return result;
	result = store_scan_next(scan, &run, err);
	if (result > 0)
		*out = run->prefix;
	store_scan_close(&scan);
	return result;
}

/* Whether the list has an entry strictly inside the prefix. */
static int has_inside(struct store_txn *txn, const struct list_info *list,
		      const struct prefix *prefix, struct error *err)
{
	const struct prefix behind_ipv4 = { .addr = addr_from_halves(0, 1ull << 48) };
	struct prefix from = *prefix, found = from;
	int result;

	from.len++; /* the first that can lie inside */
	result = first_from(txn, list, &from, &found, err);
	/* The IPv4 entries sort in the middle of ::/0 without being inside it. */
	if (result > 0 && prefix_is_ipv4(&found) && !prefix_is_ipv4(prefix))
		result = first_from(txn, list, &behind_ipv4, &found, err);
	return result > 0 ? prefix_contains(prefix, &found.addr) : result;
}

int resolve_reaches_inside(struct store_txn *txn, const struct resolve_lists *lists,
			   const struct list_info *list, const struct prefix *prefix,
			   struct error *err)
{
	int result = 0;

	if (prefix->len == 128 || (list->kind == LIST_KIND_BLOCK && list->monitor))
		return 0;
	for (int i = 0; i < lists->count && !result; i++) {
		const struct list_info *other = &lists->list[i];

		if (other->kind == LIST_KIND_BLOCK &&
		    (list->kind == LIST_KIND_ALLOW || other->monitor))
			result = has_inside(txn, other, prefix, err);
	}
	return result;
}
