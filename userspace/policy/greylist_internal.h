/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/greylist_internal.h - shared by greylist.c and greylist_store.c. Nobody else includes it.
 */
#ifndef POSTERN_POLICY_GREYLIST_INTERNAL_H
#define POSTERN_POLICY_GREYLIST_INTERNAL_H

#include <pthread.h>

#include "lib/siphash.h"
#include "policy/aged.h"
#include "policy/greylist.h"
#include "store/snapshot.h"

#define GREYLIST_MAKER_SECONDS 3600u

struct seen {
	struct aged aged;
	uint32_t first, last;
	bool passed; /* so it is in the table of these */
};

/* What new domains a network has come with. */
struct maker {
	struct aged aged;
	uint32_t since, made; /* so many from then on */
};

/* A key has one hash in all tables. */
struct greylist {
	struct siphash_key secret; /* of the hash */
	pthread_mutex_t lock;      /* of the tables and of `changes` */
	struct aged_table *waiting, *passed, *makers;
	uint64_t changes; /* so many questions may have changed something */
	uint64_t saved;   /* as many are on disk; of the thread that saves */
};

/* The node of the hash, made if there is none; whoever was touched longest ago gives way. */
struct aged *greylist_node(struct aged_table *table, uint64_t hash, bool *made);
/* Also what is of the time to come: there is no saying how long ago that was. */
bool greylist_is_over(const struct seen *seen, const struct greylist_rules *rules, uint32_t now);

/*
 * What greylist_load() does with the octets of a file, of which it changes the order. Nothing is
 * used of those that greylist_save() would not make: an error.
 */
int greylist_decode(struct greylist *greylist, const struct greylist_rules *rules,
		    const struct snapshot *snapshot, uint32_t now, struct error *err);

#endif
