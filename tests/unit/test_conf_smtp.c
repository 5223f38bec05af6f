/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of conf: the lists of the SMTP front, what is refused in them, and options of it that
 * contradict each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HEX_32       "0123456789abcdef0123456789ABCDEF"

static void assert_addr(const struct addr *addr, const char *expected)
{
	char text[PREFIX_TEXT_MAX];

	assert_string_equal(addr_format(addr, text), expected);
}

static void every_option_of_the_front_is_read(void **state)
{
	struct conf *conf = read_conf(every_option);

	(void)state;
	assert_string_equal(conf->smtp.hostname, "Mx.example.net");
	assert_int_equal(conf->smtp.workers, 3);
	assert_int_equal(conf->smtp.listen.count, 5);
	assert_int_equal(conf->smtp.balancers.count, 1);
	assert_int_equal(conf->smtp.balancers.prefix[0].len, 128);
	assert_int_equal(conf->smtp.networks.count, 2);
	assert_int_equal(conf->smtp.networks.prefix[0].len, ADDR_IPV4_OFFSET + 24);
	assert_int_equal(conf->smtp.domains.count, 2);
	assert_string_equal(conf->smtp.domains.domain[0].name, "example.net");
	assert_string_equal(conf->smtp.domains.domain[1].name, "xn--bcher-kva.example");
	assert_string_equal(conf->smtp.recipients, "/etc/postern/recipients");
	assert_string_equal(conf->smtp.users, "/etc/postern/users");
	assert_int_equal(conf->smtp.backends.count, 3);
	assert_string_equal(conf->smtp.backend_ca, "/etc/ssl/ca.pem");
	assert_int_equal(conf->smtp.size_max, 100000);
	assert_int_equal(conf->smtp.recipients_max, 100);
	assert_int_equal(conf->smtp.errors_max, 1);
	assert_int_equal(conf->smtp.commands_max, 10);
	assert_int_equal(conf->smtp.connections_max, 20000);
	assert_int_equal(conf->smtp.timeout_command, 60);
	assert_int_equal(conf->smtp.timeout_data, 10);
	assert_int_equal(conf->smtp.timeout_session, 600);
	assert_int_equal(conf->smtp.rate_min, 0);
	assert_string_equal(conf->smtp.spool, "/var/spool/postern");
	assert_int_equal(conf->smtp.spool_message, 0);
	assert_int_equal(conf->smtp.spool_memory, 1);
	assert_int_equal(conf->smtp.spool_disk, 1000);
	assert_int_equal(conf->smtp.greet_delay, 2000);
	assert_int_equal(conf->tls.certificates.count, 2);
	assert_string_equal(conf->tls.certificates.certificate[0].chain, "/a.pem");
	assert_string_equal(conf->tls.certificates.certificate[0].key, "/a.key");
	assert_string_equal(conf->tls.certificates.certificate[1].chain, "/b.pem");
	assert_string_equal(conf->tls.certificates.certificate[1].key, "/b.pem");
	assert_true(conf->tls.required);
	assert_int_equal(conf->check.pregreet, CONF_CHECK_OFF);
	assert_int_equal(conf->check.pipelining, CONF_CHECK_MONITOR);
	assert_int_equal(conf->check.dnsbl, CONF_CHECK_TAG);
	assert_int_equal(conf->check.rdns, CONF_CHECK_DEFER);
	assert_int_equal(conf->check.helo, CONF_CHECK_REJECT);
	assert_int_equal(conf->check.spf, CONF_CHECK_MONITOR);
	assert_int_equal(conf->check.sender, CONF_CHECK_OFF);
	assert_int_equal(conf->check.score, CONF_CHECK_TAG);
	assert_int_equal(conf->check.stage, CONF_STAGE_RCPT);
	conf_free(&conf);
}

