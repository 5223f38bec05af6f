/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/message.c - see dns/message.h.
 */
#include "dns/message.h"

#include <string.h>

#define POINTER      0xc0
#define NUMBERS_SIZE 10 /* of a record: type, class, TTL, length of the data */

size_t message_left(const struct message *message)
{
	return message->ok ? message->size - message->at : 0;
}

const uint8_t *message_take(struct message *message, size_t size)
{
	const uint8_t *at = message->octet + message->at;

	if (message_left(message) < size) {
		message->ok = false;
		return NULL;
	}
	message->at += size;
	return at;
}

uint16_t message_take16(struct message *message)
{
	const uint8_t *at = message_take(message, 2);

	return at ? (uint16_t)(at[0] << 8 | at[1]) : 0;
}

uint32_t message_take32(struct message *message)
{
	const uint32_t high = message_take16(message);

	return high << 16 | message_take16(message);
}

/* Follows a pointer, which must go backwards (RFC 1035 4.1.4: a prior occurrence). */
static bool jump(struct message *message, uint8_t high, int *jumps)
{
	const size_t from = message->at - 1;
	const uint8_t *low = message_take(message, 1);
	const size_t to = low ? (size_t)(high & ~POINTER) << 8 | *low : 0;

	if (!low || to >= from || ++*jumps > MESSAGE_JUMPS_MAX) {
		message->ok = false;
		return false;
	}
	message->at = to;
	return true;
}

/* Appends one label with its length. */
static bool take_label(struct message *message, uint8_t length, struct dns_name *out)
{
	const uint8_t *octets = message_take(message, length);

	if (!octets || out->length + 1u + length >= DNS_WIRE_NAME_MAX) {
		message->ok = false;
		return false;
	}
	out->octet[out->length++] = length;
	memcpy(&out->octet[out->length], octets, length);
	out->length = (uint8_t)(out->length + length);
	return true;
}

bool message_take_name(struct message *message, struct dns_name *out)
{
	size_t behind = 0;
	int jumps = 0;
	const uint8_t *length;

	out->length = 0;
	while ((length = message_take(message, 1)) && *length) {
		if ((*length & POINTER) == POINTER) {
			if (!behind)
				behind = message->at + 1;
			if (!jump(message, *length, &jumps))
				return false;
		} else if (*length > DNS_LABEL_MAX || !take_label(message, *length, out)) {
			message->ok = false;
			return false;
		}
	}
	if (!length)
		return false;
	out->octet[out->length++] = 0;
	if (behind)
		message->at = behind;
	return true;
}

bool message_take_record(struct message *message, struct message_record *out)
{
	if (!message_take_name(message, &out->owner) || message_left(message) < NUMBERS_SIZE) {
		message->ok = false;
		return false;
	}
	out->type = message_take16(message);
	out->class = message_take16(message);
	out->ttl = message_take32(message);
	if (out->ttl & MESSAGE_TTL_SIGN) /* RFC 2181 8 */
		out->ttl = 0;
	out->length = message_take16(message);
	out->data = message->at;
	return message_take(message, out->length) != NULL;
}

struct message message_data(const struct message *message, const struct message_record *record)
{
	return (struct message){ .octet = message->octet,
				 .size = record->data + record->length,
				 .at = record->data,
				 .ok = true };
}
