/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl_name.c - see checks/dnsbl_name.h. It is on the way of every connection, so texts are
 * written octet by octet.
 */
#include "checks/dnsbl_name.h"

#include <string.h>

#include "lib/ascii.h"

static char *put_octet(char *out, unsigned int value)
{
	if (value >= 100)
		*out++ = (char)('0' + value / 100);
	if (value >= 10)
		*out++ = (char)('0' + value / 10 % 10);
	*out++ = (char)('0' + value % 10);
	return out;
}

void dnsbl_name_ipv4(uint32_t addr, struct dnsbl_prefix *out)
{
	char *at = out->text;

	for (int shift = 0; shift < 32; shift += 8) {
		at = put_octet(at, addr >> shift & 0xff);
		*at++ = '.';
	}
	*--at = '\0';
	out->length = (uint8_t)(at - out->text);
	out->domain = false;
}

void dnsbl_name_ipv6(const struct addr *addr, struct dnsbl_prefix *out)
{
	static const char digits[] = "0123456789abcdef";
	char *at = out->text;

	for (size_t i = sizeof(addr->byte); i-- > 0;) {
		*at++ = digits[addr->byte[i] & 0xf];
		*at++ = '.';
		*at++ = digits[addr->byte[i] >> 4];
		*at++ = '.';
	}
	*--at = '\0';
	out->length = (uint8_t)(at - out->text);
	out->domain = false;
}

/* The length of the label at `at`, 0 if there is none; whether it is a number. */
static size_t label_at(const char *at, bool *number)
{
	size_t length = 0;

	*number = true;
	for (; length <= DNS_LABEL_MAX && ascii_is_of_label(at[length]); length++)
		*number = *number && ascii_is_digit(at[length]);
	return length <= DNS_LABEL_MAX ? length : 0;
}

bool dnsbl_name_domain(const char *domain, struct dnsbl_prefix *out)
{
	size_t used = 0, labels = 0;
	bool number;

	do {
		const size_t length = label_at(domain + used, &number);

		used += length;
		labels++;
		if (!length || used > DNS_NAME_MAX)
			return false;
	} while (domain[used] == '.' && domain[++used]);
	if (domain[used] || number || labels < 2)
		return false;
	used -= domain[used - 1] == '.';
	memcpy(out->text, domain, used);
	out->text[used] = '\0';
	out->length = (uint8_t)used;
	out->domain = true;
	return true;
}

bool dnsbl_name_join(const struct dnsbl_prefix *prefix, const char *zone, size_t zone_length,
		     char out[DNS_NAME_MAX + 1])
{
	const char *from = prefix->text;
	size_t length = prefix->length;

	while (length + 1 + zone_length > DNS_NAME_MAX) {
		const char *dot = prefix->domain ? strchr(from, '.') : NULL;

		if (!dot || !strchr(dot + 1, '.'))
			return false;
		length -= (size_t)(dot + 1 - from);
		from = dot + 1;
	}
	memcpy(out, from, length);
	out[length] = '.';
	memcpy(out + length + 1, zone, zone_length + 1);
	return true;
}
