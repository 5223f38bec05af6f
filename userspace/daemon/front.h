/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/front.h - the SMTP front of mode proxy: its sockets, its workers, its rules.
 *
 * In other modes there is none: the pointer is NULL, and every function here takes it.
 */
#ifndef POSTERN_DAEMON_FRONT_H
#define POSTERN_DAEMON_FRONT_H

#include "conf/conf.h"
#include "daemon/privilege.h"
#include "obs/smtp.h"
#include "session/guard.h"

struct front;

/*
 * As root, before there are threads: binds the sockets, and makes the spool's directory if it is
 * not there.
 */
int front_bind(const struct conf *conf, const struct account *account, struct front **out,
	       struct error *err);
/*
 * As the ordinary user, who has to be able to read certificates, keys and accounts, which a reload
 * does again, and to write in the spool's directory. Mail is taken from here on. Borrows the guard.
 */
int front_open(struct front *front, const struct conf *conf, struct guard *guard,
	       struct error *err);
/* Takes no more connections, lets what is under way come to its end for a while, ends the rest. */
void front_close(struct front **front);

/*
 * A reload: front_prepare() reads everything, and what it makes is either put in force for new
 * sessions, which cannot fail, or dropped.
 */
struct front_rules;
int front_prepare(struct front *front, const struct conf *conf, struct front_rules **out,
		  struct error *err);
void front_apply(struct front *front, struct front_rules **rules);
void front_drop(struct front_rules **rules);

/*
 * After a change of lists: ends sessions of clients that load balancers name and that are listed by
 * now, of those in `within`, or with NULL of all. Returns how many; waits for the workers, but not
 * for long: one that is too busy ends them when it comes to it. Any thread but theirs.
 */
uint32_t front_end_listed(struct front *front, const struct prefix *within);

/* Those of all workers; NULL if there is no front. */
struct refusals *front_refusals(const struct front *front);
/* Any thread; false if there is none. */
bool front_view(struct front *front, struct smtp_view *out);
/* Any thread: adds what resolvers and DNS lists of the workers have counted to the guard's. */
void front_add_lookups(struct front *front, struct guard_stats *stats);

#endif
