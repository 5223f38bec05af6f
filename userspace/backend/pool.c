/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/pool.c - see backend/backend.h: opening and closing, the connections that wait for their
 * next transaction, and the figures.
 *
 * The one that was used last is used next, so those that are too many grow old. Connections with a
 * PROXY header belong to one client and are never used again. Budgets are in backend/internal.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/internal.h"
#include "lib/siphash.h"

/* ---- connections that wait */

static void idle_ready(struct dialogue *dialogue, void *arg)
{
	(void)dialogue;
	(void)arg;
}

static void wait_in_pool(struct dialogue *dialogue)
{
	struct backend_server *server = dialogue->server;

	TAILQ_INSERT_HEAD(&server->idle, dialogue, idle);
	dialogue->pooled = true;
	dialogue_expect(dialogue, POOL_IDLE_S);
	backend_count(&server->count.idle, 1);
}

/* Only RSET is answered while nobody owns it. */
static void idle_reply(struct dialogue *dialogue, const struct backend_reply *reply, void *arg)
{
	(void)arg;
	if (reply->code == 250)
		wait_in_pool(dialogue);
	else
		dialogue_close(&dialogue);
}

/* It may have been closed because nothing was said: that is no failure of the server's. */
static void idle_lost(struct dialogue *dialogue, const struct dialogue_end *end, void *arg)
{
	(void)dialogue;
	(void)end;
	(void)arg;
}

static const struct dialogue_owner idle_owner = { idle_ready, idle_reply, NULL, idle_lost };

static struct dialogue *take_waiting(struct backend_server *server)
{
	struct dialogue *dialogue = TAILQ_FIRST(&server->idle);

	if (!dialogue)
		return NULL;
	TAILQ_REMOVE(&server->idle, dialogue, idle);
	dialogue->pooled = false;
	dialogue->deadline = 0;
	backend_count(&server->count.idle, -1);
	backend_count(&server->count.reused, 1);
	return dialogue;
}

struct dialogue *pool_take(struct backend_server *server, const struct backend_client *who,
			   bool reuse, const struct dialogue_owner *owner, void *arg)
{
	struct dialogue *dialogue = reuse ? take_waiting(server) : NULL;

	if (!dialogue)
		return dialogue_open(server, who, owner, arg);
	dialogue_give(dialogue, owner, arg);
	dialogue_introduce(dialogue, who);
	return dialogue;
}

static bool may_be_reused(const struct dialogue *dialogue)
{
	const struct backend_server *server = dialogue->server;

	if (!dialogue_is_ready(dialogue) || dialogue->pending || server->state == HEALTH_DOWN ||
	    server->conf.told == CONF_BACKEND_PROXY)
		return false;
	return dialogue->transactions < POOL_TRANSACTIONS_MAX &&
	       backend_counted(&server->count.idle) < POOL_IDLE_MAX;
}

void pool_put(struct dialogue **dialogue, bool begun)
{
	struct dialogue *given = *dialogue;

	if (!given || !may_be_reused(given)) {
		dialogue_close(dialogue);
		return;
	}
	*dialogue = NULL;
	given->who = NULL;
	dialogue_give(given, &idle_owner, NULL);
	if (begun)
		dialogue_say(given, "RSET", "", DIALOGUE_RSET_S);
	else
		wait_in_pool(given);
}

void pool_close(struct backend_server *server)
{
	struct dialogue *dialogue;

	while ((dialogue = TAILQ_FIRST(&server->idle)))
		dialogue_close(&dialogue);
}

/* ---- opening and closing */

static void on_tick(uv_timer_t *timer)
{
	struct backends *backends = timer->data;
	const uint64_t now = uv_now(backends->loop);

	dialogue_tick(backends, now);
	for (size_t i = 0; i < backends->count && !backends->closing; i++)
		health_tick(&backends->server[i], now);
}

static void on_later(uv_idle_t *idle)
{
	struct backends *backends = idle->data;
	const bool mails = mail_due(backends);

	if (!auth_due(backends) && !mails)
		uv_idle_stop(idle);
}

void pool_later(struct backends *backends)
{
	uv_idle_start(&backends->later, on_later);
}

static void set_hostname(struct backends *backends, const struct conf *conf)
{
	if (*conf->smtp.hostname)
		snprintf(backends->hostname, sizeof(backends->hostname), "%s", conf->smtp.hostname);
	else if (gethostname(backends->hostname, sizeof(backends->hostname) - 1) ||
		 !*backends->hostname)
		snprintf(backends->hostname, sizeof(backends->hostname), "localhost");
}

