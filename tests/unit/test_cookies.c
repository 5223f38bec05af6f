/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_cookies.c - the kernel's settings for SYN cookies: what is read from them, how
 * they are switched, and what the agent says about it. The settings are files in a directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/cookies.h"
#include "gate/internal.h"
#include "gate/kept.h"
#include "lib/clock.h"
#include "lib/log.h"

#define FILES (sizeof(files) / sizeof(files[0]))

static const char *const files[] = { "ipv4/tcp_syncookies",     "ipv4/tcp_timestamps",
				     "ipv4/tcp_window_scaling", "ipv4/tcp_sack",
				     "ipv4/tcp_rmem",           "ipv4/ip_forward" };
static char directory[64];

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int value_of(const char *name)
{
	char path[128];
	FILE *file;
	int value = -1;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &value), 1);
	fclose(file);
	return value;
}

static int setup(void **state)
{
	static const char *const texts[FILES] = {
		"1\n", "1\n", "1\n", "1\n", "4096\t131072\t6291456\n", "0\n"
	};
	char path[128];

	(void)state;
	strcpy(directory, "/tmp/postern-cookies-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/ipv4", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < FILES; i++)
		write_file(files[i], texts[i]);
	return 0;
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/ipv4", directory);
	rmdir(path);
	return rmdir(directory);
}

static void test_scale(void **state)
{
	(void)state;
	assert_int_equal(cookies_scale(0), 0);
	assert_int_equal(cookies_scale(65535), 0);
	assert_int_equal(cookies_scale(65536), 1);
	assert_int_equal(cookies_scale(212992), 2);
	assert_int_equal(cookies_scale(6291456), 7);
	assert_int_equal(cookies_scale(UINT32_MAX), 14);
}

static void test_window(void **state)
{
	(void)state;
	assert_int_equal(cookies_window(131072), 64240);
	assert_int_equal(cookies_window(UINT32_MAX), 64240);
	assert_int_equal(cookies_window(16384), 7300);
	assert_int_equal(cookies_window(0), 2920);
}

static void test_offer(void **state)
{
	struct cookie_offer offer = cookies_offer(directory);

	(void)state;
	assert_int_equal(offer.cookies, 0);
	assert_int_equal(offer.scale, 7);
	assert_int_equal(offer.window, 64240);
	write_file("ipv4/tcp_syncookies", "2\n");
	write_file("ipv4/ip_forward", "1\n");
	write_file("ipv4/tcp_rmem", "4096 65536 131072");
	offer = cookies_offer(directory);
	assert_int_equal(offer.cookies, COOKIES_ON | COOKIES_ROUTED);
	assert_int_equal(offer.window, 32120);
	assert_int_equal(offer.scale, 2); /* of net.core.rmem_max, as it is by default */
	write_file("ipv4/tcp_timestamps", "2\n");
	assert_true(cookies_offer(directory).cookies & COOKIES_TIMESTAMPS);
	write_file("ipv4/tcp_sack", "0\n"); /* cookies with options would be refused */
	assert_false(cookies_offer(directory).cookies & COOKIES_TIMESTAMPS);
	offer = cookies_offer("/nonexistent");
	assert_int_equal(offer.cookies, 0);
	assert_int_equal(offer.window, 64240);
}

static void test_switch(void **state)
{
	struct cookie_switch kept = { 0 };

	(void)state;
	assert_int_equal(cookies_switch(&kept, directory, false, NULL), 0);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 1);
	assert_int_equal(cookies_switch(&kept, directory, true, NULL), 0);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 2);
	assert_int_equal(value_of("ipv4/tcp_timestamps"), 2);
	assert_int_equal(cookies_switch(&kept, directory, true, NULL), 0);
	assert_int_equal(cookies_switch(&kept, directory, false, NULL), 0);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 1);
	assert_int_equal(value_of("ipv4/tcp_timestamps"), 1);
}

