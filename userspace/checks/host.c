/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/host.c - implements checks/host.h.
 */
#include "checks/host.h"

#include <string.h>
#include <strings.h>

#include "checks/dnsbl_name.h"
#include "lib/ascii.h"

#define IPV6_TAG   "IPv6:"
#define THIS_NET   0u   /* first octet: 0.0.0.0/8, "this network" (RFC 1122 3.2.1.3) */
#define LOOPBACK   127u /* first octet: 127.0.0.0/8 */
#define LOCAL_NAME "localhost"

/* Names. */

/* The length of the label at the start of the text; 0 if that is none. */
static size_t label_length(const char *text)
{
	size_t length = 0;

	while (ascii_is_of_label(text[length]))
		length++;
	if (!length || length > DNS_LABEL_MAX || text[0] == '-' || text[length - 1] == '-')
		return 0;
	return length;
}

static bool label_is_number(const char *label, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!ascii_is_digit(label[i]))
			return false;
	return true;
}

/* The last label is no number, so that an address is no name (RFC 1123 2.1). */
bool host_name_is_valid(const char *text, bool bare)
{
	const char *at = text;
	size_t labels = 0;

	if (strnlen(text, DNS_NAME_MAX + 1) > DNS_NAME_MAX)
		return false;
	for (;;) {
		const size_t length = label_length(at);

		if (!length)
			return false;
		labels++;
		if (!at[length])
			return !label_is_number(at, length) && (bare || labels > 1);
		if (at[length] != '.')
			return false;
		at += length + 1;
	}
}

static size_t length_without_dot(const char *name)
{
	const size_t length = strlen(name);

	return length && name[length - 1] == '.' ? length - 1 : length;
}

bool host_name_take(const char *text, bool bare, char out[DNS_NAME_MAX + 1])
{
	const size_t length = length_without_dot(text);

	out[0] = '\0';
	if (length > DNS_NAME_MAX)
		return false;
	memcpy(out, text, length);
	out[length] = '\0';
	if (host_name_is_valid(out, bare))
		return true;
	out[0] = '\0';
	return false;
}

bool host_names_equal(const char *a, const char *b)
{
	const size_t length = length_without_dot(a);

	return length == length_without_dot(b) && strncasecmp(a, b, length) == 0;
}

bool host_name_within(const char *name, const char *suffix)
{
	const size_t length = strlen(name), end = strlen(suffix);

	if (length < end || strcasecmp(name + length - end, suffix) != 0)
		return false;
	return length == end || name[length - end - 1] == '.';
}

bool host_name_is_local(const char *name)
{
	return host_name_within(name, LOCAL_NAME) ||
	       strcasecmp(name, LOCAL_NAME ".localdomain") == 0;
}

/* Addresses */

bool host_literal(const char *text, struct addr *out)
{
	const size_t length = strlen(text), tag = strlen(IPV6_TAG);

	if (length < 2 || text[0] != '[' || text[length - 1] != ']')
		return false;
	if (strncasecmp(text + 1, IPV6_TAG, tag) != 0)
		return !memchr(text, ':', length) && !addr_parse(text + 1, length - 2, out, NULL);
	return memchr(text + 1 + tag, ':', length - 1 - tag) &&
	       !addr_parse(text + 1 + tag, length - 2 - tag, out, NULL);
}

bool host_address_is_local(const struct addr *addr)
{
	const uint32_t first = addr->byte[12];

	if (addr_is_ipv4(addr))
		return first == THIS_NET || first == LOOPBACK;
	return addr_high(addr) == 0 && addr_low(addr) <= 1;
}

void host_reverse_name(const struct addr *addr, char out[HOST_REVERSE_MAX])
{
	const char *const tree = addr_is_ipv4(addr) ? ".in-addr.arpa" : ".ip6.arpa";
	struct dnsbl_prefix prefix;

	if (addr_is_ipv4(addr))
		dnsbl_name_ipv4(addr_ipv4(addr), &prefix);
	else
		dnsbl_name_ipv6(addr, &prefix);
	memcpy(out, prefix.text, prefix.length);
	memcpy(out + prefix.length, tree, strlen(tree) + 1);
}

/* Answers */

enum host_outcome host_outcome(const struct dns_answer *answer, const struct addr *addr)
{
	static const enum host_outcome outcomes[DNS_STATUS_COUNT] = {
		[DNS_FOUND] = HOST_OTHER,       [DNS_NODATA] = HOST_NODATA,
		[DNS_NXDOMAIN] = HOST_NXDOMAIN, [DNS_TEMPORARY] = HOST_FAILED,
		[DNS_BUSY] = HOST_FAILED,
	};

	for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++)
		if (host_address_equal(&answer->record[i].addr, addr))
			return HOST_LEADS;
	return outcomes[answer->status];
}

void host_time_add(struct host_time *time, uint32_t ttl, uint32_t age)
{
	if (!time->known || ttl < time->ttl)
		time->ttl = ttl;
	if (age > time->age)
		time->age = age;
	time->known = true;
}
