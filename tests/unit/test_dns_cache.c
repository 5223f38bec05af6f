/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what the resolver is made of and needs no network: the cache under a clock of the test's
 * own, the options, and the hash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dns/cache.h"
#include "dns/options.h"

#define HOUR_MS 3600000u
#define PLENTY  (1u << 20)

static const struct siphash_key seed = { { 1, 2 } };

static struct dns_cache *cache_of(uint32_t entries, size_t bytes)
{
	const struct dns_cache_limits limits = { .entries = entries, .bytes = bytes };
	struct dns_cache *cache = NULL;

	assert_int_equal(dns_cache_open(&limits, &cache, NULL), 0);
	return cache;
}

static struct dns_key key_of(const char *name, enum dns_type type)
{
	struct dns_name wire;
	struct dns_key key;

	assert_true(dns_name_parse(name, &wire));
	dns_key_make(&seed, &wire, type, &key);
	return key;
}

/* Keeps an answer with so many octets of text. */
static void put(struct dns_cache *cache, const char *name, uint32_t ttl, uint64_t now, size_t text)
{
	struct dns_result *result = dns_result_new(DNS_FOUND, 1, text);
	const struct dns_key key = key_of(name, DNS_A);

	assert_non_null(result);
	dns_cache_put(cache, &key, result, ttl, now);
	dns_result_unref(result);
}

static bool has(struct dns_cache *cache, const char *name, enum dns_type type, uint64_t now)
{
	const struct dns_key key = key_of(name, type);
	struct dns_cache_hit hit = { .result = NULL };
	const bool found = dns_cache_find(cache, &key, now, &hit);

	assert_int_equal(found, hit.result != NULL);
	dns_result_unref(hit.result);
	return found;
}

static void what_is_kept(void **state)
{
	struct dns_cache *cache = cache_of(10, PLENTY);
	const struct dns_key key = key_of("A.Example.", DNS_A);
	struct dns_cache_hit hit;

	(void)state;
	put(cache, "a.example", 60, HOUR_MS, 0);
	assert_true(has(cache, "a.EXAMPLE", DNS_A, HOUR_MS));
	assert_false(has(cache, "a.example", DNS_AAAA, HOUR_MS));
	assert_false(has(cache, "b.example", DNS_A, HOUR_MS));
	assert_true(dns_cache_find(cache, &key, HOUR_MS + 20500, &hit));
	assert_int_equal(hit.age, 20);
	assert_int_equal(hit.ttl, 40);
	dns_result_unref(hit.result);
	dns_cache_close(&cache);
	assert_null(cache);
}

static void how_long_it_is_kept(void **state)
{
	struct dns_cache *cache = cache_of(10, PLENTY);

	(void)state;
	put(cache, "a", 60, HOUR_MS, 0);
	put(cache, "never", 0, HOUR_MS, 0);
	assert_false(has(cache, "never", DNS_A, HOUR_MS));
	assert_true(has(cache, "a", DNS_A, HOUR_MS + 59999));
	assert_int_equal(dns_cache_usage(cache).entries, 1);
	assert_false(has(cache, "a", DNS_A, HOUR_MS + 60000));
	assert_int_equal(dns_cache_usage(cache).entries, 0);
	assert_int_equal(dns_cache_usage(cache).bytes, 0);
	assert_int_equal(dns_cache_usage(cache).evicted, 0);
	dns_cache_close(&cache);
}

/* A later answer takes the place of an earlier one; one that may not be kept takes it away. */
static void what_is_replaced(void **state)
{
	struct dns_cache *cache = cache_of(10, PLENTY);

	(void)state;
	put(cache, "a", 60, 0, 100);
	put(cache, "a", 120, 0, 0);
	assert_int_equal(dns_cache_usage(cache).entries, 1);
	assert_true(has(cache, "a", DNS_A, 100000));
	put(cache, "a", 0, 0, 0);
	assert_false(has(cache, "a", DNS_A, 0));
	dns_cache_close(&cache);
}

