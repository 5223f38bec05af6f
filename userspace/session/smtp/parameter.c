/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/parameter.c - the parameters of MAIL and RCPT, for session/smtp/path.h.
 *
 * Called by path_parse() with what stands behind the path, which has no control characters any
 * more. A parameter is passed on to the backend as it was written, so what has a form is checked
 * here: nothing is sent on that this gateway cannot read.
 */
#include "session/smtp/path.h"

#include <string.h>
#include <strings.h>

#define SIZE_DIGITS 20  /* RFC 1870 4 */
#define ENVID_MAX   100 /* RFC 3461 4.4 */
#define ORCPT_MAX   500 /* RFC 3461 4.2 */

#define DIGITS  "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool is_one_of(const char *value, const char *const *words)
{
	for (; *words; words++)
		if (!strcasecmp(value, *words))
			return true;
	return false;
}

static bool is_upper_hex(char c)
{
	return c && strchr("0123456789ABCDEF", c);
}

/* xtext of RFC 3461 4: "+" comes before two digits, and "=" is not there. */
static bool is_xtext(const char *value, size_t max)
{
	if (!*value || strlen(value) > max)
		return false;
	for (; *value; value++) {
		if (*value == '=')
			return false;
		if (*value != '+')
			continue;
		if (!is_upper_hex(value[1]) || !is_upper_hex(value[2]))
			return false;
		value += 2;
	}
	return true;
}

static bool is_size(const char *value)
{
	return strspn(value, DIGITS) == strlen(value) && strlen(value) <= SIZE_DIGITS;
}

static bool is_body(const char *value)
{
	static const char *const words[] = { "7BIT", "8BITMIME", "BINARYMIME", NULL };

	return is_one_of(value, words);
}

static bool is_ret(const char *value)
{
	static const char *const words[] = { "FULL", "HDRS", NULL };

	return is_one_of(value, words);
}

static bool is_envid(const char *value)
{
	return is_xtext(value, ENVID_MAX);
}

/* NEVER alone, or a list of the others (RFC 3461 4.1), each once. */
static bool is_notify(const char *value)
{
	static const char *const words[] = { "SUCCESS", "FAILURE", "DELAY" };
	unsigned int seen = 0;

	if (!strcasecmp(value, "NEVER"))
		return true;
	for (;;) {
		const size_t len = strcspn(value, ",");
		unsigned int i = 0;

		while (i < 3 && (strlen(words[i]) != len || strncasecmp(value, words[i], len) != 0))
			i++;
		if (i == 3 || seen & 1u << i)
			return false;
		seen |= 1u << i;
		if (!value[len])
			return true;
		value += len + 1;
	}
}

/* The type of an address, ";", and the address (RFC 3461 4.2, RFC 6533 3). */
static bool is_orcpt(const char *value)
{
	const size_t type = strspn(value, LETTERS DIGITS "-");

	return type && value[type] == ';' && strlen(value) <= ORCPT_MAX &&
	       is_xtext(value + type + 1, ORCPT_MAX);
}

/* Who has sent it, or "<>" for somebody who did not log in (RFC 4954 5). */
static bool is_auth(const char *value)
{
	return !strcmp(value, "<>") || is_xtext(value, ORCPT_MAX);
}

static const struct {
	const char *name;
	bool (*check)(const char *value); /* NULL: it has no value */
} known[] = {
	{ "SIZE", is_size },   { "BODY", is_body },     { "SMTPUTF8", NULL },  { "RET", is_ret },
	{ "ENVID", is_envid }, { "NOTIFY", is_notify }, { "ORCPT", is_orcpt }, { "AUTH", is_auth },
};

static bool is_valid(const struct path_parameter *parameter)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasecmp(parameter->name, known[i].name) != 0)
			continue;
		if (!known[i].check)
			return !parameter->value;
		return parameter->value && known[i].check(parameter->value);
	}
	return true;
}

/* esmtp-param of RFC 5321 4.1.2. */
static bool is_formed(const struct path_parameter *parameter)
{
	const char *name = parameter->name;

	if (!*name || *name == '-' || name[strspn(name, LETTERS DIGITS "-")])
		return false;
	return !parameter->value || (*parameter->value && !strchr(parameter->value, '='));
}

const struct path_parameter *path_parameter(const struct path_line *line, const char *name)
{
	for (size_t i = 0; i < line->count; i++)
		if (!strcasecmp(line->parameter[i].name, name))
			return &line->parameter[i];
	return NULL;
}

/* Ends the name at its "=". */
static struct path_parameter split(char *word)
{
	char *equals = strchr(word, '=');

	if (equals)
		*equals++ = '\0';
	return (struct path_parameter){ .name = word, .value = equals };
}

static int add(struct path_line *line, char *word, struct error *err)
{
	const struct path_parameter parameter = split(word);

	if (!is_formed(&parameter))
		return error_set(err, ERROR_REFUSED, "a parameter that is not NAME or NAME=VALUE");
	if (path_parameter(line, parameter.name))
		return error_set(err, ERROR_REFUSED, "a parameter that is there twice");
	if (!is_valid(&parameter))
		return error_set(err, ERROR_REFUSED, "a parameter with a value it cannot have");
	if (line->count == PATH_PARAMETERS_MAX)
		return error_set(err, ERROR_REFUSED, "too many parameters");
	line->parameter[line->count++] = parameter;
	return 0;
}

int path_parameters_parse(char *text, struct path_line *out, struct error *err)
{
	char *rest = text;

	for (char *word; (word = strtok_r(rest, " ", &rest));)
		if (add(out, word, err))
			return ERROR_REFUSED;
	return 0;
}
