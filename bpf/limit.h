/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/limit.h - connections at a time and connection attempts a second, per source, network, site
 * and in total.
 *
 * First every level is asked, and only if all agree is the attempt charged to all: an attempt that
 * a wider level stops costs its source nothing. Asking only loads, so that the processor can wait
 * for the lines of all levels at once: the locked instructions that claim and charge a cell wait
 * for the loads before them and let none begin behind them. A source without a cell owes nothing. A
 * stopped attempt writes nothing (but for the first one after a limit was raised), so a flood from
 * a source that is over its rate costs loads only.
 */
#ifndef POSTERN_BPF_LIMIT_H
#define POSTERN_BPF_LIMIT_H

#include "bpf/cell.h"
#include "bpf/report.h"

/* How far the clocks of two CPUs, or of one before and after it was held up, may seem apart. */
#define CLOCK_SLACK_NS 100000000ull

/*
 * A bucket is never further from full than the whole burst. One that is comes from a slower limit
 * that has been raised since, and what it owed under that one is forgiven. The slack is for a
 * bucket that another CPU has just charged by a later clock. A CPU of a virtual machine may be held
 * up for longer than that, so the clock that decides is read after the bucket.
 */
STAGE void rate_settle(const struct meter_limit *limit, struct meter_cell *cell, __u64 now)
{
	const __u64 tat = READ_ONCE(cell->tat), allowed = limit->burst_ns + CLOCK_SLACK_NS;

	if (tat <= now + allowed)
		return;
	now = bpf_ktime_get_ns();
	if (tat > now + allowed)
		__sync_val_compare_and_swap(&cell->tat, tat, now);
}

STAGE int rate_charge(const struct meter_limit *limit, struct meter_cell *cell, __u64 now)
{
	__u64 tat, next;

	for (int i = 0; i < CELL_RETRIES; i++) {
		tat = cell->tat;
		next = meter_next(limit, tat, now);
		if (!next)
			return 0;
		if (__sync_val_compare_and_swap(&cell->tat, tat, next) == tat)
			return 1;
	}
	return 0; /* that many CPUs charge one bucket at once: too fast by any limit */
}

/*
 * The clock of an attempt. The coarse one moves once a tick, at least every 10 ms, and costs a
 * fraction; a bucket that holds several ticks' worth is as exact by it in the long run.
 */
STAGE __u64 limit_clock(const struct settings *s)
{
	return s->precise ? bpf_ktime_get_ns() : bpf_ktime_get_coarse_ns();
}

/*
 * The bucket of all is one for every CPU, and a line that all write to would be passed around for
 * each packet. So a CPU takes a batch of attempts out of it, about a millisecond's worth, and
 * forgets those that it has not used after a while.
 */
#define LEASE_NS 1000000000ull

STAGE struct lease *lease_valid(__u64 now)
{
	const __u32 zero = 0;
	struct lease *own = bpf_map_lookup_elem(&lease, &zero);

	if (own && own->until <= now)
		own->left = 0;
	return own;
}

STAGE int lease_charge(const struct meter_limit *limit, struct meter_cell *cell, __u64 now)
{
	const struct meter_limit batch = {
		.interval_ns = limit->interval_ns * limit->batch,
		.burst_ns = limit->burst_ns,
	};
	struct lease *own = lease_valid(now);

	if (limit->batch < 2 || !own)
		return rate_charge(limit, cell, now);
	if (!own->left) {
		if (!rate_charge(&batch, cell, now))
			return rate_charge(limit, cell, now);
		own->left = limit->batch;
		own->until = now + LEASE_NS;
	}
	own->left -= 1;
	return 1;
}

/* Whether the CPU has attempts left that need no look at the bucket. */
STAGE int lease_holds(__u32 level, __u64 now)
{
	const struct lease *own;

	if (level != METER_TOTAL)
		return 0;
	own = lease_valid(now);
	return own && own->left;
}

_Static_assert((METER_LEVELS & (METER_LEVELS - 1)) == 0, "an index of a limit is masked");

STAGE const struct meter_limit *level_limit(const struct settings *s, __u32 level)
{
	return &s->limit[within(level, METER_LEVELS)];
}

/* What one level says before anything is charged. */
STAGE_APART int level_ask(__u32 level, __u32 place, __u64 now)
{
	const struct settings *s = settings_get();
	struct meter_cell *cell = cell_at(level, place);
	const struct meter_limit *limit;

	if (!s || !cell || level >= METER_LEVELS)
		return UNDECIDED;
	limit = level_limit(s, level);
	if (cell_is_full(limit, cell))
		return REASON_CONN_SOURCE + level;
	if (!limit->interval_ns || lease_holds(level, now))
		return UNDECIDED;
	rate_settle(limit, cell, now);
	return meter_next(limit, cell->tat, now) ? UNDECIDED : REASON_RATE_SOURCE + level;
}

STAGE_APART int level_charge(__u32 level, __u32 place, __u64 now)
{
	const struct settings *s = settings_get();
	struct meter_cell *cell = cell_at(level, place);
	const struct meter_limit *limit;
	int charged;

	if (!s || !cell || level >= METER_LEVELS)
		return UNDECIDED;
	limit = level_limit(s, level);
	if (!limit->interval_ns)
		return UNDECIDED;
	if (level == METER_TOTAL)
		charged = lease_charge(limit, cell, now);
	else
		charged = rate_charge(limit, cell, now);
	return charged ? UNDECIDED : REASON_RATE_SOURCE + level;
}

/* Whether there is anything to ask at a level. IPv4 has no sites. */
STAGE int level_limited(const struct settings *s, const struct packet *p, __u32 level)
{
	const struct meter_limit *limit = level_limit(s, level);

	if (level == METER_SITE && p->family == FAMILY_IPV4)
		return 0;
	return limit->interval_ns || limit->conns;
}

/* The place for the packet's source at a level, claimed if it has none yet; 0 if there is no room.
 */
STAGE __u32 level_claim(__u64 hash, __u32 level, __u64 now)
{
	__u32 place;

	if (level == METER_TOTAL)
		return 0;
	place = cell_place(hash, now, 1);
	if (!place)
		health_count(HEALTH_METER_FULL);
	return place;
}

STAGE_APART int limit(const struct packet *p)
{
	const struct settings *s = settings_get();
	__u64 hash[METER_LEVELS] = {};
	__u32 place[METER_LEVELS] = {};
	int reason = UNDECIDED;
	__u64 now;

	if (!s || !p)
		return UNDECIDED;
	now = p->now;
	for (__u32 level = METER_SOURCE; level < METER_LEVELS && reason == UNDECIDED; level++) {
		if (!level_limited(s, p, level))
			continue;
		if (level != METER_TOTAL) {
			hash[level] = cell_hash(s, &p->source, p->family, level);
			place[level] = cell_place(hash[level], now, 0);
		}
		reason = level_ask(level, place[level], now);
	}
	for (__u32 level = METER_SOURCE; level < METER_LEVELS && reason == UNDECIDED; level++) {
		if (!level_limited(s, p, level))
			continue;
		if (!place[level])
			place[level] = level_claim(hash[level], level, now);
		reason = level_charge(level, place[level], now);
	}
	return reason;
}

_Static_assert(REASON_CONN_TOTAL - REASON_CONN_SOURCE == METER_TOTAL &&
		       REASON_RATE_TOTAL - REASON_RATE_SOURCE == METER_TOTAL,
	       "the reasons of the limits are in the order of the levels");

#endif
