/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/smtp_backend_stand_in.h - a backend and accounts for tests/unit/smtp_stand_ins.h.
 *
 * The backend answers by what an address holds: "refused" is 550 (or what the test says), "later"
 * is 450, everything else is 250. It writes down what it is told, a line for each command. The one
 * account is "ann", with the password "right", who may send as ann@own.example.
 */
#ifndef POSTERN_TESTS_SMTP_BACKEND_STAND_IN_H
#define POSTERN_TESTS_SMTP_BACKEND_STAND_IN_H

#include "tests/unit/smtp_stand_ins.h"

#define STAND_IN_UNDER_WAY_MAX 128

struct backend_mail {
	backend_reply_cb cb;
	void *arg;
	size_t recipients, answered, accepted;
	char from[512];
	char *to[STAND_IN_UNDER_WAY_MAX]; /* of those under way */
};

bool backends_offer(const struct backends *backends, unsigned int *features, uint64_t *size)
{
	(void)backends;
	if (stand_in.down)
		return false;
	*features = stand_in.features;
	*size = stand_in.size;
	return true;
}

void backends_close(struct backends **backends)
{
	stand_in.closed_backends += *backends != NULL;
	*backends = NULL;
}

static void write_down(const char *verb, const char *text)
{
	octets_add(&stand_in.said, verb, strlen(verb));
	octets_add(&stand_in.said, text, strlen(text));
	octets_add(&stand_in.said, "\n", 1);
}

static struct backend_reply answer_to(const char *text, const char *well)
{
	struct backend_reply reply = { .code = 250 };

	snprintf(reply.text, sizeof(reply.text), "%s", well);
	if (stand_in.down) {
		reply.code = 451;
		reply.lost = true;
		snprintf(reply.text, sizeof(reply.text), "4.4.1 nobody there");
	} else if (strstr(text, "refused")) {
		reply.code = stand_in.refusal.text ? (uint16_t)stand_in.refusal.code : 550;
		snprintf(reply.text, sizeof(reply.text), "%s",
			 stand_in.refusal.text ? stand_in.refusal.text : "5.1.1 refused here");
	} else if (strstr(text, "later")) {
		reply.code = 450;
		snprintf(reply.text, sizeof(reply.text), "4.2.0 come later");
	} else if (strstr(text, "lines")) {
		snprintf(reply.text, sizeof(reply.text), "2.1.5 one\n2.1.5 two");
	}
	return reply;
}

static void answer_mail(void *arg)
{
	struct backend_mail *mail = arg;
	const struct backend_reply reply = answer_to(mail->from, "2.1.0 sender ok");

	mail->cb(mail, BACKEND_STEP_MAIL, 0, &reply, mail->arg);
}

struct backend_mail *backend_mail_start(struct backends *backends,
					const struct backend_client *client, const char *from,
					unsigned int features, backend_reply_cb cb, void *arg)
{
	struct backend_mail *mail = calloc(1, sizeof(*mail));

	(void)backends;
	if (!client->helo || !client->name || !client->login || features & ~stand_in.features)
		abort();
	mail->cb = cb;
	mail->arg = arg;
	snprintf(mail->from, sizeof(mail->from), "%s", from);
	stand_in.mail = mail;
	stand_in.mails++;
	write_down("MAIL ", from);
	if (!stand_in.silent)
		owe(answer_mail, mail);
	return mail;
}

static char **under_way(struct backend_mail *mail, size_t number)
{
	return &mail->to[number % STAND_IN_UNDER_WAY_MAX];
}

static void answer_rcpt(void *arg)
{
	struct backend_mail *mail = arg;
	char **to = under_way(mail, mail->answered);
	const struct backend_reply reply = answer_to(*to, "2.1.5 recipient ok");

	free(*to);
	*to = NULL;
	mail->accepted += reply.code == 250;
	mail->cb(mail, BACKEND_STEP_RCPT, mail->answered++, &reply, mail->arg);
}

bool backend_mail_rcpt(struct backend_mail *mail, const char *to)
{
	char **place = under_way(mail, mail->recipients++);

	if (*place)
		abort();
	*place = strdup(to);
	write_down("RCPT ", to);
	if (!stand_in.silent)
		owe(answer_rcpt, mail);
	return true;
}

/* So many recipients are answered that were not, in order. */
static inline void stand_in_speaks(size_t count)
{
	while (count--)
		owe(answer_rcpt, stand_in.mail);
}

static void answer_message(void *arg)
{
	struct backend_mail *mail = arg;
	struct backend_reply reply = { .code = (uint16_t)stand_in.message.code };

	snprintf(reply.text, sizeof(reply.text), "%s",
		 stand_in.message.text ? stand_in.message.text : "2.0.0 queued");
	if (!reply.code)
		reply.code = 250;
	stand_in.deliveries += reply.code == 250;
	mail->cb(mail, BACKEND_STEP_MESSAGE, 0, &reply, mail->arg);
}

