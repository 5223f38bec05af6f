/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/dialogue_open.c - see backend/dialogue.h: from the connection to the last EHLO, as a
 * table of steps.
 *
 * Each step says something when it is entered and waits for an answer of one code; any other ends
 * the dialogue. What follows depends on the server's row and on what is done already.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "backend/internal.h"
#include "backend/xclient.h"
#include "loop/proxy.h"

/* A connection of our own, for health: nobody is told of (proxy-protocol.txt 2.2). */
static const uint8_t proxy_local[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
				       0x55, 0x49, 0x54, 0x0a, 0x20, 0x00, 0x00, 0x00 };

static bool wants_tls(const struct dialogue *dialogue)
{
	return dialogue->server->conf.tls != CONF_BACKEND_PLAIN;
}

static bool wants_tls_at_once(const struct dialogue *dialogue)
{
	return dialogue->server->conf.tls & CONF_BACKEND_IMPLICIT;
}

static bool is_secured(const struct dialogue *dialogue)
{
	return stream_tls(dialogue->stream) != NULL;
}

static void broken(struct dialogue *dialogue, const struct backend_reply *said, const char *why)
{
	dialogue_fail(dialogue, DIALOGUE_BROKEN, said, why);
}

/* ---- what is said */

static void say_proxy(struct dialogue *dialogue)
{
	const struct backend_client *who = dialogue->who;
	uint8_t header[PROXY_V2_BYTES];
	struct proxy_addresses addresses;

	if (!who) {
		dialogue_write(dialogue, proxy_local, sizeof(proxy_local));
		return;
	}
	addresses = (struct proxy_addresses){ who->addr, who->local, who->port, who->local_port };
	dialogue_write(dialogue, header, proxy_write(&addresses, header));
}

static void start_tls(struct dialogue *dialogue)
{
	const struct backend_server *server = dialogue->server;
	const char *name = server->conf.host[0] ? server->conf.host : NULL;
	struct error err = { 0 };

	if (stream_start_tls(dialogue->stream, server->tls, name, &err))
		broken(dialogue, NULL, err.text);
}

static void wait_greeting(struct dialogue *dialogue)
{
	dialogue->pending++;
}

/* The name that a client gave goes on only if it can do no harm in a command line. */
static const char *ehlo_name(const struct dialogue *dialogue)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_:[]";
	const char *helo = dialogue->introduced && dialogue->who ? dialogue->who->helo : "";
	const size_t length = strlen(helo);

	if (length && length < CONF_DOMAIN_MAX && strspn(helo, allowed) == length)
		return helo;
	return dialogue->server->backends->hostname;
}

/*
 * RFC 3207 4.2: what was learned before TLS is forgotten. Whether we may say XCLIENT is not up to
 * the client that the server was told of, though Postfix offers it to that one no more.
 */
static void say_ehlo(struct dialogue *dialogue)
{
	dialogue->features = 0;
	dialogue->size_max = 0;
	if (!dialogue->introduced)
		dialogue->xclient = 0;
	dialogue_say(dialogue, "EHLO ", ehlo_name(dialogue), 0);
}

static void say_starttls(struct dialogue *dialogue)
{
	if (dialogue->features & BACKEND_STARTTLS)
		dialogue_say(dialogue, "STARTTLS", "", 0);
	else
		broken(dialogue, NULL, "not offered, and there is no mail without it");
}

static void say_xclient(struct dialogue *dialogue)
{
	char line[XCLIENT_LINE_MAX];

	if (!dialogue->untold) {
		broken(dialogue, NULL,
		       "not offered to us (Postfix: smtpd_authorized_xclient_hosts)");
		return;
	}
	dialogue->introduced = true;
	dialogue->untold = xclient_command(dialogue->untold, dialogue->who, line);
	dialogue_say(dialogue, line, "", 0);
}

static void become_ready(struct dialogue *dialogue)
{
	dialogue->deadline = 0;
	health_ready(dialogue->server, dialogue);
	dialogue->owner->ready(dialogue, dialogue->arg);
}

/* ---- what follows */

static enum dialogue_step after_greeting(struct dialogue *dialogue)
{
	(void)dialogue;
	return DIALOGUE_EHLO;
}

static enum dialogue_step after_ehlo(struct dialogue *dialogue)
{
	if (wants_tls(dialogue) && !is_secured(dialogue))
		return DIALOGUE_STARTTLS;
	if (dialogue->server->conf.told != CONF_BACKEND_XCLIENT || dialogue->introduced)
		return DIALOGUE_READY;
	if (!dialogue->who && dialogue->xclient) /* there is nobody to tell of */
		return DIALOGUE_READY;
	dialogue->untold = dialogue->xclient;
	return DIALOGUE_XCLIENT;
}

static enum dialogue_step after_starttls(struct dialogue *dialogue)
{
	(void)dialogue;
	return DIALOGUE_HANDSHAKE;
}

static enum dialogue_step after_xclient(struct dialogue *dialogue)
{
	return dialogue->untold ? DIALOGUE_XCLIENT : DIALOGUE_EHLO;
}

static const struct {
	const char *name;
	void (*enter)(struct dialogue *dialogue);
	uint16_t code; /* that has to come; 0: none */
	enum dialogue_step (*next)(struct dialogue *dialogue);
} steps[DIALOGUE_STEPS] = {
	[DIALOGUE_CONNECT] = { "connect", NULL, 0, NULL },
	[DIALOGUE_TLS] = { "TLS", start_tls, 0, NULL },
	[DIALOGUE_GREETING] = { "greeting", wait_greeting, 220, after_greeting },
	[DIALOGUE_EHLO] = { "EHLO", say_ehlo, 250, after_ehlo },
	[DIALOGUE_STARTTLS] = { "STARTTLS", say_starttls, 220, after_starttls },
	[DIALOGUE_HANDSHAKE] = { "TLS", start_tls, 0, NULL },
	[DIALOGUE_XCLIENT] = { "XCLIENT", say_xclient, 220, after_xclient },
	[DIALOGUE_READY] = { "dialogue", become_ready, 0, NULL },
};

