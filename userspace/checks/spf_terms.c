/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_terms.c - the mechanisms of RFC 7208 section 5.
 *
 * spf_term_begin() counts the term, finds the validated name if the term needs one, expands the
 * domain, and hands over to the mechanism's own function. That one matches (spf_term_matches()),
 * asks, ends everything (spf_end_term()), or does nothing, which means that it does not match.
 *
 * A domain that cannot be asked for, because a label is empty or too long, is taken for one that
 * does not exist (4.8); nothing was asked then, so it is not a void lookup.
 */
#include "checks/spf_internal.h"

#include <string.h>

#include "checks/host.h"

typedef void (*term_fn)(struct spf *spf, const char *domain);

static void count_bits(struct spf *spf, uint8_t cidr4, uint8_t cidr6)
{
	spf->cidr4 = cidr4;
	spf->cidr6 = cidr6;
}

static void term_all(struct spf *spf, const char *domain)
{
	(void)domain;
	spf_term_matches(spf);
}

static void term_include(struct spf *spf, const char *domain)
{
	spf_enter(spf, domain, false);
}

/* ip4 and ip6 match clients of their own family only, whatever the length of the prefix. */
static void term_network(struct spf *spf, const char *domain)
{
	const struct spf_term *term = &spf_top(spf)->term;
	const struct dns_record record = { .addr = term->network };
	const struct dns_answer answer = { .status = DNS_FOUND, .count = 1, .record = &record };

	(void)domain;
	count_bits(spf, term->cidr4, term->cidr6);
	if ((term->kind == SPF_IP4) == addr_is_ipv4(&spf->ip) &&
	    spf_compare(spf, &answer) == SPF_MATCH)
		spf_term_matches(spf);
}

/* a, exists, and each name of an mx. Whether the term is still undecided. */
static bool take_outcome(struct spf *spf, enum spf_outcome outcome)
{
	if (outcome == SPF_VOID)
		return spf_count_void(spf);
	if (outcome == SPF_OTHER)
		return true;
	if (outcome == SPF_MATCH)
		spf_term_matches(spf);
	else
		spf_end_term(spf, SPF_TEMPERROR, "the DNS did not answer");
	return false;
}

static void got_addresses(struct spf *spf, const struct dns_answer *answer)
{
	take_outcome(spf, spf_compare(spf, answer));
}

static void term_a(struct spf *spf, const char *domain)
{
	count_bits(spf, spf_top(spf)->term.cidr4, spf_top(spf)->term.cidr6);
	if (spf_name_valid(domain))
		spf_ask(spf, domain, host_address_type(&spf->ip), got_addresses);
}

static void got_anything(struct spf *spf, const struct dns_answer *answer)
{
	const enum spf_outcome outcome = spf_compare(spf, answer);

	take_outcome(spf, outcome == SPF_OTHER ? SPF_MATCH : outcome);
}

/* An A record, also for a client with an IPv6 address (5.7). */
static void term_exists(struct spf *spf, const char *domain)
{
	if (spf_name_valid(domain))
		spf_ask(spf, domain, DNS_A, got_anything);
}

/* mx */

static bool exchange_resolved(struct spf *spf, const struct spf_slot *slot)
{
	return take_outcome(spf, slot->outcome);
}

static void no_match(struct spf *spf)
{
	(void)spf;
}

/* Sorts by preference; what is equal keeps the order of the answer. At most SPF_NAMES_MAX. */
static void sort_exchanges(const struct dns_answer *answer, const struct dns_record **sorted)
{
	size_t at;

	for (size_t i = 0; i < answer->count; i++) {
		const struct dns_record *record = &answer->record[i];

		for (at = i; at > 0 && sorted[at - 1]->preference > record->preference; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = record;
	}
}

/* The exchanges that have a name, by preference, into the slots. Null MX (RFC 7505) has none. */
static size_t fill_slots(struct spf *spf, const struct dns_answer *answer)
{
	const struct dns_record *sorted[SPF_NAMES_MAX];
	size_t count = 0;

	sort_exchanges(answer, sorted);
	for (size_t i = 0; i < answer->count; i++) {
		const size_t length = strlen(sorted[i]->text);

		if (length && length <= DNS_NAME_MAX)
			memcpy(spf->slot[count++].name, sorted[i]->text, length + 1);
	}
	return count;
}

static void got_mx(struct spf *spf, const struct dns_answer *answer)
{
	if (answer->status == DNS_NODATA || answer->status == DNS_NXDOMAIN)
		take_outcome(spf, SPF_VOID);
	else if (answer->status != DNS_FOUND)
		take_outcome(spf, SPF_FAILED);
	else if (answer->count > SPF_NAMES_MAX || answer->cut)
		spf_end_term(spf, SPF_PERMERROR, "more than 10 mail exchanges");
	else
		spf_resolve_slots(spf, fill_slots(spf, answer), exchange_resolved, no_match);
}
_Static_assert(SPF_NAMES_MAX == 10, "the message says so");

static void term_mx(struct spf *spf, const char *domain)
{
	count_bits(spf, spf_top(spf)->term.cidr4, spf_top(spf)->term.cidr6);
	if (spf_name_valid(domain))
		spf_ask(spf, domain, DNS_MX, got_mx);
}

/* The names are known by now. What goes wrong on the way to them is the client's fault (5.5). */
static void term_ptr(struct spf *spf, const char *domain)
{
	if (spf->names.none && !spf_count_void(spf))
		return;
	for (size_t i = 0; i < spf->names.count; i++) {
		if (host_name_within(spf->names.name[i], domain)) {
			spf_term_matches(spf);
			return;
		}
	}
}

static const struct {
	term_fn evaluate;
	bool looks_up;
} terms[] = {
	[SPF_ALL] = { term_all, false },     [SPF_INCLUDE] = { term_include, true },
	[SPF_A] = { term_a, true },          [SPF_MX] = { term_mx, true },
	[SPF_PTR] = { term_ptr, true },      [SPF_IP4] = { term_network, false },
	[SPF_IP6] = { term_network, false }, [SPF_EXISTS] = { term_exists, true },
};

static void evaluate(struct spf *spf)
{
	const struct spf_frame *frame = spf_top(spf);
	char domain[DNS_NAME_MAX + 1];
	struct spf_macros macros;

	if (frame->term.spec.length) {
		spf_macros(spf, &macros);
		spf_macro_domain(frame->term.spec, &macros, domain);
	} else {
		memcpy(domain, frame->domain, sizeof(domain));
	}
	terms[frame->term.kind].evaluate(spf, domain);
}

void spf_term_begin(struct spf *spf)
{
	const struct spf_term *term = &spf_top(spf)->term;
	const bool macro = spf_macro_wants_name(term->spec, SPF_IN_RECORD);

	if (terms[term->kind].looks_up && !spf_count_lookup(spf))
		return;
	/* The PTR question of %{p} counts as well (4.6.4), once: its answer is kept. */
	if (macro && term->kind != SPF_PTR && !spf->names.known && !spf_count_lookup(spf))
		return;
	if (macro || term->kind == SPF_PTR)
		spf_need_names(spf, evaluate);
	else
		evaluate(spf);
}
