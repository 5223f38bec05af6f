/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of the Domain Name System, made octet by octet for tests.
 */
#ifndef POSTERN_TESTS_DNS_MESSAGE_H
#define POSTERN_TESTS_DNS_MESSAGE_H

#include "dns/name.h"

#define BUILT_MAX 65535

enum { T_A = 1, T_NS = 2, T_CNAME = 5, T_SOA = 6, T_PTR = 12, T_MX = 15, T_TXT = 16, T_AAAA = 28 };
enum { RCODE_OK, RCODE_FORMERR, RCODE_SERVFAIL, RCODE_NXDOMAIN, RCODE_NOTIMP, RCODE_REFUSED };
enum section { SECTION_QUESTION, SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL };

struct built {
	size_t size;
	uint8_t octet[BUILT_MAX];
};

/* A response with one question. */
void built_start(struct built *built, uint16_t id, unsigned int rcode, const char *name,
		 uint16_t type);
/* Octets as they are, and a name without pointers. */
void built_octets(struct built *built, const void *octets, size_t size);
void built_name(struct built *built, const char *name);
void built_number(struct built *built, uint32_t number, size_t size);
/* Begins a record; built_end() fills in the length of its data. */
size_t built_record(struct built *built, enum section section, const char *owner, uint16_t type,
		    uint32_t ttl);
void built_end(struct built *built, size_t record);

/* Whole records. */
void built_a(struct built *built, const char *owner, uint32_t ttl, uint32_t address);
void built_target(struct built *built, const char *owner, uint16_t type, uint32_t ttl,
		  const char *target);
void built_mx(struct built *built, const char *owner, uint32_t ttl, uint16_t preference,
	      const char *target);
/* One string; more than 255 octets are cut into several. */
void built_txt(struct built *built, const char *owner, uint32_t ttl, const void *text, size_t size);
void built_soa(struct built *built, const char *owner, uint32_t ttl, uint32_t minimum);
/* Sets the bit that says that there was more. */
void built_truncated(struct built *built);

#endif
