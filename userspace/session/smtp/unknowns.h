/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/unknowns.h - recipients that a backend has refused because there is no such mailbox,
 * for a while: what is asked again is answered from here (smtp.unknown-ttl).
 *
 * Only what is certain is remembered: 550 to RCPT with a status of RFC 3463 that says that the
 * mailbox does not exist. Nothing is remembered for longer than the time since the backend said so,
 * however often it is asked for. A recipient is compared whole, octet by octet, so there is never a
 * wrong one; and the backend is asked anew as soon as one is not found, so to lose one does no
 * harm.
 *
 * All backends are one group that may get any mail, so what one of them says holds for all of them.
 * A reload may replace them, and sessions outlive it: a generation tells what was said by others.
 *
 * One table for all workers, behind one lock that is held for one look-up. At most so many entries:
 * beyond them the one that was learned first gives way.
 */
#ifndef POSTERN_SESSION_SMTP_UNKNOWNS_H
#define POSTERN_SESSION_SMTP_UNKNOWNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "lib/error.h"

#define UNKNOWNS_MAX 10000u /* entries; one has some 250 octets, and never more than 1150 */

struct unknowns;

int unknowns_open(size_t max, struct unknowns **out, struct error *err);
/* Nulls the pointer; NULL is allowed. */
void unknowns_close(struct unknowns **unknowns);

/* Pure: whether a reply to RCPT says for certain that there is no such mailbox. */
bool unknowns_is_certain(const struct backend_reply *said);

/* Whose answers count, and for how long. */
struct unknowns_rules {
	uint64_t generation;
	uint32_t ttl; /* seconds; 0: nothing is remembered */
};

/* A recipient as the backend gets it, "<local@domain>", with a domain in small letters. */
struct unknowns_key {
	const char *to;
	size_t length;
};

/*
 * Notes that there is no such recipient, as of now. `text` is what others are told, as in struct
 * backend_reply; "" if it is not for them. NULL, and another generation, note nothing. Any thread,
 * as all that follow.
 */
void unknowns_note(struct unknowns *unknowns, const struct unknowns_rules *rules,
		   const struct unknowns_key *key, const char *text);
/* A backend has taken mail for it. */
void unknowns_forget(struct unknowns *unknowns, const struct unknowns_key *key);

struct unknowns_answer {
	uint32_t seconds;           /* since the backend has said it */
	struct backend_reply reply; /* 550; the text may be "" */
};
/* False, and nothing is written, if it is not known. */
bool unknowns_find(struct unknowns *unknowns, const struct unknowns_rules *rules,
		   const struct unknowns_key *key, struct unknowns_answer *out);

/* Forgets all, and begins a generation; returns it. They count from 0. NULL has none but that. */
uint64_t unknowns_clear(struct unknowns *unknowns);
/* Those whose time is not over. */
size_t unknowns_count(struct unknowns *unknowns);

#endif