bool backend_mail_message(struct backend_mail *mail, struct spool *message)
{
	const uint8_t *piece;
	uint64_t at = 0;
	struct error err;
	int size;

	if (!mail->accepted)
		abort();
	octets_free(&stand_in.delivered);
	octets_add(&stand_in.delivered, "", 0);
	while ((size = spool_read(message, at, &piece, &err)) > 0) {
		octets_add(&stand_in.delivered, piece, (size_t)size);
		at += (uint64_t)size;
	}
	if (!stand_in.silent)
		owe(answer_message, mail);
	return true;
}

void backend_mail_end(struct backend_mail **mail)
{
	if (!*mail)
		return;
	forget_owed(*mail);
	for (size_t i = 0; i < STAND_IN_UNDER_WAY_MAX; i++)
		free((*mail)->to[i]);
	stand_in.mail = NULL;
	free(*mail);
	*mail = NULL;
}

/* Accounts */

struct backend_auth {
	backend_auth_cb cb;
	void *arg;
	bool right;
};

static void answer_auth(void *arg)
{
	struct backend_auth *auth = arg;
	const struct backend_reply reply = { .code = auth->right ? 235 : 535 };

	auth->cb(&reply, auth->arg);
}

struct backend_auth *backend_auth_start(struct backends *backends, const char *user,
					const char *password, backend_auth_cb cb, void *arg)
{
	struct backend_auth *auth = calloc(1, sizeof(*auth));

	(void)backends;
	*auth = (struct backend_auth){ cb, arg,
				       !strcmp(user, "ann") && !strcmp(password, "right") };
	stand_in.auths++;
	owe(answer_auth, auth);
	return auth;
}

void backend_auth_end(struct backend_auth **auth)
{
	if (!*auth)
		return;
	forget_owed(*auth);
	stand_in.auths--;
	free(*auth);
	*auth = NULL;
}

const char *auth_mechanisms(struct auth *auth)
{
	(void)auth;
	return stand_in.mechanisms;
}

bool auth_may_send_as(struct auth *auth, const char *user, const char *address)
{
	(void)auth;
	return !strcmp(user, "ann") && !strcmp(address, "ann@own.example");
}

struct auth_throttle auth_throttle(struct auth *auth, const struct addr *source, const char *user)
{
	(void)auth;
	(void)source;
	(void)user;
	return stand_in.throttle;
}

/* Not SASL: "PLAIN" takes "USER/PASSWORD" at once, or after a 334. */
struct auth_exchange {
	auth_cb cb;
	void *arg;
	struct auth_result result;
	char user[64], password[64];
};

struct auth_exchange *auth_exchange_start(struct auth *auth, uv_loop_t *loop, const char *mechanism,
					  const struct addr *source, auth_cb cb, void *arg)
{
	struct auth_exchange *exchange;

	(void)auth;
	(void)loop;
	(void)source;
	if (strcasecmp(mechanism, "PLAIN") != 0)
		return NULL;
	exchange = calloc(1, sizeof(*exchange));
	exchange->cb = cb;
	exchange->arg = arg;
	return exchange;
}

static void step(void *arg)
{
	struct auth_exchange *exchange = arg;

	stand_in.auth_failures += exchange->result.step == AUTH_FAILED;
	exchange->result.wait = stand_in.throttle.wait;
	exchange->result.block = stand_in.throttle.block;
	exchange->cb(exchange, &exchange->result, exchange->arg);
}

static enum auth_step judge_login(const struct auth_exchange *exchange)
{
	if (stand_in.backend_auth)
		return AUTH_BACKEND;
	return strcmp(exchange->user, "ann") || strcmp(exchange->password, "right") ? AUTH_FAILED
										    : AUTH_DONE;
}

void auth_exchange_step(struct auth_exchange *exchange, const char *line)
{
	struct auth_result *result = &exchange->result;

	if (!line) {
		*result = (struct auth_result){ .step = AUTH_CONTINUE, .text = "" };
	} else if (sscanf(line, "%63[^/]/%63s", exchange->user, exchange->password) != 2) {
		*result = (struct auth_result){ .step = AUTH_BAD, .user = "" };
	} else {
		*result = (struct auth_result){ .step = judge_login(exchange),
						.user = exchange->user,
						.password = exchange->password };
	}
	owe(step, exchange);
}

void auth_exchange_decide(struct auth_exchange *exchange, bool right)
{
	exchange->result.step = right ? AUTH_DONE : AUTH_FAILED;
	owe(step, exchange);
}

void auth_exchange_defer(struct auth_exchange *exchange)
{
	exchange->result.step = AUTH_LATER;
	owe(step, exchange);
}

void auth_exchange_end(struct auth_exchange **exchange)
{
	if (*exchange)
		forget_owed(*exchange);
	free(*exchange);
	*exchange = NULL;
}

#endif
