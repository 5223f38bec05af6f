/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_list_answer.c - what the agent answers to block and allow, in words.
 *
 * Called through the rows of the commands, and by `posternctl why`, which tells the same matches.
 * The answers are the agent's; nothing in them is trusted to be there (tools/ctl_text.h).
 */
#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "tools/ctl_list.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

/* What an entry means from now on, by the "effective" of the agent. */
static const struct {
	const char *effective;
	enum paint paint;
	const char *text;
} effects[] = {
	{ "drop", PAINT_BAD, "its connection attempts are dropped" },
	{ "reset", PAINT_BAD, "its connection attempts are answered with a reset" },
	{ "tarpit", PAINT_BAD, "its connections are held and go nowhere" },
	{ "refuse", PAINT_BAD, "its connections are answered with an SMTP 554 that says why" },
	{ "allowed", PAINT_GOOD,
	  "its connection attempts are let through: an allow list holds it" },
	{ "monitored", PAINT_WARN,
	  "its connection attempts are counted but let through: monitor mode" },
};

int list_answer_add(struct cli_call *call, const json_t *result, struct error *err)
{
	const char *effective = field_text(result, "effective");
	size_t i = 0, count = sizeof(effects) / sizeof(effects[0]);

	(void)err;
	output_text("%s %s %s list %s", field_text(result, "prefix"),
		    field_true(result, "replaced") ? "is replaced on" : "is now on", cli_kind(call),
		    field_text(result, "list"));
	while (i < count && strcmp(effects[i].effective, effective) != 0)
		i++;
	if (i < count) {
		output_text("; ");
		output_paint(effects[i].paint, "%s", effects[i].text);
	} else if (*effective) {
		output_text("; in effect: %s", effective);
	}
	output_text("\n");
	list_print_ended(result);
	return 0;
}

void list_print_ended(const json_t *result)
{
	const uint64_t ended = field_count(result, "ended");
	char number[DURATION_TEXT_MAX];

	if (ended)
		output_text("%s %s ended\n", number_format(ended, number),
			    plural(ended, "established connection was",
				   "established connections were"));
}

int list_answer_del(struct cli_call *call, const json_t *result, struct error *err)
{
	const json_t *removed = json_object_get(result, "removed"), *name;
	size_t i;

	(void)err;
	output_text("%s is taken off", call->word[0]);
	json_array_foreach(removed, i, name) output_text(
		"%s %s", i ? "," : "", json_string_value(name) ? json_string_value(name) : "");
	output_text("\n");
	return 0;
}

int list_answer_clear(struct cli_call *call, const json_t *result, struct error *err)
{
	const uint64_t removed = field_count(result, "removed");
	char number[DURATION_TEXT_MAX];

	(void)err;
	output_text("%s list %s is removed, with %s %s\n", cli_kind(call), call->word[0],
		    number_format(removed, number), plural(removed, "entry", "entries"));
	return 0;
}

char *list_match_sentence(const json_t *match, char out[SENTENCE_MAX])
{
	const char *prefix = field_text(match, "prefix");
	const char *reason = field_text(match, "reason");
	const bool network = strchr(prefix, '/'); /* an address on a list is there itself */
	char when[WHEN_TEXT_MAX];
	uint64_t expires = field_count(match, "expires");

	snprintf(out, SENTENCE_MAX, "%s%s%son list %s%s%s%s, which %s%s", network ? "in " : "",
		 network ? prefix : "", network ? " " : "", field_text(match, "list"),
		 *reason ? " (" : "", reason, *reason ? ")" : "", expires ? "expires " : "",
		 expires ? when_relative(expires, when) : "never expires");
	return out;
}

const json_t *list_deciding(const json_t *matches)
{
	const json_t *match;
	size_t i;

	json_array_foreach(matches, i, match)
	{
		if (field_true(match, "decides"))
			return match;
	}
	return NULL;
}

/* "drop, decides", or "reset, but a longer prefix wins". */
static void print_effect(const json_t *match)
{
	const char *overruled = field_text(match, "overruled");

	output_text("%s, ", field_text(match, "action"));
	if (field_true(match, "decides"))
		output_text("decides\n");
	else if (*overruled)
		output_text("but %s\n", overruled);
	else
		output_text("overruled\n");
}

static void print_match(const json_t *match)
{
	const char *reason = field_text(match, "reason"), *source = field_text(match, "source");
	const char *kind = field_text(match, "kind");
	bool decides = field_true(match, "decides"), allow = strcmp(kind, "allow") == 0;
	char added[WHEN_TEXT_MAX], expires[WHEN_TEXT_MAX];

	output_text("%s ", decides ? "*" : " ");
	output_paint(!decides ? PAINT_FAINT
		     : allow  ? PAINT_GOOD
			      : PAINT_BAD,
		     "%s", field_text(match, "prefix"));
	output_text(" on %s list %s: ", kind, field_text(match, "list"));
	print_effect(match);
	if (*reason)
		output_text("    reason   %s\n", reason);
	output_text("    added    %s%s%s\n", when_format(field_count(match, "added"), added),
		    *source ? " by " : "", source);
	output_text("    expires  %s\n", when_relative(field_count(match, "expires"), expires));
}

void list_print_matches(const json_t *matches)
{
	const json_t *match;
	size_t i;

	json_array_foreach(matches, i, match) print_match(match);
}

int list_answer_test(struct cli_call *call, const json_t *result, struct error *err)
{
	const json_t *matches = json_object_get(result, "matches");
	const json_t *deciding = list_deciding(matches), *first = json_array_get(matches, 0);
	char sentence[SENTENCE_MAX];

	(void)err;
	if (!field_true(result, "listed")) {
		output_text("%s is on no %s list\n", call->word[0], cli_kind(call));
		return 0;
	}
	output_text("%s is listed: ", call->word[0]);
	output_paint(deciding ? PAINT_BAD : PAINT_WARN, "%s\n",
		     list_match_sentence(deciding ? deciding : first, sentence));
	if (!deciding)
		output_text("None of its entries decides: %s.\n", field_text(first, "overruled"));
	output_text("\n");
	list_print_matches(matches);
	return 0;
}
