/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/server.h - the control server: requests on a unix socket, run by the rows of a table.
 *
 * Lives on one libuv loop, called by the daemon. The protocol is a line of JSON for a request, with
 * bytes after it if its "payload" says so, then lines {"row": ...} and one last line
 * {"ok": true, "result": ...} or {"ok": false, "code": ..., "error": ...}; one request at a time on
 * a connection. Nothing that a peer sends ends the agent or holds up another peer. The program has
 * to ignore SIGPIPE.
 *
 * Limits: CTL_CLIENTS_MAX connections, CTL_STREAMS_MAX long answers at a time, CTL_PAYLOADS_MAX
 * bytes of payloads held for all of them, CTL_IDLE_MS for a peer that neither sends nor reads.
 */
#ifndef POSTERN_CTL_SERVER_H
#define POSTERN_CTL_SERVER_H

#include <stdint.h>
#include <uv.h>

#include "ctl/command.h"
#include "ctl/payload.h"

#define CTL_CLIENTS_MAX  64
#define CTL_STREAMS_MAX  2
#define CTL_PAYLOADS_MAX PAYLOAD_MAX
#define CTL_IDLE_MS      60000
#define CTL_BACKLOG      64

struct ctl_server;

struct ctl_server_options {
	uv_loop_t *loop;
	int fd; /* bound, see ctl/socket.h: the server duplicates it and listens */
	const struct ctl_table *table;
	void *context;    /* for the handlers */
	uint64_t idle_ms; /* 0 takes CTL_IDLE_MS */
};

int ctl_server_open(const struct ctl_server_options *options, struct ctl_server **out,
		    struct error *err);

/*
 * Accepts nothing more and ends every connection; a command that runs is let finish. The loop must
 * then run until it has nothing left, before the server is closed.
 */
void ctl_server_stop(struct ctl_server *server);
void ctl_server_close(struct ctl_server **server);

#endif