static void add_server(struct backends *backends, const struct conf_backend *row,
		       struct tls_context *tls)
{
	struct backend_server *server = &backends->server[backends->count];
	char text[PREFIX_TEXT_MAX];

	server->backends = backends;
	server->conf = *row;
	server->number = (unsigned int)backends->count;
	TAILQ_INIT(&server->idle);
	addr_format(&row->addr, text);
	snprintf(server->name, sizeof(server->name), addr_is_ipv4(&row->addr) ? "%s:%u" : "[%s]:%u",
		 text, row->port);
	server->tls = tls ? tls_ref(tls) : NULL;
	backends->count++;
}

static void free_all(struct backends *backends)
{
	for (size_t i = 0; i < backends->count; i++)
		tls_unref(&backends->server[i].tls);
	pthread_mutex_destroy(&backends->lock);
	free(backends);
}

static void begin(struct backends *backends)
{
	uv_timer_init(backends->loop, &backends->tick);
	uv_idle_init(backends->loop, &backends->later);
	backends->tick.data = backends;
	backends->later.data = backends;
	backends->handles = 2;
	uv_timer_start(&backends->tick, on_tick, BACKENDS_TICK_MS, BACKENDS_TICK_MS);
	uv_update_time(backends->loop);
	for (size_t i = 0; i < backends->count; i++)
		health_start(&backends->server[i]);
}

int backends_open(uv_loop_t *loop, const struct conf *conf, const struct backend_tls *tls,
		  struct backends **out, struct error *err)
{
	struct backends *backends = calloc(1, sizeof(*backends));

	if (!backends)
		return error_set(err, ERROR_REFUSED, "backends: out of memory");
	backends->loop = loop;
	backends->random = siphash_random_key().half[0] | 1;
	backends->connections_max = conf->smtp.connections_max;
	LIST_INIT(&backends->dialogues);
	LIST_INIT(&backends->buried);
	LIST_INIT(&backends->mails);
	LIST_INIT(&backends->auths);
	TAILQ_INIT(&backends->due);
	pthread_mutex_init(&backends->lock, NULL);
	set_hostname(backends, conf);
	for (size_t i = 0; i < conf->smtp.backends.count; i++)
		add_server(backends, &conf->smtp.backends.backend[i], tls->context[i]);
	begin(backends);
	*out = backends;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct backends *backends = handle->data;

	if (--backends->handles == 0)
		free_all(backends);
}

void backends_close(struct backends **backends)
{
	struct backends *closing = *backends;
	struct dialogue *dialogue;

	if (!closing)
		return;
	*backends = NULL;
	closing->closing = true;
	mail_orphan(closing);
	auth_orphan(closing);
	while ((dialogue = LIST_FIRST(&closing->dialogues)))
		dialogue_close(&dialogue);
	uv_close((uv_handle_t *)&closing->tick, on_closed);
	uv_close((uv_handle_t *)&closing->later, on_closed);
}

/* ---- figures */

bool backends_offer(const struct backends *backends, unsigned int *features, uint64_t *size)
{
	unsigned int common = ~0u;
	uint64_t least = 0;
	bool any = false;

	for (size_t i = 0; i < backends->count; i++) {
		const struct backend_server *server = &backends->server[i];

		if (server->state != HEALTH_UP)
			continue;
		any = true;
		common &= server->features;
		if (server->size_max && (!least || server->size_max < least))
			least = server->size_max;
	}
	if (!any)
		return false;
	*features = common;
	*size = least;
	return true;
}

size_t backends_count(const struct backends *backends)
{
	return backends->count;
}

void backends_info(const struct backends *backends, size_t number, struct backend_info *out)
{
	const struct backend_server *server = &backends->server[number];
	const struct backend_counters *count = &server->count;

	*out = (struct backend_info){
		.backup = server->conf.weight == 0,
		.connections = backend_counted(&count->connections),
		.reused = backend_counted(&count->reused),
		.transactions = backend_counted(&count->transactions),
		.accepted = backend_counted(&count->accepted),
		.rejected = backend_counted(&count->rejected),
		.deferred = backend_counted(&count->deferred),
		.failures = backend_counted(&count->failures),
		.failovers = backend_counted(&count->failovers),
		.ambiguous = backend_counted(&count->ambiguous),
		.open = backend_counted(&count->open),
		.idle = backend_counted(&count->idle),
	};
	memcpy(out->name, server->name, sizeof(out->name));
	pthread_mutex_lock((pthread_mutex_t *)&backends->lock);
	out->up = server->state == HEALTH_UP;
	memcpy(out->why, server->why, sizeof(out->why));
	out->since = server->since;
	out->features = server->features;
	pthread_mutex_unlock((pthread_mutex_t *)&backends->lock);
}
