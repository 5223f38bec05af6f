/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_client.c - see tools/ctl_client.h.
 *
 * The socket does not block, so that nothing waits longer than it may: what waits is poll(). While
 * a payload is under way the link also listens, because the agent may refuse after the first line;
 * it then stops sending and reads why.
 *
 * `buffer` holds what has arrived: `start` to `end` is not yet taken, and of that the first
 * `scanned` bytes are known to hold no newline. It grows by doubling up to AGENT_LINE_MAX.
 */
#include "tools/ctl_client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_MIN (64u << 10)
#define PARTS    (1 + AGENT_PAYLOADS_MAX)

struct agent_link {
	int fd;
	int wait_ms;
	const volatile sig_atomic_t *interrupted;
	char *buffer;
	size_t capacity, start, end, scanned;
};

static int connect_fd(int fd, const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = AGENT_CONNECT_S };
	size_t length = strlen(path);
	int errnum;

	if (!length || length >= sizeof(address.sun_path))
		return error_set(err, ERROR_USAGE, "socket path '%s' is empty or too long", path);
	memcpy(address.sun_path, path, length + 1);
	/* A unix socket's connect() waits for a place in the listener's queue, within this limit.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	errnum = errno;
	error_errno(err, ERROR_UNREACHABLE, errnum, "the agent cannot be reached at %s", path);
	if (err && errnum == EACCES)
		strncat(err->text, " (be root, or in the group of the control socket)",
			sizeof(err->text) - strlen(err->text) - 1);
	else if (err && (errnum == ENOENT || errnum == ECONNREFUSED))
		strncat(err->text, " (is posternd running?)",
			sizeof(err->text) - strlen(err->text) - 1);
	return ERROR_UNREACHABLE;
}

int agent_link_open(struct agent_link **out, const char *path, struct error *err)
{
	struct agent_link *link = calloc(1, sizeof(*link));
	int code;

	if (!link)
		return error_set(err, ERROR_REFUSED, "out of memory");
	link->wait_ms = AGENT_WAIT_MS;
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		code = error_errno(err, ERROR_REFUSED, errno, "socket");
	else
		code = connect_fd(link->fd, path, err);
	if (code < 0) {
		agent_link_close(&link);
		return code;
	}
	*out = link;
	return 0;
}

void agent_link_close(struct agent_link **link)
{
	if (!*link)
		return;
	if ((*link)->fd >= 0)
		close((*link)->fd);
	free((*link)->buffer);
	free(*link);
	*link = NULL;
}

void agent_link_patience(struct agent_link *link, int wait_ms,
			 const volatile sig_atomic_t *interrupted)
{
	link->wait_ms = wait_ms;
	link->interrupted = interrupted;
}

/* Waits for one of `events`; returns what happened, or an error. */
static int wait_for(struct agent_link *link, short events, struct error *err)
{
	struct pollfd ready = { .fd = link->fd, .events = events };
	int count;

	do {
		if (link->interrupted && *link->interrupted)
			return error_set(err, ERROR_REFUSED, "interrupted");
		count = poll(&ready, 1, link->wait_ms);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return error_errno(err, ERROR_REFUSED, errno, "poll");
	if (count == 0)
		return error_set(err, ERROR_UNREACHABLE, "the agent did not answer within %d s",
				 link->wait_ms / 1000);
	return ready.revents;
}

/* Takes `sent` bytes off the front of the parts. */
static void advance(struct iovec parts[PARTS], size_t sent)
{
	for (int i = 0; i < PARTS; i++) {
		size_t taken = sent < parts[i].iov_len ? sent : parts[i].iov_len;

		parts[i].iov_base = (char *)parts[i].iov_base + taken;
		parts[i].iov_len -= taken;
		sent -= taken;
	}
}

static size_t bytes_left(const struct iovec parts[PARTS])
{
	size_t sum = 0;

	for (int i = 0; i < PARTS; i++)
		sum += parts[i].iov_len;
	return sum;
}

/* Sends the parts, until they are gone or the agent has something to say. */
static int send_parts(struct agent_link *link, struct iovec parts[PARTS], struct error *err)
{
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = PARTS };
	ssize_t sent;
	int events;

	while (bytes_left(parts)) {
		events = wait_for(link, POLLIN | POLLOUT, err);
		if (events < 0)
			return events;
		if (events & (POLLIN | POLLHUP | POLLERR))
			return 0; /* the answer, or the end: receiving tells */
		sent = sendmsg(link->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent >= 0)
			advance(parts, (size_t)sent);
		else if (errno == EPIPE || errno == ECONNRESET)
			return 0;
		else if (errno != EAGAIN && errno != EINTR)
			return error_errno(err, ERROR_UNREACHABLE, errno, "cannot ask the agent");
	}
	return 0;
}

static int send_question(struct agent_link *link, const struct agent_question *question,
			 struct error *err)
{
	char *text = json_dumps(question->request, JSON_COMPACT);
	struct iovec parts[PARTS] = { { 0 } };
	size_t length;
	int code;

