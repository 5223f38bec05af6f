/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/relay.c - implements session/smtp/relay.h.
 *
 * Made by the agent at start and at reload, asked by every worker for each RCPT without a lock:
 * nothing changes but the count of those who hold it. Domains are sorted (CONF_DOMAINS_MAX of them
 * at most), networks are walked over (CONF_PREFIXES_MAX), recipients are in a hash table.
 */
#include "session/smtp/relay.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "session/smtp/recipients.h"

struct relay {
	atomic_uint holders;
	struct conf_domains domains; /* sorted */
	struct conf_prefixes networks;
	struct recipients *recipients; /* NULL: the backend knows */
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct conf_domain *)a)->name, ((const struct conf_domain *)b)->name);
}

bool relay_is_own_domain(const struct relay *relay, const char *domain)
{
	struct conf_domain wanted;
	const size_t len = strlen(domain);

	if (len >= sizeof(wanted.name))
		return false;
	memcpy(wanted.name, domain, len + 1);
	return bsearch(&wanted, relay->domains.domain, relay->domains.count, sizeof(wanted),
		       compare) != NULL;
}

static bool is_own(const char *domain, const void *arg)
{
	return relay_is_own_domain(arg, domain);
}

int relay_open(const struct conf *conf, struct relay **out, struct error *err)
{
	struct relay *relay = calloc(1, sizeof(*relay));

	if (!relay)
		return error_set(err, ERROR_REFUSED, "relay control: out of memory");
	atomic_init(&relay->holders, 1);
	relay->domains = conf->smtp.domains;
	relay->networks = conf->smtp.networks;
	qsort(relay->domains.domain, relay->domains.count, sizeof(struct conf_domain), compare);
	if (conf->smtp.recipients[0] &&
	    recipients_load(conf->smtp.recipients, is_own, relay, &relay->recipients, err)) {
		relay_unref(&relay);
		return ERROR_REFUSED;
	}
	*out = relay;
	return 0;
}

struct relay *relay_ref(struct relay *relay)
{
	atomic_fetch_add_explicit(&relay->holders, 1, memory_order_relaxed);
	return relay;
}

/* Who is last frees, after all that the others did with it. */
void relay_unref(struct relay **relay)
{
	struct relay *held = *relay;

	*relay = NULL;
	if (!held || atomic_fetch_sub_explicit(&held->holders, 1, memory_order_acq_rel) != 1)
		return;
	recipients_free(&held->recipients);
	free(held);
}

bool relay_is_trusted(const struct relay *relay, const struct addr *client)
{
	for (size_t i = 0; i < relay->networks.count; i++)
		if (prefix_contains(&relay->networks.prefix[i], client))
			return true;
	return false;
}

static enum relay_answer own_recipient(const struct relay *relay, const struct path *to)
{
	if (!strcasecmp(to->local, "postmaster") || !strcasecmp(to->local, "abuse"))
		return RELAY_SPECIAL;
	if (!relay->recipients)
		return RELAY_ASK;
	switch (recipients_find(relay->recipients, to)) {
	case RECIPIENTS_YES:
		return RELAY_YES;
	case RECIPIENTS_DOMAIN:
		return RELAY_ASK;
	default:
		return RELAY_UNKNOWN;
	}
}

/* Whether the backend could take the address for one that is somewhere else. */
static bool is_doubtful(const struct path *to)
{
	return to->indirect || to->literal || to->route;
}

enum relay_answer relay_recipient(const struct relay *relay, const struct addr *client,
				  const char *user, const struct path *to)
{
	const bool may = user[0] || relay_is_trusted(relay, client);

	if (to->null)
		return RELAY_UNKNOWN;
	if (!may && is_doubtful(to))
		return RELAY_DENIED;
	if (!to->domain[0] || relay_is_own_domain(relay, to->domain))
		return own_recipient(relay, to);
	return may ? RELAY_YES : RELAY_DENIED;
}
