/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/cookies.c - reads and switches the kernel's settings for SYN cookies: see gate/cookies.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gate/cookies.h"
#include "gate/internal.h"
#include "gate/kept.h"

#define VALUES_MAX     3
#define LINE_MAX_BYTES 128
#define SEGMENT        1460u /* octets of a full segment on an Ethernet */
#define WINDOW_MAX     65535u
#define SCALE_MAX      14 /* RFC 7323 */
#define BUFFER_SCALE0  15 /* a buffer below 2^16 needs no scale */
#define ON_VALUE       2u

/* What the kernel has where a setting cannot be read, as net.core.rmem_max in a namespace. */
#define CORE_RMEM_MAX 212992u
#define TCP_RMEM      4096u, 131072u, 6291456u

static const char *const switched_names[COOKIE_SYSCTLS] = {
	[COOKIE_SYSCTL_COOKIES] = "ipv4/tcp_syncookies",
	[COOKIE_SYSCTL_STAMPS] = "ipv4/tcp_timestamps",
};

static char *path_of(const char *directory, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", directory, name);
	return out;
}

/* Reads up to `count` numbers; returns how many there are, 0 if it cannot be read. */
static int read_values(const char *directory, const char *name, uint32_t *out, int count)
{
	char path[PATH_MAX], line[LINE_MAX_BYTES] = "", *at = line, *end;
	FILE *file = fopen(path_of(directory, name, path), "re");
	int got = 0;

	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	for (; got < count; got++, at = end) {
		const unsigned long value = strtoul(at, &end, 10);

		if (end == at)
			break;
		out[got] = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
	}
	return got;
}

static uint32_t read_value(const char *directory, const char *name, uint32_t missing)
{
	uint32_t value;

	return read_values(directory, name, &value, 1) ? value : missing;
}

static int write_value(const char *directory, const char *name, uint32_t value, struct error *err)
{
	char path[PATH_MAX];
	int fd = open(path_of(directory, name, path), O_WRONLY | O_CLOEXEC), failed;

	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "%s", path);
	failed = dprintf(fd, "%" PRIu32 "\n", value) < 0 ? errno : 0;
	close(fd);
	return failed ? error_errno(err, ERROR_REFUSED, failed, "%s", path) : 0;
}

uint8_t cookies_scale(uint32_t largest)
{
	int scale = -BUFFER_SCALE0;

	for (; largest > 1; largest >>= 1)
		scale++;
	return (uint8_t)(scale < 0 ? 0 : scale > SCALE_MAX ? SCALE_MAX : scale);
}

uint16_t cookies_window(uint32_t buffer)
{
	uint32_t window = buffer / 2;

	if (window > WINDOW_MAX)
		window = WINDOW_MAX;
	window -= window % SEGMENT;
	return (uint16_t)(window < 2 * SEGMENT ? 2 * SEGMENT : window);
}

/* The kernel refuses a cookie that was given options which it has switched off meanwhile. */
static bool takes_options(const char *directory)
{
	return read_value(directory, switched_names[COOKIE_SYSCTL_STAMPS], 0) == ON_VALUE &&
	       read_value(directory, "ipv4/tcp_window_scaling", 0) &&
	       read_value(directory, "ipv4/tcp_sack", 0);
}

struct cookie_offer cookies_offer(const char *directory)
{
	const uint32_t core = read_value(directory, "core/rmem_max", CORE_RMEM_MAX);
	uint32_t buffer[VALUES_MAX] = { TCP_RMEM };
	struct cookie_offer offer = { 0 };

	read_values(directory, "ipv4/tcp_rmem", buffer, VALUES_MAX);
	offer.window = cookies_window(buffer[1]);
	offer.scale = cookies_scale(buffer[2] > core ? buffer[2] : core);
	if (read_value(directory, switched_names[COOKIE_SYSCTL_COOKIES], 0) == ON_VALUE)
		offer.cookies |= COOKIES_ON;
	if (takes_options(directory))
		offer.cookies |= COOKIES_TIMESTAMPS;
	if (read_value(directory, "ipv4/ip_forward", 0) ||
	    read_value(directory, "ipv6/conf/all/forwarding", 0))
		offer.cookies |= COOKIES_ROUTED;
	return offer;
}

static void note(const struct cookie_switch *state)
{
	if (state->kept)
		kept_write(state->kept, state);
}

static int switch_on(struct cookie_switch *state, const char *directory, int which,
		     struct error *err)
{
	const char *name = switched_names[which];
	char path[PATH_MAX];
	uint32_t value;
	int failed;
	bool was;

	if (!read_values(directory, name, &value, 1))
		return error_errno(err, ERROR_REFUSED, errno, "%s", path_of(directory, name, path));
	/* Time stamps that are off stay off. */
	if (value == ON_VALUE || (which == COOKIE_SYSCTL_STAMPS && !value))
		return 0;
	if (!state->switched[which])
		state->before[which] = value;
	was = state->switched[which];
	state->switched[which] = true;
	note(state);
	failed = write_value(directory, name, ON_VALUE, err);
	if (failed && !was) {
		state->switched[which] = false;
		note(state);
	}
	return failed;
}

/* What somebody else has set meanwhile stays. */
static int switch_back(struct cookie_switch *state, const char *directory, int which,
		       struct error *err)
{
	const char *name = switched_names[which];
	int failed = 0;

	if (!state->switched[which])
		return 0;
	if (read_value(directory, name, ON_VALUE) == ON_VALUE)
		failed = write_value(directory, name, state->before[which], err);
	state->switched[which] = failed != 0;
	note(state);
	return failed;
}

static int can_be_switched(const char *directory, struct error *err)
{
	const char *name = switched_names[COOKIE_SYSCTL_COOKIES];
	char path[PATH_MAX];

	if (read_value(directory, name, 0) == ON_VALUE)
		return 0;
	if (faccessat(AT_FDCWD, path_of(directory, name, path), W_OK, AT_EACCESS))
		return error_errno(err, ERROR_REFUSED, errno, "%s", path);
	return 0;
}

int cookies_switch(struct cookie_switch *state, const char *directory, bool on, struct error *err)
{
	struct error ignored;
	int failed;

	if (on) {
		failed = switch_on(state, directory, COOKIE_SYSCTL_COOKIES, err);
		if (!failed)
			switch_on(state, directory, COOKIE_SYSCTL_STAMPS, &ignored);
		return failed;
	}
	failed = switch_back(state, directory, COOKIE_SYSCTL_STAMPS, err);
	if (switch_back(state, directory, COOKIE_SYSCTL_COOKIES, err) || failed)
		return ERROR_REFUSED;
	return can_be_switched(directory, err);
}
