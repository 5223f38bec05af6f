/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/resolve.c - see session/resolve.h.
 */
#include "session/resolve.h"

static bool resolver_rewrites(void *arg)
{
	return dns_resolver_rewrites(arg);
}

static size_t list_zones(const struct conf_zones *zones, struct dns_zone *out, size_t count)
{
	for (size_t i = 0; i < zones->count && count < DNS_ZONES_MAX; i++)
		out[count++] = (struct dns_zone){ .suffix = zones->zone[i].name };
	return count;
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
	options.zone_count = list_zones(&conf->dnsbl.zones, zones, 0);
	options.zone_count = list_zones(&conf->dnsbl.domains, zones, options.zone_count);
	return dns_resolver_open(loop, &options, out, err);
}

int resolve_open_lists(struct dns_resolver *resolver, const struct conf *conf, bool addresses,
		       struct dnsbl **out, struct error *err)
{
	static const struct conf_zones none;
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
