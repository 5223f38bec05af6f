/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_guard_greylist.c - what the guard has for sessions that greylist: the memory that
 * the kernel's silence goes by, and what a verdict leaves open. On the bed of
 * tests/unit/guard_bed.h.
 */
#include "session/guard_client.h"
#include "tests/unit/guard_bed.h"
#include "tests/unit/log_capture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOOD  "192.0.2.1"
#define GREY  "mode: guard\nscore: {rdns-missing: 7}\ngreylist: {enabled: true}\n"
#define GUARD "mode: guard\nscore: {rdns-missing: 0}\n"

GUARD_BED_GATE

/* A session goes on where the kernel's silence has begun, with SPF and without. */
static void greylisted_by_the_kernel(void **state)
{
	const struct greylist_rules rules = { 300, 3600, 86400 };
	const struct greylist_key key = { addr_of(GOOD), NULL };
	const struct greylist_key proved = { addr_of(GOOD), "sender.example" };
	struct guard_bed *bed = *state;
	struct greylist_record record;
	struct guard_client *client;
	struct error err;
	uv_loop_t loop;

	bed_open(bed, GREY);
	uv_loop_init(&loop);
	assert_int_equal(guard_client_open(bed->guard, &loop, &client, &err), 0);
	conf_publish(bed_conf(bed, GREY));
	assert_false(guard_greylist(bed->guard, &key.addr, &record));
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 1);
	assert_int_equal(bed_learned(bed, GOOD).seconds, 300);
	bed_pass(100);
	assert_true(guard_greylist(bed->guard, &key.addr, &record));
	assert_int_equal(record.wait, 200);
	assert_int_equal(guard_client_greylist(client, &rules, &proved).wait, 200);
	assert_int_equal(guard_client_greylist(client, &rules, &key).wait, 200);
	bed_pass(200);
	assert_int_equal(guard_client_greylist(client, &rules, &proved).state, GREYLIST_PASSED);
	assert_int_equal(guard_client_greylist(client, &rules, &key).state, GREYLIST_PASSED);
	guard_client_close(&client);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	bed_close(bed);
}

/* What a silent list might have said for it is known to whoever adds to the score. */
static void a_silent_list_is_in_the_verdict(void **state)
{
	const struct addr addr = addr_of(GOOD), answered = addr_of("192.0.2.3");
	struct guard_bed *bed = *state;
	struct verdict verdict;

	bed_open(bed, GUARD);
	bed_tell(bed, "192.0.2.3", true);
	bed_until(bed, bed_times_learned(bed) == 1);
	bed_server(bed, BED_MUTE);
	bed_tell(bed, GOOD, true);
	conf_publish(
		bed_conf(bed, GUARD "guard: {timeout: 100}\n")); /* for what is under way, too */
	bed_until(bed, guard_verdict(bed->guard, &addr, &verdict));
	assert_int_equal(verdict.missing, -5);
	assert_int_equal(verdict.temporary, 1);
	assert_true(guard_verdict(bed->guard, &answered, &verdict));
	assert_int_equal(verdict.missing, 0);
	bed_close(bed);
}

static bool known(struct guard_bed *bed, struct greylist_record *out)
{
	const struct addr addr = addr_of(GOOD);

	return guard_greylist(bed->guard, &addr, out);
}

/* Times are those of the day, also where that was set meanwhile. */
static void another_guard_goes_on(void **state)
{
	struct guard_bed *bed = *state;
	struct greylist_record record;
	struct guard_stats stats;

	bed_open(bed, GREY);
	conf_publish(bed_conf(bed, GREY));
	stats = bed_stats(bed);
	assert_int_equal(stats.greylist_bytes, 0);
	assert_int_equal(stats.greylist_saved, BED_START);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 1);
	bed_close(bed);
	bed_pass(100);
	bed_set_wall(BED_START + 5000);
	bed_open(bed, GREY);
	assert_true(known(bed, &record));
	assert_int_equal(record.wait, 200);
	assert_int_equal(record.first, BED_START + 4900);
	assert_int_equal(record.last, BED_START + 4900);
	stats = bed_stats(bed);
	assert_true(stats.greylist_bytes > 0);
	assert_int_equal(stats.greylist_saved, BED_START + 5000);
	assert_int_equal(stats.greylist_failures, 0);
	bed_close(bed);
}

static void expect_in(char *log, const char *line)
{
	if (!strstr(log, line))
		fail_msg("\"%s\" does not have \"%s\"", log, line);
	free(log);
}

/* With an empty memory, and a line that says so. */
static void a_guard_whose_file_is_damaged(void **state)
{
	struct guard_bed *bed = *state;
	struct greylist_record record;
	struct capture capture;

	bed_open(bed, GREY);
	conf_publish(bed_conf(bed, GREY));
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 1);
	bed_close(bed);
	assert_return_code(truncate(fixture_path(bed->store, "greylist"), 60), 0);
	capture_pipe(&capture);
	bed_open(bed, GREY);
	expect_in(capture_end(&capture), "\"event\":\"greylist.damaged\",\"error\":\"");
	assert_false(known(bed, &record));
	bed_close(bed);
}

/* It ends all the same. */
static void a_guard_that_cannot_write(void **state)
{
	struct guard_bed *bed = *state;
	struct capture capture;

	assert_return_code(mkdir(fixture_path(bed->store, "greylist.new"), 0700), 0);
	bed_open(bed, GREY);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 1);
	capture_pipe(&capture);
	bed_close(bed);
	expect_in(capture_end(&capture), "\"event\":\"greylist.failed\",\"error\":\"cannot write ");
	assert_return_code(rmdir(fixture_path(bed->store, "greylist.new")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED_TEST(greylisted_by_the_kernel),  BED_TEST(a_silent_list_is_in_the_verdict),
		BED_TEST(another_guard_goes_on),     BED_TEST(a_guard_whose_file_is_damaged),
		BED_TEST(a_guard_that_cannot_write),
	};

	return cmocka_run_group_tests_name("guard greylist", tests, NULL, NULL);
}
