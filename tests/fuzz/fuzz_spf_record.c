/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes SPF: the first line of the input is the sender, the others are TXT records. Each record is
 * parsed and its macros are expanded by themselves; then the sender is evaluated against a DNS in
 * which every name has the next of the records, and addresses and names that follow from it.
 *
 * Whatever is said, a verdict must come, within the budgets, and its texts must be fit to print.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "checks/spf_header.h"
#include "checks/spf_parse.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#define LINES_MAX   24
#define PENDING_MAX SPF_NAMES_MAX
/* The first record; each term one question and ten names; the names of the client; one exp. */
#define QUERIES_MAX (1 + SPF_LOOKUPS_MAX * (1 + SPF_NAMES_MAX) + 1 + SPF_NAMES_MAX + 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct dns_query {
	char name[DNS_NAME_MAX + 1];
	enum dns_type type;
	dns_cb cb;
	void *arg;
	bool used;
};

struct fuzz_dns {
	struct dns dns;
	struct spf_span line[LINES_MAX];
	size_t lines, next_line;
	struct dns_query query[PENDING_MAX];
	uint64_t now;
};

static struct dns_query *fuzz_ask(struct dns *dns, const char *name, enum dns_type type, dns_cb cb,
				  void *arg)
{
	struct fuzz_dns *fuzz = (struct fuzz_dns *)dns;
	size_t i = 0;

	while (i < PENDING_MAX && fuzz->query[i].used)
		i++;
	CHECK(i < PENDING_MAX && *name && strlen(name) <= DNS_NAME_MAX);
	fuzz->query[i] = (struct dns_query){ .type = type, .cb = cb, .arg = arg, .used = true };
	memcpy(fuzz->query[i].name, name, strlen(name));
	return &fuzz->query[i];
}

static void fuzz_cancel(struct dns *dns, struct dns_query *query)
{
	(void)dns;
	CHECK(query->used);
	query->used = false;
}

static uint64_t fuzz_now(struct dns *dns)
{
	return ((struct fuzz_dns *)dns)->now;
}

/* Evaluations of SPF tell at once what needs no question. */
static struct dns_query *fuzz_later(struct dns *dns, dns_cb cb, void *arg)
{
	(void)dns;
	(void)cb;
	(void)arg;
	abort();
}

static const struct dns_ops fuzz_ops = { fuzz_ask, fuzz_cancel, fuzz_now, fuzz_later };

static unsigned int hash_of(const char *text)
{
	unsigned int hash = 5381;

	while (*text)
		hash = hash * 33 + (unsigned char)*text++;
	return hash;
}

/* A few records that follow from the name; a TXT is the next line, wherever it is asked for. */
static size_t fill(struct fuzz_dns *fuzz, const struct dns_query *query, struct dns_record *out)
{
	static const char *const names[] = { "a.example", "b.a.example", "", "c.example" };
	const unsigned int hash = hash_of(query->name);
	size_t count = hash % (query->type == DNS_MX ? 13 : 4);

	for (size_t i = 0; i < count; i++) {
		out[i] = (struct dns_record){ .preference = (uint16_t)(hash >> i),
					      .text = names[(hash + i) % 4] };
		out[i].addr = query->type == DNS_A ? addr_from_ipv4(0xc0000201u + hash % 3)
						   : addr_from_halves(0x20010db800000000, hash % 3);
	}
	if (query->type != DNS_TXT || !fuzz->lines)
		return query->type == DNS_TXT ? 0 : count;
	out[0].text = fuzz->line[fuzz->next_line % fuzz->lines].at;
	out[0].length = (uint16_t)fuzz->line[fuzz->next_line++ % fuzz->lines].length;
	return 1;
}

static bool answer_one(struct fuzz_dns *fuzz)
{
	struct dns_record record[16] = { 0 };
	struct dns_answer answer = { .record = record };
	size_t i = 0;

	while (i < PENDING_MAX && !fuzz->query[i].used)
		i++;
	if (i == PENDING_MAX)
		return false;
	answer.count = fill(fuzz, &fuzz->query[i], record);
	answer.status = answer.count                       ? DNS_FOUND
			: hash_of(fuzz->query[i].name) % 8 ? DNS_NODATA
							   : DNS_TEMPORARY;
	fuzz->query[i].used = false;
	fuzz->now += 10;
	fuzz->query[i].cb(&answer, fuzz->query[i].arg);
	return true;
}

