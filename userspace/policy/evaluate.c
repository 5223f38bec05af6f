/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/evaluate.c - see policy/evaluate.h.
 *
 * `pending` counts what is under way: whatever ends takes one off, and at 0 the result is put
 * together, or before, when nothing that is under way can change the decision. No check calls back
 * from inside its start, so the last one to end is always on the loop, where done() may be called.
 */
#include "policy/evaluate.h"

#include <stdlib.h>
#include <string.h>

/* What is ours. */
struct own {
	char *name[HELO_OWN_MAX]; /* owned */
	size_t names, addresses;
	struct addr address[HELO_OWN_MAX];
};

struct evaluation {
	struct dns *dns;
	struct dnsbl *dnsbl;
	struct score_rules rules;
	char *helo;      /* owned; NULL if it has not been said */
	struct own *own; /* owned; only with `helo`, which is compared with it */
	bool details;
	uint64_t time;

	struct dnsbl_query *addresses, *domains;
	struct rdns *rdns;
	struct helo *helo_check;
	struct spf *spf;
	unsigned int pending;

	struct evaluate_zone *detail; /* owned */
	struct evaluate_result result;
	evaluate_cb done;
	void *arg;
	bool late; /* whatever ends now does not end the evaluation: its time is over */
	bool complete;
};

static void lower_ttl(struct evaluation *e, uint32_t ttl)
{
	if (ttl < e->result.ttl)
		e->result.ttl = ttl;
}

static void find(struct evaluation *e, finding_set findings)
{
	const finding_set unknown = FINDING_BIT(FINDING_RDNS_TEMPORARY) |
				    FINDING_BIT(FINDING_HELO_TEMPORARY) |
				    FINDING_BIT(FINDING_SPF_TEMPERROR);

	e->result.input.findings |= findings;
	if (findings & unknown)
		e->result.input.temporary = true;
}

/* Keeps the zones that a verdict names: as many as there is room for. */
static void keep_zone(struct evaluation *e, const struct dnsbl_zone_result *zone)
{
	struct evaluate_result *result = &e->result;

	if (!zone->score || result->zone_count == VERDICT_ZONES_MAX)
		return;
	result->zone[result->zone_count++] = (struct verdict_zone){
		.number = (uint8_t)zone->number,
		.score = (int8_t)score_clamp(zone->score, INT8_MAX),
	};
}

static void copy_text(char *out, size_t size, const char *text)
{
	strncpy(out, text, size - 1);
	out[size - 1] = '\0';
}

/* Names and texts are copied, because they live in the callback only. */
static void keep_details(struct evaluation *e, const struct dnsbl_result *found, bool domain)
{
	const size_t before = e->result.details;
	struct evaluate_zone *grown = realloc(e->detail, (before + found->count) * sizeof(*grown));

	if (!grown)
		return;
	e->detail = grown;
	for (size_t i = 0; i < found->count; i++) {
		struct evaluate_zone *at = &grown[before + i];

		at->result = found->zone[i];
		at->domain = domain;
		copy_text(at->zone, sizeof(at->zone), found->zone[i].zone);
		copy_text(at->text, sizeof(at->text), found->zone[i].text);
	}
	e->result.details = before + found->count;
	e->result.detail = grown;
	for (size_t i = 0; i < e->result.details; i++) {
		grown[i].result.zone = grown[i].zone;
		grown[i].result.text = grown[i].text;
	}
}

static void take_zones(struct evaluation *e, const struct dnsbl_result *found, bool domain)
{
	e->result.input.zones += found->score;
	e->result.input.missing += found->missing;
	if (found->temporary)
		e->result.input.temporary = true;
	lower_ttl(e, found->ttl);
	for (size_t i = 0; i < found->count; i++)
		keep_zone(e, &found->zone[i]);
	if (e->details && found->count)
		keep_details(e, found, domain);
}

