/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/http.h - the HTTP server for monitoring: GET /metrics, and an index at /.
 *
 * Called by the daemon. It runs in one thread of its own, reads nothing from its clients but the
 * request line and headers, and writes what a callback makes. There is no access control: the
 * address to listen on is the loopback unless the operator says otherwise.
 *
 * Limits: HTTP_CONNECTIONS_MAX connections, HTTP_MEMORY bytes for each, HTTP_TIMEOUT_S seconds of
 * silence.
 */
#ifndef POSTERN_OBS_HTTP_H
#define POSTERN_OBS_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define HTTP_CONNECTIONS_MAX 16
#define HTTP_MEMORY          (16u << 10)
#define HTTP_TIMEOUT_S       10u
#define HTTP_BACKLOG         16

struct http;

/* Makes the text of /metrics with malloc(); NULL if it cannot. Called in the server's thread. */
typedef char *(*http_page_cb)(void *arg, size_t *size);

/* Binds an address and listens: before privileges are dropped, without a thread. */
int http_listen(const char *host, uint16_t port, int *fd, struct error *err);

/* Starts serving on `fd`, which it takes over. */
int http_open(struct http **out, int fd, http_page_cb page, void *arg, struct error *err);
void http_close(struct http **http);

#endif
