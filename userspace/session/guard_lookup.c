/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_lookup.c - a newcomer becomes a verdict.
 *
 * A source that the kernel tells about has a verdict in the cache, or is being looked up already,
 * or is looked up now, if not too many are. All lookups have the same time, so the order in which
 * they began is the order of their deadlines, and one timer sees to them all.
 */
#include <stdlib.h>
#include <string.h>

#include "checks/host.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "session/guard_internal.h"

/* The lookups under way */

static struct guard_lookup **bucket_of(struct guard *guard, const struct addr *addr)
{
	const uint64_t hash = siphash(&guard->seed, addr->byte, sizeof(addr->byte));

	return &guard->bucket[hash % GUARD_BUCKETS];
}

static struct guard_lookup *find_lookup(struct guard *guard, const struct addr *addr)
{
	struct guard_lookup *at = *bucket_of(guard, addr);

	while (at && memcmp(&at->addr, addr, sizeof(*addr)) != 0)
		at = at->chain;
	return at;
}

static void enqueue(struct guard *guard, struct guard_lookup *lookup)
{
	lookup->before = guard->last;
	if (guard->last)
		guard->last->after = lookup;
	else
		guard->first = lookup;
	guard->last = lookup;
	guard_count(&guard->stats.under_way);
}

static void dequeue(struct guard *guard, struct guard_lookup *lookup)
{
	if (guard->first == lookup)
		guard->first = lookup->after;
	else
		lookup->before->after = lookup->after;
	if (guard->last == lookup)
		guard->last = lookup->before;
	else
		lookup->after->before = lookup->before;
	__atomic_store_n(&guard->stats.under_way, guard->stats.under_way - 1, __ATOMIC_RELAXED);
}

static void enter(struct guard *guard, struct guard_lookup *lookup)
{
	struct guard_lookup **bucket = bucket_of(guard, &lookup->addr);

	lookup->chain = *bucket;
	*bucket = lookup;
	guard->by_syn += lookup->origin == GUARD_SYN;
}

static void leave(struct guard *guard, const struct guard_lookup *lookup)
{
	struct guard_lookup **at = bucket_of(guard, &lookup->addr);

	while (*at != lookup)
		at = &(*at)->chain;
	*at = lookup->chain;
	guard->by_syn -= lookup->origin == GUARD_SYN;
}

/* Without a verdict if it is NULL. */
static void answer_waiting(struct guard_lookup *lookup, const struct verdict *verdict)
{
	struct guard_message *message = lookup->waiting, *next;

	lookup->waiting = NULL;
	for (; message; message = next) {
		next = message->next;
		message->found = verdict != NULL;
		if (verdict)
			message->verdict = *verdict;
		guard_client_answer(message);
	}
}

static void drop(struct guard *guard, struct guard_lookup *lookup)
{
	answer_waiting(lookup, NULL);
	dequeue(guard, lookup);
	if (!lookup->question)
		leave(guard, lookup);
	evaluate_free(&lookup->evaluation);
	free(lookup);
}

/* The verdict */

/* What had to do without an answer is worth asking again soon. */
static uint32_t lifetime(const struct guard_lookup *lookup, const struct evaluate_result *result)
{
	const struct guard_rules *rules = &lookup->guard->rules;
	/* By other scores it might have ended before all was known. */
	const bool incomplete = lookup->judged != lookup->guard->judged;

	if (incomplete || result->input.temporary || result->ttl < rules->ttl_min)
		return rules->ttl_min;
	return result->ttl < rules->ttl_max ? result->ttl : rules->ttl_max;
}

static struct verdict make_verdict(const struct guard_lookup *lookup,
				   const struct evaluate_result *result)
{
	const struct score score = guard_score_now(lookup, result);
	const uint32_t now = clock_mono_seconds();
	const uint64_t took = clock_ms_since(lookup->since);
	struct verdict verdict = {
		.addr = lookup->addr,
		.made = now,
		.until = now + lifetime(lookup, result),
		.findings = result->input.findings,
		.zones = (int16_t)score_clamp(result->input.zones, INT16_MAX),
		.total = (int16_t)score_clamp(score.total, INT16_MAX),
		.missing = (int16_t)score_clamp(result->input.missing, INT16_MAX),
		.decision = (uint8_t)score.decision,
		.temporary = result->input.temporary,
		.judged = (uint8_t)lookup->guard->judged,
		.zone_count = (uint8_t)result->zone_count,
		.took = (uint16_t)(took > UINT16_MAX ? UINT16_MAX : took),
	};

	memcpy(verdict.zone, result->zone, sizeof(verdict.zone));
	return verdict;
}

