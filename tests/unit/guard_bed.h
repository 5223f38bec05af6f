/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/guard_bed.h - what a real guard, on its real thread, stands between in a test: a gate
 * that is played here, a DNS server on the test's own loop, and a store on disk.
 *
 * The test says what the kernel tells, moves the time of verdicts and blocks (bed_pass(); the DNS
 * and time-outs have the real one), and waits with bed_until() for what the guard does, during
 * which the DNS server answers. Questions, which block, are put by a thread (bed_ask()).
 *
 * The server knows one list, bl.test, which could also speak for somebody, and does not. It lists
 * 192.0.2.66, all of 198.51.100.0/24, and IPv6 addresses with ::5 at the end; 192.0.2.7 has a name
 * server that fails. Nobody has a host name.
 */
#ifndef POSTERN_TESTS_GUARD_BED_H
#define POSTERN_TESTS_GUARD_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "session/guard.h"
#include "tests/unit/addr_fixture.h"
#include "tests/unit/dns_fixture.h"
#include "tests/unit/store_fixture.h"

#define BED_LEARNED_MAX 32
#define BED_NEWS_MAX    8192
#define BED_START       1700000000u /* seconds since 1970 */
#define BED_SLOT        5
#define BED_TTL         600u /* of a first offence */
#define BED_FACTOR      6u
#define BED_TTL_MIN     60u

struct played_cell {
	struct gate_learned learned;
	uint64_t end; /* ns of clock_mono() */
};

struct guard_bed {
	struct dns_lab *lab;
	uv_timer_t pulse;
	struct fixture *store;
	struct guard *guard;

	pthread_mutex_t lock; /* and under it: */
	struct played_cell cell[BED_LEARNED_MAX];
	size_t cells;
	bool full;   /* the kernel has no room */
	bool broken; /* the store does not work */
	unsigned int learned, failed_saves;
	struct gate_evidence evidence;
	struct newcomer news[BED_NEWS_MAX];
	size_t first_news, last_news;
	int newcomers; /* eventfd */
};

int bed_set_up(void **state);
int bed_tear_down(void **state);
#define BED_TEST(name) cmocka_unit_test_setup_teardown(name, bed_set_up, bed_tear_down)

/* A configuration, with these lines of YAML besides. */
struct conf *bed_conf(const struct guard_bed *bed, const char *more);
/* Lets it be the one in force. */
void bed_publish(const struct guard_bed *bed, const char *more);
/* So many seconds pass for verdicts, blocks and history. */
void bed_pass(unsigned int seconds);
void bed_set_wall(uint32_t seconds);

void bed_tell(struct guard_bed *bed, const char *source, bool completed);
/* Many at once: 10.0.0.0 + first and so on. */
void bed_tell_many(struct guard_bed *bed, uint32_t first, size_t count, bool completed);

/* The DNS server answers about clients late, when bed_release() is called, or never. */
enum bed_server { BED_ANSWERS, BED_HOLDS, BED_MUTE };
void bed_server(struct guard_bed *bed, enum bed_server how);

/* What the kernel knows. */
struct gate_learned bed_learned(struct guard_bed *bed, const char *source);
unsigned int bed_times_learned(struct guard_bed *bed);
void bed_kernel_forgets(struct guard_bed *bed);
unsigned int bed_failed_saves(struct guard_bed *bed);
/* Newcomers a second that the kernel was last told to tell of. */
uint32_t bed_rate(struct guard_bed *bed);
void bed_set(struct guard_bed *bed, bool *what, bool value);

/* Runs the DNS server until the condition, which is looked at every few ms, holds. */
#define bed_until(bed, condition) dns_lab_until((bed)->lab, condition)

/* The gate and the lists, as the guard sees them. */
bool played_learn(struct guard_bed *bed, const struct gate_learned *learned);
bool played_find(struct guard_bed *bed, const struct addr *addr, struct gate_learned *out);
bool played_forget(struct guard_bed *bed, const struct addr *addr);
size_t played_forget_kind(struct guard_bed *bed, enum gate_learned_kind kind);
void played_each(struct guard_bed *bed, gate_learned_cb cb, void *arg);
void played_counts(struct guard_bed *bed, struct gate_learned_counts *out);
int played_newcomers(struct guard_bed *bed, gate_newcomer_cb cb, void *arg);
void played_evidence(struct guard_bed *bed, const struct gate_evidence *evidence);
int played_store(struct guard_bed *bed, lists_store_cb cb, void *arg, struct error *err);

