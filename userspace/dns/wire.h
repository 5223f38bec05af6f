/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/wire.h - reads the message in which a server answers.
 *
 * Pure, and the only code that looks into messages (tests/fuzz/fuzz_dns_answer.c). c-ares has
 * readers of its own, but they lose what counts here: the TTL of TXT and MX records, TXT records
 * without strings, names with octets that are no letters, and the least TTL of a chain.
 *
 * Limits: beyond DNS_CHAIN_MAX aliases the message is nonsense. Records beyond DNS_RECORDS_MAX, a
 * TXT record beyond DNS_TEXT_MAX, and a name that C text cannot hold are left out, and the result
 * says that it is cut.
 */
#ifndef POSTERN_DNS_WIRE_H
#define POSTERN_DNS_WIRE_H

#include "dns/name.h"
#include "dns/result.h"

#define DNS_CHAIN_MAX 16
#define DNS_CLASS_IN  1

enum dns_verdict {
	DNS_VERDICT_ANSWER,   /* FOUND, NODATA or NXDOMAIN */
	DNS_VERDICT_REFUSED,  /* the server cannot or will not say: SERVFAIL, REFUSED and others */
	DNS_VERDICT_FORMAT,   /* it did not understand the question: FORMERR */
	DNS_VERDICT_NONSENSE, /* no answer to this question, or none that can be read */
	DNS_VERDICT_MEMORY,   /* there is none left */
};

/*
 * Reads `size` octets as the answer to the question for `name` and `type`. `out` is filled for
 * DNS_VERDICT_ANSWER, with one reference for the caller.
 */
enum dns_verdict dns_wire_read(const uint8_t *message, size_t size, const struct dns_name *name,
			       enum dns_type type, struct dns_result **out);

/* The number of a type, as the servers know it. */
uint16_t dns_wire_type(enum dns_type type);

#endif
