/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/backend_fixture.c - see tests/unit/backend_fixture.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "conf_fixture.h"
#include "lib/log.h"
#include "loop/proxy.h"
#include "tests/unit/backend_fixture.h"
#include "tests/unit/stream_fixture.h"

#define QUIET_ROUNDS 20

/* One connection of a scripted server. */
struct play {
	LIST_ENTRY(play) all;
	struct script_server *server;
	struct stream *stream;
	const char *at; /* in the script */
	bool waits;     /* at "-" */
};

const struct backend_client client_of_test = {
	.addr = { { [10] = 0xff, 0xff, 192, 0, 2, 1 } },
	.local = { { [10] = 0xff, 0xff, 198, 51, 100, 1 } },
	.port = 40000,
	.local_port = 25,
	.name = "client.example",
	.helo = "helo.example",
	.esmtp = true,
	.login = "",
};

/* ---- the server's side */

static void wrong(struct play *play, const char *what, const char *got, size_t size)
{
	struct script_server *server = play->server;

	if (!*server->wrong)
		snprintf(server->wrong, sizeof(server->wrong), "connection %zu: %s: '%.*s'",
			 server->connections, what, (int)(size < 200 ? size : 200), got);
}

static void play_end(struct play *play, bool reset)
{
	if (reset)
		stream_abort(&play->stream);
	else
		stream_close(&play->stream);
	LIST_REMOVE(play, all);
	play->server->open--;
	free(play);
}

/* What a line of the script does: true if it is done. */
static bool say(struct play *play, const char *text, size_t size)
{
	stream_write(play->stream, text, size);
	stream_write(play->stream, "\r\n", 2);
	return true;
}

static bool say_raw(struct play *play, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		stream_write(play->stream, text[i] == '|' ? "\r\n" : &text[i],
			     text[i] == '|' ? 2 : 1);
	return true;
}

static bool say_flood(struct play *play, const char *text, size_t size)
{
	size_t count = strtoul(text, NULL, 10);
	char *flood = malloc(count);

	(void)size;
	memset(flood, 'a', count);
	stream_write(play->stream, flood, count);
	free(flood);
	return true;
}

static bool hear(struct play *play, const char *text, size_t size)
{
	size_t got, length;
	const char *input = (const char *)stream_input(play->stream, &got);
	const char *end = got ? memchr(input, '\n', got) : NULL;

	if (!end)
		return false;
	length = (size_t)(end - input) - 1;
	if (length != size || memcmp(input, text, size) != 0)
		wrong(play, text, input, length);
	stream_take(play->stream, length + 2);
	return true;
}

static bool take_message(struct play *play, const char *text, size_t size)
{
	struct script_server *server = play->server;
	size_t got;
	const uint8_t *input = stream_input(play->stream, &got);
	const char *end;

	(void)text;
	(void)size;
	if (!got)
		return false;
	server->message = realloc(server->message, server->message_size + got + 1);
	memcpy(server->message + server->message_size, input, got);
	server->message_size += got;
	server->message[server->message_size] = '\0';
	stream_take(play->stream, got);
	end = server->message + server->message_size;
	return (server->message_size >= 5 && !memcmp(end - 5, "\r\n.\r\n", 5)) ||
	       (server->message_size == 3 && !memcmp(end - 3, ".\r\n", 3));
}

static bool take_proxy(struct play *play, const char *text, size_t size)
{
	struct proxy_addresses found;
	size_t got, used = 0;
	const uint8_t *input = stream_input(play->stream, &got);
	char source[PREFIX_TEXT_MAX], dest[PREFIX_TEXT_MAX], shown[160] = "local";
	enum proxy_result result = proxy_read(input, got, &found, &used);

	if (result == PROXY_MORE)
		return false;
	if (result == PROXY_FOUND)
		snprintf(shown, sizeof(shown), "%s %u %s %u", addr_format(&found.source, source),
			 found.source_port, addr_format(&found.dest, dest), found.dest_port);
	if (result == PROXY_BAD || strlen(shown) != size || memcmp(shown, text, size) != 0)
		wrong(play, "PROXY header", shown, strlen(shown));
	stream_take(play->stream, used);
	return true;
}

/* The script goes on when TLS is there. */
static bool begin_tls(struct play *play, const char *text, size_t size)
{
	struct error err = { 0 };

	(void)text;
	(void)size;
	if (stream_tls(play->stream))
		return true;
	if (stream_start_tls(play->stream, play->server->tls, NULL, &err) &&
	    !strstr(err.text, "not on this connection"))
		wrong(play, "TLS", err.text, strlen(err.text));
	return false;
}

/* At the end of a script. */
static void rest(struct play *play)
{
	size_t got;
	const char *input = (const char *)stream_input(play->stream, &got);

	if (got >= 6 && !memcmp(input, "QUIT\r\n", 6))
		play_end(play, false);
	else if (got)
		wrong(play, "nothing was to come", input, got);
}

