/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/name.h - names as they are on the wire: labels with their lengths, ended by the root's 0.
 *
 * Pure. What is compared, hashed and looked up is this form, because text has several spellings of
 * one name. Names that come from outside are checked here and nowhere else.
 */
#ifndef POSTERN_DNS_NAME_H
#define POSTERN_DNS_NAME_H

#include "dns/dns.h"
#include "lib/siphash.h"

#define DNS_WIRE_NAME_MAX 255 /* octets with all lengths (RFC 1035 3.1) */

struct dns_name {
	uint8_t length; /* of `octet`, with the root's 0; so it is at least 1 */
	uint8_t octet[DNS_WIRE_NAME_MAX];
};

/*
 * Reads presentation form: a final dot is allowed, "" and "." are the root, "\" takes the next
 * octet as it is, or three digits as its value. False for an empty or a long label, or a long name.
 */
bool dns_name_parse(const char *text, struct dns_name *out);

/*
 * Writes what dns/dns.h says that a name is. False if C text cannot hold it: a NUL octet, or more
 * than DNS_NAME_MAX octets with its backslashes.
 */
bool dns_name_format(const struct dns_name *name, char out[DNS_NAME_MAX + 1]);

/* Letters of ASCII become small ones, so that memcmp() compares. */
void dns_name_fold(struct dns_name *name);

/* Both are blind to the case of letters. Every name is below itself and below the root. */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
bool dns_name_below(const struct dns_name *name, const struct dns_name *suffix);

/* What a question is known by. The name is folded. */
struct dns_key {
	uint64_t hash;
	enum dns_type type;
	struct dns_name name;
};

void dns_key_make(const struct siphash_key *seed, const struct dns_name *name, enum dns_type type,
		  struct dns_key *out);
bool dns_key_equal(const struct dns_key *a, const struct dns_key *b);

#endif
