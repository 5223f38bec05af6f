/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/unknowns.c - see session/smtp/unknowns.h.
 *
 * Entries stand in the order in which they were learned, which is that in which their time is over,
 * because all of a generation have the same. So whoever comes takes some that are over from the
 * head; one that is still there then is not found.
 */
#include "session/smtp/unknowns.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "policy/aged.h"

#define UNKNOWN_CODE 550u
#define DROPPED_MAX  64u /* entries that are over, in one look-up: so nobody waits for a flood's */

struct entry {
	struct aged aged;
	uint32_t learned, until; /* clock_mono_seconds() */
	size_t length;           /* of the recipient */
	char *text;              /* owned: the recipient, a NUL, what is said, a NUL */
};

struct unknowns {
	pthread_mutex_t lock;
	struct aged_table *entries;
	uint64_t generation;
};

/* ---- what is certain */

/*
 * X.1.1: no such mailbox (RFC 3463 3.2). X.1.6: it has moved, and nobody knows where to. X.1.10:
 * Exchange says so of a mailbox; RFC 7505 of a domain without mail, which has none.
 * Not X.1.0, which Postfix says of senders; nor X.1.2, which is about a domain that the server was
 * not told of yet; nor X.2.1, of a mailbox that is there; nor X.4.1 and X.7.1, which may be policy.
 */
static const char *const statuses[] = { "5.1.1", "5.1.6", "5.1.10" };

/*
 * Without a status 550 may be anything, also policy (RFC 5321 4.2.2). These two are Exim's, when
 * its configuration says nothing else, and it says them of recipients alone: of a sender there are
 * more lines. backend/reply.h has put a status in front that says nothing.
 */
static const char *const phrases[] = { "5.0.0 Unrouteable address", "5.0.0 Unknown user" };

static bool has_status(const char *line)
{
	const size_t length = strcspn(line, " \n");

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strlen(statuses[i]) == length && !memcmp(line, statuses[i], length))
			return true;
	return false;
}

bool unknowns_is_certain(const struct backend_reply *said)
{
	const char *line = said->text;

	if (said->code != UNKNOWN_CODE || said->lost)
		return false;
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (!strcmp(line, phrases[i]))
			return true;
	while (has_status(line)) {
		line += strcspn(line, "\n");
		if (!*line++)
			return true;
	}
	return false;
}

/* ---- the table */

int unknowns_open(size_t max, struct unknowns **out, struct error *err)
{
	struct unknowns *unknowns = calloc(1, sizeof(*unknowns));

	if (!unknowns)
		return error_set(err, ERROR_REFUSED, "out of memory");
	pthread_mutex_init(&unknowns->lock, NULL);
	unknowns->entries = aged_open(max, sizeof(struct entry));
	if (!unknowns->entries) {
		unknowns_close(&unknowns);
		return error_set(err, ERROR_REFUSED, "out of memory");
	}
	*out = unknowns;
	return 0;
}

static void drop(struct unknowns *unknowns, struct entry *entry)
{
	free(entry->text);
	entry->text = NULL;
	aged_remove(unknowns->entries, &entry->aged);
}

static struct entry *oldest(const struct unknowns *unknowns)
{
	return (struct entry *)aged_oldest(unknowns->entries);
}

static void drop_all(struct unknowns *unknowns)
{
	while (oldest(unknowns))
		drop(unknowns, oldest(unknowns));
}

/* Returns whether there may be more. */
static bool drop_old(struct unknowns *unknowns, uint32_t now)
{
	for (unsigned int i = 0; i < DROPPED_MAX; i++) {
		if (!oldest(unknowns) || oldest(unknowns)->until > now)
			return false;
		drop(unknowns, oldest(unknowns));
	}
	return true;
}

void unknowns_close(struct unknowns **out)
{
	struct unknowns *unknowns = *out;

	*out = NULL;
	if (!unknowns)
		return;
	if (unknowns->entries)
		drop_all(unknowns);
	aged_close(&unknowns->entries);
	pthread_mutex_destroy(&unknowns->lock);
	free(unknowns);
}

static struct entry *find(const struct unknowns *unknowns, const struct unknowns_key *key)
{
	const uint64_t hash = aged_hash(unknowns->entries, key->to, key->length);

