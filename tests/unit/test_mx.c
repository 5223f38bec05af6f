/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/mx: the hosts of a domain and their addresses, in whatever order and number the
 * DNS has them; and which hosts are independent of one another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "checks/mx.h"
#include "tests/unit/check_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SHOWN_MAX    4096

static const char zone[] = "two.t MX 20 B.t\n"
			   "two.t MX 10 a.t\n"
			   "a.t A 192.0.2.1\n"
			   "a.t AAAA 2001:db8::1\n"
			   "b.t A after 700 198.51.100.1\n"
			   "same.t MX 10 b.t\n"
			   "same.t MX 10 a.t\n"
			   "twice.t MX 20 a.t\n"
			   "twice.t MX 10 A.T\n"
			   "twice.t MX 30 a.t\n"
			   "null.t MX 0 .\n"
			   "null.t A 192.0.2.1\n"
			   "nullplus.t MX 0 .\n"
			   "nullplus.t MX 10 a.t\n"
			   "own.t A 192.0.2.3\n"
			   "text.t TXT text\n"
			   "temporary.t MX TEMPORARY\n"
			   "owntemp.t A TEMPORARY\n"
			   "bad.t MX 1 192.0.2.1\n"
			   "bad.t MX 2 localhost\n"
			   "bad.t MX 3 a\\027\\195b.t\n"
			   "bad.t MX 4 mail\n"
			   "some.t MX 1 no.t\n"
			   "some.t MX 2 text.t\n"
			   "some.t MX 3 dead.t\n"
			   "some.t MX 4 half.t\n"
			   "dead.t A BUSY\n"
			   "half.t A TEMPORARY\n"
			   "half.t AAAA 2001:db8::5\n"
			   "many.t MX 1 many.t\n"
			   "many.t A 192.0.2.1\n"
			   "many.t A 192.0.2.2\n"
			   "many.t A 192.0.2.3\n"
			   "many.t A 192.0.2.4\n"
			   "many.t A 192.0.2.5\n"
			   "many.t AAAA 2001:db8::1\n"
			   "six.t MX 1 loop.t\n"
			   "loop.t AAAA ::1\n"
			   "loop.t A 127.0.0.2\n"
			   "loop.t A 192.0.2.9\n";

/* NAME PREFERENCE[!TROUBLE]: ADDRESS ...; "~" is an address of the host itself, "+" is more. */
static const struct {
	const char *domain;
	enum mx_kind kind;
	const char *hosts;
	unsigned int queries;
} cases[] = {
	{ "two.t", MX_LISTED, "a.t 10: 192.0.2.1 2001:db8::1; B.t 20: 198.51.100.1;", 5 },
	{ "TWO.t.", MX_LISTED, "a.t 10: 192.0.2.1 2001:db8::1; B.t 20: 198.51.100.1;", 5 },
	{ "same.t", MX_LISTED, "a.t 10: 192.0.2.1 2001:db8::1; b.t 10: 198.51.100.1;", 5 },
	{ "twice.t", MX_LISTED, "A.T 10: 192.0.2.1 2001:db8::1;", 3 },
	{ "null.t", MX_NULL, "", 1 },
	{ "nullplus.t", MX_LISTED, "a.t 10: 192.0.2.1 2001:db8::1;", 3 },
	{ "own.t", MX_IMPLICIT, "own.t 0: 192.0.2.3;", 3 },
	{ "text.t", MX_MISSING, "", 3 },
	{ "no.t", MX_MISSING, "", 1 },
	{ "temporary.t", MX_TEMPORARY, "", 1 },
	{ "owntemp.t", MX_TEMPORARY, "", 3 },
	{ "bad.t", MX_LISTED, "192.0.2.1 1!1: ; localhost 2!1: ; a??b.t 3!1: ; mail 4!1: ;", 1 },
	{ "some.t", MX_LISTED, "no.t 1!2: ; text.t 2!2: ; dead.t 3!3: ; half.t 4: 2001:db8::5;",
	  9 },
	{ "many.t", MX_LISTED, "many.t 1: 192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3 +;", 3 },
	{ "six.t", MX_LISTED, "loop.t 1: ~127.0.0.2 ~::1 192.0.2.9;", 3 },
};

static void on_result(struct mx_result *result, void *scene)
{
	check_answered(scene, result);
}

/* On a domain. */
static void *start(struct dns *dns, const void *what, struct check_scene *scene)
{
	return mx_start(dns, what, on_result, scene);
}

static const void *result(void *check)
{
	return mx_result(check);
}

static void end(void *check)
{
	struct mx *mx = check;

	mx_free(&mx);
	assert_null(mx);
}

static const struct check_kind kind = { start, result, end };

static void show_host(FILE *out, const struct mx_host *host)
{
	char text[PREFIX_TEXT_MAX];

	fprintf(out, "%s %u", host->name, host->preference);
	if (host->trouble)
		fprintf(out, "!%d", host->trouble);
	fputs(":", out);
	for (size_t i = 0; i < host->addresses; i++)
		fprintf(out, " %s%s", host->address[i].local ? "~" : "",
			addr_format(&host->address[i].addr, text));
	fprintf(out, "%s%s; ", host->addresses ? "" : " ", host->more ? " +" : "");
}