static void end_checks(struct evaluation *e)
{
	dnsbl_cancel(e->dnsbl, &e->addresses);
	dnsbl_cancel(e->dnsbl, &e->domains);
	if (!e->result.rdns)
		rdns_free(&e->rdns);
	if (!e->result.helo)
		helo_free(&e->helo_check);
	if (!e->result.spf)
		spf_free(&e->spf);
}

/* The end. The evaluation may be gone afterwards. */
static void complete(struct evaluation *e)
{
	e->complete = true;
	e->result.score = score_decide(&e->rules, &e->result.input);
	e->done(&e->result, e->arg);
}

/*
 * Ends what is under way if the client is rejected whatever that comes to, so that nobody gains
 * connections by a slow name server of his own. Only what could speak for the client matters: allow
 * lists, and its name as far as it has a score below 0. What is left is in no way a failure. With a
 * HELO name, or where each answer is wanted, everything is waited for.
 */
static bool end_early(struct evaluation *e)
{
	struct dnsbl_result so_far = { .ttl = UINT32_MAX };
	struct score_input input = e->result.input;

	if (e->helo || e->details)
		return false;
	if (e->addresses)
		dnsbl_so_far(e->addresses, &so_far);
	input.zones += so_far.score;
	input.missing += so_far.missing;
	if (e->rdns && !e->result.rdns)
		input.missing += score_credit(&e->rules, RDNS_FINDINGS);
	if (score_decide(&e->rules, &input).decision != DECISION_REJECT)
		return false;
	so_far.temporary = false;
	so_far.missing = 0;
	take_zones(e, &so_far, false);
	end_checks(e);
	return true;
}

/* One that has ended. The evaluation may be gone afterwards. */
static void release(struct evaluation *e)
{
	e->pending--;
	if (!e->late && (!e->pending || end_early(e)))
		complete(e);
}

static void on_news(void *arg)
{
	struct evaluation *e = arg;

	if (end_early(e))
		complete(e);
}

static void on_addresses(const struct dnsbl_result *found, void *arg)
{
	struct evaluation *e = arg;

	e->addresses = NULL;
	take_zones(e, found, false);
	release(e);
}

static void on_domains(const struct dnsbl_result *found, void *arg)
{
	struct evaluation *e = arg;

	e->domains = NULL;
	take_zones(e, found, true);
	release(e);
}

/* A check has been started; without memory for it, what it would find is not known. */
static void expect(struct evaluation *e, const void *started)
{
	if (started)
		e->pending++;
	else
		e->result.input.temporary = true;
}

static void on_helo(const struct helo_result *found, void *arg)
{
	struct evaluation *e = arg;

	e->result.helo = found;
	find(e, found->findings);
	if (found->queries)
		lower_ttl(e, found->ttl);
	release(e);
}

static void start_helo(struct evaluation *e)
{
	const bool confirmed =
		e->result.rdns && e->result.rdns->findings & FINDING_BIT(FINDING_RDNS_CONFIRMED);
	const struct helo_request request = {
		.dns = e->dns,
		.addr = e->result.addr,
		.helo = e->helo,
		.host_name = confirmed ? e->result.rdns->name : "",
		.own_names = e->own->names,
		.own_name = (const char *const *)e->own->name,
		.own_addresses = e->own->addresses,
		.own_address = e->own->address,
	};

	e->helo_check = helo_start(&request, on_helo, e);
	expect(e, e->helo_check);
}

static void on_rdns(const struct rdns_result *found, void *arg)
{
	struct evaluation *e = arg;

	e->result.rdns = found;
	find(e, found->findings);
	lower_ttl(e, found->ttl);
	if (e->helo)
		start_helo(e);
	release(e);
}

/* Of the HELO identity only a fail says something: RFC 7208 2.3 leaves the rest to MAIL FROM. */
static void take_spf(struct evaluation *e, const struct spf_verdict *found)
{
	e->result.spf = found;
	if (found->result == SPF_FAIL)
		find(e, FINDING_BIT(FINDING_SPF_HELO_FAIL));
	if (found->result == SPF_TEMPERROR)
		e->result.input.temporary = true;
}

static void on_spf(const struct spf_verdict *found, void *arg)
{
	struct evaluation *e = arg;

	take_spf(e, found);
	release(e);
}

