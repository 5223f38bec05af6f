/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of loop/stream with TLS, over loopback: both ends are streams, or one is a socket that says
 * what it should not.
 */
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/tls.h"
#include "stream_fixture.h"
#include "tls_fixture.h"

#define BIG          (4u << 20)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct made made;
static struct tls_context *serving, *any;

static int setup(void **state)
{
	const struct tls_client_options options = { .verify = TLS_VERIFY_NONE };

	if (certificates_setup(state))
		return -1;
	make_certificate("mx", KEY_P256, "DNS:mx.example.org,DNS:*.example.net,IP:127.0.0.1",
			 &made);
	serving = server_context(&made);
	return tls_client_open(&options, &any, NULL);
}

static int teardown(void **state)
{
	tls_unref(&serving);
	tls_unref(&any);
	return certificates_teardown(state);
}

static void say(struct stream_end_of_it *end, const char *text)
{
	assert_true(stream_write(end->stream, text, strlen(text)));
}

static void start_server(struct stream_end_of_it *end)
{
	struct error err = { 0 };

	assert_int_equal(stream_start_tls(end->stream, serving, NULL, &err), 0);
}

static void start_client(struct stream_end_of_it *end, struct tls_context *context,
			 const char *name)
{
	struct error err = { 0 };

	if (stream_start_tls(end->stream, context, name, &err))
		fail_msg("%s", err.text);
}

static void tls_pair(struct stream_end_of_it *server, struct stream_end_of_it *client)
{
	stream_pair(server, client);
	start_server(server);
	start_client(client, any, "mx.example.org");
	run_until(&server->secured, 1);
	run_until(&client->secured, 1);
}

static void both_ways(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };
	const struct stream_tls *info;

	(void)state;
	tls_pair(&server, &client);
	say(&server, "220 hello\r\n");
	run_until_size(&client, 11);
	assert_string_equal(client.got, "220 hello\r\n");
	say(&client, "EHLO x\r\n");
	run_until_size(&server, 8);
	assert_string_equal(server.got, "EHLO x\r\n");
	info = stream_tls(server.stream);
	assert_string_equal(info->version, "TLSv1.3");
	assert_string_equal(info->cipher, "TLS_AES_256_GCM_SHA384");
	assert_int_equal(info->bits, 256);
	assert_string_equal(info->server_name, "mx.example.org");
	assert_false(info->resumed);
	end_free(&server);
	end_free(&client);
}

static void nothing_is_known_before(void **state)
{
	struct stream_end_of_it server = { 0 };
	int fd = stream_and_socket(&server);

	(void)state;
	assert_null(stream_tls(server.stream));
	start_server(&server);
	assert_null(stream_tls(server.stream));
	close(fd);
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_CUT);
	end_free(&server);
}

static void big_pieces_arrive_whole(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };
	uint8_t *data = malloc(BIG);
	bool left;

	(void)state;
	for (size_t i = 0; i < BIG; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	tls_pair(&server, &client);
	for (size_t at = 0; at < BIG; at += BIG / 4) {
		assert_true(stream_write(server.stream, data + at, BIG / 4));
		assert_true(stream_write(client.stream, data + at, BIG / 4));
	}
	assert_true(stream_queued(server.stream) > 0);
	left = stream_queued(client.stream) >
	       0; /* what the kernel holds for it is its own choice */
	run_until_size(&client, BIG);
	run_until_size(&server, BIG);
	assert_memory_equal(client.got, data, BIG);
	assert_memory_equal(server.got, data, BIG);
	run_until(&server.drained, 1);
	run_until(&client.drained, left ? 1 : 0);
	free(data);
	end_free(&server);
	end_free(&client);
}

static void input_is_bounded(void **state)
{
	struct stream_end_of_it server = { .limit = 1 }, client = { 0 };
	char *data = calloc(1, BIG);
	size_t size;

	(void)state;
	tls_pair(&server, &client);
	assert_true(stream_write(client.stream, data, BIG));
	run_until(&server.readable, 1);
	run_until_input(&server, STREAM_INPUT_MAX);
	run_a_little();
	stream_input(server.stream, &size);
	assert_true(size <= STREAM_INPUT_MAX + (16u << 10)); /* and the record that was begun */
	server.limit = SIZE_MAX;
	stream_take(server.stream, 32u << 10);
	run_until_size(&server, BIG - (32u << 10));
	free(data);
	end_free(&server);
	end_free(&client);
}

