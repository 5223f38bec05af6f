/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_smtp.c - see tools/ctl_smtp.h.
 */
#include "tools/ctl_smtp.h"

#include <inttypes.h>

#include "lib/clock.h"
#include "lib/units.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

#define EXPIRY_WARN (14u * 86400) /* seconds; as the alert has it */

/* `turned`: those who came when there was no room. */
static void print_sessions(const json_t *sessions, uint64_t turned)
{
	const uint64_t open = field_count(sessions, "open"), max = field_count(sessions, "max");
	char first[DURATION_TEXT_MAX], second[DURATION_TEXT_MAX], third[DURATION_TEXT_MAX];

	output_label("Sessions");
	output_paint(open >= max ? PAINT_BAD : PAINT_NONE, "%s open", number_format(open, first));
	output_text(" of at most %s; %s so far, %s with TLS", number_format(max, first),
		    number_format(field_count(sessions, "total"), second),
		    number_format(field_count(sessions, "tls"), third));
	if (turned)
		output_paint(PAINT_WARN, "; %s turned away for want of room",
			     number_format(turned, first));
	output_text("\n");
}

/* "2 spf, 1 helo": by name, without those of which there are none; returns how many names. */
static size_t print_by_name(const char *label, const json_t *counts)
{
	const char *name;
	const json_t *count;
	char text[DURATION_TEXT_MAX];
	size_t names = 0;

	json_object_foreach((json_t *)counts, name, count)
	{
		const uint64_t number = (uint64_t)json_integer_value(count);

		if (!number)
			continue;
		if (names++)
			output_text(", ");
		else
			output_label(label);
		output_text("%s %s", number_format(number, text), name);
	}
	if (names)
		output_text("\n");
	return names;
}

static void print_refused(const json_t *refused)
{
	if (print_by_name("Refused", refused))
		return;
	output_label("Refused");
	output_text("nothing and nobody\n");
}

/* One by one, because each is renewed by itself. */
static void print_certificates(const json_t *certificates)
{
	const uint64_t now = clock_wall();
	const json_t *certificate;
	char when[WHEN_TEXT_MAX];
	size_t i;

	json_array_foreach(certificates, i, certificate)
	{
		const uint64_t expires = field_count(certificate, "expires");

		output_label(i ? "" : "Certificates");
		output_text("%s ", field_text(certificate, "file"));
		output_paint(expires <= now                ? PAINT_BAD
			     : expires - now < EXPIRY_WARN ? PAINT_WARN
							   : PAINT_NONE,
			     "%s %s\n", expires <= now ? "has expired" : "expires",
			     when_relative(expires, when));
	}
}

static void print_unknown(const json_t *unknown)
{
	const uint64_t hourly = field_count(unknown, "hourly"), ttl = field_count(unknown, "ttl");
	char first[DURATION_TEXT_MAX], second[DURATION_TEXT_MAX], third[DURATION_TEXT_MAX];

	if (!json_is_object(unknown))
		return;
	output_label("Unknown");
	if (ttl)
		output_text("%s recipients are remembered, for %s; %s were refused by that; ",
			    number_format(field_count(unknown, "remembered"), first),
			    duration_format(ttl, second),
			    number_format(field_count(unknown, "refused"), third));
	else
		output_text("recipients are not remembered; ");
	if (hourly)
		output_text("a client may name %s in an hour\n", number_format(hourly, first));
	else
		output_text("a client may name any number\n");
}

static void print_counts(const json_t *smtp)
{
	const json_t *sessions = json_object_get(smtp, "sessions");
	const json_t *messages = json_object_get(smtp, "messages");
	char first[DURATION_TEXT_MAX], second[DURATION_TEXT_MAX], third[DURATION_TEXT_MAX];

	print_sessions(sessions, field_count(json_object_get(smtp, "refused"), "load"));
	output_label("Messages");
	output_text("%s accepted, %s rejected and %s deferred by backends\n",
		    number_format(field_count(messages, "accepted"), first),
		    number_format(field_count(messages, "rejected"), second),
		    number_format(field_count(messages, "deferred"), third));
	print_refused(json_object_get(smtp, "refused"));
	print_by_name("Watched", json_object_get(smtp, "watched"));
	print_unknown(json_object_get(smtp, "unknown"));
	print_certificates(json_object_get(smtp, "certificates"));
	output_text("\n");
}

static int add_backend(struct columns *columns, const json_t *backend, struct error *err)
{
	const bool up = field_true(backend, "up");
	char open[DURATION_TEXT_MAX], accepted[DURATION_TEXT_MAX], since[DURATION_TEXT_MAX];
	const struct cell cells[] = {
		{ field_text(backend, "name"), PAINT_NONE },
		{ up ? "up" : "down", up ? PAINT_GOOD : PAINT_BAD },
		{ duration_format(field_count(backend, "seconds"), since), PAINT_FAINT },
		{ number_format(field_count(backend, "open"), open), PAINT_NONE },
		{ number_format(field_count(backend, "accepted"), accepted), PAINT_NONE },
		{ field_true(backend, "backup") ? "backup" : "", PAINT_FAINT },
		{ field_text(backend, "why"), PAINT_WARN },
	};

	return columns_row(columns, cells, err);
}

static int print_backends(const json_t *backends, struct error *err)
{
	static const struct column titles[] = {
		{ "BACKEND", ALIGN_LEFT }, { "STATE", ALIGN_LEFT }, { "FOR", ALIGN_RIGHT },
		{ "OPEN", ALIGN_RIGHT },   { "MAIL", ALIGN_RIGHT }, { "ROLE", ALIGN_LEFT },
		{ "WHY", ALIGN_LEFT },
	};

	return columns_print(titles, sizeof(titles) / sizeof(titles[0]), backends, add_backend,
			     err);
}

int smtp_print(const json_t *smtp, struct error *err)
{
	int code;

	if (!json_is_object(smtp))
		return 0;
	output_text("\n");
	print_counts(smtp);
	code = print_backends(json_object_get(smtp, "backends"), err);
	output_text("\n");
	return code;
}
