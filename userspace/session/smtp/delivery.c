/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/delivery.c - a message: from the client into the spool, and on to the backend.
 *
 * Our fields go first, then what the client sends, as far as it passes (session/smtp/header.h).
 * Whatever is wrong with it is said at its end, and nothing of it has left the gateway then. What
 * is right is looked into (session/smtp/content.c), and handed over. The
 * client hears 250 when the backend has said so, and not before.
 */
#include <stdio.h>
#include <string.h>

#include "dns/stats.h"
#include "lib/clock.h"
#include "lib/lookup.h"
#include "session/smtp/internal.h"

#define WORDS_MAX     256
#define ENDLESS_TIMES 8u /* so many times smtp.size-max */

/* Our fields */

static void add_word(char words[WORDS_MAX], const char *word)
{
	const size_t length = strlen(words);

	snprintf(words + length, WORDS_MAX - length, "%s%s", length ? " " : "", word);
}

/* What was found out about the session before anybody knew who gets mail. */
static void add_watched(const struct session *session, enum check check, char words[WORDS_MAX])
{
	if (session->watched & 1u << check)
		add_word(words, check_name(check));
}

/*
 * What is to be tagged for any of the recipients; also what would be refused, as far as it is known
 * yet, if this recipient were not postmaster.
 */
static void find_words(struct session *session, char words[WORDS_MAX])
{
	const struct conf *conf = session->rules->conf;
	struct smtp_mail *mail = session->mail;
	struct ruling *taken = &mail->taken;

	if (mail->exceptions) {
		const struct ruling excepted = ruling_of_mail(session, &mail->excepted);

		ruling_add(taken, &excepted);
	}
	words[0] = '\0';
	if (conf->check.pregreet == CONF_CHECK_TAG)
		add_watched(session, CHECK_PREGREET, words);
	if (conf->check.pipelining == CONF_CHECK_TAG)
		add_watched(session, CHECK_PIPELINING, words);
	for (unsigned int i = CHECK_NONE + 1; i < CHECK_COUNT; i++)
		if (taken->tags & 1u << i || (ruling_refuses(taken) && taken->check == i))
			add_word(words, check_name((enum check)i));
}

static bool take_piece(const void *data, size_t size, void *arg)
{
	struct smtp_mail *mail = arg;
	struct error err;

	if (!mail->full && spool_write(mail->spool, data, size, &err))
		mail->full = true;
	return !mail->full;
}

static void write_fields(struct session *session)
{
	const struct stream_tls *tls = stream_tls(session->stream);
	struct smtp_mail *mail = session->mail;
	char id[LOOKUP_ID_CHARS + 1], words[WORDS_MAX], address[PATH_TEXT_MAX];
	char fields[HEADER_OWN_MAX];
	const struct spf_header spf = {
		.verdict = mail->spf ? spf_verdict(mail->spf) : NULL,
		.ip = session->peer,
		.helo = session->helo,
		.from = mail_address(&mail->from, address),
		.receiver = session->rules->hostname,
	};
	const struct header_hop hop = {
		.hostname = session->rules->hostname,
		.client = session->peer,
		.client_name = session->host ? session->host : "",
		.helo = session->helo,
		.esmtp = session->esmtp,
		.authenticated = session->user != NULL,
		.utf8 = mail->utf8,
		.tls_version = tls ? tls->version : "",
		.tls_cipher = tls ? tls->cipher : "",
		.id = lookup_id_format(session->id, id),
		.recipient = mail->accepted == 1 ? mail_first(mail) : "",
		.when = (time_t)clock_wall(),
		.spf = spf.verdict ? &spf : NULL,
		.findings = words,
	};

	find_words(session, words);
	take_piece(fields, header_compose(&hop, fields), mail);
}

/* The client's message */

bool delivery_begin(struct session *session, bool chunked)
{
	struct smtp_mail *mail = session->mail;

	mail->spool = spool_new(service_parts(session->service)->spool);
	if (!mail->spool)
		return false;
	mail->started = true;
	mail->began = service_now();
	data_begin(&mail->data, chunked);
	header_filter_start(&mail->filter, session->rules->hostname, take_piece, mail);
	write_fields(session);
	mail->own = spool_size(mail->spool);
	stat_add(&service_stats(session->service)->spooling, 1);
	return true;
}

void delivery_free(struct smtp_mail *mail)
{
	if (mail->spool)
		stat_add(&service_stats(mail->session->service)->spooling, (uint64_t)-1);
	spool_free(&mail->spool);
}

static void write_piece(const uint8_t *piece, size_t size, void *arg)
{
	struct smtp_mail *mail = arg;

	if (!mail->large)
		header_filter_feed(&mail->filter, piece, size);
}

/*
 * What is too large, by far, is not even read to its end. Below that it is read and not kept: a
 * sender has to have sent it all before he looks for the reply, and one whose stream is closed is
 * read slowly (loop/stream_tcp.c), so he would not hear it, and come again.
 */
