/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/actions.c - implements conf/actions.h, and reads the rows of check.domains.
 *
 * Rows are read by type.c's rules, and looked at as a whole by check_smtp.c. A domain comes first;
 * the words after it may stand in any order, each once. There are at most CONF_DOMAINS_MAX rows,
 * and a recipient is compared with each of them.
 */
#include "conf/schema.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(offsetof(struct conf_domain_checks, row) == sizeof(size_t), "conf: list members");

#define FIELD(member) offsetof(struct conf, member)

/* The options of the section by which a word is known, and read. */
static const size_t fields[CONF_ABOUT_COUNT] = {
	[CONF_ABOUT_DNSBL] = FIELD(check.dnsbl),   [CONF_ABOUT_RDNS] = FIELD(check.rdns),
	[CONF_ABOUT_HELO] = FIELD(check.helo),     [CONF_ABOUT_SPF] = FIELD(check.spf),
	[CONF_ABOUT_SENDER] = FIELD(check.sender), [CONF_ABOUT_SCORE] = FIELD(check.score),
};

/* What all domains have that say nothing else. */
static struct conf_actions usual(const struct conf *conf)
{
	struct conf_actions actions;
	enum conf_check action;

	for (size_t i = 0; i < CONF_ABOUT_COUNT; i++) {
		memcpy(&action, (const char *)conf + fields[i], sizeof(action));
		actions.about[i] = (uint8_t)action;
	}
	return actions;
}

static void apply(struct conf_actions *actions, const struct conf_domain_check *row)
{
	for (size_t i = 0; i < CONF_ABOUT_COUNT; i++)
		if (row->said[i])
			actions->about[i] = row->said[i] - 1;
}

struct conf_actions conf_actions(const struct conf *conf, const char *domain)
{
	const struct conf_domain_checks *rows = &conf->check.domains;
	struct conf_actions actions = usual(conf);
	size_t i = 0;

	while (i < rows->count && strcmp(rows->row[i].name, domain) != 0)
		i++;
	if (i < rows->count)
		apply(&actions, &rows->row[i]);
	return actions;
}

void conf_actions_add(struct conf_actions *actions, const struct conf_actions *more)
{
	for (size_t i = 0; i < CONF_ABOUT_COUNT; i++)
		if (more->about[i] > actions->about[i])
			actions->about[i] = more->about[i];
}

struct conf_actions conf_actions_most(const struct conf *conf)
{
	struct conf_actions most = usual(conf);

	for (size_t i = 0; i < conf->check.domains.count; i++) {
		struct conf_actions actions = usual(conf);

		apply(&actions, &conf->check.domains.row[i]);
		conf_actions_add(&most, &actions);
	}
	return most;
}

/* Rows */

static const char *name_of(size_t about)
{
	size_t section;

	return conf_option_key(conf_option_at(fields[about]), &section);
}

/* Whether the word begins with a name and "="; `value` is what stands behind. */
static bool is_about(const char *word, const char *name, const char **value)
{
	const size_t length = strlen(name);

	*value = word + length + 1;
	return !strncmp(word, name, length) && word[length] == '=';
}

static int refuse_word(struct error *err, const char *word)
{
	static const char *const whole[] = { "pregreet", "pipelining", "stage" };
	const char *value;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (is_about(word, whole[i], &value))
			return conf_refuse(err, word,
					   "is about a whole session, not about a recipient");
	return conf_refuse(err, word,
			   "is none of dnsbl=, rdns=, helo=, spf=, sender=, score=, with an "
			   "action");
}

static int read_word(struct conf_domain_check *row, const char *word, struct error *err)
{
	enum conf_check action = CONF_CHECK_OFF;
	const char *value = NULL;
	size_t i = 0;

	while (i < CONF_ABOUT_COUNT && !is_about(word, name_of(i), &value))
		i++;
	if (i == CONF_ABOUT_COUNT)
		return refuse_word(err, word);
	if (row->said[i])
		return conf_refuse(err, word, "contradicts or repeats a word before it");
	if (conf_choice_parse(conf_option_at(fields[i]), value, &action, err))
		return error_prefix(err, "%s", name_of(i));
	row->said[i] = (uint8_t)(action + 1);
	return 0;
}

static int read_row(const char *text, char *rest, struct conf_domain_check *row, struct error *err)
{
	const char *word = conf_word(&rest);
	bool said = false;

	if (conf_domain_read(word ? word : "", row->name, err))
		return ERROR_REFUSED;
	while ((word = conf_word(&rest))) {
		if (read_word(row, word, err))
			return ERROR_REFUSED;
		said = true;
	}
	return said ? 0
		    : conf_refuse(err, text, "says nothing of its domain: add words as spf=tag");
}

int conf_domain_check_parse(const struct conf_option *option, const char *text, void *field,
			    struct error *err)
{
	char *words = strdup(text);
	struct conf_domain_check row;
	int rc;

	if (!words)
		return error_set(err, ERROR_REFUSED, "out of memory");
	memset(&row, 0, sizeof(row));
	rc = read_row(text, words, &row, err);
	free(words);
	return rc ? rc : conf_append(option, field, &row, sizeof(row), err);
}

bool conf_domain_check_same(const void *a, const void *b)
{
	return !strcmp(((const struct conf_domain_check *)a)->name,
		       ((const struct conf_domain_check *)b)->name);
}

/* Contradictions */

static bool is_own(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->smtp.domains.count; i++)
		if (!strcmp(conf->smtp.domains.domain[i].name, name))
			return true;
	return false;
}

/* Whether the client is refused before anybody knows that its mail is for the domain. */
static bool is_too_late(const struct conf *conf, const struct conf_domain_check *row, size_t about)
{
	const uint8_t action = usual(conf).about[about];

	return conf->check.stage == CONF_STAGE_CONNECT && action >= CONF_CHECK_DEFER &&
	       row->said[about] && row->said[about] - 1 < action;
}

static int check_row(const struct conf *conf, const struct conf_domain_check *row,
		     struct error *err)
{
	static const size_t of_client[] = { CONF_ABOUT_RDNS, CONF_ABOUT_SCORE };

	if (!is_own(conf, row->name))
		return error_set(err, ERROR_REFUSED, "%s is not in smtp.domains", row->name);
	for (size_t i = 0; i < sizeof(of_client) / sizeof(of_client[0]); i++)
		if (is_too_late(conf, row, of_client[i]))
			return error_set(err, ERROR_REFUSED,
					 "%s: a milder %s needs check.stage rcpt, because at "
					 "connect nobody knows the recipient",
					 row->name, name_of(of_client[i]));
	return 0;
}

int conf_check_domains(const struct conf *conf, struct error *err)
{
	const struct conf_option *option = conf_option_at(FIELD(check.domains));

	for (size_t i = 0; i < conf->check.domains.count; i++) {
		if (!check_row(conf, &conf->check.domains.row[i], err))
			continue;
		error_prefix(err, "%s", option->name);
		return conf_check_at(conf, option, err);
	}
	return 0;
}
