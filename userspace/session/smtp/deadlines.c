/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/deadlines.c - the lists that sessions stand in, and what the clock does.
 *
 * No session has a timer. Sessions that wait for the same thing have the same time to do it, so
 * each list is in order, and a tick looks at the heads alone. A deadline is when a session began to
 * wait; how long it may is asked when the tick comes, so a reload that changes it leaves the order
 * as it is.
 */
#include <stdlib.h>

#include "lib/clock.h"
#include "session/smtp/service_internal.h"

#define TICKS_A_SECOND (MS_A_SECOND / SERVICE_TICK_MS)
#define VERDICT_MS     90000u /* more than any verdict takes */

uint64_t service_now(void)
{
	return clock_mono_ms();
}

/* ms that a session may wait */
static uint64_t time_for(const struct smtp_service *service, enum session_deadline deadline)
{
	const struct conf *conf = service->rules->conf;

	switch (deadline) {
	case DEADLINE_VERDICT:
		return VERDICT_MS;
	case DEADLINE_GREETING:
		return conf->smtp.greet_delay;
	case DEADLINE_SLOW:
		return SERVICE_SLOW_MS;
	case DEADLINE_COMMAND:
		return (uint64_t)conf->smtp.timeout_command * MS_A_SECOND;
	case DEADLINE_DATA:
		return (uint64_t)conf->smtp.timeout_data * MS_A_SECOND;
	case DEADLINE_CONTENT:
		return CONTENT_TIME_MS;
	case DEADLINE_TLS:
		return SERVICE_TLS_MS;
	case DEADLINE_REFUSED:
		return SERVICE_REFUSED_MS;
	default:
		return 0;
	}
}

static void leave_deadline(struct session *session)
{
	if (session->deadline != DEADLINE_NONE)
		TAILQ_REMOVE(&session->service->due[session->deadline], session, timed);
	session->deadline = DEADLINE_NONE;
}

void service_set_deadline(struct session *session, enum session_deadline deadline)
{
	leave_deadline(session);
	session->since = service_now();
	session->deadline = (uint8_t)deadline;
	if (deadline != DEADLINE_NONE)
		TAILQ_INSERT_TAIL(&session->service->due[deadline], session, timed);
}

/* They are few: those who have just failed to authenticate. */
void service_pause(struct session *session, uint32_t ms)
{
	struct session_list *list = &session->service->due[DEADLINE_PAUSE];
	struct session *before;

	leave_deadline(session);
	session->since = service_now() + ms;
	session->deadline = DEADLINE_PAUSE;
	before = TAILQ_LAST(list, session_list);
	while (before && before->since > session->since)
		before = TAILQ_PREV(before, session_list, timed);
	if (before)
		TAILQ_INSERT_AFTER(list, before, session, timed);
	else
		TAILQ_INSERT_HEAD(list, session, timed);
}

void service_add(struct session *session)
{
	struct smtp_service *service = session->service;

	TAILQ_INSERT_TAIL(&service->sessions, session, all);
	stat_add(&service->stats.open, 1);
	__atomic_add_fetch(service->parts.connections, 1, __ATOMIC_RELAXED);
}

void service_remove(struct session *session)
{
	struct smtp_service *service = session->service;

	leave_deadline(session);
	TAILQ_REMOVE(session->old ? &service->old : &service->sessions, session, all);
	TAILQ_INSERT_TAIL(&service->ended, session, all);
	stat_add(&service->stats.open, (uint64_t)-1);
	__atomic_sub_fetch(service->parts.connections, 1, __ATOMIC_RELAXED);
}

void service_retire(struct session *session)
{
	struct smtp_service *service = session->service;

	TAILQ_REMOVE(&service->sessions, session, all);
	TAILQ_INSERT_TAIL(&service->old, session, all);
	session->old = true;
	session_retire(session);
}

void service_free_ended(struct smtp_service *service)
{
	struct session *session;

	while ((session = TAILQ_FIRST(&service->ended))) {
		TAILQ_REMOVE(&service->ended, session, all);
		session_free(session);
	}
}

/* Each call takes the head out of its list. */
static void look_at_deadline(struct smtp_service *service, enum session_deadline deadline,
			     uint64_t now)
{
	const uint64_t time = time_for(service, deadline);
	struct session *session;

	while ((session = TAILQ_FIRST(&service->due[deadline])) && session->since + time <= now) {
		leave_deadline(session);
		session_deadline_passed(session, deadline);
	}
}

static void look_at_sessions(struct smtp_service *service, uint64_t now)
{
	const uint64_t time = (uint64_t)service->rules->conf->smtp.timeout_session * MS_A_SECOND;
	struct session *session;

	while ((session = TAILQ_FIRST(&service->sessions)) && session->began + time <= now)
		service_retire(session);
}

static void end_drain(struct smtp_service *service, uint64_t now)
{
	struct session *session;

	if (!service->draining || now < service->drain_until)
		return;
	while ((session = TAILQ_FIRST(&service->old)))
		reply_and_end(session, 421, "4.3.2", "%s is going down", session->rules->hostname);
}

void service_spf_add(struct smtp_mail *mail, uint64_t ms)
{
	mail->spf_due = service_now() + ms + 1;
	TAILQ_INSERT_TAIL(&mail->session->service->spf, mail, spf_order);
}

void service_spf_remove(struct smtp_mail *mail)
{
	if (mail->spf_due)
		TAILQ_REMOVE(&mail->session->service->spf, mail, spf_order);
	mail->spf_due = 0;
}

/* The budget of an evaluation of SPF; the DNS has a clock of its own, which may be a bit late. */
static void look_at_spf(struct smtp_service *service, uint64_t now)
{
	struct smtp_mail *mail;

	while ((mail = TAILQ_FIRST(&service->spf)) && mail->spf_due <= now) {
		service_spf_remove(mail);
		checks_spf_late(mail);
	}
}

void service_tick(struct smtp_service *service)
{
	const uint64_t now = service_now();

	for (unsigned int i = DEADLINE_NONE + 1; i < DEADLINES; i++)
		look_at_deadline(service, (enum session_deadline)i, now);
	look_at_sessions(service, now);
	look_at_spf(service, now);
	end_drain(service, now);
	service_free_ended(service);
	if (service->ticks++ % TICKS_A_SECOND == 0)
		service->lines = service->rules->conf->events.rate;
}
