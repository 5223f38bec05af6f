/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/listfile: the formats ipset and drop in the shape that their programs and providers
 * give them.
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

static void ipset_save(void **state)
{
	(void)state;
	assert_listfile(
		LISTFILE_AUTO,
		"create spam hash:ip family inet hashsize 1024 maxelem 65536 timeout 600 "
		"counters comment bucketsize 12 initval 0x5f3f0b2a\n"
		"add spam 192.0.2.1 timeout 300 packets 17 bytes 1020 comment \"open relay\"\n"
		"add spam 192.0.2.2 timeout 0\n"
		"add spam 192.0.2.3\n"
		"add spam 192.0.2.4 comment \"\" timeout 60\n"
		"create nets hash:net family inet6 hashsize 1024 maxelem 65536\n"
		"add nets 2001:db8::/32 skbmark 0x1/0xff skbprio 1:10 skbqueue 4\n"
		"add nets 2001:db8:1::1 -exist\n"
		"add unknown 198.51.100.0/24\n",
		"192.0.2.1 300s open relay\n"
		"192.0.2.2\n"
		"192.0.2.3 600s\n"
		"192.0.2.4 60s\n"
		"198.51.100.0/24\n"
		"2001:db8::/32\n"
		"2001:db8:1::1\n");
}

static void ipset_nomatch(void **state)
{
	(void)state;
	assert_listfile(LISTFILE_AUTO,
			"create nets hash:net family inet comment\n"
			"add nets 192.0.2.4/30 nomatch\n"
			"add nets 192.0.2.0/28 timeout 60 comment \"rest\"\n"
			"add nets 192.0.2.5\n"
			"create others hash:net\n"
			"create others hash:net -exist\n"
			"add others 192.0.2.0/29\n",
			"192.0.2.0/29\n"
			"192.0.2.0/30 60s rest\n"
			"192.0.2.5\n"
			"192.0.2.8/29 60s rest\n");
}

static void ipset_netmask_and_ranges(void **state)
{
	(void)state;
	assert_listfile(LISTFILE_IPSET,
			"create nets hash:ip family inet netmask 24\n"
			"add nets 192.0.2.0\n"
			"add nets 198.51.100.7-198.51.101.9\n"
			"-N old iphash\n"
			"-A old 203.0.113.1\n"
			"COMMIT\n",
			"192.0.2.0/24\n"
			"198.51.100.0/23\n"
			"203.0.113.1\n");
}

static void ipset_bad_lines(void **state)
{
	static const char *const rows[][2] = {
		{ "create p hash:ip,port family inet",
		  "hash:ip,port: only sets of the types hash:ip, hash:net and bitmap:ip can be "
		  "loaded" },
		{ "create b hash:ip bitmask 255.0.255.0",
		  "bitmask: sets with a bitmask cannot be loaded" },
		{ "create b hash:ip timeout forever",
		  "timeout: needs a number of seconds up to 2147483" },
		{ "create b hash:ip netmask 0", "netmask: needs a length from 1 to 128" },
		{ "create a-name-that-is-longer-than-it-may-be hash:ip",
		  "a-name-that-is-longer-than-it-may-be: a set's name has 1 to 31 characters" },
		{ "add x 192.0.2.1,tcp:25", "192.0.2.1,tcp:25: not an IPv4 or IPv6 address" },
		{ "add x", "\"\": not an IPv4 or IPv6 address" },
		{ "add x 192.0.2.1/24",
		  "192.0.2.1/24: host bits are set; the prefix is 192.0.2.0/24" },
		{ "add x 192.0.2.1 timeout 2147484",
		  "timeout: needs a number of seconds up to 2147483" },
		{ "add x 192.0.2.1 comment relay", "relay: a comment stands in double quotes" },
		{ "add x 192.0.2.1 comment \"relay",
		  "\"relay: a comment without its closing quote" },
		{ "add x 192.0.2.1 family inet", "family: not an option of an ipset entry" },
		{ "del x 192.0.2.1", "del x 192.0.2.1: not an IPv4 or IPv6 address" },
	};
	char text[256], expected[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "create x hash:ip family inet\n%s\n", rows[i][0]);
		snprintf(expected, sizeof(expected), "list:2: %s", rows[i][1]);
		assert_listfile_refused(LISTFILE_IPSET, text, expected);
	}
}

