/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_why.c - `posternctl why`: everything that concerns one address, or one lookup id.
 *
 * The verdict comes first, as a sentence; then what it follows from. Whether the word is an address
 * or a lookup id is found out here, so that a mistyped address is told as such.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/units.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_list.h"
#include "tools/ctl_output.h"
#include "tools/ctl_reputation.h"
#include "tools/ctl_text.h"

#define LOOKUP_ID_CHARS 13
#define LOOKUP_ID_SET   "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyzILOilo"
#define USED_TEXT_MAX   64

static json_t *request_why(const struct cli_call *call, struct error *err)
{
	const char *what = call->word[0];
	char canonical[PREFIX_TEXT_MAX];
	size_t length = strlen(what);
	struct addr addr;
	json_t *request;

	if (length != LOOKUP_ID_CHARS || strspn(what, LOOKUP_ID_SET) != length) {
		if (addr_parse(what, length, &addr, err) < 0) {
			error_set(err, ERROR_USAGE,
				  "'%s' is neither an address nor a lookup id (%d characters)",
				  what, LOOKUP_ID_CHARS);
			return NULL;
		}
		what = addr_format(&addr, canonical);
	}
	request = cli_request("why", err);
	if (!request || cli_request_text(request, "what", what, err) == 0)
		return request;
	json_decref(request);
	return NULL;
}

/* "would be dropped", and how that looks, by the verdict of the agent. */
static const struct verdict {
	const char *name, *text;
	enum paint paint;
} verdicts[] = {
	{ "pass", "would be let through", PAINT_GOOD },
	{ "drop", "would be dropped", PAINT_BAD },
	{ "reset", "would be answered with a reset", PAINT_BAD },
	{ "tarpit", "would be held in a connection that goes nowhere", PAINT_BAD },
	{ "refuse", "would be refused with an SMTP 554", PAINT_BAD },
	{ "monitored", "would be let through, but only because of monitor mode", PAINT_WARN },
};

static void print_decision(const json_t *result)
{
	const json_t *deciding = json_object_get(result, "deciding");
	const char *reason = field_text(result, "reason"), *help = field_text(result, "help");
	char sentence[SENTENCE_MAX];

	if (json_is_object(deciding))
		output_text(": it is %s", list_match_sentence(deciding, sentence));
	else if (strcmp(reason, "accepted") == 0)
		output_text(": no list holds it, and it is within its limits");
	else
		output_text(": %s", *help ? help : reason);
}

/* Who may connect to a proxy may still be refused there, so it does not end with that. */
static void print_judgement(const json_t *result)
{
	const json_t *reputation = json_object_get(result, "reputation");
	const json_t *verdict = json_object_get(reputation, "verdict");

	if (strcmp(field_text(reputation, "mode"), "proxy") != 0 || !json_is_object(verdict))
		return;
	output_text("Its session is judged by what was found out, below: ");
	output_paint(PAINT_TITLE, "%s", field_text(verdict, "decision"));
	output_text(", score %" JSON_INTEGER_FORMAT ".\n",
		    json_integer_value(json_object_get(verdict, "score")));
}

static void print_verdict(const json_t *result)
{
	const char *verdict = field_text(result, "verdict");
	size_t i = 0, count = sizeof(verdicts) / sizeof(verdicts[0]);

	while (i < count && strcmp(verdicts[i].name, verdict) != 0)
		i++;
	output_paint(PAINT_TITLE, "%s ", field_text(result, "address"));
	output_paint(i < count ? verdicts[i].paint : PAINT_NONE, "%s",
		     i < count ? verdicts[i].text : verdict);
	print_decision(result);
	output_text(".\n");
	if (strcmp(verdict, "pass") == 0)
		print_judgement(result);
}

static void print_matches(const json_t *matches)
{
	output_paint(PAINT_TITLE, "\nEntries\n");
	if (json_array_size(matches))
		list_print_matches(matches);
	else
		output_text("  no list holds the address\n");
}

static void print_offender(const json_t *offender)
{
	char hits[DURATION_TEXT_MAX], age[RATE_TEXT_MAX];
	uint64_t milliseconds = field_count(offender, "last_ms");
	uint64_t count = field_count(offender, "hits");

	output_paint(PAINT_TITLE, "\nHits\n");
	if (!json_is_object(offender)) {
		output_text("  not among the sources that were stopped lately\n");
		return;
	}
	output_text("  %s %s stopped, the last %s%s (%s)\n", number_format(count, hits),
		    plural(count, "packet", "packets"), age_format(milliseconds, age),
		    milliseconds < 1000 ? "" : " ago", field_text(offender, "last_reason"));
}