static void run(struct play *play)
{
	static const struct {
		char letter;
		bool (*step)(struct play *play, const char *text, size_t size);
	} steps[] = { { 'S', say },          { 'R', say_raw },    { 'F', say_flood }, { 'C', hear },
		      { 'D', take_message }, { 'P', take_proxy }, { 'T', begin_tls } };
	const char *text;
	size_t size, i;

	while (*play->at) {
		size = strcspn(play->at, "\n");
		if (*play->at == 'E' || *play->at == 'X') {
			play_end(play, *play->at == 'X');
			return;
		}
		play->waits = *play->at == '-';
		if (play->waits)
			return;
		text = size > 3 ? play->at + 3 : "";
		for (i = 0; steps[i].letter != *play->at; i++)
			assert_true(i + 1 < sizeof(steps) / sizeof(steps[0]));
		if (!steps[i].step(play, text, size > 3 ? size - 3 : 0))
			return;
		play->at += size + (play->at[size] == '\n');
	}
	rest(play);
}

static void on_readable(struct stream *stream, void *arg)
{
	struct play *play = arg;

	(void)stream;
	if (!play->waits)
		run(play);
}

static void on_ended(struct stream *stream, enum stream_end end, void *arg)
{
	(void)stream;
	(void)end;
	play_end(arg, false);
}

static const struct stream_owner player = { on_readable, NULL, on_readable, on_ended };

static void on_accepted(struct stream *stream, const struct addr *peer, uint16_t peer_port,
			const struct addr *local, uint16_t local_port, void *arg)
{
	struct script_server *server = arg;
	struct play *play = calloc(1, sizeof(*play));
	size_t number = server->connections++;

	(void)peer;
	(void)peer_port;
	(void)local;
	(void)local_port;
	assert_non_null(stream);
	play->server = server;
	play->stream = stream;
	play->at = server->hello;
	if (number && number <= server->scripts)
		play->at = server->script[number - 1];
	else if (number)
		wrong(play, "one connection too many", "", 0);
	LIST_INSERT_HEAD(&server->plays, play, all);
	server->open++;
	stream_give(stream, &player, play);
	run(play);
}

/* Those that wait at "-" go on. */
static bool go_on(struct backend_fixture *fixture)
{
	struct play *play;

	for (size_t i = 0; i < fixture->servers; i++) {
		LIST_FOREACH(play, &fixture->server[i].plays, all)
		{
			if (!play->waits)
				continue;
			play->waits = false;
			play->at += strcspn(play->at, "\n");
			play->at += *play->at == '\n';
			run(play);
			return true;
		}
	}
	return false;
}

/* ---- the loop */

/* One turn; when nothing has happened for a while, those that wait go on. */
static void turn(struct backend_fixture *fixture)
{
	static unsigned int quiet;

	uv_run(&loop, UV_RUN_NOWAIT);
	if (++quiet < QUIET_ROUNDS)
		return;
	quiet = 0;
	go_on(fixture);
}

void settle(struct backend_fixture *fixture)
{
	do {
		for (unsigned int i = 0; i < QUIET_ROUNDS; i++)
			uv_run(&loop, UV_RUN_NOWAIT);
	} while (go_on(fixture));
}

void until(struct backend_fixture *fixture, unsigned int answers)
{
	while (fixture->answers < answers)
		turn(fixture);
}

/* ---- the owner of a transaction */

static void on_reply(struct backend_mail *mail, enum backend_step step, size_t number,
		     const struct backend_reply *reply, void *arg)
{
	struct backend_fixture *fixture = arg;
	size_t at = strlen(fixture->told);

	assert_ptr_equal(mail, fixture->mail);
	fixture->answers++;
	if (step == BACKEND_STEP_RCPT)
		at += (size_t)snprintf(fixture->told + at, TOLD_MAX - at, "RCPT%zu", number);
	else
		at += (size_t)snprintf(fixture->told + at, TOLD_MAX - at, "%s",
				       step == BACKEND_STEP_MAIL ? "MAIL" : "MESSAGE");
	snprintf(fixture->told + at, TOLD_MAX - at, " %u%s %s; ", reply->code,
		 reply->lost ? " lost" : "", reply->text);
	if (fixture->close_at_reply)
		backends_close(&fixture->backends);
	if (fixture->end_at_reply)
		backend_mail_end(&fixture->mail);
	if (fixture->then)
		fixture->then(fixture);
}

void mail_from(struct backend_fixture *fixture, const char *from, unsigned int features)
{
	const unsigned int before = fixture->answers;

	fixture->mail = backend_mail_start(fixture->backends, &client_of_test, from, features,
					   on_reply, fixture);
	assert_non_null(fixture->mail);
	assert_int_equal(fixture->answers, before); /* never from inside */
}

void mail_from_client(struct backend_fixture *fixture, const struct backend_client *client)
{
	fixture->mail = backend_mail_start(fixture->backends, client, "<a@s.example>", 0, on_reply,
					   fixture);
	assert_non_null(fixture->mail);
}

void rcpt(struct backend_fixture *fixture, const char *to)
{
	const unsigned int before = fixture->answers;

	assert_true(backend_mail_rcpt(fixture->mail, to));
	assert_int_equal(fixture->answers, before);
}