static void ipset_has_a_budget_for_sets(void **state)
{
	char text[65 * 32], *at = text;

	(void)state;
	for (int i = 0; i < 65; i++)
		at += sprintf(at, "create set%d hash:ip\n", i);
	assert_listfile_refused(LISTFILE_IPSET, text,
				"list:65: set64: more than 64 sets in one file");
}

static void drop_text(void **state)
{
	(void)state;
	assert_listfile(LISTFILE_AUTO,
			"; Spamhaus DROP List 2024/11/24 - (c) 2024 The Spamhaus Project SLU\n"
			"; https://www.spamhaus.org/drop/drop.txt\n"
			"; Last-Modified: Sun, 24 Nov 2024 05:17:00 GMT\n"
			"; Expires: Sun, 24 Nov 2024 09:03:35 GMT\n"
			"192.0.2.0/24 ; SBL256893\n"
			"198.51.100.0/24 ; SBL256894\n",
			"192.0.2.0/24 SBL256893\n"
			"198.51.100.0/24 SBL256894\n");
}

static void drop_json(void **state)
{
	(void)state;
	assert_listfile(
		LISTFILE_AUTO,
		"{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL256893\",\"rir\":\"apnic\"}\n"
		"{\"cidr\":\"198.51.100.0/24\",\"sblid\":\"SBL256894\"}\n"
		"{\"rir\":\"ripencc\",\"cidr\":\"2001:db8::\\u002f32\",\"new\":[1,{}]}\n"
		"{\"type\":\"metadata\",\"timestamp\":1732425420,\"size\":164,\"records\":3,"
		"\"copyright\":\"(c) 2024 The Spamhaus Project SLU\","
		"\"terms\":\"https://www.spamhaus.org/drop/terms/\"}\n",
		"192.0.2.0/24 SBL256893 (apnic)\n"
		"198.51.100.0/24 SBL256894\n"
		"2001:db8::/32\n");
}

static void drop_bad_lines(void **state)
{
	static const char *const rows[][2] = {
		{ "{\"cidr\":\"192.0.2.1/24\"}",
		  "192.0.2.1/24: host bits are set; the prefix is 192.0.2.0/24" },
		{ "{\"asn\":64496}", "an object without a \"cidr\"" },
		{ "{\"cidr\":7}", "an object without a \"cidr\"" },
		{ "{\"cidr\":\"192.0.2.0/24\"", "not a JSON object (column 22)" },
		{ "{\"cidr\":\"192.0.2.0/24\"} x", "not a JSON object (column 25)" },
		{ "{\"cidr\":\"192.0.2.0/24\",\"cidr\":\"::/0\"}",
		  "not a JSON object (column 29)" },
		{ "{\"type\":\"metadata\",\"records\":1496}",
		  "the metadata counts 1496 records, but 1 stand before it: the file is not "
		  "complete" },
	};
	char text[256], expected[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"cidr\":\"203.0.113.0/24\"}\n%s\n", rows[i][0]);
		snprintf(expected, sizeof(expected), "list:2: %s", rows[i][1]);
		assert_listfile_refused(LISTFILE_DROP, text, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipset_save),
		cmocka_unit_test(ipset_nomatch),
		cmocka_unit_test(ipset_netmask_and_ranges),
		cmocka_unit_test(ipset_bad_lines),
		cmocka_unit_test(ipset_has_a_budget_for_sets),
		cmocka_unit_test(drop_text),
		cmocka_unit_test(drop_json),
		cmocka_unit_test(drop_bad_lines),
	};

	return cmocka_run_group_tests_name("listfile_formats", tests, NULL, NULL);
}
