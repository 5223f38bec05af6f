/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/mx.c - implements checks/mx.h.
 *
 * Each host has two slots, one for a family; what is found in them is put together when the last
 * one has been answered. A domain without MX is one host that has the domain's name.
 */
#include "checks/mx.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "checks/host.h"
#include "lib/text.h"

#define FAMILIES      2
#define NETWORK_BITS4 (ADDR_IPV4_OFFSET + 24)
#define NETWORK_BITS6 64
#define ALL_ADDRESSES ((size_t)(MX_HOSTS_MAX * MX_ADDRESSES_MAX))

struct slot {
	struct mx *mx;
	struct dns_query *query;
	bool failed, more;
	size_t addresses;
	struct addr address[MX_ADDRESSES_MAX];
};

struct mx {
	struct dns *dns;
	char domain[DNS_NAME_MAX + 1];
	struct dns_query *query; /* for the MX */
	struct slot slot[MX_HOSTS_MAX][FAMILIES];
	size_t waiting; /* slots that have not been answered */
	struct mx_result result;
	bool done;
	mx_cb cb;
	void *arg;
};

const char *mx_kind_name(enum mx_kind kind)
{
	static const char *const names[MX_KINDS] = {
		[MX_LISTED] = "listed",   [MX_IMPLICIT] = "implicit",   [MX_NULL] = "null",
		[MX_MISSING] = "missing", [MX_TEMPORARY] = "temporary",
	};

	return names[kind];
}

/* Calls back, so everything may be gone afterwards. */
static void finish(struct mx *mx, enum mx_kind kind)
{
	mx->result.kind = kind;
	mx->done = true;
	mx->cb(&mx->result, mx->arg);
}

/* Addresses */

static void add_address(struct mx_host *host, const struct addr *addr)
{
	if (host->addresses == MX_ADDRESSES_MAX) {
		host->more = true;
		return;
	}
	host->address[host->addresses++] =
		(struct mx_address){ .addr = *addr, .local = host_address_is_local(addr) };
}

/* One of each family in turns, so that the limit leaves room for both. */
static void take_addresses(struct mx_host *host, const struct slot slot[FAMILIES])
{
	for (size_t i = 0; i < MX_ADDRESSES_MAX; i++)
		for (size_t family = 0; family < FAMILIES; family++)
			if (i < slot[family].addresses)
				add_address(host, &slot[family].address[i]);
	host->more |= slot[0].more || slot[1].more;
	if (host->addresses || host->trouble != MX_FINE)
		return;
	host->trouble = slot[0].failed || slot[1].failed ? MX_UNKNOWN : MX_NO_ADDRESS;
}

static void all_answered(struct mx *mx)
{
	struct mx_result *result = &mx->result;

	for (size_t i = 0; i < result->hosts; i++)
		take_addresses(&result->host[i], mx->slot[i]);
	if (result->kind == MX_LISTED || result->host[0].trouble == MX_FINE) {
		finish(mx, result->kind);
		return;
	}
	result->hosts = 0;
	finish(mx, result->host[0].trouble == MX_UNKNOWN ? MX_TEMPORARY : MX_MISSING);
}

static void on_addresses(const struct dns_answer *answer, void *arg)
{
	struct slot *slot = arg;

	slot->query = NULL;
	slot->failed = answer->status == DNS_TEMPORARY || answer->status == DNS_BUSY;
	for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++) {
		if (slot->addresses == MX_ADDRESSES_MAX)
			slot->more = true;
		else
			slot->address[slot->addresses++] = answer->record[i].addr;
	}
	if (--slot->mx->waiting == 0)
		all_answered(slot->mx);
}

static void ask_for_addresses(struct mx *mx)
{
	static const enum dns_type types[FAMILIES] = { DNS_A, DNS_AAAA };

	for (size_t i = 0; i < mx->result.hosts; i++) {
		const struct mx_host *host = &mx->result.host[i];

		for (size_t family = 0; host->trouble == MX_FINE && family < FAMILIES; family++) {
			struct slot *slot = &mx->slot[i][family];

			slot->mx = mx;
			mx->waiting++;
			mx->result.queries++;
			slot->query =
				dns_ask(mx->dns, host->name, types[family], on_addresses, slot);
		}
	}
	if (!mx->waiting)
		all_answered(mx);
}

/* Hosts */

static void make_host(const struct dns_record *record, struct mx_host *out)
{
	*out = (struct mx_host){ .preference = record->preference };
	text_clean(out->name, sizeof(out->name), record->text, strlen(record->text));
	if (!host_name_is_valid(record->text, false) || host_name_is_local(record->text))
		out->trouble = MX_BAD_NAME;
}

/* By preference, then by name; a host that stands there twice counts once, as the better one. */
static int compare_hosts(const struct mx_host *a, const struct mx_host *b)
{
	if (a->preference != b->preference)
		return a->preference < b->preference ? -1 : 1;
	return strcasecmp(a->name, b->name);
}

static bool forget_worse(struct mx_result *result, const struct mx_host *host)
{
	for (size_t i = 0; i < result->hosts; i++) {
		if (strcasecmp(result->host[i].name, host->name) != 0)
			continue;
		if (result->host[i].preference <= host->preference)
			return false;
		memmove(&result->host[i], &result->host[i + 1],
			(--result->hosts - i) * sizeof(result->host[0]));
		return true;
	}
	return true;
}