/* "3 / 50", painted when all of it is used up; "3 / no limit". */
static enum paint used_text(uint64_t used, uint64_t limit, char out[USED_TEXT_MAX])
{
	if (limit)
		snprintf(out, USED_TEXT_MAX, "%" PRIu64 " / %" PRIu64, used, limit);
	else
		snprintf(out, USED_TEXT_MAX, "%" PRIu64 " / no limit", used);
	return limit && used >= limit ? PAINT_BAD : PAINT_NONE;
}

static int add_limit(struct columns *columns, const json_t *limit, struct error *err)
{
	uint64_t burst = field_count(limit, "burst"), rate = field_count(limit, "rate");
	char attempts[USED_TEXT_MAX], conns[USED_TEXT_MAX], rate_text[USED_TEXT_MAX];
	enum paint attempts_paint = used_text(field_count(limit, "used"), burst, attempts);
	enum paint conns_paint =
		used_text(field_count(limit, "conns"), field_count(limit, "conn_limit"), conns);
	const struct cell cells[] = {
		{ field_text(limit, "level"), PAINT_NONE },
		{ field_text(limit, "prefix"), PAINT_NONE },
		{ rate ? rate_text : "no limit", PAINT_NONE },
		{ attempts, attempts_paint },
		{ conns, conns_paint },
	};

	snprintf(rate_text, sizeof(rate_text), "%" PRIu64 "/s", rate);
	return columns_row(columns, cells, err);
}

static int print_limits(const json_t *limits, struct error *err)
{
	static const struct column titles[] = {
		{ "LIMIT", ALIGN_LEFT },        { "FOR", ALIGN_LEFT },
		{ "RATE", ALIGN_RIGHT },        { "BURST USED", ALIGN_RIGHT },
		{ "CONNECTIONS", ALIGN_RIGHT },
	};

	output_text("\n");
	return columns_print(titles, sizeof(titles) / sizeof(titles[0]), limits, add_limit, err);
}

static void print_ports(const json_t *ports)
{
	output_text("\nThis is about TCP connection attempts to the ports ");
	output_numbers(ports);
	output_text("; nothing else is touched.\n");
}

/* What concerns the address during a flood, and what it is told if it is refused. */
static void print_flood(const json_t *result)
{
	const json_t *proof = json_object_get(result, "proof"),
		     *floods = json_object_get(result, "floods"), *port;
	char left[DURATION_TEXT_MAX];
	size_t i;

	if (*field_text(result, "refusal"))
		output_text("\nThe client is told: %s\n", field_text(result, "refusal"));
	output_paint(PAINT_TITLE, "\nFloods\n");
	if (field_true(proof, "proved"))
		output_text("  it completed a handshake, so it needs no SYN cookie for %s\n",
			    duration_format(field_count(proof, "seconds"), left));
	else
		output_text(
			"  it completed no handshake lately, so a flood gets it a SYN cookie\n");
	if (!json_array_size(floods)) {
		output_text("  no flood is on\n");
		return;
	}
	output_paint(PAINT_BAD, "  a flood is on at port");
	json_array_foreach(floods, i, port)
		output_text("%s %" JSON_INTEGER_FORMAT, i ? "," : "", json_integer_value(port));
	output_text("\n");
}

/* What an id tells by itself. */
static void print_id(const json_t *result)
{
	const char *list = field_text(result, "list");
	char when[WHEN_TEXT_MAX];

	output_paint(PAINT_TITLE, "%s", field_text(result, "id"));
	output_text(": at %s, a connection attempt was stopped%s",
		    when_format(field_count(result, "time"), when),
		    *list ? "" : ", or an SMTP session began");
	if (*list)
		output_text(" by list %s, action %s", list, field_text(result, "action"));
	output_text(".\n");
	output_text("No details are kept; the log may have them. 'posternctl why ADDRESS' tells "
		    "what concerns the "
		    "address that the reply names now.\n");
}

static void print_named(const char *name, const char *text)
{
	if (*text)
		output_text("  %-8s %s\n", name, text);
}

/* "12: lists 8, rdns-missing, spf-none"; nothing where no score was known. */
static void print_score(const json_t *refusal)
{
	const json_int_t lists = json_integer_value(json_object_get(refusal, "lists"));
	const json_t *findings = json_object_get(refusal, "findings"), *finding;
	const char *between = ": ";
	size_t i;

	if (!lists && !json_array_size(findings))
		return;
	output_text("  %-8s %" JSON_INTEGER_FORMAT, "score",
		    json_integer_value(json_object_get(refusal, "score")));
	if (lists) {
		output_text("%slists %" JSON_INTEGER_FORMAT, between, lists);
		between = ", ";
	}
	json_array_foreach(findings, i, finding)
	{
		output_text("%s%s", between, json_string_value(finding));
		between = ", ";
	}
	output_text("\n");
}

