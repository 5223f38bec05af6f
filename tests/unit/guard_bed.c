/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Implements tests/unit/guard_bed.h: the played gate, and what the DNS server says.
 */
#include "tests/unit/guard_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/clock.h"

#define PULSE_MS  2
#define SECOND_NS 1000000000ull
#define START_NS  (1000 * SECOND_NS)
#define LISTED    0x7f000002u
#define ZONE      ".bl.test"

static uint64_t mono_now;
static uint32_t wall_now;
static enum bed_server server;

/* ---- the DNS server */

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The entries that the list is tested with: RFC 5782 5, and those that are made up. */
static bool is_test(const char *name)
{
	return strstr(name, ".127" ZONE) || strstr(name, ".f.f.f.f.0.0.");
}

static bool is_listed(const char *name)
{
	if (is_test(name))
		return begins(name, "2.0.0.127.") || begins(name, "2.0.0.0.0.0.f.7.");
	return begins(name, "66.2.0.192.") || strstr(name, ".100.51.198.") ||
	       begins(name, "5.0.0.0.");
}

static enum reaction answer(const struct fake_question *question, struct built *out)
{
	const bool listed = strstr(question->name, ZONE) && is_listed(question->name);
	const bool fails = begins(question->name, "7.2.0.192.in-addr");
	const unsigned int rcode = fails ? RCODE_SERVFAIL : listed ? RCODE_OK : RCODE_NXDOMAIN;

	built_start(out, question->id, rcode, question->name, question->type);
	if (listed && question->type == T_A)
		built_a(out, question->name, 300, LISTED);
	else if (listed)
		built_txt(out, question->name, 300, "spam source", strlen("spam source"));
	else if (!fails)
		built_soa(out, "", 300, 300);
	return REACTION_ANSWER;
}

static enum reaction serve(struct fake *fake, const struct fake_question *question,
			   struct built *out)
{
	const bool late = !is_test(question->name);

	(void)fake;
	if (late && server == BED_HOLDS)
		return REACTION_HOLD;
	return late && server == BED_MUTE ? REACTION_SILENT : answer(question, out);
}

void bed_server(struct guard_bed *bed, enum bed_server how)
{
	server = how;
	if (how == BED_ANSWERS)
		fake_release(&bed->lab->fake[0]);
}

/* ---- time */

static void set_time(void)
{
	clock_freeze(wall_now, mono_now);
}

void bed_pass(unsigned int seconds)
{
	mono_now += seconds * SECOND_NS;
	wall_now += seconds;
	set_time();
}

void bed_set_wall(uint32_t seconds)
{
	wall_now = seconds;
	set_time();
}

static void on_pulse(uv_timer_t *timer)
{
	(void)timer;
}

/* ---- setting up */

void bed_publish(const struct guard_bed *bed, const char *more)
{
	conf_publish(bed_conf(bed, more));
}

struct conf *bed_conf(const struct guard_bed *bed, const char *more)
{
	static const char form[] = "dns: {servers: [\"127.0.0.1:%u\"], timeout: 10000, tries: 1, "
				   "in-flight: 20000, in-flight-zone: 20000}\n"
				   "dnsbl: {zones: [\"bl.test*10\", \"bl.test=127.0.0.9*-5\"]}\n"
				   "%s";
	struct conf *conf;
	struct error err;
	char text[1024];

	snprintf(text, sizeof(text), form, bed->lab->fake[0].port, more);
	if (conf_parse("test.yaml", text, strlen(text), &conf, &err))
		fail_msg("%s", err.text);
	return conf;
}

int bed_set_up(void **state)
{
	struct guard_bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	pthread_mutex_init(&bed->lock, NULL);
	bed->newcomers = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	fixture_setup((void **)&bed->store);
	dns_lab_start((void **)&bed->lab);
	bed->lab->fake[0].script = serve;
	uv_timer_init(&bed->lab->loop, &bed->pulse);
	uv_timer_start(&bed->pulse, on_pulse, PULSE_MS, PULSE_MS);
	server = BED_ANSWERS;
	mono_now = START_NS;
	wall_now = BED_START;
	set_time();
	*state = bed;
	return 0;
}

