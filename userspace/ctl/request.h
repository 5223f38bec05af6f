/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/request.h - from a line to a request that its handler can rely on, and back to a line.
 *
 * Called by the connection and by the fuzzer. Checks the JSON, finds the command and compares the
 * arguments with its table; the meaning of the arguments is the handler's business (ctl/args.h).
 * A request that was parsed or failed to parse is cleared with ctl_request_clear().
 */
#ifndef POSTERN_CTL_REQUEST_H
#define POSTERN_CTL_REQUEST_H

#include "ctl/command.h"

#define CTL_REQUEST_MEMBERS_MAX 16 /* more arguments than any command has */

/* What follows the line, as far as it could be understood. */
struct ctl_sequel {
	size_t payload; /* bytes that follow */
	bool lost;      /* it cannot be told where the next request begins */
};

/* Fills `out` and `sequel`; on failure `sequel` says how to go on. */
int ctl_request_parse(const struct ctl_table *table, const char *line, size_t len,
		      struct ctl_request *out, struct ctl_sequel *sequel, struct error *err);
void ctl_request_clear(struct ctl_request *request);

/* The last line of an answer, with its newline; NULL if memory is out. The caller frees it. */
char *ctl_answer_result(json_t *result);
char *ctl_answer_error(const struct error *err);

#endif
