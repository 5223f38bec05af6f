/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/resolve.h - which entries take effect where lists overlap.
 *
 * The rules are those of gate/lists.h. The kernel only looks for the longest match, so what another
 * entry overrules is left out of its table: a block entry inside an allow entry, and an entry of
 * a list in monitor mode inside an enforced one. Then the longest prefix that is left is the right
 * one.
 */
#ifndef POSTERN_STORE_RESOLVE_H
#define POSTERN_STORE_RESOLVE_H

#include "store/store.h"

/* The lists of one transaction, in the order of their names. */
struct resolve_lists {
	struct list_info list[LIST_SLOTS];
	int count;
};
int resolve_lists_read(struct store_txn *txn, struct resolve_lists *out, struct error *err);

/* What takes effect at one prefix: CLASS_NONE if nothing does. */
struct effect {
	struct prefix prefix;
	uint8_t list_class;
};

/*
 * Calls `cb` for every prefix that takes effect, in the order of prefix_compare(). A result other
 * than 0 ends the walk and is returned.
 */
typedef int (*effect_cb)(const struct effect *effect, void *arg);
int resolve_walk(struct store_txn *txn, const struct resolve_lists *lists, effect_cb cb, void *arg,
		 struct error *err);

/*
 * What takes effect at exactly `prefix` (`at`), and the longest shorter prefix that holds it and
 * takes effect (`cover`).
 */
int resolve_prefix(struct store_txn *txn, const struct resolve_lists *lists,
		   const struct prefix *prefix, struct effect *at, struct effect *cover,
		   struct error *err);

/* Returns 1 if a change of `list` at `prefix` may change what takes effect at prefixes inside it.
 */
int resolve_reaches_inside(struct store_txn *txn, const struct resolve_lists *lists,
			   const struct list_info *list, const struct prefix *prefix,
			   struct error *err);

#endif
