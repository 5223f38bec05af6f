/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Implements tests/unit/dns_fixture.h.
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

#include "tests/unit/dns_fixture.h"

#define PATIENCE_MS 60000
#define PORT_TRIES  50
#define BACKLOG     16
#define RUNS        20
#define ADDRESS     0x7f000002u
#define HEADER      12
#define ARCOUNT_AT  11
#define KEPT        212992 /* octets; the kernel doubles it, and lets anybody have as much */

/* ---- scripts */

enum reaction script_found(struct fake *fake, const struct fake_question *question,
			   struct built *out)
{
	(void)fake;
	built_start(out, question->id, RCODE_OK, question->name, question->type);
	built_a(out, question->name, 300, ADDRESS);
	return REACTION_ANSWER;
}

enum reaction script_nxdomain(struct fake *fake, const struct fake_question *question,
			      struct built *out)
{
	(void)fake;
	built_start(out, question->id, RCODE_NXDOMAIN, question->name, question->type);
	built_soa(out, "", 300, 60);
	return REACTION_ANSWER;
}

enum reaction script_servfail(struct fake *fake, const struct fake_question *question,
			      struct built *out)
{
	(void)fake;
	built_start(out, question->id, RCODE_SERVFAIL, question->name, question->type);
	return REACTION_ANSWER;
}

enum reaction script_silent(struct fake *fake, const struct fake_question *question,
			    struct built *out)
{
	(void)fake;
	(void)question;
	(void)out;
	return REACTION_SILENT;
}

enum reaction script_hold(struct fake *fake, const struct fake_question *question,
			  struct built *out)
{
	(void)fake;
	(void)question;
	(void)out;
	return REACTION_HOLD;
}

/* ---- servers */

static void read_question(const uint8_t *octets, size_t size, struct fake_question *out)
{
	struct dns_name name = { .length = 0 };
	size_t at = HEADER;

	assert_true(size > HEADER + 5);
	out->id = (uint16_t)(octets[0] << 8 | octets[1]);
	out->edns = octets[ARCOUNT_AT] != 0;
	do {
		const size_t label = 1u + octets[at];

		assert_true(at + label + 4 <= size && name.length + label <= DNS_WIRE_NAME_MAX);
		memcpy(name.octet + name.length, octets + at, label);
		name.length = (uint8_t)(name.length + label);
		at += label;
	} while (octets[at]);
	name.octet[name.length++] = 0;
	assert_true(dns_name_format(&name, out->name));
	out->type = (uint16_t)(octets[at + 1] << 8 | octets[at + 2]);
}

static enum reaction react(struct fake *fake, const struct fake_question *question,
			   struct built *out)
{
	fake->seen++;
	fake->seen_tcp += question->tcp;
	memcpy(fake->last, question->name, sizeof(fake->last));
	return fake->script(fake, question, out);
}

static void send_udp(struct fake *fake, const struct built *built, const struct sockaddr *peer)
{
	const uv_buf_t buf = uv_buf_init((char *)built->octet, (unsigned int)built->size);

	assert_int_equal(uv_udp_try_send(&fake->udp, &buf, 1, peer), (int)built->size);
}

static void hold(struct fake *fake, const struct fake_question *question,
		 const struct sockaddr *peer)
{
	struct held *held = &fake->held[fake->held_count++];

	assert_true(fake->held_count <= HELD_MAX);
	held->question = *question;
	memcpy(&held->peer, peer, sizeof(held->peer));
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	static char octets[BUILT_MAX];

	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(octets, sizeof(octets));
}

static void on_udp(uv_udp_t *udp, ssize_t size, const uv_buf_t *buf, const struct sockaddr *peer,
		   unsigned int flags)
{
	static struct built built;
	struct fake *fake = udp->data;
	struct fake_question question = { .tcp = false };

	(void)flags;
	if (size <= 0)
		return;
	read_question((const uint8_t *)buf->base, (size_t)size, &question);
	switch (react(fake, &question, &built)) {
	case REACTION_ANSWER:
		send_udp(fake, &built, peer);
		break;
	case REACTION_HOLD:
		hold(fake, &question, peer);
		break;
	default:
		break;
	}
}

