/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/admission.h - the limits of connections for clients that a load balancer names, and
 * the budget of unknown recipients, which all clients have.
 *
 * The kernel applies limits.* at the SYN, where it sees the balancer's address alone. Here they are
 * applied to the address of the PROXY header, by the same rules and with cells of the same form
 * (maps/meter.h, bpf/limit.h): every level is asked before any is charged, and an attempt that a
 * wider level stops costs its source nothing.
 *
 * One table for all workers, behind one lock that is held for four cells. Its memory is taken when
 * it is opened, and never grows: a cell that owes nothing and holds no connection is free, and when
 * a line has no free one the wider level decides. What it knows is forgotten when the agent ends.
 */
#ifndef POSTERN_SESSION_SMTP_ADMISSION_H
#define POSTERN_SESSION_SMTP_ADMISSION_H

#include "lib/addr.h"
#include "lib/error.h"
#include "maps/meter.h"
#include "maps/reason.h"

struct admission;

struct admission_rules {
	struct meter_limit limit[METER_LEVELS]; /* by enum meter_level */
	bool monitor;                           /* who is over a limit is let in all the same */
};

/* Room for so many addresses and networks, rounded up to a power of two. */
int admission_open(uint32_t cells, struct admission **out, struct error *err);
/* Nulls the pointer; NULL is allowed. */
void admission_close(struct admission **admission);

/* The limits in force, as operators may change them at any time; none, if no configuration is
 * published (conf/conf.h). */
void admission_rules(struct admission_rules *out);

/*
 * A connection begins: REASON_ACCEPTED, or REASON_CONN_* or REASON_RATE_* of the limit that it is
 * over. If it is let in it counts until admission_leave() gets `levels` back, whatever is set
 * meanwhile; else `levels` is 0. Any thread.
 */
enum reason admission_enter(struct admission *admission, const struct admission_rules *rules,
			    const struct addr *addr, uint8_t *levels);
void admission_leave(struct admission *admission, const struct addr *addr, uint8_t levels);

/*
 * Unknown recipients that a client (an IPv4 address, an IPv6 /64) may name: `hourly` at once, and
 * as many again in an hour (smtp.unknown-recipients); 0 is no limit. A client for which no cell is
 * free has none. NULL is allowed.
 */
/* Whether it may ask for another recipient. Any thread. */
bool admission_may_ask(struct admission *admission, const struct addr *addr, uint32_t hourly);
/* There was no such recipient. Any thread. */
void admission_unknown(struct admission *admission, const struct addr *addr, uint32_t hourly);
/*
 * A message of its was taken, for so many recipients: each makes up for an unknown one, so that a
 * large sender with a few dead addresses among many is never short. Any thread.
 */
void admission_delivered(struct admission *admission, const struct addr *addr, uint32_t hourly,
			 size_t recipients);

/* "conn-source", ...: the option of the limit, without its section. */
const char *admission_limit_name(enum reason reason);

#endif
