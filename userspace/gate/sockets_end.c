/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/sockets_end.c - ends one socket: what the keeper does of gate/sockets.h. Needs
 * CAP_NET_ADMIN.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/internal.h"
#include "gate/sockets.h"

struct answer {
	struct nlmsghdr head;
	struct nlmsgerr body;
	char rest[256]; /* the request again, or an attribute */
};

/* Returns 0 or an errno value. */
static int destroy(int fd, const struct socket_name *name)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = SOCK_DESTROY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.body = { .sdiag_family = name->family,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = ~0u,
			  .id = name->id },
	};
	struct answer answer;

	if (send(fd, &request, sizeof(request), 0) != sizeof(request))
		return errno;
	if (recv(fd, &answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(answer.body)) ||
	    answer.head.nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -answer.body.error;
}

static bool is_nobody(const struct socket_name *name)
{
	const struct inet_diag_sockid none = { 0 };

	return !memcmp(&name->id, &none, sizeof(none));
}

int end_socket(struct gate *gate, const struct socket_name *name, struct error *err)
{
	const struct settings *settings = gate_kernel_settings(gate);
	const uint16_t port = ntohs(name->id.idiag_sport);
	int fd, failed;

	if ((name->family != AF_INET && name->family != AF_INET6) ||
	    (!is_nobody(name) && !settings->port[port]))
		return error_set(err, ERROR_REFUSED, "no socket on a protected port");
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "connections cannot be ended");
	failed = destroy(fd, name);
	close(fd);
	if (failed == EOPNOTSUPP)
		return error_set(err, ERROR_REFUSED,
				 "the kernel cannot end connections (CONFIG_INET_DIAG_DESTROY): "
				 "those of a source that is listed go on");
	if (failed && failed != ENOENT)
		return error_errno(err, ERROR_REFUSED, failed, "connections cannot be ended");
	return !failed;
}
