/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes what is done with names of strangers: the first 16 octets of the input are a client's
 * address, and each line after them is a PTR name of it, what it says in HELO, an MX, and a
 * sender's domain. What the DNS says about a name's addresses follows from the name.
 *
 * Whatever the names are, each check has one result, within its budgets, and the name in it is a
 * host name, which may be shown and given on.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "checks/helo.h"
#include "checks/host.h"
#include "checks/rdns.h"
#include "checks/sender.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#define LINES_MAX   24
#define PENDING_MAX RDNS_NAMES_MAX

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct dns_query {
	enum dns_type type;
	unsigned int seed;
	bool asked, used;
	dns_cb cb;
	void *arg;
};

struct fuzz_dns {
	struct dns dns;
	struct addr client;
	size_t lines;
	const char *line[LINES_MAX];
	struct dns_query query[PENDING_MAX];
	unsigned int questions;
	unsigned int results;
};

static unsigned int seed_of(const char *name)
{
	unsigned int seed = 5381;

	while (*name)
		seed = seed * 33 + (unsigned char)*name++;
	return seed;
}

static struct dns_query *free_query(struct fuzz_dns *fuzz)
{
	struct dns_query *query = fuzz->query;

	while (query < fuzz->query + PENDING_MAX && query->used)
		query++;
	CHECK(query < fuzz->query + PENDING_MAX);
	return query;
}

static struct dns_query *fuzz_ask(struct dns *dns, const char *name, enum dns_type type, dns_cb cb,
				  void *arg)
{
	struct fuzz_dns *fuzz = (struct fuzz_dns *)dns;
	struct dns_query *query = free_query(fuzz);

	CHECK(host_name_is_valid(name, true));
	*query = (struct dns_query){ type, seed_of(name), true, true, cb, arg };
	fuzz->questions++;
	return query;
}

static struct dns_query *fuzz_later(struct dns *dns, dns_cb cb, void *arg)
{
	struct dns_query *query = free_query((struct fuzz_dns *)dns);

	*query = (struct dns_query){ DNS_A, 0, false, true, cb, arg };
	return query;
}

static void fuzz_cancel(struct dns *dns, struct dns_query *query)
{
	(void)dns;
	CHECK(query->used);
	query->used = false;
}

static uint64_t fuzz_now(struct dns *dns)
{
	(void)dns;
	return 0;
}

static const struct dns_ops fuzz_ops = { fuzz_ask, fuzz_cancel, fuzz_now, fuzz_later };

/* All lines for names; for addresses the client's, another, both, or a failure. */
static size_t fill(const struct fuzz_dns *fuzz, const struct dns_query *query,
		   struct dns_record *out)
{
	const bool names = query->type == DNS_PTR || query->type == DNS_MX;
	const size_t count = names ? fuzz->lines : query->seed % 3;

	for (size_t i = 0; i < count; i++) {
		out[i].text = names ? fuzz->line[i] : "";
		out[i].addr = i == 1 || query->seed & 8 ? fuzz->client : addr_from_ipv4(0xc0000201);
	}
	return count;
}

static bool answer_one(struct fuzz_dns *fuzz)
{
	struct dns_record record[LINES_MAX] = { 0 };
	struct dns_answer answer = { .record = record, .ttl = 300 };
	struct dns_query *query = fuzz->query;

	while (query < fuzz->query + PENDING_MAX && !query->used)
		query++;
	if (query == fuzz->query + PENDING_MAX)
		return false;
	answer.count = query->asked ? fill(fuzz, query, record) : 0;
	answer.status = answer.count ? DNS_FOUND : DNS_NODATA + query->seed / 4 % 4;
	query->used = false;
	query->cb(&answer, query->arg);
	return true;
}

static void answer_all(struct fuzz_dns *fuzz)
{
	CHECK(fuzz->results == 0);
	while (answer_one(fuzz))
		;
	CHECK(fuzz->results == 1);
	fuzz->results = fuzz->questions = 0;
}

