/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/greylisting.c - who has to come again later, at RCPT.
 *
 * The score decides who is asked to, and check.score what is done: no more than a temporary
 * refusal. The greylist is the guard's (policy/greylist.h). It is asked once for a transaction, and
 * only when nothing else refuses the recipient, so that a refused visit is no first one.
 */
#include <inttypes.h>
#include <stdio.h>

#include "session/smtp/internal.h"

/* Neither worse, which has another ruling, nor better. */
static bool has_its_score(const struct session *session)
{
	const enum decision whole = ruling_decision(session);

	if (whole == DECISION_REJECT)
		return false;
	return whole == DECISION_GREYLIST ||
	       (session->judged && session->verdict.decision == DECISION_GREYLIST);
}

/*
 * Of a bounce SPF says something of the HELO name only, which is one host's. Nor is anything proved
 * by a record that lets everybody pass: all hosts of a botnet would be one sender.
 */
static const char *proved_domain(const struct smtp_mail *mail)
{
	const struct spf_verdict *spf = mail->spf ? spf_verdict(mail->spf) : NULL;
	const bool proved = spf && spf->result == SPF_PASS && !spf->everybody;

	return proved && !mail->from.null ? mail->from.domain : NULL;
}

/* Seconds that the sender has to wait; 0: he may come. */
static uint32_t ask(struct session *session)
{
	const struct greylist_rules rules = greylist_rules_conf(session->rules->conf);
	struct smtp_mail *mail = session->mail;
	const struct greylist_key key = { session->peer, proved_domain(mail) };

	if (!mail->greylist_asked)
		mail->greylist_wait =
			guard_client_greylist(service_parts(session->service)->guard, &rules, &key)
				.wait;
	mail->greylist_asked = true;
	return mail->greylist_wait;
}

const char *greylisting_text(const struct smtp_mail *mail, char out[GREYLISTING_TEXT_MAX])
{
	snprintf(out, GREYLISTING_TEXT_MAX, "come again in %" PRIu32 " seconds",
		 mail->greylist_wait);
	return out;
}

void greylisting_find(struct session *session, const struct conf_actions *actions,
		      struct ruling *ruling)
{
	enum conf_check action = (enum conf_check)actions->about[CONF_ABOUT_SCORE];

	if (!session->rules->conf->greylist.enabled || action == CONF_CHECK_OFF ||
	    ruling_refuses(ruling) || !checks_wanted(session) || !has_its_score(session))
		return;
	if (!ask(session)) {
		stat_add(&service_stats(session->service)->greylist_passed, 1);
		return;
	}
	if (action > CONF_CHECK_DEFER)
		action = CONF_CHECK_DEFER;
	ruling_find(ruling, true, CHECK_GREYLIST, action);
}
