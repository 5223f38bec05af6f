/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/check_smtp.c - options of the SMTP front that contradict each other, or that want another.
 *
 * Called by check.c when numbers do not contradict each other. The rules stand in the order in
 * which they are looked at, and the first that is broken is reported at the option of its row,
 * which is not at its default then.
 */
#include "conf/schema.h"

#include <string.h>

#define KIB 1024u
#define MIB (1024u * KIB)

#define FIELD(member) offsetof(struct conf, member)

bool conf_takes_users(const struct conf *conf)
{
	for (size_t i = 0; i < conf->smtp.listen.count; i++)
		if (conf->smtp.listen.listener[i].service != CONF_SERVICE_MX)
			return true;
	return false;
}

static bool is_proxy(const struct conf *conf)
{
	return conf->role == CONF_ROLE_PROXY;
}

static bool lacks_listeners(const struct conf *conf)
{
	return is_proxy(conf) && !conf->smtp.listen.count;
}

static bool lacks_backends(const struct conf *conf)
{
	return is_proxy(conf) && !conf->smtp.backends.count;
}

/* Nobody could send mail to anybody. */
static bool lacks_purpose(const struct conf *conf)
{
	return is_proxy(conf) && !conf->smtp.domains.count && !conf->smtp.networks.count &&
	       !conf_takes_users(conf);
}

static bool lacks_certificates(const struct conf *conf)
{
	return conf_takes_users(conf) && !conf->tls.certificates.count;
}

static bool requires_without_certificates(const struct conf *conf)
{
	return conf->tls.required && !conf->tls.certificates.count;
}

static bool has_recipients_of_nothing(const struct conf *conf)
{
	return conf->smtp.recipients[0] && !conf->smtp.domains.count;
}

static bool has_backups_only(const struct conf *conf)
{
	for (size_t i = 0; i < conf->smtp.backends.count; i++)
		if (conf->smtp.backends.backend[i].weight)
			return false;
	return conf->smtp.backends.count != 0;
}

static bool is_any(const struct addr *addr)
{
	return !addr_high(addr) && (!addr_low(addr) || (addr_is_ipv4(addr) && !addr_ipv4(addr)));
}

static bool is_loopback(const struct addr *addr)
{
	return addr_is_ipv4(addr) ? addr_ipv4(addr) >> 24 == 127
				  : !addr_high(addr) && addr_low(addr) == 1;
}

/* Whether what is sent to the backend arrives at the listener; `own`: at an address of ours. */
static bool reaches(const struct conf_backend *backend, const struct conf_listener *listener,
		    bool own)
{
	if (backend->port != listener->port)
		return false;
	if (is_any(&backend->addr) || !memcmp(&backend->addr, &listener->addr, sizeof(struct addr)))
		return true;
	return is_any(&listener->addr) && own &&
	       addr_is_ipv4(&listener->addr) == addr_is_ipv4(&backend->addr);
}

const struct conf_backend *conf_find_loop(const struct conf_backends *backends,
					  const struct conf_listeners *listen,
					  bool (*own)(const struct addr *addr))
{
	for (size_t i = 0; i < backends->count; i++) {
		const struct conf_backend *backend = &backends->backend[i];
		const bool ours = own(&backend->addr);

		for (size_t j = 0; j < listen->count; j++)
			if (reaches(backend, &listen->listener[j], ours))
				return backend;
	}
	return NULL;
}

/* As far as it can be told without a look at the machine. */
static bool is_loop(const struct conf *conf)
{
	return conf_find_loop(&conf->smtp.backends, &conf->smtp.listen, is_loopback) != NULL;
}

static bool has_large_pieces(const struct conf *conf)
{
	return (uint64_t)conf->smtp.spool_message * KIB > (uint64_t)conf->smtp.spool_memory * MIB;
}

static bool has_large_messages(const struct conf *conf)
{
	return conf->smtp.size_max > (uint64_t)conf->smtp.spool_disk * MIB;
}

static const struct {
	bool (*broken)(const struct conf *conf);
	size_t at; /* the field of the option that is reported */
	const char *words;
} rules[] = {
	{ lacks_listeners, FIELD(role), "proxy has no address to take mail on: set smtp.listen" },
	{ lacks_backends, FIELD(role), "proxy has nobody to hand mail on to: set smtp.backends" },
	{ lacks_purpose, FIELD(role),
	  "proxy would refuse all mail: set smtp.domains, smtp.networks, or a listener for "
	  "submission" },
	{ lacks_certificates, FIELD(smtp.listen),
	  "submission and submissions need TLS: set tls.certificates" },
	{ requires_without_certificates, FIELD(tls.required),
	  "true needs a certificate: set tls.certificates" },
	{ has_recipients_of_nothing, FIELD(smtp.recipients), "has no effect without smtp.domains" },
	{ has_backups_only, FIELD(smtp.backends), "all of them are backups: of what?" },
	{ is_loop, FIELD(smtp.backends), "a backend is an address of smtp.listen: a loop" },
	{ has_large_pieces, FIELD(smtp.spool_message), "is more than smtp.spool-memory" },
	{ has_large_messages, FIELD(smtp.spool_disk), "is less than smtp.size-max" },
};

int conf_check_smtp(const struct conf *conf, struct error *err)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct conf_option *option;

		if (!rules[i].broken(conf))
			continue;
		option = conf_option_at(rules[i].at);
		error_set(err, ERROR_REFUSED, "%s: %s", option->name, rules[i].words);
		return conf_check_at(conf, option, err);
	}
	return conf_check_domains(conf, err);
}
