/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/wire.c - see dns/wire.h.
 *
 * The message is walked several times, from the front, rather than indexed: once for each alias of
 * a chain, once to find the records and their size, once to copy them. A message has at most 64 KiB
 * and the chain is bounded, so this is bounded, too.
 */
#include "dns/wire.h"

#include <string.h>

#include "dns/message.h"

#define HEADER_SIZE   12
#define FLAGS_AT      2
#define FLAG_RESPONSE 0x80
#define OPCODE_MASK   0x78
#define RCODE_MASK    0x0f

#define TYPE_NS    2
#define TYPE_CNAME 5
#define TYPE_SOA   6
#define RCODE_OK   0
#define RCODE_FORM 1
#define RCODE_NAME 3

#define SOA_NUMBERS 20 /* octets of the five numbers behind the two names */
#define IPV4_SIZE   4

/* What is known of the answer section. */
struct section {
	struct message answers; /* at its first record */
	size_t count;
	uint16_t type;         /* that was asked for */
	struct dns_name owner; /* the name at the end of the chain */
	uint32_t ttl;          /* the least so far */
};

uint16_t dns_wire_type(enum dns_type type)
{
	static const uint16_t numbers[DNS_TYPE_COUNT] = {
		[DNS_A] = 1, [DNS_AAAA] = 28, [DNS_PTR] = 12, [DNS_TXT] = 16, [DNS_MX] = 15
	};

	return numbers[type];
}

static bool concerns(const struct section *section, const struct message_record *record,
		     uint16_t type)
{
	return record->class == DNS_CLASS_IN && record->type == type &&
	       dns_name_equal(&record->owner, &section->owner);
}

static void lower(uint32_t *ttl, uint32_t other)
{
	if (other < *ttl)
		*ttl = other;
}

/* Whether the name at the end of the chain is an alias. Then the chain is longer by one. */
static bool follow(struct section *section, bool *ok)
{
	struct message reader = section->answers;
	struct message_record record;
	struct dns_name target;

	for (size_t i = 0; i < section->count; i++) {
		if (!message_take_record(&reader, &record)) {
			*ok = false;
			return false;
		}
		if (concerns(section, &record, TYPE_CNAME)) {
			struct message data = message_data(&reader, &record);

			*ok = message_take_name(&data, &target) && !message_left(&data);
			section->owner = target;
			lower(&section->ttl, record.ttl);
			return *ok;
		}
	}
	return false;
}

static bool follow_chain(struct section *section)
{
	bool ok = true;

	for (int aliases = 0; follow(section, &ok); aliases++)
		if (aliases == DNS_CHAIN_MAX)
			return false;
	return ok;
}

/* Octets of text of a TXT record without the lengths of its strings; SIZE_MAX if it is broken. */
static size_t text_length(struct message data)
{
	size_t length = 0;
	const uint8_t *string;

	while (message_left(&data)) {
		string = message_take(&data, 1);
		if (!message_take(&data, *string))
			return SIZE_MAX;
		length += *string;
	}
	return length;
}

enum fit { FIT_TAKEN, FIT_OUT, FIT_BROKEN };

/* A name as C text. One that cannot be is nobody's host, and is as good as not there. */
static enum fit fit_name(struct message *data, char text[DNS_NAME_MAX + 1])
{
	struct dns_name name;

	if (!message_take_name(data, &name) || message_left(data))
		return FIT_BROKEN;
	return dns_name_format(&name, text) ? FIT_TAKEN : FIT_OUT;
}

static enum fit fit_text(struct message data, size_t *length)
{
	*length = text_length(data);
	if (*length == SIZE_MAX)
		return FIT_BROKEN;
	return *length <= DNS_TEXT_MAX ? FIT_TAKEN : FIT_OUT;
}

static enum fit fit_address(const struct message_record *record, size_t size)
{
	return record->length == size ? FIT_TAKEN : FIT_BROKEN;
}

