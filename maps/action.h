/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/action.h - what is done to a connection attempt from a listed address.
 *
 * The numbers are the order of strictness: of two entries for the same prefix the higher one wins.
 */
#ifndef POSTERN_MAPS_ACTION_H
#define POSTERN_MAPS_ACTION_H

#include "abi.h"

/*        name    text */
#define ACTION_LIST(X)                                                                             \
	X(REFUSE, "refuse") /* answer with an SMTP 554 that says why */                            \
	X(RESET, "reset")   /* answer with a TCP RST */                                            \
	X(TARPIT, "tarpit") /* hold the client's connection with a zero window */                  \
	X(DROP, "drop")     /* no answer */

#define ACTION_ENUM(name, text) ACTION_##name,
enum action { ACTION_LIST(ACTION_ENUM) ACTION_COUNT };
#undef ACTION_ENUM

_Static_assert(ACTION_COUNT == 4, "ABI: an action is two bits of a list class");

#endif
