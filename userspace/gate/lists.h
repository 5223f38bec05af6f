/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/lists.h - the lists as operators know them: the one place that changes the store and the
 * kernel's block table together.
 *
 * Every change is first made durable in the store, then applied to the kernel, then acknowledged. A
 * change that fails anywhere leaves both as they were. All functions may be called from any
 * thread; changes take turns.
 *
 * Rules for overlapping entries, which the table and lists_test() share (store/resolve):
 *   1. An allow entry that holds the address wins over every block entry.
 *   2. An enforced block entry wins over one of a list in monitor mode.
 *   3. The longest prefix wins.
 *   4. At the same prefix the strictest action wins (order of maps/action.h), then the list whose
 *      name sorts first.
 */
#ifndef POSTERN_GATE_LISTS_H
#define POSTERN_GATE_LISTS_H

#include "store/store.h"

struct gate;
struct lists;

/* Borrows both until lists_close(); builds the kernel's table from the store and publishes it. */
int lists_open(struct lists **out, struct store *store, struct gate *gate, struct error *err);
void lists_close(struct lists **lists);

struct list_change {
	enum list_kind kind;
	const char *list;   /* NULL: every list of the kind, for del; the default list for add */
	const char *source; /* who asks, e.g. "posternctl, uid 0" */
	const char *reason; /* of the entry; for load: the file; may be "" */
	const char
		*refusal; /* for load: what refused clients are told; "": the usual; NULL: stays */
	enum action action;
	uint32_t ttl; /* seconds; 0 is never */
};

#define LIST_DEFAULT_BLOCK "local"
#define LIST_DEFAULT_ALLOW "trusted"

int lists_add(struct lists *lists, const struct list_change *change, const struct prefix *prefix,
	      struct error *err);
/* Returns how many lists had exactly this prefix; none is ERROR_REFUSED that says what covers it.
 */
int lists_del(struct lists *lists, const struct list_change *change, const struct prefix *prefix,
	      struct error *err);
/* Replaces the list atomically. `set` is sorted and deduplicated here. */
struct load_result {
	uint64_t ipv4, ipv6, merged; /* entries now in the list; duplicates that were merged */
	uint32_t store_ms, table_ms; /* how long the two steps took */
	uint8_t slot;
};
int lists_load(struct lists *lists, const struct list_change *change, struct entry_set *set,
	       struct load_result *result, struct error *err);
/*
 * Removes the list with its entries and with all that was set for it: monitor mode, its own text
 * for clients. Its slot is free for another list, which starts from nothing.
 */
int lists_clear(struct lists *lists, const struct list_change *change, uint64_t *removed,
		struct error *err);
/* Monitor mode of one list; refused for allow lists. */
int lists_monitor(struct lists *lists, const char *list, bool on, struct error *err);

/*
 * Gives the kernel the texts that refused clients are told: from now on with this contact, "" for
 * none. To be called at start; later changes of the lists follow by themselves.
 */
void lists_set_contact(struct lists *lists, const char *contact);

/*
 * Makes sure that there is a block list of this name, which a part of Postern owns: its slot, and
 * what is told to clients that it refuses.
 */
int lists_own(struct lists *lists, const char *name, const char *refusal, uint8_t *slot,
	      struct error *err);

/* Lets `cb` use the store for something else, in its turn: no list changes meanwhile. */
typedef int (*lists_store_cb)(struct store *store, void *arg, struct error *err);
int lists_with_store(struct lists *lists, lists_store_cb cb, void *arg, struct error *err);

/*
 * Removes what has expired, at most a batch; returns how many, so that the caller comes back. Also
 * tidies up after large changes.
 */
int lists_expire(struct lists *lists, struct error *err);

/* One entry that holds an address, with the reason why it decides or does not. */
struct list_match {
	struct list_info list;
	struct entry entry;
	const char *source; /* valid during the call */
	const char *reason;
	bool decides;          /* this is the entry that the kernel acts on */
	const char *overruled; /* or why not, e.g. "an allow entry wins" */
};
typedef void (*list_match_cb)(const struct list_match *match, void *arg);
/* Calls `cb` for every match of either kind, the deciding one first; returns how many. */
int lists_test(struct lists *lists, const struct addr *addr, list_match_cb cb, void *arg,
	       struct error *err);

/*
 * Whether the program stops attempts of the address now, because of a list: asked of its own table,
 * so it takes nanoseconds. Not for lists in monitor mode.
 */
bool lists_stop(struct lists *lists, const struct addr *addr);

/*
 * The list that decides about an address, or false if none holds it. For threads that must not
 * wait: the kernel's own table says in nanoseconds that there is none; what is on a list, and what
 * comes while a change is under way, is looked up in a snapshot of the store.
 */
bool lists_decide(struct lists *lists, const struct addr *addr, struct list_info *out);

/* Calls `cb` for every entry of the list, or of all lists of the kind; stops when it returns false.
 */
typedef bool (*list_row_cb)(const struct list_info *list, const struct entry *entry,
			    const char *source, const char *reason, void *arg);
int lists_show(struct lists *lists, enum list_kind kind, const char *list, list_row_cb cb,
	       void *arg, struct error *err);

/* The lists themselves; returns how many, or an error. */
int lists_all(struct lists *lists, struct list_info out[LIST_SLOTS], struct error *err);

/* Settings that the operator made at run time (limits, monitor): durable, by key. value NULL
 * removes. */
int lists_setting_put(struct lists *lists, const char *key, const char *value, struct error *err);
int lists_setting_get(struct lists *lists, const char *key, char *out, size_t size,
		      struct error *err);

#endif