static void listeners(void **state)
{
	static const struct {
		const char *text, *addr;
		uint16_t port, service;
	} rows[] = {
		{ "0.0.0.0:25 mx", "0.0.0.0", 25, CONF_SERVICE_MX },
		{ "'[::]:587 submission'", "::", 587, CONF_SERVICE_SUBMISSION },
		{ "'[::]:465 submissions'", "::", 465, CONF_SERVICE_SUBMISSIONS },
		{ "192.0.2.1", "192.0.2.1", 25, CONF_SERVICE_MX },
		{ "'2001:db8::1'", "2001:db8::1", 25, CONF_SERVICE_MX },
		{ "192.0.2.1 submission", "192.0.2.1", 587, CONF_SERVICE_SUBMISSION },
		{ "192.0.2.1  submissions ", "192.0.2.1", 465, CONF_SERVICE_SUBMISSIONS },
		{ "192.0.2.1:465", "192.0.2.1", 465, CONF_SERVICE_SUBMISSIONS },
		{ "192.0.2.1:587", "192.0.2.1", 587, CONF_SERVICE_SUBMISSION },
		{ "192.0.2.1:587 mx", "192.0.2.1", 587, CONF_SERVICE_MX },
		{ "localhost:2525 mx", "127.0.0.1", 2525, CONF_SERVICE_MX },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *conf;

		snprintf(text, sizeof(text), "smtp: {listen: [%s]}\ntls: {certificates: [/a]}",
			 rows[i].text);
		conf = read_conf(text);
		assert_int_equal(conf->smtp.listen.count, 1);
		assert_addr(&conf->smtp.listen.listener[0].addr, rows[i].addr);
		assert_int_equal(conf->smtp.listen.listener[0].port, rows[i].port);
		assert_int_equal(conf->smtp.listen.listener[0].service, rows[i].service);
		conf_free(&conf);
	}
}

/* A port alone is both families. */
static void a_port_alone(void **state)
{
	struct conf *conf = read_conf("smtp: {listen: [2525 mx, 25]}");
	const struct conf_listener *listener = conf->smtp.listen.listener;

	(void)state;
	assert_int_equal(conf->smtp.listen.count, 4);
	assert_addr(&listener[0].addr, "0.0.0.0");
	assert_addr(&listener[1].addr, "::");
	assert_int_equal(listener[1].port, 2525);
	assert_addr(&listener[2].addr, "0.0.0.0");
	assert_addr(&listener[3].addr, "::");
	assert_int_equal(listener[3].port, 25);
	conf_free(&conf);
}

static void backends(void **state)
{
	static const struct {
		const char *text, *addr;
		uint16_t port, weight, tls, told;
		const char *host, *fingerprint;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", 25, 1, CONF_BACKEND_PLAIN, 0, "", "" },
		{ "192.0.2.1 tls", "192.0.2.1", 465, 1,
		  CONF_BACKEND_STARTTLS | CONF_BACKEND_IMPLICIT, 0, "", "" },
		{ "192.0.2.1:26 tls", "192.0.2.1", 26, 1,
		  CONF_BACKEND_STARTTLS | CONF_BACKEND_IMPLICIT, 0, "", "" },
		{ "192.0.2.1:25 starttls xclient weight=2", "192.0.2.1", 25, 2,
		  CONF_BACKEND_STARTTLS, CONF_BACKEND_XCLIENT, "", "" },
		{ "[fd00::1]:25 backup proxy", "fd00::1", 25, 0, CONF_BACKEND_PLAIN,
		  CONF_BACKEND_PROXY, "", "" },
		{ "192.0.2.1 verify=Mail.Example.org", "192.0.2.1", 25, 1, CONF_BACKEND_VERIFY, 0,
		  "mail.example.org", "" },
		{ "192.0.2.1 verify=mail.example.org tls", "192.0.2.1", 465, 1,
		  CONF_BACKEND_VERIFY | CONF_BACKEND_IMPLICIT, 0, "mail.example.org", "" },
		{ "192.0.2.1 starttls pin=" HEX_32 HEX_32, "192.0.2.1", 25, 1, CONF_BACKEND_PIN, 0,
		  "", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
	};
	char text[400];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct conf_backend *backend;
		struct conf *conf;

		snprintf(text, sizeof(text), "smtp: {backends: [\"%s\"%s]}", rows[i].text,
			 rows[i].weight ? "" : ", 192.0.2.9");
		conf = read_conf(text);
		backend = &conf->smtp.backends.backend[0];
		assert_int_equal(conf->smtp.backends.count, rows[i].weight ? 1 : 2);
		assert_addr(&backend->addr, rows[i].addr);
		assert_int_equal(backend->port, rows[i].port);
		assert_int_equal(backend->weight, rows[i].weight);
		assert_int_equal(backend->tls, rows[i].tls);
		assert_int_equal(backend->told, rows[i].told);
		assert_string_equal(backend->host, rows[i].host);
		assert_string_equal(backend->fingerprint, rows[i].fingerprint);
		conf_free(&conf);
	}
}

#define LISTEN(text)   "smtp: {listen: [" text "]}"
#define BACKEND(text)  "smtp: {backends: [\"" text "\"]}"
#define DOMAIN(text)   "smtp: {domains: [\"" text "\"]}"
#define AT_LISTEN      "f:1: smtp.listen: "
#define AT_BACKENDS    "f:1: smtp.backends: "
#define AT_DOMAINS     "f:1: smtp.domains: "
#define NOT_AN_ADDRESS " must start with an address or localhost (127.0.0.1), not with another name"

