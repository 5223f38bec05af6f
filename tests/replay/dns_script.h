/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/replay/dns_script.h - a `struct dns` that plays a script under a clock of the test's: no
 * sockets, no threads, no waiting.
 *
 * A script is text, a line for each record or failure; what follows "#" or ";" is a comment:
 *
 *   example.com   TXT  "v=spf1 " "mx -all"         strings are put together; \" \\ \DDD inside
 *   example.com   MX   10 mx.example.com
 *   mx.example.com A   ttl 60 192.0.2.1
 *   slow.example  A    after 1500 192.0.2.2        answered 1500 ms after it was asked
 *   www.example   CNAME example.com
 *   dead.example  TXT  after 20000 TEMPORARY       FOUND without records is NODATA
 *   gone.example  ANY  NXDOMAIN                    for every type
 *
 * A question gets all records of its name and type. If there are none, the answer is NODATA where
 * the name, or one below it, stands in the script, and else NXDOMAIN. The slowest line counts.
 *
 * The test moves the time, and callbacks run from there, in the order in which answers are due;
 * inside of them everything is allowed but closing. The caller owns the script.
 */
#ifndef POSTERN_TESTS_DNS_SCRIPT_H
#define POSTERN_TESTS_DNS_SCRIPT_H

#include "dns/dns.h"
#include "lib/error.h"

struct dns_script;

/* On failure the error names the line. */
int dns_script_open(const char *text, struct dns_script **out, struct error *err);
/* Nulls the pointer. What is under way is dropped. */
void dns_script_close(struct dns_script **script);

/* More lines, for questions that are asked from now on. */
int dns_script_add(struct dns_script *script, const char *text, struct error *err);

struct dns *dns_script_dns(struct dns_script *script);

/* Lets so many ms pass; 0 plays what is due now, and what that asks and is due at once. */
void dns_script_advance(struct dns_script *script, uint64_t ms);
/* Lets time pass until nothing is under way, but at most so many ms; false if something is. */
bool dns_script_run(struct dns_script *script, uint64_t ms);

/* What has been asked so far, in all and of one kind (whatever the case of its letters). */
size_t dns_script_asked(const struct dns_script *script);
size_t dns_script_asked_for(const struct dns_script *script, const char *name, enum dns_type type);
size_t dns_script_cancelled(const struct dns_script *script);
size_t dns_script_pending(const struct dns_script *script);

#endif