/* What was 2 before stays 2, what is off stays off, and what somebody else has set stays. */
static void test_switch_leaves_alone(void **state)
{
	struct cookie_switch kept = { 0 };

	(void)state;
	write_file("ipv4/tcp_syncookies", "2\n");
	write_file("ipv4/tcp_timestamps", "0\n");
	assert_int_equal(cookies_switch(&kept, directory, true, NULL), 0);
	assert_int_equal(value_of("ipv4/tcp_timestamps"), 0);
	assert_int_equal(cookies_switch(&kept, directory, false, NULL), 0);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 2);
	write_file("ipv4/tcp_syncookies", "0\n");
	assert_int_equal(cookies_switch(&kept, directory, true, NULL), 0);
	write_file("ipv4/tcp_syncookies", "1\n");
	assert_int_equal(cookies_switch(&kept, directory, false, NULL), 0);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 1);
}

static void test_switch_fails(void **state)
{
	struct cookie_switch kept = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(cookies_switch(&kept, "/nonexistent", true, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "/nonexistent/ipv4/tcp_syncookies: No such file"));
	assert_int_equal(cookies_switch(&kept, "/nonexistent", false, &err), ERROR_REFUSED);
	assert_false(kept.switched[COOKIE_SYSCTL_COOKIES]);
}

static char *kept_path(char out[128])
{
	snprintf(out, 128, "%s/kept", directory);
	return out;
}

static void write_kept(const struct kept *kept, const char *values)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%s\n", kept->head, values);
	write_file("kept", text);
}

/* What a keeper has switched and could not switch back is found by the next one, and only that. */
static void test_kept(void **state)
{
	struct cookie_switch killed = { 0 }, next = { 0 };
	char path[128];
	struct kept kept;

	(void)state;
	assert_int_equal(kept_open(&kept, kept_path(path), NULL), 0);
	killed.kept = &kept;
	assert_false(kept_read(&kept, &next));
	write_file("ipv4/tcp_timestamps", "0\n");
	assert_int_equal(cookies_switch(&killed, directory, true, NULL), 0);
	assert_true(kept_read(&kept, &next));
	assert_true(next.switched[COOKIE_SYSCTL_COOKIES]);
	assert_int_equal(next.before[COOKIE_SYSCTL_COOKIES], 1);
	assert_false(next.switched[COOKIE_SYSCTL_STAMPS]);
	assert_int_equal(cookies_switch(&killed, directory, false, NULL), 0);
	assert_false(kept_read(&kept, &next));
	kept_close(&kept);
	unlink(path);
}

static void test_kept_is_not_trusted(void **state)
{
	static const char *const bad[] = { "", "1", "31", "-3", "111", "1 1", "1/" };
	struct cookie_switch next = { 0 };
	char path[128], other[128];
	struct kept kept;

	(void)state;
	assert_int_equal(kept_open(&kept, kept_path(path), NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_kept(&kept, bad[i]);
		assert_false(kept_read(&kept, &next));
		assert_false(next.switched[COOKIE_SYSCTL_COOKIES]);
	}
	write_kept(&kept, "12");
	assert_true(kept_read(&kept, &next));
	kept.head[strlen(kept.head) - 12]++; /* of another network namespace */
	assert_false(kept_read(&kept, &next));
	kept_close(&kept);
	/* Somebody else's file, under that name, is neither read nor written. */
	snprintf(other, sizeof(other), "%s/other", directory);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(kept_open(&kept, path, NULL), 0);
	assert_false(kept_read(&kept, &next));
	kept_close(&kept);
	assert_int_equal(chmod(path, 0622), 0);
	write_file("kept", "x");
	assert_int_equal(kept_open(&kept, path, NULL), 0);
	assert_int_equal(lseek(kept.fd, 0, SEEK_END), 0);
	kept_close(&kept);
	unlink(path);
	unlink(other);
}

/* A gate without a keeper, which acts in this process. */
struct fixture {
	struct gate gate;
	struct settings settings;
	struct flood_port port[FLOOD_PORTS];
};

static struct fixture *make_gate(const char *where)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->gate.map[GATE_MAP_settings].memory = &f->settings;
	f->gate.map[GATE_MAP_flood].memory = f->port;
	f->gate.cookies.directory = where;
	f->gate.cookies.wanted = true;
	pthread_mutex_init(&f->gate.cookies.lock, NULL);
	f->gate.flood_port[0] = 25;
	f->settings.port[25] = 1;
	f->settings.flood.threshold = 100;
	f->settings.flood.quiet = 1000;
	return f;
}

static void expect_state(struct fixture *f, enum gate_cookies cookies, const char *why)
{
	struct gate_cookie_state now;

	gate_cookie_state(&f->gate, &now);
	assert_int_equal(now.cookies, cookies);
	assert_non_null(strstr(now.why, why));
}

