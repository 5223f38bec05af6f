/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/interfaces.h - makes the interfaces follow the configuration, at start and at reload.
 */
#ifndef POSTERN_DAEMON_INTERFACES_H
#define POSTERN_DAEMON_INTERFACES_H

#include "conf/conf.h"
#include "gate/gate.h"

/* What a call has changed, so that it can be undone. */
struct attached {
	struct {
		char name[IF_NAMESIZE];
		bool was_attached; /* in `mode` */
		enum gate_mode mode;
	} change[CONF_INTERFACES_MAX];
	size_t count;
};

/*
 * Attaches every interface of the configuration that is not attached yet. One that is attached in
 * another mode than the one that is asked for is detached first: the kernel has no way from one to
 * the other, so for some milliseconds it is not filtered, which the log says. If anything fails,
 * what this call has changed is changed back.
 */
int interfaces_attach(struct gate *gate, const struct conf *conf, struct attached *out,
		      struct error *err);
void interfaces_undo(struct gate *gate, const struct attached *attached);

/*
 * Detaches what `before` names and `after` does not; what was attached by hand stays. Goes on after
 * a failure and returns the last one.
 */
int interfaces_detach_dropped(struct gate *gate, const struct conf *before,
			      const struct conf *after, struct error *err);

/*
 * Attaches again what has lost its filter without being detached, as soon as it can be; the log
 * tells both. Called once a second, from a thread of the pool.
 */
void interfaces_recover(struct gate *gate);

#endif
