/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_parse.h - the syntax of an SPF record (RFC 7208 section 12).
 *
 * spf_parse() looks at the whole record, because a mistake anywhere in it is a permerror (4.6);
 * spf_next() then walks over its mechanisms. There is no list of terms: a term is read again when
 * it is its turn, so a record of any number of terms takes no memory beside its text, which has at
 * most DNS_TEXT_MAX octets, belongs to the caller, and has to outlive what is parsed from it.
 *
 * Pure functions. What they say of a mistake names the term, made fit to show.
 */
#ifndef POSTERN_CHECKS_SPF_PARSE_H
#define POSTERN_CHECKS_SPF_PARSE_H

#include "checks/spf_macro.h"
#include "lib/error.h"

enum spf_kind {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
	SPF_REDIRECT,
	SPF_EXP,
	SPF_OTHER_MODIFIER,
	SPF_KINDS
};

struct spf_term {
	enum spf_kind kind;
	char qualifier;       /* of a mechanism: one of "+-?~" */
	struct spf_span text; /* the term as it is written */
	struct spf_span spec; /* domain-spec, empty if there is none; a modifier's value */
	struct addr network;  /* of ip4 and ip6 */
	uint8_t cidr4, cidr6; /* bits that count: 32 and 128 unless the term says otherwise */
};

struct spf_record {
	struct spf_span text;
	struct spf_span redirect, exp; /* their domain-specs; empty if there are none */
	struct spf_span redirect_term; /* as it is written */
};

/* Whether a TXT record is an SPF record: "v=spf1", in any case, before a blank or the end (4.5). */
bool spf_is_record(struct spf_span text);

/* Checks a record for which spf_is_record() holds; an error is ERROR_REFUSED. */
int spf_parse(struct spf_span text, struct spf_record *out, struct error *err);

/*
 * The next mechanism of a parsed record; `place`, which starts with SPF_START, says where that is.
 * False at the end.
 */
#define SPF_START 6 /* behind the version */
bool spf_next(const struct spf_record *record, size_t *place, struct spf_term *out);

#endif