static void the_second_chance(void **state)
{
	struct dns_cache *cache = cache_of(3, PLENTY);

	(void)state;
	put(cache, "a", 60, 0, 0);
	put(cache, "b", 60, 0, 0);
	put(cache, "c", 60, 0, 0);
	assert_true(has(cache, "a", DNS_A, 0));
	put(cache, "d", 60, 0, 0); /* a is passed over, b goes */
	assert_false(has(cache, "b", DNS_A, 0));
	put(cache, "e", 60, 0, 0); /* c */
	assert_false(has(cache, "c", DNS_A, 0));
	put(cache, "f", 60, 0, 0); /* a: its chance is used up */
	assert_false(has(cache, "a", DNS_A, 0));
	assert_int_equal(dns_cache_usage(cache).evicted, 3);
	assert_true(has(cache, "d", DNS_A, 0) && has(cache, "e", DNS_A, 0) &&
		    has(cache, "f", DNS_A, 0));
	put(cache, "g", 60, 0, 0); /* everybody was used: the oldest goes after all */
	assert_false(has(cache, "d", DNS_A, 0));
	/* Whose time is over has no second chance, and was not put out before its time. */
	assert_true(has(cache, "e", DNS_A, 0));
	put(cache, "h", 60, 60000, 0);
	assert_int_equal(dns_cache_usage(cache).evicted, 4);
	dns_cache_close(&cache);
}

static void the_budget_of_octets(void **state)
{
	struct dns_cache *cache = cache_of(1000, 10000);

	(void)state;
	put(cache, "too-big", 60, 0, 10001);
	assert_int_equal(dns_cache_usage(cache).entries, 0);
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		put(cache, name, 60, 0, 1000);
		assert_true(dns_cache_usage(cache).bytes <= 10000);
		assert_true(has(cache, name, DNS_A, 0));
	}
	assert_in_range(dns_cache_usage(cache).entries, 5, 9);
	dns_cache_close(&cache);
}

static void no_cache_at_all(void **state)
{
	struct dns_cache *cache = cache_of(0, 0);

	(void)state;
	put(cache, "a", 60, 0, 0);
	assert_false(has(cache, "a", DNS_A, 0));
	dns_cache_close(&cache);
}

/* Random puts and finds beside a plain table of what was put last. */
static void against_a_model(void **state)
{
	enum { NAMES = 64, STEPS = 20000, ENTRIES = 20 };
	struct dns_cache *cache = cache_of(ENTRIES, PLENTY);
	uint64_t expires[NAMES] = { 0 }, now = 0, random = 1;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		char name[16];
		size_t which;

		random = random * 6364136223846793005u + 1442695040888963407u;
		which = random >> 40 & (NAMES - 1);
		now += random >> 50 & 0x3f;
		snprintf(name, sizeof(name), "n%zu", which);
		if (random >> 33 & 1) {
			const uint32_t ttl = (uint32_t)(random >> 35 & 7);

			put(cache, name, ttl, now, 0);
			expires[which] = now + ttl * 1000u;
		} else if (has(cache, name, DNS_A, now)) {
			assert_true(now < expires[which]);
		}
		assert_true(dns_cache_usage(cache).entries <= ENTRIES);
	}
	assert_true(dns_cache_usage(cache).evicted > 0);
	dns_cache_close(&cache);
}

/* ---- options */

