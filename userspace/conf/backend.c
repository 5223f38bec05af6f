/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/backend.c - a server behind the gateway, as the operator writes it.
 *
 * Called by type.c, whose rules hold here, too. An address comes first; the words after it may
 * stand in any order, each once, and those that exclude each other set the same bit.
 */
#include "conf/schema.h"

#include <stdlib.h>
#include <string.h>

#define PORT_PLAIN    25u
#define PORT_IMPLICIT 465u

_Static_assert(offsetof(struct conf_backends, backend) == sizeof(size_t), "conf: list members");

/* What a word is about. Two words about one thing contradict each other, or repeat it. */
enum about { START = 1, PEER = 2, TOLD = 4, SHARE = 8 };

struct row {
	struct conf_backend backend;
	unsigned int said; /* bits of enum about */
	struct error *err;
};

static int take_flag(struct row *row, const char *value, uint16_t number)
{
	(void)value;
	row->backend.tls |= number;
	return 0;
}

static int take_told(struct row *row, const char *value, uint16_t number)
{
	(void)value;
	row->backend.told = number;
	return 0;
}

static int take_verify(struct row *row, const char *value, uint16_t number)
{
	char name[DOMAIN_MAX];

	if (domain_parse(value, strlen(value), name, row->err))
		return error_prefix(row->err, "verify");
	memcpy(row->backend.host, name, sizeof(name));
	row->backend.tls |= number;
	return 0;
}

static int take_pin(struct row *row, const char *value, uint16_t number)
{
	const size_t digits = sizeof(row->backend.fingerprint) - 2;

	if (strlen(value) != digits || strspn(value, "0123456789abcdefABCDEF") != digits)
		return error_set(row->err, ERROR_REFUSED,
				 "pin: %zu hex digits are wanted, the SHA-256 of the public key",
				 digits);
	for (size_t i = 0; i < digits; i++)
		row->backend.fingerprint[i] = (char)(value[i] | 0x20); /* digits have that bit */
	row->backend.tls |= number;
	return 0;
}

static int take_weight(struct row *row, const char *value, uint16_t number)
{
	uint64_t weight = 0;

	(void)number;
	if (conf_range_parse(value, 1, CONF_WEIGHT_MAX, &weight, row->err))
		return error_prefix(row->err, "weight");
	row->backend.weight = (uint16_t)weight;
	return 0;
}

static int take_backup(struct row *row, const char *value, uint16_t number)
{
	(void)value;
	row->backend.weight = number;
	return 0;
}

/* A word that ends in "=" has a value. */
static const struct {
	const char *word;
	enum about about;
	int (*take)(struct row *row, const char *value, uint16_t number);
	uint16_t number;
} words[] = {
	{ "starttls", START, take_flag, 0 },
	{ "tls", START, take_flag, CONF_BACKEND_IMPLICIT },
	{ "verify=", PEER, take_verify, CONF_BACKEND_VERIFY },
	{ "pin=", PEER, take_pin, CONF_BACKEND_PIN },
	{ "xclient", TOLD, take_told, CONF_BACKEND_XCLIENT },
	{ "proxy", TOLD, take_told, CONF_BACKEND_PROXY },
	{ "weight=", SHARE, take_weight, 0 },
	{ "backup", SHARE, take_backup, 0 },
};

static bool is_word(const char *text, const char *word)
{
	const size_t len = strlen(word);

	return word[len - 1] == '=' ? !strncmp(text, word, len) : !strcmp(text, word);
}

static int read_word(struct row *row, const char *text)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!is_word(text, words[i].word))
			continue;
		if (row->said & words[i].about)
			return conf_refuse(row->err, text,
					   "contradicts or repeats a word before it");
		row->said |= words[i].about;
		return words[i].take(row, text + strlen(words[i].word), words[i].number);
	}
	return conf_refuse(row->err, text,
			   "is none of starttls, tls, verify=NAME, pin=HEX, xclient, "
			   "proxy, weight=N, backup");
}

/* What was not said follows from what was. */
static void complete(struct row *row)
{
	struct conf_backend *backend = &row->backend;

	if (row->said & START && !(row->said & PEER))
		backend->tls |= CONF_BACKEND_STARTTLS;
	if (!backend->port)
		backend->port = backend->tls & CONF_BACKEND_IMPLICIT ? PORT_IMPLICIT : PORT_PLAIN;
}

static int read_backend(struct row *row, const char *text, char *rest)
{
	const char *word = conf_word(&rest);

	if (!word)
		return conf_refuse(row->err, text, "is not ADDRESS:PORT, as 192.0.2.1:25");
	if (conf_endpoint_parse(word, &row->backend.addr, &row->backend.port, row->err))
		return ERROR_REFUSED;
	while ((word = conf_word(&rest)))
		if (read_word(row, word))
			return ERROR_REFUSED;
	complete(row);
	return 0;
}

int conf_backend_parse(const struct conf_option *option, const char *text, void *field,
		       struct error *err)
{
	char *copy = strdup(text);
	struct row row;
	int rc;

	if (!copy)
		return error_set(err, ERROR_REFUSED, "out of memory");
	memset(&row, 0, sizeof(row));
	row.backend.weight = 1;
	row.err = err;
	rc = read_backend(&row, text, copy);
	free(copy);
	return rc ? rc : conf_append(option, field, &row.backend, sizeof(row.backend), err);
}

bool conf_backend_same(const void *a, const void *b)
{
	const struct conf_backend *first = a, *second = b;

	return first->port == second->port &&
	       !memcmp(&first->addr, &second->addr, sizeof(first->addr));
}
