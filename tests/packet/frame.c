/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/packet/frame.c - writes the frame that a shape describes, and reads the answer to it.
 */
#include <linux/if_ether.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/packet/packet.h"

#define SYN_FLAG       0x02
#define SOURCE_DEFAULT "192.0.2.1"

struct writer {
	uint8_t *at;
};

static void put8(struct writer *w, unsigned int value)
{
	*w->at++ = (uint8_t)value;
}

static void put16(struct writer *w, unsigned int value)
{
	put8(w, value >> 8);
	put8(w, value & 0xff);
}

static void put32(struct writer *w, uint32_t value)
{
	put16(w, value >> 16);
	put16(w, value & 0xffff);
}

static void put_bytes(struct writer *w, const void *bytes, size_t count)
{
	memcpy(w->at, bytes, count);
	w->at += count;
}

struct addr shape_source(const struct shape *shape)
{
	const char *text = shape->source ? shape->source : SOURCE_DEFAULT;
	struct addr addr;

	addr_parse(text, strlen(text), &addr, NULL);
	return addr;
}

static void put_ethernet(struct writer *w, const struct shape *shape, bool ipv4)
{
	static const uint8_t to[] = { 0x02, 0, 0, 0, 0, 2 }, from[] = { 0x02, 0, 0, 0, 0, 1 };
	static const uint8_t everyone[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	put_bytes(w, shape->group ? everyone : to, ETH_ALEN);
	put_bytes(w, from, ETH_ALEN);
	for (int i = 0; i < 6 && shape->tags[i]; i++) {
		put16(w, i == 0 && shape->tags[1] ? ETH_P_8021AD : ETH_P_8021Q);
		put16(w, 0xe000u | shape->tags[i]);
	}
	put16(w, shape->type ? shape->type : ipv4 ? ETH_P_IP : ETH_P_IPV6);
}

static size_t tcp_length(const struct shape *shape)
{
	return (shape->doff > 5 ? shape->doff * 4u : 20u) + shape->data;
}

static void put_ipv4(struct writer *w, const struct shape *shape, const struct addr *source)
{
	const unsigned int header = 20 + shape->option_words * 4u;
	const unsigned int ihl = shape->ihl ? shape->ihl : header / 4;

	put8(w, (shape->version ? shape->version : 4u) << 4 | ihl);
	put8(w, 0);
	put16(w, shape->length ? shape->length : (unsigned int)(header + tcp_length(shape)));
	put16(w, 0x1234);
	put16(w, shape->offset | (shape->more ? 0x2000u : 0));
	put8(w, 60);
	put8(w, shape->protocol ? shape->protocol : IPPROTO_TCP);
	put16(w, 0);
	put_bytes(w, &source->byte[12], 4);
	put32(w, 0xc6336419); /* 198.51.100.25 */
	for (unsigned int i = 0; i < shape->option_words; i++)
		put32(w, 0x01010101); /* no operation */
}

/* An extension header of 8 octets (24 of an authentication header). */
static void put_extension(struct writer *w, const struct shape *shape, int i)
{
	const uint8_t kind = shape->extension[i] - 1;
	const uint8_t upper = shape->protocol ? shape->protocol : IPPROTO_TCP;
	const bool last = i + 1 == EXTENSIONS_MAX || !shape->extension[i + 1];

	put8(w, last ? upper : shape->extension[i + 1] - 1u);
	if (kind == 44) {
		put8(w, 0);
		put16(w, (unsigned int)shape->offset << 3 | shape->more);
		put32(w, 0x1234);
	} else if (kind == 51) {
		put8(w, 4);
		put16(w, 0);
		for (int word = 0; word < 5; word++)
			put32(w, 0);
	} else {
		put8(w, i == 0 ? shape->extension_length : 0);
		put16(w, 0x0104); /* PadN of 4 octets */
		put32(w, 0);
	}
}

static void put_ipv6(struct writer *w, const struct shape *shape, const struct addr *source)
{
	static const uint8_t dest[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x25 };
	const uint8_t upper = shape->protocol ? shape->protocol : IPPROTO_TCP;
	uint8_t *length;
	int i;

	put32(w, (shape->version ? shape->version : 6u) << 28);
	length = w->at;
	put16(w, 0);
	put8(w, shape->extension[0] ? shape->extension[0] - 1u : upper);
	put8(w, 60);
	put_bytes(w, source->byte, 16);
	put_bytes(w, dest, 16);
	for (i = 0; i < EXTENSIONS_MAX && shape->extension[i]; i++)
		put_extension(w, shape, i);
	i = (int)(w->at - length) - 36 + (int)tcp_length(shape);
	i = shape->no_length ? 0 : shape->length ? shape->length : i;
	length[0] = (uint8_t)(i >> 8);
	length[1] = (uint8_t)i;
}

static void put_tcp(struct writer *w, const struct shape *shape)
{
	put16(w, 40000);
	put16(w, shape->port ? shape->port : 25);
	put32(w, shape->sequence ? shape->sequence : 1000);
	put32(w, shape->acknowledged);
	put8(w, (shape->doff ? shape->doff : 5u) << 4);
	put8(w, shape->flags ? shape->flags : SYN_FLAG);
	put16(w, 64240);
	put32(w, 0);
	for (int i = 5; i < shape->doff; i++) {
		if (shape->options[0])
			put_bytes(w, &shape->options[(i - 5) * 4], 4);
		else
			put32(w, 0x01010101);
	}
	memset(w->at, 'x', shape->data);
	w->at += shape->data;
}

size_t frame_build(const struct shape *shape, uint8_t frame[FRAME_MAX])
{
	const struct addr source = shape_source(shape);
	struct writer w = { frame };
	size_t length;

	memset(frame, 0, FRAME_MAX);
	put_ethernet(&w, shape, addr_is_ipv4(&source));
	if (addr_is_ipv4(&source))
		put_ipv4(&w, shape, &source);
	else
		put_ipv6(&w, shape, &source);
	put_tcp(&w, shape);
	length = (size_t)(w.at - frame);
	if (shape->cut)
		length = shape->cut;
	return shape->pad && length < ETH_ZLEN ? ETH_ZLEN : length;
}

static uint32_t sum_words(const void *data, size_t length, uint32_t sum)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? byte[i] : (uint32_t)byte[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

/* Where the IP header is. */
static const uint8_t *network_header(const uint8_t *frame, uint32_t *type)
{
	const uint8_t *at = frame + 12;

	for (*type = get16(at); *type == ETH_P_8021Q || *type == ETH_P_8021AD; *type = get16(at))
		at += 4;
	return at + 2;
}

/* Checks the IP header; returns its length, and sets that of what follows, and its pseudo sum. */
static size_t read_network(const uint8_t *ip, uint32_t type, size_t *rest, uint32_t *pseudo)
{
	if (type == ETH_P_IP) {
		assert_int_equal(ip[0], 0x45);
		assert_int_equal(sum_words(ip, 20, 0), 0xffff);
		assert_int_equal(ip[9], IPPROTO_TCP);
		*rest = get16(ip + 2) - 20;
		*pseudo = sum_words(ip + 12, 8, 0);
		return 20;
	}
	assert_int_equal(type, ETH_P_IPV6);
	assert_int_equal(ip[0] >> 4, 6);
	assert_int_equal(ip[6], IPPROTO_TCP);
	*rest = get16(ip + 4);
	*pseudo = sum_words(ip + 8, 32, 0);
	return 40;
}

void frame_read(const uint8_t *frame, size_t length, struct segment *out)
{
	size_t rest, header;
	uint32_t type, pseudo;
	const uint8_t *ip = network_header(frame, &type);
	const uint8_t *tcp = ip + read_network(ip, type, &rest, &pseudo);

	assert_int_equal((size_t)(tcp - frame) + rest, length);
	assert_int_equal(sum_words(tcp, rest, pseudo + IPPROTO_TCP + (uint32_t)rest), 0xffff);
	header = (tcp[12] >> 4) * 4u;
	*out = (struct segment){
		.source_port = (uint16_t)get16(tcp),
		.dest_port = (uint16_t)get16(tcp + 2),
		.sequence = get32(tcp + 4),
		.acknowledged = get32(tcp + 8),
		.flags = tcp[13],
		.window = (uint16_t)get16(tcp + 14),
		.options = header - 20,
		.text_length = rest - header,
	};
	memcpy(out->option, tcp + 20, out->options);
	memcpy(out->text, tcp + header, out->text_length);
}

void frame_check_way_back(const uint8_t *question, const uint8_t *answer, bool ipv4)
{
	const size_t size = ipv4 ? 4 : 16, from = ipv4 ? 12 : 8;
	uint32_t type;
	const uint8_t *asked = network_header(question, &type) + from;
	const uint8_t *told = network_header(answer, &type) + from;

	assert_memory_equal(answer, question + ETH_ALEN, ETH_ALEN);
	assert_memory_equal(answer + ETH_ALEN, question, ETH_ALEN);
	assert_memory_equal(answer + 12, question + 12, (size_t)(asked - from - question) - 12);
	assert_memory_equal(told, asked + size, size);
	assert_memory_equal(told + size, asked, size);
}
