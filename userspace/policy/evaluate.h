/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/evaluate.h - everything that can be found out about one client, and what it comes to.
 *
 * Starts the checks that the request has the words for, all at once: the DNS lists and the reverse
 * DNS of the address; with a HELO name also that name, the lists of domains, and SPF of the HELO
 * identity (RFC 7208 2.3). The check of the HELO name waits for the host name, which it compares.
 * Then the findings are put together and scored (policy/score.h).
 *
 * A client that is rejected whatever else is found out is so at once, unless it has said HELO or
 * there are `details` to find: what is under way then is left, and the result has nothing of it.
 *
 * As checks are: one thread, nothing waits, done() is called once, never from inside
 * evaluate_start(), as the last thing that happens, and may free the evaluation. The caller drives
 * one timer: evaluate_timeout() ends what is still under way, and what is not known by then counts
 * as a temporary failure.
 */
#ifndef POSTERN_POLICY_EVALUATE_H
#define POSTERN_POLICY_EVALUATE_H

#include "checks/dnsbl.h"
#include "checks/helo.h"
#include "checks/rdns.h"
#include "checks/spf.h"
#include "policy/score.h"
#include "policy/verdicts.h"

struct evaluate_request {
	struct dns *dns;
	struct dnsbl *dnsbl;
	const struct score_rules *rules; /* copied */
	struct addr addr;
	const char *helo; /* copied; NULL or "" if it has not been said */
	bool details;     /* keep what each zone said, and ask for the texts of listings */
	uint64_t time;    /* seconds since 1970, for SPF */
	/* What is ours: see checks/helo.h. */
	size_t own_names, own_addresses;
	const char *const *own_name;
	const struct addr *own_address;
};

/* A zone's answer with its name and its text. */
struct evaluate_zone {
	struct dnsbl_zone_result result; /* points to the texts below */
	bool domain;                     /* of the HELO name, not of the address */
	char zone[DNSBL_SHOWN_MAX];
	char text[DNSBL_TEXT_MAX];
};

/* Valid until the evaluation is freed. What was not asked is NULL or empty. */
struct evaluate_result {
	struct addr addr;
	struct score_input input;
	struct score score;
	uint32_t ttl; /* seconds for which the answers hold: the least of them */
	size_t zone_count;
	struct verdict_zone zone[VERDICT_ZONES_MAX]; /* those with a score */
	size_t details;
	const struct evaluate_zone *detail; /* only with `details` */
	const struct rdns_result *rdns;
	const struct helo_result *helo;
	const struct spf_verdict *spf;
};

struct evaluation;
typedef void (*evaluate_cb)(const struct evaluate_result *result, void *arg);

/* NULL only if memory is short. */
struct evaluation *evaluate_start(const struct evaluate_request *request, evaluate_cb cb,
				  void *arg);
/* NULL while it is under way. */
const struct evaluate_result *evaluate_result(const struct evaluation *evaluation);
void evaluate_timeout(struct evaluation *evaluation);
void evaluate_free(struct evaluation **evaluation);

#endif
