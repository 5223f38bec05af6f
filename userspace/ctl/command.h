/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/command.h - what a command of the control protocol is, and what its handler sees.
 *
 * A command is one row of a table (ctl/commands.c; tests bring their own): its name, its arguments,
 * flags that tell the server how to run it, and its handler. A handler checks what only it can
 * check, acts, and leaves its answer in `result`; it neither reads from nor writes to the socket.
 *
 * Owned by the connection: everything in struct ctl_request. A handler that wants to keep the
 * payload takes it and sets the field to NULL.
 */
#ifndef POSTERN_CTL_COMMAND_H
#define POSTERN_CTL_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "ctl/rows.h"
#include "lib/error.h"

enum ctl_type {
	CTL_TEXT,   /* a string */
	CTL_NUMBER, /* a whole number, not negative */
	CTL_SWITCH, /* true or false */
	CTL_VALUE,  /* a whole number or a string */
};

struct ctl_argument {
	const char *name; /* NULL ends the table */
	enum ctl_type type;
	bool required;
};

enum ctl_flags {
	CTL_MUTATES = 1, /* changes something: one such command at a time, in the order they came */
	CTL_POOL = 2,    /* may wait (store, files, keeper): runs in the thread pool */
	CTL_STREAMS = 4, /* answers with rows first; implies the pool */
	CTL_PAYLOAD = 8, /* is followed by bytes: `payload` says how many */
};

struct ctl_request {
	const struct ctl_command *command;
	json_t *args;  /* an object whose members the table has checked */
	void *context; /* the server's, see ctl/server.h */
	uid_t uid;     /* of the peer */
	char *payload; /* for CTL_PAYLOAD */
	size_t payload_size;
	struct ctl_rows *rows; /* for CTL_STREAMS */
	json_t *result;        /* the answer, a new reference; NULL is a failure */
};

/* Returns 0, or an error code after it has filled `err`; then `result` is ignored. */
typedef int (*ctl_handler)(struct ctl_request *request, struct error *err);

struct ctl_command {
	const char *name;
	const struct ctl_argument *arguments;
	unsigned int flags; /* of enum ctl_flags */
	ctl_handler handler;
};

struct ctl_table {
	const struct ctl_command *command;
	size_t count;
};

/* The protocol of the agent: every context is a struct ctl_agent (ctl/agent.h). */
extern const struct ctl_table ctl_commands;

#endif
