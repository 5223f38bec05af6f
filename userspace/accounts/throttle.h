/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/throttle.h - how fast may be guessed.
 *
 * Guesses count against the source, its network (/24, /64), and the account, and half of what was
 * counted is forgotten every THROTTLE_HALF_LIFE. A guess counts when it begins, so many at once are
 * worth no more than one after the other; being right takes back what the same source has got wrong
 * on the same account, and nothing else: an account of one's own does not buy guesses at others.
 *
 * A source from which an account logged in lately (an owner; of IPv6, the /64) is held up only by
 * what it gets wrong on that account itself. For strangers an account that many have guessed at
 * lets through one every THROTTLE_TRICKLE, so that its owner is not locked out elsewhere either.
 * No source is to be blocked from which anybody logged in lately.
 *
 * Any thread. Everything is in tables of THROTTLE_MAX, from which what was touched longest ago
 * gives way; keys are hashed, and neither names nor addresses are kept.
 */
#ifndef POSTERN_ACCOUNTS_THROTTLE_H
#define POSTERN_ACCOUNTS_THROTTLE_H

#include "accounts/auth.h"

#define THROTTLE_MAX        65536u
#define THROTTLE_HALF_LIFE  900u                /* seconds */
#define THROTTLE_OWNER      (14u * 24u * 3600u) /* seconds that "lately" lasts */
#define THROTTLE_WAIT_FIRST 500u                /* ms, doubled by each failure, */
#define THROTTLE_WAIT_MAX   8000u               /* up to this */
#define THROTTLE_TRICKLE    8u                  /* seconds */

struct throttle;

enum throttle_outcome {
	THROTTLE_RIGHT,
	THROTTLE_WRONG,
	THROTTLE_UNKNOWN, /* it was not looked at: the guess does not count */
};

/* `max` is THROTTLE_MAX but in tests. NULL if memory is short. */
struct throttle *throttle_open(size_t max);
void throttle_close(struct throttle **throttle);

/* `user` is prepared and folded, or NULL or "" as long as it is not known. */
struct auth_throttle throttle_look(struct throttle *throttle, const struct addr *source,
				   const char *user);
/* A guess begins, and is counted. If it is refused there is no end to it. */
struct auth_throttle throttle_begin(struct throttle *throttle, const struct addr *source,
				    const char *user);
/* `block` as it is afterwards. */
bool throttle_end(struct throttle *throttle, const struct addr *source, const char *user,
		  enum throttle_outcome outcome);

#endif
