/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/path.c - implements session/smtp/path.h: the path; parameters are in parameter.c.
 *
 * Called for every MAIL and RCPT. The line is looked at once for octets that may be nowhere in it;
 * then one function for each part of the grammar moves a cursor forward, and what it has found is
 * copied. Nothing is allocated but in libidn2, and nothing repeats beyond the line's length.
 */
#include "session/smtp/path.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/addr.h"
#include "lib/text.h"

/* atext of RFC 5322 3.2.3 that is neither letter nor digit. */
#define ATEXT_SPECIALS "!#$%&'*+-/=?^_`{|}~"
#define INDIRECT       "%!@"
#define IPV6_TAG       "IPv6:"

/* Room for a local part as it is written, "@", a domain, brackets and NUL. */
_Static_assert(PATH_LOCAL_MAX + 1 + DOMAIN_LENGTH_MAX + 2 + 1 <= PATH_TEXT_MAX, "path: text");

struct cursor {
	const char *at;
	struct path *path;
	struct error *err;
};

static int refuse(const struct cursor *cursor, const char *text)
{
	return error_set(cursor->err, ERROR_REFUSED, "%s", text);
}

/* What may be nowhere: control characters, what is no UTF-8, and what hides (lib/text.h). */
static int check_octets(const char *line, size_t len, bool utf8, struct error *err)
{
	size_t taken;
	uint32_t code;

	for (size_t at = 0; at < len; at += taken) {
		taken = text_character(line + at, len - at, &code);
		if (taken != 1 && !utf8)
			return error_set(err, ERROR_REFUSED, "not ASCII, and without SMTPUTF8");
		if (!taken)
			return error_set(err, ERROR_REFUSED, "not valid UTF-8");
		if (!text_showable(code))
			return error_set(err, ERROR_REFUSED, "a control character");
	}
	return 0;
}

static bool is_atext(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (unsigned char)c >= 0x80 || (c && strchr(ATEXT_SPECIALS, c));
}

/* Atoms with single dots between them. */
static int read_dot_string(struct cursor *cursor, size_t *used)
{
	const char *start = cursor->at;

	while (is_atext(*cursor->at) || *cursor->at == '.') {
		if (*cursor->at == '.' && (cursor->at == start || !is_atext(cursor->at[1])))
			return refuse(cursor, "a dot at the wrong place of the local part");
		cursor->at++;
	}
	*used = (size_t)(cursor->at - start);
	if (*used > PATH_LOCAL_MAX)
		return refuse(cursor, "the local part is too long");
	memcpy(cursor->path->local, start, *used);
	return *used ? 0 : refuse(cursor, "no local part");
}

/* "..." with "\" before any character; `used` counts the quotes. */
static int read_quoted(struct cursor *cursor, size_t *used)
{
	const char *start = cursor->at++;
	size_t len = 0;

	while (*cursor->at && *cursor->at != '"') {
		if (*cursor->at == '\\')
			cursor->at++;
		if (!*cursor->at)
			break;
		if (len == PATH_LOCAL_MAX)
			return refuse(cursor, "the local part is too long");
		cursor->path->local[len++] = *cursor->at++;
	}
	if (*cursor->at++ != '"')
		return refuse(cursor, "a quote that does not end");
	*used = (size_t)(cursor->at - start);
	if (*used > PATH_LOCAL_MAX)
		return refuse(cursor, "the local part is too long");
	cursor->path->quoted = true;
	return len ? 0 : refuse(cursor, "no local part");
}

static int read_local(struct cursor *cursor, size_t *used)
{
	int rc = *cursor->at == '"' ? read_quoted(cursor, used) : read_dot_string(cursor, used);

	cursor->path->indirect = strpbrk(cursor->path->local, INDIRECT) != NULL;
	return rc;
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]". No other kind of literal was ever registered. */
static int read_literal(struct cursor *cursor)
{
	const char *inside = cursor->at + 1;
	const bool six = !strncasecmp(inside, IPV6_TAG, strlen(IPV6_TAG));
	const char *host = inside + (six ? strlen(IPV6_TAG) : 0);
	const size_t len = strcspn(host, "]");
	char text[PREFIX_TEXT_MAX];
	struct addr addr;

	if (host[len] != ']' || (memchr(host, ':', len) != NULL) != six ||
	    addr_parse(host, len, &addr, NULL))
		return refuse(cursor, "not an address in the brackets");
	snprintf(cursor->path->domain, sizeof(cursor->path->domain), "[%s%s]",
		 addr_is_ipv4(&addr) ? "" : IPV6_TAG, addr_format(&addr, text));
	cursor->path->literal = true;
	cursor->at = host + len + 1;
	return 0;
}

