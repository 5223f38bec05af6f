/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/doubt.c - see conf/doubt.h.
 */
#include "conf/doubt.h"

struct conf_scope conf_scope(const struct conf *conf)
{
	return (struct conf_scope){ .role = conf->role,
				    .zones = conf->dnsbl.zones.count,
				    .interfaces = conf->interfaces.count };
}

size_t conf_doubts(const struct conf_scope *scope, const char *out[CONF_DOUBTS_MAX])
{
	size_t count = 0;

	if (scope->role != CONF_ROLE_GUARD)
		return 0;
	if (!scope->zones)
		out[count++] = "mode guard without dnsbl.zones: clients are judged by their host "
			       "names alone";
	if (!scope->interfaces)
		out[count++] = "mode guard without an interface: who has a bad verdict is let in "
			       "all the same";
	return count;
}

json_t *conf_doubts_json(const struct conf_scope *scope)
{
	const char *doubt[CONF_DOUBTS_MAX];
	const size_t count = conf_doubts(scope, doubt);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(doubt[i]));
	return array;
}