void fake_release(struct fake *fake)
{
	static struct built built;
	const size_t count = fake->held_count;

	fake->held_count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct held held = fake->held[i];
		const enum reaction reaction = fake->script(fake, &held.question, &built);

		if (reaction == REACTION_ANSWER)
			send_udp(fake, &built, (const struct sockaddr *)&held.peer);
		else if (reaction == REACTION_HOLD)
			fake->held[fake->held_count++] = held;
	}
}

/* A connection: what has come of a question, after its length. */
struct connection {
	uv_tcp_t tcp;
	struct fake *fake;
	size_t used;
	uint8_t octet[1024];
};

static void on_connection_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void send_tcp(struct connection *connection, const struct built *built)
{
	uint8_t length[2] = { (uint8_t)(built->size >> 8), (uint8_t)built->size };
	const uv_buf_t bufs[] = { uv_buf_init((char *)length, sizeof(length)),
				  uv_buf_init((char *)built->octet, (unsigned int)built->size) };

	/* The answer fits into the socket's buffer, so it goes at once. */
	assert_int_equal(uv_try_write((uv_stream_t *)&connection->tcp, bufs, 2),
			 (int)built->size + 2);
}

static void on_tcp(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
	static struct built built;
	struct connection *connection = stream->data;
	struct fake_question question = { .tcp = true };
	size_t length;

	if (size < 0) {
		uv_close((uv_handle_t *)stream, on_connection_closed);
		return;
	}
	assert_true((size_t)size <= sizeof(connection->octet) - connection->used);
	memcpy(connection->octet + connection->used, buf->base, (size_t)size);
	connection->used += (size_t)size;
	length = connection->used < 2
			 ? SIZE_MAX
			 : (size_t)(connection->octet[0] << 8 | connection->octet[1]) + 2;
	if (connection->used < length)
		return;
	read_question(connection->octet + 2, length - 2, &question);
	connection->used -= length;
	memmove(connection->octet, connection->octet + length, connection->used);
	if (react(connection->fake, &question, &built) == REACTION_ANSWER)
		send_tcp(connection, &built);
	else
		uv_close((uv_handle_t *)stream, on_connection_closed);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	assert_int_equal(status, 0);
	assert_non_null(connection);
	connection->fake = listener->data;
	uv_tcp_init(listener->loop, &connection->tcp);
	connection->tcp.data = connection;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&connection->tcp), 0);
	uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_tcp);
}

/*
 * Server and client share a thread: who is held up for a tenth of a second goes on as a client that
 * has waited long enough, before he reads as the server. Then there are two bursts in the buffer.
 */
static void keep_all(const struct fake *fake)
{
	const int kept = KEPT;
	int fd;

	assert_int_equal(uv_fileno((const uv_handle_t *)&fake->udp, &fd), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kept, sizeof(kept)), 0);
}

static bool try_port(struct fake *fake, uv_loop_t *loop)
{
	struct sockaddr_in address;
	int size = sizeof(address);

	uv_ip4_addr("127.0.0.1", fake->port, &address);
	uv_udp_init(loop, &fake->udp);
	uv_tcp_init(loop, &fake->tcp);
	fake->udp.data = fake->tcp.data = fake;
	if (uv_udp_bind(&fake->udp, (const struct sockaddr *)&address, 0) ||
	    uv_udp_getsockname(&fake->udp, (struct sockaddr *)&address, &size) ||
	    uv_tcp_bind(&fake->tcp, (const struct sockaddr *)&address, 0) ||
	    uv_listen((uv_stream_t *)&fake->tcp, BACKLOG, on_connection))
		return false;
	fake->port = ntohs(address.sin_port);
	keep_all(fake);
	uv_udp_recv_start(&fake->udp, on_alloc, on_udp);
	fake->listening = true;
	return true;
}

static void close_handles(struct dns_lab *lab, struct fake *fake)
{
	fake->listening = false;
	uv_close((uv_handle_t *)&fake->udp, NULL);
	uv_close((uv_handle_t *)&fake->tcp, NULL);
	dns_lab_some(lab);
}

/* A port that is free for UDP may be taken for TCP: then another one. */
void fake_listen(struct fake *fake)
{
	struct dns_lab *lab = fake->udp.data;

	for (int i = 0; i < PORT_TRIES; i++) {
		if (try_port(fake, &lab->loop))
			return;
		close_handles(lab, fake);
	}
	fail_msg("no port is free");
}

