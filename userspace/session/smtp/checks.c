/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/checks.c - what is found out about a client that has said HELO, and about a sender.
 *
 * The host name and the HELO name are looked up when EHLO comes, and waited for at MAIL, because
 * the backend is told them; SPF and the sender's domain are looked up while the backend answers
 * MAIL, and waited for at the first recipient. Of each check the findings remain, and the rest is
 * freed. Whoever is exempt is not looked up, but for the host name. What is off for all recipients'
 * domains is not looked up: whose they are is not known yet.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "session/smtp/internal.h"

struct smtp_checks {
	struct rdns *rdns;
	struct helo *helo;
	struct dnsbl_query *domain;
	unsigned int pending;
};

static struct dns *dns_of(const struct session *session)
{
	return service_parts(session->service)->dns;
}

/* Users and trusted networks are not asked where they come from. */
bool checks_wanted(const struct session *session)
{
	return session->kind == CONF_SERVICE_MX && !session->exempt && !session->user;
}

/* Something counts: it is looked for to be acted on, or to be scored. */
static bool is_on(const struct session *session, enum conf_about check)
{
	const struct conf_actions *wanted = &session->rules->wanted;

	return wanted->about[check] != CONF_CHECK_OFF ||
	       wanted->about[CONF_ABOUT_SCORE] != CONF_CHECK_OFF;
}

static void call_resumed(struct session *session)
{
	void (*next)(struct session * session) = session->resumed;

	if (session->pending || !next)
		return;
	session->resumed = NULL;
	stream_cork(session->stream);
	next(session);
	if (session->stream)
		stream_uncork(session->stream);
}

void checks_await(struct session *session, void (*next)(struct session *session))
{
	session->resumed = next;
	call_resumed(session);
}

/* The client. One place counts what is under way, in the checks and in the session. */

static void expect(struct session *session, const void *started)
{
	session->checks->pending += started != NULL;
	session->pending += started != NULL;
}

static void free_checks(struct session *session)
{
	struct smtp_checks *checks = session->checks;

	session->checks = NULL;
	session->pending -= checks->pending;
	rdns_free(&checks->rdns);
	helo_free(&checks->helo);
	dnsbl_cancel(service_parts(session->service)->domains, &checks->domain);
	free(checks);
}

static void settle(struct session *session)
{
	session->pending--;
	if (!--session->checks->pending)
		free_checks(session);
	call_resumed(session);
}

static void on_helo(const struct helo_result *found, void *arg)
{
	struct session *session = arg;

	session->findings |= found->findings;
	settle(session);
}

static void start_helo(struct session *session)
{
	const struct own *own = service_own(session->service);
	const char *const names[] = { session->rules->hostname, own->host };
	const struct helo_request request = {
		.dns = dns_of(session),
		.addr = session->peer,
		.helo = session->helo,
		.host_name = session->host ? session->host : "",
		.own_names = *own->host ? 2 : 1,
		.own_name = names,
		.own_addresses = own->addresses,
		.own_address = own->address,
	};

	if (!checks_wanted(session) || !is_on(session, CONF_ABOUT_HELO))
		return;
	session->checks->helo = helo_start(&request, on_helo, session);
	expect(session, session->checks->helo);
}

static void on_rdns(const struct rdns_result *found, void *arg)
{
	struct session *session = arg;

	session->findings &= ~RDNS_FINDINGS;
	session->findings |= found->findings;
	if (found->findings & FINDING_BIT(FINDING_RDNS_CONFIRMED) && !session->host)
		session->host = strdup(found->name);
	start_helo(session);
	settle(session);
}

static void on_helo_listed(const struct dnsbl_result *found, void *arg)
{
	struct session *session = arg;

	session->checks->domain = NULL;
	session->points = found->score;
	session->missing = found->missing;
	settle(session);
}

static void start_helo_lists(struct session *session)
{
	if (!checks_wanted(session) || !is_on(session, CONF_ABOUT_DNSBL))
		return;
	session->checks->domain = dnsbl_start_domain(service_parts(session->service)->domains,
						     session->helo, false, on_helo_listed, session);
	expect(session, session->checks->domain);
}

/* The host name is wanted for the header and the backend, too, unless the operator does not. */
void checks_hello(struct session *session)
{
	struct smtp_checks *checks = calloc(1, sizeof(*checks));

	session->findings = session->judged ? session->verdict.findings : 0;
	session->points = session->missing = 0;
	session->checks = checks;
	if (!checks)
		return;
	if (session->rules->wanted.about[CONF_ABOUT_RDNS] != CONF_CHECK_OFF && !session->host) {
		checks->rdns = rdns_start(dns_of(session), &session->peer, on_rdns, session);
		expect(session, checks->rdns);
	}
	if (!checks->rdns)
		start_helo(session);
	start_helo_lists(session);
	if (!checks->pending)
		free_checks(session);
}

