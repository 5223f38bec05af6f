/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/front.c - see daemon/front.h.
 */
#include "daemon/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/front_internal.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "session/own.h"

#define DRAIN_MS   31000u /* a little more than a service takes (SERVICE_DRAIN_MS) */
#define POLL_MS    20u
#define SPOOL_MODE 0700

/* Sockets */

static unsigned int choose_count(const struct conf *conf)
{
	unsigned int count = conf->smtp.workers ? conf->smtp.workers : uv_available_parallelism();

	return count < WORKERS_MAX ? count : WORKERS_MAX;
}

/* Each connection is a descriptor or two. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int bind_one(struct front *front, const struct conf_listener *listen, size_t number,
		    struct error *err)
{
	int fd[WORKERS_MAX];
	int failed = listener_bind(&listen->addr, listen->port, front->count, fd, err);

	if (failed)
		return failed;
	for (unsigned int i = 0; i < front->count; i++)
		front->fd[i][number] = fd[i];
	return 0;
}

static int bind_all(struct front *front, const struct conf *conf, struct error *err)
{
	int failed = own_refuse_loop(&conf->smtp.backends, &conf->smtp.listen, err);

	front->listen = conf->smtp.listen;
	for (size_t i = 0; i < conf->smtp.listen.count && !failed; i++)
		failed = bind_one(front, &conf->smtp.listen.listener[i], i, err);
	return failed;
}

/* A directory that was there and that the operator has named may hold what is not the agent's. */
static int make_spool(struct front *front, const struct conf *conf, const struct account *account,
		      struct error *err)
{
	const char *path = front->spool_directory;
	bool made;

	smtp_spool_limits(conf, front->spool_directory, &front->spool);
	made = !mkdir(path, SPOOL_MODE);
	if (!made && errno != EEXIST)
		return error_errno(err, ERROR_REFUSED, errno, "smtp.spool: %s", path);
	return made || !*conf->smtp.spool ? privilege_give(path, account, err) : 0;
}

/* As the ordinary user, who may not have got it. */
static int try_spool(const struct front *front, const struct conf *conf, struct error *err)
{
	if (!spool_try(&front->spool, err))
		return 0;
	return error_prefix(err, "smtp.spool: user %s cannot write there", conf->user);
}

static void free_front(struct front *front)
{
	for (unsigned int i = 0; front->fd && i < front->count; i++)
		for (size_t j = 0; j < CONF_LISTENERS_MAX; j++)
			if (front->fd[i][j] >= 0)
				close(front->fd[i][j]);
	front_drop(&front->rules);
	auth_close(&front->auth);
	refusals_close(&front->refusals);
	admission_close(&front->admission);
	unknowns_close(&front->unknowns);
	pthread_mutex_destroy(&front->lock);
	free(front->fd);
	free(front);
}

static struct front *new_front(const struct conf *conf, struct error *err)
{
	const unsigned int count = choose_count(conf);
	struct front *front = calloc(1, sizeof(*front));

	if (!front)
		return NULL;
	pthread_mutex_init(&front->lock, NULL);
	front->count = count;
	front->fd = calloc(count, sizeof(*front->fd));
	if (front->fd)
		memset(front->fd, -1, count * sizeof(*front->fd));
	if (!front->fd || refusals_open(&front->refusals, err) ||
	    admission_open(conf->table.sources, &front->admission, err) ||
	    unknowns_open(UNKNOWNS_MAX, &front->unknowns, err)) {
		free_front(front);
		return NULL;
	}
	return front;
}

int front_bind(const struct conf *conf, const struct account *account, struct front **out,
	       struct error *err)
{
	struct front *front;
	int failed;

	*out = NULL;
	if (conf->role != CONF_ROLE_PROXY)
		return 0;
	raise_limit();
	front = new_front(conf, err);
	failed =
		front ? bind_all(front, conf, err) : error_set(err, ERROR_REFUSED, "out of memory");
	if (!failed)
		failed = make_spool(front, conf, account, err);
	if (failed && front)
		free_front(front);
	if (!failed)
		*out = front;
	return failed;
}

/* Rules */

