/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/keeper.c - see gate/keeper.h. Without a keeper the calling process does what it is asked.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/internal.h"
#include "gate/keeper.h"
#include "gate/kept.h"
#include "lib/log.h"

enum keeper_task { KEEPER_ATTACH, KEEPER_DETACH, KEEPER_COOKIES, KEEPER_END_SOCKET };

struct keeper_request {
	enum keeper_task task;
	enum gate_mode mode;
	bool on;                   /* for KEEPER_COOKIES */
	struct socket_name socket; /* for KEEPER_END_SOCKET */
	char iface[IF_NAMESIZE];
};

struct keeper_reply {
	int result;
	struct error error;
	char detail[ERROR_TEXT_MAX];
	struct gate_interface interface;
};

struct keeper {
	int socket;
	pid_t pid;
	pthread_mutex_t turn; /* one request at a time */
};

static int carry_out(struct gate *gate, const struct keeper_request *request,
		     struct keeper_reply *reply)
{
	if (request->task == KEEPER_COOKIES)
		return cookies_switch(&gate->cookies.keeper, cookies_directory(gate), request->on,
				      &reply->error);
	if (request->task == KEEPER_END_SOCKET)
		return end_socket(gate, &request->socket, &reply->error);
	if (request->task == KEEPER_DETACH)
		return detach_interface(gate, request->iface, &reply->error);
	if (attach_interface(gate, request->iface, request->mode, reply->detail, &reply->error))
		return ERROR_REFUSED;
	return gate_find_interface(gate, request->iface, &reply->interface) ? 0 : ERROR_REFUSED;
}

/* Root's uid stays, for the pin directory; of its capabilities only these. */
static int keep_capabilities(void)
{
	static const cap_value_t kept[] = { CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN };
	const int count = sizeof(kept) / sizeof(kept[0]);
	cap_t caps = cap_init();
	int result;

	if (!caps)
		return -1;
	result = cap_set_flag(caps, CAP_PERMITTED, count, kept, CAP_SET) ||
		 cap_set_flag(caps, CAP_EFFECTIVE, count, kept, CAP_SET) || cap_set_proc(caps);
	cap_free(caps);
	return result;
}

static void __attribute__((noreturn)) keeper_main(struct gate *gate, int socket)
{
	struct keeper_request request;

	prctl(PR_SET_NAME, "postern-keeper");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	signal(SIGINT, SIG_IGN);  /* a terminal sends it to both; the agent decides */
	signal(SIGTERM, SIG_IGN); /* so does a service manager */
	signal(SIGHUP, SIG_IGN);
	if (keep_capabilities()) {
		log_error("keeper.failed", "{s:s}", "reason", "cannot give up capabilities");
		_exit(EXIT_FAILURE);
	}
	cookies_recover(gate);
	while (recv(socket, &request, sizeof(request), 0) == sizeof(request)) {
		struct keeper_reply reply = { 0 };

		request.iface[IF_NAMESIZE - 1] = '\0';
		reply.result = carry_out(gate, &request, &reply);
		if (send(socket, &reply, sizeof(reply), MSG_NOSIGNAL) != sizeof(reply))
			break;
	}
	cookies_end(gate);
	_exit(EXIT_SUCCESS);
}

static bool is_needed(const struct gate *gate, int fd, int socket)
{
	const struct kept *kept = gate->cookies.keeper.kept;

	if (fd <= STDERR_FILENO || fd == socket || (kept && fd == kept->fd))
		return true;
	for (int i = 0; i < GATE_MAP_COUNT; i++)
		if (gate->map[i].fd == fd)
			return true;
	return false;
}

/* Closes what the fork inherited but the gate and the log: above all the lock of the store. */
static void close_foreign(const struct gate *gate, int socket)
{
	const int highest = (int)sysconf(_SC_OPEN_MAX);
	const int budget = 65536; /* the agent has opened nothing beyond a few dozen yet */

	for (int fd = 0; fd < highest && fd < budget; fd++)
		if (!is_needed(gate, fd, socket))
			close(fd);
}

/* Both processes know the file after the fork; the agent forgets it. */
static void open_kept(struct gate *gate, struct kept *kept, const char *path)
{
	struct error err;

	if (!path)
		return;
	if (kept_open(kept, path, &err))
		log_warning("cookies.unkept", "{s:s}", "reason", err.text);
	else
		gate->cookies.keeper.kept = kept;
}

static void close_kept(struct gate *gate, struct kept *kept)
{
	if (gate->cookies.keeper.kept)
		kept_close(kept);
	gate->cookies.keeper.kept = NULL;
}

