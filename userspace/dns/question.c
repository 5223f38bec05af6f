/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/question.c - see dns/internal.h: questions that are under way.
 *
 * A question is at one server at a time, and its tries are those of all servers together, so it
 * takes no longer than `tries` times `timeout` (twice that for answers that need TCP), and what a
 * try in a burst waits to be sent (dns/try.c). It goes on when everybody who waited has cancelled,
 * for the sake of the cache, but only to the end of the try.
 */
#include "dns/internal.h"

#include <stdlib.h>

struct dns_question {
	LIST_ENTRY(dns_question) chain;
	struct dns_resolver *resolver;
	struct dns_group *group;
	struct dns_queries waiting;
	uint32_t tries;
	uint32_t refused;               /* bits of the servers that cannot or will not say */
	uint8_t asked[DNS_SERVERS_MAX]; /* times, by server */
	struct dns_key key;
};

static struct dns_questions *bucket_of(struct dns_resolver *resolver, const struct dns_key *key)
{
	return &resolver->question[key->hash & resolver->question_mask];
}

static struct dns_question *question_find(struct dns_resolver *resolver, const struct dns_key *key)
{
	struct dns_question *question;

	LIST_FOREACH(question, bucket_of(resolver, key), chain)
	if (dns_key_equal(&question->key, key))
		return question;
	return NULL;
}

static struct dns_question *question_new(struct dns_resolver *resolver, const struct dns_key *key)
{
	struct dns_question *question = calloc(1, sizeof(*question));

	if (!question)
		return NULL;
	question->group = dns_budget_take(resolver->budget, &key->name);
	if (!question->group) {
		free(question);
		return NULL;
	}
	question->resolver = resolver;
	question->key = *key;
	TAILQ_INIT(&question->waiting);
	LIST_INSERT_HEAD(bucket_of(resolver, key), question, chain);
	dns_count(&resolver->stats.in_flight, 1);
	return question;
}

static void question_free(struct dns_question *question)
{
	struct dns_resolver *resolver = question->resolver;

	LIST_REMOVE(question, chain);
	dns_budget_give(resolver->budget, question->group);
	dns_count(&resolver->stats.in_flight, -1);
	free(question);
}

/* For how long an answer may be kept. */
static uint32_t time_to_live(const struct dns_options *options, const struct dns_result *result)
{
	const uint32_t most =
		result->status == DNS_FOUND ? options->ttl_max : options->ttl_negative;
	uint32_t ttl = result->ttl;

	if (result->status != DNS_FOUND && !ttl)
		ttl = DNS_FAILURE_TTL;
	if (ttl < options->ttl_min)
		ttl = options->ttl_min;
	return ttl < most ? ttl : most;
}

static void keep(struct dns_resolver *resolver, const struct dns_key *key,
		 struct dns_result *result, uint32_t ttl)
{
	struct dns_cache_usage usage;

	dns_cache_put(resolver->cache, key, result, ttl, uv_now(resolver->loop));
	usage = dns_cache_usage(resolver->cache);
	dns_gauge(&resolver->stats.cache_entries, usage.entries);
	dns_gauge(&resolver->stats.cache_bytes, usage.bytes);
	dns_gauge(&resolver->stats.evicted, usage.evicted);
}

static void finish(struct dns_question *question, struct dns_result *result, uint32_t ttl)
{
	struct dns_query *query;

	keep(question->resolver, &question->key, result, ttl);
	while ((query = TAILQ_FIRST(&question->waiting))) {
		TAILQ_REMOVE(&question->waiting, query, link);
		dns_resolver_ready(question->resolver, query, result, ttl, 0);
	}
	question_free(question);
}

/* The server to try next, or NULL: rather one that was not asked, is up, and does not rewrite. */
static struct dns_server *choose(const struct dns_question *question)
{
	struct dns_resolver *resolver = question->resolver;
	struct dns_server *best = NULL;
	unsigned int best_rank = 0;

	for (size_t i = 0; i < resolver->options.server_count; i++) {
		struct dns_server *server = &resolver->server[i];
		const unsigned int rank =
			question->asked[i] * 4u + server->down * 2u + server->rewrites;

		if (question->refused & 1u << i || (best && rank >= best_rank))
			continue;
		best = server;
		best_rank = rank;
	}
	return best;
}

static void on_outcome(struct dns_server *server, enum dns_outcome outcome,
		       struct dns_result *result, void *arg);

/* False if there is nobody to ask, or no try left. After true the question may be gone. */
static bool try_next(struct dns_question *question)
{
	struct dns_server *server = choose(question);

	if (!server || question->tries == question->resolver->options.tries)
		return false;
	question->tries++;
	question->asked[server - question->resolver->server]++;
	dns_server_ask(server, &question->key.name, question->key.type, on_outcome, question);
	return true;
}

static void on_outcome(struct dns_server *server, enum dns_outcome outcome,
		       struct dns_result *result, void *arg)
{
	struct dns_question *question = arg;
	struct dns_resolver *resolver = question->resolver;
	const bool wanted = !TAILQ_EMPTY(&question->waiting);

	if (outcome == DNS_OUTCOME_ANSWER) {
		finish(question, result, time_to_live(&resolver->options, result));
		dns_result_unref(result);
		return;
	}
	if (outcome == DNS_OUTCOME_REFUSED)
		question->refused |= 1u << (server - resolver->server);
	if (wanted && outcome != DNS_OUTCOME_FAILED && try_next(question))
		return;
	/* What has not been tried as often as it might is not kept. */
	finish(question, resolver->temporary,
	       wanted && outcome != DNS_OUTCOME_FAILED ? DNS_FAILURE_TTL : 0);
}

bool dns_question_join(struct dns_resolver *resolver, const struct dns_key *key,
		       struct dns_query *query)
{
	struct dns_question *question = question_find(resolver, key);
	const bool under_way = question != NULL;

	if (!question)
		question = question_new(resolver, key);
	if (!question)
		return false;
	query->question = question;
	TAILQ_INSERT_TAIL(&question->waiting, query, link);
	if (under_way) {
		dns_count(&resolver->stats.coalesced, 1);
		return true;
	}
	for (size_t i = 0; i < resolver->options.server_count; i++)
		dns_server_probe(&resolver->server[i]);
	if (!try_next(question))
		finish(question, resolver->temporary, 0);
	return true;
}

void dns_query_withdraw(struct dns_query *query)
{
	TAILQ_REMOVE(&query->question->waiting, query, link);
}

void dns_questions_free(struct dns_resolver *resolver)
{
	for (size_t i = 0; i <= resolver->question_mask; i++) {
		struct dns_question *question;

		while ((question = LIST_FIRST(&resolver->question[i]))) {
			struct dns_query *query;

			while ((query = TAILQ_FIRST(&question->waiting))) {
				TAILQ_REMOVE(&question->waiting, query, link);
				free(query);
			}
			question_free(question);
		}
	}
}
