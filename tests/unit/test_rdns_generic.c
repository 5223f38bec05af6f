/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of rdns_is_generic(): names as providers make them from addresses, and names that look a
 * little like those, among them ones of large mail farms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "checks/rdns.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *addr, *name;
	bool generic;
} rows[] = {
	/* Octets in order. */
	{ "192.0.2.7", "192-0-2-7.dyn.example.net", true },
	{ "192.0.2.7", "192.0.2.7.dyn.example.net", true },
	{ "192.0.2.7", "192_0_2_7.example.net", true },
	{ "192.0.2.7", "c-192-0-2-7.hsd1.ma.example.net", true },
	{ "192.0.2.7", "pool-192-0-2-7.bstnma.fios.example.net", true },
	{ "192.0.2.7", "ec2-192-0-2-7.compute-1.example.com", true },
	{ "192.0.2.7", "ip192-0-2-7.example.net", true },
	{ "192.0.2.7", "host192-0-2-7.range192-0.example.it", true },
	{ "192.0.2.7", "192x0x2x7.static.example.ru", true },
	{ "192.0.2.7", "a192n0n2n7.example.net", true },
	{ "192.0.2.7", "CPE-192-0-2-7.CABLE.EXAMPLE.NET", true },
	{ "192.0.2.7", "192-000-002-007.adsl.example.net", true },
	{ "192.0.2.7", "192000002007.ppp.example.tw", true },
	{ "192.0.2.7", "h192000002007.ppp.example.tw", true },
	{ "203.0.113.254", "dsl2030113254.example.net", true },
	{ "::ffff:192.0.2.7", "192-0-2-7.dyn.example.net", true },
	/* In reverse. */
	{ "192.0.2.7", "static.7.2.0.192.clients.example.de", true },
	{ "192.0.2.7", "7-2-0-192.example.net", true },
	{ "192.0.2.7", "007.002.000.192.example.net", true },
	{ "192.0.2.7", "007002000192.example.net", true },
	{ "203.0.113.254", "2541130203.example.net", true },
	/* Three neighbours. */
	{ "192.0.2.7", "192-0-2.dyn.example.net", true },
	{ "192.0.2.7", "0-2-7.dyn.example.net", true },
	{ "192.0.2.7", "7.2.0.example.net", true },
	{ "192.0.2.7", "host-2-0-192.example.net", true },
	{ "192.0.2.7", "7.host-192-0-2.example.net", true },
	{ "192.0.2.7", "host7.192-0-2.example.net", true },
	/* Hexadecimal and one number. */
	{ "192.0.2.7", "c0000207.dip0.example.net", true },
	{ "192.0.2.7", "pC0000207.dip0.example.net", true },
	{ "192.0.2.7", "070200c0.example.net", true },
	{ "192.0.2.7", "dslb-c0-00-02-07.example.net", true },
	{ "192.0.2.7", "c0.0.2.7.example.net", true },
	{ "192.0.2.7", "3221225991.example.net", true },
	{ "192.0.2.7", "ip3221225991.example.net", true },
	/* Not enough, or another address. */
	{ "192.0.2.7", "mx1.example.com", false },
	{ "192.0.2.7", "host.example.com", false },
	{ "192.0.2.7", "2-7.example.com", false },
	{ "192.0.2.7", "a2-7.smtp-out.example.com", false },
	{ "192.0.2.7", "192-0.dyn.example.com", false },
	{ "192.0.2.7", "host-7.example.com", false },
	{ "192.0.2.7", "192-0-3-7.dyn.example.net", false },
	{ "192.0.2.7", "192-2-0-7.dyn.example.net", false },
	{ "192.0.2.7", "192-0-20-7.dyn.example.net", false },
	{ "192.0.2.7", "1192-0-2-77.dyn.example.net", false },
	{ "192.0.2.7", "a192b0c2.example.net", false },
	{ "192.0.2.7", "192--0--2--7.example.net", false },
	{ "192.0.2.7", "192027.example.net", false },
	{ "192.0.2.7", "c00002.example.net", false },
	{ "192.0.2.7", "32212259910.example.net", false },
	{ "10.1.2.3", "123.example.net", false },
	{ "10.1.2.3", "10123.example.net", false },
	{ "209.85.221.41", "mail-wr1-f41.example.com", false },
	{ "54.240.8.31", "a8-31.smtp-out.example.com", false },
	{ "198.2.128.68", "mail68.suw11.mcdlv.example.net", false },
	{ "40.107.22.72", "mail-am6eur05on2072.outbound.example.com", false },
	{ "192.0.2.7", "192.0.2.7", false },
	{ "192.0.2.7", "192-0-2-7.dyn.example.net\n", false },
	/* Somebody's choice of a name for a mail server, unless the address is handed out. */
	{ "192.0.2.7", "mail-192-0-2-7.example.com", false },
	{ "192.0.2.7", "mx192-0-2-7.example.com", false },
	{ "192.0.2.7", "smtp.192-0-2-7.example.com", false },
	{ "192.0.2.7", "relay-7-2-0-192.example.com", false },
	{ "192.0.2.7", "out-c0000207.example.com", false },
	{ "192.0.2.7", "MTA-192-0-2-7.example.com", false },
	{ "192.0.2.7", "mail-192-0-2-7.dyn.example.com", true },
	{ "192.0.2.7", "smtp.192-0-2-7.Dsl-pool.example.com", true },
	{ "192.0.2.7", "mailbox-192-0-2-7.example.com", true },
	{ "192.0.2.7", "outer-192-0-2-7.example.com", true },
	{ "192.0.2.7", "mail.example.com", false },
	/* IPv6. */
	{ "2001:db8::1", "2001-db8--1.dyn.example.net", true },
	{ "2001:db8::1", "dynamic-2001-db8--1.example.net", true },
	{ "2001:db8::1", "2001-db8--1-dyn.example.net", true },
	{ "2001:db8::1", "ipv6-2001-db8-0-0-0-0-0-1.example.net", true },
	{ "2001:db8::1", "2001-0db8-0000-0000-0000-0000-0000-0001.example.net", true },
	{ "2001:db8::1", "20010DB8000000000000000000000001.example.net", true },
	{ "2001:db8::1", "p20010db8000000000000000000000001.dip0.example.net", true },
	{ "2001:db8::1",
	  "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.example.net", true },
	{ "2001:db8::1", "2001-db8-0-0.example.net", true },
	{ "2001:db8:1:2:211:22ff:fe33:4455", "021122fffe334455.example.net", true },
	{ "2001:db8:1:2:211:22ff:fe33:4455", "node-211-22ff-fe33-4455.example.net", true },
	{ "2001:db8:1:2:211:22ff:fe33:4455", "2001.db8.1.2.example.net", true },
	{ "2001:db8::1", "2001-db8--2.dyn.example.net", false },
	{ "2001:db8::1", "2001-db8.example.net", false },
	{ "2001:db8::1", "0-0-0-1.example.net", false },
	{ "2001:db8::1", "0000000000000001.example.net", false },
	{ "2001:db8::1", "mx-1.example.net", false },
	{ "2001:db8::1", "mail-2001-db8--1.example.net", false },
	{ "2001:db8::1", "mail-2001-db8--1.pool.example.net", true },
	{ "2001:db8:1:2:211:22ff:fe33:4455", "211-22ff-fe33.example.net", false },
};

static void names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr addr;

		assert_int_equal(addr_parse(rows[i].addr, strlen(rows[i].addr), &addr, NULL), 0);
		if (rdns_is_generic(rows[i].name, &addr) != rows[i].generic)
			fail_msg("%s is%s made of %s", rows[i].name, rows[i].generic ? "" : " not",
				 rows[i].addr);
	}
}

/* The longest names there are, of as many pieces as possible. */
static void long_names(void **state)
{
	const struct addr four = addr_from_ipv4(0x01010101u);
	const struct addr six = addr_from_halves(0x1111111111111111, 0x1111111111111111);
	char name[DNS_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < DNS_NAME_MAX; i++)
		name[i] = i % 2 ? '.' : '1';
	name[DNS_NAME_MAX] = '\0';
	name[DNS_NAME_MAX - 1] = 'a';
	assert_true(rdns_is_generic(name, &four));
	assert_true(rdns_is_generic(name, &six));
	for (size_t i = 0; i < DNS_NAME_MAX - 1; i++)
		if (i % 32 < 31)
			name[i] = i % 2 ? '-' : '2';
		else
			name[i] = '.';
	assert_false(rdns_is_generic(name, &four));
	assert_false(rdns_is_generic(name, &six));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
