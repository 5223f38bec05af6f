/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/server.c - see ctl/server.h: listens, accepts and stops. What happens on a connection is in
 * ctl/client.c and ctl/run.c.
 */
#include <stdlib.h>
#include <unistd.h>

#include "ctl/client.h"
#include "lib/log.h"

static void on_connection(uv_stream_t *listener, int status)
{
	if (status < 0)
		log_warning("control.refused", "{s:s}", "error", uv_strerror(status));
	else
		client_accept(listener->data);
}

/* Some handler has rows: which one is found by asking them all, of whom there are few. */
static void on_rows_ready(uv_async_t *async)
{
	struct ctl_server *server = async->data;

	for (struct client *client = server->clients; client; client = client->next)
		if (client->request.rows && client->state == CLIENT_RUNNING)
			run_send_rows(client);
}

static int listen_on(struct ctl_server *server, int fd, struct error *err)
{
	int own = dup(fd);
	int failed;

	if (own < 0)
		return error_set(err, ERROR_REFUSED, "control socket: no more descriptors");
	failed = uv_pipe_open(&server->listener, own);
	if (failed) {
		close(own);
		return error_set(err, ERROR_REFUSED, "control socket: %s", uv_strerror(failed));
	}
	failed = uv_listen((uv_stream_t *)&server->listener, CTL_BACKLOG, on_connection);
	if (failed)
		return error_set(err, ERROR_REFUSED, "control socket: %s", uv_strerror(failed));
	return 0;
}

int ctl_server_open(const struct ctl_server_options *options, struct ctl_server **out,
		    struct error *err)
{
	struct ctl_server *server = calloc(1, sizeof(*server));
	int failed;

	if (!server)
		return error_set(err, ERROR_REFUSED, "out of memory");
	server->loop = options->loop;
	server->table = options->table;
	server->context = options->context;
	server->idle_ms = options->idle_ms ? options->idle_ms : CTL_IDLE_MS;
	server->queue_last = &server->queue;
	failed = uv_async_init(server->loop, &server->rows_ready, on_rows_ready);
	if (failed) {
		free(server);
		return error_set(err, ERROR_REFUSED, "control server: %s", uv_strerror(failed));
	}
	uv_pipe_init(server->loop, &server->listener, 0);
	server->rows_ready.data = server;
	server->listener.data = server;
	failed = listen_on(server, options->fd, err);
	if (failed) {
		ctl_server_stop(server);
		uv_run(server->loop, UV_RUN_NOWAIT);
		ctl_server_close(&server);
		return failed;
	}
	*out = server;
	return 0;
}

void ctl_server_stop(struct ctl_server *server)
{
	struct client *next;

	if (server->stopping)
		return;
	server->stopping = true;
	uv_close((uv_handle_t *)&server->listener, NULL);
	if (!server->clients)
		uv_close((uv_handle_t *)&server->rows_ready, NULL);
	for (struct client *client = server->clients; client; client = next) {
		next = client->next;
		client_close(client);
	}
}

void ctl_server_close(struct ctl_server **server)
{
	free(*server);
	*server = NULL;
}
