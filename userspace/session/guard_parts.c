/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_parts.c - what a guard is put together from, with what the configuration says.
 *
 * Called by guard_open(), before there is a thread.
 */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "session/guard_internal.h"

#define REFUSAL_TEXT "refused: the reputation of your address is bad"

static bool socket_address(const struct sockaddr *from, struct addr *out)
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)from;

	if (from && from->sa_family == AF_INET)
		*out = addr_from_ipv4(ntohl(ipv4->sin_addr.s_addr));
	else if (from && from->sa_family == AF_INET6)
		memcpy(out->byte, &ipv6->sin6_addr, sizeof(out->byte));
	else
		return false;
	return true;
}

static void find_own(struct guard *guard)
{
	struct ifaddrs *all = NULL;

	if (gethostname(guard->own_host, sizeof(guard->own_host) - 1))
		guard->own_host[0] = '\0';
	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *at = all; at; at = at->ifa_next)
		if (guard->own_addresses < HELO_OWN_MAX &&
		    socket_address(at->ifa_addr, &guard->own_address[guard->own_addresses]))
			guard->own_addresses++;
	freeifaddrs(all);
}

static bool resolver_rewrites(void *arg)
{
	return dns_resolver_rewrites(arg);
}

/* Each zone has a budget of its own, so that a slow one holds up no other. */
static size_t list_zones(const struct conf_zones *zones, struct dns_zone *out, size_t count)
{
	for (size_t i = 0; i < zones->count && count < DNS_ZONES_MAX; i++)
		out[count++] = (struct dns_zone){ .suffix = zones->zone[i].name };
	return count;
}

static int open_resolver(struct guard *guard, const struct conf *conf, struct error *err)
{
	struct dns_zone zones[DNS_ZONES_MAX];
	struct dns_options options;
	int failed = dns_options_default(&options, err);

	if (failed)
		return failed;
	dns_options_conf(&options, conf);
	options.zone = zones;
	options.zone_count = list_zones(&conf->dnsbl.zones, zones, 0);
	options.zone_count = list_zones(&conf->dnsbl.domains, zones, options.zone_count);
	return dns_resolver_open(&guard->loop, &options, &guard->resolver, err);
}

static int open_dnsbl(struct guard *guard, const struct conf *conf, struct error *err)
{
	const struct dnsbl_options options = {
		.dns = dns_resolver_dns(guard->resolver),
		.addresses = &conf->dnsbl.zones,
		.domains = &conf->dnsbl.domains,
		.test_interval = conf->dnsbl.test_interval,
		.rewrites = resolver_rewrites,
		.arg = guard->resolver,
	};

	return dnsbl_open(&options, &guard->dnsbl, err);
}

/* No longer than it could be, were it new: a machine that has just started may take it for 1970. */
static uint32_t seconds_left(const struct escalation_rules *rules,
			     const struct history_record *record)
{
	const uint32_t now = clock_wall();
	const uint32_t left = record->until > now ? record->until - now : 0;
	const uint32_t most = record->kind == GATE_LEARNED_TRUSTED ? rules->trust : rules->ttl_max;

	return left < most ? left : most;
}

/* What the kernel has forgotten, because the machine was started again. */
static void restore(const struct history_record *record, void *arg)
{
	struct guard *guard = arg;
	const struct gate_learned learned = {
		.addr = record->addr,
		.kind = (enum gate_learned_kind)record->kind,
		.action = (enum action)record->action,
		.seconds = seconds_left(&guard->rules.escalation, record),
	};
	struct gate_learned known;

	if (learned.kind != GATE_LEARNED_NONE && learned.seconds &&
	    !gate_learned_find(guard->gate, &record->addr, &known))
		gate_learn(guard->gate, &learned);
}

static int get_history(struct store *store, void *arg, struct error *err)
{
	struct guard *guard = arg;
	const struct history_drain drain = { &guard->rules.escalation, clock_wall() };

	return history_load(guard->history, &drain, store, err);
}

static int open_memory(struct guard *guard, const struct conf *conf, struct error *err)
{
	int failed = verdicts_open(&guard->verdicts, conf->guard.cache, err);

	if (!failed)
		failed = greylist_open(&guard->greylist, GUARD_GREYLIST, err);
	if (!failed)
		failed = history_open(&guard->history, GUARD_HISTORIES, err);
	if (!failed)
		failed = lists_with_store(guard->lists, get_history, guard, err);
	if (!failed && guard->watching)
		history_each(guard->history, restore, guard);
	return failed;
}

/*
 * Each lookup has a question at each list under way, and one for names of strangers. So that forged
 * SYNs leave half of every budget of the resolver, there are only so many for them.
 */
static size_t syn_lookups(const struct conf *conf)
{
	const size_t lists = conf->dnsbl.zones.count + 2;
	const size_t all = conf->dns.in_flight / (2 * lists), zone = conf->dns.in_flight_zone / 2;
	size_t most = GUARD_LOOKUPS_MAX / 2;

	if (all < most)
		most = all;
	if (conf->dnsbl.zones.count && zone < most)
		most = zone;
	return most ? most : 1;
}

int guard_open_parts(struct guard *guard, const struct conf *conf, struct error *err)
{
	int failed = 0;

	find_own(guard);
	guard->syn_max = syn_lookups(conf);
	if (guard->watching)
		failed = lists_own(guard->lists, LEARNED_LIST, REFUSAL_TEXT, &guard->slot, err);
	if (!failed)
		failed = open_memory(guard, conf, err);
	if (!failed)
		failed = open_resolver(guard, conf, err);
	if (!failed)
		failed = open_dnsbl(guard, conf, err);
	return failed;
}
