/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/history_internal.h - what history.c and history_store.c share. Nobody else includes it.
 */
#ifndef POSTERN_POLICY_HISTORY_INTERNAL_H
#define POSTERN_POLICY_HISTORY_INTERNAL_H

#include "policy/history.h"

/* The address by which a source is known. */
struct addr history_key(const struct addr *addr);
size_t history_max(const struct history *history);
/* Takes over a record that the store has; there must be room. It is the youngest then. */
void history_adopt(struct history *history, const struct history_record *record);

#endif
