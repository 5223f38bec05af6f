/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/guard.c - see obs/guard.h.
 */
#include "obs/guard.h"

#include "lib/clock.h"

static json_t *zones_json(const struct guard_stats *stats)
{
	const uint64_t now = clock_mono_ms();
	json_t *rows = json_array();

	for (size_t i = 0; i < stats->zones; i++) {
		const struct dnsbl_zone_info *zone = &stats->zone[i];
		const uint64_t since = now > zone->since ? (now - zone->since) / MS_A_SECOND : 0;

		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:I, s:b, s:I, s:I, s:I, s:I}", "zone",
				  zone->zone, "of", zone->domains ? "domain" : "address", "health",
				  dnsbl_health_name(zone->health), "seconds", (json_int_t)since,
				  "ipv6", (int)zone->ipv6, "asked", (json_int_t)zone->asked,
				  "listed", (json_int_t)zone->listed, "temporary",
				  (json_int_t)zone->temporary, "errors", (json_int_t)zone->errors));
	}
	return rows;
}

static json_t *verdicts_json(const struct guard_stats *stats)
{
	json_t *counts = json_object();

	for (unsigned int i = 0; i < DECISION_COUNT; i++)
		json_object_set_new(counts, decision_name((enum decision)i),
				    json_integer((json_int_t)stats->verdicts[i]));
	return counts;
}

json_t *guard_json(const struct guard_stats *stats)
{
	return json_pack("{s:o, s:o, s:{s:I, s:I, s:I}, s:{s:I, s:b}}", "zones", zones_json(stats),
			 "verdicts", verdicts_json(stats), "learned", "known",
			 (json_int_t)stats->learned.kind[GATE_LEARNED_KNOWN], "trusted",
			 (json_int_t)stats->learned.kind[GATE_LEARNED_TRUSTED], "blocked",
			 (json_int_t)stats->learned.kind[GATE_LEARNED_BLOCKED], "dns",
			 "servers_down", (json_int_t)stats->dns.servers_down, "rewrites",
			 (int)(stats->dns.rewrites != 0));
}
