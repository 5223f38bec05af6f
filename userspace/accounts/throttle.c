/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/throttle.c - see accounts/throttle.h.
 *
 * Of a key only 64 bits of its keyed hash are kept (as in policy/greylist.c). A table holds nodes
 * of one kind, so that whoever invents names crowds out names that were invented, and never owners,
 * who have to be right first.
 */
#include "accounts/throttle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "policy/aged.h"

#define ONE            65536u /* a failure, in the fixed point of `value` */
#define VALUE_MAX      (1000ull * ONE)
#define HALF           (THROTTLE_HALF_LIFE * NS_A_SECOND)
#define NETWORK_BITS   64u
#define NETWORK_BITS_4 (ADDR_IPV4_OFFSET + 24u)

enum level {
	SOURCE,
	NETWORK,
	NETWORK_6,
	ACCOUNT,
	PAIR,   /* a source and an account, for owners */
	LEVELS, /* that failures count at */
	OWNERS = LEVELS,
	TABLES
};

/* Failures after which there is something to wait for, after which a guess is refused, and after
 * which the source is to be blocked; 0 is never. */
static const struct limit {
	uint32_t wait, refuse, block;
} limits[LEVELS] = {
	[SOURCE] = { .wait = 1, .refuse = 20, .block = 40 },
	[NETWORK] = { .wait = 20, .refuse = 100 },
	[NETWORK_6] = { .wait = 1, .refuse = 20, .block = 40 }, /* a customer has a /64 */
	[ACCOUNT] = { .wait = 5, .refuse = 100 },
	[PAIR] = { .wait = 1, .refuse = 20 },
};

struct node {
	struct aged aged;
	uint64_t value;    /* failures, times ONE, at the time of `since` */
	uint64_t since;    /* of owners: when the last login was. Both on clock_mono() */
	uint64_t admitted; /* of accounts: when the last one was that was not refused after all */
};

struct throttle {
	pthread_mutex_t lock; /* and under it: */
	struct aged_table *table[TABLES];
};

struct key {
	uint8_t byte[sizeof(struct addr) + AUTH_USER_MAX];
	size_t size;
};

/* Whom it is about: at which levels that is counted, and under which hashes. */
struct who {
	bool at[TABLES];
	uint64_t hash[TABLES];
	uint64_t somebody; /* among owners: the source, with whatever account */
	uint64_t now;
};

struct throttle *throttle_open(size_t max)
{
	struct throttle *throttle = calloc(1, sizeof(*throttle));

	if (!throttle)
		return NULL;
	pthread_mutex_init(&throttle->lock, NULL);
	for (int i = 0; i < TABLES; i++) {
		throttle->table[i] = aged_open(max, sizeof(struct node));
		if (throttle->table[i])
			continue;
		throttle_close(&throttle);
		break;
	}
	return throttle;
}

void throttle_close(struct throttle **throttle)
{
	if (!*throttle)
		return;
	for (int i = 0; i < TABLES; i++)
		aged_close(&(*throttle)->table[i]);
	pthread_mutex_destroy(&(*throttle)->lock);
	free(*throttle);
	*throttle = NULL;
}

/* An address, which may be NULL, and a name, likewise. */
static uint64_t hash_of(const struct throttle *throttle, enum level level, const struct addr *addr,
			const char *user)
{
	struct key key = { .size = sizeof(*addr) };
	const size_t len = user ? strnlen(user, AUTH_USER_MAX) : 0;

	if (addr)
		memcpy(key.byte, addr->byte, sizeof(addr->byte));
	if (len)
		memcpy(key.byte + key.size, user, len);
	key.size += len;
	return aged_hash(throttle->table[level], key.byte, key.size);
}

static struct who who_is(const struct throttle *throttle, const struct addr *source,
			 const char *user)
{
	const bool four = addr_is_ipv4(source), named = user && *user;
	const struct addr network = prefix_of(source, four ? NETWORK_BITS_4 : NETWORK_BITS).addr;
	const struct addr *place = four ? source : &network;
	const enum level level = four ? NETWORK : NETWORK_6;
	struct who who = {
		.at = { [SOURCE] = true, [ACCOUNT] = named, [PAIR] = named, [OWNERS] = named },
		.now = clock_mono(),
	};

	who.at[level] = true;
	who.hash[SOURCE] = hash_of(throttle, SOURCE, source, NULL);
	who.hash[level] = hash_of(throttle, level, &network, NULL);
	who.hash[ACCOUNT] = hash_of(throttle, ACCOUNT, NULL, user);
	who.hash[PAIR] = hash_of(throttle, PAIR, place, user);
	who.hash[OWNERS] = hash_of(throttle, OWNERS, place, user);
	who.somebody = hash_of(throttle, OWNERS, place, NULL);
	return who;
}

static struct node *find(const struct throttle *throttle, enum level level, uint64_t hash)
{
	return (struct node *)aged_first(throttle->table[level], hash);
}

/* The youngest of its table then; whoever was touched longest ago gives way. */
static struct node *find_or_add(struct throttle *throttle, enum level level, uint64_t hash)
{
	struct aged_table *table = throttle->table[level];
	struct aged *node = aged_first(table, hash);

	if (node) {
		aged_touch(table, node);
		return (struct node *)node;
	}
	node = aged_add(table, hash);
	if (!node) {
		aged_remove(table, aged_oldest(table));
		node = aged_add(table, hash);
	}
	return (struct node *)node;
}

