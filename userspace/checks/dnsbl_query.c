/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl_query.c - a question: every zone that is in service is asked at once, and the result
 * is there when each has an outcome.
 *
 * A slot waits for one thing at a time: the zone's answer, the end of its zone's first test (only a
 * listing does), the zone's text. Whatever settles the last slot calls back, as the last thing that
 * happens. Nothing here is called from inside of dnsbl_start_*() or dnsbl_cancel().
 */
#include "checks/dnsbl_internal.h"

#include <stdlib.h>

/* ---- the end */

static void query_free(struct dnsbl_query *query)
{
	dnsbl_set_release(query->set);
	free(query);
}

/* An allow list that gives no answer might have spoken for the client, however long it is out. */
static bool is_missed(const struct dnsbl_member *member, const struct dnsbl_service *service)
{
	return service->mute && member->credit;
}

void dnsbl_so_far(const struct dnsbl_query *query, struct dnsbl_result *out)
{
	struct dnsbl_result sum = { .ttl = query->results ? UINT32_MAX : DNSBL_TTL_OUT,
				    .count = query->results,
				    .zone = query->result };

	for (size_t i = 0; i < query->results; i++) {
		const struct dnsbl_zone_result *zone = &query->result[i];

		sum.score += zone->score;
		if (zone->outcome == DNSBL_TEMPORARY || zone->missed) {
			sum.temporary = true;
			sum.missing += query->set->member[zone->number].credit;
		}
		if (zone->ttl < sum.ttl)
			sum.ttl = zone->ttl;
	}
	*out = sum;
}

/* The last thing that happens to a question. */
static void finish(struct dnsbl_query *query)
{
	struct dnsbl *dnsbl = query->dnsbl;
	struct dnsbl_result result;

	dnsbl_so_far(query, &result);
	LIST_REMOVE(query, link);
	dnsbl_hold(dnsbl);
	query->cb(&result, query->arg);
	query_free(query);
	dnsbl_release(dnsbl);
}

static void on_nothing(const struct dns_answer *answer, void *arg)
{
	(void)answer;
	finish(arg);
}

/* ---- a slot */

/* Calls back, so the question may be gone afterwards. */
static void tell_news(struct dnsbl_query *query)
{
	struct dnsbl *dnsbl = query->dnsbl;

	dnsbl_hold(dnsbl);
	query->news(query->arg);
	dnsbl_release(dnsbl);
}

static void settle(struct dnsbl_slot *slot)
{
	struct dnsbl_query *query = slot->query;

	if (!--query->pending)
		finish(query);
	else if (query->news && (slot->result->score || slot->member->credit))
		tell_news(query);
}

/* The outcome, for zones that do not list the client, or whose answer does not count. */
static void settle_as(struct dnsbl_slot *slot, enum dnsbl_outcome outcome)
{
	struct dnsbl_counters *counters = &slot->service->zone->counters;

	slot->result->outcome = outcome;
	slot->result->missed = outcome == DNSBL_OUT && is_missed(slot->member, slot->service);
	if (outcome == DNSBL_TEMPORARY)
		dnsbl_count(&counters->temporary);
	if (outcome == DNSBL_ERROR)
		dnsbl_count(&counters->errors);
	if (outcome != DNSBL_CLEAN && slot->result->ttl > DNSBL_TTL_OUT)
		slot->result->ttl = DNSBL_TTL_OUT;
	settle(slot);
}

static void ask(struct dnsbl_slot *slot, enum dns_type type, dns_cb cb)
{
	const struct dnsbl_zone *zone = slot->service->zone;
	char name[DNS_NAME_MAX + 1];

	/* What has no room in a name is left out when the slots are made. */
	dnsbl_name_join(&slot->query->prefix, zone->name, zone->length, name);
	slot->asked = dns_ask(slot->query->dnsbl->dns, name, type, cb, slot);
}

static void on_text(const struct dns_answer *answer, void *arg)
{
	struct dnsbl_slot *slot = arg;
	char *text = slot->query->texts + DNSBL_TEXT_MAX * (size_t)(slot - slot->query->slot);

	slot->asked = NULL;
	dnsbl_answer_text(answer, &slot->query->set->keys, text);
	slot->result->text = text;
	settle(slot);
}

/* The listing counts. */
static void listed(struct dnsbl_slot *slot)
{
	dnsbl_count(&slot->service->zone->counters.listed);
	slot->result->outcome = DNSBL_LISTED;
	slot->result->score = slot->score;
	if (slot->query->texts)
		ask(slot, DNS_TXT, on_text);
	else
		settle(slot);
}

