/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_explain.c - what a fail is explained with (RFC 7208 6.2): what the domain says, or the
 * receiver's own text if it says nothing, or nothing that can be used.
 *
 * The result is settled when this begins; nothing that happens here changes it, and none of the
 * questions is counted. Only the domain's own record is listened to, or the one that it redirects
 * to, never an included one.
 */
#include "checks/spf_internal.h"

#include <stdlib.h>
#include <string.h>

void spf_explain_default(struct spf *spf)
{
	spf_end(spf, SPF_FAIL, NULL);
}

static struct spf_span text_span(const struct spf *spf)
{
	return (struct spf_span){ spf->explanation_text, strlen(spf->explanation_text) };
}

static void expand_explanation(struct spf *spf)
{
	char text[SPF_EXPLANATION_MAX];
	struct spf_macros macros;

	spf_macros(spf, &macros);
	spf_macro_explanation(text_span(spf), &macros, text, sizeof(text));
	if (*text) {
		memcpy(spf->explanation, text, sizeof(text));
		spf->verdict.explained = true;
	}
	spf_end(spf, SPF_FAIL, NULL);
}

/* One record, of printable ASCII, with the right syntax: anything else is as good as none. */
static void got_explanation(struct spf *spf, const struct dns_answer *answer)
{
	const struct dns_record *record = answer->record;

	if (answer->status != DNS_FOUND || answer->count != 1 || answer->cut ||
	    !spf_macro_valid((struct spf_span){ record->text, record->length },
			     SPF_IN_EXPLANATION)) {
		spf_explain_default(spf);
		return;
	}
	spf->explanation_text = strndup(record->text, record->length);
	if (!spf->explanation_text)
		spf_explain_default(spf);
	else if (spf_macro_wants_name(text_span(spf), SPF_IN_EXPLANATION))
		spf_need_names(spf, expand_explanation);
	else
		expand_explanation(spf);
}

static void ask_for_explanation(struct spf *spf)
{
	char name[DNS_NAME_MAX + 1];
	struct spf_macros macros;

	spf_macros(spf, &macros);
	spf_macro_domain(spf_top(spf)->record.exp, &macros, name);
	spf_ask(spf, name, DNS_TXT, got_explanation);
}

void spf_explain(struct spf *spf)
{
	const struct spf_span exp = spf_top(spf)->record.exp;

	spf->explaining = true;
	if (!spf->explain || !exp.length)
		spf_explain_default(spf);
	else if (spf_macro_wants_name(exp, SPF_IN_RECORD))
		spf_need_names(spf, ask_for_explanation);
	else
		ask_for_explanation(spf);
}
