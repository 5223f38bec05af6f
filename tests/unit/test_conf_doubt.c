/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of conf/doubt: what may be written, and is hardly meant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/doubt.h"

#define PROXY(listen, with)                                                                        \
	"mode: proxy\ntls:\n  certificates: [/etc/postern/mx.pem]\nsmtp:\n  domains: "             \
	"[own.example]\n  listen: [" listen "]\n  backends: [\"192.0.2.1" with "\"]\n"
#define ETH0 "interfaces: [eth0]\n"

static void doubts(void **state)
{
	static const struct {
		const char *text;
		const char *about[CONF_DOUBTS_MAX];
	} rows[] = {
		{ "mode: filter", { NULL } },
		{ "mode: guard", { "dnsbl.zones", "interface" } },
		{ "mode: guard\ninterfaces: [eth0]", { "dnsbl.zones" } },
		{ "mode: guard\ninterfaces: [eth0]\ndnsbl:\n  domains: [\"dbl.example\"]",
		  { "dnsbl.zones" } },
		{ "mode: guard\ndnsbl:\n  zones: [\"bl.example\"]", { "interface" } },
		{ "mode: guard\ninterfaces: [eth0]\ndnsbl:\n  zones: [\"bl.example\"]", { NULL } },
		{ PROXY("25", ""), { "mode proxy without an interface" } },
		{ ETH0 PROXY("25", ""), { NULL } },
		{ ETH0 PROXY("25, 587", ""), { "users cannot log in" } },
		{ PROXY("465", ""), { "interface", "log in" } },
		{ ETH0 PROXY("587", " starttls"), { NULL } },
		{ ETH0 PROXY("587", " tls"), { NULL } },
		{ ETH0 PROXY("587", "") "  users: /etc/postern/users\n", { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *doubt[CONF_DOUBTS_MAX];
		struct conf_scope scope;
		struct conf *conf = NULL;
		struct error err;
		size_t count;

		if (conf_parse("test", rows[i].text, strlen(rows[i].text), &conf, &err))
			fail_msg("%s", err.text);
		scope = conf_scope(conf);
		conf_free(&conf);
		count = conf_doubts(&scope, doubt);
		for (size_t j = 0; j < count; j++) {
			assert_non_null(rows[i].about[j]);
			assert_non_null(strstr(doubt[j], rows[i].about[j]));
		}
		assert_true(count == CONF_DOUBTS_MAX || !rows[i].about[count]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
