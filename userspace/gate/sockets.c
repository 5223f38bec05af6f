/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/sockets.c - which connections are to be ended: see gate/sockets.h. Needs no privileges.
 *
 * First all of them are gathered and then ended, because the kernel's walk goes by the place of a
 * socket in a table that ending others changes. Budgets: SOCKETS_MAX sockets, WALK_SECONDS of
 * silence of the kernel.
 */
#include "gate/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/internal.h"
#include "lib/log.h"

#define WALK_SECONDS 2
#define ANSWER_BYTES 32768
#define FIRST_ROOM   256

/* Those that a peer can still say something on, or has asked for. */
#define STATES (1u << TCP_ESTABLISHED | 1u << TCP_SYN_RECV | 1u << TCP_CLOSE_WAIT)

struct walk {
	struct gate *gate;
	struct lists *lists;
	const struct prefix *within;
	struct socket_name *found;
	size_t count, room;
};

struct addr socket_peer(const struct socket_name *name)
{
	struct addr peer;

	if (name->family == AF_INET)
		return addr_from_ipv4(ntohl(name->id.idiag_dst[0]));
	memcpy(peer.byte, name->id.idiag_dst, sizeof(peer.byte));
	return peer;
}

static bool is_listed(const struct walk *walk, const struct socket_name *name)
{
	const struct settings *settings = gate_kernel_settings(walk->gate);
	const struct addr peer = socket_peer(name);

	return __atomic_load_n(&settings->port[ntohs(name->id.idiag_sport)], __ATOMIC_RELAXED) &&
	       (!walk->within || prefix_contains(walk->within, &peer)) &&
	       lists_stop(walk->lists, &peer);
}

static bool make_room(struct walk *walk)
{
	const size_t room = walk->room ? walk->room * 2 : FIRST_ROOM;
	struct socket_name *grown;

	if (walk->count < walk->room)
		return true;
	if (room > SOCKETS_MAX)
		return false;
	grown = realloc(walk->found, room * sizeof(*grown));
	if (!grown)
		return false;
	walk->found = grown;
	walk->room = room;
	return true;
}

static void gather(struct walk *walk, const struct nlmsghdr *message)
{
	const struct inet_diag_msg *socket = NLMSG_DATA(message);
	struct socket_name name;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*socket)))
		return;
	name = (struct socket_name){ .family = socket->idiag_family, .id = socket->id };
	if (is_listed(walk, &name) && make_room(walk))
		walk->found[walk->count++] = name;
}

static int ask_for(int fd, uint8_t family)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = family,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = STATES },
	};

	return send(fd, &request, sizeof(request), 0) == sizeof(request) ? 0 : -1;
}

/* Reads one part of the answer. Returns 1 if there is more, 0 at the end, -1 with errno set. */
static int read_part(struct walk *walk, int fd, void *answer)
{
	const ssize_t got = recv(fd, answer, ANSWER_BYTES, 0);
	size_t left = got > 0 ? (size_t)got : 0;

	if (got <= 0)
		return -1;
	for (struct nlmsghdr *at = answer; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
		if (at->nlmsg_type == NLMSG_DONE)
			return 0;
		if (at->nlmsg_type == NLMSG_ERROR) {
			errno = EPROTO;
			return -1;
		}
		gather(walk, at);
	}
	return 1;
}

static int walk_family(struct walk *walk, int fd, uint8_t family, void *answer)
{
	int more = ask_for(fd, family);

	if (!more)
		more = 1;
	while (more > 0)
		more = read_part(walk, fd, answer);
	return more;
}

static int walk_all(struct walk *walk)
{
	const struct timeval patience = { .tv_sec = WALK_SECONDS };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	void *answer = malloc(ANSWER_BYTES);
	int failed = fd < 0 || !answer;

	if (!failed)
		failed = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
			 walk_family(walk, fd, AF_INET, answer) ||
			 walk_family(walk, fd, AF_INET6, answer);
	free(answer);
	if (fd >= 0)
		close(fd);
	return failed;
}

/* What keeps connections from being ended is told once, and shown as long as it is so. */
static void note_failure(struct ending *ending, const char *why)
{
	bool news;

	pthread_mutex_lock(&ending->lock);
	news = *why && strcmp(ending->why, why) != 0;
	memccpy(ending->why, why, '\0', sizeof(ending->why));
	pthread_mutex_unlock(&ending->lock);
	if (news)
		log_warning("connections.stay", "{s:s}", "reason", why);
}

void gate_look_at_ending(struct gate *gate)
{
	const struct socket_name nobody = { .family = AF_INET };
	struct error err = { 0 };

	keeper_end_socket(gate, &nobody, &err);
	note_failure(&gate->ending, err.text);
}

void gate_ending_why_not(struct gate *gate, char out[ERROR_TEXT_MAX])
{
	pthread_mutex_lock(&gate->ending.lock);
	memcpy(out, gate->ending.why, ERROR_TEXT_MAX);
	pthread_mutex_unlock(&gate->ending.lock);
}

static uint32_t end_found(const struct walk *walk)
{
	struct error err = { 0 };
	uint32_t ended = 0;

	for (size_t i = 0; i < walk->count; i++) {
		const int result = keeper_end_socket(walk->gate, &walk->found[i], &err);

		if (result < 0)
			note_failure(&walk->gate->ending, err.text);
		else
			ended += (uint32_t)result;
	}
	return ended;
}

uint32_t gate_end_listed(struct gate *gate, struct lists *lists, const struct prefix *within)
{
	struct walk walk = { .gate = gate, .lists = lists, .within = within };
	char why[ERROR_TEXT_MAX];
	uint32_t ended;

	gate_look_at_ending(gate); /* what kept them from being ended may have passed */
	gate_ending_why_not(gate, why);
	if (*why || __atomic_load_n(&gate_kernel_settings(gate)->monitor, __ATOMIC_ACQUIRE))
		return 0;
	/* What was found before a failure is ended all the same. */
	if (walk_all(&walk))
		log_warning("connections.unseen", "{s:s}", "reason", strerror(errno));
	ended = end_found(&walk);
	free(walk.found);
	if (ended)
		log_info("connections.ended", "{s:I}", "connections", (json_int_t)ended);
	return ended;
}
