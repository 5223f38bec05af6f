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

/* The scores of the findings: of all of them, of those below 0, of those above 0. */
struct sums {
	int64_t total, credit, debit;
};

static struct sums sum(const struct score_rules *rules, finding_set findings)
{
	struct sums sums = { 0, 0, 0 };

	for (int finding = 0; finding < FINDING_COUNT; finding++)
		if (findings & FINDING_BIT(finding)) {
			const int32_t score = rules->score[finding];

			sums.total += score;
			*(score < 0 ? &sums.credit : &sums.debit) += score;
		}
	return sums;
}

int32_t score_credit(const struct score_rules *rules, finding_set findings)
{
	return (int32_t)sum(rules, findings).credit;
}

/* What might have spoken for the client, had the DNS told: 0 or less. */
static int64_t best_of_missing(const struct score_rules *rules, const struct score_input *input)
{
	const bool hidden = input->findings & FINDING_BIT(FINDING_RDNS_TEMPORARY);
	const finding_set name = hidden ? FINDING_BIT(FINDING_RDNS_CONFIRMED) : 0;

	return (int64_t)input->missing + score_credit(rules, name);
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

int32_t score_clamp(int64_t score, int32_t most)
{
	const int32_t least = -most - 1;

	if (score > most)
		return most;
	return score < least ? least : (int32_t)score;
}

struct score score_decide(const struct score_rules *rules, const struct score_input *input)
{
	const int64_t total = sum(rules, input->findings).total + input->zones;
	/* Without what temporary failures speak against it; what they speak for it counts. */
	const int64_t known = total - sum(rules, input->findings & TEMPORARY).debit;
	const int64_t best = known + best_of_missing(rules, input);
	struct score score = { .total = score_clamp(total, INT32_MAX),
			       .decision = decide(rules, total) };

	if (decide(rules, known) == DECISION_ACCEPT)
		score.decision = DECISION_ACCEPT;
	else if (score.decision == DECISION_REJECT && !reaches(best, rules->reject))
		score.decision =
			reaches(total, rules->greylist) ? DECISION_GREYLIST : decide(rules, best);
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
