/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/score.h - findings become a score, and a score becomes a decision.
 *
 * Pure functions: the same findings under the same rules are the same decision, everywhere. All
 * numbers come from the configuration (sections "score" and "policy").
 */
#ifndef POSTERN_POLICY_SCORE_H
#define POSTERN_POLICY_SCORE_H

#include <stdbool.h>

#include "conf/conf.h"
#include "conf/finding.h"

enum decision {
	DECISION_ACCEPT,
	DECISION_SLOW,     /* take it, but not fast: the wire waits */
	DECISION_GREYLIST, /* come again later */
	DECISION_REJECT,
	DECISION_COUNT
};

struct score_rules {
	int32_t score[FINDING_COUNT];
	int32_t slow, greylist, reject; /* the least score of each; 0 is never */
};

/* What is known about one client or sender. */
struct score_input {
	finding_set findings;
	int32_t zones;   /* the sum over the DNS lists */
	int32_t missing; /* what lists that did not answer might have spoken for it: 0 or less */
	bool temporary;  /* something could not be found out now: scores nothing by itself */
};

struct score {
	int32_t total; /* clamped to what it can hold */
	enum decision decision;
};

void score_rules_conf(struct score_rules *rules, const struct conf *conf);

/* Where there is less room for a score: the nearest one from -most - 1 to most. */
int32_t score_clamp(int64_t score, int32_t most);

/* What those of the findings that speak for a client come to: 0 or less. */
int32_t score_credit(const struct score_rules *rules, finding_set findings);

/*
 * A temporary failure alone is never a decision against a client: where it hides something, the
 * decision rests on what is known. A score above 0 that the operator gave to one of the temporary
 * findings is in the total; but it makes nothing of a client that would be accepted without it, and
 * never a rejection of what is not rejected without it (RFC 7208 8.6). Nor is anybody rejected
 * whom an allow list could have saved that gives no answer: he is greylisted.
 */
struct score score_decide(const struct score_rules *rules, const struct score_input *input);

const char *decision_name(enum decision decision); /* "accept", "slow", "greylist", "reject" */
const char *finding_name(enum finding finding);    /* "rdns-missing", ... */
const char *finding_help(enum finding finding);

#endif
