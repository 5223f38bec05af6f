/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/exchange_internal.h - between exchange.c, which has an exchange's lines and answers, and
 * exchange_secrets.c, which has what is compared.
 */
#ifndef POSTERN_ACCOUNTS_EXCHANGE_INTERNAL_H
#define POSTERN_ACCOUNTS_EXCHANGE_INTERNAL_H

#include "accounts/auth_internal.h"

enum mechanism { PLAIN, LOGIN, SCRAM, MECHANISMS };

enum exchange_state {
	LINE,    /* a line of the client's is expected */
	LAST,    /* likewise: an empty one, and then it is done */
	BUSY,    /* hashing, or an answer is under way */
	BACKEND, /* a decision is expected */
	OVER,
};

struct auth_exchange {
	struct auth *auth;
	struct auth_accounts accounts;
	Gsasl_session *sasl;
	struct hash_job *job;
	uv_async_t wake;
	auth_cb cb;
	void *arg;
	struct addr source;
	enum mechanism mechanism;
	enum exchange_state state;
	unsigned int lines; /* of the client's */
	unsigned int steps; /* of libgsasl's */
	bool known;         /* the user is there, and may be who he says: or else all is in vain */
	bool counted;       /* a guess has begun */
	uint32_t wait;      /* before the answer to the guess, in ms */
	struct auth_result result;
	char *text;               /* owned: of libgsasl's output, in base64 */
	char user[AUTH_USER_MAX]; /* prepared */
	char name[AUTH_USER_MAX]; /* and folded */
	char password[AUTH_PASSWORD_MAX];
};

/* What the next callback says, from the loop; and the same from the loop's own callback, at once.
 */
void exchange_answer(struct auth_exchange *exchange, enum auth_step step,
		     enum exchange_state state);
void exchange_answer_now(struct auth_exchange *exchange, enum auth_step step);

/* A guess at `name` begins: false if it is refused, and then AUTH_LATER is the answer. */
bool exchange_guess(struct auth_exchange *exchange);
/* How it ends, which is the step that follows; all that is wrong is wrong alike. */
enum auth_step exchange_conclude(struct auth_exchange *exchange, bool right);
/* It was not looked at, and does not count. */
enum auth_step exchange_postpone(struct auth_exchange *exchange);

/* PLAIN and LOGIN, when libgsasl has the name and the password: answers now or later. */
void exchange_check_password(struct auth_exchange *exchange);

#endif
