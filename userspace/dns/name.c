/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/name.c - see dns/name.h.
 */
#include "dns/name.h"

#include <string.h>

#include "lib/ascii.h"

#define OCTET_MAX 255

/* The octet that "\" at `text[-1]` stands for; returns how many characters it took, 0 if none. */
static size_t parse_escape(const char *text, uint8_t *out)
{
	unsigned int value;

	if (!*text)
		return 0;
	if (!ascii_is_digit(*text)) {
		*out = (uint8_t)*text;
		return 1;
	}
	if (!ascii_is_digit(text[1]) || !ascii_is_digit(text[2]))
		return 0;
	value = (unsigned int)((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
	*out = (uint8_t)value;
	return value <= OCTET_MAX ? 3 : 0;
}

/* One label up to its dot or the end; returns what follows the dot, or NULL. */
static const char *parse_label(const char *text, struct dns_name *out)
{
	uint8_t *const start = &out->octet[out->length], *at = start + 1;
	/* One octet more has to be left for the root. */
	const size_t left = DNS_WIRE_NAME_MAX - 2u - out->length;
	const uint8_t *const end = at + (left < DNS_LABEL_MAX ? left : DNS_LABEL_MAX);
	uint8_t octet;

	while (*text && *text != '.') {
		octet = (uint8_t)*text++;
		if (octet == '\\') {
			const size_t taken = parse_escape(text, &octet);

			if (!taken)
				return NULL;
			text += taken;
		}
		if (at == end)
			return NULL;
		*at++ = octet;
	}
	if (at == start + 1)
		return NULL;
	*start = (uint8_t)(at - start - 1);
	out->length = (uint8_t)(at - out->octet);
	return *text ? text + 1 : text;
}

/* Not the whole structure: names are short. */
static void copy(const struct dns_name *name, struct dns_name *out)
{
	out->length = name->length;
	memcpy(out->octet, name->octet, name->length);
}

bool dns_name_parse(const char *text, struct dns_name *out)
{
	struct dns_name name;

	name.length = 0;
	if (text[0] == '.' && !text[1])
		text++;
	while (*text) {
		if (name.length >= DNS_WIRE_NAME_MAX - 1)
			return false;
		text = parse_label(text, &name);
		if (!text)
			return false;
	}
	name.octet[name.length++] = 0;
	copy(&name, out);
	return true;
}

/* Appends a label; returns its end, or NULL if it has no place before `end`. */
static char *format_label(const uint8_t *label, char *at, const char *end)
{
	for (size_t i = 1; i <= *label; i++) {
		const uint8_t octet = label[i];

		if ((octet == '.' || octet == '\\') && at < end)
			*at++ = '\\';
		if (!octet || at == end)
			return NULL;
		*at++ = (char)octet;
	}
	return at;
}

bool dns_name_format(const struct dns_name *name, char out[DNS_NAME_MAX + 1])
{
	const char *const end = out + DNS_NAME_MAX;
	char *at = out;

	for (const uint8_t *label = name->octet; *label; label += 1 + *label) {
		if (label != name->octet) {
			if (at == end)
				return false;
			*at++ = '.';
		}
		at = format_label(label, at, end);
		if (!at)
			return false;
	}
	*at = '\0';
	return true;
}

static uint8_t fold(uint8_t octet)
{
	return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet - 'A' + 'a') : octet;
}

/* Eight octets at once: bit 7 of each is worked out, and becomes the bit that tells the cases
 * apart.
 */
static uint64_t fold8(uint64_t octets)
{
	const uint64_t each = 0x0101010101010101ull, low = octets & 0x7f * each;
	const uint64_t from_a = low + (0x80 - 'A') * each, behind_z = low + (0x7f - 'Z') * each;

	return octets | ((from_a & ~behind_z & ~octets & 0x80 * each) >> 2);
}

/* Lengths are below 64, so they are no letters. */
void dns_name_fold(struct dns_name *name)
{
	uint64_t octets;
	size_t i = 0;

	for (; i + sizeof(octets) <= name->length; i += sizeof(octets)) {
		memcpy(&octets, name->octet + i, sizeof(octets));
		octets = fold8(octets);
		memcpy(name->octet + i, &octets, sizeof(octets));
	}
	for (; i < name->length; i++)
		name->octet[i] = fold(name->octet[i]);
}

static bool same(const uint8_t *a, const uint8_t *b, size_t size)
{
	if (!memcmp(a, b, size)) /* most are, to the letter */
		return true;
	for (size_t i = 0; i < size; i++)
		if (fold(a[i]) != fold(b[i]))
			return false;
	return true;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	return a->length == b->length && same(a->octet, b->octet, a->length);
}

bool dns_name_below(const struct dns_name *name, const struct dns_name *suffix)
{
	const uint8_t *label = name->octet, *end = name->octet + name->length;

	while (end - label > suffix->length)
		label += 1 + *label;
	return end - label == suffix->length && same(label, suffix->octet, suffix->length);
}

void dns_key_make(const struct siphash_key *seed, const struct dns_name *name, enum dns_type type,
		  struct dns_key *out)
{
	copy(name, &out->name);
	out->type = type;
	dns_name_fold(&out->name);
	out->hash = siphash(seed, out->name.octet, out->name.length) + (uint64_t)type;
}

bool dns_key_equal(const struct dns_key *a, const struct dns_key *b)
{
	return a->hash == b->hash && a->type == b->type && a->name.length == b->name.length &&
	       !memcmp(a->name.octet, b->name.octet, a->name.length);
}
