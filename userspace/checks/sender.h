/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/sender.h - whether a domain can receive the answers to the mail that it sends.
 *
 * It can if it has an MX that is no null MX (RFC 7505), or without any MX an address (RFC 5321
 * 5.1). Exactly one of these:
 *
 *   SENDER_USABLE     an MX that is a host name (checks/host.h, with a domain; not asked for); or
 *                     no MX and an address that others can reach; or an address literal of such an
 *                     address; or no domain at all: a bounce needs no answer
 *   SENDER_NULL_MX    all MX there are is the null MX; beside others it is not looked at
 *   SENDER_MISSING    no such domain; neither MX nor address; MX that are all addresses, localhost,
 *                     or no names (there is no falling back to the address then); no domain name
 *   SENDER_TEMPORARY  the DNS cannot tell now
 *
 * The domain is as the DNS has it: whoever takes addresses with letters beyond ASCII converts them
 * to A-labels (RFC 5890) before. A final dot is dropped. One callback, as in checks/rdns.h, also
 * when nothing has to be asked.
 */
#ifndef POSTERN_CHECKS_SENDER_H
#define POSTERN_CHECKS_SENDER_H

#include "conf/finding.h"
#include "dns/dns.h"

struct sender_result {
	finding_set findings; /* one of SENDER_* */
	uint32_t ttl, age;    /* seconds; 0 if nothing was asked */
	unsigned int queries;
};

struct sender;
typedef void (*sender_cb)(const struct sender_result *result, void *arg);

/* NULL only if memory is short. The domain need not outlive the call. */
struct sender *sender_start(struct dns *dns, const char *domain, sender_cb cb, void *arg);
const struct sender_result *sender_result(const struct sender *sender);
void sender_free(struct sender **sender);

#endif
