/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of loop/proxy: headers of both versions, whole, in pieces of every size, with something
 * behind them, and wrong in every way that somebody may try.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loop/proxy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define V2           "\r\n\r\n\0\r\nQUIT\n"
#define IPV4         "\xc0\x00\x02\x01\xc6\x33\x64\x02\x04\x01\x00\x19"
#define IPV6                                                                                       \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"                                               \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xff\xff\x01\xd1"

struct row {
	const char *text;
	size_t size;
	enum proxy_result result;
	const char *source;
	uint16_t source_port;
	const char *dest;
	uint16_t dest_port;
};

#define WITH(header) .text = (header), .size = sizeof(header) - 1
#define FOUND(header, from, from_port, to, to_port)                                                \
	{                                                                                          \
		WITH(header), .result = PROXY_FOUND, .source = (from), .source_port = (from_port), \
			      .dest = (to), .dest_port = (to_port)                                 \
	}
#define LOCAL(header)                                                                              \
	{                                                                                          \
		WITH(header), .result = PROXY_LOCAL                                                \
	}
#define BAD(header)                                                                                \
	{                                                                                          \
		WITH(header), .result = PROXY_BAD                                                  \
	}

/* A whole header each. */
static const struct row good[] = {
	FOUND("PROXY TCP4 192.0.2.1 198.51.100.2 1025 25\r\n", "192.0.2.1", 1025, "198.51.100.2",
	      25),
	FOUND("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255",
	      65535, "255.255.255.255", 65535),
	FOUND("PROXY TCP6 2001:db8::1 2001:db8::2 0 465\r\n", "2001:db8::1", 0, "2001:db8::2", 465),
	FOUND("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
	      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
	      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
	FOUND("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 1 2\r\n", "192.0.2.1", 1,
	      "198.51.100.2", 2),
	LOCAL("PROXY UNKNOWN\r\n"),
	LOCAL("PROXY UNKNOWN ffff:f...f:ffff 65535 whatever else\r\n"),
	FOUND(V2 "\x21\x11\0\x0c" IPV4, "192.0.2.1", 1025, "198.51.100.2", 25),
	FOUND(V2 "\x21\x21\0\x24" IPV6, "2001:db8::1", 65535, "2001:db8::2", 465),
	/* With a TLV behind the addresses. */
	FOUND(V2 "\x21\x11\0\x11" IPV4 "\x04\0\x02xy", "192.0.2.1", 1025, "198.51.100.2", 25),
	LOCAL(V2 "\x20\0\0\0"),
	LOCAL(V2 "\x20\x11\0\x0c" IPV4),
	LOCAL(V2 "\x20\x31\0\x02xy"),
	LOCAL(V2 "\x21\0\0\0"),
	LOCAL(V2 "\x21\0\0\x03xyz"),
};

static const struct row bad[] = {
	BAD("EHLO x\r\n"),
	BAD("proxy TCP4 192.0.2.1 198.51.100.2 1025 25\r\n"),
	BAD("PROXY\r\n"),
	BAD("PROXY \r\n"),
	BAD("PROXY TCP4\r\n"),
	BAD("PROXY TCP5 192.0.2.1 198.51.100.2 1025 25\r\n"),
	BAD("PROXY UDP4 192.0.2.1 198.51.100.2 1025 25\r\n"),
	BAD("PROXY  TCP4 192.0.2.1 198.51.100.2 1025 25\r\n"),
	BAD("PROXY TCP4 192.0.2.1  198.51.100.2 1025 25\r\n"),
	BAD("PROXY TCP4 192.0.2.1 198.51.100.2 1025\r\n"),
	BAD("PROXY TCP4 192.0.2.1 198.51.100.2 1025 25 \r\n"),
	BAD("PROXY TCP4 192.0.2.1 198.51.100.2 1025 25 1\r\n"),
	BAD("PROXY TCP4 192.0.2.1 198.51.100.2 1025 25\n"),
	BAD("PROXY TCP4 192.0.2.1 198.51.100.2 1025 25\rx"),
	BAD("PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n"),
	BAD("PROXY TCP4 192.0.2.1 198.51.100.2 1025 025\r\n"),
	BAD("PROXY TCP4 192.0.2.1 198.51.100.2 +1025 25\r\n"),
	BAD("PROXY TCP4 192.0.2.1 198.51.100.2 1025 -1\r\n"),
	BAD("PROXY TCP4 192.0.2.1 198.51.100.2 1025 \r\n"),
	BAD("PROXY TCP4 192.0.2 198.51.100.2 1025 25\r\n"),
	BAD("PROXY TCP4 192.0.2.1/32 198.51.100.2 1025 25\r\n"),
	BAD("PROXY TCP4 2001:db8::1 2001:db8::2 1025 25\r\n"),
	BAD("PROXY TCP4 ::ffff:192.0.2.1 198.51.100.2 1025 25\r\n"),
	BAD("PROXY TCP6 192.0.2.1 198.51.100.2 1025 25\r\n"),
	BAD("PROXY TCP6 fe80::1%eth0 2001:db8::2 1025 25\r\n"),
	BAD("PROXY UNKNOWN\n\r\n"),
	BAD("PROXY UNKNOWNS\r\n"),
	BAD("PROXY UNKNOWN ............................................................"
	    "................................\r\n"), /* one too long */
	BAD(V2 "\x11\x11\0\x0c" IPV4),               /* version 1 */
	BAD(V2 "\x31\x11\0\x0c" IPV4),
	BAD(V2 "\x22\x11\0\x0c" IPV4), /* command 2 */
	BAD(V2 "\x21\x12\0\x0c" IPV4), /* UDP */
	BAD(V2 "\x21\x31\0\x0c" IPV4), /* a UNIX socket */
	BAD(V2 "\x21\x41\0\x0c" IPV4),
	BAD(V2 "\x21\x11\0\x0b" IPV4), /* shorter than its addresses */
	BAD(V2 "\x21\x21\0\x23" IPV6),
	BAD(V2 "\x21\x21\0\x0c" IPV4),
	BAD(V2 "\x21\x11\x02\x09" IPV4), /* longer than PROXY_HEADER_MAX */
	BAD(V2 "\x20\x00\xff\xff"),
	BAD("\r\n\r\n\0\r\nQUIT\r\x21\x11\0\x0c" IPV4),
};

/* From memory that ends where the text does. */
static enum proxy_result read_exact(const char *text, size_t size, struct proxy_addresses *out,
				    size_t *used)
{
	uint8_t *copy = malloc(size ? size : 1);
	enum proxy_result result;

	memcpy(copy, text, size);
	result = proxy_read(copy, size, out, used);
	free(copy);
	return result;
}

static void check_addr(const struct addr *addr, const char *text)
{
	char shown[PREFIX_TEXT_MAX];

	assert_string_equal(addr_format(addr, shown), text);
}

static void headers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct proxy_addresses found;
		size_t used = 0;

		assert_int_equal(read_exact(good[i].text, good[i].size, &found, &used),
				 good[i].result);
		assert_int_equal(used, good[i].size);
		if (good[i].result != PROXY_FOUND)
			continue;
		check_addr(&found.source, good[i].source);
		check_addr(&found.dest, good[i].dest);
		assert_int_equal(found.source_port, good[i].source_port);
		assert_int_equal(found.dest_port, good[i].dest_port);
	}
}