static void wait_for_test(struct dnsbl_slot *slot)
{
	slot->waiting = true;
	TAILQ_INSERT_TAIL(&slot->service->waiting, slot, link);
}

/* In the service's list, in which only this takes slots out. */
static void leave_waiting(struct dnsbl_slot *slot)
{
	slot->waiting = false;
	TAILQ_REMOVE(&slot->service->waiting, slot, link);
}

void dnsbl_slot_tested(struct dnsbl_slot *slot, bool known)
{
	leave_waiting(slot);
	if (slot->service->health == DNSBL_SERVING || !slot->query->dnsbl->interval)
		listed(slot);
	else
		settle_as(slot, known ? DNSBL_OUT : DNSBL_TEMPORARY);
}

static void on_listing(struct dnsbl_slot *slot)
{
	struct dnsbl_service *service = slot->service;

	if (dnsbl_misled(slot->query->dnsbl))
		settle_as(slot, DNSBL_OUT);
	else if (service->health == DNSBL_SERVING || !slot->query->dnsbl->interval)
		listed(slot);
	else if (service->probing)
		wait_for_test(slot);
	else
		settle_as(slot, DNSBL_TEMPORARY);
}

static void on_answer(const struct dns_answer *answer, void *arg)
{
	struct dnsbl_slot *slot = arg;
	struct dnsbl_service *service = slot->service;
	struct dnsbl_zone_result *result = slot->result;
	const bool out = !dnsbl_in_service(service); /* since it was asked */
	uint32_t code;
	const enum dnsbl_kind kind = dnsbl_answer_kind(&slot->member->rows, answer, &code);

	slot->asked = NULL;
	result->ttl = answer->ttl;
	result->age = answer->age;
	result->codes = dnsbl_answer_codes(answer, result->code);
	if (!answer->age) /* what comes from the cache is no news of the zone */
		dnsbl_service_heard(service, kind, code);
	if (out)
		settle_as(slot, DNSBL_OUT);
	else if (kind == DNSBL_KIND_NONE || kind == DNSBL_KIND_BUSY)
		settle_as(slot, DNSBL_TEMPORARY);
	else if (kind == DNSBL_KIND_CODE || kind == DNSBL_KIND_OUTSIDE)
		settle_as(slot, DNSBL_ERROR);
	else if (dnsbl_answer_score(&slot->member->rows, answer, &slot->score))
		on_listing(slot);
	else
		settle_as(slot, DNSBL_CLEAN);
}

/* ---- the start */

static bool has_room(const struct dnsbl_prefix *prefix, const struct dnsbl_zone *zone)
{
	char name[DNS_NAME_MAX + 1];

	return !prefix->domain || prefix->length + 1 + zone->length <= DNS_NAME_MAX ||
	       dnsbl_name_join(prefix, zone->name, zone->length, name);
}

/* The service of the zone, or NULL if it has none for what is asked about. */
static struct dnsbl_service *service_of(const struct dnsbl_member *member, enum dnsbl_family family)
{
	struct dnsbl_service *service = &member->zone->service[family == DNSBL_IPV6];

	if (family == DNSBL_IPV6 && !service->served && !dnsbl_in_service(service) &&
	    !is_missed(member, service))
		return NULL;
	return service;
}

/* Fills a slot for each zone that is asked, and a result for each that is not, too. */
static void add_zones(struct dnsbl_query *query, const struct dnsbl_member *member, size_t count,
		      enum dnsbl_family family)
{
	const bool misled = dnsbl_misled(query->dnsbl);

	for (const struct dnsbl_member *end = member + count; member < end; member++) {
		struct dnsbl_service *service = service_of(member, family);
		struct dnsbl_zone_result *result = &query->result[query->results];

		if (!service || !has_room(&query->prefix, member->zone))
			continue;
		query->results++;
		*result = (struct dnsbl_zone_result){ .zone = member->shown,
						      .number = member->number,
						      .outcome = DNSBL_OUT,
						      .missed = is_missed(member, service),
						      .ttl = DNSBL_TTL_OUT,
						      .text = "" };
		if (misled || !dnsbl_in_service(service))
			continue;
		result->outcome = DNSBL_TEMPORARY; /* until it answers */
		result->ttl = UINT32_MAX;
		query->slot[query->slots++] = (struct dnsbl_slot){
			.query = query, .member = member, .service = service, .result = result
		};
	}
}

static struct dnsbl_query *query_new(struct dnsbl *dnsbl, size_t zones, bool texts)
{
	const size_t slots = zones * sizeof(struct dnsbl_slot);
	const size_t results = zones * sizeof(struct dnsbl_zone_result);
	struct dnsbl_query *query =
		malloc(sizeof(*query) + slots + results + (texts ? zones * DNSBL_TEXT_MAX : 0));

