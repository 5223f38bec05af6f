/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/args.h - the arguments of a request in the types that the handlers work with.
 *
 * The table has already checked that what is required is there and has the right JSON type
 * (ctl/request.h); here the texts get their meaning. Nothing is allocated: texts point into the
 * request. Errors name the argument.
 */
#ifndef POSTERN_CTL_ARGS_H
#define POSTERN_CTL_ARGS_H

#include "ctl/command.h"
#include "gate/gate.h"
#include "gate/lists.h"
#include "lib/addr.h"

#define SOURCE_TEXT_MAX 128

/* The text of an argument, or NULL if it was not given. */
const char *arg_text(const struct ctl_request *request, const char *name);
/* The number of an argument, or `missing`. */
uint64_t arg_number(const struct ctl_request *request, const char *name, uint64_t missing);

int arg_kind(const struct ctl_request *request, enum list_kind *out, struct error *err);
int arg_action(const struct ctl_request *request, enum action *out, struct error *err);
/* Leaves `out` as it is if the request names no mode. */
int arg_mode(const struct ctl_request *request, enum gate_mode *out, struct error *err);
int arg_prefix(const struct ctl_request *request, struct prefix *out, struct error *err);
int arg_address(const struct ctl_request *request, struct addr *out, struct error *err);
/* A list's name, or NULL if it was not given. */
int arg_list(const struct ctl_request *request, const char **out, struct error *err);
/* The same for a list whose entries change by hand: not for the one that Postern keeps itself. */
int arg_list_by_hand(const struct ctl_request *request, const char **out, struct error *err);
/* A text for people of at most NOTE_TEXT_MAX bytes, or "". */
int arg_note(const struct ctl_request *request, const char *name, const char **out,
	     struct error *err);

/* "posternctl, user NAME (uid N)". Looks into the user database, so it may wait. Returns `out`. */
char *arg_source(const struct ctl_request *request, char out[SOURCE_TEXT_MAX]);

#endif
