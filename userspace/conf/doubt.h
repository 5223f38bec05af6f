/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/doubt.h - what a configuration may say, and what is hardly meant. Unlike conf_check() this
 * refuses nothing.
 *
 * Pure. Asked of a file (posternd --check, posternctl config check) and of what is there while the
 * agent runs (its log, posternctl status): interfaces can be attached by hand, too.
 */
#ifndef POSTERN_CONF_DOUBT_H
#define POSTERN_CONF_DOUBT_H

#include <jansson.h>

#include "conf/conf.h"

#define CONF_DOUBTS_MAX 2 /* at a time */

struct conf_scope {
	enum conf_role role;
	size_t zones;      /* DNS lists of addresses */
	size_t interfaces; /* that are, or will be, attached to */
	bool no_login;     /* passwords are for backends to tell, and none may be told one */
};

struct conf_scope conf_scope(const struct conf *conf);
/* For what is there while the agent runs: of the published configuration. */
struct conf_scope conf_scope_now(void);

/* What is to be told of it: texts that last, without a full stop. Returns how many. */
size_t conf_doubts(const struct conf_scope *scope, const char *out[CONF_DOUBTS_MAX]);
/* The same as an array: a new reference, or NULL. */
json_t *conf_doubts_json(const struct conf_scope *scope);

#endif
