/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_internal.h - shared by the files of session/guard. Nobody else includes it.
 *
 *   guard.c           opens, closes, runs the loop, counts
 *   guard_parts.c     puts it together
 *   guard_lookup.c    a newcomer becomes a verdict
 *   guard_act.c       what follows from a verdict
 *   guard_anew.c      other scores, for what was looked up before
 *   guard_lists.c     other DNS lists
 *   guard_client.c    what workers ask and tell: their side
 *   guard_messages.c  the same: the guard's side
 *   guard_kept.c      the greylist, over a restart
 *   guard_standing.c  what lists and the kernel know of an address, for workers
 *   guard_ask.c       questions of other threads
 *   guard_json.c      what a lookup found, for people
 *
 * Everything but what guard_ask.c, guard_messages.c and guard_client.c say belongs to the guard's
 * thread. Verdicts and the greylist may be asked by any.
 */
#ifndef POSTERN_SESSION_GUARD_INTERNAL_H
#define POSTERN_SESSION_GUARD_INTERNAL_H

#include <pthread.h>
#include <uv.h>

#include "dns/resolver.h"
#include "lib/siphash.h"
#include "policy/evaluate.h"
#include "policy/greylist.h"
#include "session/guard.h"
#include "session/own.h"

#define GUARD_HISTORIES  200000 /* sources whose history is kept */
#define GUARD_GREYLIST   100000 /* senders that wait, and as many that have passed */
#define GUARD_BUCKETS    4096
#define GUARD_SAVE_BATCH 1000 /* histories that are written to disk at once */

/* The options that can change while it runs, read a few times a second. */
struct guard_rules {
	struct score_rules score;
	struct escalation_rules escalation;
	struct greylist_rules greylist;
	bool greylisting;
	uint32_t ttl_min, ttl_max; /* seconds */
	uint32_t timeout;          /* ms */
	uint32_t rate;             /* newcomers a second */
	uint32_t lines;            /* of the log a second */
	bool monitor;              /* nothing is stopped, so nothing is held against anybody */
};

struct guard_question;

/* From a worker (session/guard_client.h), and back to it if it was a question. */
enum guard_message_kind { GUARD_MESSAGE_ASK, GUARD_MESSAGE_GOOD, GUARD_MESSAGE_OFFENCE };
struct guard_message {
	enum guard_message_kind kind;
	struct guard_message *next;
	bool found;             /* `verdict` is the answer */
	struct verdict verdict; /* of a question: its address */
};

/* A source that is being looked up. They are in the order of their deadlines. */
struct guard_lookup {
	struct guard *guard;
	struct guard_lookup *before, *after; /* by deadline */
	struct guard_lookup *chain;          /* of the same bucket; only newcomers are in one */
	struct addr addr;
	uint64_t since;    /* ns of CLOCK_MONOTONIC: the packet, or the question */
	uint64_t deadline; /* ms of the loop's clock */
	enum guard_origin origin;
	uint32_t judged; /* the guard's when it began: the rules that it is decided by */
	struct guard_question *question; /* of whoever wants to see it; NULL: a newcomer */
	struct guard_message *waiting;   /* workers that wait for the verdict */
	struct evaluation *evaluation;
};

struct guard {
	struct gate *gate;
	struct lists *lists;
	bool watching; /* the kernel tells of newcomers */
	bool proxy;    /* sessions tell what came of it */
	uint8_t slot;  /* of the list of learned blocks */
	struct guard_rules rules;
	uint32_t judged; /* how often scores or lists have changed */
	struct own own;

	pthread_t thread;
	uv_loop_t loop;
	uv_async_t wake;
	uv_poll_t newcomers;
	uv_timer_t tick; /* GATE_REFILLS times a second */
	unsigned int ticks;
	uint32_t lines;        /* of the log that may be written before the next second */
	uint32_t block_lines;  /* likewise, about blocks */
	bool hushed, stopping; /* set by other threads, atomically */

	struct dns_resolver *resolver;
	struct dnsbl *dnsbl;
	struct verdicts *verdicts;
	struct history *history;
	struct greylist *greylist;

	struct siphash_key seed;
	struct guard_lookup *bucket[GUARD_BUCKETS];
	struct guard_lookup *first, *last;  /* by deadline */
	size_t by_syn;                      /* lookups that a SYN began */
	size_t syn_max;                     /* of them at a time */
	uint32_t in_flight, in_flight_zone; /* budgets of the resolver */

	uv_work_t save;
	bool saving, save_failed; /* it failed: the same batch is written again */
	struct history_record saved[GUARD_SAVE_BATCH];
	size_t save_count;

