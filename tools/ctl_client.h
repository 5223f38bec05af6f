/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_client.h - the link to the agent: a request goes out, rows and one final line come
 * back.
 *
 * The protocol is one JSON object a line on a unix stream socket; `list.load` is followed by raw
 * bytes. An agent that is not there, does not answer in time or goes away in the middle of its
 * answer is ERROR_UNREACHABLE; an answer that cannot be understood is ERROR_REFUSED, as is what the
 * agent refuses, unless it says that the request was wrong (ERROR_USAGE).
 *
 * After an error the link is out of step with the agent: all that is left to do is to close it.
 *
 * Limits: an answer's line has at most AGENT_LINE_MAX bytes; the agent may be silent for
 * AGENT_WAIT_MS, unless agent_link_patience() says otherwise. Rows are not kept.
 */
#ifndef POSTERN_TOOLS_CTL_CLIENT_H
#define POSTERN_TOOLS_CTL_CLIENT_H

#include <jansson.h>
#include <signal.h>
#include <stddef.h>

#include "lib/error.h"

#define AGENT_LINE_MAX    (8u << 20)
#define AGENT_REQUEST_MAX (64u << 10) /* what the agent reads of a request's line */
#define AGENT_WAIT_MS     120000
#define AGENT_CONNECT_S   10

struct agent_link;

/* What follows the line of a request; borrowed. */
struct agent_payload {
	const void *data;
	size_t size;
};
#define AGENT_PAYLOADS_MAX 2

struct agent_question {
	const json_t *request;
	struct agent_payload
		payload[AGENT_PAYLOADS_MAX]; /* sent in order; a size of 0 is nothing */

	/* Called for every row, which is valid during the call; a negative value ends it all. */
	int (*row)(const json_t *row, void *arg, struct error *err);
	void *arg;
};

int agent_link_open(struct agent_link **out, const char *path, struct error *err);
void agent_link_close(struct agent_link **link);

/*
 * How long the agent may be silent, and a flag (or NULL) that a signal handler sets to end the
 * waiting with ERROR_REFUSED "interrupted".
 */
void agent_link_patience(struct agent_link *link, int wait_ms,
			 const volatile sig_atomic_t *interrupted);

/* Asks; `*result` becomes the result object of the final line, which the caller owns. */
int agent_link_ask(struct agent_link *link, const struct agent_question *question, json_t **result,
		   struct error *err);

#endif