static void pieces_want_more(void **state)
{
	struct proxy_addresses found;
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t size = 0; size < good[i].size; size++)
			assert_int_equal(read_exact(good[i].text, size, &found, &used), PROXY_MORE);
}

static void what_follows_is_left(void **state)
{
	struct proxy_addresses found;
	char text[256];
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		memcpy(text, good[i].text, good[i].size);
		memcpy(text + good[i].size, "\r\nEHLO x", 8);
		assert_int_equal(read_exact(text, good[i].size + 8, &found, &used), good[i].result);
		assert_int_equal(used, good[i].size);
	}
}

/* However it comes, it is refused in the end, and never taken before. */
static void others_are_refused(void **state)
{
	struct proxy_addresses found;
	enum proxy_result result = PROXY_MORE;
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		for (size_t size = 0; size <= bad[i].size; size++) {
			result = read_exact(bad[i].text, size, &found, &used);
			assert_true(result == PROXY_BAD || result == PROXY_MORE);
		}
		if (result != PROXY_BAD)
			fail_msg("row %zu is not refused", i);
	}
}

/* Who never ends his line is not waited for. */
static void more_is_bounded(void **state)
{
	struct proxy_addresses found;
	char text[PROXY_HEADER_MAX + 1];
	size_t used;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "PROXY ", 6);
	assert_int_equal(read_exact(text, 106, &found, &used), PROXY_MORE);
	assert_int_equal(read_exact(text, 107, &found, &used), PROXY_BAD);
	memcpy(text, V2 "\x21\x11\x02\x08", 16);
	assert_int_equal(read_exact(text, PROXY_HEADER_MAX - 1, &found, &used), PROXY_MORE);
	assert_int_equal(read_exact(text, PROXY_HEADER_MAX, &found, &used), PROXY_FOUND);
	assert_int_equal(used, PROXY_HEADER_MAX);
}

static void what_is_written_can_be_read(void **state)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1", "198.51.100.2" },
		{ "2001:db8::1", "2001:db8::2" },
		{ "192.0.2.1", "2001:db8::2" },
		{ "2001:db8::1", "198.51.100.2" },
	};
	static const size_t sizes[] = { 28, 52, 52, 52 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proxy_addresses given = { .source_port = 1025, .dest_port = 25 }, found;
		uint8_t header[PROXY_V2_BYTES];
		size_t used, size;

		addr_parse(rows[i][0], strlen(rows[i][0]), &given.source, NULL);
		addr_parse(rows[i][1], strlen(rows[i][1]), &given.dest, NULL);
		size = proxy_write(&given, header);
		assert_int_equal(size, sizes[i]);
		assert_int_equal(proxy_read(header, size, &found, &used), PROXY_FOUND);
		assert_int_equal(used, size);
		assert_memory_equal(&found, &given, sizeof(found));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_read),
		cmocka_unit_test(pieces_want_more),
		cmocka_unit_test(what_follows_is_left),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(more_is_bounded),
		cmocka_unit_test(what_is_written_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