static int open_tls(const struct conf *conf, struct tls_context **out, struct error *err)
{
	struct tls_certificate certificate[CONF_CERTIFICATES_MAX];
	const struct conf_certificates *from = &conf->tls.certificates;

	*out = NULL;
	for (size_t i = 0; i < from->count; i++)
		certificate[i] = (struct tls_certificate){ from->certificate[i].chain,
							   from->certificate[i].key };
	return from->count ? tls_server_open(certificate, from->count, out, err) : 0;
}

/* `before`: what TLS with the backends wants, if they stay; NULL: it is read, too. */
static int read_rules(const struct conf *conf, const struct backend_tls *before,
		      struct front_rules **out, struct error *err)
{
	struct front_rules *rules = calloc(1, sizeof(*rules));
	int failed = rules ? conf_copy(conf, &rules->conf, err)
			   : error_set(err, ERROR_REFUSED, "out of memory");

	if (!failed)
		failed = relay_open(conf, &rules->relay, err);
	if (!failed)
		failed = open_tls(conf, &rules->tls, err);
	if (!failed && before)
		rules->backend_tls = backend_tls_ref(before);
	else if (!failed)
		failed = backend_tls_open(conf, &rules->backend_tls, err);
	if (failed)
		front_drop(&rules);
	else
		*out = rules;
	return failed;
}

void front_drop(struct front_rules **out)
{
	struct front_rules *rules = *out;

	if (!rules)
		return;
	*out = NULL;
	relay_unref(&rules->relay);
	tls_unref(&rules->tls);
	backend_tls_unref(&rules->backend_tls);
	auth_drop(&rules->users);
	front_lists_drop(rules);
	conf_free(&rules->conf);
	free(rules);
}

struct front_rules *front_rules_copy(const struct front_rules *rules)
{
	struct front_rules *copy = calloc(1, sizeof(*copy));
	struct error err;

	if (!copy || conf_copy(rules->conf, &copy->conf, &err)) {
		free(copy);
		return NULL;
	}
	copy->new_backends = rules->new_backends;
	copy->generation = rules->generation;
	copy->relay = relay_ref(rules->relay);
	copy->tls = rules->tls ? tls_ref(rules->tls) : NULL;
	copy->backend_tls = backend_tls_ref(&rules->backend_tls);
	return copy;
}

/* What the backends are made of, and nothing else of the configuration. */
static bool has_new_backends(const struct conf *before, const struct conf *after)
{
	return memcmp(&before->smtp.backends, &after->smtp.backends,
		      sizeof(before->smtp.backends)) != 0 ||
	       strcmp(before->smtp.backend_ca, after->smtp.backend_ca) != 0 ||
	       strcmp(before->smtp.hostname, after->smtp.hostname) != 0 ||
	       before->smtp.connections_max != after->smtp.connections_max;
}

int front_prepare(struct front *front, const struct conf *conf, struct front_rules **out,
		  struct error *err)
{
	bool new_backends;
	int failed;

	*out = NULL;
	if (!front)
		return 0;
	new_backends = __atomic_load_n(&front->behind, __ATOMIC_RELAXED) ||
		       has_new_backends(front->rules->conf, conf);
	failed = own_refuse_loop(&conf->smtp.backends, &front->listen, err);
	if (!failed)
		failed = own_refuse_loop(&conf->smtp.backends, &conf->smtp.listen, err);
	if (!failed)
		failed = read_rules(conf, new_backends ? NULL : &front->rules->backend_tls, out,
				    err);
	if (!failed)
		failed = auth_prepare(conf, &(*out)->users, err);
	if (!failed)
		failed = front_lists_prepare(front, conf, *out, err);
	if (!failed)
		(*out)->new_backends = new_backends;
	if (failed)
		front_drop(out);
	return failed;
}

void front_note_behind(struct front *front, const char *why)
{
	__atomic_store_n(&front->behind, true, __ATOMIC_RELAXED);
	log_error("config.refused", "{s:s}", "error", why);
}