	_Static_assert(_Alignof(struct dnsbl_zone_result) <= _Alignof(struct dnsbl_slot),
		       "dnsbl: results stand behind slots");
	if (!query)
		return NULL;
	query->dnsbl = dnsbl;
	query->set = dnsbl->set;
	dnsbl_set_hold(query->set);
	query->news = NULL;
	query->nothing = NULL;
	query->slots = query->results = 0;
	query->result = (struct dnsbl_zone_result *)(query->slot + zones);
	query->texts = texts ? (char *)(query->result + zones) : NULL;
	LIST_INSERT_HEAD(&dnsbl->queries, query, link);
	return query;
}

static struct dnsbl_query *start(struct dnsbl_query *query, dnsbl_cb cb, void *arg)
{
	query->cb = cb;
	query->arg = arg;
	query->pending = query->slots;
	if (!query->slots)
		query->nothing = dns_later(query->dnsbl->dns, on_nothing, query);
	for (size_t i = 0; i < query->slots; i++) {
		dnsbl_count(&query->slot[i].service->zone->counters.asked);
		ask(&query->slot[i], DNS_A, on_answer);
	}
	return query;
}

struct dnsbl_query *dnsbl_start_address(struct dnsbl *dnsbl, const struct addr *addr, bool texts,
					dnsbl_cb cb, void *arg)
{
	struct dnsbl_query *query = query_new(dnsbl, dnsbl->set->addresses, texts);
	const enum dnsbl_family family = addr_is_ipv4(addr) ? DNSBL_IPV4 : DNSBL_IPV6;

	if (!query)
		return NULL;
	if (family == DNSBL_IPV4)
		dnsbl_name_ipv4(addr_ipv4(addr), &query->prefix);
	else
		dnsbl_name_ipv6(addr, &query->prefix);
	add_zones(query, query->set->member, query->set->addresses, family);
	return start(query, cb, arg);
}

struct dnsbl_query *dnsbl_start_domain(struct dnsbl *dnsbl, const char *domain, bool texts,
				       dnsbl_cb cb, void *arg)
{
	const struct dnsbl_set *set = dnsbl->set;
	const size_t zones = set->zones - set->addresses;
	struct dnsbl_query *query = query_new(dnsbl, zones, texts);

	if (!query)
		return NULL;
	if (dnsbl_name_domain(domain, &query->prefix))
		add_zones(query, set->member + set->addresses, zones, DNSBL_DOMAINS);
	return start(query, cb, arg);
}

void dnsbl_watch(struct dnsbl_query *query, void (*news)(void *arg))
{
	query->news = news;
}

/* ---- without an end */

void dnsbl_query_drop(struct dnsbl_query *query)
{
	struct dns *dns = query->dnsbl->dns;

	dns_cancel(dns, &query->nothing);
	for (size_t i = 0; i < query->slots; i++) {
		struct dnsbl_slot *slot = &query->slot[i];

		dns_cancel(dns, &slot->asked);
		if (slot->waiting)
			leave_waiting(slot);
	}
	LIST_REMOVE(query, link);
	query_free(query);
}

/* Nobody waits for the slot any longer. It may be the last one, so the question may be gone. */
static void give_up(struct dnsbl_slot *slot)
{
	const bool text = slot->result->outcome == DNSBL_LISTED; /* only its text is missing */

	if (slot->waiting)
		leave_waiting(slot);
	else if (!text)
		dnsbl_service_left(slot->service);
	dns_cancel(slot->query->dnsbl->dns, &slot->asked);
	if (text)
		settle(slot);
	else
		settle_as(slot, DNSBL_TEMPORARY);
}

/* The last slot that is settled ends the question, so the open ones are counted before. */
void dnsbl_hurry(struct dnsbl *dnsbl, struct dnsbl_query *query)
{
	size_t open = query->slots ? query->pending : 0;

	query->news = NULL;
	if (!query->slots) {
		dns_cancel(dnsbl->dns, &query->nothing);
		finish(query);
		return;
	}
	for (struct dnsbl_slot *slot = query->slot; open; slot++) {
		if (!slot->asked && !slot->waiting)
			continue;
		open--;
		give_up(slot);
	}
}

void dnsbl_cancel(struct dnsbl *dnsbl, struct dnsbl_query **query)
{
	struct dnsbl_query *cancelled = *query;

	(void)dnsbl;
	*query = NULL;
	if (cancelled)
		dnsbl_query_drop(cancelled);
}
