/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/helo.c - implements checks/helo.h: what the text says by itself, and one question for the
 * name's addresses of the client's family. Only if it has none a second question, for the other
 * family, tells a host that the client is not from a name that is no host.
 */
#include "checks/helo.h"

#include <stdlib.h>

#include "checks/host.h"

struct helo {
	struct dns *dns;
	struct addr addr;
	struct dns_query *query;
	struct host_time time;
	char name[DNS_NAME_MAX + 1];
	struct helo_result result;
	bool done;
	helo_cb cb;
	void *arg;
};

/* What the text says */

static bool is_own_address(const struct helo_request *request, const struct addr *addr)
{
	for (size_t i = 0; i < request->own_addresses && i < HELO_OWN_MAX; i++)
		if (host_address_equal(&request->own_address[i], addr))
			return true;
	return host_address_is_local(addr);
}

static bool is_own_name(const struct helo_request *request, const char *name)
{
	for (size_t i = 0; i < request->own_names && i < HELO_OWN_MAX; i++)
		if (host_names_equal(request->own_name[i], name))
			return true;
	return host_name_is_local(name);
}

static finding_set judge_literal(const struct helo_request *request, const struct addr *said)
{
	if (host_address_equal(said, &request->addr))
		return FINDING_BIT(FINDING_HELO_LITERAL);
	if (is_own_address(request, said) && !is_own_address(request, &request->addr))
		return FINDING_BIT(FINDING_HELO_OWN);
	return FINDING_BIT(FINDING_HELO_LITERAL_WRONG);
}

bool helo_judge(const struct helo_request *request, finding_set *out)
{
	char name[DNS_NAME_MAX + 1];
	struct addr said;

	if (host_literal(request->helo, &said))
		*out = judge_literal(request, &said);
	else if (!host_name_take(request->helo, true, name))
		*out = FINDING_BIT(FINDING_HELO_SYNTAX);
	else if (is_own_name(request, name) && !is_own_address(request, &request->addr))
		*out = FINDING_BIT(FINDING_HELO_OWN);
	else if (host_names_equal(name, request->host_name))
		*out = FINDING_BIT(FINDING_HELO_CONFIRMED) | FINDING_BIT(FINDING_HELO_MATCH);
	else if (!host_name_is_valid(name, false))
		*out = FINDING_BIT(FINDING_HELO_BARE);
	else
		return false;
	return true;
}

/* What the DNS says */

/* Calls back, so the check may be gone afterwards. */
static void finish(struct helo *helo, finding_set findings)
{
	helo->result.findings = findings;
	helo->result.ttl = helo->time.ttl;
	helo->result.age = helo->time.age;
	helo->done = true;
	helo->cb(&helo->result, helo->arg);
}

static void ask(struct helo *helo, enum dns_type type, dns_cb cb)
{
	helo->result.queries++;
	helo->query = dns_ask(helo->dns, helo->name, type, cb, helo);
}

static enum host_outcome take_answer(struct helo *helo, const struct dns_answer *answer)
{
	helo->query = NULL;
	host_time_add(&helo->time, answer->ttl, answer->age);
	return host_outcome(answer, &helo->addr);
}

static const enum finding meanings[] = {
	[HOST_LEADS] = FINDING_HELO_CONFIRMED,  [HOST_OTHER] = FINDING_HELO_MISMATCH,
	[HOST_NODATA] = FINDING_HELO_UNKNOWN,   [HOST_NXDOMAIN] = FINDING_HELO_UNKNOWN,
	[HOST_FAILED] = FINDING_HELO_TEMPORARY,
};

static void on_other_addresses(const struct dns_answer *answer, void *arg)
{
	struct helo *helo = arg;

	finish(helo, FINDING_BIT(meanings[take_answer(helo, answer)]));
}

static void on_addresses(const struct dns_answer *answer, void *arg)
{
	struct helo *helo = arg;
	const enum host_outcome outcome = take_answer(helo, answer);

	if (outcome == HOST_NODATA)
		ask(helo, host_other_type(&helo->addr), on_other_addresses);
	else
		finish(helo, FINDING_BIT(meanings[outcome]));
}

static void nothing_to_ask(const struct dns_answer *answer, void *arg)
{
	struct helo *helo = arg;

	(void)answer;
	helo->query = NULL;
	finish(helo, helo->result.findings);
}

/* Start and end */

struct helo *helo_start(const struct helo_request *request, helo_cb cb, void *arg)
{
	struct helo *helo = calloc(1, sizeof(*helo));

	if (!helo)
		return NULL;
	helo->dns = request->dns;
	helo->addr = request->addr;
	helo->cb = cb;
	helo->arg = arg;
	if (helo_judge(request, &helo->result.findings)) {
		helo->query = dns_later(helo->dns, nothing_to_ask, helo);
	} else {
		host_name_take(request->helo, false, helo->name);
		ask(helo, host_address_type(&helo->addr), on_addresses);
	}
	return helo;
}

const struct helo_result *helo_result(const struct helo *helo)
{
	return helo->done ? &helo->result : NULL;
}

void helo_free(struct helo **helo)
{
	if (!*helo)
		return;
	dns_cancel((*helo)->dns, &(*helo)->query);
	free(*helo);
	*helo = NULL;
}
