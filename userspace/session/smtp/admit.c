/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/admit.c - what the kernel does about a source at its SYN, for a client that a load
 * balancer names: lists, what was learned, and limits, in this order (bpf/gate.h); and what the
 * agent does about a connection of a source that is listed later (gate/sockets.h).
 */
#include <string.h>

#include "lib/lookup.h"
#include "session/smtp/internal.h"

/*
 * Whom the kernel knows by his own address it has let in, and counted; an attempt that counts twice
 * is one too many.
 */
static bool came_through_balancer(const struct session *session)
{
	struct addr seen;
	uint16_t port;

	stream_peer(session->stream, &seen, &port);
	return memcmp(&seen, &session->peer, sizeof(seen)) != 0;
}

/* At submissions it speaks TLS, or nothing. */
static bool says_nothing(struct session *session)
{
	if (session->kind != CONF_SERVICE_SUBMISSIONS)
		return false;
	session_enter(session, SESSION_ENDED);
	return true;
}

/* What it gets is no offence: it has not come to anything that could be one. */
static void refuse_listed(struct session *session, const char *list)
{
	record_refusal(session, SMTP_REFUSED_LISTED, list);
	if (says_nothing(session))
		return;
	reply_refusal(session, 554, "5.7.1", "your address is blocked here");
	session_enter(session, SESSION_REFUSED);
}

static void refuse_over_limit(struct session *session, enum reason reason)
{
	char id[LOOKUP_ID_CHARS + 1];
	const bool all = reason == REASON_CONN_TOTAL || reason == REASON_RATE_TOTAL;

	record_refusal(session, SMTP_REFUSED_LIMIT, admission_limit_name(reason));
	if (!says_nothing(session))
		reply_and_end(session, 421, all ? "4.3.2" : "4.7.0",
			      "%s: too many connections%s, try again later (lookup id %s)",
			      session->rules->hostname, all ? "" : " from you",
			      lookup_id_format(session->id, id));
}

/* Whether it is let in. A list in monitor mode is told of, and the limits decide. */
static bool pass_block(struct session *session, const struct guard_standing *standing, bool monitor)
{
	if (standing->watched || monitor)
		record_admitted(session, SMTP_REFUSED_LISTED, standing->list);
	else
		refuse_listed(session, standing->list);
	return standing->watched || monitor;
}

static bool pass_limits(struct session *session, const struct admission_rules *rules)
{
	struct admission *admission = service_parts(session->service)->admission;
	const enum reason reason =
		admission_enter(admission, rules, &session->peer, &session->admitted);

	if (reason == REASON_ACCEPTED)
		return true;
	if (rules->monitor)
		record_admitted(session, SMTP_REFUSED_LIMIT, admission_limit_name(reason));
	else
		refuse_over_limit(session, reason);
	return rules->monitor;
}

bool admit_client(struct session *session)
{
	const struct smtp_service_options *parts = service_parts(session->service);
	struct guard_standing standing;
	struct admission_rules rules;

	if (!parts->admission || !came_through_balancer(session))
		return true;
	guard_client_standing(parts->guard, &session->peer, &standing);
	if (standing.kind == GUARD_STANDING_ALLOWED)
		return true;
	admission_rules(&rules);
	if (standing.kind == GUARD_STANDING_BLOCKED &&
	    !pass_block(session, &standing, rules.monitor))
		return false;
	return pass_limits(session, &rules);
}

/* Whether a list says so: what was learned ends nobody who is there, as with the kernel. */
static bool is_listed(const struct session *session, struct guard_standing *standing)
{
	guard_client_standing(service_parts(session->service)->guard, &session->peer, standing);
	return standing->kind == GUARD_STANDING_BLOCKED && !standing->watched &&
	       strcmp(standing->list, LEARNED_LIST) != 0;
}

bool admit_end_listed(struct session *session)
{
	struct guard_standing standing;
	char id[LOOKUP_ID_CHARS + 1];

	/* Who was refused already has been told, and ends soon. */
	if (session->state == SESSION_REFUSED || session->state == SESSION_ENDED ||
	    !came_through_balancer(session) || !is_listed(session, &standing))
		return false;
	record_refusal(session, SMTP_REFUSED_LISTED, standing.list);
	if (session->state == SESSION_TLS)
		session_enter(session, SESSION_ENDED);
	else
		reply_and_end(session, 421, "4.7.1",
			      "%s: your address is blocked here (lookup id %s)",
			      session->rules->hostname, lookup_id_format(session->id, id));
	return true;
}
