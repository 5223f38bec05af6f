/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/run.c - runs a complete request: decides whether and where, then sends the answer.
 *
 * Commands that change something take turns in the order in which they came, so that one thread of
 * the pool is enough for any number of them and the others stay free for questions. Streams hold a
 * thread for as long as their peer reads, so there are few at a time.
 */
#include "ctl/client.h"

#include <string.h>

#include "lib/log.h"

#define POOL_FLAGS (CTL_MUTATES | CTL_POOL | CTL_STREAMS)

static void start(struct client *client);

static bool has_flag(const struct client *client, enum ctl_flags flag)
{
	return client->request.command && client->request.command->flags & flag;
}

static void answer(struct client *client)
{
	char *line = client->failure.code ? ctl_answer_error(&client->failure)
					  : ctl_answer_result(client->request.result);

	client_set_state(client, CLIENT_ANSWERING);
	client_send(client, line, line ? strlen(line) : 0, true);
}

/* Runs the handler, in whatever thread this is. */
static void handle(struct client *client)
{
	struct ctl_request *request = &client->request;
	int failed = request->command->handler(request, &client->failure);

	if (!failed && request->rows && !ctl_rows_flush(request->rows))
		failed = error_set(&client->failure, ERROR_REFUSED, "the rows cannot be sent");
	if (!failed && !request->result)
		failed = error_set(&client->failure, ERROR_REFUSED, "the answer cannot be made");
	client->failure.code = failed;
}

static void log_change(const struct client *client)
{
	const struct ctl_request *request = &client->request;

	if (client->failure.code)
		log_warning("control.refused", "{s:s, s:O, s:I, s:s}", "command",
			    request->command->name, "request", request->args, "uid",
			    (json_int_t)request->uid, "error", client->failure.text);
	else
		log_info("control.changed", "{s:s, s:O, s:I}", "command", request->command->name,
			 "request", request->args, "uid", (json_int_t)request->uid);
}

static void finish(struct client *client)
{
	if (has_flag(client, CTL_MUTATES))
		log_change(client);
	if (client->state == CLIENT_CLOSING)
		return;
	if (client->request.rows)
		run_send_rows(client);
	if (client->state != CLIENT_CLOSING)
		answer(client);
}

/* The next of those that want to change something. */
static void pass_turn(struct ctl_server *server)
{
	struct client *next = server->queue;

	server->turn = NULL;
	if (!next)
		return;
	server->queue = next->next_turn;
	if (!server->queue)
		server->queue_last = &server->queue;
	server->turn = next;
	start(next);
}

static void on_work(uv_work_t *work)
{
	handle(work->data);
}

static void on_work_done(uv_work_t *work, int status)
{
	struct client *client = work->data;
	struct ctl_server *server = client->server;

	(void)status;
	if (has_flag(client, CTL_STREAMS))
		server->streams--;
	if (server->turn == client)
		pass_turn(server);
	finish(client);
	client_release(client);
}

static void start(struct client *client)
{
	client_set_state(client, CLIENT_RUNNING);
	if (!(client->request.command->flags & POOL_FLAGS)) {
		handle(client);
		finish(client);
		return;
	}
	client->holds++;
	if (has_flag(client, CTL_STREAMS))
		client->server->streams++;
	uv_queue_work(client->server->loop, &client->work, on_work, on_work_done);
}

static void wake_loop(void *arg)
{
	uv_async_send(arg);
}

/* A long answer needs its rows; there may be too many of them already. */
static int prepare_stream(struct client *client)
{
	struct ctl_server *server = client->server;

	if (server->streams >= CTL_STREAMS_MAX)
		return error_set(&client->failure, ERROR_REFUSED,
				 "%d lists are being shown already: try again", CTL_STREAMS_MAX);
	return ctl_rows_open(&client->request.rows, wake_loop, &server->rows_ready,
			     &client->failure);
}

static void wait_for_turn(struct client *client)
{
	struct ctl_server *server = client->server;

	if (!server->turn) {
		server->turn = client;
		start(client);
		return;
	}
	client->next_turn = NULL;
	*server->queue_last = client;
	server->queue_last = &client->next_turn;
	client_set_state(client, CLIENT_QUEUED);
}

void run_request(struct client *client)
{
	client->request.context = client->server->context;
	if (client->failure.code || (has_flag(client, CTL_STREAMS) && prepare_stream(client)))
		answer(client);
	else if (has_flag(client, CTL_MUTATES))
		wait_for_turn(client);
	else
		start(client);
}

void run_abandon(struct client *client)
{
	struct ctl_server *server = client->server;
	struct client **link = &server->queue;

	if (client->request.rows)
		ctl_rows_abandon(client->request.rows);
	if (client->state != CLIENT_QUEUED)
		return;
	while (*link != client)
		link = &(*link)->next_turn;
	*link = client->next_turn;
	if (!*link)
		server->queue_last = link;
}

void run_forget(struct client *client)
{
	const uid_t uid = client->request.uid;

	client->server->payload_bytes -= client->payload_held;
	client->payload_held = 0;
	ctl_rows_close(&client->request.rows);
	ctl_request_clear(&client->request);
	client->request.uid = uid;
}

void run_send_rows(struct client *client)
{
	char *text;
	size_t size;

	while (client->state != CLIENT_CLOSING &&
	       (text = ctl_rows_take(client->request.rows, &size)))
		client_send(client, text, size, false);
}
