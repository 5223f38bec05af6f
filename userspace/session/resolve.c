/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/resolve.c - see session/resolve.h.
 */
#include "session/resolve.h"

#include <stdlib.h>

static const struct conf_zones none;

static bool resolver_rewrites(void *arg)
{
	return dns_resolver_rewrites(arg);
}

static size_t add_zones(const struct conf_zones *zones, struct dns_zone *out, size_t count)
{
	for (size_t i = 0; i < zones->count && count < DNS_ZONES_MAX; i++)
		out[count++] = (struct dns_zone){ .suffix = zones->zone[i].name };
	return count;
}

static size_t list_zones(const struct conf *conf, struct dns_zone out[DNS_ZONES_MAX])
{
	return add_zones(&conf->dnsbl.domains, out, add_zones(&conf->dnsbl.zones, out, 0));
}

int resolve_open(uv_loop_t *loop, const struct conf *conf, struct dns_resolver **out,
		 struct error *err)
{
	struct dns_zone zones[DNS_ZONES_MAX];
	struct dns_options options;
	int failed = dns_options_default(&options, err);

	if (failed)
		return failed;
	dns_options_conf(&options, conf);
	options.zone = zones;
	options.zone_count = list_zones(conf, zones);
	return dns_resolver_open(loop, &options, out, err);
}

int resolve_open_lists(struct dns_resolver *resolver, const struct conf *conf, bool addresses,
		       struct dnsbl **out, struct error *err)
{
	const struct dnsbl_options options = {
		.dns = dns_resolver_dns(resolver),
		.addresses = addresses ? &conf->dnsbl.zones : &none,
		.domains = &conf->dnsbl.domains,
		.test_interval = conf->dnsbl.test_interval,
		.rewrites = resolver_rewrites,
		.arg = resolver,
	};

	return dnsbl_open(&options, out, err);
}

int resolve_lists_new(const struct conf *conf, bool addresses, struct resolve_lists **out,
		      struct error *err)
{
	struct resolve_lists *lists = calloc(1, sizeof(*lists));
	struct dns_zone zones[DNS_ZONES_MAX];
	int failed;

	if (!lists)
		return error_set(err, ERROR_REFUSED, "DNS lists: out of memory");
	failed = dns_groups_new(zones, list_zones(conf, zones), &lists->groups, err);
	if (!failed)
		failed = dnsbl_set_new(addresses ? &conf->dnsbl.zones : &none, &conf->dnsbl.domains,
				       conf->dnsbl.test_interval, &lists->set, err);
	if (failed)
		resolve_lists_drop(&lists);
	else
		*out = lists;
	return failed;
}

void resolve_lists_drop(struct resolve_lists **lists)
{
	struct resolve_lists *dropped = *lists;

	*lists = NULL;
	if (!dropped)
		return;
	dnsbl_set_drop(&dropped->set);
	dns_groups_drop(&dropped->groups);
	free(dropped);
}

/* The budgets first, because new zones are asked at once. */
void resolve_replace_lists(struct dns_resolver *resolver, struct dnsbl *dnsbl,
			   struct resolve_lists **lists)
{
	dns_resolver_replace_groups(resolver, &(*lists)->groups);
	dnsbl_replace(dnsbl, &(*lists)->set);
	resolve_lists_drop(lists);
}
