/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check_probe.c - see tools/ctl_check_probe.h.
 */
#include "tools/ctl_check_probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LITERAL (PREFIX_TEXT_MAX + sizeof("[IPv6:]"))

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void close_handles(struct probe *probe)
{
	if (!probe->started)
		return;
	probe->started = false;
	close_handle((uv_handle_t *)&probe->tcp);
	close_handle((uv_handle_t *)&probe->timer);
}

/* Calls back if that was all. */
static void look_whether_over(struct probe *probe)
{
	if (!probe->talk.over || !probe->started)
		return;
	close_handles(probe);
	probe->cb(probe, probe->arg);
}

static void fail(struct probe *probe, int code)
{
	talk_end(&probe->talk, code == UV_EOF ? "the connection was closed" : uv_strerror(code));
	look_whether_over(probe);
}

/* The time */

static void connect_time_is_over(uv_timer_t *timer)
{
	struct probe *probe = timer->data;

	talk_end(&probe->talk, "no answer within 10 seconds");
	look_whether_over(probe);
}

static void quit_time_is_over(uv_timer_t *timer)
{
	struct probe *probe = timer->data;

	talk_end(&probe->talk, "");
	look_whether_over(probe);
}

/* The dialogue */

static void on_sent(uv_write_t *write, int code)
{
	struct probe *probe = write->data;

	probe->writing = false;
	if (code < 0 && code != UV_ECANCELED)
		fail(probe, code);
}

static void say(struct probe *probe)
{
	uv_buf_t buffer;
	int code;

	if (!*probe->talk.say || probe->talk.over)
		return;
	if (probe->writing) {
		talk_end(&probe->talk, "there is an answer before the command");
		return;
	}
	memcpy(probe->sent, probe->talk.say, sizeof(probe->sent));
	probe->talk.say[0] = '\0';
	if (probe->talk.step == TALK_QUIT)
		uv_timer_start(&probe->timer, quit_time_is_over, PROBE_QUIT_MS, 0);
	buffer = uv_buf_init(probe->sent, (unsigned int)strlen(probe->sent));
	probe->write.data = probe;
	code = uv_write(&probe->write, (uv_stream_t *)&probe->tcp, &buffer, 1, on_sent);
	probe->writing = code == 0;
	if (code < 0)
		talk_end(&probe->talk, uv_strerror(code));
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
	struct probe *probe = handle->data;

	(void)wanted;
	*out = uv_buf_init(probe->buffer, sizeof(probe->buffer));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct probe *probe = stream->data;

	if (size < 0) {
		fail(probe, (int)size);
		return;
	}
	talk_hear(&probe->talk, buffer->base, (size_t)size);
	say(probe);
	look_whether_over(probe);
}

/* The connection */

static void make_literal(struct probe *probe, char out[NAME_MAX_LITERAL])
{
	struct sockaddr_storage own = { 0 };
	char text[PREFIX_TEXT_MAX] = "";
	int length = sizeof(own);

	uv_tcp_getsockname(&probe->tcp, (struct sockaddr *)&own, &length);
	if (own.ss_family == AF_INET6)
		uv_ip6_name((struct sockaddr_in6 *)&own, text, sizeof(text));
	else
		uv_ip4_name((struct sockaddr_in *)&own, text, sizeof(text));
	snprintf(out, NAME_MAX_LITERAL, "[%s%s]", own.ss_family == AF_INET6 ? "IPv6:" : "", text);
}

static void on_connected(uv_connect_t *connect, int code)
{
	struct probe *probe = connect->data;
	char literal[NAME_MAX_LITERAL];

	if (code == UV_ECANCELED)
		return;
	uv_timer_stop(&probe->timer);
	if (code == 0)
		code = uv_read_start((uv_stream_t *)&probe->tcp, give_buffer, on_read);
	if (code < 0) {
		fail(probe, code);
		return;
	}
	make_literal(probe, literal);
	talk_begin(&probe->talk, probe->domain, probe->name ? probe->name : literal);
}

static int connect_to(struct probe *probe, const struct addr *addr)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(PROBE_PORT) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(PROBE_PORT) };
	const struct sockaddr *to = (const struct sockaddr *)&six;

	memcpy(&six.sin6_addr, addr->byte, sizeof(six.sin6_addr));
	if (addr_is_ipv4(addr)) {
		four.sin_addr.s_addr = htonl(addr_ipv4(addr));
		to = (const struct sockaddr *)&four;
	}
	return uv_tcp_connect(&probe->connect, &probe->tcp, to, on_connected);
}

void probe_start(struct probe *probe, uv_loop_t *loop, const struct addr *addr, const char *domain,
		 const char *name, probe_cb cb, void *arg)
{
	*probe = (struct probe){ .addr = *addr, .domain = domain, .name = name };
	probe->cb = cb;
	probe->arg = arg;
	probe->started = true;
	uv_tcp_init(loop, &probe->tcp);
	uv_timer_init(loop, &probe->timer);
	probe->tcp.data = probe->timer.data = probe->connect.data = probe;
	uv_timer_start(&probe->timer, connect_time_is_over, PROBE_CONNECT_MS, 0);
	const int code = connect_to(probe, addr);
	if (code < 0) {
		/* No way there, for example: told from the loop like everything else. */
		talk_end(&probe->talk, uv_strerror(code));
		uv_timer_start(&probe->timer, quit_time_is_over, 0, 0);
	}
}

void probe_stop(struct probe *probe, const char *why)
{
	talk_end(&probe->talk, why);
	close_handles(probe);
}
