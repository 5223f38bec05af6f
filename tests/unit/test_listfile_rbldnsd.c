/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/listfile: zone files of rbldnsd, with everything that they may hold.
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

/* The example of rbldnsd's own manual, in this project's words: equal ranges, written differently.
 */
static void rbldnsd_addresses_may_be_short(void **state)
{
	static const char *const same24[] = { "127.0.0.0/24",  "127.0.0",
					      "127/24",        "127.0.0.0-127.0.0.255",
					      "127.0.0.0-255", "127.0.0-127.0.0",
					      "127.0.0-0" };
	static const char *const same12[] = { "127.16.0.0-127.31.255.255",
					      "127.16.0-127.31.255",
					      "127.16-127.31",
					      "127.16-31",
					      "127.16.0.0/12",
					      "127.16.0/12",
					      "127.16/12" };

	(void)state;
	for (size_t i = 0; i < sizeof(same24) / sizeof(same24[0]); i++)
		assert_listfile(LISTFILE_RBLDNSD, same24[i], "127.0.0.0/24\n");
	for (size_t i = 0; i < sizeof(same12) / sizeof(same12[0]); i++)
		assert_listfile(LISTFILE_RBLDNSD, same12[i], "127.16.0.0/12\n");
	assert_listfile(LISTFILE_RBLDNSD, "192.0.2.1-5\n10.0-3\n11-12.0\n127.16.0-31\n",
			"10.0.0.0/14\n11.0.0.0/8\n12.0.0.0/16\n127.16.0.0/19\n"
			"192.0.2.1\n192.0.2.2/31\n192.0.2.4/31\n");
	assert_listfile(LISTFILE_RBLDNSD,
			"2001:db8:c000/36\n2001:db8:def7:4242\n2001:db8:42::/52\n::1 # localhost\n"
			"2001:DB8:1:2:3:4:5:6\nabac:adab\n",
			"::1\n2001:db8:1:2:3:4:5:6\n2001:db8:42::/52\n2001:db8:c000::/36\n"
			"2001:db8:def7:4242::/64\nabac:adab::/32\n");
}

static void rbldnsd_texts(void **state)
{
	(void)state;
	assert_listfile(LISTFILE_AUTO,
			"$SOA 1w ns1.example.org admin.example.org 0 2h 2h 1w 1h\n"
			"$NS 1w ns1.example.org ns2.example.org\n"
			"$TTL 1h\n"
			"# a comment\n"
			"192.0.2.1\n"
			":127.0.0.2:Open proxy, see http://bl.example.org/?$\n"
			"192.0.2.2\n"
			"192.0.2.3 ; a comment, no text\n"
			"192.0.2.4 :5\n"
			"192.0.2.5 :6:\n"
			"192.0.2.6 :127.0.0.7: Open relay\n"
			"192.0.2.7 just a text\n"
			"192.0.2.8:8:no blank\n"
			":3:\n"
			"192.0.2.9\n",
			"192.0.2.1\n"
			"192.0.2.2 Open proxy, see http://bl.example.org/?$\n"
			"192.0.2.3 Open proxy, see http://bl.example.org/?$\n"
			"192.0.2.4 Open proxy, see http://bl.example.org/?$\n"
			"192.0.2.5 127.0.0.6\n"
			"192.0.2.6 Open relay\n"
			"192.0.2.7 just a text\n"
			"192.0.2.8 no blank\n"
			"192.0.2.9 127.0.0.3\n");
	assert_listfile(LISTFILE_RBLDNSD,
			"$1 See http://bl.example.org\n"
			"$2 for details\n"
			"192.0.2.1 $1/spam/$ $2\n"
			"192.0.2.2 some $$$$. $1/$ $3.\n"
			"$= $1?$= ($)\n"
			"192.0.2.3 r123\n"
			"192.0.2.4 =alone $2\n",
			"192.0.2.1 See http://bl.example.org/spam/$ for details\n"
			"192.0.2.2 some $$. See http://bl.example.org/$ .\n"
			"192.0.2.3 See http://bl.example.org?r123 ($)\n"
			"192.0.2.4 alone for details\n");
}

static void rbldnsd_datasets(void **state)
{
	(void)state;
	assert_listfile(LISTFILE_AUTO,
			"$NS 1w ns1.example.org\n"
			"$1 common\n"
			"$DATASET ip4set:proxy proxies @\n"
			"$2 local\n"
			":2:Open proxy, $1 $2\n"
			"192.0.2.0/30\n"
			"!192.0.2.2\n"
			"$DATASET dnset domains\n"
			"spam.example.com\n"
			"!www.example.com\n"
			"192.0.2.77\n"
			"$DATASET ip4trie:relay relays @\n"
			"192.0.2.2 Open relay, $1 $2.\n"
			"192.0.2.3\n"
			"$DATASET ip6trie six\n"
			"2001:db8:1:2\n"
			"!2001:db8:1:2::/66\n"
			"2001:db8:1:2::beef\n"
			"$DATASET generic:common proxies relays @\n"
			"@ A 127.0.0.8\n",
			"192.0.2.0/31 Open proxy, common local\n"
			"192.0.2.2 Open relay, common .\n"
			"192.0.2.3 Open proxy, common local\n"
			"192.0.2.3\n"
			"2001:db8:1:2::beef\n"
			"2001:db8:1:2:4000::/66\n"
			"2001:db8:1:2:8000::/65\n");
}

