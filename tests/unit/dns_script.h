/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/dns_script.h - a `struct dns` that plays a zone: no sockets, and a clock that stands
 * still until a test moves it.
 *
 * A zone is an object: a name in lower case, and for each type of record a list of what there is:
 *
 *	{ "example.com": { "TXT": ["v=spf1 mx -all"], "MX": [[10, "mx.example.com"]] },
 *	  "mx.example.com": { "A": ["192.0.2.1"], "AAAA": "TEMPORARY" } }
 *
 * A type that is the text "TEMPORARY" or "BUSY" is answered so; "CNAME" is a name that is followed.
 * Other types of a name that is there are NODATA, and other names NXDOMAIN. Questions wait until
 * the test lets them be answered, in an order that it chooses.
 */
#ifndef POSTERN_TESTS_DNS_SCRIPT_H
#define POSTERN_TESTS_DNS_SCRIPT_H

#include <jansson.h>
#include <stdbool.h>

#include "dns/dns.h"

enum dns_script_order { SCRIPT_FIRST, SCRIPT_LAST, SCRIPT_RANDOM };

struct dns_script {
	struct dns dns;
	const json_t *zone; /* borrowed */
	enum dns_script_order order;
	unsigned int seed;
	uint64_t now;
	size_t asked, pending, most_pending, cancelled;
	struct dns_query *first;
};

void dns_script_open(struct dns_script *script, const json_t *zone);
/* Answers one question; false if there is none. */
bool dns_script_step(struct dns_script *script);
/* Forgets what is pending; returns how much that was. */
size_t dns_script_close(struct dns_script *script);

#endif
