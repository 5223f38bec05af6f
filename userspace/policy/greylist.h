/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/greylist.h - who has come again: greylisting by network, or by an authenticated domain.
 *
 * A sender that is told to come again later, and does, is no hit-and-run program. It is known by
 * its network (IPv4 /24, IPv6 /64), or, when SPF says that the sending domain names it, by that
 * domain: so the hosts of a large provider that take turns are one sender. Nobody is asked to wait
 * for longer because he has a domain: what his network has waited, or that it has passed, counts.
 *
 * Pure but for its memory. Any thread may ask: a lock is held for one look-up, which takes no more
 * than a few loads, so nobody waits for an answer.
 *
 * Bounded: keys that wait and keys that have passed have room of their own, and in each the one
 * that was seen longest ago gives way. So strangers, who make as many keys that wait as they like,
 * push out nobody who has passed. Whoever owns a domain has all names in it, too, so a network may
 * come with so many new domains an hour; with more it is known as the network.
 */
#ifndef POSTERN_POLICY_GREYLIST_H
#define POSTERN_POLICY_GREYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/addr.h"
#include "lib/error.h"

struct greylist_rules {
	uint32_t delay;  /* seconds: who comes again sooner waits on */
	uint32_t window; /* seconds after the first time: who comes later begins again */
	uint32_t keep;   /* seconds without mail after which who has passed is forgotten */
};

struct greylist_rules greylist_rules_conf(const struct conf *conf);

/* `domain` is the sender's domain if SPF passed for it, but not for everybody; else NULL or "". */
struct greylist_key {
	struct addr addr;
	const char *domain;
};

enum greylist_state {
	GREYLIST_FIRST,  /* never seen, or too long ago: wait `delay` seconds */
	GREYLIST_EARLY,  /* came again too soon: wait what is left */
	GREYLIST_PASSED, /* came again in time, now or once before */
};

struct greylist_answer {
	enum greylist_state state;
	uint32_t wait; /* seconds; 0 when passed */
};

struct greylist;

#define GREYLIST_DOMAINS_MAX 64 /* new ones of a network in an hour from the first on */

/* Room for `max` keys that wait, as many that have passed, and as many networks with domains. */
int greylist_open(struct greylist **out, size_t max, struct error *err);
void greylist_close(struct greylist **greylist);

/*
 * The time for greylisting: seconds of CLOCK_MONOTONIC, from a large number on. Nobody can set it,
 * so nobody has waited, or waits for ever, because the time of day was wrong and is put right.
 */
uint32_t greylist_now(void);

/* Looks, and notes that the sender was here. `now`: greylist_now(). */
struct greylist_answer greylist_ask(struct greylist *greylist, const struct greylist_rules *rules,
				    const struct greylist_key *key, uint32_t now);

/* What is known of the network of an address; changes nothing. False if nothing that holds is. */
struct greylist_record {
	uint32_t first, last; /* by greylist_now() */
	uint32_t wait;        /* seconds; 0: it may come */
	bool passed;
};
bool greylist_find(struct greylist *greylist, const struct greylist_rules *rules,
		   const struct addr *addr, uint32_t now, struct greylist_record *out);
size_t greylist_count(struct greylist *greylist);

/*
 * Disk: all of it in one file of a directory (store/snapshot.h), so what is learned afterwards is
 * lost unless it is saved again. Of keys the file has the hashes and the secret of these.
 *
 * greylist_save() writes nothing if nobody has asked since the last time. It waits for the disk,
 * but holds the lock only for pieces, so nobody who asks waits for longer than for a look-up. Not
 * for two threads at a time.
 */
#define GREYLIST_FILE "greylist"
struct greylist_kept {
	size_t waiting, passed, makers;
	uint64_t bytes; /* 0: there was nothing to read, or to write */
	uint32_t age;   /* seconds; of what was read */
};
int greylist_save(struct greylist *greylist, const char *directory, uint32_t now,
		  struct greylist_kept *out, struct error *err);
/*
 * Fills an empty greylist, with what holds by the rules; before anybody else has it. A file that is
 * damaged, of another version or of the time to come is an error: nothing of it is used, and it is
 * called greylist.bad from then on.
 */
int greylist_load(struct greylist *greylist, const struct greylist_rules *rules,
		  const char *directory, uint32_t now, struct greylist_kept *out,
		  struct error *err);

#endif
