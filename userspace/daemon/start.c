/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/start.c - opens the parts of the agent in order and closes them in the opposite order.
 *
 * The order is the table `steps`. The store's lock and the sockets come before anything that
 * another agent could notice, so a second start touches nothing. What needs root comes before the
 * privileges go; threads come after, because the keeper is forked and because every thread must
 * have lost them.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/doubt.h"
#include "ctl/socket.h"
#include "daemon/daemon.h"
#include "daemon/interfaces.h"
#include "gate/keeper.h"
#include "gate/open.h"
#include "gate/sockets.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "obs/names.h"
#include "version.h"

#define MIB ((size_t)1 << 20)

/* What the keeper must not forget, beside the control socket: the directory is there, and as short
 * lived as the kernel's settings are. */
#define KEPT_SUFFIX   ".keeper"
#define KEPT_PATH_MAX (CONF_SOCKET_MAX + sizeof(KEPT_SUFFIX))

struct step {
	int (*open)(struct daemon *daemon, struct error *err);
	void (*close)(struct daemon *daemon); /* NULL: nothing to close */
};

static int open_conf(struct daemon *daemon, struct error *err)
{
	int failed = conf_load(daemon->config_path, &daemon->started, err);

	if (!failed)
		failed = conf_copy(daemon->started, &daemon->file, err);
	if (failed) {
		conf_free(&daemon->started);
		return failed;
	}
	pthread_mutex_init(&daemon->reloading, NULL);
	log_set_level(daemon->file->log.level);
	return 0;
}

static void close_conf(struct daemon *daemon)
{
	pthread_mutex_destroy(&daemon->reloading);
	conf_free(&daemon->file);
	conf_free(&daemon->started);
}

static int find_account(struct daemon *daemon, struct error *err)
{
	return privilege_find(daemon->started, &daemon->account, err);
}

static void close_store(struct daemon *daemon)
{
	store_close(&daemon->store);
}

static int open_store(struct daemon *daemon, struct error *err)
{
	const char *directory = daemon->started->state_directory;
	int failed = store_open(&daemon->store, directory, daemon->started->store_size * MIB, err);

	if (failed)
		return failed;
	failed = privilege_give(directory, &daemon->account, err);
	if (failed)
		close_store(daemon);
	return failed;
}

static int open_gate(struct daemon *daemon, struct error *err)
{
	const struct conf *conf = daemon->started;
	const struct gate_options options = { .pin_directory = conf->pin_directory,
					      .capacity4 = conf->table.capacity_ipv4,
					      .capacity6 = conf->table.capacity_ipv6,
					      .meter_cells = conf->table.sources };

	return gate_open(&options, &daemon->gate, err);
}

static void close_gate(struct daemon *daemon)
{
	gate_close(&daemon->gate);
}

static int open_lists(struct daemon *daemon, struct error *err)
{
	return lists_open(&daemon->lists, daemon->store, daemon->gate, err);
}

static void close_lists(struct daemon *daemon)
{
	lists_close(&daemon->lists);
}

static int open_tuning(struct daemon *daemon, struct error *err)
{
	return tuning_open(&daemon->tuning, daemon->gate, daemon->lists, daemon->started, err);
}

static void close_tuning(struct daemon *daemon)
{
	tuning_close(&daemon->tuning);
}

static int open_events(struct daemon *daemon, struct error *err)
{
	int failed = event_log_open(&daemon->events, err);

	if (!failed)
		event_log_set_rate(daemon->events, daemon->started->events.rate);
	return failed;
}

static void close_events(struct daemon *daemon)
{
	event_log_close(&daemon->events);
}

static int open_control(struct daemon *daemon, struct error *err)
{
	const struct ctl_socket_owner owner = { .uid = daemon->account.uid,
						.gid = daemon->account.control_gid };

	return ctl_socket_open(daemon->started->control.socket, &owner, &daemon->control_fd, err);
}

