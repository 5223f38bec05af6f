/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes the answers of DNS lists. The input is a sequence of steps: a question about a client or a
 * domain, an answer to the oldest or newest question of the DNS, time, a cancelled question, other
 * zones.
 * Answers are made of the bytes that follow: records, or a text.
 *
 * Whatever is answered: no key is shown, texts can be printed, the score is one that the rows
 * allow, and what counts is a listing by a zone in service.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "checks/dnsbl.h"
#include "lib/log.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#define KEY         "k3y"
#define BACKWARDS   "y3k"
#define PENDING_MAX 256
#define QUERIES_MAX 16
#define RECORDS_MAX 16

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct dns_query {
	char name[DNS_NAME_MAX + 1];
	enum dns_type type;
	dns_cb cb;
	void *arg;
	struct dns_query *next;
};

struct fuzz {
	struct dns dns;
	struct dns_query *pending;
	size_t count;
	uint64_t now;
	bool rewrites;
	const uint8_t *at, *end;
	struct conf_zones addresses, domains;
	int32_t least, most; /* what rows can add up to */
	struct dnsbl *dnsbl;
	struct dnsbl_query *query[QUERIES_MAX];
};

static struct fuzz *current;

static unsigned int next(struct fuzz *fuzz)
{
	return fuzz->at < fuzz->end ? *fuzz->at++ : 0;
}

/* ---- the DNS */

static struct dns_query *fuzz_ask(struct dns *dns, const char *name, enum dns_type type, dns_cb cb,
				  void *arg)
{
	struct fuzz *fuzz = (struct fuzz *)dns;
	struct dns_query *query = calloc(1, sizeof(*query)), **last = &fuzz->pending;

	CHECK(query && strlen(name) <= DNS_NAME_MAX && fuzz->count++ < PENDING_MAX);
	CHECK(!*name || strstr(name, ".t"));
	strcpy(query->name, name);
	query->type = type;
	query->cb = cb;
	query->arg = arg;
	while (*last)
		last = &(*last)->next;
	return *last = query;
}

static void take_out(struct fuzz *fuzz, struct dns_query *query)
{
	struct dns_query **at = &fuzz->pending;

	while (*at && *at != query)
		at = &(*at)->next;
	CHECK(*at);
	*at = query->next;
	fuzz->count--;
	free(query);
}

/* A query without a name. */
static struct dns_query *fuzz_later(struct dns *dns, dns_cb cb, void *arg)
{
	return fuzz_ask(dns, "", DNS_A, cb, arg);
}

static void fuzz_cancel(struct dns *dns, struct dns_query *query)
{
	take_out((struct fuzz *)dns, query);
}

static uint64_t fuzz_now(struct dns *dns)
{
	return ((struct fuzz *)dns)->now;
}

static const struct dns_ops fuzz_ops = { fuzz_ask, fuzz_cancel, fuzz_now, fuzz_later };

static size_t fill_addresses(struct fuzz *fuzz, struct dns_record *record)
{
	const size_t count = next(fuzz) % RECORDS_MAX;

	for (size_t i = 0; i < count; i++) {
		const unsigned int first = next(fuzz);
		uint32_t addr = first < 128 ? 0x7f000000 | first : first << 24;

		if (first < 8)
			addr = 0x7f000000 | next(fuzz) << 16 | next(fuzz) << 8 | next(fuzz);
		record[i].addr = addr_from_ipv4(addr);
	}
	return count;
}

/* The text ends where the memory does, so that reading on is found. */
static char *fill_text(struct fuzz *fuzz, struct dns_record *record)
{
	const size_t left = (size_t)(fuzz->end - fuzz->at), wanted = next(fuzz) * 2;
	const size_t length = left && wanted >= left ? left - 1 : left ? wanted : 0;
	char *text = malloc(length + 1);

	CHECK(text);
	if (length)
		memcpy(text, fuzz->at, length);
	text[length] = '\0';
	fuzz->at += length;
	record->text = text;
	record->length = (uint16_t)length;
	return text;
}