/* A name up to one of `ends`. */
static int read_name(struct cursor *cursor, const char *ends, char out[DOMAIN_MAX])
{
	const size_t len = strcspn(cursor->at, ends);
	int rc = domain_parse(cursor->at, len, out, cursor->err);

	cursor->at += len;
	return rc;
}

/* "@one.example,@two.example:", which says nothing that counts (RFC 5321 4.1.1.3, appendix C). */
static int read_route(struct cursor *cursor)
{
	char ignored[DOMAIN_MAX];

	while (*cursor->at == '@') {
		cursor->at++;
		if (read_name(cursor, ",:>", ignored))
			return ERROR_REFUSED;
		if (*cursor->at == ':') {
			cursor->at++;
			cursor->path->route = true;
			return 0;
		}
		if (*cursor->at++ != ',')
			break;
	}
	return refuse(cursor, "a source route that does not end");
}

/* What only one local part may lack (RFC 5321 4.5.1). */
static bool is_alone(const struct path *path)
{
	return !path->quoted && !path->route && !strcasecmp(path->local, "postmaster");
}

static int read_domain(struct cursor *cursor)
{
	cursor->at++;
	return *cursor->at == '[' ? read_literal(cursor)
				  : read_name(cursor, ">", cursor->path->domain);
}

static int read_mailbox(struct cursor *cursor)
{
	struct path *path = cursor->path;
	const char *local;
	size_t used = 0;

	if (*cursor->at == '@' && read_route(cursor))
		return ERROR_REFUSED;
	local = cursor->at;
	if (read_local(cursor, &used))
		return ERROR_REFUSED;
	if (*cursor->at != '@' && (*cursor->at != '>' || !is_alone(path)))
		return refuse(cursor, "not an address with a local part and a domain");
	if (*cursor->at == '@' && read_domain(cursor))
		return ERROR_REFUSED;
	snprintf(path->text, sizeof(path->text), "<%.*s%s%s>", (int)used, local,
		 path->domain[0] ? "@" : "", path->domain);
	return 0;
}

static bool is_written_in_utf8(const char *from, const char *to)
{
	for (; from < to; from++)
		if ((unsigned char)*from >= 0x80)
			return true;
	return false;
}

static int read_path(struct cursor *cursor)
{
	const char *start = cursor->at;

	if (*cursor->at != '<')
		return refuse(cursor, "an address in < and > is wanted");
	cursor->at++;
	if (*cursor->at == '>') {
		cursor->path->null = true;
		memcpy(cursor->path->text, "<>", sizeof("<>"));
	} else if (read_mailbox(cursor)) {
		return ERROR_REFUSED;
	}
	if (*cursor->at != '>')
		return refuse(cursor, "an address that does not end in >");
	cursor->at++;
	cursor->path->utf8 = is_written_in_utf8(start, cursor->at);
	if (*cursor->at && *cursor->at != ' ')
		return refuse(cursor, "something behind the address");
	return 0;
}

int path_parse(char *line, size_t len, bool utf8, struct path_line *out, struct error *err)
{
	struct path_line read = { .count = 0 };
	struct cursor cursor = { .at = line, .path = &read.path, .err = err };

	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		line[--len] = '\0';
	if (check_octets(line, len, utf8, err))
		return ERROR_REFUSED;
	cursor.at += strspn(line, " ");
	if (read_path(&cursor) || path_parameters_parse(line + (cursor.at - line), &read, err))
		return ERROR_REFUSED;
	*out = read;
	return 0;
}
