/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/client.c - one control connection: reads lines and payloads, sends answers, minds the time.
 *
 * Called by libuv and by server.c; hands complete requests to run.c. A client owns its handles, its
 * frame and its request, and is freed when the last handle is closed and no handler runs for it.
 */
#define _GNU_SOURCE /* struct ucred */
#include "ctl/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/log.h"

/* A write that is under way. */
struct send {
	uv_write_t write;
	struct client *client;
	char *text;
	size_t size;
	bool last;
};

void client_release(struct client *client)
{
	struct ctl_server *server = client->server;
	struct client **link = &server->clients;

	if (--client->holds)
		return;
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	server->client_count--;
	run_forget(client);
	frame_close(&client->frame);
	free(client);
	/* The handlers of the last clients may have needed it until now. */
	if (server->stopping && !server->clients)
		uv_close((uv_handle_t *)&server->rows_ready, NULL);
	else if (server->unaccepted && !server->stopping)
		client_accept(server);
}

static void on_closed(uv_handle_t *handle)
{
	client_release(handle->data);
}

static void on_idle(uv_timer_t *timer)
{
	client_close(timer->data);
}

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *client = handle->data;
	size_t size;

	(void)suggested;
	buf->base = frame_space(&client->frame, &size);
	buf->len = size;
}

static void fail(struct client *client, bool hang_up)
{
	client->hang_up |= hang_up;
	run_request(client);
}

/* Decides whether a payload is kept; one that is refused is read all the same, to find its end. */
static void await_payload(struct client *client, size_t size)
{
	struct ctl_server *server = client->server;
	struct error err;
	bool discard;

	if (!client->failure.code && server->payload_bytes + size > CTL_PAYLOADS_MAX)
		error_set(&client->failure, ERROR_REFUSED,
			  "too many lists are being loaded at once: try again");
	discard = client->failure.code != 0;
	if (frame_expect(&client->frame, size, discard, &err)) {
		client->failure = err;
		fail(client, true);
		return;
	}
	if (!discard) {
		client->payload_held = size;
		server->payload_bytes += size;
	}
	client_set_state(client, CLIENT_RECEIVING);
}

static void take_line(struct client *client, const char *line, size_t len)
{
	struct ctl_sequel sequel;
	uid_t uid = client->request.uid;

	memset(&client->failure, 0, sizeof(client->failure));
	ctl_request_parse(client->server->table, line, len, &client->request, &sequel,
			  &client->failure);
	client->request.uid = uid;
	if (sequel.payload)
		await_payload(client, sequel.payload);
	else if (client->failure.code)
		fail(client, sequel.lost);
	else
		run_request(client);
}

static void take_payload(struct client *client)
{
	client->request.payload_size = client->frame.arrived;
	client->request.payload = frame_take_payload(&client->frame);
	run_request(client);
}

/* Takes what is complete, until a request is under way or more bytes are needed. */
static void advance(struct client *client)
{
	char *line;
	size_t len;

	while (client->state == CLIENT_READING || client->state == CLIENT_RECEIVING) {
		switch (frame_next(&client->frame, &line, &len)) {
		case FRAME_NOTHING:
			return;
		case FRAME_LINE:
			take_line(client, line, len);
			break;
		case FRAME_PAYLOAD:
			take_payload(client);
			break;
		case FRAME_TOO_LONG:
			error_set(&client->failure, ERROR_USAGE,
				  "a request line has at most %u bytes", FRAME_LINE_MAX);
			fail(client, true);
			break;
		}
	}
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct client *client = stream->data;

	(void)buf;
	if (count == 0) /* nothing yet */
		return;
	if (count < 0) {
		client_close(client);
		return;
	}
	uv_timer_again(&client->timer);
	frame_filled(&client->frame, (size_t)count);
	advance(client);
}