static bool is_endless(struct session *session)
{
	const struct smtp_mail *mail = session->mail;
	const uint64_t max = session->rules->conf->smtp.size_max;

	if (mail->octets / ENDLESS_TIMES <= max)
		return false;
	record_refusal(session, SMTP_REFUSED_SIZE, NULL);
	reply_and_end(session, 552, "5.3.4", "the message is too large");
	return true;
}

/* The average over the whole message: who sends one octet now and then holds a place. */
static bool is_slow(struct session *session)
{
	const struct smtp_mail *mail = session->mail;
	const uint64_t ms = service_now() - mail->began;

	if (ms < SERVICE_RATE_MS || mail->octets * 1000 / ms >= session->rules->conf->smtp.rate_min)
		return false;
	record_refusal(session, SMTP_REFUSED_TIME, "data");
	reply_and_end(session, 421, "4.4.2", "%s: too slow", session->rules->hostname);
	return true;
}

size_t delivery_feed(struct session *session, const uint8_t *input, size_t size)
{
	struct smtp_mail *mail = session->mail;
	const size_t taken = data_feed(&mail->data, input, size, write_piece, mail);

	mail->octets += taken;
	if (mail->octets > session->rules->conf->smtp.size_max)
		mail->large = true;
	stream_take(session->stream, taken);
	service_set_deadline(session, DEADLINE_DATA);
	if (!is_endless(session))
		is_slow(session);
	return taken;
}

/* Its end */

struct wrong {
	enum smtp_refusal why;
	unsigned int code;
	const char *enhanced, *text;
};

/* By enum data_fault. */
static const struct wrong faults[] = {
	[DATA_BARE] = { SMTP_REFUSED_CONTENT, 554, "5.6.0", "a CR or a LF alone is in no message" },
	[DATA_LONG] = { SMTP_REFUSED_CONTENT, 554, "5.6.0", "a line of the message is too long" },
	[DATA_DOT] = { SMTP_REFUSED_CONTENT, 554, "5.6.0", "a dot among NULs is in no message" },
};

static const struct wrong *find_wrong(const struct smtp_mail *mail)
{
	static const struct wrong large = { SMTP_REFUSED_SIZE, 552, "5.3.4",
					    "the message is too large" };
	static const struct wrong header = { SMTP_REFUSED_SIZE, 552, "5.3.4",
					     "the header of the message is too large" };
	static const struct wrong loop = { SMTP_REFUSED_CONTENT, 554, "5.4.6",
					   "too many hops: this is a loop" };
	static const struct wrong full = { SMTP_REFUSED_LOAD, 452, "4.3.1",
					   "no room at the moment, try again later" };

	if (mail->data.fault != DATA_FINE)
		return &faults[mail->data.fault];
	if (mail->large)
		return &large;
	if (mail->full)
		return &full;
	if (mail->filter.result == HEADER_LOOP)
		return &loop;
	return mail->filter.result == HEADER_LARGE ? &header : NULL;
}

bool delivery_refuse(struct session *session)
{
	const struct wrong *wrong = find_wrong(session->mail);

	if (!wrong)
		return false;
	record_refusal(session, wrong->why, wrong->text);
	reply_refusal(session, wrong->code, wrong->enhanced, wrong->text);
	return true;
}

void delivery_end(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	mail->ended = service_now();
	header_filter_end(&mail->filter);
	if (delivery_refuse(session))
		delivery_over(session);
	else
		content_begin(session);
}

void delivery_over(struct session *session)
{
	mail_end(session);
	session_resume(session);
}

void delivery_hand_over(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	if (backend_mail_message(mail->backend, mail->spool)) {
		session_enter(session, SESSION_MESSAGE);
		return;
	}
	reply(session, 451, "4.3.0", "out of memory, try again later");
	delivery_over(session);
}

static void count(struct session *session, unsigned int code)
{
	struct smtp_stats *stats = service_stats(session->service);
	const struct smtp_mail *mail = session->mail;

	latency_add(&stats->latency, service_now() - mail->ended);
	if (code / 100 == 5)
		stat_add(&stats->rejected, 1);
	if (code / 100 == 4)
		stat_add(&stats->deferred, 1);
	if (code / 100 != 2)
		return;
	stat_add(&stats->messages, 1);
	stat_add(&stats->message_bytes, mail->octets);
	stat_add(&stats->recipients, mail->accepted);
}

/* Somebody whose mail is taken is somebody good, as far as his verdict says so, too. */
static void note_good(struct session *session)
{
	const struct smtp_service_options *parts = service_parts(session->service);

	session->messages++;
	session->junk = 0;
	admission_delivered(parts->admission, &session->peer,
			    session->rules->conf->smtp.unknown_recipients, session->mail->accepted);
	if (session->judged && !session->noted)
		guard_client_note(parts->guard, &session->verdict, false);
	session->noted = true;
}

void delivery_answered(struct session *session, const struct backend_reply *said)
{
	count(session, said->code);
	record_message(session, said);
	if (said->code / 100 == 2)
		note_good(session);
	reply_backend(session, said);
	delivery_over(session);
}
