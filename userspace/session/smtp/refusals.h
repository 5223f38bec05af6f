/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/refusals.h - the last refusals of the SMTP front, for `why ID`.
 *
 * A client that is refused is told the lookup id of its session; all refusals of that session are
 * found by it. Workers add, and whoever asks copies, behind one lock that is held for a copy only.
 * The last REFUSALS_KEPT are kept, whatever the log has room for.
 */
#ifndef POSTERN_SESSION_SMTP_REFUSALS_H
#define POSTERN_SESSION_SMTP_REFUSALS_H

#include <stddef.h>
#include <stdint.h>

#include "conf/finding.h"
#include "lib/addr.h"
#include "lib/error.h"

#define REFUSALS_KEPT      4096
#define REFUSALS_SHOWN_MAX 8 /* of one session: the last ones */
#define REFUSAL_TEXT_SIZE  128

/* Texts are cut to what fits, and are UTF-8 on one line; "" if there is none. */
struct session_refusal {
	uint64_t id; /* lookup id of the session */
	struct addr source;
	uint32_t time; /* seconds since 1970 */
	int32_t score; /* that it went by: of the address, or of the whole */
	int32_t lists; /* points of DNS lists in it */
	finding_set findings;
	const char *reason, *help; /* constants */
	char detail[REFUSAL_TEXT_SIZE], helo[REFUSAL_TEXT_SIZE];
	char from[REFUSAL_TEXT_SIZE], user[REFUSAL_TEXT_SIZE];
};

struct refusals;

int refusals_open(struct refusals **out, struct error *err);
/* Nulls the pointer; NULL is allowed. */
void refusals_close(struct refusals **refusals);

/* Copies it; NULL keeps nothing. */
void refusals_add(struct refusals *refusals, const struct session_refusal *refusal);
/* Those of a session, the oldest first; returns how many. NULL has none. */
size_t refusals_find(struct refusals *refusals, uint64_t id,
		     struct session_refusal out[REFUSALS_SHOWN_MAX]);

#endif
