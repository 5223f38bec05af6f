/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/finding.h - what the checks can find out about a client or a sender: one list, from which
 * the options of the section "score", the reports, the logs and the metrics are made.
 *
 * X(NAME, text, preset, help)
 *   text    what users see; the option is "score." and this
 *   preset  the score when nobody configured one: above 0 speaks against mail, below 0 for it
 *
 * What DNS lists say is not here: each zone has a weight of its own (conf/zone.h).
 */
#ifndef POSTERN_CONF_FINDING_H
#define POSTERN_CONF_FINDING_H

#include <stdint.h>

#define FINDING_LIST(X)                                                                            \
	X(RDNS_CONFIRMED, "rdns-confirmed", "0",                                                   \
	  "the address has a host name that leads back to it (FCrDNS)")                            \
	X(RDNS_MISSING, "rdns-missing", "4", "the address has no host name")                       \
	X(RDNS_UNCONFIRMED, "rdns-unconfirmed", "3",                                               \
	  "no host name of the address leads back to it")                                          \
	X(RDNS_TEMPORARY, "rdns-temporary", "0",                                                   \
	  "the DNS could not tell the host name of the address")                                   \
	X(RDNS_GENERIC, "rdns-generic", "2",                                                       \
	  "the host name is made of the address, as those of dial-up lines are")                   \
	X(HELO_CONFIRMED, "helo-confirmed", "0", "the HELO name leads to the client's address")    \
	X(HELO_MATCH, "helo-match", "-1",                                                          \
	  "address, host name and HELO name are those of one host")                                \
	X(HELO_SYNTAX, "helo-syntax", "6", "HELO was neither a host name nor an address literal")  \
	X(HELO_BARE, "helo-bare", "3", "the HELO name has no domain")                              \
	X(HELO_LITERAL, "helo-literal", "2", "HELO was the client's address in brackets")          \
	X(HELO_LITERAL_WRONG, "helo-literal-wrong", "6",                                           \
	  "HELO was an address in brackets that is not the client's")                              \
	X(HELO_OWN, "helo-own", "10", "HELO was a name or an address of ours")                     \
	X(HELO_MISMATCH, "helo-mismatch", "1",                                                     \
	  "the HELO name exists and does not lead to the client's address")                        \
	X(HELO_UNKNOWN, "helo-unknown", "3", "the HELO name does not exist, or has no address")    \
	X(HELO_TEMPORARY, "helo-temporary", "0", "the DNS could not tell about the HELO name")     \
	X(SPF_PASS, "spf-pass", "-1", "SPF: the sender's domain names this host")                  \
	X(SPF_NEUTRAL, "spf-neutral", "0", "SPF: the sender's domain says nothing of this host")   \
	X(SPF_NONE, "spf-none", "0", "SPF: the sender's domain has no policy")                     \
	X(SPF_SOFTFAIL, "spf-softfail", "3", "SPF: the sender's domain doubts this host")          \
	X(SPF_FAIL, "spf-fail", "10", "SPF: the sender's domain forbids this host")                \
	X(SPF_TEMPERROR, "spf-temperror", "0", "SPF: the DNS could not tell the policy")           \
	X(SPF_PERMERROR, "spf-permerror", "2", "SPF: the policy of the sender's domain is broken") \
	X(SPF_HELO_FAIL, "spf-helo-fail", "8", "SPF: the HELO name forbids this host")             \
	X(SENDER_USABLE, "sender-usable", "0", "the sender's domain can receive mail")             \
	X(SENDER_NULL_MX, "sender-null-mx", "10",                                                  \
	  "the sender's domain says that it takes no mail (null MX)")                              \
	X(SENDER_MISSING, "sender-missing", "10",                                                  \
	  "the sender's domain has neither a mail exchanger nor an address")                       \
	X(SENDER_TEMPORARY, "sender-temporary", "0",                                               \
	  "the DNS could not tell about the sender's domain")

#define FINDING_ENUM(name, text, preset, help) FINDING_##name,
enum finding { FINDING_LIST(FINDING_ENUM) FINDING_COUNT };
#undef FINDING_ENUM

/* Findings as a set: bit n is the n-th of the list. */
typedef uint64_t finding_set;
#define FINDING_BIT(finding) (1ull << (finding))
_Static_assert(FINDING_COUNT <= 64, "a set of findings has 64 bits");

#define SCORE_MAX 1000 /* of one finding and of one zone, either way */

#endif