int bed_tear_down(void **state)
{
	struct guard_bed *bed = *state;

	conf_publish(NULL);
	dns_lab_stop((void **)&bed->lab);
	fixture_teardown((void **)&bed->store);
	close(bed->newcomers);
	pthread_mutex_destroy(&bed->lock);
	free(bed);
	clock_freeze(0, 0);
	return 0;
}

/* ---- what the kernel tells */

static void tell(struct guard_bed *bed, const struct addr *addr, bool completed)
{
	struct newcomer *newcomer = &bed->news[bed->last_news++ % BED_NEWS_MAX];

	assert_true(bed->last_news - bed->first_news <= BED_NEWS_MAX);
	*newcomer = (struct newcomer){ .time = mono_now, .completed = completed };
	memcpy(newcomer->source, addr->byte, sizeof(newcomer->source));
}

static void wake(const struct guard_bed *bed)
{
	assert_int_equal(eventfd_write(bed->newcomers, 1), 0);
}

void bed_tell(struct guard_bed *bed, const char *source, bool completed)
{
	const struct addr addr = addr_of(source);

	pthread_mutex_lock(&bed->lock);
	tell(bed, &addr, completed);
	pthread_mutex_unlock(&bed->lock);
	wake(bed);
}

void bed_tell_many(struct guard_bed *bed, uint32_t first, size_t count, bool completed)
{
	pthread_mutex_lock(&bed->lock);
	for (size_t i = 0; i < count; i++) {
		const struct addr addr = addr_from_ipv4(0x0a000000u + first + (uint32_t)i);

		tell(bed, &addr, completed);
	}
	pthread_mutex_unlock(&bed->lock);
	wake(bed);
}

/* As the kernel, a bounded number at a time, and the lock is not held while the guard runs. */
int played_newcomers(struct guard_bed *bed, gate_newcomer_cb cb, void *arg)
{
	struct newcomer newcomer;
	eventfd_t told;
	int count = 0;

	(void)eventfd_read(bed->newcomers, &told);
	for (;; count++) {
		pthread_mutex_lock(&bed->lock);
		if (bed->first_news == bed->last_news)
			break;
		newcomer = bed->news[bed->first_news++ % BED_NEWS_MAX];
		pthread_mutex_unlock(&bed->lock);
		cb(&newcomer, arg);
	}
	pthread_mutex_unlock(&bed->lock);
	return count;
}

/* ---- what it has learned */

static bool same_source(const struct addr *a, const struct addr *b)
{
	if (addr_is_ipv4(a) || addr_is_ipv4(b))
		return !memcmp(a, b, sizeof(*a));
	return addr_high(a) == addr_high(b);
}

/* With the lock. The cell of the source that still holds, or NULL. */
static struct played_cell *cell_of(struct guard_bed *bed, const struct addr *addr)
{
	for (size_t i = 0; i < bed->cells; i++)
		if (same_source(&bed->cell[i].learned.addr, addr) &&
		    bed->cell[i].end > clock_mono())
			return &bed->cell[i];
	return NULL;
}

bool played_learn(struct guard_bed *bed, const struct gate_learned *learned)
{
	struct played_cell *cell;
	bool full;

	pthread_mutex_lock(&bed->lock);
	full = bed->full;
	cell = cell_of(bed, &learned->addr);
	/* When all cells are taken, tests do not look at them any more. */
	if (!cell)
		cell = &bed->cell[bed->cells < BED_LEARNED_MAX ? bed->cells++ : 0];
	if (!full)
		*cell = (struct played_cell){ *learned,
					      clock_mono() + learned->seconds * SECOND_NS };
	bed->learned++;
	pthread_mutex_unlock(&bed->lock);
	return !full;
}

bool played_find(struct guard_bed *bed, const struct addr *addr, struct gate_learned *out)
{
	const struct played_cell *cell;

	pthread_mutex_lock(&bed->lock);
	cell = cell_of(bed, addr);
	*out = (struct gate_learned){ .addr = *addr };
	if (cell) {
		*out = cell->learned;
		out->seconds = (uint32_t)((cell->end - clock_mono() + SECOND_NS - 1) / SECOND_NS);
	}
	pthread_mutex_unlock(&bed->lock);
	return out->kind != GATE_LEARNED_NONE;
}

bool played_forget(struct guard_bed *bed, const struct addr *addr)
{
	struct played_cell *cell;

	pthread_mutex_lock(&bed->lock);
	cell = cell_of(bed, addr);
	if (cell)
		cell->end = 0;
	pthread_mutex_unlock(&bed->lock);
	return cell != NULL;
}

