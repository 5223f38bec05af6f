/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/cmd_hello.c - EHLO and HELO (RFC 5321 4.1.1.1), and what is offered.
 *
 * Offered is what the gateway does itself and, where the message is what matters, what every
 * backend that is well does, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/smtp/internal.h"

#define OFFERS_MAX  12
#define KEYWORD_MAX 320 /* of a line that is put together */

/* What a name may be made of; whether it is one is a finding, and scores. */
static bool is_name(const char *text)
{
	const size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return length > 0 && length <= DNS_NAME_MAX;
}

/* Takes the name; a transaction ends here (RFC 5321 4.1.4). */
static bool take_name(struct session *session, const char *name)
{
	char *copy = is_name(name) ? strdup(name) : NULL;

	if (!copy) {
		reply(session, 501, "5.5.4", "say EHLO, and the name of your host");
		return false;
	}
	mail_end(session);
	checks_end(session);
	free(session->helo);
	session->helo = copy;
	checks_hello(session);
	return true;
}

static bool starttls_offered(const struct session *session)
{
	return session->rules->tls && !session->secured;
}

/* The lines of EHLO, without their code. */
struct offer {
	size_t count;
	const char *line[OFFERS_MAX];
	char size[KEYWORD_MAX], auth[KEYWORD_MAX]; /* those that are put together */
};

static void add(struct offer *offer, const char *line)
{
	offer->line[offer->count++] = line;
}

static uint64_t size_offered(const struct session *session, uint64_t of_backends)
{
	const uint64_t own = session->rules->conf->smtp.size_max;

	return of_backends && of_backends < own ? of_backends : own;
}

static void add_features(struct offer *offer, struct session *session)
{
	const struct smtp_service_options *parts = service_parts(session->service);
	unsigned int features = 0;
	uint64_t size = 0;

	backends_offer(session_backends(session), &features, &size);
	session->offered = (uint16_t)features;
	add(offer, "PIPELINING");
	snprintf(offer->size, sizeof(offer->size), "SIZE %" PRIu64, size_offered(session, size));
	add(offer, offer->size);
	if (features & BACKEND_8BITMIME)
		add(offer, "8BITMIME");
	if (features & BACKEND_SMTPUTF8)
		add(offer, "SMTPUTF8");
	if (features & BACKEND_DSN)
		add(offer, "DSN");
	add(offer, "CHUNKING");
	add(offer, "ENHANCEDSTATUSCODES");
	if (starttls_offered(session))
		add(offer, "STARTTLS");
	if (auth_offered(session)) {
		snprintf(offer->auth, sizeof(offer->auth), "AUTH %s", auth_mechanisms(parts->auth));
		add(offer, offer->auth);
	}
}

void cmd_ehlo(struct session *session, char *name)
{
	struct offer offer;

	if (!take_name(session, name))
		return;
	session->esmtp = true;
	offer.count = 0;
	add(&offer, session->rules->hostname);
	add_features(&offer, session);
	for (size_t i = 0; i < offer.count; i++)
		reply_line(session, 250, i + 1 < offer.count, "%s", offer.line[i]);
}

void cmd_helo(struct session *session, char *name)
{
	if (!take_name(session, name))
		return;
	session->esmtp = false;
	reply_line(session, 250, false, "%s", session->rules->hostname);
}
