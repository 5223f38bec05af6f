/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/rewrites.c - see dns/internal.h: finds servers that answer for names that do not exist.
 *
 * Some networks send people who mistype a name to a page of advertisements. To a check for which
 * an address means "listed" such a server lists everybody. So at the start and every hour each
 * server is asked for a random name below a suffix that has no names (RFC 6761 6.4). A server that
 * finds one is asked last from then on, and dns_resolver_rewrites() says so.
 *
 * A server that answers names below "invalid" itself, as unbound does, hides what the servers
 * behind it do.
 */
#include "dns/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "lib/log.h"

#define AGAIN_MS      (3600u * 1000u)
#define AGAIN_SOON_MS (60u * 1000u) /* if a server has not answered */
#define RANDOM_LABEL  "%016" PRIx64

static void set_gauge(struct dns_resolver *resolver)
{
	uint64_t any = 0;

	for (size_t i = 0; i < resolver->options.server_count; i++)
		any |= resolver->server[i].rewrites;
	dns_gauge(&resolver->stats.rewrites, any);
}

static void note(struct dns_server *server, bool rewrites)
{
	char text[PREFIX_TEXT_MAX];

	if (server->rewrites == rewrites)
		return;
	server->rewrites = rewrites;
	log_warning("dns.rewrites", "{s:s, s:i, s:b}", "server",
		    addr_format(&server->address.addr, text), "port", server->address.port,
		    "rewrites", rewrites);
	set_gauge(server->resolver);
}

static void on_timer(uv_timer_t *timer)
{
	dns_rewrites_start(timer->data);
}

static void on_outcome(struct dns_server *server, enum dns_outcome outcome,
		       struct dns_result *result, void *arg)
{
	(void)arg;
	if (outcome == DNS_OUTCOME_ANSWER)
		note(server, result->status == DNS_FOUND);
	else
		uv_timer_start(&server->resolver->rewrites, on_timer, AGAIN_SOON_MS, 0);
	dns_result_unref(result);
}

static bool random_name(const struct dns_name *suffix, struct dns_name *out)
{
	char text[DNS_NAME_MAX + 1], below[DNS_NAME_MAX + 1];
	uint64_t number;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number) ||
	    !dns_name_format(suffix, below))
		return false;
	return snprintf(text, sizeof(text), RANDOM_LABEL ".%s", number, below) <
		       (int)sizeof(text) &&
	       dns_name_parse(text, out);
}

void dns_rewrites_start(struct dns_resolver *resolver)
{
	struct dns_name name;

	if (!resolver->rewrites_suffix.length || !random_name(&resolver->rewrites_suffix, &name))
		return;
	uv_timer_start(&resolver->rewrites, on_timer, AGAIN_MS, 0);
	uv_unref((uv_handle_t *)&resolver->rewrites);
	for (size_t i = 0; i < resolver->options.server_count; i++)
		dns_server_ask(&resolver->server[i], &name, DNS_A, on_outcome, NULL);
}