static void servers_as_text(void **state)
{
	static const struct {
		const char *text, *addr;
		uint16_t port;
	} rows[] = { { "192.0.2.1", "192.0.2.1", 53 },
		     { "192.0.2.1:5353", "192.0.2.1", 5353 },
		     { "2001:db8::1", "2001:db8::1", 53 },
		     { "[2001:db8::1]:1", "2001:db8::1", 1 },
		     { "localhost:54", "127.0.0.1", 54 } };
	struct dns_options options = { .server_count = 0 };
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[PREFIX_TEXT_MAX];

		assert_int_equal(dns_options_add_server(&options, rows[i].text, &err), 0);
		assert_int_equal(options.server_count, i + 1);
		addr_format(&options.server[i].addr, text);
		assert_string_equal(text, rows[i].addr);
		assert_int_equal(options.server[i].port, rows[i].port);
	}
	assert_int_equal(dns_options_add_server(&options, "192.0.2.1:99999", &err), ERROR_REFUSED);
	assert_int_equal(dns_options_add_server(&options, "dns.example", &err), ERROR_REFUSED);
	assert_int_equal(dns_options_add_server(&options, "", &err), ERROR_REFUSED);
	options.server_count = DNS_SERVERS_MAX;
	assert_int_equal(dns_options_add_server(&options, "192.0.2.1", &err), ERROR_USAGE);
}

static void fill_from(const char *text, struct dns_options *options)
{
	char path[] = "/tmp/postern-resolv-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	*options = (struct dns_options){ .resolv_conf = path };
	dns_options_fill_servers(options);
	unlink(path);
}

static void servers_of_the_host(void **state)
{
	struct dns_options options;
	char text[PREFIX_TEXT_MAX];

	(void)state;
	fill_from(
		"# nameserver 192.0.2.9\nsearch example\n nameserver\t192.0.2.1 \r\n"
		"nameserver fe80::1%eth0\nnameserver 2001:db8::1\nnameserver\nnameservers 1.1.1.1",
		&options);
	assert_int_equal(options.server_count, 2);
	assert_string_equal(addr_format(&options.server[0].addr, text), "192.0.2.1");
	assert_string_equal(addr_format(&options.server[1].addr, text), "2001:db8::1");
	assert_int_equal(options.server[1].port, 53);
	fill_from("", &options);
	assert_int_equal(options.server_count, 1);
	assert_string_equal(addr_format(&options.server[0].addr, text), "127.0.0.1");
}

static void options_of_the_configuration(void **state)
{
	struct dns_options options;

	(void)state;
	assert_int_equal(dns_options_default(&options, NULL), 0);
	assert_int_equal(options.server_count, 0);
	assert_string_equal(options.resolv_conf, DNS_RESOLV_CONF);
	assert_int_equal(options.timeout, 2000);
	assert_int_equal(options.tries, 3);
	assert_int_equal(options.cache_entries, 100000);
	assert_int_equal(options.ttl_min, 10);
	assert_int_equal(options.ttl_max, 3600);
	assert_int_equal(options.ttl_negative, 900);
	assert_int_equal(options.in_flight, 1000);
	assert_int_equal(options.in_flight_zone, 200);
}

/* The vector of the paper's appendix A, and the shortest ones of the reference implementation. */
static void the_hash(void **state)
{
	static const struct siphash_key key = { { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u } };
	uint8_t input[15];

	(void)state;
	for (uint8_t i = 0; i < sizeof(input); i++)
		input[i] = i;
	assert_true(siphash(&key, input, sizeof(input)) == 0xa129ca6149be45e5u);
	assert_true(siphash(&key, input, 0) == 0x726fdb47dd0e0e31u);
	assert_true(siphash(&key, input, 1) == 0x74f839c593dc67fdu);
	assert_true(siphash_random_key().half[0] != siphash_random_key().half[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(how_long_it_is_kept),
		cmocka_unit_test(what_is_replaced),
		cmocka_unit_test(the_second_chance),
		cmocka_unit_test(the_budget_of_octets),
		cmocka_unit_test(no_cache_at_all),
		cmocka_unit_test(against_a_model),
		cmocka_unit_test(servers_as_text),
		cmocka_unit_test(servers_of_the_host),
		cmocka_unit_test(options_of_the_configuration),
		cmocka_unit_test(the_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