/* What a zone in order says to its test, and that nobody else is listed. */
static void fill_test(const struct dns_query *query, struct dns_answer *answer,
		      struct dns_record *record)
{
	const bool listed = strncmp(query->name, "2.0.0.127.", 10) == 0 ||
			    strncmp(query->name, "2.0.0.0.0.0.f.7.", 16) == 0 ||
			    strncmp(query->name, "test.", 5) == 0;

	record->addr = addr_from_ipv4(0x7f000002);
	answer->status = listed ? DNS_FOUND : DNS_NXDOMAIN;
	answer->count = listed;
}

static void answer_one(struct fuzz *fuzz, bool newest, bool in_order)
{
	struct dns_record record[RECORDS_MAX] = { 0 };
	struct dns_answer answer = { .record = record };
	struct dns_query *query = fuzz->pending, copy;
	char *text = NULL;

	while (newest && query && query->next)
		query = query->next;
	if (!query)
		return;
	copy = *query;
	take_out(fuzz, query);
	if (!*copy.name) {
		answer.status = DNS_NODATA;
	} else if (in_order) {
		fill_test(&copy, &answer, record);
	} else {
		answer.status = next(fuzz) % DNS_STATUS_COUNT;
		answer.ttl = next(fuzz) * 16;
		if (answer.status == DNS_FOUND && copy.type == DNS_TXT)
			text = fill_text(fuzz, record);
		if (answer.status == DNS_FOUND)
			answer.count = text ? 1 : fill_addresses(fuzz, record);
	}
	copy.cb(&answer, copy.arg);
	free(text);
}

/* ---- what is heard */

static void check_shown(const char *text, size_t max)
{
	const size_t length = strlen(text);

	CHECK(length < max);
	for (size_t i = 0; i < length; i++) {
		CHECK(text[i] >= ' ' && text[i] <= '~');
		CHECK(strncasecmp(text + i, KEY, strlen(KEY)) != 0);
		CHECK(strncasecmp(text + i, BACKWARDS, strlen(BACKWARDS)) != 0);
	}
}

static void check_zone(const struct fuzz *fuzz, const struct dnsbl_zone_result *zone)
{
	check_shown(zone->zone, DNSBL_SHOWN_MAX);
	check_shown(zone->text, DNSBL_TEXT_MAX);
	CHECK(zone->codes <= DNSBL_CODES_MAX && zone->outcome < DNSBL_OUTCOMES);
	CHECK(zone->outcome == DNSBL_LISTED || (!zone->score && !*zone->text));
	CHECK(zone->score >= fuzz->least && zone->score <= fuzz->most);
	CHECK(!zone->missed || zone->outcome == DNSBL_OUT);
	CHECK(zone->outcome != DNSBL_LISTED || zone->codes);
	for (size_t i = 0; zone->outcome == DNSBL_LISTED && i < zone->codes; i++)
		CHECK(zone->code[i] >> 24 == 127 && zone->code[i] >> 8 != 0x7fffff);
}

static void on_result(const struct dnsbl_result *result, void *arg)
{
	struct dnsbl_query **query = arg;
	bool temporary = false;
	int32_t score = 0;

	*query = NULL;
	for (size_t i = 0; i < result->count; i++) {
		check_zone(current, &result->zone[i]);
		score += result->zone[i].score;
		temporary = temporary || result->zone[i].outcome == DNSBL_TEMPORARY ||
			    result->zone[i].missed;
	}
	CHECK(score == result->score && temporary == result->temporary);
	CHECK(result->missing <= 0 && (temporary || !result->missing));
	CHECK(score >= current->least && score <= current->most);
}

/* ---- the steps */

static void ask_domain(struct fuzz *fuzz, struct dnsbl_query **query)
{
	struct dns_record record;
	char *text = fill_text(fuzz, &record);

	*query = dnsbl_start_domain(fuzz->dnsbl, text, true, on_result, query);
	free(text);
}

