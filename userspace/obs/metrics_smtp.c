/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/metrics_smtp.c - the metrics of the SMTP front, of all its workers together, and of the
 * backends. In other modes than proxy there are none.
 *
 * Most rows are one field of struct smtp_stats, or of struct backend_info: `detail` is its offset.
 */
#include <inttypes.h>

#include "obs/metrics_internal.h"

#define G METRIC_GAUGE
#define C METRIC_COUNTER
#define H METRIC_HISTOGRAM

static void write_field(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	fprintf(out, "%s %" PRIu64 "\n", metric->name,
		metrics_field(&input->smtp->stats, metric->detail));
}

static void write_unknowns(const struct metric *metric, const struct metrics_input *input,
			   FILE *out)
{
	fprintf(out, "%s %" PRIu64 "\n", metric->name, input->smtp->unknowns);
}

static void write_refused(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (unsigned int i = 0; i < SMTP_REFUSALS; i++)
		fprintf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", metric->name,
			smtp_refusal_name((enum smtp_refusal)i), input->smtp->stats.refused[i]);
}

static void write_watched(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (unsigned int i = CHECK_NONE + 1; i < CHECK_COUNT; i++)
		fprintf(out, "%s{check=\"%s\"} %" PRIu64 "\n", metric->name,
			check_name((enum check)i), input->smtp->stats.watched[i]);
}

static void write_latency(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	metrics_write_latency(metric->name, &input->smtp->stats.latency, out);
}

static void write_up(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (size_t i = 0; i < input->smtp->backends; i++)
		fprintf(out, "%s{backend=\"%s\"} %d\n", metric->name, input->smtp->backend[i].name,
			input->smtp->backend[i].up);
}

static void write_backend(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (size_t i = 0; i < input->smtp->backends; i++)
		fprintf(out, "%s{backend=\"%s\"} %" PRIu64 "\n", metric->name,
			input->smtp->backend[i].name,
			metrics_field(&input->smtp->backend[i], metric->detail));
}

/* A file may be called anything. */
static void write_label_value(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			fputc(*text, out);
	}
}

static void write_expiry(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (size_t i = 0; i < input->smtp->certificates; i++) {
		const struct smtp_certificate *certificate = &input->smtp->certificate[i];

		fprintf(out, "%s{file=\"", metric->name);
		write_label_value(certificate->file, out);
		fprintf(out, "\"} %" PRIu64 "\n", certificate->expires);
	}
}

#define SMTP(member)    offsetof(struct smtp_stats, member)
#define BACKEND(member) offsetof(struct backend_info, member)

const struct metric metrics_smtp[] = {
	{ "postern_smtp_sessions_total", C, "SMTP sessions that have begun.", write_field,
	  SMTP(sessions) },
	{ "postern_smtp_sessions", G, "SMTP sessions that are open.", write_field, SMTP(open) },
	{ "postern_smtp_tls_sessions_total", C, "Of them, those with TLS.", write_field,
	  SMTP(tls_sessions) },
	{ "postern_smtp_authenticated_total", C, "Users who have authenticated.", write_field,
	  SMTP(authenticated) },
	{ "postern_smtp_messages_total", C, "Messages that a backend took.", write_field,
	  SMTP(messages) },
	{ "postern_smtp_message_bytes_total", C, "Their octets.", write_field,
	  SMTP(message_bytes) },
	{ "postern_smtp_recipients_total", C, "Their recipients.", write_field, SMTP(recipients) },
	{ "postern_smtp_messages_rejected_total", C, "Messages that a backend refused for good.",
	  write_field, SMTP(rejected) },
	{ "postern_smtp_messages_deferred_total", C, "Messages that it did not take for now.",
	  write_field, SMTP(deferred) },
	{ "postern_smtp_messages_spooling", G, "Messages that are under way.", write_field,
	  SMTP(spooling) },
	{ "postern_smtp_refused_total", C,
	  "Sessions, senders, recipients and messages that were refused, by the reason.",
	  write_refused, 0 },
	{ "postern_smtp_greylist_passed_total", C,
	  "Recipients of senders who have come again, as greylisting asks.", write_field,
	  SMTP(greylist_passed) },
	{ "postern_smtp_remembered_total", C,
	  "Recipients that were refused because a backend had said that there is no such mailbox.",
	  write_field, SMTP(remembered) },
	{ "postern_smtp_remembered_recipients", G,
	  "Recipients of which that is remembered, 10000 at most.", write_unknowns, 0 },
	{ "postern_smtp_watched_total", C,
	  "Transactions and sessions that would have been refused, did the check not only look.",
	  write_watched, 0 },
	{ "postern_smtp_admission_watched_total", C,
	  "Sessions that a list or a limit would have refused something, but for monitor mode.",
	  write_field, SMTP(admission_watched) },
	{ "postern_smtp_balancer_errors_total", C,
	  "Connections of load balancers that sent no PROXY header, or none that is right.",
	  write_field, SMTP(balancer_errors) },
	{ "postern_smtp_delivery_duration_seconds", H,
	  "From the end of a message to the backend's reply.", write_latency, 0 },
	{ "postern_tls_certificate_expiry_timestamp_seconds", G,
	  "When the certificate in the file expires, in seconds since 1970.", write_expiry, 0 },
	{ "postern_backend_up", G, "1 if the backend is well.", write_up, 0 },
	{ "postern_backend_connections_total", C, "Connections to the backend.", write_backend,
	  BACKEND(connections) },
	{ "postern_backend_reused_total", C, "Transactions on a connection that was there already.",
	  write_backend, BACKEND(reused) },
	{ "postern_backend_open", G, "Connections that are open.", write_backend, BACKEND(open) },
	{ "postern_backend_idle", G, "Of them, those that wait to be used again.", write_backend,
	  BACKEND(idle) },
	{ "postern_backend_transactions_total", C, "Transactions that were begun.", write_backend,
	  BACKEND(transactions) },
	{ "postern_backend_accepted_total", C, "Messages that the backend took.", write_backend,
	  BACKEND(accepted) },
	{ "postern_backend_rejected_total", C, "Messages that it refused.", write_backend,
	  BACKEND(rejected) },
	{ "postern_backend_deferred_total", C, "Messages that it did not take for now.",
	  write_backend, BACKEND(deferred) },
	{ "postern_backend_failures_total", C, "Connections that failed.", write_backend,
	  BACKEND(failures) },
	{ "postern_backend_failovers_total", C, "Transactions that went on with another backend.",
	  write_backend, BACKEND(failovers) },
	{ "postern_backend_ambiguous_total", C,
	  "Messages of which it is not known whether the backend took them (RFC 1047).",
	  write_backend, BACKEND(ambiguous) },
};

const size_t metrics_smtp_count = sizeof(metrics_smtp) / sizeof(metrics_smtp[0]);
