/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/result.h - an answer in one piece of memory, which the cache and everybody who waits share.
 *
 * Counted references, of one thread. Nothing in it changes once it has been made.
 */
#ifndef POSTERN_DNS_RESULT_H
#define POSTERN_DNS_RESULT_H

#include "dns/dns.h"

struct dns_result {
	uint32_t references;
	enum dns_status status;
	uint32_t ttl; /* as the servers said; of what is not there 0 if they said nothing */
	bool cut;
	size_t bytes; /* of the whole piece */
	size_t count;
	struct dns_record record[]; /* and behind them their texts */
};

/* Room for `count` records with `text_bytes` of text; NULL if memory is out. One reference. */
struct dns_result *dns_result_new(enum dns_status status, size_t count, size_t text_bytes);
/* Where the texts go. */
char *dns_result_text(struct dns_result *result);

struct dns_result *dns_result_ref(struct dns_result *result);
void dns_result_unref(struct dns_result *result);

/* What a callback gets. */
struct dns_answer dns_result_answer(const struct dns_result *result, uint32_t ttl, uint32_t age);

#endif
