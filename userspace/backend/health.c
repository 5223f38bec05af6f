/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/health.c - which servers are well, as a dialogue with each of them shows: connect,
 * greeting, EHLO, QUIT.
 *
 * One connection that fails, or HEALTH_FAILURES_MAX dialogues in a row, take a server out. It is
 * then asked at growing intervals. A dialogue that succeeds brings it back, but only a transaction
 * shows that it takes mail: until there is one, a single failure takes it out again.
 */
#include "backend/internal.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

static uint64_t now_ms(const struct backend_server *server)
{
	return uv_now(server->backends->loop);
}

static void set_state(struct backend_server *server, enum health_state state, const char *why)
{
	struct backends *backends = server->backends;
	const bool changed = server->state != state;

	pthread_mutex_lock(&backends->lock);
	if (changed)
		server->since = clock_mono();
	server->state = state;
	snprintf(server->why, sizeof(server->why), "%s", why);
	pthread_mutex_unlock(&backends->lock);
	if (!changed)
		return;
	if (state == HEALTH_UP)
		log_info("backend.up", "{s:s}", "backend", server->name);
	else if (state == HEALTH_DOWN)
		log_warning("backend.down", "{s:s, s:s}", "backend", server->name, "why", why);
}

void health_ready(struct backend_server *server, const struct dialogue *dialogue)
{
	const bool was_down = server->state == HEALTH_DOWN;

	pthread_mutex_lock(&server->backends->lock);
	server->features = dialogue->features;
	server->size_max = dialogue->size_max;
	pthread_mutex_unlock(&server->backends->lock);
	if (was_down)
		server->failures = HEALTH_FAILURES_MAX - 1;
	server->busy_until = 0;
	server->pause = HEALTH_PROBE_MS;
	server->probe_at = now_ms(server) + HEALTH_PROBE_MS;
	set_state(server, HEALTH_UP, "");
}

void health_proved(struct backend_server *server)
{
	server->failures = 0;
}

static void take_out(struct backend_server *server, const char *why)
{
	const bool was_down = server->state == HEALTH_DOWN;

	set_state(server, HEALTH_DOWN, why);
	pool_close(server);
	if (!was_down)
		server->pause = HEALTH_PROBE_MS;
	server->probe_at = now_ms(server) + server->pause;
	server->pause =
		server->pause * 2 < HEALTH_PROBE_MAX_MS ? server->pause * 2 : HEALTH_PROBE_MAX_MS;
}

static void be_busy(struct backend_server *server, const char *why)
{
	server->busy_until = now_ms(server) + HEALTH_BUSY_MS;
	server->probe_at = server->busy_until;
	set_state(server, server->state, why);
}

/* One that is down already is not down anew, nor asked sooner, because others notice as well. */
static void fail(struct backend_server *server, const struct dialogue_end *end, bool probe)
{
	backend_count(&server->count.failures, 1);
	if (server->state == HEALTH_DOWN && !probe)
		return;
	server->failures++;
	if (end->loss == DIALOGUE_UNREACHABLE || server->failures >= HEALTH_FAILURES_MAX) {
		take_out(server, end->why);
		return;
	}
	set_state(server, server->state, end->why);
	server->probe_at = now_ms(server) + (probe ? HEALTH_AGAIN_MS : 0);
}

/*
 * 421 in the middle may be about this connection, which has seen too many errors: whether the
 * server is busy, or is being stopped, a new one's greeting says.
 */
static void note(struct backend_server *server, const struct dialogue_end *end, bool probe)
{
	switch (end->loss) {
	case DIALOGUE_REFUSED:
		break;
	case DIALOGUE_UNFIT: /* shown until the next dialogue, and nothing more */
		backend_count(&server->count.failures, 1);
		set_state(server, server->state, end->why);
		break;
	case DIALOGUE_BUSY:
		be_busy(server, end->why);
		break;
	case DIALOGUE_SHUT:
		if (end->said) {
			set_state(server, server->state, end->why);
			server->probe_at = now_ms(server);
			break;
		}
		/* fall through */
	case DIALOGUE_UNREACHABLE:
	case DIALOGUE_BROKEN:
		fail(server, end, probe);
		break;
	}
}

void health_lost(struct backend_server *server, const struct dialogue_end *end)
{
	note(server, end, false);
}

/* ---- the dialogue */

static void on_ready(struct dialogue *dialogue, void *arg)
{
	struct backend_server *server = arg;

	(void)dialogue;
	dialogue_close(&server->probe);
}

static void on_reply(struct dialogue *dialogue, const struct backend_reply *reply, void *arg)
{
	(void)dialogue;
	(void)reply;
	(void)arg;
}

static void on_lost(struct dialogue *dialogue, const struct dialogue_end *end, void *arg)
{
	struct backend_server *server = arg;

	(void)dialogue;
	server->probe = NULL;
	note(server, end, true);
}

static const struct dialogue_owner probe_owner = { on_ready, on_reply, NULL, on_lost };

static void probe(struct backend_server *server)
{
	server->probe_at = now_ms(server) + server->pause;
	server->probe = dialogue_open(server, NULL, &probe_owner, server);
}

void health_start(struct backend_server *server)
{
	server->pause = HEALTH_PROBE_MS;
	server->since = clock_mono();
	snprintf(server->why, sizeof(server->why), "it has not answered yet");
	probe(server);
}

void health_tick(struct backend_server *server, uint64_t now)
{
	if (!server->probe && server->probe_at <= now)
		probe(server);
}
