/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/exchange.c - one exchange of SASL: see accounts/auth.h.
 *
 * libgsasl takes the messages of the mechanisms apart. exchange_secrets.c tells it what is to be
 * proved, or checks what it hands over; here are the lines, the answers, and which is expected
 * when.
 *
 * An exchange answers through its uv_async_t, so never from inside a call; what comes from the pool
 * is answered at once. `state` says what is allowed: a line, a decision, or nothing.
 */
#include "accounts/exchange_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	bool client_first; /* the client speaks first (RFC 4422 5, 1) */
} mechanisms[MECHANISMS] = {
	[PLAIN] = { "PLAIN", true },
	[LOGIN] = { "LOGIN", false },
	[SCRAM] = { "SCRAM-SHA-256", true },
};

/* A line of the client's, decoded. */
struct message {
	char octets[AUTH_LINE_MAX / 4 * 3];
	size_t len;
	bool given; /* none is not the same as an empty one */
};

/* Answers */

static void deliver(struct auth_exchange *exchange)
{
	const struct auth_result result = exchange->result;

	exchange->result = (struct auth_result){ 0 };
	exchange->cb(exchange, &result, exchange->arg);
	if (result.step != AUTH_CONTINUE)
		sodium_memzero(exchange->password, sizeof(exchange->password));
}

static void on_wake(uv_async_t *wake)
{
	deliver(wake->data);
}

/* What is answered next. */
static void set_result(struct auth_exchange *exchange, enum auth_step step,
		       enum exchange_state state)
{
	exchange->state = state;
	exchange->result.step = step;
	exchange->result.text = exchange->text && step == AUTH_CONTINUE ? exchange->text : "";
	exchange->result.user = exchange->user;
	exchange->result.password = step == AUTH_BACKEND ? exchange->password : "";
	if (step == AUTH_BACKEND)
		return;
	exchange->result.wait = exchange->wait;
	exchange->wait = 0;
}

void exchange_answer(struct auth_exchange *exchange, enum auth_step step, enum exchange_state state)
{
	set_result(exchange, step, state);
	uv_async_send(&exchange->wake);
}

void exchange_answer_now(struct auth_exchange *exchange, enum auth_step step)
{
	set_result(exchange, step, OVER);
	deliver(exchange);
}

/* Guesses */

bool exchange_guess(struct auth_exchange *exchange)
{
	const struct auth_throttle throttle =
		throttle_begin(exchange->auth->throttle, &exchange->source, exchange->name);

	exchange->counted = !throttle.refuse;
	exchange->wait = throttle.wait;
	exchange->result.block = throttle.block;
	return !throttle.refuse;
}

static void guess_end(struct auth_exchange *exchange, enum throttle_outcome outcome)
{
	if (exchange->counted)
		exchange->result.block = throttle_end(exchange->auth->throttle, &exchange->source,
						      exchange->name, outcome);
	exchange->counted = false;
}

enum auth_step exchange_conclude(struct auth_exchange *exchange, bool right)
{
	guess_end(exchange, right ? THROTTLE_RIGHT : THROTTLE_WRONG);
	return right ? AUTH_DONE : AUTH_FAILED;
}

enum auth_step exchange_postpone(struct auth_exchange *exchange)
{
	guess_end(exchange, THROTTLE_UNKNOWN);
	return AUTH_LATER;
}

/* Lines */

/* False if memory is short. */
static bool set_text(struct auth_exchange *exchange, const char *octets, size_t len)
{
	const size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *text = malloc(size);

	if (!text)
		return false;
	sodium_bin2base64(text, size, (const uint8_t *)octets, len, sodium_base64_VARIANT_ORIGINAL);
	free(exchange->text);
	exchange->text = text;
	return true;
}

static void go_on(struct auth_exchange *exchange, const char *octets, size_t len,
		  enum exchange_state state)
{
	if (set_text(exchange, octets, len))
		exchange_answer(exchange, AUTH_CONTINUE, state);
	else
		exchange_answer(exchange, exchange_postpone(exchange), OVER);
}

/* The proof was right; so is the user, or there is none. */
static void take_proof(struct auth_exchange *exchange, const char *octets, size_t len)
{
	if (exchange_conclude(exchange, exchange->known) == AUTH_DONE)
		go_on(exchange, octets, len, LAST);
	else
		exchange_answer(exchange, AUTH_FAILED, OVER);
}

/* LOGIN's prompts are those that every client knows, in place of libgsasl's. */
static void prompt(struct auth_exchange *exchange)
{
	const char *text = exchange->steps == 1 ? "Username:" : "Password:";

	go_on(exchange, text, strlen(text), LINE);
}

static void take_output(struct auth_exchange *exchange, int rc, const char *octets, size_t len)
{
	if (rc == GSASL_NEEDS_MORE && exchange->mechanism == LOGIN)
		prompt(exchange);
	else if (rc == GSASL_NEEDS_MORE)
		go_on(exchange, octets, len, LINE);
	else if (rc == GSASL_OK && exchange->mechanism == SCRAM)
		take_proof(exchange, octets, len);
	else if (rc == GSASL_OK)
		exchange_check_password(exchange);
	else if (rc == GSASL_MECHANISM_PARSE_ERROR)
		exchange_answer(exchange, AUTH_BAD, OVER);
	else
		exchange_answer(exchange, exchange_conclude(exchange, false), OVER);
}

static int ask_gsasl(struct auth_exchange *exchange, const struct message *message, char **output,
		     size_t *len)
{
	exchange->steps++;
	*output = NULL;
	*len = 0;
	return gsasl_step(exchange->sasl, message ? message->octets : NULL,
			  message ? message->len : 0, output, len);
}