static void check_printable(const char *text, size_t max)
{
	size_t length = strlen(text);

	CHECK(length < max);
	for (size_t i = 0; i < length; i++)
		CHECK(text[i] >= ' ' && text[i] <= '~');
}

static void check_verdict(const struct spf_verdict *verdict, const struct spf_request *request)
{
	const struct spf_header header = { verdict, request->ip, request->helo, request->from,
					   "gate.example" };
	char out[SPF_HEADER_MAX];

	CHECK(verdict->lookups <= SPF_LOOKUPS_MAX + 1 && verdict->queries <= QUERIES_MAX);
	CHECK(verdict->void_lookups <= SPF_VOIDS_MAX + 1);
	CHECK(verdict->lookups <= SPF_LOOKUPS_MAX || verdict->result == SPF_PERMERROR);
	CHECK((verdict->result == SPF_FAIL) == (*verdict->explanation != '\0'));
	check_printable(verdict->explanation, SPF_EXPLANATION_MAX);
	CHECK(strlen(verdict->problem) < SPF_PROBLEM_MAX && !strpbrk(verdict->problem, "\r\n"));
	CHECK(strlen(spf_header_received(&header, out)) < SPF_HEADER_MAX - 1);
	CHECK(strlen(spf_header_results(&header, out)) < SPF_HEADER_MAX - 1);
}

static void ignore(const struct spf_verdict *verdict, void *arg)
{
	(void)verdict;
	(void)arg;
}

static void evaluate(struct fuzz_dns *fuzz, const char *from, const struct addr *ip)
{
	const struct spf_request request = { .dns = &fuzz->dns,
					     .ip = *ip,
					     .helo = "mx.example.org",
					     .from = from,
					     .explain = true };
	struct spf *spf = spf_start(&request, ignore, NULL);

	CHECK(spf);
	while (answer_one(fuzz))
		;
	CHECK(spf_verdict(spf));
	check_verdict(spf_verdict(spf), &request);
	spf_free(&spf);
}

/* Parses from memory that ends where the text does. */
static void parse(struct spf_span line)
{
	const struct spf_macros macros = {
		"l-1@s.example", "l-1", "s.example", "d.example", "h.example", NULL, NULL,
		{ { 0 } },       1
	};
	char *copy = malloc(line.length), name[DNS_NAME_MAX + 1], text[SPF_EXPLANATION_MAX];
	const struct spf_span span = { copy, line.length };
	struct spf_record record;
	struct spf_term term;
	size_t place = SPF_START, last = 0;
	struct error err = { 0 };

	CHECK(copy);
	memcpy(copy, line.at, line.length);
	if (spf_macro_valid(span, SPF_IN_EXPLANATION)) {
		spf_macro_explanation(span, &macros, text, sizeof(text));
		check_printable(text, sizeof(text));
	}
	if (spf_is_record(span) && spf_parse(span, &record, &err) == 0) {
		for (; spf_next(&record, &place, &term); last = place) {
			CHECK(place > last && term.cidr4 <= 32 && term.cidr6 <= 128);
			spf_macro_domain(term.spec, &macros, name);
			CHECK(!term.spec.length || strlen(name) <= DNS_NAME_MAX);
		}
	} else {
		CHECK(!err.code || (*err.text && !strchr(err.text, '\n')));
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_dns fuzz = { .dns.ops = &fuzz_ops };
	const struct addr four = addr_from_ipv4(0xc0000201u);
	const struct addr six = addr_from_halves(0x20010db800000000, 1);
	char *text = malloc(size + 1), *line, *from;

	CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	from = text;
	for (line = memchr(text, '\n', size); line && fuzz.lines < LINES_MAX;) {
		char *next = memchr(line + 1, '\n', size - (size_t)(line + 1 - text));
		const size_t end = next ? (size_t)(next - text) : size;

		*line++ = '\0';
		fuzz.line[fuzz.lines] = (struct spf_span){ line, end - (size_t)(line - text) };
		if (fuzz.line[fuzz.lines].length <= DNS_TEXT_MAX)
			parse(fuzz.line[fuzz.lines++]);
		line = next;
	}
	evaluate(&fuzz, from, &four);
	evaluate(&fuzz, from, &six);
	free(text);
	return 0;
}