static void start_spf(struct evaluation *e)
{
	const struct spf_request request = {
		.dns = e->dns,
		.ip = e->result.addr,
		.helo = e->helo,
		.from = "",
		.identity = SPF_HELO,
		.explain = e->details,
		.time = e->time,
	};

	e->spf = spf_start(&request, on_spf, e);
	if (e->spf && spf_verdict(e->spf)) /* there was nothing to ask: no callback comes */
		take_spf(e, spf_verdict(e->spf));
	else
		expect(e, e->spf);
}

static void start_checks(struct evaluation *e)
{
	e->addresses = dnsbl_start_address(e->dnsbl, &e->result.addr, e->details, on_addresses, e);
	expect(e, e->addresses);
	if (e->addresses)
		dnsbl_watch(e->addresses, on_news);
	e->rdns = rdns_start(e->dns, &e->result.addr, on_rdns, e);
	expect(e, e->rdns);
	if (!e->helo)
		return;
	e->domains = dnsbl_start_domain(e->dnsbl, e->helo, e->details, on_domains, e);
	expect(e, e->domains);
	start_spf(e);
}

/* As far as there is room. */
static bool copy_own(struct evaluation *e, const struct evaluate_request *request)
{
	struct own *own = calloc(1, sizeof(*own));

	e->own = own;
	if (!own)
		return false;
	for (size_t i = 0; i < request->own_names && i < HELO_OWN_MAX; i++) {
		own->name[i] = strdup(request->own_name[i]);
		if (!own->name[i])
			return false;
		own->names++;
	}
	for (size_t i = 0; i < request->own_addresses && i < HELO_OWN_MAX; i++)
		own->address[own->addresses++] = request->own_address[i];
	return true;
}

static void free_own(struct own *own)
{
	for (size_t i = 0; own && i < own->names; i++)
		free(own->name[i]);
	free(own);
}

static bool copy_request(struct evaluation *e, const struct evaluate_request *request)
{
	e->dns = request->dns;
	e->dnsbl = request->dnsbl;
	e->rules = *request->rules;
	e->details = request->details;
	e->time = request->time;
	e->result.addr = request->addr;
	e->result.ttl = UINT32_MAX;
	if (!request->helo || !*request->helo)
		return true;
	e->helo = strdup(request->helo);
	return e->helo && copy_own(e, request);
}

struct evaluation *evaluate_start(const struct evaluate_request *request, evaluate_cb done,
				  void *arg)
{
	struct evaluation *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->done = done;
	e->arg = arg;
	if (copy_request(e, request))
		start_checks(e);
	if (!e->pending) /* memory is short: nothing was started, so nothing would end */
		evaluate_free(&e);
	return e;
}

const struct evaluate_result *evaluate_result(const struct evaluation *e)
{
	return e->complete ? &e->result : NULL;
}

void evaluate_timeout(struct evaluation *e)
{
	if (e->complete)
		return;
	e->late = true;
	if (e->addresses)
		dnsbl_hurry(e->dnsbl, e->addresses);
	if (e->domains)
		dnsbl_hurry(e->dnsbl, e->domains);
	if (e->rdns && !e->result.rdns)
		find(e, FINDING_BIT(FINDING_RDNS_TEMPORARY));
	if (e->helo && !e->result.helo)
		find(e, FINDING_BIT(FINDING_HELO_TEMPORARY));
	end_checks(e);
	e->result.input.temporary = true;
	e->result.ttl = 0;
	complete(e);
}

void evaluate_free(struct evaluation **evaluation)
{
	struct evaluation *e = *evaluation;

	if (!e)
		return;
	*evaluation = NULL;
	dnsbl_cancel(e->dnsbl, &e->addresses);
	dnsbl_cancel(e->dnsbl, &e->domains);
	rdns_free(&e->rdns);
	helo_free(&e->helo_check);
	spf_free(&e->spf);
	free_own(e->own);
	free(e->detail);
	free(e->helo);
	free(e);
}
