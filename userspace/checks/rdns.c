/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/rdns.c - implements checks/rdns.h: one question for the names, then one for each of them.
 *
 * The names' answers are kept in slots and looked at in the order of the first answer. The result
 * is there as soon as the slots before it cannot change it; what is under way then is cancelled.
 */
#include "checks/rdns.h"

#include <stdlib.h>
#include <string.h>

#include "checks/host.h"

struct slot {
	struct rdns *rdns;
	struct dns_query *query;
	enum host_outcome outcome;
	uint32_t ttl, age; /* of the answer */
	char name[DNS_NAME_MAX + 1];
};

struct rdns {
	struct dns *dns;
	struct addr addr;
	struct dns_query *query; /* for the names */
	struct host_time time;
	size_t slots;
	struct slot *slot; /* owned; of the names to look at */
	struct rdns_result result;
	bool done;
	rdns_cb cb;
	void *arg;
};

static void cancel(struct rdns *rdns)
{
	dns_cancel(rdns->dns, &rdns->query);
	for (size_t i = 0; i < rdns->slots; i++)
		dns_cancel(rdns->dns, &rdns->slot[i].query);
}

/* The result, about a name or without one. Calls back, so the check may be gone afterwards. */
static void finish(struct rdns *rdns, enum finding finding, const char *name)
{
	struct rdns_result *result = &rdns->result;

	cancel(rdns);
	result->findings = FINDING_BIT(finding);
	if (name) {
		memcpy(result->name, name, strlen(name) + 1);
		if (rdns_is_generic(name, &rdns->addr))
			result->findings |= FINDING_BIT(FINDING_RDNS_GENERIC);
	}
	result->ttl = rdns->time.ttl;
	result->age = rdns->time.age;
	rdns->done = true;
	rdns->cb(result, rdns->arg);
}

/* The names */

static void finish_unconfirmed(struct rdns *rdns)
{
	enum finding finding = FINDING_RDNS_UNCONFIRMED;

	for (size_t i = 0; i < rdns->slots; i++) {
		const struct slot *slot = &rdns->slot[i];

		host_time_add(&rdns->time, slot->ttl, slot->age);
		if (slot->outcome == HOST_FAILED)
			finding = FINDING_RDNS_TEMPORARY;
	}
	finish(rdns, finding, rdns->slots ? rdns->slot[0].name : NULL);
}

/* The first name that leads back, if no name before it can still turn out to be that. */
static void look_at_slots(struct rdns *rdns)
{
	size_t i = 0;

	while (i < rdns->slots && rdns->slot[i].outcome > HOST_LEADS)
		i++;
	if (i == rdns->slots) {
		finish_unconfirmed(rdns);
	} else if (rdns->slot[i].outcome == HOST_LEADS) {
		host_time_add(&rdns->time, rdns->slot[i].ttl, rdns->slot[i].age);
		finish(rdns, FINDING_RDNS_CONFIRMED, rdns->slot[i].name);
	}
}

static void on_address(const struct dns_answer *answer, void *arg)
{
	struct slot *slot = arg;

	slot->query = NULL;
	slot->outcome = host_outcome(answer, &slot->rdns->addr);
	slot->ttl = answer->ttl;
	slot->age = answer->age;
	look_at_slots(slot->rdns);
}

/* The address's own names in the reverse tree say nothing that the address does not. */
static bool name_is_usable(const char *name)
{
	return host_name_is_valid(name, false) && !host_name_is_local(name) &&
	       !host_name_within(name, "arpa");
}

static bool name_is_known(const struct rdns *rdns, const char *name)
{
	for (size_t i = 0; i < rdns->slots; i++)
		if (host_names_equal(rdns->slot[i].name, name))
			return true;
	return false;
}

/* False if memory is short. */
static bool take_names(struct rdns *rdns, const struct dns_answer *answer)
{
	const size_t most = answer->count < RDNS_NAMES_MAX ? answer->count : RDNS_NAMES_MAX;

	rdns->result.names = (unsigned int)answer->count;
	rdns->slot = malloc(most * sizeof(*rdns->slot));
	if (!rdns->slot)
		return false;
	for (size_t i = 0; i < answer->count; i++) {
		const char *name = answer->record[i].text;

		if (!name_is_usable(name))
			rdns->result.invalid++;
		else if (rdns->slots < most && !name_is_known(rdns, name))
			memcpy(rdns->slot[rdns->slots++].name, name, strlen(name) + 1);
	}
	return true;
}

static void ask_for_addresses(struct rdns *rdns)
{
	for (size_t i = 0; i < rdns->slots; i++) {
		struct slot *slot = &rdns->slot[i];

		slot->rdns = rdns;
		slot->outcome = HOST_PENDING;
		rdns->result.queries++;
		slot->query = dns_ask(rdns->dns, slot->name, host_address_type(&rdns->addr),
				      on_address, slot);
	}
}

/* Names that could not even be read (`cut`) are names, and none of them leads back. */
static void on_names(const struct dns_answer *answer, void *arg)
{
	struct rdns *rdns = arg;
	bool known = answer->status != DNS_TEMPORARY && answer->status != DNS_BUSY;

	rdns->query = NULL;
	host_time_add(&rdns->time, answer->ttl, answer->age);
	if (answer->status == DNS_FOUND && answer->count)
		known = take_names(rdns, answer);
	if (rdns->slots)
		ask_for_addresses(rdns);
	else if (!known)
		finish(rdns, FINDING_RDNS_TEMPORARY, NULL);
	else if (answer->count || answer->cut)
		finish(rdns, FINDING_RDNS_UNCONFIRMED, NULL);
	else
		finish(rdns, FINDING_RDNS_MISSING, NULL);
}

/* Start and end */

struct rdns *rdns_start(struct dns *dns, const struct addr *addr, rdns_cb cb, void *arg)
{
	struct rdns *rdns = calloc(1, sizeof(*rdns));
	char name[HOST_REVERSE_MAX];

	if (!rdns)
		return NULL;
	rdns->dns = dns;
	rdns->addr = *addr;
	rdns->cb = cb;
	rdns->arg = arg;
	rdns->result.queries = 1;
	host_reverse_name(addr, name);
	rdns->query = dns_ask(dns, name, DNS_PTR, on_names, rdns);
	return rdns;
}

const struct rdns_result *rdns_result(const struct rdns *rdns)
{
	return rdns->done ? &rdns->result : NULL;
}

void rdns_free(struct rdns **rdns)
{
	if (!*rdns)
		return;
	cancel(*rdns);
	free((*rdns)->slot);
	free(*rdns);
	*rdns = NULL;
}