void message(struct backend_fixture *fixture, const char *text, size_t size)
{
	const unsigned int before = fixture->answers;

	spool_free(&fixture->spool);
	fixture->spool = spool_new(&fixture->limits);
	assert_int_equal(spool_write(fixture->spool, text, size, NULL), 0);
	assert_true(backend_mail_message(fixture->mail, fixture->spool));
	assert_int_equal(fixture->answers, before);
}

void begin_one(struct backend_fixture *fixture)
{
	const unsigned int before = fixture->answers;

	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<b@d.example>");
	until(fixture, before + 2);
}

void send_one(struct backend_fixture *fixture)
{
	const unsigned int before = fixture->answers;

	begin_one(fixture);
	message(fixture, "Hello\r\n", 7);
	until(fixture, before + 3);
	backend_mail_end(&fixture->mail);
}

void check_told(struct backend_fixture *fixture, const char *expected)
{
	assert_string_equal(fixture->told, expected);
	*fixture->told = '\0';
}

void check_scripts(struct backend_fixture *fixture)
{
	settle(fixture);
	for (size_t i = 0; i < fixture->servers; i++) {
		struct script_server *server = &fixture->server[i];

		if (*server->wrong)
			fail_msg("server %zu: %s", i, server->wrong);
		assert_int_equal(server->connections, server->scripts + 1);
	}
}

void send_two(struct backend_fixture *fixture)
{
	send_one(fixture);
	send_one(fixture);
	check_told(fixture, ALL_OK ALL_OK);
	check_scripts(fixture);
}

struct backend_info info_of(struct backend_fixture *fixture, size_t server)
{
	struct backend_info info;

	backends_info(fixture->backends, server, &info);
	return info;
}

void tick(struct backend_fixture *fixture, uint64_t ms)
{
	const uint64_t now = uv_now(&loop) + ms;

	dialogue_tick(fixture->backends, now);
	for (size_t i = 0; fixture->backends && i < fixture->backends->count; i++)
		health_tick(&fixture->backends->server[i], now);
}

/* ---- setting up */

struct conf_backend *add_server(struct backend_fixture *fixture, const char *const *script)
{
	struct conf_backends *rows = &fixture->conf->smtp.backends;
	struct script_server *server = &fixture->server[fixture->servers++];
	struct listener_options options = { .loop = &loop, .accepted = on_accepted, .arg = server };
	struct conf_backend *row = &rows->backend[rows->count++];
	const int window = 65536; /* so that a server that does not read makes itself felt */

	options.fd = listen_loopback(&server->port);
	assert_int_equal(setsockopt(options.fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window)), 0);
	assert_int_equal(listener_open(&options, &server->listener, NULL), 0);
	server->hello = HELLO;
	LIST_INIT(&server->plays);
	while (*script)
		server->script[server->scripts++] = *script++;
	*row = (struct conf_backend){ .addr = addr_from_ipv4(INADDR_LOOPBACK),
				      .port = server->port,
				      .weight = 1 };
	return row;
}

static bool all_known(const struct backends *backends)
{
	for (size_t i = 0; i < backends->count; i++)
		if (backends->server[i].probe)
			return false;
	return true;
}

void begin(struct backend_fixture *fixture)
{
	struct error err = { 0 };
	struct backend_tls tls;

	if (backend_tls_open(fixture->conf, &tls, &err) ||
	    backends_open(&loop, fixture->conf, &tls, &fixture->backends, &err))
		fail_msg("%s", err.text);
	backend_tls_unref(&tls);
	uv_timer_stop(&fixture->backends->tick);
}

void start(struct backend_fixture *fixture)
{
	begin(fixture);
	while (!all_known(fixture->backends))
		turn(fixture);
	settle(fixture);
}

void stop(struct backend_fixture *fixture)
{
	backend_mail_end(&fixture->mail);
	spool_free(&fixture->spool);
	backends_close(&fixture->backends);
	for (size_t i = 0; i < fixture->servers; i++) {
		struct script_server *server = &fixture->server[i];

		while (!LIST_EMPTY(&server->plays))
			play_end(LIST_FIRST(&server->plays), true);
		listener_close(&server->listener);
		tls_unref(&server->tls);
		free(server->message);
	}
}

int backend_setup(void **state)
{
	struct backend_fixture *fixture = calloc(1, sizeof(*fixture));

	log_set_level(LOG_LEVEL_ERROR);
	if (loop_setup(state) || conf_defaults(&fixture->conf, NULL))
		return -1;
	snprintf(fixture->conf->smtp.hostname, sizeof(fixture->conf->smtp.hostname),
		 "gate.example");
	fixture->limits = (struct spool_limits){ .directory = "/tmp",
						 .memory = 1 << 20,
						 .memory_total = 1 << 24,
						 .file_total = 1 << 26 };
	*state = fixture;
	return 0;
}

int backend_teardown(void **state)
{
	struct backend_fixture *fixture = *state;
	int failed;

	stop(fixture);
	failed = loop_teardown(state);
	conf_free(&fixture->conf);
	free(fixture);
	return failed;
}
