/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that the parser decides about, or must find its way through: a listed source is in all of
 * them, so that a packet that is judged is stopped.
 */
#include <linux/bpf.h>
#include <netinet/in.h>

#include "tests/packet/packet.h"

#define LISTED4     .given = { .drop = "192.0.2.0/24" }
#define LISTED6     .given = { .drop = "2001:db8::/32" }
#define SOURCE6     .source = "2001:db8::1"
#define PASSES(why) .expect = { .action = XDP_PASS, .reason = REASON_##why }
#define DROPPED(why)                                                                               \
	.expect = { .action = XDP_DROP,                                                            \
		    .reason = REASON_##why,                                                        \
		    .health = { [HEALTH_EVENTS_SKIPPED] = 1 } }
#define HOP_BY_HOP      0 + 1
#define ROUTING         43 + 1
#define FRAGMENT_HEADER 44 + 1
#define AUTHENTICATION  51 + 1
#define DESTINATION     60 + 1
#define NO_NEXT         59 + 1
#define ACK             0x10
#define SYN             0x02
#define FIN             0x01
#define RST             0x04

const struct packet_case parse_cases[] = {
	{ "ipv4 syn from a listed source", { 0 }, LISTED4, DROPPED(LISTED) },
	{ "ipv6 syn from a listed source", { SOURCE6 }, LISTED6, DROPPED(LISTED) },
	{ "padded to the ethernet minimum", { .pad = true }, LISTED4, DROPPED(LISTED) },

	/* Ethernet and VLAN tags. */
	{ "frame shorter than an ethernet header",
	  { .cut = 10 },
	  .given = { .fault = { .host = true } },
	  PASSES(MALFORMED) },
	{ "arp", { .type = 0x0806 }, LISTED4, PASSES(OTHER) },
	{ "vlan tag", { .tags = { 100 } }, LISTED4, DROPPED(LISTED) },
	{ "vlan tag, ipv6", { SOURCE6, .tags = { 100 } }, LISTED6, DROPPED(LISTED) },
	{ "qinq", { .tags = { 100, 200 } }, LISTED4, DROPPED(LISTED) },
	{ "four tags", { .tags = { 100, 200, 300, 400 } }, LISTED4, DROPPED(LISTED) },
	{ "four tags and then a service tag",
	  { .tags = { 1, 2, 3, 4 }, .type = 0x88a8 },
	  LISTED4,
	  DROPPED(HEADER_CHAIN) },
	{ "five tags are more than anybody needs",
	  { .tags = { 1, 2, 3, 4, 5 } },
	  LISTED4,
	  DROPPED(HEADER_CHAIN) },
	{ "vlan tag cut short", { .tags = { 100 }, .cut = 16 }, LISTED4, PASSES(MALFORMED) },
	{ "second tag cut short", { .tags = { 100, 200 }, .cut = 20 }, LISTED4, PASSES(MALFORMED) },

	/* IPv4. */
	{ "ipv4 header cut short", { .cut = 30 }, LISTED4, PASSES(MALFORMED) },
	{ "ipv4 version 5", { .version = 5 }, LISTED4, PASSES(MALFORMED) },
	{ "ipv4 header length 4 words", { .ihl = 4 }, LISTED4, PASSES(MALFORMED) },
	{ "ipv4 total length below the header", { .length = 19 }, LISTED4, PASSES(MALFORMED) },
	{ "ipv4 with one option word", { .option_words = 1 }, LISTED4, DROPPED(LISTED) },
	{ "ipv4 with ten option words", { .option_words = 10 }, LISTED4, DROPPED(LISTED) },
	{ "ipv4 options cut short", { .option_words = 10, .cut = 50 }, LISTED4, PASSES(MALFORMED) },
	{ "udp", { .protocol = IPPROTO_UDP }, LISTED4, PASSES(OTHER) },
	{ "total length ends inside the tcp header",
	  { .length = 39, .pad = true },
	  LISTED4,
	  PASSES(MALFORMED) },

	/* IPv4 fragments: RFC 1858, RFC 3128. */
	{ "first fragment with the whole tcp header",
	  { .more = true, .data = 4 },
	  LISTED4,
	  DROPPED(LISTED) },
	{ "first fragment that cuts the tcp header",
	  { .more = true, .length = 28 },
	  LISTED4,
	  DROPPED(TINY_FRAGMENT) },
	{ "the same, padded",
	  { .more = true, .length = 28, .pad = true },
	  LISTED4,
	  DROPPED(TINY_FRAGMENT) },
	{ "first fragment that cuts the tcp options",
	  { .more = true, .doff = 10, .length = 40 },
	  LISTED4,
	  DROPPED(TINY_FRAGMENT) },
	{ "fragment that overlaps the tcp flags",
	  { .offset = 1 },
	  LISTED4,
	  DROPPED(TINY_FRAGMENT) },
	{ "later fragment", { .offset = 185, .more = true }, LISTED4, PASSES(FRAGMENT) },
	{ "last fragment", { .offset = 185 }, LISTED4, PASSES(FRAGMENT) },
	{ "later fragment of udp",
	  { .offset = 1, .protocol = IPPROTO_UDP },
	  LISTED4,
	  PASSES(OTHER) },

	/* IPv6 and its extension headers. */
	{ "ipv6 header cut short", { SOURCE6, .cut = 50 }, LISTED6, PASSES(MALFORMED) },
	{ "ipv6 version 4", { SOURCE6, .version = 4 }, LISTED6, PASSES(MALFORMED) },
	{ "ipv6 udp", { SOURCE6, .protocol = IPPROTO_UDP }, LISTED6, PASSES(OTHER) },
	{ "hop-by-hop options",
	  { SOURCE6, .extension = { HOP_BY_HOP } },
	  LISTED6,
	  DROPPED(LISTED) },
	{ "routing header", { SOURCE6, .extension = { ROUTING } }, LISTED6, DROPPED(LISTED) },
	{ "destination options",
	  { SOURCE6, .extension = { DESTINATION } },
	  LISTED6,
	  DROPPED(LISTED) },
	{ "authentication header",
	  { SOURCE6, .extension = { AUTHENTICATION } },
	  LISTED6,
	  DROPPED(LISTED) },
	{ "eight extension headers",
	  { SOURCE6, .extension = { HOP_BY_HOP, DESTINATION, DESTINATION, DESTINATION, DESTINATION,
				    DESTINATION, DESTINATION, DESTINATION } },
	  LISTED6,
	  DROPPED(LISTED) },
	{ "nine extension headers",
	  { SOURCE6, .extension = { HOP_BY_HOP, DESTINATION, DESTINATION, DESTINATION, DESTINATION,
				    DESTINATION, DESTINATION, DESTINATION, DESTINATION } },
	  LISTED6,
	  DROPPED(HEADER_CHAIN) },
	{ "an extension header of two kilobytes",
	  { SOURCE6, .extension = { HOP_BY_HOP }, .extension_length = 255, .length = 4000 },
	  LISTED6,
	  DROPPED(HEADER_CHAIN) },
	{ "no next header", { SOURCE6, .protocol = 59 }, LISTED6, PASSES(OTHER) },
	{ "esp", { SOURCE6, .protocol = 50 }, LISTED6, PASSES(OTHER) },
	{ "extension header cut short",
	  { SOURCE6, .extension = { DESTINATION }, .length = 6 },
	  LISTED6,
	  PASSES(MALFORMED) },
	{ "hop-by-hop options and payload length 0",
	  { SOURCE6, .extension = { HOP_BY_HOP }, .no_length = true },
	  LISTED6,
	  DROPPED(HEADER_CHAIN) },
	{ "payload length 0 without options",
	  { SOURCE6, .no_length = true },
	  LISTED6,
	  PASSES(MALFORMED) },

	/* IPv6 fragments: RFC 7112. */
	{ "atomic fragment",
	  { SOURCE6, .extension = { FRAGMENT_HEADER } },
	  LISTED6,
	  DROPPED(LISTED) },
	{ "first ipv6 fragment with the whole chain",
	  { SOURCE6, .extension = { FRAGMENT_HEADER }, .more = true },
	  LISTED6,
	  DROPPED(LISTED) },
	{ "first ipv6 fragment without a tcp header",
	  { SOURCE6, .extension = { FRAGMENT_HEADER }, .more = true, .length = 8 },
	  LISTED6,
	  DROPPED(TINY_FRAGMENT) },
	{ "first ipv6 fragment that cuts the tcp options",
	  { SOURCE6, .extension = { FRAGMENT_HEADER }, .more = true, .doff = 8, .length = 28 },
	  LISTED6,
	  DROPPED(TINY_FRAGMENT) },
	{ "first ipv6 fragment that cuts the chain",
	  { SOURCE6, .extension = { FRAGMENT_HEADER, DESTINATION }, .more = true, .length = 8 },
	  LISTED6,
	  DROPPED(TINY_FRAGMENT) },
	{ "later ipv6 fragment",
	  { SOURCE6, .extension = { FRAGMENT_HEADER }, .offset = 100 },
	  LISTED6,
	  PASSES(FRAGMENT) },
	{ "ipv6 fragment with offset 1",
	  { SOURCE6, .extension = { FRAGMENT_HEADER }, .offset = 1, .more = true },
	  LISTED6,
	  PASSES(FRAGMENT) },

	/* TCP. */
	{ "tcp header cut short", { .cut = 50 }, LISTED4, PASSES(MALFORMED) },
	{ "tcp data offset 4 words", { .doff = 4 }, LISTED4, PASSES(MALFORMED) },
	{ "tcp options beyond the packet",
	  { .doff = 10, .length = 40 },
	  LISTED4,
	  PASSES(MALFORMED) },
	{ "tcp options", { .doff = 15 }, LISTED4, DROPPED(LISTED) },
	{ "syn with data", { .data = 100 }, LISTED4, DROPPED(LISTED) },
	{ "syn and fin", { .flags = SYN | FIN }, LISTED4, DROPPED(LISTED) },
	{ "syn and rst", { .flags = SYN | RST }, LISTED4, DROPPED(LISTED) },
	{ "ssh from a listed source", { .port = 22 }, LISTED4, PASSES(PORT) },
	{ "port 65535", { .port = 65535 }, LISTED4, PASSES(PORT) },
	{ "imaps from a listed source", { .port = 993 }, LISTED4, DROPPED(LISTED) },
	{ "established connection of a listed source",
	  { .flags = ACK },
	  LISTED4,
	  PASSES(ESTABLISHED) },
	{ "syn with ack", { .flags = SYN | ACK }, LISTED4, PASSES(ESTABLISHED) },
	{ "fin", { .flags = FIN | ACK }, LISTED4, PASSES(ESTABLISHED) },
	{ "rst", { .flags = RST }, LISTED4, PASSES(ESTABLISHED) },
	{ "no flags", { .flags = 0x40 }, LISTED4, PASSES(ESTABLISHED) },

	/* Monitor mode passes what hides its header, too. */
	{ "tiny fragment in monitor mode",
	  { .offset = 1 },
	  .given = { .monitor = true },
	  .expect = { .action = XDP_PASS,
		      .reason = REASON_ACCEPTED,
		      .monitored = true,
		      .would = REASON_TINY_FRAGMENT,
		      .health = { [HEALTH_EVENTS_SKIPPED] = 1 } } },

	{ "settings not found",
	  { 0 },
	  .given = { .drop = "192.0.2.0/24", .fault = { .lookup = "settings" } },
	  .expect = { .action = XDP_PASS } },
};

const size_t parse_case_count = sizeof(parse_cases) / sizeof(parse_cases[0]);
