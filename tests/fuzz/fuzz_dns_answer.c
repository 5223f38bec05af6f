/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes dns/wire and dns/name: whatever a server sends, nothing is read behind its end, and what
 * is made of it keeps the promises of dns/dns.h: texts end, names read back as themselves, and the
 * limits hold.
 *
 * The first octet is the type that was asked for; with its high bit the question is taken from the
 * message, so that the rest is reached, else it is "a.example". With the bit below it, what follows
 * is the text of a name.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns/message.h"
#include "dns/wire.h"

#define QUESTION_AT 12
#define BIT_ECHO    0x80
#define BIT_TEXT    0x40

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *text)
{
	struct dns_name name, again;
	char back[DNS_NAME_MAX + 1];

	CHECK(dns_name_parse(text, &name));
	CHECK(dns_name_format(&name, back));
	CHECK(dns_name_parse(back, &again));
	CHECK(dns_name_equal(&name, &again) && dns_name_below(&again, &name));
	CHECK(!strcmp(back, text));
}

static void check_record(const struct dns_record *record, enum dns_type type)
{
	CHECK(record->text[record->length] == '\0');
	if (type == DNS_A)
		CHECK(addr_is_ipv4(&record->addr));
	if (type == DNS_TXT) {
		CHECK(record->length <= DNS_TEXT_MAX);
		return;
	}
	CHECK(strlen(record->text) == record->length && record->length <= DNS_NAME_MAX);
	check_name(record->text);
}

static void check_result(const struct dns_result *result, enum dns_type type)
{
	CHECK(result->status <= DNS_NXDOMAIN);
	CHECK((result->status == DNS_FOUND) == (result->count > 0));
	CHECK(result->count <= DNS_RECORDS_MAX && result->ttl <= INT32_MAX);
	for (size_t i = 0; i < result->count; i++)
		check_record(&result->record[i], type);
}

/* In memory of exactly its size, where one octet too many is seen. */
static void fuzz_message(const uint8_t *data, size_t size, enum dns_type type, bool echo)
{
	uint8_t *message = malloc(size ? size : 1);
	struct dns_result *result = NULL;
	struct dns_name name;
	enum dns_verdict verdict;

	CHECK(message && dns_name_parse("a.example", &name));
	memcpy(message, data, size);
	if (echo && size > QUESTION_AT) {
		struct message reader = {
			.octet = message, .size = size, .at = QUESTION_AT, .ok = true
		};

		if (!message_take_name(&reader, &name))
			CHECK(dns_name_parse("a.example", &name));
	}
	verdict = dns_wire_read(message, size, &name, type, &result);
	CHECK((verdict == DNS_VERDICT_ANSWER) == (result != NULL));
	if (result)
		check_result(result, type);
	dns_result_unref(result);
	free(message);
}

static void fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), back[DNS_NAME_MAX + 1];
	struct dns_name name;

	CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	if (dns_name_parse(text, &name)) {
		CHECK(name.length >= 1 && !name.octet[name.length - 1]);
		if (dns_name_format(&name, back))
			check_name(back);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (*data & BIT_TEXT)
		fuzz_text(data + 1, size - 1);
	else
		fuzz_message(data + 1, size - 1,
			     (enum dns_type)((*data & ~BIT_ECHO) % DNS_TYPE_COUNT),
			     *data & BIT_ECHO);
	return 0;
}
