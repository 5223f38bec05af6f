/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/stream_fixture.h - connections over loopback whose ends are streams, or plain sockets.
 */
#ifndef POSTERN_TESTS_STREAM_FIXTURE_H
#define POSTERN_TESTS_STREAM_FIXTURE_H

#include "loop/stream.h"

/* An owner that collects what comes. */
struct stream_end_of_it {
	struct stream *stream;
	size_t limit; /* octets that are taken in all */
	bool once;    /* pauses after each call */
	uint8_t *got; /* `size` octets, and a NUL */
	size_t size;
	unsigned int readable, drained, secured, ended, connected;
	enum stream_end end;
	int status;      /* of the connect */
	bool close;      /* closes the stream in the next call */
	bool inside;     /* a call of the owner's is under way: no other may come */
	char error[128]; /* of the stream when it ended */
	/* Called at the end of readable(), if it is there. */
	void (*then)(struct stream_end_of_it *end);
	void (*on_drained)(struct stream_end_of_it *end);
	void (*on_secured)(struct stream_end_of_it *end);
};

extern const struct stream_owner collector;

/* A loop for each test: setup and teardown of cmocka; teardown checks that all handles are gone. */
int loop_setup(void **state);
int loop_teardown(void **state);
extern uv_loop_t loop;

void run_until_size(const struct stream_end_of_it *end, size_t size);
/* Until at least so much waits for an owner who does not take it. */
void run_until_input(const struct stream_end_of_it *end, size_t least);
void run_until_ended(const struct stream_end_of_it *end);
/* Until `*count` is at least `least`. */
void run_until(const unsigned int *count, unsigned int least);
/* A few turns, for what must not happen. */
void run_a_little(void);

/* A listening socket, and one that is connected to it. */
int listen_loopback(uint16_t *port);
void socket_pair_tcp(int fd[2]);

/* A stream that has connected to a port, and one that was accepted there. */
void stream_to(struct stream_end_of_it *client, uint16_t port);
void stream_from(int listening, struct stream_end_of_it *server);

/* Both ends are streams that collect everything. */
void stream_pair(struct stream_end_of_it *server, struct stream_end_of_it *client);
/* One end is a socket, which blocks. */
int stream_and_socket(struct stream_end_of_it *server);

void end_free(struct stream_end_of_it *end);

#endif
