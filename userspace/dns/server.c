/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/server.c - see dns/internal.h: one server, asked with c-ares.
 *
 * Each server has a channel of its own, and c-ares makes one try only: what is tried next, and
 * where, is decided in dns/question.c, which knows the health of all servers. c-ares does sockets,
 * identifiers, EDNS and the change to TCP after an answer that was truncated.
 *
 * A server is down after FAILURES_MAX tries in a row that nobody answered. It is then asked only if
 * nobody else is there, and probed, at once and at growing intervals, with a question that every
 * resolver knows the answer to: those that failed may have been chosen by a stranger, or belong to
 * one zone whose own servers are dead. Only a probe that fails, too, is reported.
 */
#include "dns/internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define FAILURES_MAX 3
#define PAUSE_MIN    1000u /* ms */
#define PAUSE_MAX    30000u
#define UDP_SIZE     1232 /* octets that pass without fragments: dnsflagday.net/2020 */
#define RECEIVE_SIZE                                                                               \
	1048576 /* octets of a socket's buffer; the kernel cuts it to net.core.rmem_max */
#define SERVER_FLAGS                                                                               \
	(ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS)

struct dns_socket {
	uv_poll_t poll;
	LIST_ENTRY(dns_socket) link;
	struct dns_server *server;
	ares_socket_t fd;
};

/* ---- sockets on the loop */

static void on_poll(uv_poll_t *poll, int status, int events)
{
	const struct dns_socket *sock = poll->data;
	const ares_socket_t fd = sock->fd;
	const bool failed = status < 0;

	/* The socket may be gone afterwards. */
	ares_process_fd(sock->server->channel,
			failed || events & UV_READABLE ? fd : ARES_SOCKET_BAD,
			failed || events & UV_WRITABLE ? fd : ARES_SOCKET_BAD);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct dns_socket *sock = handle->data;

	dns_resolver_handle_closed(sock->server->resolver);
	free(sock);
}

static struct dns_socket *socket_new(struct dns_server *server, ares_socket_t fd)
{
	struct dns_socket *sock = calloc(1, sizeof(*sock));

	/* A socket that cannot be watched is one that never answers. */
	if (!sock || uv_poll_init(server->resolver->loop, &sock->poll, fd)) {
		free(sock);
		return NULL;
	}
	sock->poll.data = sock;
	sock->server = server;
	sock->fd = fd;
	server->resolver->handles++;
	LIST_INSERT_HEAD(&server->sockets, sock, link);
	return sock;
}

static struct dns_socket *socket_of(struct dns_server *server, ares_socket_t fd)
{
	struct dns_socket *sock;

	LIST_FOREACH(sock, &server->sockets, link)
	if (sock->fd == fd)
		return sock;
	return NULL;
}

/* Called by c-ares when it begins or ends to wait for something; before it closes a socket, too. */
static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns_server *server = arg;
	struct dns_socket *sock = socket_of(server, fd);

	if (!readable && !writable) {
		if (sock) {
			LIST_REMOVE(sock, link);
			uv_close((uv_handle_t *)&sock->poll, on_poll_closed);
		}
		return;
	}
	if (!sock)
		sock = socket_new(server, fd);
	if (sock)
		uv_poll_start(&sock->poll,
			      (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_poll);
}

static int on_socket(ares_socket_t fd, int type, void *arg)
{
	struct dns_server *server = arg;

	(void)fd;
	if (type == SOCK_STREAM)
		dns_count(&server->resolver->stats.tcp, 1);
	return ARES_SUCCESS;
}

/* ---- opening and closing */

static void set_address(struct ares_addr_port_node *node, const struct dns_server_address *address)
{
	const bool ipv4 = addr_is_ipv4(&address->addr);
	const uint32_t four = htonl(addr_ipv4(&address->addr));

	*node = (struct ares_addr_port_node){ .family = ipv4 ? AF_INET : AF_INET6,
					      .udp_port = address->port,
					      .tcp_port = address->port };
	if (ipv4)
		memcpy(&node->addr.addr4, &four, sizeof(four));
	else
		memcpy(&node->addr.addr6, address->addr.byte, sizeof(address->addr.byte));
}

