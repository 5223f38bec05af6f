/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/score.c - see policy/score.h. No state, no memory.
 */
#include "policy/score.h"

#include <string.h>

/* What the DNS could not tell: see score_decide(). */
#define TEMPORARY                                                                                  \
	(FINDING_BIT(FINDING_RDNS_TEMPORARY) | FINDING_BIT(FINDING_HELO_TEMPORARY) |               \
	 FINDING_BIT(FINDING_SPF_TEMPERROR) | FINDING_BIT(FINDING_SENDER_TEMPORARY))

void score_rules_conf(struct score_rules *rules, const struct conf *conf)
{
	_Static_assert(sizeof(rules->score) == sizeof(conf->score), "score: one for each finding");
	memcpy(rules->score, conf->score, sizeof(rules->score));
	rules->slow = conf->policy.slow;
	rules->greylist = conf->policy.greylist;
	rules->reject = conf->policy.reject;
}

static int64_t sum(const struct score_rules *rules, finding_set findings)
{
	int64_t total = 0;

	for (int finding = 0; finding < FINDING_COUNT; finding++)
		if (findings & FINDING_BIT(finding))
			total += rules->score[finding];
	return total;
}

/* What temporary failures speak against the client; where they speak for it they count as found. */
static int64_t sum_temporary(const struct score_rules *rules, finding_set findings)
{
	int64_t total = 0;

	for (int finding = 0; finding < FINDING_COUNT; finding++)
		if (findings & TEMPORARY & FINDING_BIT(finding) && rules->score[finding] > 0)
			total += rules->score[finding];
	return total;
}

/* What might have spoken for the client, had the DNS told: 0 or less. */
static int64_t best_of_missing(const struct score_rules *rules, const struct score_input *input)
{
	const int32_t name = rules->score[FINDING_RDNS_CONFIRMED];
	const bool hidden = input->findings & FINDING_BIT(FINDING_RDNS_TEMPORARY);

	return (int64_t)input->missing + (hidden && name < 0 ? name : 0);
}

static bool reaches(int64_t total, int32_t least)
{
	return least != 0 && total >= least;
}

static enum decision decide(const struct score_rules *rules, int64_t total)
{
	if (reaches(total, rules->reject))
		return DECISION_REJECT;
	if (reaches(total, rules->greylist))
		return DECISION_GREYLIST;
	return reaches(total, rules->slow) ? DECISION_SLOW : DECISION_ACCEPT;
}

static int32_t saturate(int64_t total)
{
	if (total > INT32_MAX)
		return INT32_MAX;
	return total < INT32_MIN ? INT32_MIN : (int32_t)total;
}

struct score score_decide(const struct score_rules *rules, const struct score_input *input)
{
	const int64_t total = sum(rules, input->findings) + input->zones;
	const enum decision known = decide(rules, total - sum_temporary(rules, input->findings));
	struct score score = { .total = saturate(total), .decision = decide(rules, total) };
	const int64_t best = total + best_of_missing(rules, input);

	if (score.decision == DECISION_REJECT && !reaches(best, rules->reject))
		score.decision =
			reaches(total, rules->greylist) ? DECISION_GREYLIST : decide(rules, best);
	if (known == DECISION_ACCEPT)
		score.decision = DECISION_ACCEPT;
	else if (known < DECISION_REJECT && score.decision == DECISION_REJECT)
		score.decision = reaches(total, rules->greylist) ? DECISION_GREYLIST : known;
	return score;
}

const char *decision_name(enum decision decision)
{
	static const char *const names[DECISION_COUNT] = {
		[DECISION_ACCEPT] = "accept",
		[DECISION_SLOW] = "slow",
		[DECISION_GREYLIST] = "greylist",
		[DECISION_REJECT] = "reject",
	};

	return (unsigned int)decision < DECISION_COUNT ? names[decision] : "unknown";
}

#define FINDING_NAME(name, text, preset, help) [FINDING_##name] = text,
#define FINDING_HELP(name, text, preset, help) [FINDING_##name] = help,

const char *finding_name(enum finding finding)
{
	static const char *const names[FINDING_COUNT] = { FINDING_LIST(FINDING_NAME) };

	return (unsigned int)finding < FINDING_COUNT ? names[finding] : "unknown";
}

const char *finding_help(enum finding finding)
{
	static const char *const helps[FINDING_COUNT] = { FINDING_LIST(FINDING_HELP) };

	return (unsigned int)finding < FINDING_COUNT ? helps[finding] : "unknown";
}
