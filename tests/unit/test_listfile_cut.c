/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/listfile: exclusions, address by address against their definition, next to the
 * borders of the address families, and what they may cost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "listfile_shown.h"

/*
 * Exclusions against their definition, on random small sets: an address is listed if and only if
 * some entry holds it that is longer than the reach of every exclusion that holds it.
 */
#define UNIVERSE 256
#define ROUNDS   400
#define LINES    12

struct model {
	uint8_t listed[UNIVERSE];   /* length of the longest entry; 0: none */
	uint8_t excluded[UNIVERSE]; /* the farthest reach of an exclusion */
};

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void model_add(struct model *model, bool exclusion, uint32_t at, unsigned int len,
		      bool by_octet)
{
	uint8_t *of = exclusion ? model->excluded : model->listed;
	const unsigned int reach = exclusion && by_octet && len > 24 ? 32 : len;

	for (uint32_t i = at; i < at + (UNIVERSE >> (len - 24)); i++)
		if (of[i] < reach)
			of[i] = (uint8_t)reach;
}

static char *random_lines(uint32_t *seed, bool by_octet, struct model *model)
{
	char *text = calloc(1, 64 * (LINES + 2)), *at = text;

	assert_non_null(text);
	memset(model, 0, sizeof(*model));
	at += sprintf(at, "$DATASET %s @\n", by_octet ? "ip4set" : "ip4trie");
	for (int i = 0; i < LINES; i++) {
		const unsigned int len = 24 + next_random(seed) % 9;
		const uint32_t start =
			next_random(seed) % UNIVERSE & ~((UNIVERSE >> (len - 24)) - 1);
		const bool exclusion = next_random(seed) % 2;

		at += sprintf(at, "%s10.0.0.%u/%u\n", exclusion ? "!" : "", start, len);
		model_add(model, exclusion, start, len, by_octet);
	}
	return text;
}

static bool is_listed(const struct entry_set *set, uint32_t last_octet)
{
	const struct addr addr = addr_from_ipv4(0x0a000000u + last_octet);

	for (size_t i = 0; i < set->count; i++)
		if (prefix_contains(&set->entry[i].prefix, &addr))
			return true;
	return false;
}

static void exclusions_are_cut_exactly(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct model model;
		struct listfile_report report;
		char *text = random_lines(&seed, round % 2, &model);
		struct entry_set set = listfile_load(LISTFILE_RBLDNSD, text, strlen(text), &report);

		for (uint32_t i = 0; i < UNIVERSE; i++)
			if (is_listed(&set, i) != (model.listed[i] > model.excluded[i]))
				fail_msg("10.0.0.%u in round %d:\n%s", i, round, text);
		entry_set_clear(&set);
		free(text);
	}
}

static void exclusions_can_leave_nothing_or_all_but_one(void **state)
{
	static const char two_lines[] = "add x ::/0\nadd x 2001:db8::1 nomatch\n";
	static const char beside_ipv4[] = "add x ::/0\nadd x ::fffe:0:0/96 nomatch\n";
	struct listfile_report report;
	struct entry_set set;

	(void)state;
	assert_listfile(LISTFILE_IPSET,
			"add x 10.0.0.0/8\nadd x 0.0.0.0/0 nomatch\nadd x 0.0.0.0/0\n",
			"10.0.0.0/8\n");
	assert_listfile(LISTFILE_IPSET,
			"add x 0.0.0.0/0\nadd x 0.0.0.0/1 nomatch\nadd x 128.0.0.0/1 nomatch\n",
			"");
	assert_listfile(LISTFILE_IPSET, "add x ::/0 nomatch\nadd x 0.0.0.0/0\n", "0.0.0.0/0\n");
	set = listfile_load(LISTFILE_IPSET, two_lines, strlen(two_lines), &report);
	assert_int_equal(set.count, 128);
	assert_int_equal(report.exclusions, 1);
	for (size_t i = 0; i < set.count; i++)
		assert_false(prefix_is_ipv4(&set.entry[i].prefix));
	entry_set_clear(&set);
	/* Next to the IPv4 addresses: what is left of ::/0 must not turn into 0.0.0.0/0. */
	set = listfile_load(LISTFILE_IPSET, beside_ipv4, strlen(beside_ipv4), &report);
	assert_int_equal(set.count, 95);
	for (size_t i = 0; i < set.count; i++)
		assert_false(prefix_is_ipv4(&set.entry[i].prefix));
	entry_set_clear(&set);
}

/* IPv4 exclusions stand among those of ::/0 by their numbers, and must not hide any of them. */
static void families_are_cut_apart(void **state)
{
	static const char text[] = "add x ::/0\n"
				   "add x 10.0.0.0/8 nomatch\n"
				   "add x ::1 nomatch\n"
				   "add x 2001:db8::/32 nomatch\n";
	static const char *const rows[][2] = {
		{ "::2", "" },         { "2001:db7::", "" },     { "2001:db9::", "" },
		{ "::1", "not" },      { "2001:db8::1", "not" }, { "10.0.0.1", "not" },
		{ "192.0.2.1", "not" }
	};
	struct listfile_report report;
	struct entry_set set = listfile_load(LISTFILE_IPSET, text, strlen(text), &report);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool listed = false;
		struct addr addr;

		assert_int_equal(addr_parse(rows[i][0], strlen(rows[i][0]), &addr, NULL), 0);
		for (size_t j = 0; j < set.count; j++)
			listed |= prefix_contains(&set.entry[j].prefix, &addr);
		assert_int_equal(listed, !*rows[i][1]);
	}
	entry_set_clear(&set);
	assert_listfile(LISTFILE_IPSET,
			"add x ::/0 nomatch\nadd x 10.0.0.0/8 nomatch\nadd x 10.0.0.0/7\n"
			"add x 2001::/16 nomatch\nadd x 2000::/15\nadd x 2001:db8::/32\n",
			"11.0.0.0/8\n2000::/16\n2001:db8::/32\n");
}

/* Nested entries times exclusions inside them: work that a small file can ask for has an end. */
static void cutting_has_a_budget(void **state)
{
	const struct listfile_options options = { .name = "list", .format = LISTFILE_IPSET };
	const size_t holes = 50000, covers = 1100;
	char *text = malloc((holes + covers) * 48), *at = text;
	struct listfile_report report;
	struct entry_set set = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < holes; i++)
		at += sprintf(at, "add x 10.%zu.%zu.%zu nomatch\n", i >> 16, i >> 8 & 255, i & 255);
	for (size_t i = 0; i < covers; i++)
		at += sprintf(at, "add x 10.0.0.0/16\n");
	assert_int_equal(listfile_parse(&options, text, (size_t)(at - text), &set, &report, &err),
			 ERROR_REFUSED);
	assert_string_equal(err.text, "list:51100: too many exclusions inside of other entries");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exclusions_are_cut_exactly),
		cmocka_unit_test(exclusions_can_leave_nothing_or_all_but_one),
		cmocka_unit_test(families_are_cut_apart),
		cmocka_unit_test(cutting_has_a_budget),
	};

	return cmocka_run_group_tests_name("listfile_cut", tests, NULL, NULL);
}
