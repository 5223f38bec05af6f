/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_names.c - the names of an mx, which are asked for all at once and taken in order; and
 * the validated names of the client (RFC 7208 5.5), which are found at most once an evaluation and
 * serve every ptr and every %{p} in it.
 *
 * A client says itself what its names are, so what goes wrong with them never is an error: a name
 * that cannot be validated is left out, and there are at most SPF_NAMES_MAX.
 */
#include "checks/spf_internal.h"

#include <stdlib.h>
#include <string.h>

#include "checks/host.h"

/* Many names at once */

/* Takes what has been answered, up to the first name that has not. */
void spf_go_on_resolving(struct spf *spf)
{
	while (spf->next_slot < spf->slots) {
		const struct spf_slot *slot = &spf->slot[spf->next_slot];

		if (slot->outcome == SPF_PENDING)
			return;
		spf->next_slot++;
		if (!spf->resolved(spf, slot))
			return;
	}
	spf->waiting = false;
	spf->all_resolved(spf);
}

void spf_resolve_slots(struct spf *spf, size_t count,
		       bool (*resolved)(struct spf *spf, const struct spf_slot *slot),
		       void (*all)(struct spf *spf))
{
	spf->slots = count;
	spf->next_slot = 0;
	spf->resolved = resolved;
	spf->all_resolved = all;
	spf->waiting = count > 0;
	for (size_t i = 0; i < count; i++)
		spf_ask_slot(spf, &spf->slot[i], host_address_type(&spf->ip));
	if (!count)
		all(spf);
}

/* The client's names */

static void names_known(struct spf *spf)
{
	spf->names.known = true;
	spf->names_known(spf);
}

static bool name_resolved(struct spf *spf, const struct spf_slot *slot)
{
	if (slot->outcome == SPF_MATCH)
		memcpy(spf->names.name[spf->names.count++], slot->name, sizeof(slot->name));
	return true;
}

/* The first names that can be used. An escaped one could pretend to be within a domain. */
static size_t fill_slots(struct spf *spf, const struct dns_answer *answer)
{
	size_t count = 0;

	for (size_t i = 0; i < answer->count && i < SPF_NAMES_MAX; i++) {
		const char *name = answer->record[i].text;

		if (spf_name_valid(name) && !strchr(name, '\\'))
			memcpy(spf->slot[count++].name, name, strlen(name) + 1);
	}
	return count;
}

static void got_names(struct spf *spf, const struct dns_answer *answer)
{
	spf->names.none = answer->status == DNS_NODATA || answer->status == DNS_NXDOMAIN;
	spf->names.name = calloc(SPF_NAMES_MAX, sizeof(spf->names.name[0]));
	if (!spf->names.name || answer->status != DNS_FOUND) {
		names_known(spf);
		return;
	}
	spf->cidr4 = 32;
	spf->cidr6 = 128;
	spf_resolve_slots(spf, fill_slots(spf, answer), name_resolved, names_known);
}

void spf_need_names(struct spf *spf, void (*then)(struct spf *spf))
{
	char name[HOST_REVERSE_MAX];

	if (spf->names.known) {
		then(spf);
		return;
	}
	spf->names_known = then;
	host_reverse_name(&spf->ip, name);
	spf_ask(spf, name, DNS_PTR, got_names);
}

/* The domain itself, or else a name below it, or else any (7.3). */
const char *spf_validated_name(const struct spf *spf, const char *domain)
{
	const char *below = NULL;

	for (size_t i = 0; i < spf->names.count; i++) {
		const char *name = spf->names.name[i];

		if (strcasecmp(name, domain) == 0)
			return name;
		if (!below && host_name_within(name, domain))
			below = name;
	}
	return below || !spf->names.count ? below : spf->names.name[0];
}
