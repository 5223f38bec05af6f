/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of conf share: configurations that are read from text, and the messages about
 * those that are refused. Everything fails the test that calls it, so nothing returns an error.
 */
#ifndef POSTERN_TESTS_CONF_FIXTURE_H
#define POSTERN_TESTS_CONF_FIXTURE_H

#include "conf/conf.h"

#define TEST_FILE "test.yaml" /* the name of the file that read_conf() reads */
#define OPTIONS   133         /* the options that there are */

/* A file that moves every option from its default. */
extern const char every_option[];

/* The caller frees what these return. */
struct conf *read_conf(const char *text);
struct conf *read_defaults(void);

/* The names of the options that differ, each followed by " ", or by "! " if it needs a restart. */
struct differences {
	size_t count;
	char names[4096];
};
void list_differences(const struct conf *before, const struct conf *after,
		      struct differences *seen);

/* Has a file "f" of `len` bytes refused; returns the message, which the next call overwrites. */
const char *refusal_of(const char *text, size_t len);

/* Texts, and the messages with which they are refused. */
struct refused {
	const char *text;
	const char *error;
};
void assert_refused(const struct refused *rows, size_t count);

#endif