	for (struct aged *node = aged_first(unknowns->entries, hash); node;
	     node = aged_next(node)) {
		struct entry *entry = (struct entry *)node;

		if (entry->length == key->length && !memcmp(entry->text, key->to, key->length))
			return entry;
	}
	return NULL;
}

/* Owned by the caller; NULL if memory is short. */
static char *compose(const struct unknowns_key *key, const char *text)
{
	const size_t size = strnlen(text, BACKEND_REPLY_MAX - 1);
	char *out = malloc(key->length + size + 2);

	if (!out)
		return NULL;
	memcpy(out, key->to, key->length);
	out[key->length] = '\0';
	memcpy(out + key->length + 1, text, size);
	out[key->length + 1 + size] = '\0';
	return out;
}

/* There is room for one. */
static void add(struct unknowns *unknowns, const struct unknowns_key *key, char *text, uint32_t now,
		uint32_t ttl)
{
	const uint64_t hash = aged_hash(unknowns->entries, key->to, key->length);
	struct entry *entry = (struct entry *)aged_add(unknowns->entries, hash);

	if (!entry) {
		drop(unknowns, oldest(unknowns));
		entry = (struct entry *)aged_add(unknowns->entries, hash);
	}
	entry->learned = now;
	entry->until = now + ttl;
	entry->length = key->length;
	entry->text = text;
}

void unknowns_note(struct unknowns *unknowns, const struct unknowns_rules *rules,
		   const struct unknowns_key *key, const char *text)
{
	char *composed = unknowns && rules->ttl ? compose(key, text) : NULL;
	struct entry *known;
	uint32_t now;

	if (!composed)
		return;
	pthread_mutex_lock(&unknowns->lock);
	if (rules->generation == unknowns->generation) {
		now = clock_mono_seconds();
		drop_old(unknowns, now);
		known = find(unknowns, key);
		if (known)
			drop(unknowns, known);
		add(unknowns, key, composed, now, rules->ttl);
		composed = NULL;
	}
	pthread_mutex_unlock(&unknowns->lock);
	free(composed);
}

void unknowns_forget(struct unknowns *unknowns, const struct unknowns_key *key)
{
	struct entry *known;

	if (!unknowns)
		return;
	pthread_mutex_lock(&unknowns->lock);
	known = find(unknowns, key);
	if (known)
		drop(unknowns, known);
	pthread_mutex_unlock(&unknowns->lock);
}

static void answer(const struct entry *entry, uint32_t now, struct unknowns_answer *out)
{
	const char *text = entry->text + entry->length + 1;

	out->seconds = now - entry->learned;
	out->reply.code = UNKNOWN_CODE;
	out->reply.lost = false;
	memcpy(out->reply.text, text, strlen(text) + 1);
}

bool unknowns_find(struct unknowns *unknowns, const struct unknowns_rules *rules,
		   const struct unknowns_key *key, struct unknowns_answer *out)
{
	const struct entry *known = NULL;
	uint32_t now;

	if (!unknowns || !rules->ttl)
		return false;
	pthread_mutex_lock(&unknowns->lock);
	if (rules->generation == unknowns->generation) {
		now = clock_mono_seconds();
		drop_old(unknowns, now);
		known = find(unknowns, key);
		if (known && known->until <= now)
			known = NULL;
		if (known)
			answer(known, now, out);
	}
	pthread_mutex_unlock(&unknowns->lock);
	return known;
}

uint64_t unknowns_clear(struct unknowns *unknowns)
{
	uint64_t generation;

	if (!unknowns)
		return 0;
	pthread_mutex_lock(&unknowns->lock);
	drop_all(unknowns);
	generation = ++unknowns->generation;
	pthread_mutex_unlock(&unknowns->lock);
	return generation;
}

size_t unknowns_count(struct unknowns *unknowns)
{
	size_t count;
	bool more;

	if (!unknowns)
		return 0;
	do {
		pthread_mutex_lock(&unknowns->lock);
		more = drop_old(unknowns, clock_mono_seconds());
		count = aged_count(unknowns->entries);
		pthread_mutex_unlock(&unknowns->lock);
	} while (more);
	return count;
}
