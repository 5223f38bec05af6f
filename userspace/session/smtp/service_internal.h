/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/service_internal.h - a service, shared by service.c, deadlines.c and records.c.
 */
#ifndef POSTERN_SESSION_SMTP_SERVICE_INTERNAL_H
#define POSTERN_SESSION_SMTP_SERVICE_INTERNAL_H

#include "session/smtp/internal.h"

TAILQ_HEAD(session_list, session);
TAILQ_HEAD(spf_list, smtp_mail);

struct service_listener {
	struct smtp_service *service;
	unsigned int kind; /* enum conf_service */
	struct listener *listener;
};

struct smtp_service {
	struct smtp_service_options parts;
	struct session_rules *rules;    /* of sessions to come */
	struct conf_prefixes balancers; /* which the listeners borrow */
	struct own own;
	struct service_listener listener[CONF_LISTENERS_MAX];

	/* Every session is in one of the first three: in time, by their beginning; out of time, but
	 * with something under way; ended, and to be freed. */
	struct session_list sessions, old, ended;
	struct session_list due[DEADLINES];
	struct spf_list spf; /* by the end of their time */
	uv_timer_t tick;
	unsigned int ticks;
	uint32_t lines; /* of the log that may be written before the next second */
	bool draining;
	uint64_t drain_until; /* ms of service_now() */
	struct smtp_stats stats;
};

/* deadlines.c */
void service_free_ended(struct smtp_service *service);

/* records.c: a load balancer that did not say who its client is. */
void record_balancer(struct smtp_service *service, const struct addr *from, const char *why);

#endif
