/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/refusal.h - what a refused client is told, one text a list: see maps/refusal.h.
 *
 * "554 5.7.1 " and the list's own text or "refused: listed in NAME", then the operator's contact
 * if there is one. The texts of single entries are not in the kernel; `why` has them.
 */
#ifndef POSTERN_GATE_REFUSAL_H
#define POSTERN_GATE_REFUSAL_H

#include "gate/lists_internal.h"
#include "maps/refusal.h"

/*
 * Pure. `reason` and `contact` may be "". What is not printable ASCII becomes '?', and of a text
 * that is too long the reason is cut, because it is the contact that helps the sender.
 */
void refusal_compose(const char *list, const char *reason, const char *contact,
		     struct refusal *out);

/* Stores the text so that the program sees the old one, none, or the new one. */
void refusal_publish(struct refusal *kernel, const struct refusal *wanted);

/* The texts of all lists as the transaction has them; slots without a block list have none. */
struct refusals {
	struct refusal slot[LIST_SLOTS];
};
int refusals_compose(struct store_txn *txn, const struct resolve_lists *view, const char *contact,
		     struct refusals *out, struct error *err);
/* Publishes those that there are; and, once nobody needs them, takes away those that there were. */
void refusals_publish(struct lists *lists, const struct refusals *wanted);
void refusals_withdraw(struct lists *lists, const struct refusals *wanted);

/* Keeps a list's own text in the store; "" takes it back. */
int refusal_keep(struct store_txn *txn, const char *list, const char *reason, struct error *err);

#endif