/* LOGIN asks for the name first, also where it was given with the command. */
static bool skip_prompt(struct auth_exchange *exchange)
{
	char *output;
	size_t len;
	int rc;

	if (exchange->mechanism != LOGIN || exchange->steps)
		return true;
	rc = ask_gsasl(exchange, NULL, &output, &len);
	gsasl_free(output);
	return rc == GSASL_NEEDS_MORE;
}

/* A binding to the channel is not offered, so a client that insists is refused (RFC 5802 6). */
static bool wants_binding(const struct auth_exchange *exchange, const struct message *message)
{
	return exchange->mechanism == SCRAM && !exchange->steps && message->octets[0] == 'p';
}

static void take_message(struct auth_exchange *exchange, const struct message *message)
{
	char *output;
	size_t len;
	int rc;

	if (!message->len || !skip_prompt(exchange)) {
		exchange_answer(exchange, AUTH_BAD, OVER);
		return;
	}
	if (wants_binding(exchange, message)) {
		exchange_answer(exchange, AUTH_FAILED, OVER);
		return;
	}
	if (exchange->mechanism == SCRAM && exchange->steps && !exchange_guess(exchange)) {
		exchange_answer(exchange, AUTH_LATER, OVER);
		return;
	}
	rc = ask_gsasl(exchange, message, &output, &len);
	take_output(exchange, rc, output, len);
	gsasl_free(output);
}

/* No initial response: the client is asked for one. */
static void take_nothing(struct auth_exchange *exchange)
{
	char *output;
	size_t len;

	if (exchange->lines > 1)
		exchange_answer(exchange, AUTH_BAD, OVER);
	else if (mechanisms[exchange->mechanism].client_first)
		go_on(exchange, "", 0, LINE);
	else {
		const int rc = ask_gsasl(exchange, NULL, &output, &len);

		take_output(exchange, rc, output, len);
		gsasl_free(output);
	}
}

/* RFC 4648 4: in the alphabet, padded, and with no bit too many. */
static bool decode(const struct auth_exchange *exchange, const char *line, struct message *out)
{
	const size_t len = line ? strnlen(line, AUTH_LINE_MAX + 1) : 0;

	out->len = 0;
	out->given = line != NULL;
	if (!len || (exchange->lines == 1 && !strcmp(line, "=")))
		return true;
	return len <= AUTH_LINE_MAX &&
	       !sodium_base642bin((uint8_t *)out->octets, sizeof(out->octets), line, len, NULL,
				  &out->len, NULL, sodium_base64_VARIANT_ORIGINAL);
}

void auth_exchange_step(struct auth_exchange *exchange, const char *line)
{
	const enum exchange_state state = exchange->state;
	struct message message;

	if (state != LINE && state != LAST)
		return;
	exchange->state = BUSY;
	if (++exchange->lines > AUTH_LINES_MAX || !decode(exchange, line, &message))
		exchange_answer(exchange, AUTH_BAD, OVER);
	else if (state == LAST)
		exchange_answer(exchange, message.given && !message.len ? AUTH_DONE : AUTH_BAD,
				OVER);
	else if (message.given)
		take_message(exchange, &message);
	else
		take_nothing(exchange);
	sodium_memzero(&message, sizeof(message));
}

void auth_exchange_decide(struct auth_exchange *exchange, bool right)
{
	if (exchange->state == BACKEND)
		exchange_answer(exchange, exchange_conclude(exchange, right), OVER);
}

void auth_exchange_defer(struct auth_exchange *exchange)
{
	if (exchange->state == BACKEND)
		exchange_answer(exchange, exchange_postpone(exchange), OVER);
}

/* Beginning and end */

static bool find_mechanism(const struct auth_accounts *accounts, const char *name,
			   enum mechanism *out)
{
	for (*out = 0; *out < MECHANISMS; ++*out)
		if (!strcasecmp(mechanisms[*out].name, name))
			return *out == SCRAM ? auth_has_scram(accounts)
					     : auth_has_passwords(accounts);
	return false;
}

/* False if there is no such mechanism, or memory is short; what was made is to be given back. */
static bool start(struct auth_exchange *exchange, const char *mechanism)
{
	exchange->accounts = auth_accounts(exchange->auth);
	if (!find_mechanism(&exchange->accounts, mechanism, &exchange->mechanism) ||
	    gsasl_server_start(exchange->auth->gsasl, mechanisms[exchange->mechanism].name,
			       &exchange->sasl) != GSASL_OK)
		return false;
	gsasl_session_hook_set(exchange->sasl, exchange);
	return true;
}

static void let_go(struct auth_exchange *exchange)
{
	if (exchange->sasl)
		gsasl_finish(exchange->sasl);
	users_release(&exchange->accounts.users);
	auth_close(&exchange->auth);
}

struct auth_exchange *auth_exchange_start(struct auth *auth, uv_loop_t *loop, const char *mechanism,
					  const struct addr *source, auth_cb cb, void *arg)
{
	struct auth_exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->auth = auth_hold(auth);
	exchange->source = *source;
	exchange->cb = cb;
	exchange->arg = arg;
	if (!start(exchange, mechanism) || uv_async_init(loop, &exchange->wake, on_wake)) {
		let_go(exchange);
		free(exchange);
		return NULL;
	}
	exchange->wake.data = exchange;
	return exchange;
}

static void on_closed(uv_handle_t *handle)
{
	struct auth_exchange *exchange = handle->data;

	free(exchange->text);
	sodium_memzero(exchange, sizeof(*exchange));
	free(exchange);
}

void auth_exchange_end(struct auth_exchange **ended)
{
	struct auth_exchange *exchange = *ended;

	if (!exchange)
		return;
	*ended = NULL;
	hash_end(&exchange->job);
	let_go(exchange);
	exchange->state = OVER;
	uv_close((uv_handle_t *)&exchange->wake, on_closed);
}
