/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/listener.c - see loop/listener.h.
 *
 * Connections are accepted here and not by libuv, which, when descriptors are short, accepts and
 * drops whoever waits. Here they wait: for LISTENER_PAUSE_MS nothing is accepted, so a loop that
 * cannot take what it is woken for does not spin. LISTENER_ACCEPT_MAX of one event leave room for
 * the connections that are there already.
 */
#define _GNU_SOURCE /* accept4() */
#include "loop/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/proxy.h"
#include "loop/sockaddr.h"

/* A connection from a balancer, before its PROXY header. */
struct waiting {
	uv_timer_t timer; /* the first member: freed as such */
	struct stream *stream;
	struct listener *listener;
	struct addr balancer;
	struct waiting *next, **link;
};

struct listener {
	uv_poll_t poll;
	uv_timer_t pause;
	unsigned int handles; /* of these two that are open */
	struct listener_options options;
	struct waiting *waiting;
};

static void on_waiting_closed(uv_handle_t *handle)
{
	free(handle);
}

/* It is over, for better or worse; the stream is not touched. */
static void waiting_end(struct waiting *waiting)
{
	*waiting->link = waiting->next;
	if (waiting->next)
		waiting->next->link = waiting->link;
	uv_close((uv_handle_t *)&waiting->timer, on_waiting_closed);
}

static void waiting_refuse(struct waiting *waiting)
{
	stream_abort(&waiting->stream);
	waiting_end(waiting);
}

/* The same, and whoever wants to know is told. */
static void waiting_fail(struct waiting *waiting, const char *why)
{
	const struct listener_options *options = &waiting->listener->options;
	const struct addr balancer = waiting->balancer;

	waiting_refuse(waiting);
	if (options->unnamed)
		options->unnamed(&balancer, why, options->arg);
}

static void on_late(uv_timer_t *timer)
{
	waiting_fail((struct waiting *)timer, "no PROXY header came in time");
}

static void hand_over(struct waiting *waiting, const struct proxy_addresses *addresses)
{
	const struct listener_options *options = &waiting->listener->options;
	struct stream *stream = waiting->stream;

	waiting_end(waiting);
	options->accepted(stream, &addresses->source, addresses->source_port, &addresses->dest,
			  addresses->dest_port, options->arg);
}

static void on_header(struct stream *stream, void *arg)
{
	struct waiting *waiting = arg;
	struct proxy_addresses addresses;
	enum proxy_result result;
	size_t size, used;
	const uint8_t *input = stream_input(stream, &size);

	stream_peer(stream, &addresses.source, &addresses.source_port);
	stream_local(stream, &addresses.dest, &addresses.dest_port);
	result = proxy_read(input, size, &addresses, &used);
	if (result == PROXY_MORE)
		return;
	if (result == PROXY_BAD) {
		waiting_fail(waiting, "what it said is no PROXY header");
		return;
	}
	stream_take(stream, used);
	hand_over(waiting, &addresses);
}

static void on_ended(struct stream *stream, enum stream_end end, void *arg)
{
	size_t size;

	(void)end;
	stream_input(stream, &size);
	if (size)
		waiting_fail(arg, "the connection ended within the PROXY header");
	else
		waiting_refuse(arg);
}

static const struct stream_owner waiting_owner = { .readable = on_header, .ended = on_ended };

static void wait_for_header(struct listener *listener, struct stream *stream,
			    const struct addr *balancer)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting) {
		stream_abort(&stream);
		return;
	}
	waiting->stream = stream;
	waiting->listener = listener;
	waiting->balancer = *balancer;
	waiting->next = listener->waiting;
	waiting->link = &listener->waiting;
	if (waiting->next)
		waiting->next->link = &waiting->next;
	listener->waiting = waiting;
	uv_timer_init(listener->options.loop, &waiting->timer);
	uv_timer_start(&waiting->timer, on_late, LISTENER_PROXY_MS, 0);
	stream_give(stream, &waiting_owner, waiting);
}

static bool is_balancer(const struct listener *listener, const struct addr *addr)
{
	for (size_t i = 0; i < listener->options.balancers; i++)
		if (prefix_contains(&listener->options.balancer[i], addr))
			return true;
	return false;
}

static void local_address(int fd, struct addr *addr, uint16_t *port)
{
	struct sockaddr_storage name = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(name);

	if (getsockname(fd, (struct sockaddr *)&name, &size))
		name.ss_family = AF_UNSPEC;
	sockaddr_read(&name, addr, port);
}