	if (!text)
		return error_set(err, ERROR_REFUSED, "out of memory");
	length = strlen(text);
	if (length >= AGENT_REQUEST_MAX) {
		free(text);
		return error_set(err, ERROR_USAGE, "the request is longer than %u bytes",
				 AGENT_REQUEST_MAX);
	}
	text[length] = '\n'; /* in place of the NUL: the length is known */
	parts[0] = (struct iovec){ .iov_base = text, .iov_len = length + 1 };
	for (int i = 0; i < AGENT_PAYLOADS_MAX; i++)
		parts[1 + i] = (struct iovec){ .iov_base = (void *)question->payload[i].data,
					       .iov_len = question->payload[i].size };
	code = send_parts(link, parts, err);
	free(text);
	return code;
}

/* Room for at least READ_MIN bytes after `end`. */
static int make_room(struct agent_link *link, struct error *err)
{
	size_t capacity = link->capacity ? link->capacity : 2 * READ_MIN;
	char *grown;

	if (link->start) {
		memmove(link->buffer, link->buffer + link->start, link->end - link->start);
		link->end -= link->start;
		link->start = 0;
	}
	if (link->end >= AGENT_LINE_MAX)
		return error_set(err, ERROR_REFUSED,
				 "the agent's answer has a line of more than %u bytes",
				 AGENT_LINE_MAX);
	while (capacity < link->end + READ_MIN)
		capacity *= 2;
	if (capacity == link->capacity)
		return 0;
	grown = realloc(link->buffer, capacity);
	if (!grown)
		return error_set(err, ERROR_REFUSED, "out of memory");
	link->buffer = grown;
	link->capacity = capacity;
	return 0;
}

static int receive_more(struct agent_link *link, struct error *err)
{
	ssize_t got;
	int code = make_room(link, err);

	if (code < 0)
		return code;
	do {
		code = wait_for(link, POLLIN, err);
		if (code < 0)
			return code;
		got = recv(link->fd, link->buffer + link->end, link->capacity - link->end,
			   MSG_DONTWAIT);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got == 0 || (got < 0 && errno == ECONNRESET))
		return error_set(err, ERROR_UNREACHABLE,
				 "the agent closed the connection before it had answered");
	if (got < 0)
		return error_errno(err, ERROR_UNREACHABLE, errno, "cannot read the agent's answer");
	link->end += (size_t)got;
	return 0;
}

/* The next line, without its newline; it stays in the buffer until the next call. */
static int next_line(struct agent_link *link, const char **line, size_t *length, struct error *err)
{
	const char *from, *newline = NULL;
	int code;

	for (;;) {
		from = link->buffer + link->start;
		if (link->end > link->start + link->scanned)
			newline = memchr(from + link->scanned, '\n',
					 link->end - link->start - link->scanned);
		if (newline)
			break;
		link->scanned = link->end - link->start;
		code = receive_more(link, err);
		if (code < 0)
			return code;
	}
	*line = from;
	*length = (size_t)(newline - from);
	link->start += *length + 1;
	link->scanned = 0;
	return 0;
}

/* What the agent refuses keeps the agent's words; any other code than "usage" is a refusal. */
static int refusal(const json_t *answer, struct error *err)
{
	const char *text = json_string_value(json_object_get(answer, "error"));
	json_int_t code = json_integer_value(json_object_get(answer, "code"));

	return error_set(err, code == -ERROR_USAGE ? ERROR_USAGE : ERROR_REFUSED, "%s",
			 text && *text ? text : "the agent refused and did not say why");
}

/* Returns 1 and fills `result` for the final line, 0 for a row, or an error. */
static int take_line(const struct agent_question *question, json_t *line, json_t **result,
		     struct error *err)
{
	const json_t *row = json_object_get(line, "row"), *ok = json_object_get(line, "ok");
	json_t *answer;
	int code;

	if (row && question->row) {
		code = question->row(row, question->arg, err);
		return code < 0 ? code : 0;
	}
	if (json_is_false(ok))
		return refusal(line, err);
	answer = json_object_get(line, "result");
	if (!json_is_true(ok) || !json_is_object(answer))
		return error_set(err, ERROR_REFUSED,
				 "the agent's answer is neither a row nor a result");
	*result = json_incref(answer);
	return 1;
}

int agent_link_ask(struct agent_link *link, const struct agent_question *question, json_t **result,
		   struct error *err)
{
	const char *text;
	size_t length;
	json_error_t where;
	json_t *line;
	int code = send_question(link, question, err);

	while (code == 0) {
		code = next_line(link, &text, &length, err);
		if (code < 0)
			break;
		line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
		if (!line)
			return error_set(err, ERROR_REFUSED, "the agent's answer is not JSON (%s)",
					 where.text);
		code = take_line(question, line, result, err);
		json_decref(line);
	}
	return code < 0 ? code : 0;
}
