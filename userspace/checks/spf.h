/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf.h - may this host send mail for this domain? SPF as in RFC 7208, in full.
 *
 * An evaluation asks a `struct dns` and never waits: it goes on in the callbacks of its questions,
 * on the thread that started it, and may be ended at any moment. The caller owns it from
 * spf_start() to spf_free(), whether it has come to a verdict or not, and drives one timer for it:
 *
 *	spf = spf_start(&request, done, arg);
 *	if (spf_verdict(spf)) ...            there was nothing to ask; done() is not called
 *	else start a timer for spf_wait(spf) milliseconds, which calls spf_timeout(spf)
 *
 * done() is called at most once, never from inside spf_start(), as the last thing that happens; it
 * may free the evaluation.
 *
 * Whatever is said by the sender, or by a domain, is hostile. The budgets below bound what one
 * evaluation asks for, how long it takes and how deep it goes; its memory is bounded by them, too:
 * the texts of at most SPF_DEPTH_MAX records, and the names of one mx or ptr.
 */
#ifndef POSTERN_CHECKS_SPF_H
#define POSTERN_CHECKS_SPF_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/dns.h"
#include "lib/addr.h"

#define SPF_LOOKUPS_MAX     10 /* terms that ask the DNS, in all records together (4.6.4) */
#define SPF_NAMES_MAX       10 /* names of one mx: more are a permerror; of one ptr: the first */
#define SPF_VOIDS_MAX       2  /* terms for which there was nothing: one more is a permerror */
#define SPF_SECONDS_MAX     20 /* of the whole evaluation: then it is a temperror */
#define SPF_DEPTH_MAX       (SPF_LOOKUPS_MAX + 1) /* records inside one another */
#define SPF_EXPLANATION_MAX 400 /* octets of an explanation, with the NUL: fits an SMTP reply */
#define SPF_PROBLEM_MAX     240
#define SPF_TERM_SHOWN_MAX  120

/* What a fail is explained with if the domain has nothing to say. */
#define SPF_EXPLANATION_DEFAULT "the domain of the sender does not allow this host to send its mail"

enum spf_result {
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
	SPF_RESULTS
};

enum spf_identity { SPF_MAIL_FROM, SPF_HELO };

struct spf_request {
	struct dns *dns;
	struct addr ip;
	const char *helo; /* as it was said; "" if nothing was */
	const char *from; /* the mailbox of MAIL FROM, without <>; "" is postmaster@helo (2.4) */
	enum spf_identity identity;
	const char *receiver;    /* of %{r}; NULL is "unknown" */
	const char *explanation; /* of the receiver; NULL is SPF_EXPLANATION_DEFAULT */
	bool explain;            /* ask for the domain's explanation of a fail */
	uint64_t time;           /* seconds since 1970, for %{t} */
};

struct spf_verdict {
	enum spf_result result;
	enum spf_identity identity;
	const char *domain;      /* whose record it was */
	const char *explanation; /* of a fail; "" of anything else; printable ASCII */
	bool explained;          /* the domain said so, not the receiver */
	const char *problem;     /* of an error, or a none: the term and what is wrong; else "" */
	const char *mechanism;   /* the term that decided, "default" if none did; "" of an error */
	bool everybody; /* a pass by "all" (5.1), in whatever record: says nothing of this host */
	unsigned int lookups, void_lookups; /* terms; against the budgets above */
	unsigned int queries;               /* questions that the DNS was asked */
};

struct spf;

typedef void (*spf_cb)(const struct spf_verdict *verdict, void *arg);

/* Copies what the request points to, but for `dns`. NULL only if memory is short. */
struct spf *spf_start(const struct spf_request *request, spf_cb cb, void *arg);

/* NULL while it is under way. Valid until spf_free(). */
const struct spf_verdict *spf_verdict(const struct spf *spf);

/* How many milliseconds there are left. */
uint64_t spf_wait(const struct spf *spf);

/* The caller's timer: comes to a verdict, and calls back, if the time is over. */
void spf_timeout(struct spf *spf);

/* Ends what is under way, without a callback. Nulls the pointer; NULL is allowed. */
void spf_free(struct spf **spf);

/* "pass", "fail", ... */
const char *spf_result_name(enum spf_result result);

#endif
