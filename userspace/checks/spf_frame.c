/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_frame.c - check_host() of RFC 7208: finds a domain's record, walks over its
 * mechanisms, and says what its result means for the record that includes it.
 *
 * Called by checks/spf.c. The budgets of section 4.6.4 are counted here. The text of a record is
 * copied out of the answer, which does not outlive its callback.
 */
#include "checks/spf_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

void spf_frame_free(struct spf_frame *frame)
{
	free(frame->text);
	frame->text = NULL;
}

/* Budgets */

bool spf_count_lookup(struct spf *spf)
{
	spf->verdict.lookups++;
	if (spf->verdict.lookups <= SPF_LOOKUPS_MAX)
		return true;
	spf_end_term(spf, SPF_PERMERROR, "more than 10 terms that ask the DNS");
	return false;
}
_Static_assert(SPF_LOOKUPS_MAX == 10, "the message says so");

bool spf_count_void(struct spf *spf)
{
	if (spf->term_void)
		return true;
	spf->term_void = true;
	spf->verdict.void_lookups++;
	if (spf->verdict.void_lookups <= SPF_VOIDS_MAX)
		return true;
	spf_end_term(spf, SPF_PERMERROR, "more than 2 terms for which the DNS has nothing");
	return false;
}
_Static_assert(SPF_VOIDS_MAX == 2, "the message says so");

/* Results */

static enum spf_result result_of(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_FAIL;
	case '~':
		return SPF_SOFTFAIL;
	case '?':
		return SPF_NEUTRAL;
	default:
		return SPF_PASS;
	}
}

/* The record of the domain itself has a result, which is that of the evaluation. */
static void final_result(struct spf *spf, enum spf_result result)
{
	if (result == SPF_FAIL)
		spf_explain(spf);
	else
		spf_end(spf, result, NULL);
}

/* Remembers which term of the domain's own record has decided. */
static void keep_mechanism(struct spf *spf)
{
	const struct spf_span text = spf_top(spf)->term.text;

	if (spf->depth == 1)
		text_clean(spf->mechanism, sizeof(spf->mechanism), text.at, text.length);
}

void spf_term_matches(struct spf *spf)
{
	const bool all = spf_top(spf)->term.kind == SPF_ALL;
	enum spf_result result = result_of(spf_top(spf)->term.qualifier);

	/* What else was asked for the term does not matter any more. */
	spf_cancel_questions(spf);
	keep_mechanism(spf);
	/* A pass of an included record is a match of the include, and so on outwards (5.2). */
	while (spf->depth > 1) {
		spf_frame_free(spf_top(spf));
		spf->depth--;
		if (result != SPF_PASS)
			return;
		result = result_of(spf_top(spf)->term.qualifier);
		keep_mechanism(spf);
	}
	spf->verdict.everybody = all && result == SPF_PASS;
	final_result(spf, result);
}

/* There is no mechanism left. The result is neutral (4.7), which does not match an include. */
static void end_of_record(struct spf *spf)
{
	struct spf_frame *frame = spf_top(spf);
	char target[DNS_NAME_MAX + 1];
	struct spf_macros macros;

	if (frame->record.redirect.length) {
		spf_macros(spf, &macros);
		spf_macro_domain(frame->record.redirect, &macros, target);
		spf_enter(spf, target, true);
		return;
	}
	if (spf->depth == 1) {
		memcpy(spf->mechanism, "default", sizeof("default"));
		spf_end(spf, SPF_NEUTRAL, NULL);
		return;
	}
	spf_frame_free(frame);
	spf->depth--;
}

/* redirect is a term that looks up; %{p} in its domain has to be known before. */
static void begin_redirect(struct spf *spf)
{
	struct spf_frame *frame = spf_top(spf);

	spf->term_void = false;
	frame->term =
		(struct spf_term){ .kind = SPF_REDIRECT, .text = frame->record.redirect_term };
	if (!spf_count_lookup(spf))
		return;
	if (!spf_macro_wants_name(frame->record.redirect, SPF_IN_RECORD))
		end_of_record(spf);
	else if (spf->names.known || spf_count_lookup(spf))
		spf_need_names(spf, end_of_record);
}

