/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/proxy.c - see loop/proxy.h.
 *
 * Strict, because who may send a header decides whose mail it is: what is not exactly as the
 * specification has it is PROXY_BAD. What follows the addresses in a version 2 header (TLVs) is
 * skipped.
 */
#include "loop/proxy.h"

#include <stdbool.h>
#include <string.h>

#define V1_MAX    107 /* octets of a line with its CR LF (2.1) */
#define V1_FIELDS 6
#define V2_FIXED  16 /* octets before the addresses (2.2) */
#define V2_IPV4   12
#define V2_IPV6   36

static const uint8_t v1_begin[6] = { 'P', 'R', 'O', 'X', 'Y', ' ' };
static const uint8_t v2_begin[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
				      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

enum { V2_CMD_LOCAL = 0x20, V2_CMD_PROXY = 0x21 };
enum { V2_UNSPEC = 0x00, V2_TCP4 = 0x11, V2_TCP6 = 0x21 };

struct field {
	const char *text;
	size_t size;
};

static bool begins(const uint8_t *data, size_t size, const uint8_t *with, size_t length)
{
	return !memcmp(data, with, size < length ? size : length);
}

static bool is(const struct field *field, const char *text)
{
	return field->size == strlen(text) && !memcmp(field->text, text, field->size);
}

/* Decimal, 0 to 65535, without zeros in front. */
static bool read_port(const struct field *field, uint16_t *out)
{
	uint32_t port = 0;

	if (!field->size || field->size > 5 || (field->size > 1 && *field->text == '0'))
		return false;
	for (size_t i = 0; i < field->size; i++) {
		if (field->text[i] < '0' || field->text[i] > '9')
			return false;
		port = port * 10 + (uint32_t)(field->text[i] - '0');
	}
	*out = (uint16_t)port;
	return port <= UINT16_MAX;
}

/* A balancer that listens for both families on one socket says ::ffff:a.b.c.d for IPv4. */
static bool read_addr(const struct field *field, bool ipv4, struct addr *out)
{
	const bool colon = memchr(field->text, ':', field->size) != NULL;

	return colon != ipv4 && !addr_parse(field->text, field->size, out, NULL);
}

/* The words of a line, parted by one space each; how many there are, or more than there may be. */
static size_t split(const char *line, size_t size, struct field field[V1_FIELDS])
{
	size_t count = 0;
	const char *end;

	for (; count < V1_FIELDS; count++) {
		end = memchr(line, ' ', size);
		field[count].text = line;
		field[count].size = end ? (size_t)(end - line) : size;
		if (!end)
			return count + 1;
		size -= field[count].size + 1;
		line = end + 1;
	}
	return count + 1;
}

static enum proxy_result read_line(const char *line, size_t size, struct proxy_addresses *out)
{
	struct proxy_addresses found;
	struct field field[V1_FIELDS] = { 0 };
	const size_t count = split(line, size, field);
	bool ipv4;

	if (count >= 2 && is(&field[1], "UNKNOWN"))
		return PROXY_LOCAL;
	if (count != V1_FIELDS)
		return PROXY_BAD;
	ipv4 = is(&field[1], "TCP4");
	if (!ipv4 && !is(&field[1], "TCP6"))
		return PROXY_BAD;
	if (!read_addr(&field[2], ipv4, &found.source) ||
	    !read_addr(&field[3], ipv4, &found.dest) || !read_port(&field[4], &found.source_port) ||
	    !read_port(&field[5], &found.dest_port))
		return PROXY_BAD;
	*out = found;
	return PROXY_FOUND;
}

static enum proxy_result read_v1(const char *data, size_t size, struct proxy_addresses *out,
				 size_t *used)
{
	const size_t seen = size < V1_MAX ? size : V1_MAX;
	const char *end = memchr(data, '\r', seen);
	enum proxy_result result;

	if (!end)
		return seen < V1_MAX && !memchr(data, '\n', seen) ? PROXY_MORE : PROXY_BAD;
	if (end + 1 == data + V1_MAX || memchr(data, '\n', (size_t)(end - data)))
		return PROXY_BAD;
	if (end + 1 == data + seen)
		return PROXY_MORE;
	if (end[1] != '\n')
		return PROXY_BAD;
	result = read_line(data, (size_t)(end - data), out);
	if (result != PROXY_BAD)
		*used = (size_t)(end + 2 - data);
	return result;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void get_ipv4(const uint8_t *at, struct addr *out)
{
	*out = addr_from_ipv4((uint32_t)get16(at) << 16 | get16(at + 2));
}

static void read_ipv4(const uint8_t *at, struct proxy_addresses *out)
{
	get_ipv4(at, &out->source);
	get_ipv4(at + 4, &out->dest);
	out->source_port = get16(at + 8);
	out->dest_port = get16(at + 10);
}

static void read_ipv6(const uint8_t *at, struct proxy_addresses *out)
{
	memcpy(out->source.byte, at, 16);
	memcpy(out->dest.byte, at + 16, 16);
	out->source_port = get16(at + 32);
	out->dest_port = get16(at + 34);
}

/* What can be told to be wrong before all of it is there. `size` is at least V2_FIXED. */
static bool is_v2(const uint8_t *data)
{
	const size_t length = get16(data + 14);

	if (length > PROXY_HEADER_MAX - V2_FIXED)
		return false;
	if (data[12] == V2_CMD_LOCAL)
		return true;
	if (data[12] != V2_CMD_PROXY)
		return false;
	return data[13] == V2_UNSPEC || (data[13] == V2_TCP4 && length >= V2_IPV4) ||
	       (data[13] == V2_TCP6 && length >= V2_IPV6);
}

static enum proxy_result read_v2(const uint8_t *data, size_t size, struct proxy_addresses *out,
				 size_t *used)
{
	size_t length;

	if (size < V2_FIXED)
		return PROXY_MORE;
	if (!is_v2(data))
		return PROXY_BAD;
	length = V2_FIXED + (size_t)get16(data + 14);
	if (size < length)
		return PROXY_MORE;
	*used = length;
	if (data[12] == V2_CMD_LOCAL || data[13] == V2_UNSPEC)
		return PROXY_LOCAL;
	if (data[13] == V2_TCP4)
		read_ipv4(data + V2_FIXED, out);
	else
		read_ipv6(data + V2_FIXED, out);
	return PROXY_FOUND;
}

enum proxy_result proxy_read(const uint8_t *data, size_t size, struct proxy_addresses *out,
			     size_t *used)
{
	if (!size)
		return PROXY_MORE;
	if (begins(data, size, v1_begin, sizeof(v1_begin)))
		return size < sizeof(v1_begin) ? PROXY_MORE
					       : read_v1((const char *)data, size, out, used);
	if (begins(data, size, v2_begin, sizeof(v2_begin)))
		return read_v2(data, size, out, used);
	return PROXY_BAD;
}

static void put_ipv4(uint8_t *at, const struct addr *addr)
{
	put16(at, (uint16_t)(addr_ipv4(addr) >> 16));
	put16(at + 2, (uint16_t)addr_ipv4(addr));
}

/* Addresses of two families are written as two of IPv6. */
size_t proxy_write(const struct proxy_addresses *addresses, uint8_t out[PROXY_V2_BYTES])
{
	const bool ipv4 = addr_is_ipv4(&addresses->source) && addr_is_ipv4(&addresses->dest);
	const size_t octets = ipv4 ? 4 : 16;
	uint8_t *at = out + V2_FIXED;

	memcpy(out, v2_begin, sizeof(v2_begin));
	out[12] = V2_CMD_PROXY;
	out[13] = ipv4 ? V2_TCP4 : V2_TCP6;
	put16(out + 14, ipv4 ? V2_IPV4 : V2_IPV6);
	if (ipv4) {
		put_ipv4(at, &addresses->source);
		put_ipv4(at + octets, &addresses->dest);
	} else {
		memcpy(at, addresses->source.byte, octets);
		memcpy(at + octets, addresses->dest.byte, octets);
	}
	put16(at + 2 * octets, addresses->source_port);
	put16(at + 2 * octets + 2, addresses->dest_port);
	return V2_FIXED + 2 * octets + 4;
}
