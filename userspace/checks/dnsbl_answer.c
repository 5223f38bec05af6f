/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl_answer.c - see checks/dnsbl_answer.h.
 */
#include "checks/dnsbl_answer.h"

#include "lib/ascii.h"

#define LOOPBACK_NET 127u
#define ERRORS_NET   0x7ffffful   /* 127.255.255.0/24: Spamhaus and those who follow it */
#define REFUSED      0x7f000001ul /* URIBL, SURBL: the query was refused */
#define NO_ADDRESSES 0x7f0001fful /* DBL: a list of domains was asked for an address */
#define MASK         "***"

/* Codes that are an error for some lists, and a listing where the operator says so. */
static bool is_doubtful(uint32_t code)
{
	return code == REFUSED || code == NO_ADDRESSES;
}

static bool row_counts(const struct conf_zone *row, uint32_t code)
{
	return row->filtered ? conf_zone_counts(row, code) : !is_doubtful(code);
}

static bool any_row_counts(const struct dnsbl_rows *rows, uint32_t code)
{
	for (size_t i = 0; i < rows->count; i++)
		if (row_counts(&rows->row[i], code))
			return true;
	return false;
}

static enum dnsbl_kind kind_of(const struct dnsbl_rows *rows, uint32_t code)
{
	if (code >> 24 != LOOPBACK_NET)
		return DNSBL_KIND_OUTSIDE;
	if (code >> 8 == ERRORS_NET || (is_doubtful(code) && !any_row_counts(rows, code)))
		return DNSBL_KIND_CODE;
	return DNSBL_KIND_LISTED;
}

/* The address of a record; what is no IPv4 address is taken for one outside. */
static uint32_t code_of(const struct dns_record *record)
{
	return addr_is_ipv4(&record->addr) ? addr_ipv4(&record->addr) : 0;
}

enum dnsbl_kind dnsbl_answer_kind(const struct dnsbl_rows *rows, const struct dns_answer *answer,
				  uint32_t *code)
{
	enum dnsbl_kind worst = DNSBL_KIND_ABSENT;

	*code = 0;
	if (answer->status == DNS_BUSY)
		return DNSBL_KIND_BUSY;
	if (answer->status == DNS_TEMPORARY)
		return DNSBL_KIND_NONE;
	for (size_t i = 0; i < answer->count; i++) {
		const uint32_t this = code_of(&answer->record[i]);
		const enum dnsbl_kind kind = kind_of(rows, this);

		if (kind > worst) {
			worst = kind;
			*code = this;
		}
	}
	return worst;
}

static bool row_matches(const struct conf_zone *row, const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		if (row_counts(row, code_of(&answer->record[i])))
			return true;
	return false;
}

bool dnsbl_answer_score(const struct dnsbl_rows *rows, const struct dns_answer *answer,
			int32_t *score)
{
	bool any = false;

	for (size_t i = 0; i < rows->count; i++) {
		if (!row_matches(&rows->row[i], answer))
			continue;
		*score += rows->row[i].weight;
		any = true;
	}
	return any;
}

size_t dnsbl_answer_codes(const struct dns_answer *answer, uint32_t code[DNSBL_CODES_MAX])
{
	size_t count = 0;

	while (count < answer->count && count < DNSBL_CODES_MAX) {
		code[count] = code_of(&answer->record[count]);
		count++;
	}
	return count;
}

/* The octet that two hexadecimal digits stand for, or -1. */
static int read_digits(const char *at, size_t left)
{
	const int high = left >= 2 ? ascii_hex_value(at[0]) : -1;
	const int low = high >= 0 ? ascii_hex_value(at[1]) : -1;

	return low >= 0 ? high * 16 + low : -1;
}

/* The character at `at`, also if it is percent-encoded (RFC 3986 2.1), even more than once:
 * "%2541" is "%41". Returns how many octets it takes of those that are left, at least one. */
static size_t read_character(const char *at, size_t left, char *out)
{
	int value = *at == '%' ? read_digits(at + 1, left - 1) : -1;
	size_t used = 1;

	*out = *at;
	while (value >= 0) {
		*out = (char)value;
		used += 2;
		value = value == '%' ? read_digits(at + used, left - used) : -1;
	}
	return used;
}

/* The octets at `at` that are the key, from front to back or the other way round; 0: it is not
 * there. */
static size_t match_key(const struct dnsbl_key *key, bool backwards, const char *at, size_t left)
{
	size_t used = 0;

	for (size_t i = 0; i < key->length; i++) {
		const char wanted = key->text[backwards ? key->length - 1 - i : i];
		char found;

		if (used == left)
			return 0;
		used += read_character(at + used, left - used, &found);
		if (ascii_lower(found) != ascii_lower(wanted))
			return 0;
	}
	return used;
}

/* The octets of the longest key that stands at `at`; 0: none. */
static size_t key_at(const struct dnsbl_keys *keys, const char *at, size_t left)
{
	size_t longest = 0;

	for (size_t i = 0; i < 2 * keys->count; i++) {
		const size_t length = match_key(&keys->key[i / 2], i % 2, at, left);

		if (length > longest)
			longest = length;
	}
	return longest;
}

/* Looks for keys in the whole text, so that none is shown in part where the text is cut. */
void dnsbl_answer_text(const struct dns_answer *answer, const struct dnsbl_keys *keys,
		       char out[DNSBL_TEXT_MAX])
{
	const char *at = answer->count ? answer->record[0].text : NULL;
	size_t left = answer->count ? answer->record[0].length : 0, used = 0;

	while (left && used < DNSBL_TEXT_MAX - 1) {
		const size_t key = key_at(keys, at, left), step = key ? key : 1;

		for (size_t i = 0; key && MASK[i] && used < DNSBL_TEXT_MAX - 1; i++)
			out[used++] = MASK[i];
		if (!key)
			out[used++] = *at >= ' ' && *at <= '~' ? *at : '?';
		at += step;
		left -= step;
	}
	out[used] = '\0';
}
