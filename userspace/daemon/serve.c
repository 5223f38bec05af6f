/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/serve.c - the agent's main loop: the control server, the clockwork and the signals.
 *
 * Everything here runs on one thread and none of it waits: what may wait (expiry, reload) is work
 * for libuv's pool. Events are read by the clock and not when they arrive, so that a flood of them
 * wakes the agent GATE_REFILLS times a second and no more.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/floods.h"
#include "daemon/interfaces.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "obs/names.h"
#include "obs/view.h"

#define SUMMARY_SECONDS 60u /* between two lines that say what was stopped */

struct serve {
	struct daemon *daemon;
	uv_loop_t loop;
	struct ctl_server *server;
	uv_timer_t refill; /* GATE_REFILLS times a second */
	uv_timer_t second;
	uv_signal_t terminate, interrupt, hang_up;
	uv_work_t expiry, reload, summary, cookies;
	bool expiring, reloading, summing, switching; /* that work is in the pool */
	int expired;                                  /* what the last batch of expiry came to */
	bool reload_again;                            /* a signal came meanwhile */
	struct flood_watch floods;
	bool cookies_needed; /* what the last switch was told */
	bool keeper_missed;
	bool stopping;
	unsigned int seconds; /* since the last summary */
	uint64_t stopped;     /* packets, at the last summary */
	uint64_t lost;        /* events, likewise */

	/* While events are read: what their numbers mean. */
	struct list_info lists[LIST_SLOTS];
	int list_count; /* -1 is not read yet */
	uint32_t ifindex;
	char iface[IF_NAMESIZE];
};

/* The names of lists and interfaces are looked up at most once a batch. */
static void on_event(const struct event *event, void *arg)
{
	struct serve *serve = arg;

	if (serve->list_count < 0) {
		serve->list_count = lists_all(serve->daemon->lists, serve->lists, NULL);
		if (serve->list_count < 0)
			serve->list_count = 0;
	}
	if (event->ifindex != serve->ifindex) {
		serve->ifindex = event->ifindex;
		if (!if_indextoname(event->ifindex, serve->iface))
			serve->iface[0] = '\0';
	}
	event_log_add(serve->daemon->events, event, serve->iface, serve->lists,
		      (size_t)serve->list_count);
}

static void follow_floods(uv_work_t *work)
{
	struct serve *serve = work->data;

	gate_cookies_follow(serve->daemon->gate, serve->cookies_needed);
}

static void on_followed(uv_work_t *work, int status)
{
	struct serve *serve = work->data;

	(void)status;
	serve->switching = false;
}

/* `again`: also if nothing has changed, because somebody else may have changed it. */
static void start_following(struct serve *serve, bool again)
{
	const bool needed = floods_need_cookies(&serve->floods);

	if (serve->switching || (!again && needed == serve->cookies_needed))
		return;
	serve->switching = true;
	serve->cookies_needed = needed;
	uv_queue_work(&serve->loop, &serve->cookies, follow_floods, on_followed);
}

static void on_refill(uv_timer_t *timer)
{
	struct serve *serve = timer->data;

	serve->list_count = -1;
	serve->ifindex = 0;
	serve->iface[0] = '\0';
	event_log_refill(serve->daemon->events, GATE_REFILLS);
	gate_events_read(serve->daemon->gate, on_event, serve);
	gate_budget_refill(serve->daemon->gate);
	floods_look(&serve->floods, serve->daemon->gate);
	start_following(serve, false);
}

static void expire_batch(uv_work_t *work)
{
	struct serve *serve = work->data;
	struct error err;

	interfaces_recover(serve->daemon->gate);
	serve->expired = lists_expire(serve->daemon->lists, &err);
	if (serve->expired < 0)
		log_warning("expiry.failed", "{s:s}", "error", err.text);
}

/* There may be more: come back at once, with a turn for others in between. */
static void on_batch_expired(uv_work_t *work, int status)
{
	struct serve *serve = work->data;

	(void)status;
	serve->expiring = serve->expired > 0 && !serve->stopping;
	if (serve->expiring)
		uv_queue_work(&serve->loop, &serve->expiry, expire_batch, on_batch_expired);
}

static void start_expiry(struct serve *serve)
{
	if (serve->expiring)
		return;
	serve->expiring = true;
	uv_queue_work(&serve->loop, &serve->expiry, expire_batch, on_batch_expired);
}

static uint64_t count_stopped(const struct view *view, unsigned int outcome)
{
	uint64_t packets = 0;

	for (unsigned int reason = 0; reason < REASON_COUNT; reason++)
		if (!strcmp(reason_kind_name(reason), reason_kind_name(REASON_LISTED)))
			packets += view_reason(view, reason, outcome).packets;
	return packets;
}

static void log_summary(struct serve *serve, const struct view *view)
{
	const uint64_t enforced = count_stopped(view, OUTCOME_ENFORCED);
	const uint64_t monitored = count_stopped(view, OUTCOME_MONITORED);
	const uint64_t lost = view->counters.health[HEALTH_EVENTS_LOST];

	if (enforced + monitored != serve->stopped)
		log_info("traffic.summary", "{s:I, s:I, s:I, s:I, s:I}", "stopped",
			 (json_int_t)enforced, "monitored", (json_int_t)monitored, "accepted",
			 (json_int_t)view_reason(view, REASON_ACCEPTED, OUTCOME_ENFORCED).packets,
			 "challenged",
			 (json_int_t)view_reason(view, REASON_CHALLENGED, OUTCOME_ENFORCED).packets,
			 "connections", (json_int_t)view->connections);
	if (lost != serve->lost)
		log_warning("events.lost", "{s:I}", "events", (json_int_t)(lost - serve->lost));
	serve->stopped = enforced + monitored;
	serve->lost = lost;
}