/* Whether a record can be taken, and how much text it has. */
static enum fit fit(const struct message *message, const struct message_record *record,
		    size_t *length)
{
	struct message data = message_data(message, record);
	char text[DNS_NAME_MAX + 1] = "";
	enum fit fits;

	*length = 0;
	if (record->type == dns_wire_type(DNS_A))
		return fit_address(record, IPV4_SIZE);
	if (record->type == dns_wire_type(DNS_AAAA))
		return fit_address(record, sizeof(struct addr));
	if (record->type == dns_wire_type(DNS_TXT))
		return fit_text(data, length);
	if (record->type == dns_wire_type(DNS_MX))
		message_take16(&data);
	fits = fit_name(&data, text);
	*length = strlen(text);
	return fits;
}

/* Only for records that fit. Returns the end of the text. */
static char *fill(const struct message *message, const struct message_record *from, char *text,
		  struct dns_record *out)
{
	struct message data = message_data(message, from);
	const uint8_t *string;

	out->text = text;
	if (from->type == dns_wire_type(DNS_A)) {
		out->addr = addr_from_ipv4(message_take32(&data));
	} else if (from->type == dns_wire_type(DNS_AAAA)) {
		memcpy(&out->addr, message_take(&data, sizeof(out->addr)), sizeof(out->addr));
	} else if (from->type == dns_wire_type(DNS_TXT)) {
		for (; message_left(&data); text += *string) {
			string = message_take(&data, 1);
			memcpy(text, message_take(&data, *string), *string);
		}
	} else {
		char name[DNS_NAME_MAX + 1] = "";

		if (from->type == dns_wire_type(DNS_MX))
			out->preference = message_take16(&data);
		fit_name(&data, name);
		text = stpcpy(text, name);
	}
	out->length = (uint16_t)(text - out->text);
	*text = '\0';
	return text + 1;
}

/* Of the records that concern the question: how many fit, and how much text they have. */
struct harvest {
	size_t count, text;
	uint32_t ttl;
	bool cut, seen;
};

static bool weigh(const struct section *section, struct harvest *harvest)
{
	struct message reader = section->answers;
	struct message_record record;
	size_t length;

	*harvest = (struct harvest){ .ttl = section->ttl };
	for (size_t i = 0; i < section->count; i++) {
		enum fit fits;

		if (!message_take_record(&reader, &record))
			return false;
		if (!concerns(section, &record, section->type))
			continue;
		fits = fit(&reader, &record, &length);
		if (fits == FIT_BROKEN)
			return false;
		harvest->seen = true;
		lower(&harvest->ttl, record.ttl);
		if (fits == FIT_OUT || harvest->count == DNS_RECORDS_MAX) {
			harvest->cut = true;
			continue;
		}
		harvest->count++;
		harvest->text += length + 1;
	}
	return true;
}

static struct dns_result *gather(const struct section *section, const struct harvest *harvest)
{
	struct dns_result *result = dns_result_new(harvest->count ? DNS_FOUND : DNS_NODATA,
						   harvest->count, harvest->text);
	struct message reader = section->answers;
	struct message_record record;
	char *text;
	size_t length, done = 0;

	if (!result)
		return NULL;
	text = dns_result_text(result);
	for (size_t i = 0; i < section->count && done < harvest->count; i++) {
		message_take_record(&reader, &record);
		if (concerns(section, &record, section->type) &&
		    fit(&reader, &record, &length) == FIT_TAKEN)
			text = fill(&reader, &record, text, &result->record[done++]);
	}
	result->ttl = harvest->ttl;
	result->cut = harvest->cut;
	return result;
}

/* What the authority section says about something that is not there. */
struct authority {
	bool soa, ns;
	uint32_t ttl; /* RFC 2308 5: the lesser of the SOA's TTL and its last number */
};

static bool read_soa(const struct message *reader, const struct message_record *record,
		     struct authority *out)
{
	struct message data = message_data(reader, record);
	struct dns_name name;
	uint32_t minimum;

	if (!message_take_name(&data, &name) || !message_take_name(&data, &name) ||
	    message_left(&data) != SOA_NUMBERS)
		return false;
	message_take(&data, SOA_NUMBERS - sizeof(minimum));
	minimum = message_take32(&data);
	out->soa = true;
	out->ttl = record->ttl;
	lower(&out->ttl, minimum & MESSAGE_TTL_SIGN ? 0 : minimum);
	return true;
}

