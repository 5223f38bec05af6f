/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/action.c - see lib/action.h.
 */
#include "lib/action.h"

#define ACTION_WORD(name, text) [ACTION_##name] = text,
static const char *const words[ACTION_COUNT] = { ACTION_LIST(ACTION_WORD) };
#undef ACTION_WORD

const char *action_name(unsigned int action)
{
	return action < ACTION_COUNT ? words[action] : "unknown";
}
