/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/greylist.c - see policy/greylist.h.
 *
 * Of a key only 64 bits of its keyed hash are kept. That two senders share them is a matter of
 * chance that nobody outside can bring about, and means that one of them need not wait.
 */
#include "policy/greylist_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/clock.h"
#include "lib/domain.h"

#define NETWORK_BITS   64u
#define NETWORK_BITS_4 (ADDR_IPV4_OFFSET + 24u)
#define KIND_NETWORK   'n'
#define KIND_DOMAIN    'd'
/* Of greylist_now(): more than greylisting looks back, so what was before the machine's start has a
 * time, too. */
#define CLOCK_START 0x40000000u

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
	struct greylist *greylist = calloc(1, sizeof(*greylist));

	if (!greylist)
		return error_set(err, ERROR_REFUSED, "greylist: out of memory");
	greylist->secret = siphash_random_key();
	pthread_mutex_init(&greylist->lock, NULL);
	greylist->waiting = aged_open(max, sizeof(struct seen));
	greylist->passed = aged_open(max, sizeof(struct seen));
	greylist->makers = aged_open(max, sizeof(struct maker));
	if (!greylist->waiting || !greylist->passed || !greylist->makers) {
		greylist_close(&greylist);
		return error_set(err, ERROR_REFUSED, "greylist: out of memory");
	}
	*out = greylist;
	return 0;
}

void greylist_close(struct greylist **greylist)
{
	if (!*greylist)
		return;
	aged_close(&(*greylist)->waiting);
	aged_close(&(*greylist)->passed);
	aged_close(&(*greylist)->makers);
	pthread_mutex_destroy(&(*greylist)->lock);
	free(*greylist);
	*greylist = NULL;
}

uint32_t greylist_now(void)
{
	return CLOCK_START + clock_mono_seconds();
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
	return siphash(&greylist->secret, bytes->byte, bytes->size);
}

struct aged *greylist_node(struct aged_table *table, uint64_t hash, bool *made)
{
	struct aged *node = aged_first(table, hash);

	*made = !node;
	if (node) {
		aged_touch(table, node);
		return node;
	}
	node = aged_add(table, hash);
	if (!node) {
		aged_remove(table, aged_oldest(table));
		node = aged_add(table, hash);
	}
	return node;
}

bool greylist_is_over(const struct seen *seen, const struct greylist_rules *rules, uint32_t now)
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

/* What was seen of the key and holds; NULL if nothing is. */
static struct seen *seen_of(const struct greylist *greylist, const struct greylist_rules *rules,
			    uint64_t hash, uint32_t now)
{
	struct seen *seen = (struct seen *)aged_first(greylist->passed, hash);

	if (!seen || greylist_is_over(seen, rules, now))
		seen = (struct seen *)aged_first(greylist->waiting, hash);
	return seen && !greylist_is_over(seen, rules, now) ? seen : NULL;
}

/* It has waited: from now on it gives way to nobody who waits. */
static void pass(struct greylist *greylist, struct seen *waited)
{
	const struct seen was = *waited;
	struct seen *seen;
	bool made;

	aged_remove(greylist->waiting, &waited->aged);
	seen = (struct seen *)greylist_node(greylist->passed, was.aged.hash, &made);
	seen->first = was.first;
	seen->last = was.last;
	seen->passed = true;
}

static struct greylist_answer ask_waiting(struct greylist *greylist,
					  const struct greylist_rules *rules, uint64_t hash,
					  uint32_t now)
{
	struct greylist_answer answer = { .state = GREYLIST_EARLY };
	struct seen *seen;
	bool made;

	seen = (struct seen *)greylist_node(greylist->waiting, hash, &made);
	if (made || greylist_is_over(seen, rules, now)) {
		seen->first = now;
		answer.state = GREYLIST_FIRST;
	}
	seen->last = now;
	answer.wait = left(seen, rules, now);
	if (answer.wait)
		return answer;
	pass(greylist, seen);
	return (struct greylist_answer){ .state = GREYLIST_PASSED };
}

static struct greylist_answer ask(struct greylist *greylist, const struct greylist_rules *rules,
				  uint64_t hash, uint32_t now)
{
	struct seen *seen = (struct seen *)aged_first(greylist->passed, hash);

	if (!seen || greylist_is_over(seen, rules, now))
		return ask_waiting(greylist, rules, hash, now);
	aged_touch(greylist->passed, &seen->aged);
	seen->last = now;
	return (struct greylist_answer){ .state = GREYLIST_PASSED };
}

/* Whether the network may come with one more domain that is not known. */
static bool may_make(struct greylist *greylist, uint64_t network, uint32_t now)
{
	struct maker *maker;
	bool made;

	maker = (struct maker *)greylist_node(greylist->makers, network, &made);
	if (made || now < maker->since || now - maker->since >= GREYLIST_MAKER_SECONDS) {
		maker->since = now;
		maker->made = 0;
	}
	if (maker->made == GREYLIST_DOMAINS_MAX)
		return false;
	maker->made++;
	return true;
}

/* By the domain, but not worse than the network alone, which is the key of domains too many. */
static struct greylist_answer ask_domain(struct greylist *greylist,
					 const struct greylist_rules *rules, uint64_t domain,
					 uint64_t network, uint32_t now)
{
	const struct seen *seen = seen_of(greylist, rules, network, now);
	const uint32_t wait = seen ? left(seen, rules, now) : UINT32_MAX;
	struct greylist_answer answer;

	if (!seen_of(greylist, rules, domain, now) && !may_make(greylist, network, now))
		return ask(greylist, rules, network, now);
	answer = ask(greylist, rules, domain, now);
	if (wait < answer.wait)
		answer = (struct greylist_answer){ wait ? GREYLIST_EARLY : GREYLIST_PASSED, wait };
	return answer;
}

struct greylist_answer greylist_ask(struct greylist *greylist, const struct greylist_rules *rules,
				    const struct greylist_key *key, uint32_t now)
{
	struct greylist_answer answer;
	struct key_bytes network, domain;
	const bool has_domain = domain_bytes(key->domain, &domain);

	network_bytes(&key->addr, &network);
	pthread_mutex_lock(&greylist->lock);
	greylist->changes++;
	if (has_domain)
		answer = ask_domain(greylist, rules, hash_of(greylist, &domain),
				    hash_of(greylist, &network), now);
	else
		answer = ask(greylist, rules, hash_of(greylist, &network), now);
	pthread_mutex_unlock(&greylist->lock);
	return answer;
}

bool greylist_find(struct greylist *greylist, const struct greylist_rules *rules,
		   const struct addr *addr, uint32_t now, struct greylist_record *out)
{
	const struct seen *seen;
	struct key_bytes network;

	network_bytes(addr, &network);
	pthread_mutex_lock(&greylist->lock);
	seen = seen_of(greylist, rules, hash_of(greylist, &network), now);
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
	count = aged_count(greylist->waiting) + aged_count(greylist->passed);
	pthread_mutex_unlock(&greylist->lock);
	return count;
}
