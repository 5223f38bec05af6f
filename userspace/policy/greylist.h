/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/greylist.h - who has come again: greylisting by network, or by an authenticated domain.
 *
 * A sender that is told to come again later, and does, is no hit-and-run program. It is known by
 * its network (IPv4 /24, IPv6 /64), or, when SPF says that the sending domain names it, by that
 * domain: so the hosts of a large provider that take turns are one sender. Pure but for its memory;
 * one thread; bounded: when it is full, the key that was seen longest ago goes.
 */
#ifndef POSTERN_POLICY_GREYLIST_H
#define POSTERN_POLICY_GREYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/error.h"

struct greylist_rules {
	uint32_t delay;  /* seconds: who comes again sooner waits on */
	uint32_t window; /* seconds after the first time: who comes later begins again */
	uint32_t keep;   /* seconds without mail after which who has passed is forgotten */
};

/* `domain` is the sender's domain if SPF passed for it, else NULL or "". */
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

int greylist_open(struct greylist **out, size_t max, struct error *err);
void greylist_close(struct greylist **greylist);

/* Looks, and notes that the sender was here. */
struct greylist_answer greylist_ask(struct greylist *greylist, const struct greylist_rules *rules,
				    const struct greylist_key *key, uint32_t now);
size_t greylist_count(const struct greylist *greylist);

#endif