size_t played_forget_kind(struct guard_bed *bed, enum gate_learned_kind kind)
{
	size_t count = 0;

	pthread_mutex_lock(&bed->lock);
	for (size_t i = 0; i < bed->cells; i++)
		if (bed->cell[i].learned.kind == kind && bed->cell[i].end > clock_mono()) {
			bed->cell[i].end = 0;
			count++;
		}
	pthread_mutex_unlock(&bed->lock);
	return count;
}

/* The callback may learn and forget. */
void played_each(struct guard_bed *bed, gate_learned_cb cb, void *arg)
{
	struct played_cell cell[BED_LEARNED_MAX];
	size_t cells;

	pthread_mutex_lock(&bed->lock);
	cells = bed->cells;
	memcpy(cell, bed->cell, sizeof(cell));
	pthread_mutex_unlock(&bed->lock);
	for (size_t i = 0; i < cells; i++)
		if (cell[i].end > clock_mono() && !cb(&cell[i].learned, arg))
			return;
}

void played_counts(struct guard_bed *bed, struct gate_learned_counts *out)
{
	*out = (struct gate_learned_counts){ .capacity = BED_LEARNED_MAX };
	pthread_mutex_lock(&bed->lock);
	for (size_t i = 0; i < bed->cells; i++)
		if (bed->cell[i].end > clock_mono())
			out->kind[bed->cell[i].learned.kind]++;
	pthread_mutex_unlock(&bed->lock);
}

void played_evidence(struct guard_bed *bed, const struct gate_evidence *evidence)
{
	pthread_mutex_lock(&bed->lock);
	bed->evidence = *evidence;
	pthread_mutex_unlock(&bed->lock);
}

uint32_t bed_rate(struct guard_bed *bed)
{
	uint32_t rate;

	pthread_mutex_lock(&bed->lock);
	rate = bed->evidence.rate;
	pthread_mutex_unlock(&bed->lock);
	return rate;
}

int played_store(struct guard_bed *bed, lists_store_cb cb, void *arg, struct error *err)
{
	bool broken;

	pthread_mutex_lock(&bed->lock);
	broken = bed->broken;
	bed->failed_saves += broken;
	pthread_mutex_unlock(&bed->lock);
	return broken ? error_set(err, ERROR_REFUSED, "the disk is full")
		      : cb(bed->store->store, arg, err);
}

void bed_set(struct guard_bed *bed, bool *what, bool value)
{
	pthread_mutex_lock(&bed->lock);
	*what = value;
	pthread_mutex_unlock(&bed->lock);
}

struct gate_learned bed_learned(struct guard_bed *bed, const char *source)
{
	const struct addr addr = addr_of(source);
	struct gate_learned learned;

	played_find(bed, &addr, &learned);
	return learned;
}

unsigned int bed_failed_saves(struct guard_bed *bed)
{
	unsigned int times;

	pthread_mutex_lock(&bed->lock);
	times = bed->failed_saves;
	pthread_mutex_unlock(&bed->lock);
	return times;
}

unsigned int bed_times_learned(struct guard_bed *bed)
{
	unsigned int times;

	pthread_mutex_lock(&bed->lock);
	times = bed->learned;
	pthread_mutex_unlock(&bed->lock);
	return times;
}

void bed_kernel_forgets(struct guard_bed *bed)
{
	pthread_mutex_lock(&bed->lock);
	bed->cells = 0;
	pthread_mutex_unlock(&bed->lock);
}

/* ---- questions */

static void *put_question(void *arg)
{
	struct bed_question *question = arg;

	question->ask(question);
	__atomic_store_n(&question->done, true, __ATOMIC_RELEASE);
	return NULL;
}

void bed_ask(struct guard_bed *bed, struct bed_question *question,
	     void (*ask)(struct bed_question *), const char *source)
{
	question->bed = bed;
	question->ask = ask;
	question->addr = addr_of(source);
	assert_int_equal(pthread_create(&question->thread, NULL, put_question, question), 0);
}

void bed_answered(struct bed_question *question)
{
	bed_until(question->bed, __atomic_load_n(&question->done, __ATOMIC_ACQUIRE));
	pthread_join(question->thread, NULL);
}