/* What is left of a value: halved for each half-life, and a straight line in between. */
static uint64_t left_of(const struct node *node, uint64_t now)
{
	const uint64_t age = now > node->since ? now - node->since : 0;
	const uint64_t value = age / HALF < 63 ? node->value >> age / HALF : 0;

	return value - value * (age % HALF / 1000) / (2 * HALF / 1000);
}

static uint64_t value_at(const struct throttle *throttle, const struct who *who, enum level level)
{
	const struct node *node = who->at[level] ? find(throttle, level, who->hash[level]) : NULL;

	return node ? left_of(node, who->now) : 0;
}

static uint32_t failures_at(const struct throttle *throttle, const struct who *who,
			    enum level level)
{
	return (uint32_t)((value_at(throttle, who, level) + ONE / 2) / ONE);
}

static void count(struct throttle *throttle, const struct who *who, enum level level)
{
	struct node *node = find_or_add(throttle, level, who->hash[level]);

	node->value = left_of(node, who->now) + ONE;
	if (node->value > VALUE_MAX)
		node->value = VALUE_MAX;
	node->since = who->now;
}

static void take_back(struct throttle *throttle, const struct who *who, enum level level,
		      uint64_t value)
{
	struct node *node = who->at[level] ? find(throttle, level, who->hash[level]) : NULL;
	uint64_t left;

	if (!node)
		return;
	left = left_of(node, who->now);
	node->value = left > value ? left - value : 0;
	node->since = who->now;
}

static bool was_here(const struct throttle *throttle, const struct who *who, uint64_t hash)
{
	const struct node *node = find(throttle, OWNERS, hash);

	return node && who->now - node->since < THROTTLE_OWNER * NS_A_SECOND;
}

static uint32_t wait_after(const struct limit *limit, uint32_t failures)
{
	uint32_t wait = THROTTLE_WAIT_FIRST;

	if (failures < limit->wait)
		return 0;
	for (failures -= limit->wait; failures && wait < THROTTLE_WAIT_MAX; failures--)
		wait *= 2;
	return wait < THROTTLE_WAIT_MAX ? wait : THROTTLE_WAIT_MAX;
}

static void judge(const struct limit *limit, uint32_t failures, struct auth_throttle *out)
{
	const uint32_t wait = wait_after(limit, failures);

	out->wait = wait > out->wait ? wait : out->wait;
	out->refuse = out->refuse || failures >= limit->refuse;
	out->block = out->block || (limit->block && failures >= limit->block);
}

/* Without the account, and with it. An owner is judged by what he does himself. */
static struct auth_throttle look(const struct throttle *throttle, const struct who *who,
				 bool account)
{
	const bool owner = who->at[OWNERS] && was_here(throttle, who, who->hash[OWNERS]);
	struct auth_throttle out = { 0 };

	for (enum level level = 0; level < LEVELS; level++) {
		if (!who->at[level] || owner != (level == PAIR) || (level == ACCOUNT && !account))
			continue;
		judge(&limits[level], failures_at(throttle, who, level), &out);
	}
	out.block = out.block && !was_here(throttle, who, who->somebody);
	return out;
}

struct auth_throttle throttle_look(struct throttle *throttle, const struct addr *source,
				   const char *user)
{
	struct auth_throttle out;
	struct who who;

	pthread_mutex_lock(&throttle->lock);
	who = who_is(throttle, source, user);
	out = look(throttle, &who, true);
	pthread_mutex_unlock(&throttle->lock);
	return out;
}

/* Whether a guess that would be refused for the account alone is let through. */
static bool trickles(struct throttle *throttle, const struct who *who)
{
	struct node *account =
		who->at[ACCOUNT] ? find(throttle, ACCOUNT, who->hash[ACCOUNT]) : NULL;

	if (!account || look(throttle, who, false).refuse ||
	    who->now - account->admitted < THROTTLE_TRICKLE * NS_A_SECOND)
		return false;
	account->admitted = who->now;
	return true;
}

/* A guess that is refused is one, too, but only its source is the worse for it. */
static struct auth_throttle begin(struct throttle *throttle, const struct who *who)
{
	struct auth_throttle out = look(throttle, who, true);

	if (out.refuse && trickles(throttle, who))
		out.refuse = false;
	for (enum level level = 0; level < LEVELS; level++)
		if (who->at[level] && (!out.refuse || level == SOURCE || level == NETWORK_6))
			count(throttle, who, level);
	return out;
}

struct auth_throttle throttle_begin(struct throttle *throttle, const struct addr *source,
				    const char *user)
{
	struct auth_throttle out;
	struct who who;

	pthread_mutex_lock(&throttle->lock);
	who = who_is(throttle, source, user);
	out = begin(throttle, &who);
	pthread_mutex_unlock(&throttle->lock);
	return out;
}

static void was_right(struct throttle *throttle, const struct who *who)
{
	const uint64_t own = value_at(throttle, who, PAIR);

	for (enum level level = 0; level < LEVELS; level++)
		take_back(throttle, who, level, own);
	find_or_add(throttle, OWNERS, who->hash[OWNERS])->since = who->now;
	find_or_add(throttle, OWNERS, who->somebody)->since = who->now;
}

bool throttle_end(struct throttle *throttle, const struct addr *source, const char *user,
		  enum throttle_outcome outcome)
{
	struct who who;
	bool block;

	pthread_mutex_lock(&throttle->lock);
	who = who_is(throttle, source, user);
	if (outcome == THROTTLE_RIGHT)
		was_right(throttle, &who);
	for (enum level level = 0; outcome == THROTTLE_UNKNOWN && level < LEVELS; level++)
		take_back(throttle, &who, level, ONE);
	block = look(throttle, &who, true).block;
	pthread_mutex_unlock(&throttle->lock);
	return block;
}