static void step(struct spf *spf)
{
	struct spf_frame *frame = spf_top(spf);

	spf->term_void = false;
	if (spf_next(&frame->record, &frame->place, &frame->term))
		spf_term_begin(spf);
	else if (frame->record.redirect.length)
		begin_redirect(spf);
	else
		end_of_record(spf);
}

void spf_run(struct spf *spf)
{
	while (!spf->waiting && !spf->done)
		step(spf);
}

/* Records */

/* The domain has no record: nothing to say at first, but an error where one was promised. */
static void no_record(struct spf *spf, const char *why)
{
	const struct spf_frame *frame = spf_top(spf);

	if (spf->depth == 1 && !frame->redirected)
		spf_end(spf, SPF_NONE, "%s: %s", frame->domain, why);
	else
		spf_end(spf, SPF_PERMERROR, "%s, which %s: %s", frame->domain,
			frame->redirected ? "a record redirects to" : "a record includes", why);
}

/* The one SPF record among the TXT records (4.5); NULL after the verdict. */
static const struct dns_record *select_record(struct spf *spf, const struct dns_answer *answer)
{
	const struct dns_record *found = NULL;

	for (size_t i = 0; i < answer->count; i++) {
		const struct dns_record *record = &answer->record[i];

		if (!spf_is_record((struct spf_span){ record->text, record->length }))
			continue;
		if (found) {
			spf_end(spf, SPF_PERMERROR, "%s has more than one SPF record",
				spf_top(spf)->domain);
			return NULL;
		}
		found = record;
	}
	if (!found && answer->cut)
		spf_end(spf, SPF_PERMERROR, "%s has too many or too long TXT records",
			spf_top(spf)->domain);
	else if (!found)
		no_record(spf, "it has no SPF record");
	return found;
}

static void use_record(struct spf *spf, const struct dns_record *record)
{
	struct spf_frame *frame = spf_top(spf);
	struct error err;

	frame->text = malloc(record->length + 1u);
	if (!frame->text) {
		spf_end(spf, SPF_TEMPERROR, "out of memory");
		return;
	}
	memcpy(frame->text, record->text, record->length);
	frame->place = SPF_START;
	if (spf_parse((struct spf_span){ frame->text, record->length }, &frame->record, &err) < 0)
		spf_end(spf, SPF_PERMERROR, "record of %s: %s", frame->domain, err.text);
}

static void got_record(struct spf *spf, const struct dns_answer *answer)
{
	const struct dns_record *record;

	switch (answer->status) {
	case DNS_FOUND:
		record = select_record(spf, answer);
		if (record)
			use_record(spf, record);
		break;
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		if (spf->depth > 1 || spf_top(spf)->redirected)
			spf->verdict.void_lookups++;
		no_record(spf, answer->status == DNS_NODATA ? "it has no TXT records"
							    : "there is no such domain");
		break;
	default:
		spf_end(spf, SPF_TEMPERROR, "the DNS did not answer for the record of %s",
			spf_top(spf)->domain);
	}
}

/* 4.3: at least two labels that are right, and no address literal. */
static bool is_domain(const char *domain)
{
	return domain[0] != '[' && strchr(domain, '.') && spf_name_valid(domain);
}

void spf_enter(struct spf *spf, const char *domain, bool redirected)
{
	struct spf_frame *frame;
	const size_t length = strlen(domain);

	if (redirected)
		spf_frame_free(spf_top(spf));
	else
		spf->depth++; /* at most SPF_DEPTH_MAX: each costs a lookup */
	frame = spf_top(spf);
	frame->text = NULL;
	frame->record = (struct spf_record){ 0 };
	frame->term = (struct spf_term){ 0 };
	frame->redirected = redirected;
	/* What does not fit is no domain, and stays none when it is cut. */
	memcpy(frame->domain, domain, length < DNS_NAME_MAX ? length : DNS_NAME_MAX);
	frame->domain[length < DNS_NAME_MAX ? length : DNS_NAME_MAX] = '\0';
	if (length > DNS_NAME_MAX || !is_domain(domain))
		no_record(spf, "not a domain");
	else
		spf_ask(spf, domain, DNS_TXT, got_record);
}
