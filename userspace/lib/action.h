/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/action.h - the words of actions, as in maps/action.h.
 */
#ifndef POSTERN_LIB_ACTION_H
#define POSTERN_LIB_ACTION_H

#include "maps/action.h"

/* "drop", "reset", ...; "unknown" for a number that is none. */
const char *action_name(unsigned int action);

#endif