int dns_server_open(struct dns_server *server, struct dns_resolver *resolver,
		    const struct dns_server_address *address, struct error *err)
{
	struct in_addr nobody = { .s_addr = htonl(INADDR_LOOPBACK) };
	char lookups[] = "b";
	struct ares_options options = { .flags = SERVER_FLAGS,
					.timeout = (int)resolver->options.timeout,
					.tries = 1,
					.ednspsz = UDP_SIZE,
					.socket_receive_buffer_size = RECEIVE_SIZE,
					.servers = &nobody,
					.nservers = 1,
					.lookups = lookups,
					.sock_state_cb = on_socket_state,
					.sock_state_cb_data = server };
	const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
			 ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
			 ARES_OPT_SOCK_STATE_CB | ARES_OPT_SOCK_RCVBUF;
	struct ares_addr_port_node node;
	int status = ares_init_options(&server->channel, &options, mask);

	if (status != ARES_SUCCESS)
		return error_set(err, ERROR_REFUSED, "DNS: %s", ares_strerror(status));
	server->resolver = resolver;
	server->address = *address;
	server->pause = PAUSE_MIN;
	dns_tries_init(server);
	set_address(&node, address);
	status = ares_set_servers_ports(server->channel, &node);
	if (status != ARES_SUCCESS) {
		dns_server_close(server);
		return error_set(err, ERROR_REFUSED, "DNS: %s", ares_strerror(status));
	}
	ares_set_socket_callback(server->channel, on_socket, server);
	return 0;
}

void dns_server_close(struct dns_server *server)
{
	if (server->channel)
		ares_destroy(server->channel);
	server->channel = NULL;
	dns_tries_drop(server);
}

/* ---- health */

static void log_health(const struct dns_server *server, const char *state)
{
	char text[PREFIX_TEXT_MAX];

	log_warning("dns.server", "{s:s, s:i, s:s}", "server",
		    addr_format(&server->address.addr, text), "port", server->address.port, "state",
		    state);
}

/* What an operator has to know: that a server is down, and that it is not any more. */
static void report(struct dns_server *server, bool down)
{
	if (server->reported == down)
		return;
	server->reported = down;
	dns_count(&server->resolver->stats.servers_down, down ? 1 : -1);
	if (down)
		dns_count(&server->resolver->stats.failovers, 1);
	log_health(server, down ? "down" : "up");
}

/* A probe shows that the server is there, not that it can answer: one failure more, and it is down
 * again, for longer. */
void dns_server_alive(struct dns_server *server, bool probe)
{
	server->failures = 0;
	if (!probe)
		server->pause = PAUSE_MIN;
	if (!server->down)
		return;
	server->failures = probe ? FAILURES_MAX - 1 : 0;
	server->down = false;
	report(server, false);
}

static bool is_another_up(const struct dns_server *server)
{
	const struct dns_resolver *resolver = server->resolver;

	for (size_t i = 0; i < resolver->options.server_count; i++)
		if (&resolver->server[i] != server && !resolver->server[i].down)
			return true;
	return false;
}

void dns_server_silent(struct dns_server *server)
{
	if (++server->failures < FAILURES_MAX)
		return;
	server->failures = FAILURES_MAX;
	if (server->down)
		return;
	server->down = true;
	server->probe_at = uv_now(server->resolver->loop);
	dns_server_probe(server);
	if (is_another_up(server))
		dns_tries_give_up(server);
}

void dns_server_probed(struct dns_server *server, enum dns_outcome outcome,
		       struct dns_result *result, void *arg)
{
	(void)arg;
	dns_result_unref(result);
	server->probing = false;
	if (outcome == DNS_OUTCOME_SILENT)
		report(server, true);
	server->pause = server->pause * 2 < PAUSE_MAX ? server->pause * 2 : PAUSE_MAX;
	server->probe_at = uv_now(server->resolver->loop) + server->pause;
	if (outcome != DNS_OUTCOME_SILENT && outcome != DNS_OUTCOME_FAILED)
		dns_server_alive(server, true);
}

void dns_server_probe(struct dns_server *server)
{
	struct dns_name name;

	if (!server->down || server->probing || uv_now(server->resolver->loop) < server->probe_at)
		return;
	server->probing = true;
	dns_name_parse(DNS_PROBE_NAME, &name);
	dns_server_ask(server, &name, DNS_A, dns_server_probed, NULL);
}

/* c-ares reads before it looks at the time, so an answer that is there already is not too late,
 * however long the loop was busy with something else. */
void dns_server_tick(struct dns_server *server)
{
	const struct dns_socket *sock = LIST_FIRST(&server->sockets);

	ares_process_fd(server->channel, sock ? sock->fd : ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}
