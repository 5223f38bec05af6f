/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/smtp_fixture.h - a session that plays a dialogue, without sockets and with a clock of
 * the test's.
 *
 * A dialogue is a list of lines:
 *
 *   "C: text"     the client says the line; lines that follow one another come in one piece
 *   "C= octets"   likewise, without an end of a line
 *   "S: text"     what is said to it next, and no more; "*" is any text
 *   "S."          the connection is closed
 *   "T: ms"       time passes
 *   "E."          the client says no more; "X." its TLS is cut; "R." it resets the connection
 *   "V."          the guard's verdict comes
 *   "B: text"     what the backend has been told since, a line for each command
 *   "D."          the service goes down
 */
#ifndef POSTERN_TESTS_SMTP_FIXTURE_H
#define POSTERN_TESTS_SMTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "tests/replay/dns_script.h"
#include "tests/unit/smtp_backend_stand_in.h"

#define SCENE_WALL 1800000000u
#define NS_A_MS    1000000ull

struct scene {
	uv_loop_t loop;
	struct dns_script *script;
	struct dnsbl *domains;
	struct relay *relay;
	struct conf *conf;
	struct smtp_service *service;
	uint64_t connections;
	struct spool_limits spool;
	struct refusals *refusals;
	struct admission *admission;
	struct unknowns *unknowns;
	char spool_directory[SMTP_SPOOL_MAX];
	uint64_t now_ms;
	unsigned int kind; /* of the listener */
	struct addr peer;
	bool balanced; /* a load balancer names the peer */
};

/* Of the scenes that are opened from now on. */
static const struct content_checker *scene_checker;
static size_t scene_checkers;

static const char scene_conf[] = "mode: proxy\n"
				 "interfaces: [eth0]\n"
				 "smtp:\n"
				 "  hostname: gate.example\n"
				 "  listen: [\"192.0.2.1:25\"]\n"
				 "  domains: [own.example, soft.example, hard.example]\n"
				 "  networks: [198.51.100.0/24]\n"
				 "  backends: [\"192.0.2.99:25\"]\n"
				 "  spool: /tmp\n";

static const char scene_zone[] = "9.2.0.192.in-addr.arpa PTR mx.sender.example\n"
				 "mx.sender.example A 192.0.2.9\n"
				 "sender.example MX 10 mx.sender.example\n"
				 "sender.example TXT \"v=spf1 a:mx.sender.example -all\"\n"
				 "forbids.example MX 10 mx.sender.example\n"
				 "forbids.example TXT \"v=spf1 -all\"\n"
				 "slowspf.example MX 10 mx.sender.example\n"
				 "slowspf.example TXT after 3000 \"v=spf1 -all\"\n"
				 "tempspf.example MX 10 mx.sender.example\n"
				 "tempspf.example TXT TEMPORARY\n"
				 "nullmx.example MX 0 .\n"
				 "temp.example MX TEMPORARY\n";

static void scene_set_clock(const struct scene *scene)
{
	clock_freeze(SCENE_WALL + (uint32_t)(scene->now_ms / 1000), scene->now_ms * NS_A_MS);
}

static void scene_advance(struct scene *scene, uint64_t ms)
{
	scene->now_ms += ms;
	scene_set_clock(scene);
	dns_script_advance(scene->script, ms);
	service_tick(scene->service);
}

static void scene_work(struct scene *scene)
{
	for (int i = 0; i < 10; i++) {
		while (stand_ins_work())
			;
		dns_script_advance(scene->script, 0);
	}
}