static void close_control(struct daemon *daemon)
{
	ctl_socket_close(daemon->started->control.socket, &daemon->control_fd);
}

static int listen_metrics(struct daemon *daemon, struct error *err)
{
	const struct conf_listen *listen = &daemon->started->metrics.listen;

	daemon->metrics_fd = -1;
	return listen->port ? http_listen(listen->host, listen->port, &daemon->metrics_fd, err) : 0;
}

static void close_metrics(struct daemon *daemon)
{
	if (daemon->metrics_fd >= 0)
		close(daemon->metrics_fd);
}

static int bind_front(struct daemon *daemon, struct error *err)
{
	return front_bind(daemon->started, &daemon->account, &daemon->front, err);
}

static void close_front(struct daemon *daemon)
{
	front_close(&daemon->front);
}

/* The lists are published: the program of an earlier agent can be exchanged for this one's. */
static int adopt(struct daemon *daemon, struct error *err)
{
	int count = gate_adopt(daemon->gate, err);

	return count < 0 ? count : 0;
}

/* gate_close() ends it. */
static int start_keeper(struct daemon *daemon, struct error *err)
{
	char kept[KEPT_PATH_MAX];

	snprintf(kept, sizeof(kept), "%s" KEPT_SUFFIX, daemon->started->control.socket);
	return keeper_start(daemon->gate, kept, err);
}

static int drop_privileges(struct daemon *daemon, struct error *err)
{
	return privilege_drop(&daemon->account, err);
}

/* Its thread is the first one, so the privileges have gone. */
static int open_guard(struct daemon *daemon, struct error *err)
{
	const struct guard_options options = { .gate = daemon->gate,
					       .lists = daemon->lists,
					       .conf = daemon->started };

	return guard_open(&options, &daemon->guard, err);
}

static void close_guard(struct daemon *daemon)
{
	guard_close(&daemon->guard);
}

static int open_front(struct daemon *daemon, struct error *err)
{
	return front_open(daemon->front, daemon->started, daemon->guard, err);
}

static int attach_interfaces(struct daemon *daemon, struct error *err)
{
	struct attached attached;

	return interfaces_attach(daemon->gate, daemon->started, &attached, err);
}

static int look_at_ending(struct daemon *daemon, struct error *err)
{
	(void)err;
	gate_look_at_ending(daemon->gate);
	return 0;
}

static int serve_metrics(struct daemon *daemon, struct error *err)
{
	int failed;

	if (daemon->metrics_fd < 0)
		return 0;
	failed = http_open(&daemon->http, daemon->metrics_fd, daemon_metrics_page, daemon, err);
	if (!failed)
		daemon->metrics_fd = -1; /* the server's now */
	return failed;
}

static void stop_metrics(struct daemon *daemon)
{
	http_close(&daemon->http);
}

static int reload(void *daemon, json_t **result, struct error *err)
{
	return daemon_reload(daemon, result, err);
}

static bool view_smtp(void *daemon, struct smtp_view *out)
{
	return front_view(((struct daemon *)daemon)->front, out);
}

static void add_lookups(void *daemon, struct guard_stats *stats)
{
	front_add_lookups(((struct daemon *)daemon)->front, stats);
}

static int fill_agent(struct daemon *daemon, struct error *err)
{
	(void)err;
	daemon->agent = (struct ctl_agent){ .gate = daemon->gate,
					    .lists = daemon->lists,
					    .tuning = daemon->tuning,
					    .events = daemon->events,
					    .guard = daemon->guard,
					    .config_path = daemon->config_path,
					    .role = daemon->started->role,
					    .started_ns = clock_mono(),
					    .reload = reload,
					    .smtp = view_smtp,
					    .refusals = front_refusals(daemon->front),
					    .add_lookups = add_lookups,
					    .daemon = daemon };
	return 0;
}