/* The server's side of STARTTLS, in readable(). */
static void obey(struct stream_end_of_it *end)
{
	if (end->secured || memcmp(end->got, "STARTTLS\r\n", 10) != 0)
		return;
	say(end, "220 go ahead\r\n");
	start_server(end);
	say(end, "from inside");
}

static void the_reply_goes_out_in_plain(void **state)
{
	struct stream_end_of_it server = { .then = obey }, client = { 0 };

	(void)state;
	stream_pair(&server, &client);
	say(&client, "STARTTLS\r\n");
	run_until_size(&client, 14);
	assert_string_equal(client.got, "220 go ahead\r\n");
	start_client(&client, any, NULL);
	run_until_size(&client, 14 + 11);
	assert_string_equal(client.got + 14, "from inside");
	assert_string_equal(stream_tls(server.stream)->server_name, "");
	end_free(&server);
	end_free(&client);
}

/* CVE-2011-0411: what comes behind STARTTLS must not be taken for what came inside of TLS. */
static void nothing_is_left_behind_starttls(void **state)
{
	struct stream_end_of_it server = { .limit = 10 };
	struct error err = { 0 };
	int fd = stream_and_socket(&server);
	char text[4] = "";
	size_t size;

	(void)state;
	assert_int_equal(write(fd, "STARTTLS\r\nRSET\r\n", 16), 16);
	run_until(&server.readable, 1);
	assert_string_equal(server.got, "STARTTLS\r\n");
	assert_int_equal(stream_start_tls(server.stream, serving, NULL, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "TLS: 6 octets came in plain before it began");
	/* Nothing has been done. */
	assert_null(stream_tls(server.stream));
	stream_input(server.stream, &size);
	assert_int_equal(size, 6);
	say(&server, "554");
	assert_int_equal(read(fd, text, 3), 3);
	assert_string_equal(text, "554");
	close(fd);
	end_free(&server);
}

/* The same towards a server, whose reply may have been made longer on the way. */
static void nothing_is_left_behind_a_reply(void **state)
{
	struct stream_end_of_it client = { .limit = 8 };
	struct error err = { 0 };
	int fd = stream_and_socket(&client);

	(void)state;
	assert_int_equal(write(fd, "220 go\r\n250 injected\r\n", 22), 22);
	run_until(&client.readable, 1);
	assert_int_equal(stream_start_tls(client.stream, any, NULL, &err), ERROR_REFUSED);
	close(fd);
	end_free(&client);
}

/* What is still on its way then is not a handshake. */
static void plain_text_is_no_handshake(void **state)
{
	struct stream_end_of_it server = { 0 };
	int fd = stream_and_socket(&server);

	(void)state;
	start_server(&server);
	assert_int_equal(write(fd, "MAIL FROM:<>\r\n", 14), 14);
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_FAILED);
	assert_string_equal(server.error, "wrong version number");
	assert_int_equal(server.readable, 0);
	assert_int_equal(server.secured, 0);
	assert_false(stream_write(server.stream, "x", 1));
	close(fd);
	end_free(&server);
}

static void only_once(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };
	struct error err;

	(void)state;
	tls_pair(&server, &client);
	assert_int_equal(stream_start_tls(server.stream, serving, NULL, &err), ERROR_REFUSED);
	end_free(&server);
	end_free(&client);
}

/* What was written for the inside of TLS does not go out if there is none. */
static void secrets_stay_inside(void **state)
{
	struct stream_end_of_it server = { 0 };
	char text[64];
	int fd = stream_and_socket(&server);

	(void)state;
	start_server(&server);
	say(&server, "235 secret");
	run_a_little();
	stream_close(&server.stream);
	run_a_little();
	assert_int_equal(read(fd, text, sizeof(text)), 0);
	close(fd);
	end_free(&server);
}

static void a_close_is_told_by_close_notify(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };

	(void)state;
	tls_pair(&server, &client);
	say(&server, "221 bye");
	stream_close(&server.stream);
	run_until_ended(&client);
	assert_int_equal(client.end, STREAM_EOF);
	assert_string_equal(client.got, "221 bye");
	end_free(&server);
	end_free(&client);
}

