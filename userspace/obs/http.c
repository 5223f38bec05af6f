/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/http.c - see obs/http.h. Built on libmicrohttpd, which parses the requests.
 */
#include "obs/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "obs/metrics.h"

struct http {
	struct MHD_Daemon *daemon;
	http_page_cb page;
	void *arg;
};

#define PORT_TEXT_MAX 8
#define HTML_TYPE     "text/html; charset=utf-8"
#define TEXT_TYPE     "text/plain; charset=utf-8"

static char index_page[] = "<!DOCTYPE html><html lang=\"en\"><title>Postern</title>"
			   "<h1>Postern</h1><p><a href=\"/metrics\">/metrics</a></p></html>\n";
static char not_found[] = "not found: try /metrics\n";
static char not_allowed[] = "only GET and HEAD are answered\n";
static char no_page[] = "the counters cannot be read; the log says why\n";

/* Takes over `response`. */
static enum MHD_Result respond(struct MHD_Connection *connection, unsigned int status,
			       const char *type, struct MHD_Response *response)
{
	enum MHD_Result queued;

	if (!response)
		return MHD_NO; /* out of memory: the connection is closed */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	queued = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result respond_fixed(struct MHD_Connection *connection, unsigned int status,
				     const char *type, char *text)
{
	return respond(connection, status, type,
		       MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result respond_metrics(const struct http *http, struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	size_t size;
	char *text = http->page(http->arg, &size);

	if (!text)
		return respond_fixed(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, TEXT_TYPE,
				     no_page);
	response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(text);
	return respond(connection, MHD_HTTP_OK, METRICS_CONTENT_TYPE, response);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	static char begun;

	(void)version;
	(void)upload;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return respond_fixed(connection, MHD_HTTP_METHOD_NOT_ALLOWED, TEXT_TYPE,
				     not_allowed);
	/* The first call comes after the headers, the second when a body, if any, has arrived. */
	if (!*state) {
		*state = &begun;
		return MHD_YES;
	}
	*upload_size = 0;
	if (!strcmp(url, "/metrics"))
		return respond_metrics(arg, connection);
	if (!strcmp(url, "/"))
		return respond_fixed(connection, MHD_HTTP_OK, HTML_TYPE, index_page);
	return respond_fixed(connection, MHD_HTTP_NOT_FOUND, TEXT_TYPE, not_found);
}

static int bind_to(const struct addrinfo *found, int *fd, struct error *err)
{
	const int on = 1;
	int opened;

	opened = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
	if (opened < 0)
		return error_errno(err, ERROR_REFUSED, errno, "socket");
	setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(opened, found->ai_addr, found->ai_addrlen) || listen(opened, HTTP_BACKLOG)) {
		error_errno(err, ERROR_REFUSED, errno, "listen");
		close(opened);
		return ERROR_REFUSED;
	}
	*fd = opened;
	return 0;
}

int http_listen(const char *host, uint16_t port, int *fd, struct error *err)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	char service[PORT_TEXT_MAX];
	struct addrinfo *found;
	int failed;

	snprintf(service, sizeof(service), "%u", port);
	failed = getaddrinfo(host, service, &hints, &found);
	if (failed)
		return error_set(err, ERROR_REFUSED, "metrics address %s port %u: %s", host, port,
				 gai_strerror(failed));
	failed = bind_to(found, fd, err);
	freeaddrinfo(found);
	return failed ? error_prefix(err, "metrics address %s port %u", host, port) : 0;
}

int http_open(struct http **out, int fd, http_page_cb page, void *arg, struct error *err)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return error_set(err, ERROR_REFUSED, "out of memory");
	http->page = page;
	http->arg = arg;
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, http,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, HTTP_TIMEOUT_S, MHD_OPTION_END);
	if (!http->daemon) {
		free(http);
		return error_set(err, ERROR_REFUSED, "the HTTP server for metrics does not start");
	}
	*out = http;
	return 0;
}

void http_close(struct http **http)
{
	if (!*http)
		return;
	MHD_stop_daemon((*http)->daemon);
	free(*http);
	*http = NULL;
}
