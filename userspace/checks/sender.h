/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/sender.h - whether a domain can receive the answers to the mail that it sends.
 *
 * It can if it has an MX that is no null MX (RFC 7505), or without any MX an address (RFC
 * 5321 5.1). A literal is as good as its address. The same rules for callbacks as in checks/rdns.h.
 */
#ifndef POSTERN_CHECKS_SENDER_H
#define POSTERN_CHECKS_SENDER_H

#include "conf/finding.h"
#include "dns/dns.h"

struct sender_result {
	finding_set findings; /* one of SENDER_* */
	uint32_t ttl, age;
	unsigned int queries;
};

struct sender;
typedef void (*sender_cb)(const struct sender_result *result, void *arg);

/* NULL only if memory is short. */
struct sender *sender_start(struct dns *dns, const char *domain, sender_cb cb, void *arg);
const struct sender_result *sender_result(const struct sender *sender);
void sender_free(struct sender **sender);

#endif
