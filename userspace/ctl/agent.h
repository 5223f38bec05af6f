/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/agent.h - the agent as its commands see it: the context of every handler in the real table.
 *
 * Filled by the daemon before the server starts, and constant from then on; what it points to may
 * be used from any thread. Handlers borrow everything.
 */
#ifndef POSTERN_CTL_AGENT_H
#define POSTERN_CTL_AGENT_H

#include "ctl/command.h"
#include "gate/gate.h"
#include "gate/lists.h"
#include "gate/tuning.h"
#include "obs/events.h"
#include "obs/smtp.h"
#include "session/guard.h"

struct ctl_agent {
	struct gate *gate;
	struct lists *lists;
	struct tuning *tuning;
	struct event_log *events;
	struct guard *guard; /* NULL in tests that need none */
	const char *config_path;
	enum conf_role role; /* since the start: a reload does not change it */
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	/* Reads the configuration again and applies what it can; fills a new reference. */
	int (*reload)(void *daemon, json_t **result, struct error *err);
	/* All of the SMTP front; false if there is none. NULL in tests that need none. */
	bool (*smtp)(void *daemon, struct smtp_view *out);
	/* Sessions of clients that load balancers name: see gate_end_listed(). NULL likewise. */
	uint32_t (*end_listed)(void *daemon, const struct prefix *within);
	struct refusals *refusals; /* of the front; NULL if there is none */
	/* Adds what the front has looked up to what the guard has. NULL likewise. */
	void (*add_lookups)(void *daemon, struct guard_stats *stats);
	void *daemon;
};

static inline const struct ctl_agent *ctl_agent(const struct ctl_request *request)
{
	return request->context;
}

/*
 * After entries were added: ends what is listed by now, connections by the kernel and sessions
 * that came through load balancers, of those in `within`, or with NULL of all. Returns how many.
 */
uint32_t ctl_end_listed(const struct ctl_agent *agent, const struct prefix *within);

/* The handlers, one family of commands a file. */
int ctl_status(struct ctl_request *request, struct error *err); /* ctl_status.c */
int ctl_stats(struct ctl_request *request, struct error *err);
int ctl_top(struct ctl_request *request, struct error *err);
int ctl_attach(struct ctl_request *request, struct error *err); /* ctl_interfaces.c */
int ctl_detach(struct ctl_request *request, struct error *err);
int ctl_list_add(struct ctl_request *request, struct error *err); /* ctl_lists.c */
int ctl_list_del(struct ctl_request *request, struct error *err);
int ctl_list_clear(struct ctl_request *request, struct error *err);
int ctl_list_load(struct ctl_request *request, struct error *err);   /* ctl_load.c */
int ctl_list_test(struct ctl_request *request, struct error *err);   /* ctl_test.c */
int ctl_list_show(struct ctl_request *request, struct error *err);   /* ctl_show.c */
int ctl_limits_show(struct ctl_request *request, struct error *err); /* ctl_limits.c */
int ctl_limits_set(struct ctl_request *request, struct error *err);
int ctl_monitor(struct ctl_request *request, struct error *err);
int ctl_check_ip(struct ctl_request *request, struct error *err); /* ctl_reputation.c */
int ctl_why(struct ctl_request *request, struct error *err);      /* ctl_why.c */
int ctl_reload(struct ctl_request *request, struct error *err);   /* ctl_reload.c */

#endif