	char directory[CONF_PATH_MAX]; /* of the state */
	uv_work_t keep;
	bool keeping; /* the greylist is being saved */

	/* Questions of other threads: guard_ask.c. */
	pthread_mutex_t lock;
	pthread_cond_t answered;
	unsigned int explaining;                      /* threads that wait for a lookup; atomic */
	struct guard_question *question;              /* that wait for the loop, in order */
	bool closed;                                  /* nobody answers any more */
	struct guard_message *message, *last_message; /* that wait for the loop, in order */
	unsigned int messages;

	struct guard_stats stats; /* written here with atomic stores, read anywhere */
};

static inline void guard_count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/*
 * guard.c: takes over what is configured now. `lists`: what the DNS lists say is something else, so
 * that everybody is judged anew, as if scores had changed.
 */
void guard_follow_conf(struct guard *guard, bool lists);

/* guard_parts.c. What was opened before a failure is the caller's to close. */
int guard_open_parts(struct guard *guard, const struct conf *conf, struct error *err);

/* guard_client.c */
struct guard_client;
struct guard *guard_client_guard(const struct guard_client *client);

/* guard_lookup.c */
/* For rules.timeout: nothing that is under way lasts longer from now on. */
void guard_hurry(struct guard *guard);
/* All but those of questions begin again, within the time that they had. */
void guard_look_up_again(struct guard *guard);
/* The lookups that questions wait for end without an answer. */
void guard_drop_questions(struct guard *guard);
void guard_read_newcomers(struct guard *guard);
/* One of them, as gate_newcomers_read() tells of it. Benchmarks call it, too. */
void guard_newcomer(const struct newcomer *newcomer, void *guard);
/* For a question: the lookup answers it. False if memory is short. */
bool guard_look_up(struct guard *guard, const struct addr *addr, const char *helo,
		   struct guard_question *question);
/* For a worker: joins the lookup of the address, or begins one. False if it cannot. */
bool guard_look_up_for(struct guard *guard, const struct addr *addr, struct guard_message *message);
void guard_end_late(struct guard *guard);
void guard_drop_lookups(struct guard *guard);

/*
 * guard_act.c: what the kernel is told because of a verdict. `fresh`: it has just been found;
 * `proven`: the source has just completed a handshake.
 */
void guard_act(struct guard *guard, const struct verdict *verdict, bool fresh, bool proven);
/* What came of a client, as its session tells: it was refused, or its mail was taken. */
void guard_note(struct guard *guard, const struct verdict *verdict, bool offence);

/*
 * guard_anew.c: the scores are others than those of `before`, or the lists are others. Drops
 * verdicts and lifts the blocks that came from them.
 */
void guard_judge_anew(struct guard *guard, const struct score_rules *before);
/* The score by the rules that hold now. */
struct score guard_score_now(const struct guard_lookup *lookup,
			     const struct evaluate_result *result);
/* The source is rejected: if its block was lifted it goes on, and `out` is what is left of it. */
bool guard_block_lifted(struct guard *guard, const struct addr *addr, struct gate_learned *out);

/* guard_lists.c */
/* How many lookups a SYN may begin, with so many rows of zones of addresses. */
void guard_limit_syns(struct guard *guard, size_t rows);
/* Puts them in force, with all else that is configured now. Nulls the pointer. */
void guard_take_lists(struct guard *guard, struct guard_lists **lists);
/* The names of a verdict's lists with their points: "bl.example 10, allow.example -3". Returns
 * `out`, which has room for ", " and points, too. */
#define GUARD_LISTS_TEXT_MAX (VERDICT_ZONES_MAX * (DNSBL_SHOWN_MAX + 8))
const char *guard_lists_text(const struct guard *guard, const struct verdict *verdict,
			     char out[GUARD_LISTS_TEXT_MAX]);

/* guard_kept.c. The last is for when the loop has ended, and waits. */
void guard_load_greylist(struct guard *guard);
void guard_save_greylist(struct guard *guard);
void guard_save_greylist_last(struct guard *guard);

/* guard_messages.c. False if it is not taken: then it is the caller's still. */
bool guard_post(struct guard *guard, struct guard_message *message);
void guard_serve_messages(struct guard *guard);
void guard_refuse_messages(struct guard *guard);

/* guard_client.c: gives a question back; any thread. */
void guard_client_answer(struct guard_message *message);

/* guard_ask.c */
void guard_answer_all(struct guard *guard);
void guard_refuse_all(struct guard *guard);
void guard_answer_lookup(struct guard_question *question, struct guard *guard,
			 const struct evaluate_result *result);

/* guard_json.c: a new reference, or NULL. */
json_t *guard_result_json(const struct evaluate_result *result, const struct score_rules *rules);

#endif
