/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/records.c - what the log and the counters are told of sessions and messages.
 *
 * A line for each message, and for refusals, for what would have been one and for sessions as many
 * a second as events.rate says, so that a flood of strangers does not fill a disk; the counters
 * have them all.
 */
#include <jansson.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/lookup.h"
#include "lib/text.h"
#include "session/smtp/service_internal.h"

static const struct {
	const char *name, *help;
} refusals[SMTP_REFUSALS] = {
	[SMTP_REFUSED_REPUTATION] = { "reputation",
				      "it, or a name that it gave, is known for bad" },
	[SMTP_REFUSED_GREYLIST] = { "greylist",
				    "it comes for the first time, and shall come again" },
	[SMTP_REFUSED_EARLY] = { "early", "it did not wait for its turn" },
	[SMTP_REFUSED_RELAY] = { "relay",
				 "the recipient is not ours, and it may not send to others" },
	[SMTP_REFUSED_RECIPIENT] = { "recipient", "there is no such recipient" },
	[SMTP_REFUSED_SPF] = { "spf", "the sender's domain says by SPF that this is not its mail" },
	[SMTP_REFUSED_SENDER] = { "sender", "the sender's domain can take no answer" },
	[SMTP_REFUSED_HELO] = { "helo", "its HELO name is wrong, or does not exist" },
	[SMTP_REFUSED_RDNS] = { "rdns", "its address has no confirmed host name" },
	[SMTP_REFUSED_AUTH] = { "auth", "it may not log in so, or not send as that" },
	[SMTP_REFUSED_CONTENT] = { "content",
				   "the message is none that SMTP allows, or goes in a loop" },
	[SMTP_REFUSED_SIZE] = { "size", "the message is too large" },
	[SMTP_REFUSED_ERRORS] = { "errors", "too many commands failed, or brought nothing on" },
	[SMTP_REFUSED_TIME] = { "time", "it was too slow" },
	[SMTP_REFUSED_LOAD] = { "load", "there was no room" },
	[SMTP_REFUSED_BACKEND] = { "backend", "no mail server was there to take it" },
	[SMTP_REFUSED_LISTED] = { "listed", "its address is on a block list" },
	[SMTP_REFUSED_LIMIT] = { "limit", "it has too many connections, comes too often, or named "
					  "too many unknown recipients" },
};

const char *smtp_refusal_name(enum smtp_refusal refusal)
{
	return refusals[refusal].name;
}

static const char *const services[CONF_SERVICES] = { "mx", "submission", "submissions" };

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static bool take_line(struct smtp_service *service)
{
	if (!service->lines)
		return false;
	service->lines--;
	return true;
}

/*
 * What is the client's own doing, and not a mistake that anybody makes. Whom a mail says to be from
 * is not: anybody can write that, and who forwards mail has it from others.
 */
static bool is_offence(const struct session *session, enum smtp_refusal why)
{
	return why == SMTP_REFUSED_EARLY ||
	       (why == SMTP_REFUSED_REPUTATION && ruling_blames_client(session));
}

static void tell_guard(struct session *session, enum smtp_refusal why)
{
	struct verdict verdict = session->verdict;

	if (session->noted || session->exempt || !is_offence(session, why))
		return;
	session->noted = true;
	verdict.addr = session->peer;
	guard_client_note(session->service->parts.guard, &verdict, true);
}

static void keep_text(char out[REFUSAL_TEXT_SIZE], const char *text)
{
	if (text)
		text_clean(out, REFUSAL_TEXT_SIZE, text, strlen(text));
}

/* What refuses a recipient that is decided about; other refusals are by none of these. */
static enum check refused_by(const struct session *session)
{
	const struct smtp_mail *mail = session->mail;

	return mail && mail->to ? (enum check)mail->to->ruling.check : CHECK_CLIENT;
}

/* For `why ID`. */
static void keep(const struct session *session, enum smtp_refusal why, const char *detail,
		 const struct ruling_sum *sum)
{
	struct session_refusal refusal = { .id = session->id,
					   .source = session->peer,
					   .time = clock_wall(),
					   .score = sum->total,
					   .lists = sum->lists,
					   .findings = sum->findings,
					   .reason = refusals[why].name,
					   .help = refusals[why].help };

	keep_text(refusal.detail, detail);
	keep_text(refusal.helo, session->helo);
	keep_text(refusal.from, session->mail ? session->mail->from.text : NULL);
	keep_text(refusal.user, session->user);
	refusals_add(session->service->parts.refusals, &refusal);
}

static void record(struct session *session, enum smtp_refusal why, const char *detail)
{
	const struct ruling_sum sum = ruling_sum(session, refused_by(session));
	char text[PREFIX_TEXT_MAX], id[LOOKUP_ID_CHARS + 1];
	const struct smtp_mail *mail = session->mail;

	stat_add(&session->service->stats.refused[why], 1);
	session->told = true;
	keep(session, why, detail, &sum);
	if (!take_line(session->service))
		return;
	log_info("smtp.refused", "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "id",
		 lookup_id_format(session->id, id), "source", addr_format(&session->peer, text),
		 "reason", refusals[why].name, "detail", or_empty(detail), "helo",
		 or_empty(session->helo), "from", mail ? mail->from.text : "", "user",
		 or_empty(session->user), "score", (int)sum.total);
}

void record_refusal(struct session *session, enum smtp_refusal why, const char *detail)
{
	tell_guard(session, why);
	record(session, why, detail);
}

void record_ruling(struct session *session, enum conf_check action, enum smtp_refusal why,
		   const char *detail)
{
	if (action == CONF_CHECK_REJECT)
		tell_guard(session, why);
	record(session, why, detail);
}