static void members_that_are_refused(void **state)
{
	static const struct refused rows[] = {
		{ LISTEN("mx"), AT_LISTEN "mx" NOT_AN_ADDRESS },
		{ LISTEN("''"), AT_LISTEN "\"\" is not ADDRESS:PORT and a service, as "
					  "\"[::]:587 submission\"" },
		{ LISTEN("0"), AT_LISTEN "port: 0 is out of range 1 to 65535" },
		{ LISTEN("65536"), AT_LISTEN "port: 65536 is out of range 1 to 65535" },
		{ LISTEN("2525"), AT_LISTEN "2525 has a port that does not say what it is for: add "
					    "mx, submission or submissions" },
		{ LISTEN("25 smtp"),
		  AT_LISTEN "25 smtp has a service that is none of mx, submission, submissions" },
		{ LISTEN("25 mx mx"), AT_LISTEN "25 mx mx is not ADDRESS:PORT and a service, as "
						"\"[::]:587 submission\"" },
		{ LISTEN("192.0.2.1:25 mx, 192.0.2.1:25 submission"),
		  AT_LISTEN "192.0.2.1:25 submission is there twice, on lines 1 and 1" },
		{ LISTEN("25, 0.0.0.0"), AT_LISTEN "0.0.0.0 is there twice, on lines 1 and 1" },
		{ LISTEN("0.0.0.0, 25"), AT_LISTEN "25 is there twice, on lines 1 and 1" },
		{ "smtp: {networks: [192.0.2.1/24]}", "f:1: smtp.networks: 192.0.2.1/24: host bits "
						      "are set; the prefix is 192.0.2.0/24" },
		{ "smtp: {networks: [0.0.0.0/0]}",
		  "f:1: smtp.networks: 0.0.0.0/0 is too wide to be trusted: an IPv4 network has at "
		  "least /8, an IPv6 network /7" },
		{ "smtp: {networks: ['::/0']}",
		  "f:1: smtp.networks: ::/0 is too wide to be trusted: an IPv4 network has at "
		  "least /8, an IPv6 network /7" },
		{ "smtp: {balancers: [128.0.0.0/1]}",
		  "f:1: smtp.balancers: 128.0.0.0/1 is too wide to be trusted: an IPv4 network "
		  "has at least /8, an IPv6 network /7" },
		{ DOMAIN("a..b"), AT_DOMAINS "a..b is refused: not a domain name" },
		{ DOMAIN("example.net."), AT_DOMAINS "example.net. is refused: not a domain name" },
		{ DOMAIN("192.0.2.1"),
		  AT_DOMAINS "192.0.2.1 is refused: an address, not a domain name" },
		{ DOMAIN("*.example"), AT_DOMAINS "*.example is refused: not a domain name" },
		{ "smtp: {domains: [example.net, EXAMPLE.net]}",
		  AT_DOMAINS "EXAMPLE.net is there twice, on lines 1 and 1" },
		{ BACKEND("mail.example"), AT_BACKENDS "mail.example" NOT_AN_ADDRESS },
		{ BACKEND("  "), AT_BACKENDS "   is not ADDRESS:PORT, as 192.0.2.1:25" },
		{ BACKEND("192.0.2.1 verify"),
		  AT_BACKENDS "verify is none of starttls, tls, verify=NAME, pin=HEX, xclient, "
			      "proxy, weight=N, backup" },
		{ BACKEND("192.0.2.1 verify="),
		  AT_BACKENDS "verify: a domain has 1 to 253 characters" },
		{ BACKEND("192.0.2.1 starttls tls"),
		  AT_BACKENDS "tls contradicts or repeats a word before it" },
		{ BACKEND("192.0.2.1 proxy xclient"),
		  AT_BACKENDS "xclient contradicts or repeats a word before it" },
		{ BACKEND("192.0.2.1 backup weight=1"),
		  AT_BACKENDS "weight=1 contradicts or repeats a word before it" },
		{ BACKEND("192.0.2.1 weight=0"), AT_BACKENDS "weight: 0 is out of range 1 to 100" },
		{ BACKEND("192.0.2.1 pin=" HEX_32),
		  AT_BACKENDS "pin: 64 hex digits are wanted, the SHA-256 of the public key" },
		{ BACKEND("192.0.2.1 pin=" HEX_32 "0123456789abcdef0123456789abcdeg"),
		  AT_BACKENDS "pin: 64 hex digits are wanted, the SHA-256 of the public key" },
		{ BACKEND("192.0.2.1\",\"192.0.2.1:25 starttls"),
		  AT_BACKENDS "192.0.2.1:25 starttls is there twice, on lines 1 and 1" },
		{ "tls: {certificates: [a.pem]}",
		  "f:1: tls.certificates: a path starts with \"/\"" },
		{ "tls: {certificates: [/a /b /c]}",
		  "f:1: tls.certificates: /a /b /c is not the path of a chain and the path of its "
		  "key" },
		{ "smtp: {hostname: a b}", "f:1: smtp.hostname: not a domain name" },
		{ "smtp: {hostname: b\xc3\xbc}", "f:1: smtp.hostname: a host name is ASCII" },
		{ "smtp: {recipients: a}", "f:1: smtp.recipients: a path starts with \"/\"" },
		{ "check: {spf: maybe}",
		  "f:1: check.spf: maybe is none of off, monitor, tag, defer, reject" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

#define PROXY "mode: proxy\n"
static void contradictions_of_the_front(void **state)
{
	static const struct refused rows[] = {
		{ PROXY, "f:1: mode: proxy has no address to take mail on: set smtp.listen" },
		{ PROXY LISTEN("25"),
		  "f:1: mode: proxy has nobody to hand mail on to: set smtp.backends" },
		{ PROXY "smtp: {listen: [25], backends: [192.0.2.1]}",
		  "f:1: mode: proxy would refuse all mail: set smtp.domains, smtp.networks, or a "
		  "listener for submission" },
		{ LISTEN("465"),
		  "f:1: smtp.listen: submission and submissions need TLS: set tls.certificates" },
		{ "tls:\n  required: yes",
		  "f:2: tls.required: true needs a certificate: set tls.certificates" },
		{ "smtp:\n  recipients: /a",
		  "f:2: smtp.recipients: has no effect without smtp.domains" },
		{ BACKEND("192.0.2.1 backup"),
		  "f:1: smtp.backends: all of them are backups: of what?" },
		{ "smtp: {spool-memory: 1, spool-message: 2k}",
		  "f:1: smtp.spool-message: is more than smtp.spool-memory" },
		{ "smtp: {spool-disk: 47, size-max: 50M}",
		  "f:1: smtp.spool-disk: is less than smtp.size-max" },
		{ "smtp: {spool-disk: 47}", "f:1: smtp.spool-disk: is less than smtp.size-max" },
	};
	static const char *const loops[][2] = {
		{ "192.0.2.1:25", "192.0.2.1:25" },
		{ "25", "127.0.0.1:25" },
		{ "25", "[::1]:25" },
		{ "0.0.0.0:25", "127.9.9.9:25" },
		{ "192.0.2.1:25", "0.0.0.0:25" },
	};
	char text[200];

	(void)state;
	assert_refused(rows, COUNT(rows));
	for (size_t i = 0; i < COUNT(loops); i++) {
		const int len =
			snprintf(text, sizeof(text), "smtp: {listen: [\"%s\"], backends: [\"%s\"]}",
				 loops[i][0], loops[i][1]);

		assert_string_equal(
			refusal_of(text, (size_t)len),
			"f:1: smtp.backends: a backend is an address of smtp.listen: a loop");
	}
}

static void what_does_not_contradict(void **state)
{
	static const char *const rows[] = {
		PROXY "smtp: {listen: [25], backends: [192.0.2.1], domains: [a.example]}",
		PROXY "smtp: {listen: [25], backends: [192.0.2.1], networks: [10.0.0.0/8]}",
		PROXY "smtp: {listen: [587], backends: [192.0.2.1]}\ntls: {certificates: [/a]}",
		"smtp: {listen: [25], backends: [\"127.0.0.1:2525\"]}",
		"smtp: {listen: [\"[::]:25\"], backends: [\"127.0.0.1:25\"]}",
		"smtp: {listen: [192.0.2.2], backends: [192.0.2.1, 192.0.2.3 backup]}",
		"smtp: {networks: [\"fc00::/7\", 10.0.0.0/8]}",
		"smtp: {hostname: ''}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *conf = read_conf(rows[i]);

		conf_free(&conf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_of_the_front_is_read),
		cmocka_unit_test(listeners),
		cmocka_unit_test(a_port_alone),
		cmocka_unit_test(backends),
		cmocka_unit_test(members_that_are_refused),
		cmocka_unit_test(contradictions_of_the_front),
		cmocka_unit_test(what_does_not_contradict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