static void post_rules(struct front *front, unsigned int number, struct front_rules *rules)
{
	struct front_rules *copy = front_rules_copy(rules);

	if (copy) {
		copy->own = rules->lists[number];
		rules->lists[number] = NULL;
	}
	if (copy && workers_post(front->workers, number, front_worker_set, copy))
		return;
	front_drop(&copy);
	front_note_behind(front, "out of memory");
}

void front_apply(struct front *front, struct front_rules **rules)
{
	struct front_rules *before;

	if (!front || !*rules)
		return;
	auth_apply(front->auth, &(*rules)->users);
	(*rules)->generation = unknowns_clear(front->unknowns);
	if ((*rules)->new_backends)
		__atomic_store_n(&front->behind, false, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < front->count; i++)
		post_rules(front, i, *rules);
	pthread_mutex_lock(&front->lock);
	before = front->rules;
	front->rules = *rules;
	pthread_mutex_unlock(&front->lock);
	*rules = NULL;
	front_drop(&before);
}

void front_rotate_keys(struct front *front)
{
	pthread_mutex_lock(&front->lock);
	if (front->rules->tls)
		tls_rotate(front->rules->tls, clock_wall());
	pthread_mutex_unlock(&front->lock);
}

/* Opening and closing */

int front_open(struct front *front, const struct conf *conf, struct guard *guard, struct error *err)
{
	int failed;

	if (!front)
		return 0;
	front->guard = guard;
	failed = try_spool(front, conf, err);
	if (!failed)
		failed = read_rules(conf, NULL, &front->rules, err);
	if (!failed)
		failed = auth_open(conf, &front->auth, err);
	if (!failed)
		failed = workers_open(front->count, &front_worker_ops, front, &front->workers, err);
	if (!failed)
		log_info("smtp.opened", "{s:i, s:i}", "workers", (int)front->count, "listeners",
			 (int)conf->smtp.listen.count);
	return failed;
}

static uint64_t open_connections(const struct front *front)
{
	return __atomic_load_n(&front->connections, __ATOMIC_RELAXED);
}

static void drain(struct front *front)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * NS_A_MS };
	const uint64_t until = clock_mono() + (uint64_t)DRAIN_MS * NS_A_MS;

	for (unsigned int i = 0; i < front->count; i++)
		workers_post(front->workers, i, front_worker_drain, NULL);
	while (open_connections(front) && clock_mono() < until)
		nanosleep(&pause, NULL);
	log_info("smtp.closed", "{s:I}", "cut", (json_int_t)open_connections(front));
}

void front_close(struct front **out)
{
	struct front *front = *out;

	if (!front)
		return;
	*out = NULL;
	if (front->workers)
		drain(front);
	workers_close(&front->workers);
	free_front(front);
}

struct refusals *front_refusals(const struct front *front)
{
	return front ? front->refusals : NULL;
}

static void view_certificates(const struct front_rules *rules, struct smtp_view *out)
{
	const struct conf_certificates *from = &rules->conf->tls.certificates;

	out->certificates = from->count;
	for (size_t i = 0; i < from->count; i++) {
		struct smtp_certificate *to = &out->certificate[i];

		memcpy(to->file, from->certificate[i].chain, sizeof(to->file));
		to->expires = tls_expires(rules->tls, i);
	}
}

bool front_view(struct front *front, struct smtp_view *out)
{
	if (!front || !front->workers)
		return false;
	memset(out, 0, sizeof(*out));
	out->workers = front->count;
	pthread_mutex_lock(&front->lock);
	out->sessions_max = front->rules->conf->smtp.connections_max;
	out->unknown_recipients = front->rules->conf->smtp.unknown_recipients;
	out->unknown_ttl = front->rules->conf->smtp.unknown_ttl;
	view_certificates(front->rules, out);
	pthread_mutex_unlock(&front->lock);
	out->unknowns = unknowns_count(front->unknowns);
	for (unsigned int i = 0; i < front->count; i++)
		front_worker_add(front->worker[i], out);
	return true;
}

void front_add_lookups(struct front *front, struct guard_stats *stats)
{
	if (!front || !front->workers)
		return;
	for (unsigned int i = 0; i < front->count; i++)
		front_worker_add_lookups(front->worker[i], stats);
}
