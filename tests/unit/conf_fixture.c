/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Implements tests/unit/conf_fixture.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

/* Block and flow style, every kind of quotes, suffixes, comments, and an end. */
const char every_option[] =
	"---\n"
	"user: mail-gate\n"
	"state-directory: \"/srv/p o\"\n"
	"store-size: 16\n"
	"pin-directory: '/sys/fs/bpf/other'\n"
	"interfaces:\n"
	"  - eth0\n"
	"  - \"enp3s0.100\"\n"
	"mode: guard\n"
	"attach-mode: generic\n"
	"ports: [65535, 1]\n"
	"monitor: on\n"
	"control: {socket: /tmp/s, group: adm}\n"
	"metrics: {listen: \"[2001:db8::1]:80\"}\n"
	"log: {level: debug}\n"
	"events: {rate: 0}\n"
	"table:\n"
	"  capacity-ipv4: 10M\n"
	"  capacity-ipv6: 1k\n"
	"  sources: 1024\n"
	"limits:\n"
	"  rate-total: 4\n"
	"  burst-total: 40\n"
	"  conn-total: 400\n"
	"  rate-site: 3\n"
	"  burst-site: 30\n"
	"  conn-site: 300\n"
	"  rate-net: 2\n"
	"  burst-net: 20\n"
	"  conn-net: 199\n"
	"  rate-source: 1\n"
	"  burst-source: 10\n"
	"  conn-source: 100\n"
	"  reset-rate: 1000000 # a comment\n"
	"flood: { threshold: 1000, release: 1, hold: 3600,\n"
	"  proof: 60, cookies: off }\n"
	"refuse: { contact: postmaster@example.net }\n"
	"dns:\n"
	"  servers: [127.0.0.1, \"[::1]:5353\", 2001:db8::1]\n"
	"  timeout: 100\n"
	"  tries: 1\n"
	"  cache-entries: 0\n"
	"  ttl-min: 1\n"
	"  ttl-max: 1\n"
	"  ttl-negative: 1\n"
	"  in-flight: 20000\n"
	"  in-flight-zone: 1\n"
	"dnsbl:\n"
	"  zones:\n"
	"    - \"zen.example.org*8\"\n"
	"    - list.example.org=127.0.[0..255].[1..3]*-4\n"
	"    - '{0123456789abcdef}.dq.example.net'\n"
	"  domains: [ \"multi.example.org=127.0.0.&14*4\" ]\n"
	"  test-interval: 1h\n"
	"guard: { rate: 1, cache: 1k, ttl-min: 2m, ttl-max: 7d,\n"
	"  timeout: 1s }\n"
	"score:\n"
	"  rdns-confirmed: -1000\n"
	"  rdns-missing: 1000\n"
	"  rdns-unconfirmed: -22\n"
	"  rdns-temporary: 23\n"
	"  rdns-generic: -24\n"
	"  helo-confirmed: 25\n"
	"  helo-match: -26\n"
	"  helo-syntax: 27\n"
	"  helo-bare: -28\n"
	"  helo-literal: 29\n"
	"  helo-literal-wrong: -30\n"
	"  helo-own: 31\n"
	"  helo-mismatch: -32\n"
	"  helo-unknown: 33\n"
	"  helo-temporary: -34\n"
	"  spf-pass: 35\n"
	"  spf-neutral: -36\n"
	"  spf-none: 37\n"
	"  spf-softfail: -38\n"
	"  spf-fail: 39\n"
	"  spf-temperror: -40\n"
	"  spf-permerror: 41\n"
	"  spf-helo-fail: -42\n"
	"  sender-usable: 43\n"
	"  sender-null-mx: -44\n"
	"  sender-missing: 45\n"
	"  sender-temporary: -46\n"
	"policy: { slow: -3, greylist: 0, reject: 1000 }\n"
	"greylist: { enabled: yes, delay: 1m, window: 4h, keep: 1w }\n"
	"escalation: { first-action: drop, action: tarpit, ttl: 60,\n"
	"  ttl-max: 1d, factor: 1, forgive: 1h30m }\n"
	"history: { good: 0, trust: 60 }\n"
	"smtp:\n"
	"  hostname: Mx.example.net\n"
	"  workers: 3\n"
	"  listen: [25, 192.0.2.1:2525 mx, \"[::1]:587\", 192.0.2.1 submissions]\n"
	"  balancers: [192.0.2.10]\n"
	"  networks: [192.0.2.0/24, \"2001:db8::/32\"]\n"
	"  domains: [Example.NET, b\xc3\xbc"
	"cher.example]\n"
	"  recipients: /etc/postern/recipients\n"
	"  users: /etc/postern/users\n"
	"  backends:\n"
	"    - 192.0.2.20\n"
	"    - \"[2001:db8::20]:26 verify=Mail.example.org proxy weight=100\"\n"
	"    - 192.0.2.21 tls backup  xclient\n"
	"  backend-ca: /etc/ssl/ca.pem\n"
	"  size-max: 100k\n"
	"  recipients-max: 100\n"
	"  unknown-recipients: 51\n"
	"  unknown-ttl: 301\n"
	"  errors-max: 1\n"
	"  commands-max: 10\n"
	"  connections-max: 20k\n"
	"  timeout-command: 1m\n"
	"  timeout-data: 10\n"
	"  timeout-session: 10m\n"
	"  rate-min: 0\n"
	"  spool: /var/spool/postern\n"
	"  spool-message: 0\n"
	"  spool-memory: 1\n"
	"  spool-disk: 1k\n"
	"  greet-delay: 2s\n"
	"tls: { certificates: [/a.pem /a.key, /b.pem], required: true }\n"
	"check: { pregreet: off, pipelining: monitor, dnsbl: tag, rdns: defer,\n"
	"  helo: reject, spf: monitor, sender: 'off', score: tag,\n"
	"  stage: rcpt, domains: [Example.net spf=tag score=reject,\n"
	"    b\xc3\xbc"
	"cher.example  dnsbl=reject rdns=off helo=defer] }\n"
	"...\n";

struct conf *read_conf(const char *text)
{
	struct conf *conf = NULL;
	struct error err = { 0 };

	if (conf_parse(TEST_FILE, text, strlen(text), &conf, &err))
		fail_msg("%s", err.text);
	assert_non_null(conf);
	return conf;
}

struct conf *read_defaults(void)
{
	struct conf *conf = NULL;

	assert_int_equal(conf_defaults(&conf, NULL), 0);
	assert_non_null(conf);
	return conf;
}

static void note(const char *name, bool reloadable, void *arg)
{
	struct differences *seen = arg;
	const size_t used = strlen(seen->names);

	snprintf(seen->names + used, sizeof(seen->names) - used, "%s%s ", name,
		 reloadable ? "" : "!");
	seen->count++;
}

void list_differences(const struct conf *before, const struct conf *after, struct differences *seen)
{
	size_t count;

	memset(seen, 0, sizeof(*seen));
	count = conf_diff(before, after, note, seen);
	assert_int_equal(count, seen->count);
}

const char *refusal_of(const char *text, size_t len)
{
	static struct error err;
	static struct conf untouched;
	struct conf *conf = &untouched;

	memset(&err, 0, sizeof(err));
	assert_int_equal(conf_parse("f", text, len, &conf, &err), ERROR_REFUSED);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_ptr_equal(conf, &untouched);
	assert_null(strchr(err.text, '\n'));
	return err.text;
}

void assert_refused(const struct refused *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_string_equal(refusal_of(rows[i].text, strlen(rows[i].text)), rows[i].error);
}
