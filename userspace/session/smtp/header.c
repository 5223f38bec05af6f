/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/header.c - the fields that this hop adds, for session/smtp/header.h.
 *
 * Called once for each message. What a stranger said is cleaned to characters that cannot end a
 * line, a comment or a word, and cut; so every line stays below the 998 octets of RFC 5322 2.1.1.
 */
#include "session/smtp/header.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DATE_MAX     40
#define PROTOCOL_MAX 16
#define FINDINGS_MAX 900

/* Characters of names, address literals and lookup ids (RFC 5321 4.1.2 and 4.1.3). */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]"

struct writer {
	char *out;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *fmt, ...)
{
	const size_t room = HEADER_OWN_MAX - writer->used;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(writer->out + writer->used, room, fmt, args);
	va_end(args);
	writer->used += len < 0 ? 0 : (size_t)len < room ? (size_t)len : room - 1;
}

/* A name that somebody gave, or `none` if there is none. */
static const char *clean(const char *text, const char *none, char out[HEADER_VALUE_MAX + 1])
{
	size_t len = 0;

	if (!*text)
		return none;
	for (; len < HEADER_VALUE_MAX && text[len]; len++)
		out[len] = strchr(NAME_LETTERS, text[len]) ? text[len] : '?';
	out[len] = '\0';
	return out;
}

/* Findings are our own words, with the names of lists in them: one line of printable ASCII. */
static void put_findings(struct writer *writer, const char *findings)
{
	char words[FINDINGS_MAX + 1];
	size_t len = 0;

	if (!*findings)
		return;
	for (; len < FINDINGS_MAX && findings[len]; len++)
		words[len] = findings[len] >= ' ' && findings[len] <= '~' ? findings[len] : '?';
	words[len] = '\0';
	put(writer, "X-Postern: %s\r\n", words);
}

/* RFC 5322 3.3, in UTC and in English, whatever the locale. */
static const char *date(time_t when, char out[DATE_MAX])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm = { .tm_mday = 1 };

	gmtime_r(&when, &tm);
	snprintf(out, DATE_MAX, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
		 months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return out;
}

/* The word of RFC 3848, or of RFC 6531 4.3. */
static const char *protocol(const struct header_hop *hop, char out[PROTOCOL_MAX])
{
	const char *base = hop->utf8 ? "UTF8SMTP" : hop->esmtp ? "ESMTP" : "SMTP";
	const bool extended = hop->utf8 || hop->esmtp;

	snprintf(out, PROTOCOL_MAX, "%s%s%s", base, extended && *hop->tls_version ? "S" : "",
		 extended && hop->authenticated ? "A" : "");
	return out;
}

/* A recipient has been parsed (path.h); other characters than ASCII need SMTPUTF8 in a header. */
static bool shows_recipient(const struct header_hop *hop)
{
	for (const char *at = hop->recipient; *at; at++)
		if ((unsigned char)*at < ' ' || *at == '\x7f' ||
		    ((unsigned char)*at >= 0x80 && !hop->utf8))
			return false;
	return *hop->recipient;
}

static void put_received(struct writer *writer, const struct header_hop *hop)
{
	const char *tag = addr_is_ipv4(&hop->client) ? "" : "IPv6:";
	char helo[HEADER_VALUE_MAX + 1], name[HEADER_VALUE_MAX + 1], more[HEADER_VALUE_MAX + 1];
	char addr[PREFIX_TEXT_MAX], word[PROTOCOL_MAX], when[DATE_MAX];

	put(writer, "Received: from %s\r\n\t(%s [%s%s])\r\n", clean(hop->helo, "unknown", helo),
	    clean(hop->client_name, "unknown", name), tag, addr_format(&hop->client, addr));
	put(writer, "\tby %s (Postern)\r\n\twith %s id %s", clean(hop->hostname, "localhost", name),
	    protocol(hop, word), clean(hop->id, "none", more));
	if (*hop->tls_version)
		put(writer, "\r\n\t(version=%s cipher=%s)", clean(hop->tls_version, "", name),
		    clean(hop->tls_cipher, "unknown", more));
	if (shows_recipient(hop))
		put(writer, "\r\n\tfor %s", hop->recipient);
	put(writer, ";\r\n\t%s\r\n", date(hop->when, when));
}

size_t header_compose(const struct header_hop *hop, char out[HEADER_OWN_MAX])
{
	struct writer writer = { .out = out };
	char field[SPF_HEADER_MAX];

	if (hop->spf) {
		put(&writer, "%s", spf_header_results(hop->spf, field));
		put(&writer, "%s", spf_header_received(hop->spf, field));
	}
	put_findings(&writer, hop->findings);
	put_received(&writer, hop);
	return writer.used;
}