const char *dialogue_step_name(const struct dialogue *dialogue)
{
	return steps[dialogue->step].name;
}

void dialogue_enter(struct dialogue *dialogue, enum dialogue_step step)
{
	dialogue->step = (uint8_t)step;
	if (steps[step].enter)
		steps[step].enter(dialogue);
}

void dialogue_connected(struct dialogue *dialogue)
{
	const bool connected = dialogue->step == DIALOGUE_CONNECT;

	if (connected)
		dialogue_expect(dialogue, DIALOGUE_OPEN_S);
	if (connected && dialogue->server->conf.told == CONF_BACKEND_PROXY)
		say_proxy(dialogue);
	if (connected && wants_tls_at_once(dialogue))
		dialogue_enter(dialogue, DIALOGUE_TLS);
	else if (dialogue->step == DIALOGUE_HANDSHAKE)
		dialogue_enter(dialogue, DIALOGUE_EHLO);
	else
		dialogue_enter(dialogue, DIALOGUE_GREETING);
}

bool dialogue_has_told(const struct dialogue *dialogue)
{
	return dialogue->introduced ||
	       (dialogue->who && dialogue->server->conf.told == CONF_BACKEND_PROXY);
}

/*
 * What a server says once it was told of a client is about the client, unless it is about the
 * command. But the name in EHLO is the client's then. And one that does not take what XCLIENT says,
 * as a server without IPv6 an IPv6 address, may be told of other clients.
 */
static enum dialogue_loss loss_by(const struct dialogue *dialogue, uint16_t code)
{
	const bool about_command = code >= 500 && code <= 504;

	if (code >= 400 && dialogue_has_told(dialogue) && dialogue->step != DIALOGUE_STARTTLS) {
		if (about_command && dialogue->step == DIALOGUE_XCLIENT)
			return DIALOGUE_UNFIT;
		if (!about_command || dialogue->introduced)
			return DIALOGUE_REFUSED;
	}
	return dialogue->step == DIALOGUE_GREETING && code / 100 == 4 ? DIALOGUE_BUSY
								      : DIALOGUE_BROKEN;
}

void dialogue_opening(struct dialogue *dialogue, const struct backend_reply *reply)
{
	size_t left;

	if (reply->code != steps[dialogue->step].code) {
		dialogue_fail(dialogue, loss_by(dialogue, reply->code), reply, reply->text);
		return;
	}
	stream_input(dialogue->stream, &left);
	if (left)
		broken(dialogue, NULL, "an answer that nobody asked for");
	else
		dialogue_enter(dialogue, steps[dialogue->step].next(dialogue));
}

/* ---- what EHLO tells */

static void learn_size(struct dialogue *dialogue, const char *text, size_t length)
{
	uint64_t size = 0;

	for (size_t i = 0; i < length && i < 18; i++) {
		if (text[i] < '0' || text[i] > '9')
			return;
		size = size * 10 + (uint64_t)(text[i] - '0');
	}
	dialogue->size_max = size;
}

static void learn_auth(struct dialogue *dialogue, const char *text, size_t length)
{
	static const char plain[] = "PLAIN";
	const size_t want = sizeof(plain) - 1;

	for (size_t at = 0; at + want <= length; at++)
		if ((!at || text[at - 1] == ' ') && !strncasecmp(text + at, plain, want) &&
		    (at + want == length || text[at + want] == ' '))
			dialogue->features |= BACKEND_AUTH_PLAIN;
}

static void learn_xclient(struct dialogue *dialogue, const char *text, size_t length)
{
	if (!dialogue->introduced)
		dialogue->xclient = xclient_attributes(text, length);
}

static const struct {
	const char *keyword;
	unsigned int feature;
	void (*learn)(struct dialogue *dialogue, const char *text, size_t length);
} keywords[] = {
	{ "PIPELINING", BACKEND_PIPELINING, NULL },    { "8BITMIME", BACKEND_8BITMIME, NULL },
	{ "SMTPUTF8", BACKEND_SMTPUTF8, NULL },        { "DSN", BACKEND_DSN, NULL },
	{ "SIZE", BACKEND_SIZE, learn_size },          { "CHUNKING", BACKEND_CHUNKING, NULL },
	{ "STARTTLS", BACKEND_STARTTLS, NULL },        { "AUTH", 0, learn_auth },
	{ "XCLIENT", BACKEND_XCLIENT, learn_xclient },
};

/* The first line is the server's name and a greeting. */
void dialogue_learn(struct dialogue *dialogue, const struct reply_span *line, bool first)
{
	const char *gap = line->length ? memchr(line->at, ' ', line->length) : NULL;
	const size_t length = gap ? (size_t)(gap - line->at) : line->length;
	const size_t rest = gap ? line->length - length - 1 : 0;

	if (first)
		return;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (strlen(keywords[i].keyword) != length ||
		    strncasecmp(keywords[i].keyword, line->at, length) != 0)
			continue;
		dialogue->features |= keywords[i].feature;
		if (keywords[i].learn)
			keywords[i].learn(dialogue, gap ? gap + 1 : "", rest);
	}
}
