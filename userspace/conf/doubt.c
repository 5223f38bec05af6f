/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/doubt.c - see conf/doubt.h.
 */
#include "conf/doubt.h"

#include "conf/schema.h"

/* A password goes out over TLS only. */
static bool has_secure_backend(const struct conf *conf)
{
	for (size_t i = 0; i < conf->smtp.backends.count; i++)
		if (conf->smtp.backends.backend[i].tls != CONF_BACKEND_PLAIN)
			return true;
	return false;
}

struct conf_scope conf_scope(const struct conf *conf)
{
	return (struct conf_scope){ .role = conf->role,
				    .zones = conf->dnsbl.zones.count,
				    .interfaces = conf->interfaces.count,
				    .no_login = conf_takes_users(conf) && !*conf->smtp.users &&
						!has_secure_backend(conf) };
}

struct conf_scope conf_scope_now(void)
{
	const struct conf *conf = conf_read_begin();
	const struct conf_scope scope = conf ? conf_scope(conf) : (struct conf_scope){ 0 };

	conf_read_end();
	return scope;
}

size_t conf_doubts(const struct conf_scope *scope, const char *out[CONF_DOUBTS_MAX])
{
	const bool guard = scope->role == CONF_ROLE_GUARD, proxy = scope->role == CONF_ROLE_PROXY;
	size_t count = 0;

	if (guard && !scope->zones)
		out[count++] = "mode guard without dnsbl.zones: clients are judged by their host "
			       "names alone";
	if (guard && !scope->interfaces)
		out[count++] = "mode guard without an interface: who has a bad verdict is let in "
			       "all the same";
	if (proxy && !scope->interfaces)
		out[count++] = "mode proxy without an interface: lists, limits and learned blocks "
			       "hold for clients of smtp.balancers alone";
	if (proxy && scope->no_login)
		out[count++] = "users cannot log in: smtp.users is empty, and no backend has "
			       "starttls or tls, without which it is told no password";
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