/* Some of the zones of addresses take the place of those that are there, or would have. */
static void replace(struct fuzz *fuzz, unsigned int which)
{
	static struct conf_zones some;
	const uint32_t interval = next(fuzz) & 1 ? 0 : 60;
	struct dnsbl_set *set;

	some.count = 0;
	for (size_t i = 0; i < fuzz->addresses.count; i++)
		if (which >> i & 1)
			some.zone[some.count++] = fuzz->addresses.zone[i];
	CHECK(dnsbl_set_new(&some, &fuzz->domains, interval, &set, NULL) == 0);
	if (which & 8)
		dnsbl_set_drop(&set);
	else
		dnsbl_replace(fuzz->dnsbl, &set);
	CHECK(!set);
}

static void step(struct fuzz *fuzz)
{
	const unsigned int what = next(fuzz);
	struct dnsbl_query **query = &fuzz->query[what / 16];
	const struct addr addr =
		what & 16 ? addr_from_ipv4(0xc0000201) : addr_from_halves(0x20010db800000000, 1);

	switch (what % 16) {
	case 0:
	case 1:
		dnsbl_cancel(fuzz->dnsbl, query);
		*query = dnsbl_start_address(fuzz->dnsbl, &addr, what & 32, on_result, query);
		break;
	case 2:
		dnsbl_cancel(fuzz->dnsbl, query);
		ask_domain(fuzz, query);
		break;
	case 3:
		dnsbl_cancel(fuzz->dnsbl, query);
		break;
	case 4:
		fuzz->now += (what / 16) * 1000;
		dnsbl_tick(fuzz->dnsbl);
		break;
	case 5:
		fuzz->rewrites = what & 16;
		break;
	case 6:
	case 7:
		for (unsigned int i = 0; i < what / 16; i++)
			answer_one(fuzz, false, true);
		break;
	case 8:
		replace(fuzz, what / 16);
		break;
	default:
		answer_one(fuzz, what & 16, false);
	}
}

static void add_row(struct fuzz *fuzz, struct conf_zones *list, const char *name, uint16_t shown)
{
	struct conf_zone *row = &list->zone[list->count++];
	const unsigned int what = next(fuzz);

	strcpy(row->name, name);
	row->shown = shown;
	row->weight = what & 1 ? -1000 : (int32_t)what + 1;
	*(row->weight < 0 ? &fuzz->least : &fuzz->most) += row->weight;
	row->filtered = what >> 1 & 1;
	for (int i = 0; row->filtered && i < 4; i++)
		memset(&row->reply[i], (int)(what | next(fuzz)), sizeof(row->reply[i]));
}

static bool on_rewrites(void *arg)
{
	return ((struct fuzz *)arg)->rewrites;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *fuzz = calloc(1, sizeof(*fuzz));
	struct dnsbl_options options = { .rewrites = on_rewrites };

	CHECK(fuzz);
	current = fuzz;
	fuzz->dns.ops = &fuzz_ops;
	fuzz->now = 1000000;
	fuzz->at = data;
	fuzz->end = data + size;
	add_row(fuzz, &fuzz->addresses, KEY ".a.t", sizeof(KEY));
	add_row(fuzz, &fuzz->addresses, "b.t", 0);
	add_row(fuzz, &fuzz->addresses, KEY ".a.t", sizeof(KEY));
	add_row(fuzz, &fuzz->domains, KEY ".c.t", sizeof(KEY));
	options.dns = &fuzz->dns;
	options.addresses = &fuzz->addresses;
	options.domains = &fuzz->domains;
	options.test_interval = next(fuzz) & 1 ? 0 : 60;
	options.arg = fuzz;
	CHECK(dnsbl_open(&options, &fuzz->dnsbl, NULL) == 0);
	while (fuzz->at < fuzz->end)
		step(fuzz);
	while (size % 2 && fuzz->pending)
		answer_one(fuzz, false, true);
	dnsbl_close(&fuzz->dnsbl);
	CHECK(!fuzz->count && !fuzz->pending);
	free(fuzz);
	return 0;
}