static void count_verdict(struct guard *guard, const struct verdict *verdict)
{
	struct guard_stats *stats = &guard->stats;

	latency_add(&stats->latency, verdict->took);
	guard_count(&stats->verdicts[verdict->decision]);
	if (verdict->temporary)
		guard_count(&stats->temporary);
}

static void log_verdict(struct guard *guard, const struct verdict *verdict,
			enum guard_origin origin)
{
	char text[PREFIX_TEXT_MAX], lists[GUARD_LISTS_TEXT_MAX];

	if (!guard->lines)
		return;
	guard->lines--;
	log_info("guard.verdict", "{s:s, s:s, s:i, s:i, s:s, s:b, s:s, s:i}", "source",
		 addr_format(&verdict->addr, text), "decision", decision_name(verdict->decision),
		 "score", (int)verdict->total, "zones", (int)verdict->zones, "lists",
		 guard_lists_text(guard, verdict, lists), "temporary", (int)verdict->temporary,
		 "evidence", origin == GUARD_COMPLETED ? "handshake" : "syn", "ms",
		 (int)verdict->took);
}

static void conclude(struct guard_lookup *lookup, const struct evaluate_result *result)
{
	struct guard *guard = lookup->guard;
	const struct verdict verdict = make_verdict(lookup, result);

	verdicts_put(guard->verdicts, &verdict, verdict.made);
	count_verdict(guard, &verdict);
	log_verdict(guard, &verdict, lookup->origin);
	guard_act(guard, &verdict, true, lookup->origin == GUARD_COMPLETED);
	answer_waiting(lookup, &verdict);
}

static void on_result(const struct evaluate_result *result, void *arg)
{
	struct guard_lookup *lookup = arg;

	if (lookup->question)
		guard_answer_lookup(lookup->question, lookup->guard, result);
	else
		conclude(lookup, result);
	drop(lookup->guard, lookup);
}

/* The beginning */

static bool start(struct guard_lookup *lookup, const char *helo)
{
	struct guard *guard = lookup->guard;
	const char *const own_name = guard->own.host;
	const struct evaluate_request request = {
		.dns = dns_resolver_dns(guard->resolver),
		.dnsbl = guard->dnsbl,
		.rules = &guard->rules.score,
		.addr = lookup->addr,
		.helo = helo,
		.details = lookup->question != NULL,
		.time = clock_wall(),
		.own_names = 1,
		.own_name = &own_name,
		.own_addresses = guard->own.addresses,
		.own_address = guard->own.address,
	};

	lookup->judged = guard->judged;
	lookup->evaluation = evaluate_start(&request, on_result, lookup);
	return lookup->evaluation != NULL;
}

static struct guard_lookup *begin(struct guard *guard, const struct addr *addr, const char *helo,
				  struct guard_question *question)
{
	struct guard_lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return NULL;
	lookup->guard = guard;
	lookup->addr = *addr;
	lookup->question = question;
	lookup->deadline = uv_now(&guard->loop) + guard->rules.timeout;
	if (!start(lookup, helo)) {
		free(lookup);
		return NULL;
	}
	enqueue(guard, lookup);
	return lookup;
}

bool guard_look_up(struct guard *guard, const struct addr *addr, const char *helo,
		   struct guard_question *question)
{
	struct guard_lookup *lookup = begin(guard, addr, helo, question);

	if (lookup)
		lookup->since = clock_mono();
	return lookup != NULL;
}

/* Sources that are certainly real have at least half of everything for themselves. */
static bool has_room(const struct guard *guard, enum guard_origin origin)
{
	if (guard->stats.under_way >= GUARD_LOOKUPS_MAX)
		return false;
	return origin == GUARD_COMPLETED || guard->by_syn < guard->syn_max;
}

