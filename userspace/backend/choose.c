/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/choose.c - which server is next: a primary that is well, by weight; else a backup.
 *
 * A server of which nothing is known yet counts as well, with every feature: a transaction that
 * comes before the first dialogue has ended must not be turned away, and finds out itself.
 */
#include "backend/internal.h"

static bool may_take(const struct backend_server *server, const struct choice *choice, uint64_t now)
{
	const struct backends *backends = server->backends;

	if (choice->tried & 1u << server->number)
		return false;
	if (server->state == HEALTH_DOWN || server->busy_until > now)
		return false;
	if (server->state == HEALTH_UP && (server->features & choice->features) != choice->features)
		return false;
	/* Those that wait can be used, so they do not stand in the way. */
	return backend_counted(&server->count.open) - backend_counted(&server->count.idle) <
	       backends->connections_max;
}

/* xorshift64*: only the load depends on it. */
static uint64_t next_random(struct backends *backends)
{
	uint64_t x = backends->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	backends->random = x;
	return x * 0x2545f4914f6cdd1dull;
}

/* Backups have weight 0 and are alike. */
static uint32_t weight_of(const struct backend_server *server, bool backup)
{
	if (backup)
		return server->conf.weight == 0;
	return server->conf.weight;
}

static struct backend_server *choose_among(struct backends *backends, const struct choice *choice,
					   bool backup)
{
	const uint64_t now = uv_now(backends->loop);
	struct backend_server *server, *chosen = NULL;
	uint64_t total = 0;
	uint32_t weight;

	for (size_t i = 0; i < backends->count; i++) {
		server = &backends->server[i];
		weight = weight_of(server, backup);
		if (!weight || !may_take(server, choice, now))
			continue;
		total += weight;
		if (next_random(backends) % total < weight)
			chosen = server;
	}
	return chosen;
}

struct backend_server *choose_server(struct backends *backends, const struct choice *choice)
{
	struct backend_server *primary = choose_among(backends, choice, false);

	return primary ? primary : choose_among(backends, choice, true);
}