static bool read_authority(struct message reader, size_t count, const struct section *section,
			   struct authority *out)
{
	struct message_record record;

	*out = (struct authority){ .ttl = 0 };
	for (size_t i = 0; i < count; i++) {
		if (!message_take_record(&reader, &record))
			return false;
		if (record.class != DNS_CLASS_IN || !dns_name_below(&section->owner, &record.owner))
			continue;
		out->ns = out->ns || record.type == TYPE_NS;
		if (record.type == TYPE_SOA && !out->soa && !read_soa(&reader, &record, out))
			return false;
	}
	lower(&out->ttl, section->ttl);
	return true;
}

/* The reader stands behind the answer section afterwards. */
static bool skip(struct message *reader, size_t count)
{
	struct message_record record;

	while (count--)
		if (!message_take_record(reader, &record))
			return false;
	return true;
}

/*
 * A server that gives records of a name and says that there is no such name has erred; and one that
 * only says who would know (a referral, RFC 2308 2.1) does not do what it is asked for.
 */
static enum dns_verdict judge(uint8_t rcode, const struct harvest *harvest,
			      const struct authority *authority)
{
	if (rcode == RCODE_NAME && harvest->seen)
		return DNS_VERDICT_NONSENSE;
	if (rcode == RCODE_OK && !harvest->seen && authority->ns && !authority->soa)
		return DNS_VERDICT_REFUSED;
	return DNS_VERDICT_ANSWER;
}

static enum dns_verdict read_sections(struct message *reader, uint8_t rcode,
				      struct section *section, size_t authorities,
				      struct dns_result **out)
{
	struct harvest harvest;
	struct authority authority;
	struct dns_result *result;
	enum dns_verdict verdict;

	section->answers = *reader;
	if (!skip(reader, section->count) || !follow_chain(section) || !weigh(section, &harvest) ||
	    !read_authority(*reader, authorities, section, &authority))
		return DNS_VERDICT_NONSENSE;
	verdict = judge(rcode, &harvest, &authority);
	if (verdict != DNS_VERDICT_ANSWER)
		return verdict;
	result = gather(section, &harvest);
	if (!result)
		return DNS_VERDICT_MEMORY;
	if (rcode == RCODE_NAME)
		result->status = DNS_NXDOMAIN;
	if (!harvest.seen)
		result->ttl = authority.ttl;
	*out = result;
	return DNS_VERDICT_ANSWER;
}

static bool take_question(struct message *reader, const struct dns_name *name, uint16_t type)
{
	struct dns_name asked;

	return message_take_name(reader, &asked) && dns_name_equal(&asked, name) &&
	       message_take16(reader) == type && message_take16(reader) == DNS_CLASS_IN &&
	       reader->ok;
}

enum dns_verdict dns_wire_read(const uint8_t *message, size_t size, const struct dns_name *name,
			       enum dns_type type, struct dns_result **out)
{
	struct message reader = { .octet = message, .size = size, .at = FLAGS_AT, .ok = true };
	struct section section = { .type = dns_wire_type(type), .owner = *name, .ttl = UINT32_MAX };
	size_t questions, authorities;
	uint8_t rcode;

	if (size < HEADER_SIZE ||
	    (message[FLAGS_AT] & (FLAG_RESPONSE | OPCODE_MASK)) != FLAG_RESPONSE)
		return DNS_VERDICT_NONSENSE;
	rcode = message[FLAGS_AT + 1] & RCODE_MASK;
	message_take16(&reader);
	questions = message_take16(&reader);
	section.count = message_take16(&reader);
	authorities = message_take16(&reader);
	message_take16(&reader);
	if (rcode != RCODE_OK && rcode != RCODE_NAME)
		return rcode == RCODE_FORM ? DNS_VERDICT_FORMAT : DNS_VERDICT_REFUSED;
	if (questions != 1 || !take_question(&reader, name, section.type))
		return DNS_VERDICT_NONSENSE;
	return read_sections(&reader, rcode, &section, authorities, out);
}