static struct guard_lookup *look_up_newcomer(struct guard *guard, const struct addr *addr,
					     enum guard_origin origin, uint64_t since)
{
	struct guard_lookup *lookup =
		has_room(guard, origin) ? begin(guard, addr, NULL, NULL) : NULL;

	if (!lookup) {
		guard_count(&guard->stats.skipped);
		return NULL;
	}
	lookup->since = since;
	lookup->origin = origin;
	enter(guard, lookup);
	guard_count(&guard->stats.evaluations);
	return lookup;
}

bool guard_look_up_for(struct guard *guard, const struct addr *addr, struct guard_message *message)
{
	struct guard_lookup *lookup = find_lookup(guard, addr);

	if (!lookup)
		lookup = look_up_newcomer(guard, addr, GUARD_COMPLETED, clock_mono());
	if (!lookup)
		return false;
	message->next = lookup->waiting;
	lookup->waiting = message;
	return true;
}

/* One whose handshake completes while it is looked up is certainly real, and leaves its place to
 * another SYN. */
static void prove(struct guard *guard, struct guard_lookup *lookup, enum guard_origin origin)
{
	if (lookup->origin != GUARD_SYN || origin != GUARD_COMPLETED)
		return;
	lookup->origin = origin;
	guard->by_syn--;
}

/* A verdict that still holds is acted on again: the kernel may have forgotten, or waited it out. */
static void use_verdict(struct guard *guard, const struct verdict *verdict, bool proven)
{
	guard_count(&guard->stats.known);
	guard_act(guard, verdict, false, proven);
}

/* Whoever speaks from this host is no stranger. */
static bool is_own(const struct guard *guard, const struct addr *addr)
{
	if (host_address_is_local(addr))
		return true;
	for (size_t i = 0; i < guard->own.addresses; i++)
		if (!memcmp(addr, &guard->own.address[i], sizeof(*addr)))
			return true;
	return false;
}

void guard_newcomer(const struct newcomer *newcomer, void *arg)
{
	struct guard *guard = arg;
	const enum guard_origin origin = newcomer->completed ? GUARD_COMPLETED : GUARD_SYN;
	struct guard_lookup *lookup;
	struct verdict verdict;
	struct addr addr;

	memcpy(addr.byte, newcomer->source, sizeof(addr.byte));
	if (is_own(guard, &addr))
		return;
	guard_count(&guard->stats.newcomers[origin]);
	lookup = find_lookup(guard, &addr);
	if (lookup)
		prove(guard, lookup, origin);
	else if (verdicts_find(guard->verdicts, &addr, clock_mono_seconds(), &verdict))
		use_verdict(guard, &verdict, origin == GUARD_COMPLETED);
	else
		look_up_newcomer(guard, &addr, origin, newcomer->time);
}

void guard_read_newcomers(struct guard *guard)
{
	gate_newcomers_read(guard->gate, guard_newcomer, guard);
}

void guard_end_late(struct guard *guard)
{
	const uint64_t now = uv_now(&guard->loop);

	while (guard->first && guard->first->deadline <= now) {
		guard_count(&guard->stats.timeouts);
		evaluate_timeout(guard->first->evaluation);
	}
}

void guard_hurry(struct guard *guard)
{
	const uint64_t latest = uv_now(&guard->loop) + guard->rules.timeout;

	for (struct guard_lookup *at = guard->last; at && at->deadline > latest; at = at->before)
		at->deadline = latest;
}

void guard_look_up_again(struct guard *guard)
{
	struct guard_lookup *at = guard->first, *after;

	for (; at; at = after) {
		after = at->after;
		if (at->question)
			continue;
		evaluate_free(&at->evaluation);
		if (!start(at, NULL)) /* memory is short */
			drop(guard, at);
	}
}

void guard_drop_questions(struct guard *guard)
{
	struct guard_lookup *at = guard->first, *after;

	for (; at; at = after) {
		after = at->after;
		if (!at->question)
			continue;
		guard_answer_lookup(at->question, guard, NULL);
		drop(guard, at);
	}
}

void guard_drop_lookups(struct guard *guard)
{
	guard_drop_questions(guard);
	while (guard->first)
		drop(guard, guard->first);
}
