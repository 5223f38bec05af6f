/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/client.h - what the files of the control server share: a connection and its server.
 *
 *   server.c  listens, accepts, stops
 *   client.c  one connection: bytes in, bytes out, time
 *   run.c     its request: whose turn it is, on which thread, the answer
 *
 * Everything here belongs to the loop's thread, but `request` and `failure` of a client in
 * CLIENT_RUNNING: those belong to the thread that runs its handler.
 */
#ifndef POSTERN_CTL_CLIENT_H
#define POSTERN_CTL_CLIENT_H

#include "ctl/frame.h"
#include "ctl/request.h"
#include "ctl/server.h"

enum client_state {
	CLIENT_READING,   /* waits for a line */
	CLIENT_RECEIVING, /* waits for the rest of a payload */
	CLIENT_QUEUED,    /* its request waits for its turn */
	CLIENT_RUNNING,   /* its handler runs */
	CLIENT_ANSWERING, /* its answer is being sent */
	CLIENT_CLOSING,   /* gone; freed when nothing refers to it any more */
};

struct client {
	struct ctl_server *server;
	struct client *next;      /* in the server's list */
	struct client *next_turn; /* in the queue of those that want to change something */
	enum client_state state;
	unsigned int holds; /* what still refers to it: the pipe, the timer, a handler */
	bool hang_up;       /* close after this answer */
	unsigned int sends; /* writes that are under way */
	size_t payload_held;

	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_work_t work;
	struct frame frame;
	struct ctl_request request;
	struct error failure; /* of this request; code 0 is none */
};

struct ctl_server {
	uv_loop_t *loop;
	const struct ctl_table *table;
	void *context;
	uint64_t idle_ms;
	uv_pipe_t listener;
	uv_async_t rows_ready; /* some handler has rows to send */
	bool stopping;
	bool unaccepted; /* a connection waits for memory */

	struct client *clients;
	unsigned int client_count;
	unsigned int streams; /* handlers that stream now */
	size_t payload_bytes; /* held by all clients */
	struct client *turn;  /* whose change is being made */
	struct client *queue, **queue_last;
};

/* client.c */
void client_accept(struct ctl_server *server);
void client_close(struct client *client);
/* The one place that changes the state, and with it what is read and timed. */
void client_set_state(struct client *client, enum client_state state);
/* Sends and then frees `text`; the last part of an answer makes the client ready for a request. */
void client_send(struct client *client, char *text, size_t size, bool last);
/* Drops one of `holds`; frees the client with the last. */
void client_release(struct client *client);

/* run.c */
/* The request is complete: run it, or answer with its failure. */
void run_request(struct client *client);
/* Takes a client that goes away out of the queue, or tells its handler that it may stop. */
void run_abandon(struct client *client);
/* The answer is sent, or the client is gone: forget the request. */
void run_forget(struct client *client);
/* Sends the rows that a handler has ready. */
void run_send_rows(struct client *client);

#endif