static void summarise(uv_work_t *work)
{
	struct serve *serve = work->data;
	struct view *view;

	if (view_open(serve->daemon->gate, serve->daemon->lists, &view, NULL))
		return;
	log_summary(serve, view);
	view_close(&view);
}

static void on_summarised(uv_work_t *work, int status)
{
	struct serve *serve = work->data;

	(void)status;
	serve->summing = false;
}

/* It does not come back, so it is told once. */
static void look_at_keeper(struct serve *serve)
{
	if (serve->keeper_missed || gate_keeper_up(serve->daemon->gate))
		return;
	serve->keeper_missed = true;
	log_error("keeper.ended", "{s:s}", "reason", GATE_WITHOUT_KEEPER);
}

static void on_second(uv_timer_t *timer)
{
	struct serve *serve = timer->data;

	look_at_keeper(serve);
	start_expiry(serve);
	start_following(serve, true);
	if (++serve->seconds < SUMMARY_SECONDS || serve->summing)
		return;
	serve->seconds = 0;
	serve->summing = true;
	uv_queue_work(&serve->loop, &serve->summary, summarise, on_summarised);
}

static void run_reload(uv_work_t *work)
{
	struct serve *serve = work->data;
	json_t *result = NULL;
	struct error err;

	if (daemon_reload(serve->daemon, &result, &err))
		log_error("config.refused", "{s:s}", "error", err.text);
	json_decref(result);
}

static void on_reloaded(uv_work_t *work, int status)
{
	struct serve *serve = work->data;

	(void)status;
	serve->reloading = serve->reload_again && !serve->stopping;
	serve->reload_again = false;
	if (serve->reloading)
		uv_queue_work(&serve->loop, &serve->reload, run_reload, on_reloaded);
}

static void on_hang_up(uv_signal_t *handle, int number)
{
	struct serve *serve = handle->data;

	(void)number;
	serve->reload_again = serve->reloading;
	if (serve->reloading)
		return;
	serve->reloading = true;
	uv_queue_work(&serve->loop, &serve->reload, run_reload, on_reloaded);
}

/* Closes every handle; the loop ends when the work in the pool has. */
static void on_end(uv_signal_t *handle, int number)
{
	struct serve *serve = handle->data;

	if (serve->stopping)
		return;
	serve->stopping = true;
	log_info("agent.stopping", "{s:s, s:s}", "signal", strsignal(number), "filtering",
		 "stays attached, as it is now");
	ctl_server_stop(serve->server);
	guard_hush(serve->daemon->guard); /* the loop ends when nobody waits for an answer */
	uv_close((uv_handle_t *)&serve->refill, NULL);
	uv_close((uv_handle_t *)&serve->second, NULL);
	uv_close((uv_handle_t *)&serve->terminate, NULL);
	uv_close((uv_handle_t *)&serve->interrupt, NULL);
	uv_close((uv_handle_t *)&serve->hang_up, NULL);
}

static void start_timer(struct serve *serve, uv_timer_t *timer, uv_timer_cb cb, unsigned int ms)
{
	uv_timer_init(&serve->loop, timer);
	timer->data = serve;
	uv_timer_start(timer, cb, 0, ms);
}

static void start_signal(struct serve *serve, uv_signal_t *handle, uv_signal_cb cb, int number)
{
	uv_signal_init(&serve->loop, handle);
	handle->data = serve;
	uv_signal_start(handle, cb, number);
}

static int start_server(struct serve *serve, struct error *err)
{
	const struct ctl_server_options options = { .loop = &serve->loop,
						    .fd = serve->daemon->control_fd,
						    .table = &ctl_commands,
						    .context = &serve->daemon->agent };

	return ctl_server_open(&options, &serve->server, err);
}

static void start_clockwork(struct serve *serve)
{
	serve->expiry.data = serve;
	serve->reload.data = serve;
	serve->summary.data = serve;
	serve->cookies.data = serve;
	start_timer(serve, &serve->refill, on_refill, MS_A_SECOND / GATE_REFILLS);
	start_timer(serve, &serve->second, on_second, MS_A_SECOND);
	start_signal(serve, &serve->terminate, on_end, SIGTERM);
	start_signal(serve, &serve->interrupt, on_end, SIGINT);
	start_signal(serve, &serve->hang_up, on_hang_up, SIGHUP);
}

int daemon_serve(struct daemon *daemon, struct error *err)
{
	struct serve serve = { .daemon = daemon };
	int failed = uv_loop_init(&serve.loop);

	if (failed)
		return error_set(err, ERROR_REFUSED, "event loop: %s", uv_strerror(failed));
	failed = start_server(&serve, err);
	if (!failed) {
		start_clockwork(&serve);
		log_info("agent.ready", "{s:i, s:s}", "pid", (int)getpid(), "control",
			 daemon->started->control.socket);
		uv_run(&serve.loop, UV_RUN_DEFAULT);
		ctl_server_close(&serve.server);
	}
	uv_loop_close(&serve.loop);
	return failed;
}
