/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/action.h - what is done to a connection attempt from a listed address.
 *
 * The numbers are the order of strictness: of two entries for the same prefix the higher one wins.
 * Refuse and tarpit keep their place in the order; this version enforces drop and reset.
 */
#ifndef POSTERN_MAPS_ACTION_H
#define POSTERN_MAPS_ACTION_H

#include "abi.h"

/*        name    text       enforced by this version */
#define ACTION_LIST(X)                                                                             \
	X(REFUSE, "refuse", 0) /* answer with an SMTP 554 that says why */                         \
	X(RESET, "reset", 1)   /* answer with a TCP RST */                                         \
	X(TARPIT, "tarpit", 0) /* hold the client's connection with a zero window */               \
	X(DROP, "drop", 1)     /* no answer */

#define ACTION_ENUM(name, text, enforced) ACTION_##name,
enum action { ACTION_LIST(ACTION_ENUM) ACTION_COUNT };
#undef ACTION_ENUM

_Static_assert(ACTION_COUNT == 4, "ABI: an action is two bits of a list class");

#endif
