/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/lists_internal.h - shared by the files of gate/lists. Nobody else includes it.
 */
#ifndef POSTERN_GATE_LISTS_INTERNAL_H
#define POSTERN_GATE_LISTS_INTERNAL_H

#include <pthread.h>

#include "conf/conf.h"
#include "gate/lists.h"
#include "gate/table.h"
#include "store/resolve.h"

struct lists {
	struct store *store;
	struct gate *gate;
	struct table *table;            /* the gate's */
	pthread_mutex_t turn;           /* one change at a time */
	char contact[CONF_CONTACT_MAX]; /* that refused clients are told */
	uint64_t slots;                 /* bit n: a list has slot n, as of the last change */
};

/* One prefix whose entries change, and what the table must do about it. */
struct step {
	struct prefix prefix;
	uint8_t before; /* class that took effect at the prefix, or CLASS_NONE */
	uint8_t after;
	struct table_cover cover; /* what shows through if nothing does any more */
};

#define STEPS_MAX TABLE_REPLACE_MAX /* prefixes that one change touches; more is a rebuild */

/*
 * A change under way, from change_begin() to change_end(). Between them the store's transaction is
 * edited; change_touch() is called with each prefix before its entries are.
 */
struct change {
	struct lists *lists;
	struct store_txn *txn;
	struct step *step;
	size_t steps;
	bool rebuild; /* fill the other generation, rather than taking the steps in place */
	bool removes; /* a list goes: its slot may not be used before every packet has let go */
};

int change_begin(struct change *change, struct lists *lists, struct error *err);
int change_touch(struct change *change, const struct list_info *list, const struct prefix *prefix,
		 struct error *err);
/*
 * With `result` 0: makes the change durable and lets the kernel follow. Otherwise, or if that
 * fails, nothing has happened. Returns 0 or the error.
 */
int change_end(struct change *change, int result, struct error *err);

/* The slots that lists have: bit n is slot n. */
uint64_t slots_of(const struct resolve_lists *view);

/* Fills the generation that is not live from the transaction, and publishes it. */
int rebuild_fill(struct lists *lists, struct store_txn *txn, struct error *err);
void rebuild_publish(struct lists *lists, const struct resolve_lists *view);

#endif