static pid_t fork_keeper(struct gate *gate, const int pair[2], const char *path)
{
	struct kept kept;
	pid_t pid;

	open_kept(gate, &kept, path);
	pid = fork();
	if (!pid) {
		close_foreign(gate, pair[1]);
		keeper_main(gate, pair[1]);
	}
	close_kept(gate, &kept);
	return pid;
}

int keeper_start(struct gate *gate, const char *kept, struct error *err)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int pair[2];

	if (!keeper)
		return error_set(err, ERROR_REFUSED, "out of memory");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		free(keeper);
		return error_errno(err, ERROR_REFUSED, errno, "cannot start the keeper");
	}
	keeper->pid = fork_keeper(gate, pair, kept);
	close(pair[1]);
	if (keeper->pid < 0) {
		error_errno(err, ERROR_REFUSED, errno, "cannot start the keeper");
		close(pair[0]);
		free(keeper);
		return ERROR_REFUSED;
	}
	keeper->socket = pair[0];
	pthread_mutex_init(&keeper->turn, NULL);
	gate->keeper = keeper;
	return 0;
}

void keeper_stop(struct gate *gate)
{
	struct keeper *keeper = gate->keeper;

	if (!keeper)
		return;
	close(keeper->socket);
	waitpid(keeper->pid, NULL, 0);
	pthread_mutex_destroy(&keeper->turn);
	free(keeper);
	gate->keeper = NULL;
}

/* The other end of the socket is the keeper's alone, so its end shows as a hang-up. */
bool gate_keeper_up(struct gate *gate)
{
	struct pollfd end = { .fd = gate->keeper ? gate->keeper->socket : -1 };

	return poll(&end, 1, 0) <= 0 || !(end.revents & (POLLHUP | POLLERR));
}

static int ask(struct gate *gate, struct keeper_request *request, const char *iface,
	       struct keeper_reply *reply, struct error *err)
{
	struct keeper *keeper = gate->keeper;
	bool done;

	memset(reply, 0, sizeof(*reply));
	if (strlen(iface) >= IF_NAMESIZE)
		return error_set(err, ERROR_REFUSED, "no interface %.64s", iface);
	memcpy(request->iface, iface, strlen(iface) + 1);
	if (!keeper) {
		reply->result = carry_out(gate, request, reply);
	} else {
		pthread_mutex_lock(&keeper->turn);
		done = send(keeper->socket, request, sizeof(*request), MSG_NOSIGNAL) ==
			       sizeof(*request) &&
		       recv(keeper->socket, reply, sizeof(*reply), 0) == sizeof(*reply);
		pthread_mutex_unlock(&keeper->turn);
		if (!done)
			return error_set(err, ERROR_REFUSED,
					 "the privileged helper has ended; restart posternd");
	}
	if (reply->result < 0 && err)
		*err = reply->error;
	return reply->result;
}

int gate_attach(struct gate *gate, const char *iface, enum gate_mode mode,
		char detail[ERROR_TEXT_MAX], struct error *err)
{
	struct keeper_request request = { .task = KEEPER_ATTACH, .mode = mode };
	struct keeper_reply reply;
	int result = ask(gate, &request, iface, &reply, err);

	if (result)
		return result;
	memcpy(detail, reply.detail, ERROR_TEXT_MAX);
	gate_note_interface(gate, iface, reply.interface.mode, reply.interface.shared,
			    reply.interface.program_id);
	return 0;
}

int gate_detach(struct gate *gate, const char *iface, struct error *err)
{
	struct keeper_request request = { .task = KEEPER_DETACH };
	struct gate_interface before;
	const bool known = gate_find_interface(gate, iface, &before);
	struct keeper_reply reply;
	int result;

	/* First, so that nobody takes it for one that has lost its program. */
	gate_forget_interface(gate, iface);
	result = ask(gate, &request, iface, &reply, err);
	if (result && known)
		gate_note_interface(gate, iface, before.mode, before.shared, before.program_id);
	return result;
}

int keeper_switch_cookies(struct gate *gate, bool on, struct error *err)
{
	struct keeper_request request = { .task = KEEPER_COOKIES, .on = on };
	struct keeper_reply reply;

	return ask(gate, &request, "", &reply, err);
}

int keeper_end_socket(struct gate *gate, const struct socket_name *name, struct error *err)
{
	struct keeper_request request = { .task = KEEPER_END_SOCKET, .socket = *name };
	struct keeper_reply reply;

	return ask(gate, &request, "", &reply, err);
}
