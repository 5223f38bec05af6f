/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/smtp.c - see obs/smtp.h.
 */
#include "obs/smtp.h"

#include "lib/clock.h"

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *refused_json(const struct smtp_stats *stats)
{
	json_t *refused = json_object();

	for (unsigned int i = 0; i < SMTP_REFUSALS; i++)
		json_object_set_new(refused, smtp_refusal_name((enum smtp_refusal)i),
				    number(stats->refused[i]));
	return refused;
}

static json_t *watched_json(const struct smtp_stats *stats)
{
	json_t *watched = json_object();

	for (unsigned int i = CHECK_NONE + 1; i < CHECK_COUNT; i++)
		json_object_set_new(watched, check_name((enum check)i), number(stats->watched[i]));
	return watched;
}

static json_t *backend_json(const struct backend_info *info)
{
	const uint64_t since = clock_seconds_since(info->since);

	return json_pack("{s:s, s:b, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "name", info->name, "up", (int)info->up, "backup", (int)info->backup,
			 "why", info->why, "seconds", number(since), "open", number(info->open),
			 "idle", number(info->idle), "transactions", number(info->transactions),
			 "accepted", number(info->accepted), "rejected", number(info->rejected),
			 "deferred", number(info->deferred), "failures", number(info->failures),
			 "failovers", number(info->failovers), "ambiguous",
			 number(info->ambiguous));
}

static json_t *backends_json(const struct smtp_view *view)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < view->backends; i++)
		json_array_append_new(rows, backend_json(&view->backend[i]));
	return rows;
}

static json_t *certificates_json(const struct smtp_view *view)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < view->certificates; i++)
		json_array_append_new(rows,
				      json_pack("{s:s, s:o}", "file", view->certificate[i].file,
						"expires", number(view->certificate[i].expires)));
	return rows;
}

/* Recipients: those that are remembered, and how many a client may name. */
static json_t *unknown_json(const struct smtp_view *view)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "remembered", number(view->unknowns), "max",
			 number(UNKNOWNS_MAX), "ttl", number(view->unknown_ttl), "refused",
			 number(view->stats.remembered), "hourly",
			 number(view->unknown_recipients));
}

json_t *smtp_json(const struct smtp_view *view)
{
	const struct smtp_stats *stats = &view->stats;

	return json_pack("{s:o, s:{s:o, s:o, s:o, s:o, s:o}, s:{s:o, s:o, s:o, s:o, s:o}, s:o, "
			 "s:o, s:{s:o}, s:o, s:o, s:o}",
			 "workers", number(view->workers), "sessions", "open", number(stats->open),
			 "max", number(view->sessions_max), "total", number(stats->sessions), "tls",
			 number(stats->tls_sessions), "authenticated", number(stats->authenticated),
			 "messages", "accepted", number(stats->messages), "rejected",
			 number(stats->rejected), "deferred", number(stats->deferred), "bytes",
			 number(stats->message_bytes), "spooling", number(stats->spooling),
			 "refused", refused_json(stats), "watched", watched_json(stats), "greylist",
			 "passed", number(stats->greylist_passed), "unknown", unknown_json(view),
			 "certificates", certificates_json(view), "backends", backends_json(view));
}
