/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/smtp.c - members of the lists of the SMTP front: listeners, networks, domains, certificates.
 *
 * Called by type.c, whose rules hold here, too. A member is words with blanks between them.
 * Backends are read by backend.c.
 */
#include "conf/schema.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

/* Networks that are wider would mean strangers, whom nobody trusts on purpose. */
#define IPV4_WIDEST (ADDR_IPV4_OFFSET + 8)
#define IPV6_WIDEST 7

_Static_assert(offsetof(struct conf_listeners, listener) == sizeof(size_t), "conf: list members");
_Static_assert(offsetof(struct conf_prefixes, prefix) == sizeof(size_t), "conf: list members");
_Static_assert(offsetof(struct conf_domains, domain) == sizeof(size_t), "conf: list members");
_Static_assert(offsetof(struct conf_certificates, certificate) == sizeof(size_t),
	       "conf: list members");
_Static_assert(sizeof(struct prefix) == sizeof(struct addr) + 1,
	       "conf: members of a list are compared as they are");

static const struct {
	const char *name;
	uint16_t port;
} services[CONF_SERVICES] = {
	[CONF_SERVICE_MX] = { "mx", 25 },
	[CONF_SERVICE_SUBMISSION] = { "submission", 587 },
	[CONF_SERVICE_SUBMISSIONS] = { "submissions", 465 },
};

char *conf_word(char **next)
{
	char *word = *next + strspn(*next, BLANKS);

	if (!*word)
		return NULL;
	*next = word + strcspn(word, BLANKS);
	if (**next)
		*(*next)++ = '\0';
	return word;
}

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_REFUSED, "out of memory");
}

/* Sets the service by its name, and the port that goes with it if there is none yet. */
static int read_service(const char *text, const char *word, struct conf_listener *listener,
			struct error *err)
{
	for (int i = 0; i < CONF_SERVICES; i++) {
		if (strcmp(word, services[i].name) != 0)
			continue;
		listener->service = (uint16_t)i;
		if (!listener->port)
			listener->port = services[i].port;
		return 0;
	}
	return conf_refuse(err, text, "has a service that is none of mx, submission, submissions");
}

/* Sets the service by the port; an address without one is for mail from anywhere. */
static int guess_service(const char *text, struct conf_listener *listener, struct error *err)
{
	if (!listener->port)
		listener->port = services[CONF_SERVICE_MX].port;
	for (int i = 0; i < CONF_SERVICES; i++) {
		if (listener->port != services[i].port)
			continue;
		listener->service = (uint16_t)i;
		return 0;
	}
	return conf_refuse(err, text,
			   "has a port that does not say what it is for: add mx, "
			   "submission or submissions");
}

/* Reads the words of a listener; `everywhere`: there was a port alone. */
static int read_listener(const char *text, char *words, struct conf_listener *out, bool *everywhere,
			 struct error *err)
{
	const char *place = conf_word(&words), *service = conf_word(&words);
	struct conf_listener listener = { .port = 0 };
	uint64_t port = 0;

	if (!place || conf_word(&words))
		return conf_refuse(err, text,
				   "is not ADDRESS:PORT and a service, as "
				   "\"[::]:587 submission\"");
	*everywhere = !place[strspn(place, "0123456789")];
	if (*everywhere) {
		if (conf_range_parse(place, 1, UINT16_MAX, &port, err))
			return error_prefix(err, "port");
		listener.port = (uint16_t)port;
	} else if (conf_endpoint_parse(place, &listener.addr, &listener.port, err)) {
		return ERROR_REFUSED;
	}
	*out = listener;
	return service ? read_service(text, service, out, err) : guess_service(text, out, err);
}

int conf_listener_parse(const struct conf_option *option, const char *text, void *field,
			struct error *err)
{
	char *words = strdup(text);
	struct conf_listener listener;
	bool everywhere = false;
	int rc;

	if (!words)
		return out_of_memory(err);
	rc = read_listener(text, words, &listener, &everywhere, err);
	free(words);
	if (!rc && everywhere) {
		listener.addr = addr_from_ipv4(0);
		rc = conf_append(option, field, &listener, sizeof(listener), err);
		listener.addr = addr_from_halves(0, 0);
	}
	return rc ? rc : conf_append(option, field, &listener, sizeof(listener), err);
}

bool conf_listener_same(const void *a, const void *b)
{
	const struct conf_listener *first = a, *second = b;

	return first->port == second->port &&
	       !memcmp(&first->addr, &second->addr, sizeof(first->addr));
}

/* What is listed here is believed, or may send mail to anybody. */
int conf_prefix_parse(const struct conf_option *option, const char *text, void *field,
		      struct error *err)
{
	struct prefix prefix;

	if (prefix_parse(text, strlen(text), &prefix, err)) {
		if (err)
			err->code = ERROR_REFUSED;
		return ERROR_REFUSED;
	}
	if (prefix.len < (prefix_is_ipv4(&prefix) ? IPV4_WIDEST : IPV6_WIDEST))
		return conf_refuse(err, text,
				   "is too wide to be trusted: an IPv4 network has at "
				   "least /8, an IPv6 network /7");
	return conf_append(option, field, &prefix, sizeof(prefix), err);
}

int conf_domain_read(const char *text, char out[CONF_DOMAIN_MAX], struct error *err)
{
	char wrong[ERROR_TEXT_MAX];
	struct error why;

	if (!domain_parse(text, strlen(text), out, &why))
		return 0;
	snprintf(wrong, sizeof(wrong), "is refused: %.*s", (int)sizeof(wrong) / 2, why.text);
	return conf_refuse(err, text, wrong);
}

int conf_domain_parse(const struct conf_option *option, const char *text, void *field,
		      struct error *err)
{
	struct conf_domain domain;

	memset(&domain, 0, sizeof(domain));
	if (conf_domain_read(text, domain.name, err))
		return ERROR_REFUSED;
	return conf_append(option, field, &domain, sizeof(domain), err);
}

/* One file of the two. */
static int read_file(const char *word, char out[CONF_PATH_MAX], struct error *err)
{
	if (strlen(word) >= CONF_PATH_MAX)
		return error_set(err, ERROR_REFUSED, "a path is longer than %d bytes",
				 CONF_PATH_MAX - 1);
	memcpy(out, word, strlen(word));
	return conf_check_path(word, err);
}

static int read_certificate(const char *text, char *words, struct conf_certificate *out,
			    struct error *err)
{
	const char *chain = conf_word(&words), *key = conf_word(&words);
	int rc;

	memset(out, 0, sizeof(*out));
	if (!chain || conf_word(&words))
		return conf_refuse(err, text, "is not the path of a chain and the path of its key");
	rc = read_file(chain, out->chain, err);
	return rc ? rc : read_file(key ? key : chain, out->key, err);
}

int conf_certificate_parse(const struct conf_option *option, const char *text, void *field,
			   struct error *err)
{
	struct conf_certificate certificate;
	char *words = strdup(text);
	int rc;

	if (!words)
		return out_of_memory(err);
	rc = read_certificate(text, words, &certificate, err);
	free(words);
	return rc ? rc : conf_append(option, field, &certificate, sizeof(certificate), err);
}
