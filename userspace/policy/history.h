/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/history.h - what sources have done before: offences, and mail that nothing spoke against.
 *
 * Known by address, IPv6 by /64. Used by one thread; history_save() and history_load() are the only
 * functions that may wait. Bounded: when it is full, the source that was heard of longest ago goes.
 *
 * From a source's history and what it does now follows what the kernel is told about it, by the
 * pure function escalate(): a first offence gets `first_action`, each further one `action` for
 * `factor` times as long, up to `ttl_max`. Forgiveness is automatic: for every `forgive` seconds
 * without an offence one is forgotten. `good` verdicts that say accept, an hour apart at the least
 * and no offence between them, earn trust: for `trust` seconds a source is not looked up again.
 */
#ifndef POSTERN_POLICY_HISTORY_H
#define POSTERN_POLICY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/addr.h"
#include "lib/error.h"
#include "maps/action.h"
#include "store/store.h"

struct escalation_rules {
	uint32_t ttl, ttl_max; /* seconds, of the first offence and at most */
	uint32_t factor;       /* of an offence's time over the one before */
	uint32_t forgive;      /* seconds */
	enum action first_action, action;
	uint32_t good;  /* accepted verdicts that earn trust; 0: never */
	uint32_t trust; /* seconds */
};
void escalation_rules_conf(struct escalation_rules *rules, const struct conf *conf);

/* Times are seconds since 1970. */
struct history_record {
	struct addr addr;      /* the key: IPv6 is the /64, zeros after it */
	uint32_t first, last;  /* when it was heard of; 0 in one that has not been touched yet */
	uint32_t offence_time; /* the last one; 0 is none */
	uint32_t good_time;    /* the last one that counted */
	uint16_t offences;     /* not forgiven as of offence_time */
	uint16_t good;
	uint32_t until; /* the kernel's entry, so that a restart knows; 0 is none */
	uint8_t kind;   /* what it is: enum gate_learned_kind (gate/learned.h); NONE with `until`: a
			 * block that was lifted and would have held so long */
	uint8_t action;
	int16_t score; /* of the last verdict */
};

_Static_assert(sizeof(struct history_record) == 44, "history: a record has no padding");

/* What the kernel is to be told. */
struct escalation {
	bool block, trust; /* neither: to let the source in, and look it up again when it comes */
	enum action action;
	uint32_t ttl;      /* seconds */
	uint32_t offences; /* that count, with this one */
};

/* Good verdicts are remembered for so long, and for the time of trust, after the last one. */
#define HISTORY_GOOD_KEEP (30u * 24u * 3600u) /* seconds */
#define HISTORY_GOOD_STEP 3600u               /* seconds between two that count */

/* Pure: offences that are left at `now`. */
uint32_t escalation_offences(const struct escalation_rules *rules,
			     const struct history_record *record, uint32_t now);
/*
 * Pure: notes an offence, or else a verdict that says accept, in the record, and tells what
 * follows. What lies between (slow, greylist) is neither. The times of the record, `until` and what
 * the kernel was told are the caller's. A clock that was set back forgives nothing and counts no
 * good verdict; from then on the new time holds.
 */
struct escalation escalate(const struct escalation_rules *rules, struct history_record *record,
			   bool offence, uint32_t now);
/* Pure: whether there is anything to remember: an offence, good verdicts, an entry in the kernel.
 */
bool history_matters(const struct escalation_rules *rules, const struct history_record *record,
		     uint32_t now);

struct history;

/* All memory is taken here (as it is used, by pages); nothing fails later. */
int history_open(struct history **out, size_t max, struct error *err);
void history_close(struct history **history);
/* The record of the address, made if there is none (all zero but the key); valid until the next
 * call. The caller says with history_touch() that it changed it. */
struct history_record *history_get(struct history *history, const struct addr *addr);
void history_touch(struct history *history, struct history_record *record, uint32_t now);
/* NULL if there is none. */
const struct history_record *history_find(const struct history *history, const struct addr *addr);
/* Forgets the source; whether there was one. */
bool history_forget(struct history *history, const struct addr *addr);
/* Forgets the offences of all that are blocked now; how many they are. Unlike with history_forget()
 * however many they are, the store will know. */
size_t history_forgive_blocked(struct history *history, uint32_t now);
/* Those that are blocked now, at their last verdict with a score of `least` or more, are so no
 * longer: `kind` is none. The rest of the record, with its offences, stays; how many they are. */
size_t history_lift_blocks(struct history *history, int32_t least, uint32_t now);
size_t history_count(const struct history *history);
/* Walks over all, who was heard of longest ago first; `cb` must not change the history. */
typedef void (*history_cb)(const struct history_record *record, void *arg);
void history_each(const struct history *history, history_cb cb, void *arg);

/*
 * Disk. history_dirty() takes out what has changed since the last time, at most `max` records,
 * oldest change first, as copies that another thread may then give to history_save(), in the order
 * in which they were taken out. Records that are of no more use (history_matters()) are dropped
 * from both, those that have not changed a few with each call. A record to remove has `last` 0; of
 * these the latest HISTORY_GONE_MAX are kept for the next call. What is lost of them, or by a save
 * that failed, the next history_load() sees to as far as it is of no use.
 */
#define HISTORY_GONE_MAX 4096u
struct history_drain {
	const struct escalation_rules *rules;
	uint32_t now;
};
size_t history_dirty(struct history *history, const struct history_drain *drain,
		     struct history_record *out, size_t max);
/*
 * Reads what the store has into an empty history: what still matters, and of that what was heard of
 * last. What is left out is removed from the store; what is damaged, aloud.
 */
int history_load(struct history *history, const struct history_drain *drain, struct store *store,
		 struct error *err);
/*
 * One transaction, for which the caller waits its turn as with any change to the store: while
 * another one is open it is ERROR_REFUSED. A record with `last` 0 is removed from the store.
 */
int history_save(struct store *store, const struct history_record *records, size_t count,
		 struct error *err);

#endif
