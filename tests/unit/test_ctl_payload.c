/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_ctl_payload.c - nothing of a malformed payload gets through, and it says what is
 * wrong with which record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ctl/payload.h"
#include "maps/action.h"

#define ENTRIES 3

/* A payload of three entries and two notes that is right; each test breaks one thing. */
struct fixture {
	struct entry entry[ENTRIES];
	char notes[64];
	struct payload_shape shape;
	size_t surplus; /* bytes too many */
};

static struct entry make_entry(const char *text, uint32_t note)
{
	struct entry entry = { .action = ACTION_DROP, .note = note };

	assert_int_equal(prefix_parse(text, strlen(text), &entry.prefix, NULL), 0);
	return entry;
}

static struct fixture make_fixture(void)
{
	static const char notes[] = "spam\0h\303\251las";
	struct fixture fixture = {
		.entry = { make_entry("192.0.2.0/24", 1), make_entry("2001:db8::/32", 2),
			   make_entry("198.51.100.7", 0) },
		.shape = { .kind = LIST_KIND_BLOCK,
			   .entries = ENTRIES,
			   .notes = 2,
			   .notes_size = sizeof(notes) },
	};

	memcpy(fixture.notes, notes, sizeof(notes));
	return fixture;
}

/* Parses the fixture as it stands; on success the set is the caller's. */
static int parse(const struct fixture *fixture, struct entry_set *set, struct error *err)
{
	const size_t entries = sizeof(fixture->entry);
	const size_t size = entries + fixture->shape.notes_size + fixture->surplus;
	char *bytes = calloc(1, entries + sizeof(fixture->notes) + fixture->surplus);
	int failed;

	memcpy(bytes, fixture->entry, entries);
	memcpy(bytes + entries, fixture->notes, sizeof(fixture->notes));
	failed = payload_parse(&fixture->shape, &bytes, size, set, err);
	/* On failure the memory is still ours, on success it has been taken over. */
	if (failed)
		assert_non_null(bytes);
	else
		assert_null(bytes);
	free(bytes);
	return failed;
}

static void refuse(const struct fixture *fixture, const char *why)
{
	struct entry_set set = { .count = 99 };
	struct error err = { 0 };

	assert_true(parse(fixture, &set, &err) < 0);
	assert_int_equal(set.count, 99);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void test_good(void **state)
{
	struct fixture fixture = make_fixture();
	struct entry_set set;

	(void)state;
	fixture.entry[0].added = 12345; /* the agent's own clock counts, not the peer's */
	assert_int_equal(parse(&fixture, &set, NULL), 0);
	assert_int_equal(set.count, ENTRIES);
	assert_int_equal(set.note_count, 2);
	assert_string_equal(set.notes, "spam");
	assert_int_equal(set.entry[0].added, 0);
	assert_int_equal(set.entry[2].prefix.len, 128);
	entry_set_clear(&set);
}

static void test_allow_has_no_action(void **state)
{
	struct fixture fixture = make_fixture();
	struct entry_set set;

	(void)state;
	fixture.shape.kind = LIST_KIND_ALLOW;
	fixture.entry[1].action = ACTION_TARPIT;
	assert_int_equal(parse(&fixture, &set, NULL), 0);
	assert_int_equal(set.entry[1].action, ACTION_DROP);
	entry_set_clear(&set);
}

static void test_bad_entries(void **state)
{
	struct fixture good = make_fixture(), bad;

	(void)state;
	bad = good;
	bad.entry[1].prefix.addr.byte[15] = 1;
	refuse(&bad, "entry 2: host bits");
	bad = good;
	bad.entry[0].prefix.len = 129;
	refuse(&bad, "entry 1: a prefix longer");
	bad = good;
	bad.entry[2].prefix.len = 255;
	refuse(&bad, "entry 3: a prefix longer");
	bad = good;
	bad.entry[2].reserved = 1;
	refuse(&bad, "entry 3: reserved");
	bad = good;
	bad.entry[0].note = 3;
	refuse(&bad, "entry 1: a reason");
	bad = good;
	bad.entry[0].note = UINT32_MAX;
	refuse(&bad, "entry 1: a reason");
	bad = good;
	bad.entry[0].expires = UINT32_MAX;
	refuse(&bad, "entry 1: a time to live");
	bad = good;
	bad.entry[1].action = ACTION_COUNT;
	refuse(&bad, "entry 2: no action");
}

static void test_bad_notes(void **state)
{
	struct fixture good = make_fixture(), bad;

	(void)state;
	bad = good;
	bad.notes[6] = 'x'; /* the second byte of a character without its first */
	refuse(&bad, "reason 2: text is not UTF-8");
	bad = good;
	bad.notes[1] = '\x1b';
	refuse(&bad, "reason 1: text has a control");
	bad = good;
	bad.notes[4] = 'x'; /* two texts become one */
	refuse(&bad, "2 reasons were announced and 1 came");
	bad = good;
	bad.notes[bad.shape.notes_size - 1] = 'x';
	refuse(&bad, "has no end");
	bad = good;
	bad.shape.notes = 0;
	bad.entry[0].note = bad.entry[1].note = 0;
	refuse(&bad, "0 reasons were announced");
}

static void test_bad_sizes(void **state)
{
	struct fixture good = make_fixture(), bad;

	(void)state;
	bad = good;
	bad.surplus = 1;
	refuse(&bad, "payload of");
	bad = good;
	bad.shape.entries = ENTRIES - 1;
	refuse(&bad, "payload of");
	bad = good;
	bad.shape.entries = PAYLOAD_ENTRIES_MAX + 1;
	refuse(&bad, "at most");
	bad = good;
	bad.shape.entries = UINT64_MAX / sizeof(struct entry) + 2; /* wraps to a small size */
	refuse(&bad, "at most");
	bad = good;
	bad.shape.notes = UINT64_MAX;
	refuse(&bad, "were announced");
}

static void test_notes(void **state)
{
	char text[NOTE_TEXT_MAX + 2];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(note_check(text, NOTE_TEXT_MAX, NULL), 0);
	assert_true(note_check(text, NOTE_TEXT_MAX + 1, NULL) < 0);
	assert_int_equal(note_check("", 0, NULL), 0);
	assert_true(note_check("a\nb", 3, NULL) < 0);
	assert_true(note_check("\xc0\x80", 2, NULL) < 0);
	assert_true(note_check("\xed\xa0\x80", 3, NULL) < 0);
	assert_true(note_check("\xe2\x82", 2, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),        cmocka_unit_test(test_allow_has_no_action),
		cmocka_unit_test(test_bad_entries), cmocka_unit_test(test_bad_notes),
		cmocka_unit_test(test_bad_sizes),   cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
