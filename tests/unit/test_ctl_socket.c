/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_ctl_socket.c - the control socket takes the place of a dead one and of nothing
 * else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/socket.h"

struct place {
	char directory[64];
	char made[80]; /* a directory that ctl_socket_open() has to make */
	char path[96];
	struct ctl_socket_owner owner;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	snprintf(place->directory, sizeof(place->directory), "/tmp/test-socket-XXXXXX");
	if (!mkdtemp(place->directory))
		return -1;
	snprintf(place->made, sizeof(place->made), "%s/run", place->directory);
	snprintf(place->path, sizeof(place->path), "%s/control.sock", place->made);
	place->owner = (struct ctl_socket_owner){ geteuid(), getegid() };
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	rmdir(place->made);
	rmdir(place->directory);
	free(place);
	return 0;
}

static void test_fresh(void **state)
{
	struct place *place = *state;
	struct stat info;
	int fd = -1;

	assert_int_equal(ctl_socket_open(place->path, &place->owner, &fd, NULL), 0);
	assert_true(fd >= 0);
	assert_int_equal(stat(place->path, &info), 0);
	assert_true(S_ISSOCK(info.st_mode));
	assert_int_equal(info.st_mode & 07777, CTL_SOCKET_MODE);
	assert_int_equal(stat(place->made, &info), 0);
	assert_int_equal(info.st_mode & 07777, CTL_DIRECTORY_MODE);
	ctl_socket_close(place->path, &fd);
	assert_int_equal(fd, -1);
	assert_int_equal(access(place->path, F_OK), -1);
}

static void test_stale_is_replaced(void **state)
{
	struct place *place = *state;
	int dead = -1, fd = -1;

	assert_int_equal(ctl_socket_open(place->path, &place->owner, &dead, NULL), 0);
	close(dead); /* as after a crash: the file stays */
	assert_int_equal(access(place->path, F_OK), 0);
	assert_int_equal(ctl_socket_open(place->path, &place->owner, &fd, NULL), 0);
	ctl_socket_close(place->path, &fd);
}

static void test_live_is_refused(void **state)
{
	struct place *place = *state;
	struct error err = { 0 };
	int live = -1, fd = -1;

	assert_int_equal(ctl_socket_open(place->path, &place->owner, &live, NULL), 0);
	assert_int_equal(listen(live, 1), 0);
	assert_int_equal(ctl_socket_open(place->path, &place->owner, &fd, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "another agent"));
	assert_int_equal(fd, -1);
	assert_int_equal(access(place->path, F_OK), 0);
	ctl_socket_close(place->path, &live);
}

static void test_file_is_left_alone(void **state)
{
	struct place *place = *state;
	struct error err = { 0 };
	int file, fd = -1;

	assert_int_equal(mkdir(place->made, 0755), 0);
	file = open(place->path, O_CREAT | O_WRONLY, 0600);
	assert_true(file >= 0);
	close(file);
	assert_int_equal(ctl_socket_open(place->path, &place->owner, &fd, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "not a socket"));
	assert_int_equal(access(place->path, F_OK), 0);
}

static void test_bad_paths(void **state)
{
	struct place *place = *state;
	struct error err = { 0 };
	char path[300];
	int fd = -1;

	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_true(ctl_socket_open(path, &place->owner, &fd, &err) < 0);
	assert_non_null(strstr(err.text, "at most 107"));
	snprintf(path, sizeof(path), "%s/no/such/control.sock", place->directory);
	assert_true(ctl_socket_open(path, &place->owner, &fd, &err) < 0);
	assert_non_null(strstr(err.text, "No such file"));
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fresh, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_stale_is_replaced, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_live_is_refused, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_file_is_left_alone, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_bad_paths, make_place, remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
