/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/ctl_fixture.h - a control server with a table of its own, and a peer to talk to it.
 *
 * The server's loop runs in a thread; the test is the peer, with blocking reads that give up after
 * PATIENCE_S seconds. Every test ends by stopping the server, which must leave its loop empty.
 *
 * The commands: echo {text}, wait (until the gate is posted), change {number} (notes the order),
 * rows (streams ROWS rows) and load (counts the letters "x" of its payload).
 */
#ifndef POSTERN_TESTS_CTL_FIXTURE_H
#define POSTERN_TESTS_CTL_FIXTURE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "ctl/server.h"

#define PATIENCE_S 20
#define ROWS       200000
#define ORDER_MAX  64
#define SHORT_IDLE 500 /* ms: of start_impatient_server() */

struct fixture {
	char path[64];
	int fd;
	uv_loop_t loop;
	uv_async_t stop;
	struct ctl_server *server;
	pthread_t thread;

	sem_t gate;          /* what "wait" waits for */
	atomic_int waiting;  /* handlers of "wait" that have begun */
	atomic_int waited;   /* and ended */
	atomic_int rows;     /* that were produced */
	atomic_int given_up; /* handlers of "rows" whose peer has gone */
	int order[ORDER_MAX];
	atomic_int changes;
	atomic_int changing; /* handlers of "change" that run now */
	atomic_bool overlapped;
};

/* For cmocka's setup and teardown. */
int start_server(void **state);
int start_impatient_server(void **state);
int stop_server(void **state);

/* The peer's side. */
int dial(const struct fixture *fixture);
void say(int fd, const char *text);
/* As recv(2); a debugger, or who else stops the process, does not end it. */
ssize_t receive(int fd, void *to, size_t size);
/* One line, read byte by byte; "" at the end of the connection. Valid until the next call. */
const char *hear(int fd);
/* The next line has to hold `part`. */
void expect(int fd, const char *part);
/* The server has to have closed the connection; closes this side. */
void expect_end(int fd);
/* Waits until the counter has reached `value`. */
void await(atomic_int *counter, int value);

#endif
