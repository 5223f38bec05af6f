/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/greylist.c - see policy/greylist.h.
 *
 * Of a key only 64 bits of its keyed hash are kept. That two senders share them is a matter of
 * chance that nobody outside can bring about, and means that one of them need not wait.
 */
#include "policy/greylist.h"

#include <pthread.h>
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
	pthread_mutex_t lock; /* of the table */
	struct aged_table *table;
};

/* A key as bytes: what kind it is, then the domain in small letters or the network. */
struct key_bytes {
	uint8_t byte[1 + DOMAIN_LENGTH_MAX];
	size_t size;
};

struct greylist_rules greylist_rules_conf(const struct conf *conf)
{
	return (struct greylist_rules){ .delay = conf->greylist.delay,
					.window = conf->greylist.window,
					.keep = conf->greylist.keep };
}

int greylist_open(struct greylist **out, size_t max, struct error *err)
{
	struct greylist *greylist = malloc(sizeof(*greylist));

	if (greylist)
		greylist->table = aged_open(max, sizeof(struct seen));
	if (!greylist || !greylist->table) {
		free(greylist);
		return error_set(err, ERROR_REFUSED, "greylist: out of memory");
	}
	pthread_mutex_init(&greylist->lock, NULL);
	*out = greylist;
	return 0;
}

void greylist_close(struct greylist **greylist)
{
	if (!*greylist)
		return;
	aged_close(&(*greylist)->table);
	pthread_mutex_destroy(&(*greylist)->lock);
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

static uint64_t hash_of(const struct greylist *greylist, const struct key_bytes *bytes)
{
	return aged_hash(greylist->table, bytes->byte, bytes->size);
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

/* Seconds that it has to wait yet. */
static uint32_t left(const struct seen *seen, const struct greylist_rules *rules, uint32_t now)
{
	const uint32_t age = now - seen->first;

	return seen->passed || age >= rules->delay ? 0 : rules->delay - age;
}

static const struct seen *network_seen(const struct greylist *greylist,
				       const struct greylist_rules *rules, const struct addr *addr,
				       uint32_t now)
{
	const struct seen *seen;
	struct key_bytes bytes;

	network_bytes(addr, &bytes);
	seen = (const struct seen *)aged_first(greylist->table, hash_of(greylist, &bytes));
	return seen && !is_over(seen, rules, now) ? seen : NULL;
}

static struct greylist_answer ask(struct greylist *greylist, const struct greylist_rules *rules,
				  const struct key_bytes *bytes, uint32_t now)
{
	struct greylist_answer answer = { .state = GREYLIST_EARLY };
	struct seen *seen;
	bool made;

	seen = seen_of(greylist, hash_of(greylist, bytes), &made);
	if (made || is_over(seen, rules, now)) {
		seen->first = now;
		seen->passed = false;
		answer.state = GREYLIST_FIRST;
	}
	seen->last = now;
	answer.wait = left(seen, rules, now);
	if (answer.wait)
		return answer;
	seen->passed = true;
	return (struct greylist_answer){ .state = GREYLIST_PASSED };
}

/* By the domain, but not worse than the network alone. */
static struct greylist_answer ask_domain(struct greylist *greylist,
					 const struct greylist_rules *rules,
					 const struct greylist_key *key,
					 const struct key_bytes *bytes, uint32_t now)
{
	const struct seen *network = network_seen(greylist, rules, &key->addr, now);
	const uint32_t wait = network ? left(network, rules, now) : UINT32_MAX;
	struct greylist_answer answer = ask(greylist, rules, bytes, now);

	if (wait < answer.wait)
		answer = (struct greylist_answer){ wait ? GREYLIST_EARLY : GREYLIST_PASSED, wait };
	return answer;
}

struct greylist_answer greylist_ask(struct greylist *greylist, const struct greylist_rules *rules,
				    const struct greylist_key *key, uint32_t now)
{
	struct greylist_answer answer;
	struct key_bytes bytes;

	pthread_mutex_lock(&greylist->lock);
	if (domain_bytes(key->domain, &bytes)) {
		answer = ask_domain(greylist, rules, key, &bytes, now);
	} else {
		network_bytes(&key->addr, &bytes);
		answer = ask(greylist, rules, &bytes, now);
	}
	pthread_mutex_unlock(&greylist->lock);
	return answer;
}

bool greylist_find(struct greylist *greylist, const struct greylist_rules *rules,
		   const struct addr *addr, uint32_t now, struct greylist_record *out)
{
	const struct seen *seen;

	pthread_mutex_lock(&greylist->lock);
	seen = network_seen(greylist, rules, addr, now);
	if (seen)
		*out = (struct greylist_record){ seen->first, seen->last, left(seen, rules, now),
						 seen->passed };
	pthread_mutex_unlock(&greylist->lock);
	return seen != NULL;
}

size_t greylist_count(struct greylist *greylist)
{
	size_t count;

	pthread_mutex_lock(&greylist->lock);
	count = aged_count(greylist->table);
	pthread_mutex_unlock(&greylist->lock);
	return count;
}
