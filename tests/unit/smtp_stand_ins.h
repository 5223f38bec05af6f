/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/smtp_stand_ins.h - what stands in for the parts around a session: streams and
 * listeners without sockets, TLS that encrypts nothing, a backend, accounts and a guard that do as
 * the test says.
 *
 * These are definitions of the real names, so that the linker takes them in place of the real
 * parts. One source of a program includes this. Nothing calls back from inside a call: what is owed
 * stands in a queue, and stand_ins_work() does it.
 */
#ifndef POSTERN_TESTS_SMTP_STAND_INS_H
#define POSTERN_TESTS_SMTP_STAND_INS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "session/smtp/internal.h"

/* Octets that grow. */
struct octets {
	char *data;
	size_t size;
};

static void octets_add(struct octets *octets, const void *data, size_t size)
{
	octets->data = realloc(octets->data, octets->size + size + 1);
	memcpy(octets->data + octets->size, data, size);
	octets->size += size;
	octets->data[octets->size] = '\0';
}

static void octets_take(struct octets *octets, size_t size)
{
	memmove(octets->data, octets->data + size, octets->size - size + 1);
	octets->size -= size;
}

static void octets_free(struct octets *octets)
{
	free(octets->data);
	*octets = (struct octets){ 0 };
}

/* The backend's answers; a text of NULL is the usual one. */
struct stand_in_reply {
	unsigned int code;
	const char *text;
};

static struct {
	void (*owed[256])(void *arg); /* in order */
	void *owed_arg[256];
	size_t owed_count;

	/* The one stream there is. */
	struct stream *stream;
	bool handshake_fails;
	struct addr seen; /* whose connection it is */

	/* Of the listeners, the last one. */
	struct listener_options listener;
	bool listening;

	/* The backend. */
	unsigned int features;
	uint64_t size;
	struct stand_in_reply message, refusal;
	bool silent;               /* it answers nothing, until stand_in_speaks() */
	struct backend_mail *mail; /* the last one, while it is there */
	bool down;
	struct octets said, delivered;
	unsigned int deliveries, mails, closed_backends;
	unsigned int auths; /* that were begun and not ended */

	/* Accounts. */
	const char *mechanisms;
	struct auth_throttle throttle;
	bool backend_auth;
	unsigned int auth_failures;

	/* The guard. */
	struct verdict verdict;
	bool has_verdict, verdict_later, no_verdict;
	struct guard_standing standing;
	unsigned int offences, goods;
	struct guard_wait *wait;
	struct greylist *greylist;   /* a real one, by the clock of the test */
	char greylisted[DOMAIN_MAX]; /* the domain that it was asked about last */
} stand_in;

static void owe(void (*call)(void *arg), void *arg)
{
	if (stand_in.owed_count == sizeof(stand_in.owed) / sizeof(stand_in.owed[0]))
		abort();
	stand_in.owed[stand_in.owed_count] = call;
	stand_in.owed_arg[stand_in.owed_count++] = arg;
}

static void forget_owed(const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < stand_in.owed_count; i++) {
		if (stand_in.owed_arg[i] == arg)
			continue;
		stand_in.owed[kept] = stand_in.owed[i];
		stand_in.owed_arg[kept++] = stand_in.owed_arg[i];
	}
	stand_in.owed_count = kept;
}

/* Whether there was anything. */
static bool stand_ins_work(void)
{
	void (*call)(void *arg) = stand_in.owed[0];
	void *arg = stand_in.owed_arg[0];

	if (!stand_in.owed_count)
		return false;
	stand_in.owed_count--;
	memmove(stand_in.owed, stand_in.owed + 1, stand_in.owed_count * sizeof(stand_in.owed[0]));
	memmove(stand_in.owed_arg, stand_in.owed_arg + 1,
		stand_in.owed_count * sizeof(stand_in.owed_arg[0]));
	call(arg);
	return true;
}

/* Streams */

void stream_peer(const struct stream *stream, struct addr *addr, uint16_t *port)
{
	(void)stream;
	*addr = stand_in.seen;
	*port = 4711;
}

struct stream {
	const struct stream_owner *owner;
	void *arg;
	struct octets in, out;
	bool unread; /* something has come that nobody has read */
	bool closed, tls;
	size_t stuck; /* octets that the peer does not read */
};

static struct stream *stand_in_stream(void)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	stand_in.stream = stream;
	return stream;
}

static inline void stand_in_stream_free(void)
{
	if (!stand_in.stream)
		return;
	octets_free(&stand_in.stream->in);
	octets_free(&stand_in.stream->out);
	free(stand_in.stream);
	stand_in.stream = NULL;
}