/* Each test program of the guard has the gate for itself: others are linked with this file, too. */
#define BED_OF(pointer) ((struct guard_bed *)(void *)(pointer))
#define GUARD_BED_GATE                                                                             \
	bool gate_learn(struct gate *gate, const struct gate_learned *learned)                     \
	{                                                                                          \
		return played_learn(BED_OF(gate), learned);                                        \
	}                                                                                          \
	bool gate_learned_find(struct gate *gate, const struct addr *addr,                         \
			       struct gate_learned *out)                                           \
	{                                                                                          \
		return played_find(BED_OF(gate), addr, out);                                       \
	}                                                                                          \
	bool gate_learned_watched(struct gate *gate)                                               \
	{                                                                                          \
		(void)gate;                                                                        \
		return false;                                                                      \
	}                                                                                          \
	bool gate_forget(struct gate *gate, const struct addr *addr)                               \
	{                                                                                          \
		return played_forget(BED_OF(gate), addr);                                          \
	}                                                                                          \
	size_t gate_forget_kind(struct gate *gate, enum gate_learned_kind kind)                    \
	{                                                                                          \
		return played_forget_kind(BED_OF(gate), kind);                                     \
	}                                                                                          \
	void gate_learned_each(struct gate *gate, gate_learned_cb cb, void *arg)                   \
	{                                                                                          \
		played_each(BED_OF(gate), cb, arg);                                                \
	}                                                                                          \
	void gate_learned_counts(struct gate *gate, struct gate_learned_counts *out)               \
	{                                                                                          \
		played_counts(BED_OF(gate), out);                                                  \
	}                                                                                          \
	int gate_newcomers_fd(struct gate *gate)                                                   \
	{                                                                                          \
		return BED_OF(gate)->newcomers;                                                    \
	}                                                                                          \
	int gate_newcomers_read(struct gate *gate, gate_newcomer_cb cb, void *arg)                 \
	{                                                                                          \
		return played_newcomers(BED_OF(gate), cb, arg);                                    \
	}                                                                                          \
	void gate_newcomers_refill(struct gate *gate)                                              \
	{                                                                                          \
		(void)gate;                                                                        \
	}                                                                                          \
	void gate_evidence_set(struct gate *gate, const struct gate_evidence *evidence)            \
	{                                                                                          \
		played_evidence(BED_OF(gate), evidence);                                           \
	}                                                                                          \
	int lists_own(struct lists *lists, const char *name, const char *refusal, uint8_t *slot,   \
		      struct error *err)                                                           \
	{                                                                                          \
		(void)lists;                                                                       \
		(void)err;                                                                         \
		assert_string_equal(name, LEARNED_LIST);                                           \
		assert_true(*refusal);                                                             \
		*slot = BED_SLOT;                                                                  \
		return 0;                                                                          \
	}                                                                                          \
	int lists_with_store(struct lists *lists, lists_store_cb cb, void *arg, struct error *err) \
	{                                                                                          \
		return played_store(BED_OF(lists), cb, arg, err);                                  \
	}

/* Starts the guard, and waits until the list has passed its tests. */
static inline struct guard_stats bed_stats(struct guard_bed *bed)
{
	struct guard_stats stats;

	guard_stats(bed->guard, &stats);
	return stats;
}

static inline void bed_open(struct guard_bed *bed, const char *more)
{
	struct conf *conf = bed_conf(bed, more);
	const struct guard_options options = { .gate = (struct gate *)(void *)bed,
					       .lists = (struct lists *)(void *)bed,
					       .conf = conf };
	struct error err = { 0 };

	if (guard_open(&options, &bed->guard, &err))
		fail_msg("%s", err.text);
	conf_free(&conf);
	bed_until(bed,
		  bed_stats(bed).zone[0].health == DNSBL_SERVING && bed_stats(bed).zone[0].ipv6);
}

static inline void bed_close(struct guard_bed *bed)
{
	guard_close(&bed->guard);
	assert_null(bed->guard);
}

/* A question, put by a thread of its own. */
struct bed_question {
	struct guard_bed *bed;
	void (*ask)(struct bed_question *question);
	struct addr addr;
	const char *helo;
	pthread_t thread;
	bool done; /* atomic */
	/* The answer: */
	int failed;
	bool found;
	size_t count;
	json_t *json;
	struct history_record record;
};

void bed_ask(struct guard_bed *bed, struct bed_question *question,
	     void (*ask)(struct bed_question *), const char *source);
/* Runs the DNS server until the answer is there. */
void bed_answered(struct bed_question *question);

/* Asks and waits for the answer. */
static inline struct bed_question bed_question(struct guard_bed *bed,
					       void (*how)(struct bed_question *),
					       const char *source)
{
	struct bed_question question = { .failed = 0 };

	bed_ask(bed, &question, how, source);
	bed_answered(&question);
	return question;
}

static inline void bed_history(struct bed_question *question)
{
	question->found = guard_history(question->bed->guard, &question->addr, &question->record);
}

#endif