/* `more` goes behind the configuration that all have. */
static void scene_open(struct scene *scene, const char *more)
{
	struct smtp_service_options options = { .loop = &scene->loop };
	struct conf_zones none = { 0 };
	struct dnsbl_options lists = { .addresses = &none, .domains = &none };
	char text[4096];
	struct error err = { 0 };
	int fd[CONF_LISTENERS_MAX] = { 0 };

	memset(scene, 0, sizeof(*scene));
	memset(&stand_in, 0, sizeof(stand_in));
	stand_in.features = BACKEND_PIPELINING | BACKEND_8BITMIME | BACKEND_SIZE | BACKEND_DSN |
			    BACKEND_SMTPUTF8;
	stand_in.mechanisms = "PLAIN";
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(text, sizeof(text), "%s%s", scene_conf, more);
	if (conf_parse("test", text, strlen(text), &scene->conf, &err) ||
	    dns_script_open(scene_zone, &scene->script, &err) ||
	    relay_open(scene->conf, &scene->relay, &err))
		fail_msg("%s", err.text);
	uv_loop_init(&scene->loop);
	lists.dns = dns_script_dns(scene->script);
	lists.domains = &scene->conf->dnsbl.domains;
	assert_int_equal(dnsbl_open(&lists, &scene->domains, &err), 0);
	scene->peer = addr_from_ipv4(0xc0000209u);
	scene->now_ms = 1000000;
	scene_set_clock(scene);
	options.rules =
		(struct smtp_rules){ scene->conf, relay_ref(scene->relay),
				     (struct tls_context *)scene, (struct backends *)scene, 0 };
	options.fd = fd;
	options.dns = lists.dns;
	options.domains = scene->domains;
	options.auth = (struct auth *)scene;
	options.connections = &scene->connections;
	options.checker = scene_checker;
	options.checkers = scene_checkers;
	smtp_spool_limits(scene->conf, scene->spool_directory, &scene->spool);
	options.spool = &scene->spool;
	assert_int_equal(refusals_open(&scene->refusals, &err), 0);
	options.refusals = scene->refusals;
	assert_int_equal(admission_open(1024, &scene->admission, &err), 0);
	options.admission = scene->admission;
	assert_int_equal(unknowns_open(UNKNOWNS_MAX, &scene->unknowns, &err), 0);
	options.unknowns = scene->unknowns;
	if (smtp_service_open(&options, &scene->service, &err))
		fail_msg("%s", err.text);
}

/* A client that has sent something before anybody listened. */
static void scene_connect_saying(struct scene *scene, const char *text)
{
	const struct addr local = addr_from_ipv4(0xc0000201u);
	struct stream *stream;

	stand_in_stream_free();
	stream = stand_in_stream();
	stream->unread = *text != '\0';
	stand_in.seen = scene->balanced ? local : scene->peer;
	session_start(scene->service, scene->kind, stream, &scene->peer, 4711, &local, 25);
	stream->unread = false;
	if (*text)
		stand_in_says(text, strlen(text));
}

static void scene_connect(struct scene *scene)
{
	scene_connect_saying(scene, "");
}

static void scene_close(struct scene *scene)
{
	smtp_service_close(&scene->service);
	assert_int_equal(scene->connections, 0);
	assert_int_equal(scene->spool.memory_used, 0);
	assert_int_equal(scene->spool.file_used, 0);
	assert_int_equal(stand_in.owed_count, 0);
	assert_int_equal(stand_in.auths, 0);
	assert_null(stand_in.wait);
	assert_int_equal(dns_script_pending(scene->script), 0);
	dnsbl_close(&scene->domains);
	relay_unref(&scene->relay);
	refusals_close(&scene->refusals);
	admission_close(&scene->admission);
	unknowns_close(&scene->unknowns);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	dns_script_close(&scene->script);
	conf_free(&scene->conf);
	stand_in_stream_free();
	octets_free(&stand_in.said);
	octets_free(&stand_in.delivered);
	greylist_close(&stand_in.greylist);
	clock_freeze(0, 0);
}

/* Whether the text is what the pattern says; "*" is any text. */
static bool matches(const char *pattern, const char *text, size_t length)
{
	if (!*pattern)
		return !length;
	if (*pattern == '*')
		return matches(pattern + 1, text, length) ||
		       (length && matches(pattern, text + 1, length - 1));
	return length && *pattern == *text && matches(pattern + 1, text + 1, length - 1);
}

