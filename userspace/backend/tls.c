/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/tls.c - see backend/backend.h: what TLS with the servers wants, read before all else.
 */
#include <string.h>

#include "backend/internal.h"

static unsigned int kind_of(const struct conf_backend *row)
{
	return row->tls & ~(unsigned int)CONF_BACKEND_IMPLICIT;
}

/* One context for all servers that want the same, because CAs take long to read. */
static struct tls_context *context_of_another(const struct conf_backends *rows, size_t number,
					      const struct backend_tls *tls)
{
	const struct conf_backend *row = &rows->backend[number];

	for (size_t i = 0; i < number; i++)
		if (tls->context[i] && kind_of(&rows->backend[i]) == kind_of(row) &&
		    !strcmp(rows->backend[i].fingerprint, row->fingerprint))
			return tls_ref(tls->context[i]);
	return NULL;
}

static int open_context(const struct conf *conf, const struct conf_backend *row,
			struct tls_context **out, struct error *err)
{
	struct tls_client_options options = { .verify = TLS_VERIFY_NONE };

	switch (kind_of(row)) {
	case CONF_BACKEND_VERIFY:
		options.verify = TLS_VERIFY_CA;
		options.ca_file = *conf->smtp.backend_ca ? conf->smtp.backend_ca : NULL;
		break;
	case CONF_BACKEND_PIN:
		options.verify = TLS_VERIFY_FINGERPRINT;
		options.fingerprint = row->fingerprint;
		break;
	}
	if (!tls_client_open(&options, out, err))
		return 0;
	return error_prefix(err, options.ca_file ? "smtp.backend-ca" : "smtp.backends");
}

int backend_tls_open(const struct conf *conf, struct backend_tls *out, struct error *err)
{
	const struct conf_backends *rows = &conf->smtp.backends;
	struct backend_tls tls = { 0 };
	int failed = 0;

	for (size_t i = 0; i < rows->count && !failed; i++) {
		if (rows->backend[i].tls == CONF_BACKEND_PLAIN)
			continue;
		tls.context[i] = context_of_another(rows, i, &tls);
		if (!tls.context[i])
			failed = open_context(conf, &rows->backend[i], &tls.context[i], err);
	}
	if (failed)
		backend_tls_unref(&tls);
	else
		*out = tls;
	return failed;
}

bool backend_tls_same(const struct backend_tls *one, const struct backend_tls *other)
{
	for (size_t i = 0; i < BACKENDS_MAX; i++) {
		const struct tls_context *here = one->context[i], *there = other->context[i];

		if (!here != !there || (here && !tls_same_authorities(here, there)))
			return false;
	}
	return true;
}

struct backend_tls backend_tls_ref(const struct backend_tls *tls)
{
	struct backend_tls copy = *tls;

	for (size_t i = 0; i < BACKENDS_MAX; i++)
		if (copy.context[i])
			tls_ref(copy.context[i]);
	return copy;
}

void backend_tls_unref(struct backend_tls *tls)
{
	for (size_t i = 0; i < BACKENDS_MAX; i++)
		tls_unref(&tls->context[i]);
}
