/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log_capture.h - what a test's code writes to standard error, which is a pipe or a terminal
 * meanwhile.
 */
#ifndef POSTERN_TESTS_LOG_CAPTURE_H
#define POSTERN_TESTS_LOG_CAPTURE_H

struct capture {
	int saved, reader;
};

void capture_pipe(struct capture *capture);
void capture_terminal(struct capture *capture);

/* What was written since the start, terminated; the caller frees it. Standard error is as before.
 */
char *capture_end(struct capture *capture);

#endif
