/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/row.h - how the rows of the schema are written: a macro for each kind of row.
 *
 * For schema.c and schema_smtp.h. Every macro makes one initializer of struct conf_option; its name
 * says what is alike in all rows of the kind.
 */
#ifndef POSTERN_CONF_ROW_H
#define POSTERN_CONF_ROW_H

#include "conf/schema.h"

#define RATE_MAX 1000000u
#define DAY      86400u /* seconds */

/* Where the value of a row lives. */
#define FIELD(member)                                                                              \
	.offset = offsetof(struct conf, member), .size = sizeof(((struct conf *)NULL)->member)

/* Rows of the limits: most of them is alike. */
#define LIMIT(key, member, initial, what, text)                                                    \
	ROW(CONF_LIMITS key, limits.member, 0, RATE_MAX, initial, what, text)
#define RATE(key, place, initial, whom)                                                            \
	LIMIT("rate-" key, level[place].rate, initial, "attempts/s",                               \
	      "Connection attempts from " whom ". 0 is no limit.")
#define BURST(key, place, initial, whom)                                                           \
	LIMIT("burst-" key, level[place].burst, initial, "attempts",                               \
	      "Attempts from " whom " that may come at once. 0 is as many as the rate.")
#define CONN(key, place, initial, whom)                                                            \
	LIMIT("conn-" key, level[place].conns, initial, "connections",                             \
	      "Connections from " whom " at a time. 0 is no limit.")

/* A number that a reload applies, and one that only a restart does. */
#define NUMBER(key, field, least, most, initial, what, live, text)                                 \
	{                                                                                          \
		.name = key, .type = CONF_NUMBER, FIELD(field), .min = (least), .max = (most),     \
		.preset = initial, .unit = what, .reloadable = (live), .help = text                \
	}
#define ROW(key, field, least, most, initial, what, text)                                          \
	NUMBER(key, field, least, most, initial, what, true, text)
#define FIXED(key, field, least, most, initial, what, text)                                        \
	NUMBER(key, field, least, most, initial, what, false, text)

/* Rows of the resolver: none of them can change while it runs. */
#define DNS(key, member, least, most, initial, what, text)                                         \
	FIXED("dns." key, dns.member, least, most, initial, what, text)

#define SWITCH(key, field, initial, text)                                                          \
	{                                                                                          \
		.name = key, .type = CONF_BOOL, FIELD(field), .preset = initial,                   \
		.reloadable = true, .help = text                                                   \
	}
#define CHOICE(key, field, initial, words, text)                                                   \
	{                                                                                          \
		.name = key, .type = CONF_CHOICE, FIELD(field), .preset = initial,                 \
		.reloadable = true, .choices = (words), .help = text                               \
	}
#define SCORE(key, field, initial, text)                                                           \
	{                                                                                          \
		.name = key, .type = CONF_SCORE, FIELD(field), .max = SCORE_MAX,                   \
		.preset = initial, .unit = "points", .reloadable = true, .help = text              \
	}
#define FINDING_ROW(name, text, initial, about)                                                    \
	SCORE("score." text, score[FINDING_##name], initial, about "."),

/* A list; its members are texts in the file, and it is empty by default. */
#define LIST(key, field, kind, most, live, text)                                                   \
	{                                                                                          \
		.name = key, .type = (kind), FIELD(field), .max = (most), .preset = "",            \
		.reloadable = (live), .help = text                                                 \
	}
/* A file or a directory that need not be named. */
#define PATH(key, field, live, text)                                                               \
	{                                                                                          \
		.name = key, .type = CONF_TEXT, FIELD(field), .preset = "",                        \
		.unit = "an absolute path", .reloadable = (live), .check = conf_check_path_any,    \
		.help = text                                                                       \
	}

#define SMTP(key, member, least, most, initial, what, text)                                        \
	ROW("smtp." key, smtp.member, least, most, initial, what, text)
#define SMTP_FIXED(key, member, least, most, initial, what, text)                                  \
	FIXED("smtp." key, smtp.member, least, most, initial, what, text)
#define CHECK(key, member, initial, text) CHOICE("check." key, check.member, initial, checks, text)

#endif