static void add_host(struct mx_result *result, const struct mx_host *host)
{
	size_t at;

	if (!forget_worse(result, host))
		return;
	at = result->hosts;
	while (at > 0 && compare_hosts(host, &result->host[at - 1]) < 0)
		at--;
	if (result->hosts == MX_HOSTS_MAX) {
		result->more = true;
		if (at == MX_HOSTS_MAX)
			return;
		result->hosts--;
	}
	memmove(&result->host[at + 1], &result->host[at],
		(result->hosts++ - at) * sizeof(result->host[0]));
	result->host[at] = *host;
}

/* The null MX beside others says nothing (RFC 7505 3). */
static void take_hosts(struct mx *mx, const struct dns_answer *answer)
{
	mx->result.kind = MX_LISTED;
	mx->result.more = answer->cut;
	for (size_t i = 0; i < answer->count; i++) {
		struct mx_host host;

		if (!*answer->record[i].text)
			continue;
		make_host(&answer->record[i], &host);
		add_host(&mx->result, &host);
	}
}

static void be_own_host(struct mx *mx)
{
	mx->result.kind = MX_IMPLICIT;
	mx->result.hosts = 1;
	memcpy(mx->result.host[0].name, mx->domain, sizeof(mx->domain));
}

static void on_exchanges(const struct dns_answer *answer, void *arg)
{
	struct mx *mx = arg;

	mx->query = NULL;
	if (answer->status == DNS_TEMPORARY || answer->status == DNS_BUSY) {
		finish(mx, MX_TEMPORARY);
		return;
	}
	if (answer->status == DNS_NXDOMAIN) {
		finish(mx, MX_MISSING);
		return;
	}
	if (answer->status == DNS_FOUND || answer->cut)
		take_hosts(mx, answer);
	else
		be_own_host(mx);
	if (mx->result.hosts || answer->cut)
		ask_for_addresses(mx);
	else
		finish(mx, MX_NULL);
}

/* Start and end */

struct mx *mx_start(struct dns *dns, const char *domain, mx_cb cb, void *arg)
{
	struct mx *mx = calloc(1, sizeof(*mx));

	if (!mx)
		return NULL;
	mx->dns = dns;
	mx->cb = cb;
	mx->arg = arg;
	host_name_take(domain, true, mx->domain);
	mx->result.queries = 1;
	mx->query = dns_ask(dns, mx->domain, DNS_MX, on_exchanges, mx);
	return mx;
}

struct mx_result *mx_result(struct mx *mx)
{
	return mx->done ? &mx->result : NULL;
}

void mx_free(struct mx **mx)
{
	struct mx *old = *mx;

	if (!old)
		return;
	*mx = NULL;
	dns_cancel(old->dns, &old->query);
	for (size_t i = 0; i < MX_HOSTS_MAX; i++)
		for (size_t family = 0; family < FAMILIES; family++)
			dns_cancel(old->dns, &old->slot[i][family].query);
	free(old);
}

/* Independence */

static struct prefix network_of(const struct addr *addr)
{
	return prefix_of(addr, addr_is_ipv4(addr) ? NETWORK_BITS4 : NETWORK_BITS6);
}

static struct prefix itself(const struct addr *addr)
{
	return prefix_of(addr, ADDR_BITS);
}

typedef struct prefix (*scope_fn)(const struct addr *addr);

static bool host_works(const struct mx_host *host)
{
	for (size_t i = 0; i < host->addresses; i++)
		if (host->address[i].works)
			return true;
	return false;
}

/* How many different prefixes the addresses are in that work. */
static size_t count_different(const struct mx_result *result, scope_fn scope)
{
	struct prefix seen[ALL_ADDRESSES];
	size_t count = 0;

	for (size_t i = 0; i < result->hosts * MX_ADDRESSES_MAX; i++) {
		const struct mx_host *host = &result->host[i / MX_ADDRESSES_MAX];
		const struct mx_address *address = &host->address[i % MX_ADDRESSES_MAX];
		size_t known = 0;

		if (i % MX_ADDRESSES_MAX >= host->addresses || !address->works)
			continue;
		seen[count] = scope(&address->addr);
		while (prefix_compare(&seen[known], &seen[count]) != 0)
			known++;
		count += known == count;
	}
	return count;
}

static bool have_common(const struct mx_host *a, const struct mx_host *b, scope_fn scope)
{
	for (size_t i = 0; i < a->addresses; i++) {
		const struct prefix prefix = scope(&a->address[i].addr);

		for (size_t k = 0; a->address[i].works && k < b->addresses; k++)
			if (b->address[k].works && prefix_contains(&prefix, &b->address[k].addr))
				return true;
	}
	return false;
}

/* Whether two of the hosts that work have nothing in common. */
static bool have_strangers(const struct mx_result *result, scope_fn scope)
{
	for (size_t i = 0; i < result->hosts; i++)
		for (size_t k = 0; host_works(&result->host[i]) && k < i; k++)
			if (host_works(&result->host[k]) &&
			    !have_common(&result->host[i], &result->host[k], scope))
				return true;
	return false;
}

void mx_count(const struct mx_result *result, struct mx_counts *out)
{
	*out = (struct mx_counts){
		.addresses = count_different(result, itself),
		.networks = count_different(result, network_of),
		.independent = have_strangers(result, itself),
		.apart = have_strangers(result, network_of),
	};
	for (size_t i = 0; i < result->hosts; i++)
		out->hosts += host_works(&result->host[i]);
}
