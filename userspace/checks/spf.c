/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf.c - the life of an evaluation: start, questions, time, verdict, end.
 *
 * Every answer comes in through on_answer() or on_slot(), which let it be dealt with, go on as far
 * as that leads, and call the caller back if there is a verdict then, as the last thing: after that
 * the evaluation may be gone. Everything else of an evaluation happens between the two.
 */
#include "checks/spf_internal.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/text.h"

static const char *const result_names[SPF_RESULTS] = {
	[SPF_NONE] = "none",           [SPF_NEUTRAL] = "neutral",   [SPF_PASS] = "pass",
	[SPF_FAIL] = "fail",           [SPF_SOFTFAIL] = "softfail", [SPF_TEMPERROR] = "temperror",
	[SPF_PERMERROR] = "permerror",
};

const char *spf_result_name(enum spf_result result)
{
	return result_names[result];
}

/* The verdict */

static void conclude(struct spf *spf, enum spf_result result)
{
	spf_cancel_questions(spf);
	spf->done = true;
	spf->verdict.result = result;
	if (result != SPF_FAIL)
		spf->explanation[0] = '\0';
	spf->verdict.domain = spf->domain;
	spf->verdict.explanation = spf->explanation;
	spf->verdict.problem = spf->problem;
	spf->verdict.mechanism = spf->mechanism;
}

void spf_end(struct spf *spf, enum spf_result result, const char *fmt, ...)
{
	char text[SPF_PROBLEM_MAX];
	va_list args;

	if (fmt) {
		va_start(args, fmt);
		vsnprintf(text, sizeof(text), fmt, args);
		va_end(args);
		text_clean(spf->problem, sizeof(spf->problem), text, strlen(text));
	}
	conclude(spf, result);
}

void spf_end_term(struct spf *spf, enum spf_result result, const char *why)
{
	const struct spf_frame *frame = spf_top(spf);
	char shown[SPF_TERM_SHOWN_MAX];

	text_clean(shown, sizeof(shown), frame->term.text.at, frame->term.text.length);
	spf_end(spf, result, "%s (record of %s): %s", shown, frame->domain, why);
}

static void call_back(struct spf *spf)
{
	spf->cb(&spf->verdict, spf->arg);
}

/* Time */

uint64_t spf_wait(const struct spf *spf)
{
	const uint64_t now = spf->dns->ops->now(spf->dns);

	return now < spf->deadline ? spf->deadline - now : 0;
}

/* Ends the evaluation if the time is over. */
static void check_time(struct spf *spf)
{
	if (spf->done || spf_wait(spf) > 0)
		return;
	if (spf->explaining)
		spf_explain_default(spf);
	else
		spf_end(spf, SPF_TEMPERROR, "no verdict within %d seconds", SPF_SECONDS_MAX);
}

void spf_timeout(struct spf *spf)
{
	if (spf->done)
		return;
	check_time(spf);
	if (spf->done)
		call_back(spf);
}

/* Questions */

void spf_cancel_questions(struct spf *spf)
{
	for (size_t i = 0; i < SPF_NAMES_MAX; i++)
		dns_cancel(spf->dns, &spf->slot[i].query);
	spf->waiting = false;
}

/* A name as dns.h wants it: what is no separator of labels is a "\" that was said by somebody. */
static bool escape_name(const char *name, char out[DNS_NAME_MAX + 1])
{
	size_t used = 0;

	for (; *name; name++) {
		const bool escape = *name == '\\';

		if (used + 1 + escape > DNS_NAME_MAX)
			return false;
		if (escape)
			out[used++] = '\\';
		out[used++] = *name;
	}
	out[used] = '\0';
	return true;
}

static void ask(struct spf *spf, struct spf_slot *slot, enum dns_type type, dns_cb cb)
{
	slot->spf = spf;
	spf->verdict.queries++;
	slot->query = dns_ask(spf->dns, slot->name, type, cb, slot);
}

static void go_on(struct spf *spf)
{
	check_time(spf);
	if (!spf->done)
		spf_run(spf);
	if (spf->done)
		call_back(spf);
}

static void on_answer(const struct dns_answer *answer, void *arg)
{
	struct spf_slot *slot = arg;
	struct spf *spf = slot->spf;

	slot->query = NULL;
	spf->waiting = false;
	spf->answered(spf, answer);
	go_on(spf);
}

void spf_ask(struct spf *spf, const char *name, enum dns_type type,
	     void (*answered)(struct spf *spf, const struct dns_answer *answer))
{
	static const struct dns_answer nothing = { .status = DNS_NXDOMAIN };

	if (!spf_name_valid(name) || !escape_name(name, spf->slot[0].name)) {
		answered(spf, &nothing);
		return;
	}
	spf->waiting = true;
	spf->answered = answered;
	ask(spf, &spf->slot[0], type, on_answer);
}

static void on_slot(const struct dns_answer *answer, void *arg)
{
	struct spf_slot *slot = arg;
	struct spf *spf = slot->spf;

	slot->query = NULL;
	slot->outcome = spf_compare(spf, answer);
	spf_go_on_resolving(spf);
	go_on(spf);
}

void spf_ask_slot(struct spf *spf, struct spf_slot *slot, enum dns_type type)
{
	slot->outcome = SPF_PENDING;
	ask(spf, slot, type, on_slot);
}

/* Addresses */

