/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/xclient.c - see backend/xclient.h.
 */
#include "backend/xclient.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define VERB        "XCLIENT"
#define UNAVAILABLE "[UNAVAILABLE]"
#define VALUE_MAX   384 /* octets of a value, with its NUL: any fits behind the verb */

static const struct {
	enum xclient_attribute bit;
	const char *name;
} attributes_known[] = {
	{ XCLIENT_ADDR, "ADDR" },         { XCLIENT_PORT, "PORT" },
	{ XCLIENT_NAME, "NAME" },         { XCLIENT_HELO, "HELO" },
	{ XCLIENT_PROTO, "PROTO" },       { XCLIENT_LOGIN, "LOGIN" },
	{ XCLIENT_DESTADDR, "DESTADDR" }, { XCLIENT_DESTPORT, "DESTPORT" },
};

#define ATTRIBUTES (sizeof(attributes_known) / sizeof(attributes_known[0]))

static unsigned int attribute_of(const char *word, size_t length)
{
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (strlen(attributes_known[i].name) == length &&
		    !strncasecmp(attributes_known[i].name, word, length))
			return attributes_known[i].bit;
	return 0;
}

unsigned int xclient_attributes(const char *text, size_t length)
{
	unsigned int found = 0;
	size_t at = 0, word;

	while (at < length) {
		for (word = 0; at + word < length && text[at + word] != ' ';)
			word++;
		found |= attribute_of(text + at, word);
		at += word + 1;
	}
	return found;
}

static void unavailable(char out[VALUE_MAX])
{
	memcpy(out, UNAVAILABLE, sizeof(UNAVAILABLE));
}

/* RFC 3461 4: what is not "!" to "~", and "+" and "=", becomes "+" and two digits. */
static void put_text(char out[VALUE_MAX], const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t at = 0;

	for (; *text && at < VALUE_MAX - 3; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c >= '!' && c <= '~' && c != '+' && c != '=') {
			out[at++] = *text;
			continue;
		}
		out[at++] = '+';
		out[at++] = digits[c >> 4];
		out[at++] = digits[c & 15];
	}
	out[at] = '\0';
	if (!at || *text)
		unavailable(out);
}

static void put_address(char out[VALUE_MAX], const struct addr *addr)
{
	char text[PREFIX_TEXT_MAX];

	snprintf(out, VALUE_MAX, "%s%s",
		 addr_is_ipv4(addr) ? "" : "IPV6:", addr_format(addr, text));
}

static void put_port(char out[VALUE_MAX], uint16_t port)
{
	if (port)
		snprintf(out, VALUE_MAX, "%u", port);
	else
		unavailable(out);
}

static void put_value(char out[VALUE_MAX], enum xclient_attribute attribute,
		      const struct backend_client *client)
{
	switch (attribute) {
	case XCLIENT_ADDR:
		put_address(out, &client->addr);
		break;
	case XCLIENT_PORT:
		put_port(out, client->port);
		break;
	case XCLIENT_NAME:
		put_text(out, client->name);
		break;
	case XCLIENT_HELO:
		put_text(out, client->helo);
		break;
	case XCLIENT_PROTO:
		put_text(out, client->esmtp ? "ESMTP" : "SMTP");
		break;
	case XCLIENT_LOGIN:
		put_text(out, client->login);
		break;
	case XCLIENT_DESTADDR:
		put_address(out, &client->local);
		break;
	case XCLIENT_DESTPORT:
		put_port(out, client->local_port);
		break;
	}
}

unsigned int xclient_command(unsigned int attributes, const struct backend_client *client,
			     char out[XCLIENT_LINE_MAX])
{
	const size_t room = XCLIENT_LINE_MAX - 2; /* for CR LF */
	size_t at = strlen(VERB), length;
	char value[VALUE_MAX];

	memcpy(out, VERB, sizeof(VERB));
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		if (!(attributes & attributes_known[i].bit))
			continue;
		put_value(value, attributes_known[i].bit, client);
		length = (size_t)snprintf(out + at, XCLIENT_LINE_MAX - at, " %s=%.*s",
					  attributes_known[i].name, VALUE_MAX, value);
		if (at + length > room)
			break;
		at += length;
		attributes &= ~(unsigned int)attributes_known[i].bit;
	}
	out[at] = '\0';
	return attributes;
}