void client_set_state(struct client *client, enum client_state state)
{
	const uint64_t idle_ms = client->server->idle_ms;
	uv_stream_t *stream = (uv_stream_t *)&client->pipe;

	client->state = state;
	switch (state) {
	case CLIENT_READING:
	case CLIENT_RECEIVING:
		uv_read_start(stream, on_space, on_read);
		uv_timer_start(&client->timer, on_idle, idle_ms, idle_ms);
		break;
	case CLIENT_QUEUED:
	case CLIENT_RUNNING:
		uv_read_stop(stream);
		uv_timer_stop(&client->timer);
		break;
	case CLIENT_ANSWERING:
		uv_read_stop(stream);
		uv_timer_start(&client->timer, on_idle, idle_ms, idle_ms);
		break;
	case CLIENT_CLOSING:
		uv_close((uv_handle_t *)stream, on_closed);
		uv_close((uv_handle_t *)&client->timer, on_closed);
		break;
	}
}

void client_close(struct client *client)
{
	if (client->state == CLIENT_CLOSING)
		return;
	run_abandon(client);
	client_set_state(client, CLIENT_CLOSING);
}

/* The peer reads: it is not idle. A handler that is still at work has no time limit. */
static void mind_progress(struct client *client)
{
	if (client->state == CLIENT_RUNNING && !client->sends)
		uv_timer_stop(&client->timer);
	else
		uv_timer_again(&client->timer);
}

static void on_sent(uv_write_t *write, int status)
{
	struct send *send = write->data;
	struct client *client = send->client;
	bool last = send->last;

	if (client->request.rows && !last)
		ctl_rows_sent(client->request.rows, send->size);
	free(send->text);
	free(send);
	client->sends--;
	if (client->state == CLIENT_CLOSING)
		return;
	if (status < 0 || (last && client->hang_up)) {
		client_close(client);
		return;
	}
	mind_progress(client);
	if (last) {
		run_forget(client);
		client_set_state(client, CLIENT_READING);
		advance(client);
	}
}

void client_send(struct client *client, char *text, size_t size, bool last)
{
	const uint64_t idle_ms = client->server->idle_ms;
	struct send *send = text ? calloc(1, sizeof(*send)) : NULL;
	uv_buf_t buf = uv_buf_init(text, (unsigned int)size);

	if (!send) {
		free(text);
		client_close(client);
		return;
	}
	send->write.data = send;
	send->client = client;
	send->text = text;
	send->size = size;
	send->last = last;
	if (uv_write(&send->write, (uv_stream_t *)&client->pipe, &buf, 1, on_sent)) {
		free(text);
		free(send);
		client_close(client);
		return;
	}
	client->sends++;
	if (!uv_is_active((uv_handle_t *)&client->timer))
		uv_timer_start(&client->timer, on_idle, idle_ms, idle_ms);
}

static uid_t peer_uid(uv_pipe_t *pipe)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);
	uv_os_fd_t fd;

	if (!uv_fileno((uv_handle_t *)pipe, &fd))
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	return peer.uid;
}

/* Puts the client into the server's list; from here on only client_close() ends it. */
static void enlist(struct ctl_server *server, struct client *client)
{
	client->server = server;
	client->pipe.data = client;
	client->timer.data = client;
	client->work.data = client;
	client->holds = 2;
	client->next = server->clients;
	server->clients = client;
	server->client_count++;
	uv_pipe_init(server->loop, &client->pipe, 0);
	uv_timer_init(server->loop, &client->timer);
}

void client_accept(struct ctl_server *server)
{
	struct client *client = calloc(1, sizeof(*client));
	struct error err;

	/* libuv holds the connection, and those behind it, until it is accepted. */
	server->unaccepted = !client || frame_open(&client->frame, &err);
	if (server->unaccepted) {
		log_warning("control.delayed", "{s:s}", "error", "out of memory");
		free(client);
		return;
	}
	enlist(server, client);
	if (uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&client->pipe)) {
		client_close(client);
		return;
	}
	client->request.uid = peer_uid(&client->pipe);
	client_set_state(client, CLIENT_READING);
	if (server->client_count > CTL_CLIENTS_MAX) {
		error_set(&client->failure, ERROR_REFUSED, "%d connections are open already",
			  CTL_CLIENTS_MAX);
		fail(client, true);
	}
}
