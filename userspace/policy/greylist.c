/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/greylist.c - see policy/greylist.h.
 *
 * Of a key only 64 bits of its keyed hash are kept. That two senders share them is a matter of
 * chance that nobody outside can bring about, and means that one of them need not wait.
 */
#include "policy/greylist.h"

#include <stdlib.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/domain.h"
#include "policy/aged.h"

#define NETWORK_BITS   64u
#define NETWORK_BITS_4 (ADDR_IPV4_OFFSET + 24u)
#define KIND_NETWORK   'n'
#define KIND_DOMAIN    'd'

struct seen {
	struct aged aged;
	uint32_t first, last;
	bool passed;
};

struct greylist {
	struct aged_table *table;
};

/* A key as bytes: what kind it is, then the domain in small letters or the network. */
struct key_bytes {
	uint8_t byte[1 + DOMAIN_LENGTH_MAX];
	size_t size;
};

int greylist_open(struct greylist **out, size_t max, struct error *err)
{
	struct greylist *greylist = malloc(sizeof(*greylist));

	if (greylist)
		greylist->table = aged_open(max, sizeof(struct seen));
	if (!greylist || !greylist->table) {
		free(greylist);
		return error_set(err, ERROR_REFUSED, "greylist: out of memory");
	}
	*out = greylist;
	return 0;
}

void greylist_close(struct greylist **greylist)
{
	if (!*greylist)
		return;
	aged_close(&(*greylist)->table);
	free(*greylist);
	*greylist = NULL;
}

/* False if it is none that could have passed SPF. A dot at the end means nothing. */
static bool domain_bytes(const char *domain, struct key_bytes *out)
{
	size_t length = domain ? strnlen(domain, DOMAIN_LENGTH_MAX + 2) : 0;

	if (length && domain[length - 1] == '.')
		length--;
	if (!length || length > DOMAIN_LENGTH_MAX)
		return false;
	out->byte[0] = KIND_DOMAIN;
	for (size_t i = 0; i < length; i++)
		out->byte[1 + i] = (uint8_t)ascii_lower(domain[i]);
	out->size = 1 + length;
	return true;
}

static void network_bytes(const struct addr *addr, struct key_bytes *out)
{
	const struct prefix network =
		prefix_of(addr, addr_is_ipv4(addr) ? NETWORK_BITS_4 : NETWORK_BITS);

	out->byte[0] = KIND_NETWORK;
	memcpy(out->byte + 1, network.addr.byte, sizeof(network.addr.byte));
	out->size = 1 + sizeof(network.addr.byte);
}

static uint64_t hash_of(const struct greylist *greylist, const struct greylist_key *key)
{
	struct key_bytes bytes;

	if (!domain_bytes(key->domain, &bytes))
		network_bytes(&key->addr, &bytes);
	return aged_hash(greylist->table, bytes.byte, bytes.size);
}

/* What was seen of the key, made if there is nothing; whoever was seen longest ago gives way. */
static struct seen *seen_of(struct greylist *greylist, uint64_t hash, bool *made)
{
	struct aged *node = aged_first(greylist->table, hash);

	*made = !node;
	if (node) {
		aged_touch(greylist->table, node);
		return (struct seen *)node;
	}
	node = aged_add(greylist->table, hash);
	if (!node) {
		aged_remove(greylist->table, aged_oldest(greylist->table));
		node = aged_add(greylist->table, hash);
	}
	return (struct seen *)node;
}

/* Also where the clock was set back: then there is no saying how long ago it was. */
static bool is_over(const struct seen *seen, const struct greylist_rules *rules, uint32_t now)
{
	if (seen->passed)
		return now > seen->last && now - seen->last > rules->keep;
	return now < seen->first || now - seen->first > rules->window;
}

static struct greylist_answer begin(struct seen *seen, const struct greylist_rules *rules,
				    uint32_t now)
{
	seen->first = seen->last = now;
	seen->passed = false;
	return (struct greylist_answer){ .state = GREYLIST_FIRST, .wait = rules->delay };
}

struct greylist_answer greylist_ask(struct greylist *greylist, const struct greylist_rules *rules,
				    const struct greylist_key *key, uint32_t now)
{
	struct seen *seen;
	uint32_t age;
	bool made;

	seen = seen_of(greylist, hash_of(greylist, key), &made);
	if (made || is_over(seen, rules, now))
		return begin(seen, rules, now);
	seen->last = now;
	age = now - seen->first;
	if (!seen->passed && age < rules->delay)
		return (struct greylist_answer){ .state = GREYLIST_EARLY,
						 .wait = rules->delay - age };
	seen->passed = true;
	return (struct greylist_answer){ .state = GREYLIST_PASSED };
}

size_t greylist_count(const struct greylist *greylist)
{
	return aged_count(greylist->table);
}
