/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/replay/dns_script_line.c - see tests/replay/dns_script_line.h.
 */
#include "tests/replay/dns_script_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS    " \t\r"
#define WORD_SIZE (4 * DNS_NAME_MAX)

/* What is left of a line. */
struct words {
	const char *at, *end;
};

static void skip_blanks(struct words *words)
{
	while (words->at < words->end && strchr(BLANKS, *words->at))
		words->at++;
	if (words->at < words->end && (*words->at == '#' || *words->at == ';'))
		words->at = words->end;
}

/* The next word up to a blank; "" at the end. */
static const char *next_word(struct words *words, char out[WORD_SIZE])
{
	size_t used = 0;

	skip_blanks(words);
	while (words->at < words->end && !strchr(BLANKS, *words->at) && used < WORD_SIZE - 1)
		out[used++] = *words->at++;
	out[used] = '\0';
	skip_blanks(words);
	return out;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One octet between quotes, which "\" may take out of its meaning. */
static char take_octet(struct words *words)
{
	char value;

	if (*words->at != '\\' || words->end - words->at < 2)
		return *words->at++;
	words->at++;
	if (words->end - words->at >= 3 && is_digit(words->at[0]) && is_digit(words->at[1]) &&
	    is_digit(words->at[2])) {
		value = (char)((words->at[0] - '0') * 100 + (words->at[1] - '0') * 10 +
			       words->at[2] - '0');
		words->at += 3;
		return value;
	}
	return *words->at++;
}

/* Strings in quotes, put together; a word without quotes is one, too. */
static bool read_text(struct words *words, struct script_line *line)
{
	bool quoted, any = false;

	for (; words->at < words->end; skip_blanks(words)) {
		quoted = *words->at == '"';
		words->at += quoted;
		while (words->at < words->end &&
		       (quoted ? *words->at != '"' : !strchr(BLANKS, *words->at))) {
			if (line->length == DNS_TEXT_MAX)
				return false;
			line->text[line->length++] = take_octet(words);
		}
		if (quoted && words->at++ == words->end)
			return false;
		any = true;
	}
	return any;
}

static bool read_name(struct words *words, struct script_line *line)
{
	char word[WORD_SIZE];
	struct dns_name name;

	if (!dns_name_parse(next_word(words, word), &name) || !dns_name_format(&name, line->text))
		return false;
	line->length = (uint16_t)strlen(line->text);
	return *word != '\0';
}

static bool read_address(struct words *words, struct script_line *line)
{
	char word[WORD_SIZE];

	next_word(words, word);
	return !addr_parse(word, strlen(word), &line->addr, NULL) &&
	       addr_is_ipv4(&line->addr) == (line->type == DNS_A);
}

static bool read_exchanger(struct words *words, struct script_line *line)
{
	char word[WORD_SIZE];

	line->preference = (uint16_t)strtoul(next_word(words, word), NULL, 10);
	return is_digit(*word) && read_name(words, line);
}

static bool read_target(struct words *words, struct script_line *line)
{
	char word[WORD_SIZE];

	line->kind = LINE_ALIAS;
	return *next_word(words, word) && dns_name_parse(word, &line->target);
}

static const struct {
	const char *word;
	enum dns_type type;
	bool any;
	bool (*read)(struct words *words, struct script_line *line);
} types[] = {
	{ "A", DNS_A, false, read_address },
	{ "AAAA", DNS_AAAA, false, read_address },
	{ "PTR", DNS_PTR, false, read_name },
	{ "TXT", DNS_TXT, false, read_text },
	{ "MX", DNS_MX, false, read_exchanger },
	{ "CNAME", DNS_A, true, read_target },
	{ "ANY", DNS_A, true, NULL },
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static const char *const statuses[DNS_STATUS_COUNT] = {
	[DNS_FOUND] = "FOUND",         [DNS_NODATA] = "NODATA", [DNS_NXDOMAIN] = "NXDOMAIN",
	[DNS_TEMPORARY] = "TEMPORARY", [DNS_BUSY] = "BUSY",
};

static size_t type_of(const char *word)
{
	size_t i = 0;

	while (i < TYPES && strcmp(types[i].word, word) != 0)
		i++;
	return i;
}

/* A status is the last word of its line. */
static bool read_status(struct words *words, struct script_line *line)
{
	struct words rest = *words;
	char word[WORD_SIZE];

	next_word(&rest, word);
	for (unsigned int i = 0; rest.at == rest.end && i < DNS_STATUS_COUNT; i++) {
		if (!strcmp(statuses[i], word)) {
			line->kind = LINE_STATUS;
			line->status = (enum dns_status)i;
			*words = rest;
			return true;
		}
	}
	return false;
}

/* "after MS" and "ttl S", in any order. */
static void read_options(struct words *words, struct script_line *line)
{
	char word[WORD_SIZE], number[WORD_SIZE];

	for (;;) {
		struct words rest = *words;

		next_word(&rest, word);
		next_word(&rest, number);
		if (!is_digit(*number))
			return;
		if (!strcmp(word, "after"))
			line->after = strtoull(number, NULL, 10);
		else if (!strcmp(word, "ttl"))
			line->ttl = (uint32_t)strtoul(number, NULL, 10);
		else
			return;
		*words = rest;
	}
}

static const char *read_line(struct words *words, struct script_line *line)
{
	char word[WORD_SIZE];
	size_t type;

	if (!dns_name_parse(next_word(words, word), &line->name))
		return "not a name";
	type = type_of(next_word(words, word));
	if (type == TYPES)
		return "not a type: A, AAAA, PTR, TXT, MX, CNAME or ANY";
	line->type = types[type].type;
	line->any = types[type].any;
	line->ttl = SCRIPT_TTL;
	read_options(words, line);
	if (read_status(words, line))
		return NULL;
	if (!types[type].read || !types[type].read(words, line) || words->at < words->end)
		return "not a status, and not the data of the type";
	return NULL;
}

static int read_one(struct words words, unsigned int number, struct script_lines *out,
		    struct error *err)
{
	struct script_line *line;
	const char *wrong;

	skip_blanks(&words);
	if (words.at == words.end)
		return 0;
	line = calloc(1, sizeof(*line));
	if (!line)
		abort();
	wrong = read_line(&words, line);
	if (wrong) {
		free(line);
		return error_set(err, ERROR_USAGE, "script, line %u: %s", number, wrong);
	}
	TAILQ_INSERT_TAIL(out, line, link);
	return 0;
}

int script_lines_read(const char *text, struct script_lines *out, struct error *err)
{
	unsigned int number = 1;
	int rc = 0;

	for (const char *end; !rc && *text; text = *end ? end + 1 : end, number++) {
		end = text + strcspn(text, "\n");
		rc = read_one((struct words){ .at = text, .end = end }, number, out, err);
	}
	return rc;
}

void script_lines_free(struct script_lines *lines)
{
	struct script_line *line;

	while ((line = TAILQ_FIRST(lines))) {
		TAILQ_REMOVE(lines, line, link);
		free(line);
	}
}
