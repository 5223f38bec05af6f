/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check_spf.c - `posternctl check spf`: may a host send mail for a domain?
 *
 * Evaluates SPF (checks/spf.h) in this process, on a loop that runs until there is a verdict, which
 * comes within SPF_SECONDS_MAX seconds. A fail is exit code CLI_FOUND; every other result is a
 * result, also when the DNS does not answer.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "checks/spf_header.h"
#include "lib/text.h"
#include "tools/ctl_check.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

#define MAILBOX_MAX 1024
#define HOST_MAX    256

/* What is checked, and the texts that the request points to. */
struct question {
	struct check check;
	struct spf_request request;
	struct spf *spf;
	uv_timer_t timer;
	char from[MAILBOX_MAX], receiver[HOST_MAX];
};

static int take_mailbox(struct question *question, const char *text, struct error *err)
{
	size_t length = strlen(text);

	if (length > 1 && text[0] == '<' && text[length - 1] == '>') {
		text++;
		length -= 2;
	}
	if (length >= sizeof(question->from))
		return error_set(err, ERROR_USAGE, "--from is longer than %d octets",
				 MAILBOX_MAX - 1);
	memcpy(question->from, text, length);
	question->from[length] = '\0';
	return 0;
}

static int take_request(struct question *question, const struct cli_call *call, struct error *err)
{
	struct spf_request *request = &question->request;
	const char *ip = call->option[OPTION_IP];

	if (addr_parse(ip, strlen(ip), &request->ip, err) < 0)
		return error_prefix(err, "--ip");
	if (take_mailbox(question, call->option[OPTION_FROM], err) < 0)
		return err->code;
	if (gethostname(question->receiver, sizeof(question->receiver) - 1) != 0)
		strncpy(question->receiver, "unknown", sizeof(question->receiver) - 1);
	request->helo = call->option[OPTION_HELO];
	request->from = question->from;
	request->receiver = question->receiver;
	request->explain = true;
	request->time = (uint64_t)time(NULL);
	return 0;
}

/* The evaluation */

static void verdict_is_there(const struct spf_verdict *verdict, void *arg)
{
	struct question *question = arg;

	(void)verdict;
	uv_stop(&question->check.loop);
}

static void time_is_over(uv_timer_t *timer)
{
	struct question *question = timer->data;

	spf_timeout(question->spf);
}

static int evaluate(struct question *question, struct error *err)
{
	question->request.dns = dns_resolver_dns(question->check.resolver);
	question->spf = spf_start(&question->request, verdict_is_there, question);
	if (!question->spf)
		return error_set(err, ERROR_REFUSED, "out of memory");
	uv_timer_init(&question->check.loop, &question->timer);
	question->timer.data = question;
	uv_timer_start(&question->timer, time_is_over, spf_wait(question->spf), 0);
	if (!spf_verdict(question->spf))
		uv_run(&question->check.loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&question->timer, NULL);
	return 0;
}

/* The answer */

/* Texts of strangers may be no UTF-8, which JSON has to be. */
static json_t *clean_text(const char *text)
{
	char clean[SPF_HEADER_MAX];

	text_clean(clean, sizeof(clean), text, strlen(text));
	return json_string(clean);
}

/* A header field as one line, without its name. */
static json_t *field(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++)
		if (*in != '\r' && *in != '\n')
			*out++ = *in == '\t' ? ' ' : *in;
	*out = '\0';
	return clean_text(text + strcspn(text, ":") + strlen(": "));
}

static int print_json(const struct spf_verdict *verdict, const struct spf_header *header,
		      struct error *err)
{
	char received[SPF_HEADER_MAX], results[SPF_HEADER_MAX], address[PREFIX_TEXT_MAX];
	json_t *answer = json_pack(
		"{s:s, s:o, s:b, s:o, s:o, s:o, s:s, s:i, s:i, s:i, s:o, s:o}", "result",
		spf_result_name(verdict->result), "explanation", clean_text(verdict->explanation),
		"explained_by_domain", verdict->explained, "domain", clean_text(verdict->domain),
		"mechanism", clean_text(verdict->mechanism), "problem",
		clean_text(verdict->problem), "ip", addr_format(&header->ip, address), "lookups",
		(int)verdict->lookups, "void_lookups", (int)verdict->void_lookups, "queries",
		(int)verdict->queries, "received_spf", field(spf_header_received(header, received)),
		"authentication_results", field(spf_header_results(header, results)));
	int code;

