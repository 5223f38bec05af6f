/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes conf_parse() with files. What is refused has one line of valid UTF-8 that names the file;
 * what is accepted is free of contradictions, differs in nothing from a second reading, and knows
 * where each of its differences from the defaults came from.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/text.h"

#define FILE_NAME "f"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_message(const struct error *err)
{
	const size_t len = strlen(err->text);
	size_t taken;
	uint32_t code;

	require(err->code == ERROR_REFUSED);
	require(!strncmp(err->text, FILE_NAME ":", 2));
	for (size_t at = 0; at < len; at += taken) {
		taken = text_character(err->text + at, len - at, &code);
		require(taken && text_showable(code));
	}
}

static void no_difference(const char *name, bool reloadable, void *arg)
{
	(void)name;
	(void)reloadable;
	(void)arg;
	abort();
}

static void check_origin(const char *name, bool reloadable, void *arg)
{
	char origin[CONF_ORIGIN_MAX];

	(void)reloadable;
	require(!strncmp(conf_origin(arg, name, origin), FILE_NAME ":", 2));
}

static void check_accepted(const char *text, size_t size, struct conf *conf)
{
	struct conf *again = NULL, *defaults = NULL;

	require(!conf_check(conf, NULL));
	require(!conf_parse(FILE_NAME, text, size, &again, NULL));
	conf_diff(conf, again, no_difference, NULL);
	require(!conf_defaults(&defaults, NULL));
	conf_diff(defaults, conf, check_origin, conf);
	conf_free(&again);
	conf_free(&defaults);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct error err = { 0 };
	struct conf *conf = NULL;

	if (conf_parse(FILE_NAME, text, size, &conf, &err)) {
		require(!conf);
		check_message(&err);
	} else {
		check_accepted(text, size, conf);
	}
	conf_free(&conf);
	return 0;
}
