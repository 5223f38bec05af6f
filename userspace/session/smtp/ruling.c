/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/ruling.c - what follows from what was found out: what is done, and because of what.
 *
 * Check, then ask, then act: here it is only asked. What the DNS could not tell is no finding
 * against anybody, so no ruling of it is a rejection (policy/score.h).
 */
#include "session/smtp/internal.h"

#define BIT(name) FINDING_BIT(FINDING_##name)

#define BAD_RDNS (BIT(RDNS_MISSING) | BIT(RDNS_UNCONFIRMED))
#define BAD_HELO                                                                                   \
	(BIT(HELO_SYNTAX) | BIT(HELO_BARE) | BIT(HELO_LITERAL_WRONG) | BIT(HELO_OWN) |             \
	 BIT(HELO_UNKNOWN))

bool ruling_refuses(const struct ruling *ruling)
{
	return ruling->action == CONF_CHECK_DEFER || ruling->action == CONF_CHECK_REJECT;
}

/* The strongest action counts; of those that are alike, the first. */
static void find(struct ruling *ruling, bool found, enum check check, enum conf_check action)
{
	if (found && action == CONF_CHECK_TAG)
		ruling->tags |= (uint16_t)(1u << check);
	if (!found || action <= ruling->action)
		return;
	ruling->check = (uint8_t)check;
	ruling->action = (uint8_t)action;
}

struct ruling ruling_of_client(const struct session *session)
{
	const struct conf *conf = session->rules->conf;
	struct ruling ruling = { CHECK_NONE, CONF_CHECK_OFF, 0 };

	if (!session->judged || !checks_wanted(session))
		return ruling;
	find(&ruling, session->verdict.decision == DECISION_REJECT, CHECK_CLIENT,
	     conf->check.score);
	find(&ruling, session->verdict.findings & BAD_RDNS, CHECK_RDNS, conf->check.rdns);
	return ruling;
}

static bool reaches(const struct session *session, int32_t points)
{
	const int32_t reject = session->rules->score.reject;

	return reject && points >= reject;
}

static bool is_rejected(const struct session *session, const struct smtp_mail *mail)
{
	const struct score_input input = {
		.findings = session->findings | mail->findings,
		.zones = (session->judged ? session->verdict.zones : 0) + session->points +
			 mail->points,
		.temporary = session->judged && session->verdict.temporary,
	};

	return score_decide(&session->rules->score, &input).decision == DECISION_REJECT;
}

struct ruling ruling_of_mail(struct session *session)
{
	const struct conf *conf = session->rules->conf;
	const struct smtp_mail *mail = session->mail;
	const finding_set found = mail->findings;
	struct ruling ruling = session->ruling;

	if (!checks_wanted(session))
		return (struct ruling){ CHECK_NONE, CONF_CHECK_OFF, 0 };
	find(&ruling, found & BIT(SPF_FAIL), CHECK_SPF, conf->check.spf);
	find(&ruling, found & BIT(SENDER_NULL_MX), CHECK_NULL_MX, conf->check.sender);
	find(&ruling, found & BIT(SENDER_MISSING), CHECK_SENDER, conf->check.sender);
	find(&ruling, reaches(session, mail->points) || reaches(session, session->points),
	     CHECK_LISTED, conf->check.dnsbl);
	find(&ruling, session->findings & BAD_HELO, CHECK_HELO, conf->check.helo);
	find(&ruling, session->findings & BAD_RDNS, CHECK_RDNS, conf->check.rdns);
	find(&ruling, is_rejected(session, mail), CHECK_SCORE, conf->check.score);
	if (conf->check.spf == CONF_CHECK_DEFER)
		find(&ruling, found & BIT(SPF_TEMPERROR), CHECK_SPF_TEMPORARY, CONF_CHECK_DEFER);
	return ruling;
}

const char *check_name(enum check check)
{
	static const char *const names[CHECK_COUNT] = {
		[CHECK_NONE] = "none",     [CHECK_CLIENT] = "client",
		[CHECK_RDNS] = "rdns",     [CHECK_HELO] = "helo",
		[CHECK_LISTED] = "dnsbl",  [CHECK_SPF] = "spf",
		[CHECK_SENDER] = "sender", [CHECK_SPF_TEMPORARY] = "spf-temporary",
		[CHECK_SCORE] = "score",   [CHECK_NULL_MX] = "null-mx",
	};

	return names[check];
}