void checks_end(struct session *session)
{
	session->resumed = NULL;
	if (session->checks)
		free_checks(session);
}

/* The sender */

static void mail_settle(struct smtp_mail *mail)
{
	struct session *session = mail->session;

	mail->pending--;
	session->pending--;
	call_resumed(session);
}

static void mail_expect(struct smtp_mail *mail, const void *started)
{
	mail->pending += started != NULL;
	mail->session->pending += started != NULL;
}

static enum finding spf_finding(enum spf_result result)
{
	static const enum finding finding[SPF_RESULTS] = {
		[SPF_NONE] = FINDING_SPF_NONE,           [SPF_NEUTRAL] = FINDING_SPF_NEUTRAL,
		[SPF_PASS] = FINDING_SPF_PASS,           [SPF_FAIL] = FINDING_SPF_FAIL,
		[SPF_SOFTFAIL] = FINDING_SPF_SOFTFAIL,   [SPF_TEMPERROR] = FINDING_SPF_TEMPERROR,
		[SPF_PERMERROR] = FINDING_SPF_PERMERROR,
	};

	return finding[result];
}

/* Of a bounce the HELO name is the sender (RFC 7208 2.4), so it is the one identity there is. */
static void take_spf(struct smtp_mail *mail, const struct spf_verdict *found)
{
	mail->findings |= FINDING_BIT(spf_finding(found->result));
	service_spf_remove(mail);
}

static void on_spf(const struct spf_verdict *found, void *arg)
{
	struct smtp_mail *mail = arg;

	take_spf(mail, found);
	mail_settle(mail);
}

static void start_spf(struct smtp_mail *mail)
{
	const struct session *session = mail->session;
	char address[PATH_TEXT_MAX];
	const struct spf_request request = {
		.dns = dns_of(session),
		.ip = session->peer,
		.helo = session->helo,
		.from = mail_address(&mail->from, address),
		.identity = mail->from.null ? SPF_HELO : SPF_MAIL_FROM,
		.receiver = session->rules->hostname,
		.explain = session->rules->wanted.about[CONF_ABOUT_SPF] == CONF_CHECK_REJECT,
		.time = clock_wall(),
	};

	mail->spf = spf_start(&request, on_spf, mail);
	if (!mail->spf)
		return;
	if (spf_verdict(mail->spf)) { /* nothing was asked: no callback comes */
		take_spf(mail, spf_verdict(mail->spf));
		return;
	}
	mail_expect(mail, mail->spf);
	service_spf_add(mail, spf_wait(mail->spf));
}

void checks_spf_late(struct smtp_mail *mail)
{
	if (!spf_wait(mail->spf))
		spf_timeout(mail->spf);
	else
		service_spf_add(mail, spf_wait(mail->spf));
}

static void on_sender(const struct sender_result *found, void *arg)
{
	struct smtp_mail *mail = arg;

	mail->findings |= found->findings;
	mail_settle(mail);
}

static void on_sender_listed(const struct dnsbl_result *found, void *arg)
{
	struct smtp_mail *mail = arg;

	mail->domain = NULL;
	mail->points = found->score;
	mail->missing = found->missing;
	mail_settle(mail);
}

void checks_mail(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	if (!checks_wanted(session))
		return;
	if (is_on(session, CONF_ABOUT_SPF))
		start_spf(mail);
	if (mail->from.null)
		return;
	if (is_on(session, CONF_ABOUT_SENDER)) {
		mail->sender = sender_start(dns_of(session), mail->from.domain, on_sender, mail);
		mail_expect(mail, mail->sender);
	}
	if (is_on(session, CONF_ABOUT_DNSBL)) {
		mail->domain = dnsbl_start_domain(service_parts(session->service)->domains,
						  mail->from.domain, false, on_sender_listed, mail);
		mail_expect(mail, mail->domain);
	}
}

void checks_mail_end(struct smtp_mail *mail)
{
	mail->session->pending -= mail->pending;
	mail->pending = 0;
	mail->session->resumed = NULL;
	service_spf_remove(mail);
	spf_free(&mail->spf);
	sender_free(&mail->sender);
	dnsbl_cancel(service_parts(mail->session->service)->domains, &mail->domain);
}