static bool is_one(finding_set findings)
{
	return findings && !(findings & (findings - 1));
}

static void on_rdns(const struct rdns_result *result, void *arg)
{
	struct fuzz_dns *fuzz = arg;

	CHECK(is_one(result->findings & ~FINDING_BIT(FINDING_RDNS_GENERIC)));
	CHECK(!*result->name || host_name_is_valid(result->name, false));
	CHECK(result->findings != FINDING_BIT(FINDING_RDNS_CONFIRMED) || *result->name);
	CHECK(result->queries == fuzz->questions && result->queries <= 1 + RDNS_NAMES_MAX);
	CHECK(result->invalid <= result->names && result->names <= LINES_MAX);
	fuzz->results++;
}

static void on_helo(const struct helo_result *result, void *arg)
{
	struct fuzz_dns *fuzz = arg;

	CHECK(is_one(result->findings & ~FINDING_BIT(FINDING_HELO_MATCH)));
	CHECK(result->queries == fuzz->questions && result->queries <= 2);
	fuzz->results++;
}

static void on_sender(const struct sender_result *result, void *arg)
{
	struct fuzz_dns *fuzz = arg;

	CHECK(is_one(result->findings));
	CHECK(result->queries == fuzz->questions && result->queries <= 3);
	fuzz->results++;
}

static void check_client(struct fuzz_dns *fuzz)
{
	struct rdns *rdns = rdns_start(&fuzz->dns, &fuzz->client, on_rdns, fuzz);

	CHECK(rdns);
	answer_all(fuzz);
	rdns_free(&rdns);
}

static void check_helo(struct fuzz_dns *fuzz, const char *text)
{
	const struct helo_request request = {
		.dns = &fuzz->dns, .addr = fuzz->client, .helo = text, .host_name = ""
	};
	struct helo *helo = helo_start(&request, on_helo, fuzz);
	struct addr literal;
	char name[DNS_NAME_MAX + 1];

	CHECK(helo);
	answer_all(fuzz);
	CHECK((helo_result(helo)->findings == FINDING_BIT(FINDING_HELO_SYNTAX)) ==
	      (!host_literal(text, &literal) && !host_name_take(text, true, name)));
	helo_free(&helo);
}

static void check_domain(struct fuzz_dns *fuzz, const char *text)
{
	struct sender *sender = sender_start(&fuzz->dns, text, on_sender, fuzz);

	CHECK(sender);
	answer_all(fuzz);
	sender_free(&sender);
}

/* A copy in memory that ends where the name does, in another case: that must change nothing. */
static void check_name(const struct fuzz_dns *fuzz, const char *text)
{
	char *copy = strdup(text);

	CHECK(copy);
	for (char *at = copy; *at; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
	CHECK(host_name_is_valid(copy, true) == host_name_is_valid(text, true));
	CHECK(host_name_is_valid(copy, true) || !host_name_is_valid(copy, false));
	CHECK(rdns_is_generic(copy, &fuzz->client) == rdns_is_generic(text, &fuzz->client));
	free(copy);
}

static void take_lines(struct fuzz_dns *fuzz, char *text)
{
	while (text && fuzz->lines < LINES_MAX)
		fuzz->line[fuzz->lines++] = strsep(&text, "\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_dns fuzz = { .dns.ops = &fuzz_ops };
	char *text;

	if (size < sizeof(fuzz.client))
		return 0;
	memcpy(&fuzz.client, data, sizeof(fuzz.client));
	size -= sizeof(fuzz.client);
	text = malloc(size + 1);
	CHECK(text);
	memcpy(text, data + sizeof(fuzz.client), size);
	text[size] = '\0';
	take_lines(&fuzz, text);
	check_client(&fuzz);
	for (size_t i = 0; i < fuzz.lines; i++) {
		check_name(&fuzz, fuzz.line[i]);
		check_helo(&fuzz, fuzz.line[i]);
		check_domain(&fuzz, fuzz.line[i]);
	}
	free(text);
	return 0;
}
