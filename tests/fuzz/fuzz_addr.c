/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes lib/addr and the splitting of ranges: whatever is accepted must read back from its own
 * text, have no host bits, agree with the C library, and keep its place in the order; and a range
 * must become prefixes that touch one another and cover exactly the range.
 *
 * The first byte chooses how the rest is read: as text, or as the two ends of a range.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/listfile_internal.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_prefix(const struct prefix *prefix)
{
	const struct prefix same = prefix_of(&prefix->addr, prefix->len);
	const struct addr last = prefix_last(prefix);
	char text[PREFIX_TEXT_MAX];
	struct prefix back;

	CHECK(memcmp(&same, prefix, sizeof(same)) == 0);
	CHECK(prefix_contains(prefix, &prefix->addr));
	CHECK(prefix_is_ipv4(prefix) == (prefix->len >= 96 && addr_is_ipv4(&last)));
	/* The last address of ::/0 and its like is in the same family, unless IPv4 ends it. */
	CHECK(addr_is_ipv4(&last) != prefix_is_ipv4(prefix) || prefix_contains(prefix, &last));
	prefix_format(prefix, text);
	CHECK(strlen(text) < sizeof(text));
	CHECK(prefix_parse(text, strlen(text), &back, NULL) == 0);
	CHECK(prefix_compare(&back, prefix) == 0);
}

/* The C library may accept more texts than this parser, never fewer, and never another value. */
static void check_against_libc(const char *text, const struct addr *addr)
{
	struct in6_addr six;
	struct in_addr four;

	if (strchr(text, ':')) {
		CHECK(inet_pton(AF_INET6, text, &six) == 1);
		CHECK(memcmp(&six, addr, sizeof(six)) == 0);
	} else {
		CHECK(inet_pton(AF_INET, text, &four) == 1);
		CHECK(addr_is_ipv4(addr) && addr_ipv4(addr) == ntohl(four.s_addr));
	}
}

static bool libc_accepts(const char *text)
{
	uint8_t out[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, out) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

static void fuzz_text(const char *text, size_t len)
{
	struct error err = { 0 };
	struct prefix prefix;
	struct addr addr;
	char *copy = malloc(len + 1);

	CHECK(copy);
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (addr_parse(text, len, &addr, &err) == 0) {
		check_against_libc(copy, &addr);
		CHECK(prefix_parse(text, len, &prefix, NULL) == 0 && prefix.len == 128);
	} else {
		CHECK(err.code == ERROR_USAGE && *err.text && !strchr(err.text, '\n'));
		CHECK(strlen(copy) != len || !libc_accepts(copy));
	}
	free(copy);
	if (prefix_parse(text, len, &prefix, &err) == 0)
		check_prefix(&prefix);
}

static struct addr next_address(const struct addr *addr)
{
	const uint64_t low = addr_low(addr) + 1;

	return addr_from_halves(addr_high(addr) + (low == 0), low);
}

/* Goes through the parts, which may only leave out IPv4 from a range of IPv6. */
static void check_parts(bool ipv4, const struct addr *first, const struct addr *last,
			const struct prefix *parts, size_t count)
{
	const struct addr ipv4_first = addr_from_ipv4(0), ipv4_last = addr_from_ipv4(UINT32_MAX);
	struct addr expected = *first, end = *first;

	for (size_t i = 0; i < count; i++) {
		check_prefix(&parts[i]);
		CHECK(prefix_is_ipv4(&parts[i]) == ipv4);
		if (!ipv4 && memcmp(&expected, &ipv4_first, sizeof(expected)) == 0 &&
		    memcmp(&parts[i].addr, &expected, sizeof(expected)) != 0)
			expected = next_address(&ipv4_last);
		CHECK(memcmp(&parts[i].addr, &expected, sizeof(expected)) == 0);
		CHECK(i == 0 || prefix_compare(&parts[i - 1], &parts[i]) < 0);
		end = prefix_last(&parts[i]);
		expected = next_address(&end);
	}
	CHECK(count && memcmp(&end, last, sizeof(end)) == 0);
}

static void fuzz_range(const uint8_t *data, size_t size)
{
	struct prefix parts[RANGE_PREFIXES_MAX];
	struct addr first = { { 0 } }, last = { { 0 } };
	size_t count;
	bool ipv4;

	if (size < 2 * sizeof(first))
		return;
	memcpy(&first, data, sizeof(first));
	memcpy(&last, data + sizeof(first), sizeof(last));
	if (size > 2 * sizeof(first) && data[2 * sizeof(first)] % 2) {
		first = addr_from_ipv4((uint32_t)addr_low(&first));
		last = addr_from_ipv4((uint32_t)addr_low(&last));
	}
	ipv4 = addr_is_ipv4(&first);
	if (ipv4 != addr_is_ipv4(&last) || memcmp(&first, &last, sizeof(first)) > 0)
		return;
	count = range_split(ipv4, &first, &last, parts);
	CHECK(count <= RANGE_PREFIXES_MAX && (!ipv4 || count <= 62));
	check_parts(ipv4, &first, &last, parts, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (*data == 'r')
		fuzz_range(data + 1, size - 1);
	else
		fuzz_text((const char *)data + 1, size - 1);
	return 0;
}
