/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/message.h - walks a message of the Domain Name System: numbers, names, records.
 *
 * Pure, for dns/wire.c. Every read checks that there is something to read; after one that failed
 * `ok` stays false, numbers are 0 and pointers NULL, so a caller may look once, at the end.
 *
 * Limits: a name takes at most MESSAGE_JUMPS_MAX pointers, each of which goes backwards.
 */
#ifndef POSTERN_DNS_MESSAGE_H
#define POSTERN_DNS_MESSAGE_H

#include "dns/name.h"

#define MESSAGE_JUMPS_MAX 32
#define MESSAGE_TTL_SIGN  0x80000000u /* a TTL with it is 0 (RFC 2181 8) */

struct message {
	const uint8_t *octet;
	size_t size, at;
	bool ok;
};

struct message_record {
	struct dns_name owner;
	uint16_t type, class;
	uint32_t ttl;
	size_t data, length;
};

size_t message_left(const struct message *message);
const uint8_t *message_take(struct message *message, size_t size);
uint16_t message_take16(struct message *message);
uint32_t message_take32(struct message *message);
/* Stands behind the name's first pointer, or its end, afterwards. */
bool message_take_name(struct message *message, struct dns_name *out);
bool message_take_record(struct message *message, struct message_record *out);

/* The data of a record; names in it may point to anywhere before. */
struct message message_data(const struct message *message, const struct message_record *record);

#endif