static void write_big_and_close(struct stream_end_of_it *end)
{
	char *data = calloc(1, BIG);

	assert_true(stream_write(end->stream, data, BIG));
	free(data);
	stream_close(&end->stream);
}

static void a_close_flushes(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };

	(void)state;
	tls_pair(&server, &client);
	write_big_and_close(&server);
	run_until_ended(&client);
	assert_int_equal(client.end, STREAM_EOF);
	assert_int_equal(client.size, BIG);
	end_free(&server);
	end_free(&client);
}

static void an_end_without_close_notify_is_a_cut(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };
	uv_os_fd_t fd;

	(void)state;
	tls_pair(&server, &client);
	say(&client, "half of the mess");
	assert_int_equal(uv_fileno((const uv_handle_t *)client.stream, &fd), 0);
	shutdown(fd, SHUT_WR);
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_CUT);
	assert_string_equal(server.got, "half of the mess");
	end_free(&server);
	end_free(&client);
}

static void a_reset_is_told(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };

	(void)state;
	tls_pair(&server, &client);
	stream_abort(&client.stream);
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_RESET);
	end_free(&server);
	end_free(&client);
}

/* The end, which came in the same segment, waits for the owner, who has not seen everything. */
static void the_end_waits_for_a_paused_owner(void **state)
{
	struct stream_end_of_it server = { .limit = 3, .once = true }, client = { 0 };

	(void)state;
	tls_pair(&server, &client);
	say(&client, "abcdef");
	stream_close(&client.stream);
	run_until(&server.readable, 1);
	run_a_little();
	assert_int_equal(server.ended, 0);
	server.limit = SIZE_MAX;
	server.once = false;
	stream_resume(server.stream);
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_EOF);
	assert_string_equal(server.got, "abcdef");
	end_free(&server);
	end_free(&client);
}

static void a_paused_owner_shakes_hands(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };

	(void)state;
	stream_pair(&server, &client);
	start_server(&server);
	start_client(&client, any, NULL);
	stream_pause(server.stream);
	stream_pause(client.stream);
	run_until(&client.secured, 1);
	say(&client, "abc");
	run_until(&server.secured, 1);
	run_a_little();
	assert_int_equal(server.readable, 0);
	stream_resume(server.stream);
	run_until_size(&server, 3);
	end_free(&server);
	end_free(&client);
}

static void close_it(struct stream_end_of_it *end)
{
	say(end, "bye");
	end->close = true;
}

static void closing_when_secured_is_allowed(void **state)
{
	struct stream_end_of_it server = { .on_secured = close_it }, client = { 0 };

	(void)state;
	stream_pair(&server, &client);
	start_server(&server);
	start_client(&client, any, NULL);
	say(&client, "early");
	run_until_ended(&client);
	assert_int_equal(client.end, STREAM_EOF);
	assert_string_equal(client.got, "bye");
	assert_int_equal(server.readable, 0);
	end_free(&server);
	end_free(&client);
}

struct trust {
	struct tls_client_options options;
	const char *name;
	const char *error; /* of the client; NULL: it trusts */
};

static void check_trust(const struct trust *trust)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };
	struct tls_context *context;
	struct error err = { 0 };

	if (tls_client_open(&trust->options, &context, &err))
		fail_msg("%s", err.text);
	stream_pair(&server, &client);
	start_server(&server);
	start_client(&client, context, trust->name);
	tls_unref(&context); /* the stream has its own reference */
	if (!trust->error) {
		run_until(&client.secured, 1);
		run_until(&server.secured, 1);
	} else {
		run_until_ended(&client);
		assert_int_equal(client.end, STREAM_FAILED);
		assert_string_equal(client.error, trust->error);
		assert_int_equal(client.secured, 0);
		run_until_ended(&server);
	}
	end_free(&server);
	end_free(&client);
}

