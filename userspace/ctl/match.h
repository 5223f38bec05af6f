/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/match.h - the entries that hold an address, and what follows from them.
 *
 * Collected from lists_test() by the handlers of list.test, list.add, list.del and why. A match is
 * copied, because its texts only live during the callback.
 *
 * Learned blocks stand below the lists: they decide where no list does that is enforced.
 *
 * Limit: MATCHES_MAX entries; of one address there can be no more than lists times lengths, and
 * what is beyond the limit is left out, never the deciding entry, which comes first.
 */
#ifndef POSTERN_CTL_MATCH_H
#define POSTERN_CTL_MATCH_H

#include <jansson.h>

#include "gate/learned.h"
#include "gate/lists.h"

#define MATCHES_MAX   1024
#define OVERRULED_MAX 128

struct match {
	struct list_info list;
	struct entry entry;
	bool decides;
	char source[NOTE_TEXT_MAX + 1];
	char reason[NOTE_TEXT_MAX + 1];
	char overruled[OVERRULED_MAX];
};

struct matches {
	struct match *match;
	size_t count;
	bool incomplete; /* memory was out, or MATCHES_MAX reached */
};

/*
 * What the kernel has learned about the address is among them in guard mode, as an entry of the
 * list LEARNED_LIST with the prefix that it is known by.
 */
int matches_find(struct gate *gate, struct lists *lists, const struct addr *addr,
		 struct matches *out, struct error *err);
void matches_clear(struct matches *matches);

/* The one that the kernel acts on, or NULL. */
const struct match *matches_deciding(const struct matches *matches);

/*
 * What takes effect for the whole of a prefix: of the entries that hold all of it, the one that the
 * rules of gate/lists.h choose; NULL if there is none. Entries further in do not count.
 */
const struct match *matches_effective(const struct matches *matches, const struct prefix *prefix);

/* A block that was learned, as an entry of the list LEARNED_LIST. */
#define LEARNED_SOURCE "guard"
#define LEARNED_REASON "bad reputation"
struct entry learned_entry(const struct gate_learned *learned);

/* Whether the match is one of those that lists do not hold. */
bool match_is_learned(const struct match *match);

/* A new reference, or NULL. */
json_t *match_json(const struct match *match);

#endif
