/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/escalation.c - what follows from a source's history and what it does now: the pure
 * functions of policy/history.h. All times are seconds since 1970, by a clock that may be set back.
 */
#include "policy/history.h"

void escalation_rules_conf(struct escalation_rules *rules, const struct conf *conf)
{
	*rules = (struct escalation_rules){
		.ttl = conf->escalation.ttl,
		.ttl_max = conf->escalation.ttl_max,
		.factor = conf->escalation.factor,
		.forgive = conf->escalation.forgive,
		.first_action = conf->escalation.first_action,
		.action = conf->escalation.action,
		.good = conf->history.good,
		.trust = conf->history.trust,
	};
}

/* Seconds since `time`, which may lie ahead. */
static uint32_t since(uint32_t time, uint32_t now)
{
	return now > time ? now - time : 0;
}

uint32_t escalation_offences(const struct escalation_rules *rules,
			     const struct history_record *record, uint32_t now)
{
	uint32_t forgiven = 0;

	if (rules->forgive)
		forgiven = since(record->offence_time, now) / rules->forgive;
	return forgiven < record->offences ? record->offences - forgiven : 0;
}

/* Good verdicts that still count. */
static uint32_t good_left(const struct escalation_rules *rules, const struct history_record *record,
			  uint32_t now)
{
	const uint64_t keep = (uint64_t)rules->trust + HISTORY_GOOD_KEEP;

	return since(record->good_time, now) <= keep ? record->good : 0;
}

/* The time of the nth offence, from 1. A factor of 2 or more gets to any `ttl_max` in 32 rounds. */
static uint32_t ttl_of(const struct escalation_rules *rules, uint32_t offences)
{
	uint64_t ttl = rules->ttl;

	if (rules->factor > 1)
		while (--offences && ttl && ttl < rules->ttl_max)
			ttl *= rules->factor;
	return ttl < rules->ttl_max ? (uint32_t)ttl : rules->ttl_max;
}

static struct escalation offend(const struct escalation_rules *rules, struct history_record *record,
				uint32_t now)
{
	const uint32_t offences = escalation_offences(rules, record, now);

	record->offences = (uint16_t)(offences < UINT16_MAX ? offences + 1 : UINT16_MAX);
	record->offence_time = now;
	record->good = 0;
	record->good_time = 0;
	return (struct escalation){
		.block = true,
		.action = offences ? rules->action : rules->first_action,
		.ttl = ttl_of(rules, record->offences),
		.offences = record->offences,
	};
}

/* Only what comes HISTORY_GOOD_STEP after the last one that counted counts. */
static void count_good(const struct escalation_rules *rules, struct history_record *record,
		       uint32_t now)
{
	const uint32_t good = good_left(rules, record, now);

	if (!good || since(record->good_time, now) >= HISTORY_GOOD_STEP)
		record->good = (uint16_t)(good < UINT16_MAX ? good + 1 : UINT16_MAX);
	else if (now >= record->good_time)
		return;
	record->good_time = now;
}

struct escalation escalate(const struct escalation_rules *rules, struct history_record *record,
			   bool offence, uint32_t now)
{
	struct escalation result = { .block = false };

	if (offence)
		return offend(rules, record, now);
	count_good(rules, record, now);
	result.offences = escalation_offences(rules, record, now);
	result.trust = rules->good && record->good >= rules->good;
	result.ttl = result.trust ? rules->trust : 0;
	return result;
}

bool history_matters(const struct escalation_rules *rules, const struct history_record *record,
		     uint32_t now)
{
	return record->until > now || escalation_offences(rules, record, now) ||
	       good_left(rules, record, now);
}