enum spf_outcome spf_compare(const struct spf *spf, const struct dns_answer *answer)
{
	const bool four = addr_is_ipv4(&spf->ip);
	const unsigned int bits = four ? ADDR_IPV4_OFFSET + spf->cidr4 : spf->cidr6;
	const struct prefix client = prefix_of(&spf->ip, bits);

	if (answer->status == DNS_NODATA || answer->status == DNS_NXDOMAIN)
		return SPF_VOID;
	if (answer->status != DNS_FOUND)
		return SPF_FAILED;
	for (size_t i = 0; i < answer->count; i++) {
		const struct prefix other = prefix_of(&answer->record[i].addr, bits);

		if (memcmp(&other.addr, &client.addr, sizeof(other.addr)) == 0)
			return SPF_MATCH;
	}
	return SPF_OTHER;
}

/* Start and end */

void spf_macros(struct spf *spf, struct spf_macros *out)
{
	const char *domain = spf_top(spf)->domain;

	*out = (struct spf_macros){
		.mailbox = spf->mailbox,
		.local = spf->local,
		.sender = spf->sender,
		.domain = domain,
		.helo = spf->helo,
		.validated = spf->names.known ? spf_validated_name(spf, domain) : NULL,
		.receiver = spf->receiver,
		.ip = spf->ip,
		.time = spf->time,
	};
}

/* The sender: its l and o (2.4, 4.3). */
struct sender {
	struct spf_span local, domain;
};

static struct sender split_sender(const struct spf_request *request)
{
	static const struct spf_span postmaster = { "postmaster", sizeof("postmaster") - 1 };
	const bool helo = request->identity == SPF_HELO || !*request->from;
	const char *domain = helo ? request->helo : request->from;
	const char *at = helo ? NULL : strrchr(request->from, '@');
	struct sender sender = { .local = postmaster };

	if (at)
		domain = at + 1;
	if (at && at > request->from)
		sender.local = (struct spf_span){ request->from, (size_t)(at - request->from) };
	sender.domain = (struct spf_span){ domain, strlen(domain) };
	if (sender.domain.length && domain[sender.domain.length - 1] == '.')
		sender.domain.length--;
	return sender;
}

/* Appends to spf->texts, where `*end` is. */
static const char *keep(char **end, struct spf_span text)
{
	char *kept = *end;

	memcpy(kept, text.at, text.length);
	kept[text.length] = '\0';
	*end += text.length + 1;
	return kept;
}

static void keep_texts(struct spf *spf, const struct sender *sender, struct spf_span helo,
		       struct spf_span receiver)
{
	char *end = spf->texts;

	spf->helo = keep(&end, helo);
	spf->local = keep(&end, sender->local);
	spf->sender = keep(&end, sender->domain);
	spf->mailbox = keep(&end, sender->local);
	end[-1] = '@';
	keep(&end, sender->domain);
	if (receiver.at)
		spf->receiver = keep(&end, receiver);
}

static struct spf_span span_of(const char *text)
{
	return (struct spf_span){ text, text ? strlen(text) : 0 };
}

/* One piece of memory, with its texts. */
static struct spf *spf_new(const struct spf_request *request)
{
	const struct sender sender = split_sender(request);
	const struct spf_span helo = span_of(request->helo), receiver = span_of(request->receiver);
	const size_t texts = helo.length + 2 * (sender.local.length + sender.domain.length) +
			     receiver.length + sizeof("0000@0");
	struct spf *spf = malloc(sizeof(*spf) + texts);

	if (!spf)
		return NULL;
	memset(spf, 0, offsetof(struct spf, explanation));
	spf->problem[0] = spf->mechanism[0] = '\0';
	for (size_t i = 0; i < SPF_NAMES_MAX; i++)
		spf->slot[i].query = NULL;
	keep_texts(spf, &sender, helo, receiver);
	return spf;
}

static void take_request(struct spf *spf, const struct spf_request *request)
{
	const struct spf_span explanation =
		span_of(request->explanation ? request->explanation : SPF_EXPLANATION_DEFAULT);

	spf->dns = request->dns;
	spf->ip = request->ip;
	spf->time = request->time;
	spf->explain = request->explain;
	spf->deadline = request->dns->ops->now(request->dns) + SPF_SECONDS_MAX * MS_A_SECOND;
	spf->verdict.identity = request->identity;
	text_clean(spf->explanation, sizeof(spf->explanation), explanation.at, explanation.length);
	text_clean(spf->domain, sizeof(spf->domain), spf->sender, strlen(spf->sender));
}

struct spf *spf_start(const struct spf_request *request, spf_cb cb, void *arg)
{
	struct spf *spf = spf_new(request);

	if (!spf)
		return NULL;
	spf->cb = cb;
	spf->arg = arg;
	take_request(spf, request);
	spf_enter(spf, spf->sender, false);
	spf_run(spf);
	return spf;
}

const struct spf_verdict *spf_verdict(const struct spf *spf)
{
	return spf->done ? &spf->verdict : NULL;
}

void spf_free(struct spf **spf)
{
	struct spf *old = *spf;

	if (!old)
		return;
	*spf = NULL;
	spf_cancel_questions(old);
	for (size_t i = 0; i < old->depth; i++)
		spf_frame_free(&old->frame[i]);
	free(old->names.name);
	free(old->explanation_text);
	free(old);
}