/* False if it was for want of memory. */
static bool take_over(struct listener *listener, int fd, const struct sockaddr_storage *from)
{
	const struct listener_options *options = &listener->options;
	struct proxy_addresses addresses;
	struct stream *stream;

	sockaddr_read(from, &addresses.source, &addresses.source_port);
	local_address(fd, &addresses.dest, &addresses.dest_port);
	if (stream_accept(options->loop, fd, NULL, NULL, &stream, NULL))
		return false;
	if (is_balancer(listener, &addresses.source))
		wait_for_header(listener, stream, &addresses.source);
	else
		options->accepted(stream, &addresses.source, addresses.source_port, &addresses.dest,
				  addresses.dest_port, options->arg);
	return true;
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *pause)
{
	struct listener *listener = pause->data;

	uv_poll_start(&listener->poll, UV_READABLE, on_ready);
}

static void take_a_rest(struct listener *listener)
{
	const struct listener_options *options = &listener->options;
	const struct addr none = { { 0 } };

	uv_poll_stop(&listener->poll);
	uv_timer_start(&listener->pause, on_pause_over, LISTENER_PAUSE_MS, 0);
	options->accepted(NULL, &none, 0, &none, 0, options->arg);
}

static bool is_short(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/*
 * Other errors belong to the connection that would have been next (accept(2)). The callback may
 * close the listener.
 */
static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct listener *listener = poll->data;
	struct sockaddr_storage from;
	socklen_t size;
	int fd;

	(void)status;
	(void)events;
	for (unsigned int i = 0; i < LISTENER_ACCEPT_MAX && uv_is_active((uv_handle_t *)poll);
	     i++) {
		size = sizeof(from);
		fd = accept4(listener->options.fd, (struct sockaddr *)&from, &size,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (fd < 0 ? is_short(errno) : !take_over(listener, fd, &from))
			take_a_rest(listener);
	}
}

static int set_up(int fd, const struct addr *addr, uint16_t port, int shared)
{
	struct sockaddr_storage at;
	const socklen_t size = sockaddr_write(addr, port, &at);
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shared, sizeof(shared)))
		return -1;
	if (at.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)))
		return -1;
	return bind(fd, (const struct sockaddr *)&at, size);
}

static int make(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/*
 * Whether anybody else listens there. Postfix shares its ports, too (SO_REUSEPORT): part of the
 * connections would go past us, and nobody would be told.
 */
static int find_others(int family, const struct addr *addr, uint16_t port)
{
	const int fd = make(family);
	const int failed = fd < 0 || set_up(fd, addr, port, 0) ? errno : 0;

	if (fd >= 0)
		close(fd);
	return failed;
}

int listener_bind(const struct addr *addr, uint16_t port, unsigned int count, int *fd,
		  struct error *err)
{
	const int family = addr_is_ipv4(addr) ? AF_INET : AF_INET6;
	char text[PREFIX_TEXT_MAX];
	unsigned int made = 0;
	struct addr bound;
	int failed = port ? find_others(family, addr, port) : 0;

	while (made < count && !failed) {
		fd[made] = make(family);
		failed = fd[made] < 0 || set_up(fd[made], addr, port, 1) ? errno : 0;
		if (!failed)
			local_address(fd[made], &bound, &port);
		made += fd[made] >= 0;
	}
	if (!failed)
		return 0;
	while (made)
		close(fd[--made]);
	return error_errno(err, ERROR_REFUSED, failed, "listening at %s port %u",
			   addr_format(addr, text), port);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;

	if (--listener->handles)
		return;
	close(listener->options.fd);
	free(listener);
}

int listener_open(const struct listener_options *options, struct listener **out, struct error *err)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int failed;

	if (!listener) {
		close(options->fd);
		return error_set(err, ERROR_REFUSED, "listener: out of memory");
	}
	listener->options = *options;
	failed = listen(options->fd, LISTENER_BACKLOG) ? uv_translate_sys_error(errno) : 0;
	if (!failed)
		failed = uv_poll_init_socket(options->loop, &listener->poll, options->fd);
	if (failed) {
		close(options->fd);
		free(listener);
		return error_set(err, ERROR_REFUSED, "listener: %s", uv_strerror(failed));
	}
	uv_timer_init(options->loop, &listener->pause);
	listener->handles = 2;
	listener->poll.data = listener;
	listener->pause.data = listener;
	uv_poll_start(&listener->poll, UV_READABLE, on_ready);
	*out = listener;
	return 0;
}

/* The socket is shut at once: what the kernel would still take for it goes to the other workers. */
void listener_close(struct listener **listener)
{
	struct listener *gone = *listener;

	if (!gone)
		return;
	*listener = NULL;
	while (gone->waiting)
		waiting_refuse(gone->waiting);
	uv_poll_stop(&gone->poll);
	shutdown(gone->options.fd, SHUT_RD);
	uv_close((uv_handle_t *)&gone->poll, on_listener_closed);
	uv_close((uv_handle_t *)&gone->pause, on_listener_closed);
}