static void a_client_looks_whom_it_talks_to(void **state)
{
	static char other[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const struct tls_client_options with_ca = { TLS_VERIFY_CA, ca_file, NULL };
	const struct tls_client_options with_system = { TLS_VERIFY_CA, NULL, NULL };
	const struct trust rows[] = {
		{ with_ca, "mx.example.org", NULL },
		{ with_ca, "MX.example.ORG", NULL },
		{ with_ca, "a.example.net", NULL },
		{ with_ca, "127.0.0.1", NULL },
		{ with_ca, "a.b.example.net", "hostname mismatch" },
		{ with_ca, "example.net", "hostname mismatch" },
		{ with_ca, "mx.example.com", "hostname mismatch" },
		{ with_ca, "mx", "hostname mismatch" }, /* the common name is not looked at */
		{ with_ca, "127.0.0.2", "IP address mismatch" },
		{ with_system, "mx.example.org", "unable to get local issuer certificate" },
		{ { TLS_VERIFY_FINGERPRINT, NULL, made.fingerprint }, "other.example", NULL },
		{ { TLS_VERIFY_FINGERPRINT, NULL, made.fingerprint }, NULL, NULL },
		{ { TLS_VERIFY_FINGERPRINT, NULL, other }, NULL, "certificate not trusted" },
		{ { TLS_VERIFY_NONE, NULL, NULL }, "other.example", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_trust(&rows[i]);
}

static void the_server_hears_of_distrust(void **state)
{
	const struct tls_client_options with_system = { TLS_VERIFY_CA, NULL, NULL };
	struct stream_end_of_it server = { 0 }, client = { 0 };
	struct tls_context *context;

	(void)state;
	assert_int_equal(tls_client_open(&with_system, &context, NULL), 0);
	stream_pair(&server, &client);
	start_server(&server);
	start_client(&client, context, "mx.example.org");
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_FAILED);
	assert_string_equal(server.error, "tlsv1 alert unknown ca");
	tls_unref(&context);
	end_free(&server);
	end_free(&client);
}

static void a_name_is_needed_to_check_it(void **state)
{
	const struct tls_client_options with_ca = { TLS_VERIFY_CA, ca_file, NULL };
	struct stream_end_of_it client = { 0 };
	struct tls_context *context;
	struct error err = { 0 };
	int fd = stream_and_socket(&client);

	(void)state;
	assert_int_equal(tls_client_open(&with_ca, &context, NULL), 0);
	assert_int_equal(stream_start_tls(client.stream, context, NULL, &err), ERROR_USAGE);
	tls_unref(&context);
	close(fd);
	end_free(&client);
}

#define IDLE 32

/* In a process of their own, so that only the servers' memory is counted here. */
static void run_clients(uint16_t port)
{
	static struct stream_end_of_it client[IDLE];

	uv_loop_init(&loop);
	for (unsigned int i = 0; i < IDLE; i++) {
		stream_to(&client[i], port);
		start_client(&client[i], any, "mx.example.org");
		say(&client[i], "EHLO x\r\n");
		run_until_size(&client[i], 7);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	_exit(0);
}

static void serve_one(int listening, struct stream_end_of_it *server)
{
	stream_from(listening, server);
	start_server(server);
	run_until_size(server, 8);
	say(server, "250 x\r\n");
}

/* With the session that owns it 16 KiB is the limit. Sanitizers count nothing. */
static void idle_streams_are_small(void **state)
{
	static struct stream_end_of_it server[IDLE + 1];
	uint16_t port;
	int listening = listen_loopback(&port);
	size_t before = 0;
	size_t each;
	pid_t child = fork();

	(void)state;
	if (!child)
		run_clients(port);
	for (unsigned int i = 0; i < IDLE; i++) {
		serve_one(listening, &server[i]);
		if (i == 0)
			before = mallinfo2().uordblks;
	}
	run_a_little();
	each = (mallinfo2().uordblks - before) / (IDLE - 1);
	print_message("             %zu octets\n", each);
	assert_true(each < 14800);
	for (unsigned int i = 0; i < IDLE; i++)
		end_free(&server[i]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(listening);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_ways, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_known_before, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(big_pieces_arrive_whole, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(input_is_bounded, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(the_reply_goes_out_in_plain, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_left_behind_starttls, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_left_behind_a_reply, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(plain_text_is_no_handshake, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(only_once, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(secrets_stay_inside, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(a_close_is_told_by_close_notify, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(a_close_flushes, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(an_end_without_close_notify_is_a_cut, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(a_reset_is_told, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(the_end_waits_for_a_paused_owner, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(a_paused_owner_shakes_hands, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(closing_when_secured_is_allowed, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(a_client_looks_whom_it_talks_to, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(the_server_hears_of_distrust, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(a_name_is_needed_to_check_it, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(idle_streams_are_small, loop_setup, loop_teardown),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