static const struct step steps[] = {
	{ open_conf, close_conf },
	{ find_account, NULL },
	{ open_store, close_store },
	{ open_control, close_control },
	{ listen_metrics, close_metrics },
	{ bind_front, close_front },
	{ open_gate, close_gate },
	{ open_lists, close_lists },
	{ open_tuning, close_tuning },
	{ open_events, close_events },
	{ adopt, NULL },
	{ start_keeper, NULL },
	{ drop_privileges, NULL },
	{ open_guard, close_guard },
	{ fill_agent, NULL },
	{ look_at_ending, NULL },
	{ attach_interfaces, NULL },
	{ open_front, close_front },
	{ serve_metrics, stop_metrics },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void close_steps(struct daemon *daemon, size_t count)
{
	while (count-- > 0)
		if (steps[count].close)
			steps[count].close(daemon);
}

static void log_gate(const struct daemon *daemon)
{
	struct gate_sizes sizes;
	const char *why_not;
	const bool adopted = gate_adopted(daemon->gate, &why_not);

	gate_sizes(daemon->gate, &sizes);
	log_info("gate.opened", "{s:b, s:s?, s:I, s:I, s:I, s:I, s:I}", "adopted", (int)adopted,
		 "replaced_because", why_not, "entries4", (json_int_t)sizes.entries4, "capacity4",
		 (json_int_t)sizes.capacity4, "entries6", (json_int_t)sizes.entries6, "capacity6",
		 (json_int_t)sizes.capacity6, "bytes", (json_int_t)sizes.bytes);
}

static void log_lists(const struct daemon *daemon)
{
	struct list_info lists[LIST_SLOTS];
	int count = lists_all(daemon->lists, lists, NULL);

	for (int i = 0; i < count; i++)
		log_info("list.restored", "{s:s, s:s, s:I, s:I, s:b}", "list", lists[i].name,
			 "kind", list_kind_name(lists[i].kind), "ipv4", (json_int_t)lists[i].ipv4,
			 "ipv6", (json_int_t)lists[i].ipv6, "monitor",
			 (int)(lists[i].monitor != 0));
}

void daemon_log_doubts(const struct daemon *daemon)
{
	struct gate_interface interface[GATE_INTERFACES_MAX];
	struct conf_scope scope = conf_scope_now();
	const char *doubt[CONF_DOUBTS_MAX];
	size_t count;

	scope.role = daemon->started->role;
	scope.interfaces = gate_interfaces(daemon->gate, interface);
	count = conf_doubts(&scope, doubt);
	for (size_t i = 0; i < count; i++)
		log_warning("config.doubtful", "{s:s}", "warning", doubt[i]);
}

static void log_start(const struct daemon *daemon)
{
	const struct conf *conf = daemon->started;

	log_gate(daemon);
	log_lists(daemon);
	log_info("agent.started", "{s:s, s:i, s:s, s:s, s:s, s:b, s:I}", "version", POSTERN_VERSION,
		 "abi", (int)POSTERN_ABI_VERSION, "user", conf->user, "mode", role_name(conf->role),
		 "attach_mode", gate_mode_name(conf->mode), "monitor", (int)tuning_monitor(),
		 "interfaces", (json_int_t)conf->interfaces.count);
}

int daemon_start(struct daemon *daemon, const char *config_path, struct error *err)
{
	int failed = 0;
	size_t done;

	memset(daemon, 0, sizeof(*daemon));
	daemon->config_path = config_path;
	daemon->started_wall = clock_wall();
	for (done = 0; done < STEPS && !failed; done++)
		failed = steps[done].open(daemon, err);
	if (failed) {
		if (daemon->gate)
			gate_restore(daemon->gate);
		close_steps(daemon, done - 1);
		return failed;
	}
	log_start(daemon);
	daemon_log_doubts(daemon);
	return 0;
}

void daemon_stop(struct daemon *daemon)
{
	close_steps(daemon, STEPS);
}
