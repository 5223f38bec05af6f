/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check_probe.h - tries one address of a mail host: a TCP connection to port 25, and the
 * dialogue of tools/ctl_check_talk.h over it.
 *
 * Used by `posternctl check mx`, on its loop. A probe ends by itself when the host does not let the
 * connection come about within PROBE_CONNECT_MS or has said all it has to say; what goes on longer
 * the caller ends. The caller owns the memory, and keeps it until the loop has closed the handles.
 */
#ifndef POSTERN_TOOLS_CTL_CHECK_PROBE_H
#define POSTERN_TOOLS_CTL_CHECK_PROBE_H

#include <uv.h>

#include "tools/ctl_check_talk.h"

#define PROBE_PORT       25
#define PROBE_CONNECT_MS 10000
#define PROBE_QUIT_MS    2000 /* for the answer to QUIT, which changes nothing */
#define PROBE_BUFFER     4096

struct probe;
typedef void (*probe_cb)(struct probe *probe, void *arg);

struct probe {
	struct talk talk; /* what came of it */
	struct addr addr;
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_connect_t connect;
	uv_write_t write;
	char sent[TALK_SAY_MAX], buffer[PROBE_BUFFER];
	const char *domain, *name; /* borrowed */
	bool started, writing;
	probe_cb cb;
	void *arg;
};

/*
 * Calls back once, never from inside, when it is over. `name` is what we call ourselves; NULL: our
 * address as a literal.
 */
void probe_start(struct probe *probe, uv_loop_t *loop, const struct addr *addr, const char *domain,
		 const char *name, probe_cb cb, void *arg);
/* Ends what is under way, for want of time; does not call back. */
void probe_stop(struct probe *probe, const char *why);

#endif
