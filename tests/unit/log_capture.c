/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "log_capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#define READ_MAX (1 << 20)

static void capture_start(struct capture *capture, int reader, int writer)
{
	capture->saved = dup(STDERR_FILENO);
	capture->reader = reader;
	assert_true(capture->saved >= 0);
	assert_true(dup2(writer, STDERR_FILENO) >= 0);
	assert_int_equal(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
	close(writer);
}

void capture_pipe(struct capture *capture)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	capture_start(capture, fds[0], fds[1]);
}

void capture_terminal(struct capture *capture)
{
	struct termios raw;
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	capture_start(capture, master, slave);
}

char *capture_end(struct capture *capture)
{
	char *text = calloc(1, READ_MAX);
	size_t used = 0;
	ssize_t got;

	assert_non_null(text);
	while ((got = read(capture->reader, text + used, READ_MAX - 1 - used)) > 0)
		used += (size_t)got;
	dup2(capture->saved, STDERR_FILENO);
	close(capture->saved);
	close(capture->reader);
	return text;
}