static void test_follow(void **state)
{
	struct fixture *f = make_gate(directory);

	(void)state;
	clock_freeze(1, 1000000000);
	gate_cookies_follow(&f->gate, false);
	expect_state(f, GATE_COOKIES_ARMED, "");
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 1);
	f->port[0].active = 1;
	gate_cookies_follow(&f->gate, true);
	expect_state(f, GATE_COOKIES_ON, "");
	assert_int_equal(f->settings.flood.cookies, COOKIES_ON | COOKIES_TIMESTAMPS);
	assert_int_equal(f->settings.flood.scale, 7);
	write_file("ipv4/tcp_syncookies", "1\n"); /* somebody else did, but the flood is on */
	gate_cookies_follow(&f->gate, true);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 2);
	f->port[0].active = 0;
	gate_cookies_follow(&f->gate, false);
	expect_state(f, GATE_COOKIES_ARMED, "");
	assert_int_equal(f->settings.flood.cookies, 0);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 1);
	/* Cookies are always on: time stamps follow all the same. */
	write_file("ipv4/tcp_syncookies", "2\n");
	gate_cookies_follow(&f->gate, true);
	assert_int_equal(f->settings.flood.cookies, COOKIES_ON | COOKIES_TIMESTAMPS);
	gate_cookies_follow(&f->gate, false);
	assert_int_equal(f->settings.flood.cookies, COOKIES_ON);
	write_file("ipv4/tcp_syncookies", "1\n");
	/* The keeper's end. */
	gate_cookies_follow(&f->gate, true);
	cookies_end(&f->gate);
	assert_int_equal(f->settings.flood.cookies, 0);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 1);
	clock_freeze(0, 0);
	pthread_mutex_destroy(&f->gate.cookies.lock);
	free(f);
}

/* The next keeper starts with what an earlier one left, before anybody asks it for anything. */
static void test_recover(void **state)
{
	struct fixture *f = make_gate(directory);
	char path[128];
	struct kept kept;

	(void)state;
	assert_int_equal(kept_open(&kept, kept_path(path), NULL), 0);
	f->gate.cookies.keeper.kept = &kept;
	gate_cookies_follow(&f->gate, true);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 2);
	memset(&f->gate.cookies.keeper, 0, sizeof(f->gate.cookies.keeper)); /* it is killed */
	f->gate.cookies.keeper.kept = &kept;
	cookies_recover(&f->gate);
	assert_int_equal(f->settings.flood.cookies, 0);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 1);
	assert_int_equal(value_of("ipv4/tcp_timestamps"), 1);
	write_file("ipv4/tcp_syncookies", "2\n"); /* the operator's from now on */
	cookies_recover(&f->gate);
	assert_int_equal(value_of("ipv4/tcp_syncookies"), 2);
	kept_close(&kept);
	unlink(path);
	pthread_mutex_destroy(&f->gate.cookies.lock);
	free(f);
}

static void test_states(void **state)
{
	struct fixture *f = make_gate("/nonexistent");

	(void)state;
	gate_cookies_follow(&f->gate, false);
	expect_state(f, GATE_COOKIES_UNAVAILABLE, "/nonexistent/ipv4/tcp_syncookies");
	f->gate.cookies.wanted = false;
	expect_state(f, GATE_COOKIES_OFF, "flood.cookies is false");
	f->settings.flood.threshold = 0;
	expect_state(f, GATE_COOKIES_OFF, "flood.threshold is 0");
	/* Not wanted, but set by somebody else. */
	f->settings.flood.threshold = 1;
	f->gate.cookies.directory = directory;
	write_file("ipv4/tcp_syncookies", "2\n");
	gate_cookies_follow(&f->gate, true);
	expect_state(f, GATE_COOKIES_ARMED, "");
	assert_int_equal(value_of("ipv4/tcp_timestamps"), 1);
	pthread_mutex_destroy(&f->gate.cookies.lock);
	free(f);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_window),
		CASE(test_offer),
		CASE(test_switch),
		CASE(test_switch_leaves_alone),
		CASE(test_switch_fails),
		CASE(test_kept),
		CASE(test_kept_is_not_trusted),
		CASE(test_follow),
		CASE(test_recover),
		CASE(test_states),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