/* The peer says something, or that it says no more. */
static void stand_in_says(const void *data, size_t size)
{
	struct stream *stream = stand_in.stream;

	octets_add(&stream->in, data, size);
	if (!stream->closed)
		stream->owner->readable(stream, stream->arg);
}

static void stand_in_ends(enum stream_end end)
{
	struct stream *stream = stand_in.stream;

	if (!stream->closed)
		stream->owner->ended(stream, end, stream->arg);
}

void stream_give(struct stream *stream, const struct stream_owner *owner, void *arg)
{
	stream->owner = owner;
	stream->arg = arg;
}

const uint8_t *stream_input(const struct stream *stream, size_t *size)
{
	*size = stream->in.size;
	return (const uint8_t *)stream->in.data;
}

bool stream_has_come(const struct stream *stream)
{
	return stream->in.size || stream->unread;
}

void stream_take(struct stream *stream, size_t size)
{
	if (size > stream->in.size)
		abort();
	if (size)
		octets_take(&stream->in, size);
}

bool stream_write(struct stream *stream, const void *data, size_t size)
{
	octets_add(&stream->out, data, size);
	return true;
}

size_t stream_queued(const struct stream *stream)
{
	return stream->stuck;
}

void stream_cork(struct stream *stream)
{
	if (stream->closed)
		abort();
}

void stream_uncork(struct stream *stream)
{
	if (stream->closed)
		abort();
}

static void handshake(void *arg)
{
	struct stream *stream = arg;

	if (stand_in.handshake_fails) {
		stand_in_ends(STREAM_FAILED);
		return;
	}
	stream->tls = true;
	stream->owner->secured(stream, stream->arg);
}

int stream_start_tls(struct stream *stream, struct tls_context *context, const char *name,
		     struct error *err)
{
	(void)name;
	if (stream->in.size || !context)
		return error_set(err, ERROR_REFUSED, "something was said before");
	owe(handshake, stream);
	return 0;
}

const struct stream_tls *stream_tls(struct stream *stream)
{
	static const struct stream_tls tls = { "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, false,
					       "" };

	return stream->tls ? &tls : NULL;
}

void stream_close(struct stream **stream)
{
	if (!*stream)
		return;
	forget_owed(*stream);
	(*stream)->closed = true;
	*stream = NULL;
}

struct tls_context *tls_ref(struct tls_context *context)
{
	return context;
}

void tls_unref(struct tls_context **context)
{
	*context = NULL;
}

/* Listeners */

int listener_open(const struct listener_options *options, struct listener **out, struct error *err)
{
	(void)err;
	stand_in.listener = *options;
	stand_in.listening = true;
	*out = (struct listener *)&stand_in;
	return 0;
}

void listener_close(struct listener **listener)
{
	if (*listener)
		stand_in.listening = false;
	*listener = NULL;
}

/* The guard */

struct guard_wait {
	guard_wait_cb cb;
	void *arg;
};

static inline void tell_verdict(void *arg)
{
	struct guard_wait *wait = arg;

	stand_in.wait = NULL;
	stand_in.verdict_later = false;
	wait->cb(stand_in.no_verdict ? NULL : &stand_in.verdict, wait->arg);
	free(wait);
}

bool guard_client_ask(struct guard_client *client, const struct addr *addr, struct verdict *out,
		      struct guard_wait **wait, guard_wait_cb cb, void *arg)
{
	(void)client;
	*wait = NULL;
	stand_in.verdict.addr = *addr;
	if (!stand_in.verdict_later) {
		*out = stand_in.verdict;
		return stand_in.has_verdict;
	}
	*wait = calloc(1, sizeof(**wait));
	**wait = (struct guard_wait){ cb, arg };
	stand_in.wait = *wait;
	return false;
}

void guard_client_cancel(struct guard_wait **wait)
{
	if (*wait)
		stand_in.wait = NULL;
	free(*wait);
	*wait = NULL;
}

struct greylist_answer guard_client_greylist(struct guard_client *client,
					     const struct greylist_rules *rules,
					     const struct greylist_key *key)
{
	(void)client;
	if (!stand_in.greylist && greylist_open(&stand_in.greylist, 100, NULL))
		abort();
	snprintf(stand_in.greylisted, sizeof(stand_in.greylisted), "%s",
		 key->domain ? key->domain : "none");
	return greylist_ask(stand_in.greylist, rules, key, clock_wall());
}

void guard_client_standing(struct guard_client *client, const struct addr *addr,
			   struct guard_standing *out)
{
	(void)client;
	(void)addr;
	*out = stand_in.standing;
}

void guard_client_note(struct guard_client *client, const struct verdict *verdict, bool offence)
{
	(void)client;
	(void)verdict;
	stand_in.offences += offence;
	stand_in.goods += !offence;
}

#endif
