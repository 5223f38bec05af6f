/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_header.c - implements checks/spf_header.h.
 *
 * Everything is written through struct writer, which stops at the end of the buffer; the sizes are
 * such that it never comes to that.
 */
#include "checks/spf_header.h"

#include <stdio.h>
#include <string.h>

#define FOLD "\r\n\t"

struct writer {
	char *out;
	size_t used;
};

static void put(struct writer *writer, char c)
{
	if (writer->used + 1 < SPF_HEADER_MAX)
		writer->out[writer->used++] = c;
	writer->out[writer->used] = '\0';
}

static void put_text(struct writer *writer, const char *text)
{
	while (*text)
		put(writer, *text++);
}

/* What may stand in a text for people, between characters that `escaped` names. */
static void put_escaped(struct writer *writer, const char *text, const char *escaped)
{
	for (size_t i = 0; i < SPF_VALUE_MAX && text[i]; i++) {
		if (strchr(escaped, text[i]))
			put(writer, '\\');
		put(writer, text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	}
}

static bool is_alphanum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* atext of RFC 5322 3.2.3 with the dots of a dot-atom; all of it may stand in a token, too. */
static bool is_dot_atom(const char *text, const char *specials)
{
	size_t length = strlen(text);

	if (!length || length > SPF_VALUE_MAX || text[0] == '.' || text[length - 1] == '.' ||
	    strstr(text, ".."))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_alphanum(text[i]) && !strchr(specials, text[i]))
			return false;
	return true;
}

static void put_quoted(struct writer *writer, const char *text)
{
	put(writer, '"');
	put_escaped(writer, text, "\"\\");
	put(writer, '"');
}

static void put_value(struct writer *writer, const char *text)
{
	if (is_dot_atom(text, ".!#$%&'*+-/=?^_`{|}~"))
		put_text(writer, text);
	else
		put_quoted(writer, text);
}

static void put_key(struct writer *writer, const char *key, const char *value)
{
	put_text(writer, FOLD);
	put_text(writer, key);
	put(writer, '=');
	put_value(writer, value);
	put(writer, ';');
}

/* What the result means, in words, for the comment. */
static const char *meaning(enum spf_result result)
{
	switch (result) {
	case SPF_PASS:
		return "is allowed to send its mail";
	case SPF_FAIL:
		return "is not allowed to send its mail";
	case SPF_SOFTFAIL:
		return "is probably not allowed to send its mail";
	case SPF_NEUTRAL:
		return "is neither allowed nor forbidden to send its mail";
	case SPF_NONE:
		return "is not told of, because there is no SPF record";
	case SPF_TEMPERROR:
		return "could not be checked for now";
	default:
		return "could not be checked, because the SPF record is wrong";
	}
}

static void put_comment(struct writer *writer, const struct spf_header *header)
{
	char address[PREFIX_TEXT_MAX];

	put(writer, '(');
	put_escaped(writer, header->receiver, "()\\");
	put_text(writer, ":" FOLD "domain of ");
	put_escaped(writer, header->verdict->domain, "()\\");
	put_text(writer, ":" FOLD);
	put_text(writer, addr_format(&header->ip, address));
	put(writer, ' ');
	put_text(writer, meaning(header->verdict->result));
	put(writer, ')');
}

static bool is_error(enum spf_result result)
{
	return result == SPF_TEMPERROR || result == SPF_PERMERROR;
}

/* The mailbox that was checked in place of an empty one has no key: envelope-from is what was said.
 */
char *spf_header_received(const struct spf_header *header, char out[SPF_HEADER_MAX])
{
	const struct spf_verdict *verdict = header->verdict;
	struct writer writer = { .out = out };
	char address[PREFIX_TEXT_MAX];

	put_text(&writer, "Received-SPF: ");
	put_text(&writer, spf_result_name(verdict->result));
	put_text(&writer, FOLD);
	put_comment(&writer, header);
	put_key(&writer, "receiver", header->receiver);
	put_key(&writer, "identity", verdict->identity == SPF_HELO ? "helo" : "mailfrom");
	put_key(&writer, "envelope-from", header->from);
	put_key(&writer, "helo", header->helo);
	if (is_error(verdict->result))
		put_key(&writer, "problem", verdict->problem);
	else if (*verdict->mechanism)
		put_key(&writer, "mechanism", verdict->mechanism);
	put_key(&writer, "client-ip", addr_format(&header->ip, address));
	writer.used--; /* the last ";" */
	put_text(&writer, "\r\n");
	return out;
}

/* A pvalue of RFC 8601 2.2: a mailbox or a domain as it is, or a quoted string. */
static void put_property(struct writer *writer, const char *text)
{
	static const char specials[] = ".!#$%&'*+-/^_`{|}~";
	char local[SPF_VALUE_MAX + 1];
	const char *at = strrchr(text, '@');
	size_t length = at ? (size_t)(at - text) : 0;
	bool plain = is_dot_atom(at ? at + 1 : text, "-._");

	if (at && plain) {
		plain = length < sizeof(local);
		if (plain) {
			memcpy(local, text, length);
			local[length] = '\0';
			plain = is_dot_atom(local, specials);
		}
	}
	if (plain && strlen(text) <= SPF_VALUE_MAX)
		put_text(writer, text);
	else
		put_quoted(writer, text);
}

static void put_result(struct writer *writer, const struct spf_header *header)
{
	const struct spf_verdict *verdict = header->verdict;
	const bool helo = verdict->identity == SPF_HELO || !*header->from;

	put_text(writer, "spf=");
	put_text(writer, spf_result_name(verdict->result));
	if (*verdict->problem) {
		put_text(writer, FOLD "reason=");
		put_quoted(writer, verdict->problem);
	}
	put_text(writer, FOLD);
	put_text(writer, helo ? "smtp.helo=" : "smtp.mailfrom=");
	put_property(writer, helo ? header->helo : header->from);
}

char *spf_header_result(const struct spf_header *header, char out[SPF_HEADER_MAX])
{
	struct writer writer = { .out = out };

	put_result(&writer, header);
	return out;
}

char *spf_header_results(const struct spf_header *header, char out[SPF_HEADER_MAX])
{
	struct writer writer = { .out = out };

	put_text(&writer, "Authentication-Results: ");
	put_value(&writer, header->receiver);
	put_text(&writer, ";" FOLD);
	put_result(&writer, header);
	put_text(&writer, "\r\n");
	return out;
}