	if (!answer)
		return error_set(err, ERROR_REFUSED, "out of memory");
	code = output_json(answer, err);
	json_decref(answer);
	return code;
}

static const enum paint paints[SPF_RESULTS] = {
	[SPF_NONE] = PAINT_FAINT,    [SPF_NEUTRAL] = PAINT_FAINT, [SPF_PASS] = PAINT_GOOD,
	[SPF_FAIL] = PAINT_BAD,      [SPF_SOFTFAIL] = PAINT_WARN, [SPF_TEMPERROR] = PAINT_WARN,
	[SPF_PERMERROR] = PAINT_BAD,
};

static void print_line(const char *title, const char *text)
{
	if (*text)
		output_text("%-12s %s\n", title, text);
}

static void print_text(const struct spf_verdict *verdict, const struct spf_header *header)
{
	char address[PREFIX_TEXT_MAX];

	output_text("%s as a sender for %s: ", addr_format(&header->ip, address),
		    *verdict->domain ? verdict->domain : "nobody");
	output_paint(paints[verdict->result], "%s\n", spf_result_name(verdict->result));
	print_line("decided by", verdict->mechanism);
	print_line("problem", verdict->problem);
	print_line(verdict->explained ? "domain says" : "explanation", verdict->explanation);
	output_text("%-12s %u of %d terms asked the DNS, %u of %d found nothing; %u %s\n",
		    "lookups", verdict->lookups, SPF_LOOKUPS_MAX, verdict->void_lookups,
		    SPF_VOIDS_MAX, verdict->queries,
		    plural(verdict->queries, "question", "questions"));
}

static int print_verdict(const struct cli_call *call, const struct question *question,
			 struct error *err)
{
	const struct spf_verdict *verdict = spf_verdict(question->spf);
	const struct spf_header header = {
		.verdict = verdict,
		.ip = question->request.ip,
		.helo = question->request.helo,
		.from = question->from,
		.receiver = question->receiver,
	};
	int code = 0;

	if (!verdict)
		return error_set(err, ERROR_REFUSED, "the DNS was asked, and nothing came back");
	if (call->option[OPTION_JSON])
		code = print_json(verdict, &header, err);
	else
		print_text(verdict, &header);
	return code < 0 || verdict->result != SPF_FAIL ? code : CLI_FOUND;
}

static int run_check_spf(struct cli_call *call, struct error *err)
{
	struct question question = { 0 };
	int code = take_request(&question, call, err);

	if (code < 0)
		return code;
	code = check_open(&question.check, call, err);
	if (code == 0)
		code = evaluate(&question, err);
	if (code == 0)
		code = print_verdict(call, &question, err);
	spf_free(&question.spf);
	check_close(&question.check);
	return code;
}

#define NEEDS (CLI_TAKES(OPTION_IP) | CLI_TAKES(OPTION_HELO) | CLI_TAKES(OPTION_FROM))

const struct cli_command command_check_spf = {
	.name = "check spf",
	.arguments = "",
	.options = NEEDS | CLI_TAKES(OPTION_DNS),
	.needs = NEEDS,
	.group = GROUP_CHECK,
	.summary = "evaluate SPF: may this host send mail for this sender",
	.text = "Evaluates the SPF record (RFC 7208) of the sender's domain as the gateway would, "
		"for mail from the host ADDR that says NAME in HELO or EHLO. MAILBOX is what is in "
		"MAIL FROM; an empty one, '<>', is a bounce, for which the domain of HELO is asked."
		"\n\nNo agent has to run. The DNS servers of this host are asked, or with --dns "
		"that one alone. The exit code is 1 if the result is fail, and 0 for every other "
		"result.",
	.examples = { "posternctl check spf --ip 192.0.2.7 --helo mx.example --from a@example.net",
		      "posternctl check spf --ip 192.0.2.7 --helo mx.example --from '<>' --json",
		      "posternctl check spf --ip ::1 --helo a.example --from '<>' --dns [::1]:53" },
	.found = "fail",
	.run = run_check_spf,
};
