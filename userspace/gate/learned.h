/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/learned.h - what the agent has learned about sources, as the kernel knows it, and the
 * sources that the kernel would like to know more about.
 *
 * Learned verdicts are cells in mapped memory (maps/learned.h), by address, IPv6 by /64: written
 * with plain stores by one thread at a time (a lock inside), read by the XDP program. They outlive
 * the agent like all maps, and hold while there is none. Lists stand above them: an allow entry
 * wins at once, and a block entry decides first; a list in monitor mode leaves the decision to
 * them. To the outside learned blocks are a list by the name of LEARNED_LIST: counters, monitor
 * mode, refusal text and lookup ids work as for any list. A verdict holds for as long as it is told
 * to, and up to 1.1 s longer.
 *
 * Newcomers are sources that no list and no learned verdict knows. They are told about at an
 * attempt that is accepted, unless a flood is on at its port, and when they have completed a
 * handshake, flood or not: the two have budgets of their own and do not know of each other, so the
 * agent hears of most sources twice. The kernel asks the lists itself both times; in monitor mode
 * it tells all the same. IPv6 sources stand for their /64.
 */
#ifndef POSTERN_GATE_LEARNED_H
#define POSTERN_GATE_LEARNED_H

#include "gate/gate.h"
#include "maps/newcomer.h"
#include "store/store.h"

#define LEARNED_IPV6_BITS 64 /* IPv6 sources are known by this prefix */

enum gate_learned_kind {
	GATE_LEARNED_NONE,
	GATE_LEARNED_KNOWN,   /* looked up, and let through: not to be told about again */
	GATE_LEARNED_TRUSTED, /* likewise, because of a good history */
	GATE_LEARNED_BLOCKED,
	GATE_LEARNED_KINDS
};

struct gate_learned {
	struct addr addr; /* the key: IPv6 is the /64 */
	enum gate_learned_kind kind;
	enum action action; /* of BLOCKED */
	uint32_t seconds;   /* that are left, rounded up; 0 is NONE */
};

/*
 * Tells the kernel; what it knew of the source before is replaced, and NONE or 0 seconds are
 * gate_forget(). In a full line what runs out first gives way, and a block only to another that
 * lasts as long. Returns false if it could not be kept: the line is full of such blocks.
 */
bool gate_learn(struct gate *gate, const struct gate_learned *learned);
/* False, and NONE, if nothing is known that still holds. */
bool gate_learned_find(struct gate *gate, const struct addr *addr, struct gate_learned *out);
/* Whether there was something to forget. */
bool gate_forget(struct gate *gate, const struct addr *addr);
/* Forgets all of a kind; returns how many. */
size_t gate_forget_kind(struct gate *gate, enum gate_learned_kind kind);

/* Seconds since 1970 when a block was last learned or forgotten, not counting those that ran out; 0
 * if that was before gate_open(). */
uint32_t gate_learned_changed(struct gate *gate);

/* Whether learned blocks are only watched, because their list is in monitor mode. */
bool gate_learned_watched(struct gate *gate);

/* Walks over what still holds, in no order, until the callback returns false; a few ms. The
 * callback may learn and forget. */
typedef bool (*gate_learned_cb)(const struct gate_learned *learned, void *arg);
void gate_learned_each(struct gate *gate, gate_learned_cb cb, void *arg);
struct gate_learned_counts {
	uint64_t kind[GATE_LEARNED_KINDS];
	uint64_t capacity;
};
void gate_learned_counts(struct gate *gate, struct gate_learned_counts *out);

/*
 * The evidence path. Off until somebody switches it on; without an agent that refills the budget
 * nobody is told about. Off means that learned verdicts do not decide either.
 */
struct gate_evidence {
	bool on;
	uint8_t slot;    /* of the list LEARNED_LIST */
	uint32_t rate;   /* newcomers a second that are told about: by SYNs, and as many again that
			  * completed a handshake */
	uint32_t repeat; /* seconds before the same source is told about again */
};
void gate_evidence_set(struct gate *gate, const struct gate_evidence *evidence);
/* Whether it is on: what was learned decides, where no list does. */
bool gate_learned_decides(struct gate *gate);

/*
 * The descriptor becomes readable when there are newcomers, at once and not by the clock.
 * gate_newcomers_read() calls back for each, a bounded number, and returns how many.
 * gate_newcomers_refill() is to be called GATE_REFILLS times a second. One thread.
 */
typedef void (*gate_newcomer_cb)(const struct newcomer *newcomer, void *arg);
int gate_newcomers_fd(struct gate *gate);
int gate_newcomers_read(struct gate *gate, gate_newcomer_cb cb, void *arg);
void gate_newcomers_refill(struct gate *gate);

#endif