static void show(const struct mx_result *result, char out[SHOWN_MAX])
{
	FILE *stream = fmemopen(out, SHOWN_MAX, "w");

	memset(out, 0, SHOWN_MAX);
	for (size_t i = 0; i < result->hosts; i++)
		show_host(stream, &result->host[i]);
	fclose(stream);
	if (*out)
		out[strlen(out) - 1] = '\0';
}

static void hosts(void **state)
{
	struct check_scene scene = { 0 };
	char shown[SHOWN_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct mx_result *found;

		check_start(&scene, &kind, zone, cases[i].domain);
		found = check_run(&scene);
		show(found, shown);
		if (found->kind != cases[i].kind || strcmp(shown, cases[i].hosts) ||
		    found->queries != cases[i].queries)
			fail_msg("%s: %s, %u questions: %s", cases[i].domain,
				 mx_kind_name(found->kind), found->queries, shown);
		assert_false(found->more);
		assert_int_equal(dns_script_asked(scene.script), cases[i].queries);
		check_end(&scene);
	}
}

/* The best are kept, whatever the order of the answer. */
static void more_hosts_than_the_limit(void **state)
{
	struct check_scene scene = { 0 };
	const struct mx_result *found;
	char text[SHOWN_MAX];
	size_t used = 0;

	(void)state;
	for (unsigned int i = 0; i < 40; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "m.t MX %u h%u.t\n",
					 i * 7 % 40, i * 7 % 40);
	check_start(&scene, &kind, text, "m.t");
	found = check_run(&scene);
	assert_int_equal(found->hosts, MX_HOSTS_MAX);
	assert_true(found->more);
	for (unsigned int i = 0; i < MX_HOSTS_MAX; i++) {
		snprintf(text, sizeof(text), "h%u.t", i);
		assert_string_equal(found->host[i].name, text);
	}
	check_end(&scene);
}

static void ended_at_every_moment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_end_at_every_moment(&kind, zone, cases[i].domain);
}

/* Hosts parted by ";"; addresses that work, and with "-" one that does not. */
static const struct {
	const char *hosts;
	struct mx_counts counts;
} independence[] = {
	{ "", { 0, 0, 0, false, false } },
	{ "192.0.2.1", { 1, 1, 1, false, false } },
	{ "192.0.2.1 198.51.100.1", { 1, 2, 2, false, false } },
	{ "192.0.2.1;198.51.100.1", { 2, 2, 2, true, true } },
	{ "192.0.2.1;192.0.2.2", { 2, 2, 1, true, false } },
	{ "192.0.2.255;192.0.3.0", { 2, 2, 2, true, true } },
	{ "192.0.2.1;192.0.2.1", { 2, 1, 1, false, false } },
	{ "192.0.2.1;192.0.2.1 198.51.100.1", { 2, 2, 2, false, false } },
	{ "192.0.2.1;-192.0.2.1 198.51.100.1", { 2, 2, 2, true, true } },
	{ "192.0.2.1;-198.51.100.1", { 1, 1, 1, false, false } },
	{ "-192.0.2.1;-198.51.100.1", { 0, 0, 0, false, false } },
	{ "2001:db8::1;2001:db8::2", { 2, 2, 1, true, false } },
	{ "2001:db8::1;2001:db8:0:1::1", { 2, 2, 2, true, true } },
	{ "192.0.2.1;2001:db8::1", { 2, 2, 2, true, true } },
	{ "192.0.2.1 2001:db8::1;198.51.100.1 2001:db8::2", { 2, 4, 3, true, false } },
	{ "192.0.2.1;192.0.2.1;198.51.100.1", { 3, 2, 2, true, true } },
	{ "192.0.2.1;;198.51.100.1", { 2, 2, 2, true, true } },
};

static void add_address(struct mx_host *host, const char *text, size_t length)
{
	struct mx_address *address = &host->address[host->addresses++];

	address->works = *text != '-';
	if (!address->works) {
		text++;
		length--;
	}
	assert_int_equal(addr_parse(text, length, &address->addr, NULL), 0);
}

static void make_result(const char *text, struct mx_result *out)
{
	memset(out, 0, sizeof(*out));
	out->hosts = 1;
	while (*text) {
		const size_t length = strcspn(text, " ;");

		if (length)
			add_address(&out->host[out->hosts - 1], text, length);
		out->hosts += text[length] == ';';
		text += length + (text[length] != '\0');
	}
}

static void which_are_independent(void **state)
{
	struct mx_result result;
	struct mx_counts counts;

	(void)state;
	for (size_t i = 0; i < COUNT(independence); i++) {
		make_result(independence[i].hosts, &result);
		mx_count(&result, &counts);
		if (counts.hosts != independence[i].counts.hosts ||
		    counts.addresses != independence[i].counts.addresses ||
		    counts.networks != independence[i].counts.networks ||
		    counts.independent != independence[i].counts.independent ||
		    counts.apart != independence[i].counts.apart)
			fail_msg("%s: %zu %zu %zu %d %d", independence[i].hosts, counts.hosts,
				 counts.addresses, counts.networks, counts.independent,
				 counts.apart);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(more_hosts_than_the_limit),
		cmocka_unit_test(ended_at_every_moment),
		cmocka_unit_test(which_are_independent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