static void print_refusal(const json_t *refusal)
{
	char when[WHEN_TEXT_MAX];

	output_text("at %s, refused: ", when_format(field_count(refusal, "time"), when));
	output_paint(PAINT_BAD, "%s", field_text(refusal, "reason"));
	output_text(" (%s)\n", field_text(refusal, "help"));
	print_named("what", field_text(refusal, "detail"));
	print_named("HELO", field_text(refusal, "helo"));
	print_named("from", field_text(refusal, "from"));
	print_named("user", field_text(refusal, "user"));
	print_score(refusal);
}

/* What a session of the SMTP front was refused. */
static void print_session(const json_t *result, const json_t *rows)
{
	const char *source = field_text(json_array_get(rows, 0), "source");
	const json_t *row;
	size_t i;

	output_paint(PAINT_TITLE, "%s", field_text(result, "id"));
	output_text(": an SMTP session of %s\n", source);
	json_array_foreach(rows, i, row) print_refusal(row);
	output_text("'posternctl why %s' tells what concerns the address now.\n", source);
}

/* What became of one packet. */
static void print_event(const json_t *result)
{
	const json_t *event = json_object_get(result, "event");
	bool monitored = strcmp(field_text(event, "outcome"), "monitored") == 0;
	const char *list = field_text(event, "list"), *action = field_text(event, "action");
	char when[WHEN_TEXT_MAX];

	output_paint(PAINT_TITLE, "%s", field_text(result, "id"));
	output_text(": at %s, a connection attempt from %s port %" PRIu64 " to %s port %" PRIu64,
		    when_format(field_count(event, "time"), when), field_text(event, "source"),
		    field_count(event, "source_port"), field_text(event, "dest"),
		    field_count(event, "dest_port"));
	output_text(", received on %s", field_text(event, "iface"));
	if (field_count(event, "vlan"))
		output_text(" (VLAN %" PRIu64 ")", field_count(event, "vlan"));
	output_paint(monitored ? PAINT_WARN : PAINT_BAD, "%s",
		     monitored ? ", would have been stopped but for monitor mode"
			       : ", was stopped");
	output_text(": %s", field_text(event, "reason"));
	if (*list)
		output_text(", on list %s, action %s", list, action);
	output_text("%s.\n", field_true(event, "told") ? "; the client was told this id" : "");
	output_text("'posternctl why %s' tells what concerns the address now.\n",
		    field_text(event, "source"));
}

static int show_why(struct cli_call *call, const json_t *result, struct error *err)
{
	int code;

	(void)call;
	if (json_array_size(json_object_get(result, "refusals"))) {
		print_session(result, json_object_get(result, "refusals"));
		return 0;
	}
	if (json_is_object(json_object_get(result, "event"))) {
		print_event(result);
		return 0;
	}
	if (*field_text(result, "id")) {
		print_id(result);
		return 0;
	}
	print_verdict(result);
	print_matches(json_object_get(result, "matches"));
	print_offender(json_object_get(result, "offender"));
	code = reputation_print(json_object_get(result, "reputation"), err);
	if (code < 0)
		return code;
	code = print_limits(json_object_get(result, "limits"), err);
	print_flood(result);
	print_ports(json_object_get(result, "ports"));
	return code;
}

const struct cli_command command_why = {
	.name = "why",
	.arguments = "ADDR|LOOKUP-ID",
	.min = 1,
	.max = 1,
	.group = GROUP_LOOK,
	.summary = "what happens to an address, and what that follows from",
	.text = "Tells what would happen now to a connection attempt from the address, and "
		"everything that concerns it: the entries of all lists that hold it, which of "
		"them decides and why the others do not, how often it was stopped lately, and "
		"how much of its limits is used up; in guard mode what was found out about it, "
		"every "
		"lookup with its age and its score; what it would be told if it is refused; and "
		"whether it would need a SYN cookie during a flood.\n\n"
		"A lookup id, 13 letters and digits from the log or from an SMTP reply, is "
		"answered with what happened to that packet, or with what that SMTP session was "
		"refused, if it is among the last few thousand. Of an older one the id itself "
		"tells when it was and which list "
		"stopped it.",
	.examples = { "posternctl why 192.0.2.7", "posternctl why 2001:db8::25",
		      "posternctl why 04K3ZQ8W1V7M2" },
	.request = request_why,
	.show = show_why,
};