static void rbldnsd_exclusions_reach_to_their_octet(void **state)
{
	/* An ip4set sorts by octets: the /25 and what is inside it are of one kind. */
	assert_listfile(LISTFILE_RBLDNSD,
			"$DATASET ip4set @\n!10.0.0.0/25\n10.0.0.9\n10.0.0.0/24\n",
			"10.0.0.128/25\n");
	(void)state;
	assert_listfile(LISTFILE_RBLDNSD,
			"$DATASET ip4set @\n!10.0.0.0/24\n10.0.0.9\n10.0.0.0/24\n", "10.0.0.9\n");
	/* In a trie the more specific entry wins. */
	assert_listfile(LISTFILE_RBLDNSD,
			"$DATASET ip4trie @\n!10.0.0.0/25\n10.0.0.9\n10.0.0.0/24\n",
			"10.0.0.9\n10.0.0.128/25\n");
	assert_listfile(LISTFILE_RBLDNSD, "10.0.0\n!10.0.0.2-255\n", "10.0.0.0/31\n");
	/* A bare zone is taken for an ip4set. */
	assert_listfile(LISTFILE_AUTO, "!10.0.0.0/25\n10.0.0.9\n10.0.0.0/24\n", "10.0.0.128/25\n");
}

static void rbldnsd_range_limit(void **state)
{
	static const char text[] =
		"$MAXRANGE4 /24\n10.0.0.0/24\n10.0.2.0/23\n10.1.0.0-10.1.1.0\n"
		"!10.0.0.0/16\n2001:db8::/32\n$MAXRANGE4 2\n10.2.0.0/31\n10.3.0.0/30\n";
	struct listfile_report report;
	struct entry_set set;

	(void)state;
	assert_listfile(LISTFILE_AUTO, text, "10.0.0.0/24\n10.2.0.0/31\n2001:db8::/32\n");
	set = listfile_load(LISTFILE_AUTO, text, strlen(text), &report);
	assert_int_equal(report.ignored, 4);
	entry_set_clear(&set);
}

static void rbldnsd_bad_lines(void **state)
{
	static const char *const rows[][2] = {
		{ "127", "127: " }, /* one number could be anything */
		{ "dead", "dead: " },
		{ "192.0.2.1.5", "192.0.2.1.5: " },
		{ "192.0.2.", "192.0.2.: " },
		{ "192.0.2.256", "192.0.2.256: " },
		{ "192.0.02", "192.0.02: " },
		{ "192.0.2/33", "192.0.2/33: " },
		{ "192.0.2-", "192.0.2-: " },
		{ "192.0.2.1-2-3", "192.0.2.1-2-3: " },
		{ "example.com", "example.com: " },
		{ "192.0.2.1x", "192.0.2.1x: " },
		{ "!", ": " },
	};
	char text[256], expected[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "$TTL 1h\n%s\n", rows[i][0]);
		snprintf(expected, sizeof(expected),
			 "list:2: %snot an address, prefix or range of rbldnsd", rows[i][1]);
		assert_listfile_refused(LISTFILE_RBLDNSD, text, expected);
	}
	assert_listfile_refused(LISTFILE_RBLDNSD, "127.1/24\n10.0.1/16\n2001:db8:1/32\n",
				"list:2: 10.0.1/16: host bits are set; the prefix is 10.0.0.0/16; "
				"list:3: 2001:db8:1::/32: host bits are set; "
				"the prefix is 2001:db8::/32");
	assert_listfile_refused(LISTFILE_RBLDNSD, "192.0.2.9-5\n",
				"list:1: 192.0.2.9-5: the range ends before it starts");
	assert_listfile_refused(LISTFILE_RBLDNSD, "$FOO bar\n$DATASET mx @\n$MAXRANGE4 /33\n",
				"list:1: FOO bar: not a $-line of rbldnsd; "
				"list:2: mx: not a type of data set that can be loaded; "
				"list:3: /33: $MAXRANGE4 needs a number or a /length");
	assert_listfile_refused(
		LISTFILE_RBLDNSD,
		"$DATASET ip4set @\n2001:db8:1:2\n$DATASET ip6trie @\n"
		"192.0.2.1\n",
		"list:2: 2001:db8:1:2: the data set is one of the other address family; "
		"list:4: 192.0.2.1: the data set is one of the other address family");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rbldnsd_addresses_may_be_short),
		cmocka_unit_test(rbldnsd_texts),
		cmocka_unit_test(rbldnsd_datasets),
		cmocka_unit_test(rbldnsd_exclusions_reach_to_their_octet),
		cmocka_unit_test(rbldnsd_range_limit),
		cmocka_unit_test(rbldnsd_bad_lines),
	};

	return cmocka_run_group_tests_name("listfile_rbldnsd", tests, NULL, NULL);
}
