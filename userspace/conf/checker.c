/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/checker.c - what texts and members of lists may be, where a type alone does not say it.
 *
 * Rows of the schema name these functions, and type.c calls them before a value is set. Each
 * refuses with what is wrong; the caller puts the option's name before it. A checker walks over its
 * text once, and allocates nothing.
 */
#include "conf/schema.h"

#include <string.h>

#include "lib/text.h"

/* The bytes that may follow the first one in the name of a user or a group. */
#define ACCOUNT_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define ACCOUNT_OTHERS  "0123456789.-"

int conf_check_account(const char *text, struct error *err)
{
	if (!strspn(text, ACCOUNT_LETTERS) || text[strspn(text, ACCOUNT_LETTERS ACCOUNT_OTHERS)])
		return error_set(err, ERROR_REFUSED,
				 "a name starts with a letter and goes on with letters, digits, "
				 "\"_\", \"-\" and \".\"");
	return 0;
}

int conf_check_group(const char *text, struct error *err)
{
	return *text ? conf_check_account(text, err) : 0;
}

int conf_check_path(const char *text, struct error *err)
{
	const size_t len = strlen(text);
	size_t taken;
	uint32_t code;

	if (text[0] != '/')
		return error_set(err, ERROR_REFUSED, "a path starts with \"/\"");
	if (strstr(text, "/../") || (len >= 3 && !strcmp(text + len - 3, "/..")))
		return error_set(err, ERROR_REFUSED, "a path must not go up with \"..\"");
	for (size_t at = 0; at < len; at += taken) {
		taken = text_character(text + at, len - at, &code);
		if (!taken || !text_showable(code))
			return error_set(err, ERROR_REFUSED,
					 "a path must not hold control characters");
	}
	return 0;
}

int conf_check_path_any(const char *text, struct error *err)
{
	return *text ? conf_check_path(text, err) : 0;
}

/* It is told to clients as it is written. */
int conf_check_host(const char *text, struct error *err)
{
	char name[DOMAIN_MAX];

	for (const char *at = text; *at; at++)
		if ((unsigned char)*at >= 0x80)
			return error_set(err, ERROR_REFUSED, "a host name is ASCII");
	return *text ? domain_parse(text, strlen(text), name, err) : 0;
}

/* What the kernel takes for the name of a device; longer names are refused where they are stored.
 */
int conf_check_interface(const char *text, struct error *err)
{
	bool valid = *text && strcmp(text, ".") && strcmp(text, "..");

	for (const char *at = text; *at; at++)
		valid = valid && *at > ' ' && *at < '\x7f' && *at != '/' && *at != ':';
	if (!valid)
		return error_set(err, ERROR_REFUSED, "not the name of a network interface");
	return 0;
}

/* It is put into an SMTP reply, which is ASCII. */
int conf_check_contact(const char *text, struct error *err)
{
	for (const char *at = text; *at; at++)
		if (*at < ' ' || *at > '~')
			return error_set(
				err, ERROR_REFUSED,
				"a contact is printable ASCII, because it is told in SMTP");
	return 0;
}

/* Below 0 it would be everybody of whom nothing is known. */
int conf_check_reject(const char *text, struct error *err)
{
	if (text[0] == '-')
		return error_set(err, ERROR_REFUSED,
				 "a client of whom nothing is known has a score of 0, and would be "
				 "refused");
	return 0;
}
