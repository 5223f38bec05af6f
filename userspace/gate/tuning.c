/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/tuning.c - see gate/tuning.h.
 *
 * The settings are read from the store whenever something is put together; they are few, and so
 * there is no copy that could differ.
 */
#include "gate/tuning.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define SETTING_LIMIT    "limit." /* in the store: this, then the key of the limit */
#define SETTING_KEY_MAX  64
#define SETTING_TEXT_MAX 64
#define OPTIONS_MAX      CONF_OPTIONS_MAX

_Static_assert(CONF_PORTS_MAX <= FLOOD_PORTS, "every protected port has its own floods");

struct tuning {
	struct gate *gate;
	struct lists *lists;
	pthread_mutex_t lock; /* guards what follows, and the order of publications */
	struct conf *file;
};

/* The options that the operator may set. */
struct option_names {
	char name[OPTIONS_MAX][SETTING_KEY_MAX];
	size_t count;
};

static void add_limit(const struct conf_limit_row *row, void *arg)
{
	struct option_names *names = arg;

	if (names->count < OPTIONS_MAX)
		snprintf(names->name[names->count++], SETTING_KEY_MAX, CONF_LIMITS "%s", row->key);
}

static void collect_options(const struct conf *conf, struct option_names *out)
{
	out->count = 0;
	conf_limits(conf, add_limit, out);
	snprintf(out->name[out->count++], SETTING_KEY_MAX, TUNING_MONITOR);
}

/* The key in the store of an option's setting. */
static char *setting_key(const char *option, char out[SETTING_KEY_MAX])
{
	const size_t prefix = strlen(CONF_LIMITS);

	if (!strncmp(option, CONF_LIMITS, prefix))
		snprintf(out, SETTING_KEY_MAX, SETTING_LIMIT "%s", option + prefix);
	else
		snprintf(out, SETTING_KEY_MAX, "%s", option);
	return out;
}

/* A setting that differs from the store's: what tuning_set() is about to make of it. */
struct candidate {
	const char *option;
	const char *text; /* NULL: it is taken back */
};

/* Puts one setting on top. One in the store that is not valid any more is left aloud. */
static int put_setting(const struct tuning *tuning, struct conf *conf, const char *option,
		       const struct candidate *candidate, struct error *err)
{
	char key[SETTING_KEY_MAX], text[SETTING_TEXT_MAX];
	int found;

	if (candidate && !strcmp(candidate->option, option))
		return candidate->text ? conf_option_set(conf, option, candidate->text, err) : 0;
	found = lists_setting_get(tuning->lists, setting_key(option, key), text, sizeof(text), err);
	if (found <= 0)
		return found;
	if (conf_option_set(conf, option, text, err))
		log_warning("setting.ignored", "{s:s, s:s}", "option", option, "error", err->text);
	return 0;
}

static int put_settings(const struct tuning *tuning, struct conf *conf,
			const struct candidate *candidate, struct error *err)
{
	struct option_names names;
	int failed = 0;

	collect_options(conf, &names);
	for (size_t i = 0; i < names.count && !failed; i++)
		failed = put_setting(tuning, conf, names.name[i], candidate, err);
	return failed ? failed : conf_check(conf, err);
}

/* Makes what is to be in force of a file and the settings. */
static int combine(const struct tuning *tuning, const struct conf *file,
		   const struct candidate *candidate, struct conf **out, struct error *err)
{
	struct conf *conf;
	int failed = conf_copy(file, &conf, err);

	if (failed)
		return failed;
	failed = put_settings(tuning, conf, candidate, err);
	if (failed)
		conf_free(&conf);
	else
		*out = conf;
	return failed;
}

/* As above at start: if the settings contradict the file, the file alone is in force. */
static int combine_leniently(const struct tuning *tuning, const struct conf *file,
			     struct conf **out, struct error *err)
{
	struct conf *conf;
	struct error why;
	int failed = conf_copy(file, &conf, err);

	if (failed)
		return failed;
	if (put_settings(tuning, conf, NULL, &why)) {
		log_warning("settings.ignored", "{s:s}", "error", why.text);
		conf_free(&conf);
		failed = conf_copy(file, &conf, err);
	}
	if (!failed)
		*out = conf;
	return failed;
}

struct gate_settings tuning_settings(const struct conf *conf)
{
	struct gate_settings settings = { .flood = { .threshold = conf->flood.threshold,
						     .release = conf->flood.release,
						     .hold = conf->flood.hold,
						     .proof = conf->flood.proof,
						     .cookies = conf->flood.cookies },
					  .reset_rate = conf->limits.reset_rate,
					  .monitor = conf->monitor,
					  .events = conf->events.rate,
					  .ports = conf->ports.port,
					  .port_count = conf->ports.count };

