/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/names.h - the words for the numbers of the kernel's contract, as users see them.
 *
 * The JSON answers, the log lines and the metrics all take their words from here, so that one
 * thing has one name everywhere. A number that the contract does not know (a damaged or foreign map
 * value) is "unknown"; no function fails, none returns memory that has to be freed.
 */
#ifndef POSTERN_OBS_NAMES_H
#define POSTERN_OBS_NAMES_H

#include "gate/gate.h"
#include "lib/action.h"
#include "store/store.h"

#define NAME_UNKNOWN "unknown"

const char *reason_name(unsigned int reason);      /* "listed", "rate-source", ... */
const char *reason_help(unsigned int reason);      /* one line for a person */
const char *reason_kind_name(unsigned int reason); /* "pass" or "stop" */
const char *family_name(unsigned int family);      /* "ipv4" or "ipv6" */
const char *outcome_name(unsigned int outcome);    /* "enforced" or "monitored" */
const char *list_kind_name(unsigned int kind);     /* "block" or "allow" */
const char *role_name(unsigned int role);          /* "filter", "guard", "proxy" */
const char *gate_mode_name(unsigned int mode);     /* "auto", "native", "generic" */
const char *cookies_name(unsigned int cookies);    /* "off", "armed", "on", "unavailable" */
const char *meter_level_name(unsigned int level);  /* "source", "net", "site", "total" */

/*
 * The list in `lists` that had the slot when the program's clock was `mono`, or NULL: a slot that a
 * removed list had goes to another one.
 */
const struct list_info *list_by_slot(const struct list_info *lists, size_t count, unsigned int slot,
				     uint64_t mono);

#endif