static void expect_line(struct octets *from, const char *pattern, const char *end,
			const char *const *at)
{
	const char *found = from->data ? strstr(from->data, end) : NULL;
	const size_t length = found ? (size_t)(found - from->data) : 0;

	if (!found || !matches(pattern, from->data, length))
		fail_msg("expected \"%s\", got \"%s\"", *at, from->data ? from->data : "");
	octets_take(from, length + strlen(end));
}

static void expect_nothing(const struct octets *from, const char *const *at)
{
	if (from->size)
		fail_msg("before \"%s\": unexpected \"%s\"", *at ? *at : "the end", from->data);
}

static void say_lines(const char *const **at)
{
	struct octets piece = { 0 };

	for (; **at && (**at)[0] == 'C'; (*at)++) {
		const char *line = **at;

		octets_add(&piece, line + 3, strlen(line) > 3 ? strlen(line + 3) : 0);
		if (line[1] == ':')
			octets_add(&piece, "\r\n", 2);
	}
	stand_in_says(piece.data, piece.size);
	octets_free(&piece);
}

static void act(struct scene *scene, const char *line)
{
	switch (line[0]) {
	case 'T':
		scene_advance(scene, strtoull(line + 3, NULL, 10));
		break;
	case 'E':
		stand_in_ends(STREAM_EOF);
		break;
	case 'X':
		stand_in_ends(STREAM_CUT);
		break;
	case 'R':
		stand_in_ends(STREAM_RESET);
		break;
	case 'V':
		tell_verdict(stand_in.wait);
		break;
	case 'D':
		smtp_service_drain(scene->service);
		break;
	default:
		fail_msg("what is \"%s\"?", line);
	}
}

static void expect(const char *const *at)
{
	const char *line = *at;

	if (line[0] == 'B')
		expect_line(&stand_in.said, line + 3, "\n", at);
	else if (line[1] == '.' && !stand_in.stream->closed)
		fail_msg("expected the end, got \"%s\"", stand_in.stream->out.data);
	else if (line[1] == ':')
		expect_line(&stand_in.stream->out, line + 3, "\r\n", at);
}

/* On the connection that there is. */
static void scene_play(struct scene *scene, const char *const *at)
{
	while (*at) {
		if ((*at)[0] == 'S' || (*at)[0] == 'B') {
			expect(at++);
			continue;
		}
		expect_nothing(&stand_in.stream->out, at);
		if ((*at)[0] == 'C')
			say_lines(&at);
		else
			act(scene, *at++);
		scene_work(scene);
	}
	expect_nothing(&stand_in.stream->out, at);
}

/* On a connection of its own, in a scene of its own. */
static inline void play_with(const char *more, unsigned int kind, const char *const *dialogue)
{
	struct scene scene;

	scene_open(&scene, more);
	scene.kind = kind;
	scene_connect(&scene);
	scene_work(&scene);
	scene_play(&scene, dialogue);
	scene_close(&scene);
}

#define PLAY(more, kind, ...) play_with(more, kind, (const char *const[]){ __VA_ARGS__, NULL })

#define GREETING "S: 220 gate.example ESMTP"
#define EHLO                                                                                       \
	"C: EHLO mx.sender.example", "S: 250-gate.example", "S: 250-PIPELINING", "S: 250-SIZE *",  \
		"S: 250-8BITMIME", "S: 250-SMTPUTF8", "S: 250-DSN", "S: 250-CHUNKING",             \
		"S: 250-ENHANCEDSTATUSCODES", "S: 250 STARTTLS"
#define BEGIN GREETING, EHLO
#define MAIL  "C: MAIL FROM:<a@sender.example>", "S: 250 2.1.0 sender ok"
#define RCPT  "C: RCPT TO:<b@own.example>", "S: 250 2.1.5 recipient ok"
#define QUIT  "C: QUIT", "S: 221 2.0.0 gate.example: goodbye", "S."

#endif
