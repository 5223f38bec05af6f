/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Implements tests/unit/dns_message.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dns_message.h"

#define COUNTS_AT  4
#define FLAGS_AT   2
#define FLAG_TC    0x02
#define RESPONSE   0x8180u /* QR, RD, RA */
#define CLASS_IN   1
#define STRING_MAX 255u

void built_octets(struct built *built, const void *octets, size_t size)
{
	assert_true(size <= BUILT_MAX - built->size);
	if (size)
		memcpy(built->octet + built->size, octets, size);
	built->size += size;
}

void built_number(struct built *built, uint32_t number, size_t size)
{
	while (size--) {
		const uint8_t octet = (uint8_t)(number >> 8 * size);

		built_octets(built, &octet, 1);
	}
}

void built_name(struct built *built, const char *name)
{
	struct dns_name wire;

	assert_true(dns_name_parse(name, &wire));
	built_octets(built, wire.octet, wire.length);
}

void built_start(struct built *built, uint16_t id, unsigned int rcode, const char *name,
		 uint16_t type)
{
	built->size = 0;
	built_number(built, id, 2);
	built_number(built, RESPONSE | rcode, 2);
	built_number(built, 1, 2);
	built_number(built, 0, 2);
	built_number(built, 0, 4);
	built_name(built, name);
	built_number(built, type, 2);
	built_number(built, CLASS_IN, 2);
}

size_t built_record(struct built *built, enum section section, const char *owner, uint16_t type,
		    uint32_t ttl)
{
	uint8_t *count = &built->octet[COUNTS_AT + 2 * section];

	if (!++count[1])
		count[0]++;
	built_name(built, owner);
	built_number(built, type, 2);
	built_number(built, CLASS_IN, 2);
	built_number(built, ttl, 4);
	built_number(built, 0, 2);
	return built->size;
}

void built_end(struct built *built, size_t record)
{
	const size_t size = built->size - record;

	built->octet[record - 2] = (uint8_t)(size >> 8);
	built->octet[record - 1] = (uint8_t)size;
}

void built_a(struct built *built, const char *owner, uint32_t ttl, uint32_t address)
{
	const size_t record = built_record(built, SECTION_ANSWER, owner, T_A, ttl);

	built_number(built, address, sizeof(address));
	built_end(built, record);
}

void built_target(struct built *built, const char *owner, uint16_t type, uint32_t ttl,
		  const char *target)
{
	const size_t record = built_record(built, SECTION_ANSWER, owner, type, ttl);

	built_name(built, target);
	built_end(built, record);
}

void built_mx(struct built *built, const char *owner, uint32_t ttl, uint16_t preference,
	      const char *target)
{
	const size_t record = built_record(built, SECTION_ANSWER, owner, T_MX, ttl);

	built_number(built, preference, sizeof(preference));
	built_name(built, target);
	built_end(built, record);
}

void built_txt(struct built *built, const char *owner, uint32_t ttl, const void *text, size_t size)
{
	const size_t record = built_record(built, SECTION_ANSWER, owner, T_TXT, ttl);
	const uint8_t *at = text;

	do {
		const size_t part = size < STRING_MAX ? size : STRING_MAX;

		built_number(built, (uint32_t)part, 1);
		built_octets(built, at, part);
		at += part;
		size -= part;
	} while (size);
	built_end(built, record);
}

void built_soa(struct built *built, const char *owner, uint32_t ttl, uint32_t minimum)
{
	const size_t record = built_record(built, SECTION_AUTHORITY, owner, T_SOA, ttl);

	built_name(built, "ns.example");
	built_name(built, "hostmaster.example");
	for (uint32_t number = 1; number <= 4; number++)
		built_number(built, number, 4);
	built_number(built, minimum, 4);
	built_end(built, record);
}

void built_truncated(struct built *built)
{
	built->octet[FLAGS_AT] |= FLAG_TC;
}
