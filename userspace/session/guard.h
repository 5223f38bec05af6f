/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard.h - the guard: watches the protected ports beside a mail server that knows nothing
 * of it, looks up who is new, and tells the kernel what it has learned.
 *
 * It lives on a thread and a loop of its own, with a resolver, so that nothing an operator does can
 * hold up a verdict, and no flood of newcomers can hold up the operator. The kernel tells of a
 * newcomer at its SYN (gate/learned.h); the lookups start at once, and the verdict goes into the
 * cache (policy/verdicts.h) and, with what follows from the source's history (policy/history.h), to
 * the kernel. So in guard mode the first connection of a bad source reaches the mail server, and
 * the second one does not.
 *
 * In filter mode it is there, too, for the questions of operators, and watches nothing.
 *
 * Limits: GUARD_LOOKUPS_MAX sources under way at a time, half of them by SYNs; what comes beyond
 * that is counted and left alone until the kernel tells of it again.
 */
#ifndef POSTERN_SESSION_GUARD_H
#define POSTERN_SESSION_GUARD_H

#include <jansson.h>

#include "checks/dnsbl.h"
#include "conf/conf.h"
#include "dns/stats.h"
#include "gate/learned.h"
#include "gate/lists.h"
#include "policy/greylist.h"
#include "policy/history.h"
#include "policy/verdicts.h"

#define GUARD_LOOKUPS_MAX 4096
#define GUARD_EXPLAIN_MAX 3 /* threads that may wait for guard_explain(); more are refused */

struct guard;

struct guard_options {
	struct gate *gate;
	struct lists *lists;
	const struct conf *conf; /* as it was at the start: copied where it is needed */
};

/*
 * Borrows the gate and the lists until guard_close(). Needs no privileges, and is opened when they
 * have gone, because it starts a thread. Options that can be reloaded are read from the published
 * configuration whenever they are used.
 */
int guard_open(const struct guard_options *options, struct guard **out, struct error *err);
/* Answers no more questions, and those that wait at once: so that whoever waits for one can end
 * before the guard does. From any thread. */
void guard_hush(struct guard *guard);
/* Ends what is under way; writes the history and the greylist to disk. What the kernel has learned
 * stays in force. */
void guard_close(struct guard **guard);

/*
 * A reload: guard_prepare() makes the DNS lists of a configuration, any thread may call it, and it
 * is all that can fail. guard_reload() puts them in force, and everything else that the published
 * configuration says; it waits until that is so, takes the lists over and nulls the pointer.
 */
struct guard_lists;
int guard_prepare(const struct conf *conf, struct guard_lists **out, struct error *err);
/* Nulls the pointer; NULL is allowed. */
void guard_drop_lists(struct guard_lists **lists);
void guard_reload(struct guard *guard, struct guard_lists **lists);

/*
 * These may be called from any thread. Those that say so wait for the guard's loop, at most for
 * guard.timeout: not for a loop's thread.
 */

/* What is known of an address already: false if there is no verdict that holds. */
bool guard_verdict(struct guard *guard, const struct addr *addr, struct verdict *out);

/* What greylisting knows of the network of an address, with times in seconds since 1970: false if
 * nothing that still counts. */
bool guard_greylist(struct guard *guard, const struct addr *addr, struct greylist_record *out);

/*
 * Looks everything up now, from the cache as far as it goes, and fills a new reference: see
 * session/guard_json.c. `helo` may be NULL. Changes nothing. Waits.
 */
int guard_explain(struct guard *guard, const struct addr *addr, const char *helo, json_t **out,
		  struct error *err);

/* Forgets verdict, history and the kernel's entry, of IPv6 those of the /64; whether there was any.
 * Waits. */
bool guard_forget(struct guard *guard, const struct addr *addr);
/* The same for all that are blocked; returns how many. All verdicts go. Waits. */
size_t guard_forget_blocked(struct guard *guard);

/* Copies the source's history; false if there is none. Waits. */
bool guard_history(struct guard *guard, const struct addr *addr, struct history_record *out);

enum guard_origin { GUARD_SYN, GUARD_COMPLETED, GUARD_ORIGINS };

struct guard_stats {
	uint64_t newcomers[GUARD_ORIGINS];   /* that the kernel told about */
	uint64_t known;                      /* of them, those with a verdict in the cache */
	uint64_t evaluations;                /* begun */
	uint64_t skipped;                    /* not begun: too many were under way */
	uint64_t verdicts[DECISION_COUNT];   /* found out */
	uint64_t temporary;                  /* of them, those that had to do without an answer */
	uint64_t timeouts;                   /* of them, those that guard.timeout ended */
	uint64_t blocks, trusts, greylisted; /* what the kernel was told */
	uint64_t refused;                    /* what it had no room for */
	uint64_t greylist_failures;          /* times that the greylist could not be saved */
	struct latency latency;              /* from the packet to the verdict */
	/* gauges */
	uint64_t under_way;
	uint64_t histories;
	uint64_t greylist_saved; /* seconds since 1970: when all that it knew was on disk last */
	uint64_t greylist_bytes; /* there; 0: nothing */
	struct verdicts_stats cache;
	struct dns_stats dns;
	struct gate_learned_counts learned;
	size_t zones;
	struct dnsbl_zone_info zone[DNSBL_ZONES_MAX];
};
void guard_stats(struct guard *guard, struct guard_stats *out);

#endif