void fake_close(struct dns_lab *lab, struct fake *fake)
{
	close_handles(lab, fake);
	fake->udp.data = lab;
}

/* ---- the fixture */

static void on_patience(uv_timer_t *timer)
{
	struct dns_lab *lab = timer->data;

	lab->impatient = true;
}

int dns_lab_start(void **state)
{
	struct dns_lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	uv_loop_init(&lab->loop);
	uv_timer_init(&lab->loop, &lab->patience);
	lab->patience.data = lab;
	uv_timer_start(&lab->patience, on_patience, PATIENCE_MS, 0);
	for (size_t i = 0; i < FAKES; i++) {
		lab->fake[i].held = calloc(HELD_MAX, sizeof(struct held));
		assert_non_null(lab->fake[i].held);
		lab->fake[i].script = script_found;
		lab->fake[i].udp.data = lab;
		fake_listen(&lab->fake[i]);
	}
	assert_int_equal(dns_options_default(&lab->options, NULL), 0);
	lab->options.timeout = LONG_MS;
	lab->options.rewrites_suffix = NULL;
	*state = lab;
	return 0;
}

static void close_stray(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle,
			 handle->type == UV_TCP && handle->data ? on_connection_closed : NULL);
}

int dns_lab_stop(void **state)
{
	struct dns_lab *lab = *state;

	dns_resolver_close(&lab->resolver);
	for (size_t i = 0; i < FAKES; i++) {
		if (lab->fake[i].listening)
			fake_close(lab, &lab->fake[i]);
		free(lab->fake[i].held);
	}
	dns_lab_some(lab);
	/* Connections that the resolver has closed are not always read to the end yet. */
	uv_walk(&lab->loop, close_stray, NULL);
	uv_run(&lab->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&lab->loop), 0);
	free(lab);
	return 0;
}

void dns_lab_open(struct dns_lab *lab, size_t fakes)
{
	struct error err = { 0 };

	lab->options.server_count = fakes;
	for (size_t i = 0; i < fakes; i++)
		lab->options.server[i] =
			(struct dns_server_address){ .addr = addr_from_ipv4(INADDR_LOOPBACK),
						     .port = lab->fake[i].port };
	if (dns_resolver_open(&lab->loop, &lab->options, &lab->resolver, &err))
		fail_msg("%s", err.text);
	lab->dns = dns_resolver_dns(lab->resolver);
}

struct dns_stats dns_lab_stats(const struct dns_lab *lab)
{
	struct dns_stats stats;

	dns_resolver_stats(lab->resolver, &stats);
	return stats;
}

void dns_lab_once(struct dns_lab *lab)
{
	uv_run(&lab->loop, UV_RUN_ONCE);
	if (lab->impatient)
		fail_msg("what was waited for did not happen");
}

void dns_lab_some(struct dns_lab *lab)
{
	for (int i = 0; i < RUNS; i++)
		uv_run(&lab->loop, UV_RUN_NOWAIT);
}

static void on_answer(const struct dns_answer *answer, void *arg)
{
	struct asked *asked = arg;

	asked->called++;
	asked->query = NULL;
	asked->answer = *answer;
	asked->answer.record = NULL;
	if (answer->count) {
		asked->first = answer->record[0];
		assert_true(answer->record[0].length < TEXT_KEPT);
		memcpy(asked->text, answer->record[0].text, answer->record[0].length + 1u);
	}
	if (asked->then)
		asked->then(asked);
}

void dns_lab_ask(struct dns_lab *lab, struct asked *asked, const char *name, enum dns_type type)
{
	const unsigned int before = asked->called;

	asked->lab = lab;
	asked->query = dns_ask(lab->dns, name, type, on_answer, asked);
	assert_non_null(asked->query);
	assert_int_equal(asked->called, before);
}

void dns_lab_ask_now(struct dns_lab *lab, struct asked *asked, const char *name, enum dns_type type)
{
	const unsigned int before = asked->called;

	dns_lab_ask(lab, asked, name, type);
	dns_lab_until(lab, asked->called == before + 1);
}

void dns_lab_cancel(struct asked *asked)
{
	dns_cancel(asked->lab->dns, &asked->query);
	assert_null(asked->query);
}