	for (int level = 0; level < METER_LEVELS; level++)
		settings.limit[level] =
			(struct gate_limit){ .rate = conf->limits.level[level].rate,
					     .burst = conf->limits.level[level].burst,
					     .conns = conf->limits.level[level].conns };
	return settings;
}

/* Takes over `conf`: it is published, and nothing can fail any more. */
static void enforce(struct tuning *tuning, struct conf **conf)
{
	const struct gate_settings settings = tuning_settings(*conf);

	gate_set(tuning->gate, &settings);
	lists_set_contact(tuning->lists, (*conf)->refuse.contact);
	conf_publish(*conf);
	*conf = NULL;
}

int tuning_open(struct tuning **out, struct gate *gate, struct lists *lists,
		const struct conf *file, struct error *err)
{
	struct tuning *tuning = calloc(1, sizeof(*tuning));
	struct conf *conf = NULL;
	int failed;

	if (!tuning)
		return error_set(err, ERROR_REFUSED, "out of memory");
	tuning->gate = gate;
	tuning->lists = lists;
	pthread_mutex_init(&tuning->lock, NULL);
	failed = conf_copy(file, &tuning->file, err);
	if (!failed)
		failed = combine_leniently(tuning, file, &conf, err);
	if (failed) {
		tuning_close(&tuning);
		return failed;
	}
	enforce(tuning, &conf);
	*out = tuning;
	return 0;
}

void tuning_close(struct tuning **tuning)
{
	if (!*tuning)
		return;
	conf_publish(NULL);
	conf_free(&(*tuning)->file);
	pthread_mutex_destroy(&(*tuning)->lock);
	free(*tuning);
	*tuning = NULL;
}

int tuning_reload(struct tuning *tuning, const struct conf *file, struct error *err)
{
	struct conf *kept = NULL, *conf = NULL;
	int failed;

	pthread_mutex_lock(&tuning->lock);
	failed = conf_copy(file, &kept, err);
	if (!failed)
		failed = combine(tuning, file, NULL, &conf, err);
	if (!failed) {
		enforce(tuning, &conf);
		conf_free(&tuning->file);
		tuning->file = kept;
		kept = NULL;
	}
	pthread_mutex_unlock(&tuning->lock);
	conf_free(&kept);
	return failed;
}

static bool may_be_set(const struct conf *conf, const char *option)
{
	struct option_names names;

	collect_options(conf, &names);
	for (size_t i = 0; i < names.count; i++)
		if (!strcmp(names.name[i], option))
			return true;
	return false;
}

/* First checked, then durable, then in force. */
static int set_locked(struct tuning *tuning, const struct candidate *candidate, struct error *err)
{
	char key[SETTING_KEY_MAX];
	struct conf *conf = NULL;
	int failed;

	if (candidate->text && strlen(candidate->text) >= SETTING_TEXT_MAX)
		return error_set(err, ERROR_USAGE, "%s: a value of at most %d characters",
				 candidate->option, SETTING_TEXT_MAX - 1);
	failed = combine(tuning, tuning->file, candidate, &conf, err);
	if (!failed)
		failed = lists_setting_put(tuning->lists, setting_key(candidate->option, key),
					   candidate->text, err);
	if (!failed)
		enforce(tuning, &conf);
	conf_free(&conf);
	return failed;
}

/* There is no "default" for monitor mode: to set what the file says takes the setting back. */
static bool is_as_in_file(const struct conf *file, const struct candidate *candidate)
{
	return candidate->text && !strcmp(candidate->option, TUNING_MONITOR) &&
	       !strcmp(candidate->text, file->monitor ? "true" : "false");
}

int tuning_set(struct tuning *tuning, const char *option, const char *text, struct error *err)
{
	struct candidate candidate = { .option = option, .text = text };
	int failed;

	pthread_mutex_lock(&tuning->lock);
	if (is_as_in_file(tuning->file, &candidate))
		candidate.text = NULL;
	if (may_be_set(tuning->file, option))
		failed = set_locked(tuning, &candidate, err);
	else
		failed = error_set(err, ERROR_USAGE, "no limit \"%.32s\"",
				   strncmp(option, CONF_LIMITS, strlen(CONF_LIMITS))
					   ? option
					   : option + strlen(CONF_LIMITS));
	pthread_mutex_unlock(&tuning->lock);
	return failed;
}

bool tuning_monitor(void)
{
	const struct conf *conf = conf_read_begin();
	const bool monitor = conf && conf->monitor;

	conf_read_end();
	return monitor;
}
