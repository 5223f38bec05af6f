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
void ruling_find(struct ruling *ruling, bool found, enum check check, enum conf_check action)
{
	const uint16_t bit = (uint16_t)(1u << check);

	if (found && action == CONF_CHECK_TAG)
		ruling->tags |= bit;
	if (found && (action == CONF_CHECK_TAG || action == CONF_CHECK_MONITOR))
		ruling->watched |= bit;
	if (!found || action <= ruling->action)
		return;
	ruling->check = (uint8_t)check;
	ruling->action = (uint8_t)action;
}

void ruling_add(struct ruling *ruling, const struct ruling *more)
{
	ruling_find(ruling, true, (enum check)more->check, (enum conf_check)more->action);
	ruling->tags |= more->tags;
	ruling->watched |= more->watched;
}

/* The same with the action that `actions` have for it. */
static void find(struct ruling *ruling, bool found, enum check check,
		 const struct conf_actions *actions, enum conf_about about)
{
	ruling_find(ruling, found, check, (enum conf_check)actions->about[about]);
}

struct ruling ruling_of_client(const struct session *session, const struct conf_actions *actions)
{
	struct ruling ruling = { .check = CHECK_NONE, .action = CONF_CHECK_OFF };

	if (!session->judged || !checks_wanted(session))
		return ruling;
	find(&ruling, session->verdict.decision == DECISION_REJECT, CHECK_CLIENT, actions,
	     CONF_ABOUT_SCORE);
	find(&ruling, session->verdict.findings & BAD_RDNS, CHECK_RDNS, actions, CONF_ABOUT_RDNS);
	return ruling;
}

static bool reaches(const struct session *session, int32_t points)
{
	const int32_t reject = session->rules->score.reject;

	return reject && points >= reject;
}

/* Client and HELO name; and the sender, if `mail` is not NULL. */
static struct score_input input_of(const struct session *session, const struct smtp_mail *mail)
{
	const struct verdict none = { 0 };
	const struct verdict *verdict = session->judged ? &session->verdict : &none;
	struct score_input input = {
		.findings = session->findings,
		.zones = verdict->zones + session->points,
		.missing = verdict->missing + session->missing,
		.temporary = verdict->temporary,
	};

	if (mail) {
		input.findings |= mail->findings;
		input.zones += mail->points;
		input.missing += mail->missing;
	}
	return input;
}

enum decision ruling_decision(const struct session *session)
{
	const struct score_input input = input_of(session, session->mail);

	return score_decide(&session->rules->score, &input).decision;
}

bool ruling_blames_client(const struct session *session)
{
	const struct score_input input = input_of(session, NULL);

	return score_decide(&session->rules->score, &input).decision == DECISION_REJECT;
}

/* Greylisting goes by either (greylisting.c). */
struct ruling_sum ruling_sum(const struct session *session, enum check check)
{
	struct ruling_sum client = { 0 }, whole;
	struct score_input input;

	if (session->judged)
		client = (struct ruling_sum){ session->verdict.total, session->verdict.zones,
					      session->verdict.findings };
	if (!session->mail || (check != CHECK_SCORE && check != CHECK_GREYLIST))
		return client;
	input = input_of(session, session->mail);
	whole = (struct ruling_sum){ score_decide(&session->rules->score, &input).total,
				     input.zones, input.findings };
	return check == CHECK_GREYLIST && client.total > whole.total ? client : whole;
}

struct ruling ruling_of_mail(const struct session *session, const struct conf_actions *actions)
{
	const struct smtp_mail *mail = session->mail;
	const finding_set found = mail->findings;
	struct ruling ruling = ruling_of_client(session, actions);

	if (!checks_wanted(session))
		return ruling;
	find(&ruling, found & BIT(SPF_FAIL), CHECK_SPF, actions, CONF_ABOUT_SPF);
	find(&ruling, found & BIT(SENDER_NULL_MX), CHECK_NULL_MX, actions, CONF_ABOUT_SENDER);
	find(&ruling, found & BIT(SENDER_MISSING), CHECK_SENDER, actions, CONF_ABOUT_SENDER);
	find(&ruling,
	     reaches(session, mail->points + mail->missing) ||
		     reaches(session, session->points + session->missing),
	     CHECK_LISTED, actions, CONF_ABOUT_DNSBL);
	find(&ruling, session->findings & BAD_HELO, CHECK_HELO, actions, CONF_ABOUT_HELO);
	find(&ruling, session->findings & BAD_RDNS, CHECK_RDNS, actions, CONF_ABOUT_RDNS);
	find(&ruling, ruling_decision(session) == DECISION_REJECT, CHECK_SCORE, actions,
	     CONF_ABOUT_SCORE);
	if (actions->about[CONF_ABOUT_SPF] == CONF_CHECK_DEFER)
		ruling_find(&ruling, found & BIT(SPF_TEMPERROR), CHECK_SPF_TEMPORARY,
			    CONF_CHECK_DEFER);
	return ruling;
}

const char *check_name(enum check check)
{
	static const char *const names[CHECK_COUNT] = {
		[CHECK_NONE] = "none",         [CHECK_CLIENT] = "client",
		[CHECK_RDNS] = "rdns",         [CHECK_HELO] = "helo",
		[CHECK_LISTED] = "dnsbl",      [CHECK_SPF] = "spf",
		[CHECK_SENDER] = "sender",     [CHECK_SPF_TEMPORARY] = "spf-temporary",
		[CHECK_SCORE] = "score",       [CHECK_NULL_MX] = "null-mx",
		[CHECK_GREYLIST] = "greylist", [CHECK_PREGREET] = "pregreet",
		[CHECK_CONTENT] = "content",   [CHECK_PIPELINING] = "pipelining",
	};

	return names[check];
}
