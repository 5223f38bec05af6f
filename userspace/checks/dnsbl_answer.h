/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl_answer.h - what the answers of a DNS list mean (RFC 5782 2.1, 2.3).
 *
 * Pure. Answers come from strangers as far as we know: the owner of the zone, or whoever has bought
 * its domain since.
 */
#ifndef POSTERN_CHECKS_DNSBL_ANSWER_H
#define POSTERN_CHECKS_DNSBL_ANSWER_H

#include "checks/dnsbl.h"

/* What an answer is before anybody asks whether it counts; of several records the worst. */
enum dnsbl_kind {
	DNSBL_KIND_ABSENT,  /* no such name, or no such records: not listed */
	DNSBL_KIND_LISTED,  /* in 127.0.0.0/8, and no error code */
	DNSBL_KIND_OUTSIDE, /* an address outside of 127.0.0.0/8 */
	DNSBL_KIND_CODE,    /* an error code */
	DNSBL_KIND_NONE,    /* no answer */
	DNSBL_KIND_BUSY     /* not asked: over a budget */
};

/* The rows that have the name of one zone. */
struct dnsbl_rows {
	size_t count;
	const struct conf_zone *row;
};

/* `code` is the first address that makes it this kind; 0 if there are none. */
enum dnsbl_kind dnsbl_answer_kind(const struct dnsbl_rows *rows, const struct dns_answer *answer,
				  uint32_t *code);

/* Adds the weights of the rows that match; false if none does. Only for DNSBL_KIND_LISTED. */
bool dnsbl_answer_score(const struct dnsbl_rows *rows, const struct dns_answer *answer,
			int32_t *score);

/* Keeps the first DNSBL_CODES_MAX addresses; returns how many. */
size_t dnsbl_answer_codes(const struct dns_answer *answer, uint32_t code[DNSBL_CODES_MAX]);

/* What no text may show: at most DNSBL_KEYS_MAX keys of zones. */
#define DNSBL_KEYS_MAX (2 * CONF_ZONES_MAX)
struct dnsbl_keys {
	size_t count;
	struct dnsbl_key {
		const char *text; /* not ended by its length */
		size_t length;    /* at least 1 */
	} key[DNSBL_KEYS_MAX];
};

/*
 * The first TXT record as printable ASCII, other octets as "?"; a key is written as "***" wherever
 * it occurs: in letters of any case, percent-encoded as in the address of a web page, or from back
 * to front.
 */
void dnsbl_answer_text(const struct dns_answer *answer, const struct dnsbl_keys *keys,
		       char out[DNSBL_TEXT_MAX]);

#endif