void record_turned_away(struct session *session, const struct backend_reply *said)
{
	if (session->mail->turned_away)
		return;
	session->mail->turned_away = true;
	record_refusal(session, SMTP_REFUSED_BACKEND, said->text);
}

/* What would have ended the session is told of once in it, and so is what is seen before MAIL. */
static uint16_t *counted_in(struct session *session, enum check check)
{
	if (!session->mail || check == CHECK_PREGREET || check == CHECK_PIPELINING)
		return &session->watched;
	return &session->mail->watched;
}

static const char *recipient_of(const struct smtp_mail *mail)
{
	if (!mail)
		return "";
	return mail->to ? mail->to->to : mail_first(mail);
}

void record_watched(struct session *session, enum check check, enum conf_check would,
		    const char *detail)
{
	char text[PREFIX_TEXT_MAX], id[LOOKUP_ID_CHARS + 1];
	const struct smtp_mail *mail = session->mail;
	uint16_t *counted = counted_in(session, check);
	const uint16_t bit = (uint16_t)(1u << check);

	if ((session->watched | *counted) & bit)
		return;
	*counted |= bit;
	stat_add(&session->service->stats.watched[check], 1);
	if (!take_line(session->service))
		return;
	log_info("smtp.watched", "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "id",
		 lookup_id_format(session->id, id), "source", addr_format(&session->peer, text),
		 "check", check_name(check), "would",
		 would == CONF_CHECK_DEFER ? "defer" : "reject", "detail", or_empty(detail), "helo",
		 or_empty(session->helo), "from", mail ? mail->from.text : "", "to",
		 recipient_of(mail), "user", or_empty(session->user), "score",
		 (int)ruling_sum(session, check).total);
}

void record_all_watched(struct session *session, const struct ruling *ruling)
{
	char wait[GREYLISTING_TEXT_MAX];

	for (unsigned int i = CHECK_NONE + 1; i < CHECK_COUNT; i++) {
		if (!(ruling->watched & 1u << i))
			continue;
		if (i == CHECK_GREYLIST)
			record_watched(session, CHECK_GREYLIST, CONF_CHECK_DEFER,
				       greylisting_text(session->mail, wait));
		else
			record_watched(session, (enum check)i, CONF_CHECK_REJECT, NULL);
	}
}

void record_admitted(struct session *session, enum smtp_refusal why, const char *detail)
{
	char text[PREFIX_TEXT_MAX], id[LOOKUP_ID_CHARS + 1];

	stat_add(&session->service->stats.admission_watched, 1);
	if (take_line(session->service))
		log_info("smtp.admitted", "{s:s, s:s, s:s, s:s}", "id",
			 lookup_id_format(session->id, id), "source",
			 addr_format(&session->peer, text), "reason", refusals[why].name, "detail",
			 detail);
}

void record_balancer(struct smtp_service *service, const struct addr *from, const char *why)
{
	char text[PREFIX_TEXT_MAX];

	stat_add(&service->stats.balancer_errors, 1);
	if (take_line(service))
		log_warning("smtp.balancer", "{s:s, s:s}", "source", addr_format(from, text), "why",
			    why);
}

/* One that was refused and did nothing else has its line already. */
void record_session(struct session *session)
{
	char text[PREFIX_TEXT_MAX], id[LOOKUP_ID_CHARS + 1];

	if ((session->told && !session->messages) || !take_line(session->service))
		return;
	log_info("smtp.session", "{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:i, s:i, s:I}", "id",
		 lookup_id_format(session->id, id), "source", addr_format(&session->peer, text),
		 "service", services[session->kind], "helo", or_empty(session->helo), "host",
		 or_empty(session->host), "user", or_empty(session->user), "tls",
		 (int)session->secured, "messages", (int)session->messages, "errors",
		 (int)session->errors, "ms", (json_int_t)(service_now() - session->began));
}

void record_message(struct session *session, const struct backend_reply *said)
{
	char text[PREFIX_TEXT_MAX], id[LOOKUP_ID_CHARS + 1];
	const struct smtp_mail *mail = session->mail;

	log_info("smtp.message",
		 "{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:b, s:s, s:i, s:s, s:b, s:s, s:I}", "id",
		 lookup_id_format(session->id, id), "source", addr_format(&session->peer, text),
		 "helo", or_empty(session->helo), "from", mail->from.text, "to", mail_first(mail),
		 "recipients", (int)mail->accepted, "bytes", (json_int_t)mail->octets, "tls",
		 (int)session->secured, "user", or_empty(session->user), "code", (int)said->code,
		 "reply", said->text, "lost", (int)said->lost, "check",
		 check_name((enum check)mail->taken.check), "ms",
		 (json_int_t)(service_now() - mail->began));
}

void record_content(const struct session *session, const char *checker, enum content_answer answer,
		    enum content_answer done)
{
	static const char *const answers[] = {
		[CONTENT_ACCEPT] = "accept",
		[CONTENT_TAG] = "tag",
		[CONTENT_DEFER] = "defer",
		[CONTENT_REJECT] = "reject",
	};
	char text[PREFIX_TEXT_MAX], id[LOOKUP_ID_CHARS + 1];

	log_info("smtp.content", "{s:s, s:s, s:s, s:s, s:s, s:s}", "id",
		 lookup_id_format(session->id, id), "source", addr_format(&session->peer, text),
		 "from", session->mail->from.text, "checker", checker, "answer", answers[answer],
		 "done", answers[done]);
}

void record_content_field(const struct session *session, const char *checker)
{
	char id[LOOKUP_ID_CHARS + 1];

	log_error("smtp.content", "{s:s, s:s, s:s}", "id", lookup_id_format(session->id, id),
		  "checker", checker, "error", "what it calls a header field is none");
}
