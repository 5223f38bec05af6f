/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that the lists decide about, and the answers to listed sources.
 */
#include <linux/bpf.h>

#include "tests/packet/packet.h"

#define SOURCE6 .source = "2001:db8::1"
#define STOPPED(what)                                                                              \
	{                                                                                          \
		.action = what, .reason = REASON_LISTED, .health = { [HEALTH_EVENTS_SKIPPED] = 1 } \
	}
#define ANSWERED                                                                                   \
	{                                                                                          \
		.action = XDP_TX, .reason = REASON_LISTED, .health = {                             \
			[HEALTH_EVENTS_SKIPPED] = 1,                                               \
			[HEALTH_RESETS_SENT] = 1                                                   \
		}                                                                                  \
	}
#define UNANSWERED                                                                                 \
	{                                                                                          \
		.action = XDP_DROP, .reason = REASON_LISTED, .health = {                           \
			[HEALTH_EVENTS_SKIPPED] = 1,                                               \
			[HEALTH_RESETS_SKIPPED] = 1                                                \
		}                                                                                  \
	}
#define ACCEPTED                                                                                   \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ACCEPTED                                      \
	}
#define ALLOWED                                                                                    \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ALLOWED                                       \
	}
#define WATCHED                                                                                    \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ACCEPTED, .monitored = true,                  \
		.would = REASON_LISTED, .health = {                                                \
			[HEALTH_EVENTS_SKIPPED] = 1                                                \
		}                                                                                  \
	}

const struct packet_case list_cases[] = {
	{ "no lists, ipv4", { 0 }, { 0 }, ACCEPTED },
	{ "no lists, ipv6", { SOURCE6 }, { 0 }, ACCEPTED },
	{ "exact address", { 0 }, { .drop = "192.0.2.1" }, STOPPED(XDP_DROP) },
	{ "neighbour in the same /24", { 0 }, { .drop = "192.0.2.2" }, ACCEPTED },
	{ "neighbour in the same group of 8 bits", { 0 }, { .drop = "192.0.2.2/31" }, ACCEPTED },
	{ "/25", { 0 }, { .drop = "192.0.2.0/25" }, STOPPED(XDP_DROP) },
	{ "/17", { 0 }, { .drop = "192.0.0.0/17" }, STOPPED(XDP_DROP) },
	{ "/16", { 0 }, { .drop = "192.0.0.0/16" }, STOPPED(XDP_DROP) },
	{ "/8", { 0 }, { .drop = "192.0.0.0/8" }, STOPPED(XDP_DROP) },
	{ "/0", { 0 }, { .drop = "0.0.0.0/0" }, STOPPED(XDP_DROP) },
	{ "ipv6 exact address", { SOURCE6 }, { .drop = "2001:db8::1" }, STOPPED(XDP_DROP) },
	{ "ipv6 neighbour", { SOURCE6 }, { .drop = "2001:db8::2" }, ACCEPTED },
	{ "ipv6 /64", { SOURCE6 }, { .drop = "2001:db8::/64" }, STOPPED(XDP_DROP) },
	{ "ipv6 /48", { SOURCE6 }, { .drop = "2001:db8::/48" }, STOPPED(XDP_DROP) },
	{ "ipv6 /29", { SOURCE6 }, { .drop = "2001:db8::/29" }, STOPPED(XDP_DROP) },
	{ "ipv6 /16", { SOURCE6 }, { .drop = "2001::/16" }, STOPPED(XDP_DROP) },
	{ "ipv6 /0", { SOURCE6 }, { .drop = "::/0" }, STOPPED(XDP_DROP) },
	{ "::/0 holds no ipv4 address", { 0 }, { .drop = "::/0" }, ACCEPTED },
	{ "0.0.0.0/0 holds no ipv6 address", { SOURCE6 }, { .drop = "0.0.0.0/0" }, ACCEPTED },
	{ "the longer prefix decides",
	  { 0 },
	  { .drop = "192.0.2.0/24", .reset = "192.0.2.1" },
	  ANSWERED },
	{ "allow inside a block",
	  { 0 },
	  { .drop = "192.0.2.0/24", .allow = "192.0.2.1" },
	  ALLOWED },
	{ "ipv6 allow inside a block",
	  { SOURCE6 },
	  { .drop = "2001:db8::/32", .allow = "2001:db8::/64" },
	  ALLOWED },
	{ "allowed source beyond its rate",
	  { 0 },
	  { .allow = "192.0.2.1",
	    .limit = { { 1000, 1000, 1, 0 } },
	    .spent = { true },
	    .conns = { 5 } },
	  ALLOWED },
	{ "watched list", { 0 }, { .watched = "192.0.2.0/24" }, WATCHED },
	{ "watched list, then a limit",
	  { 0 },
	  { .watched = "192.0.2.0/24", .limit = { { 0, 0, 1, 0 } }, .conns = { 1 } },
	  { .action = XDP_DROP,
	    .reason = REASON_CONN_SOURCE,
	    .monitored = true,
	    .would = REASON_LISTED,
	    .health = { [HEALTH_EVENTS_SKIPPED] = 2 } } },
	{ "monitor mode", { 0 }, { .drop = "192.0.2.0/24", .monitor = true }, WATCHED },
	{ "monitor mode, reset list",
	  { 0 },
	  { .reset = "192.0.2.0/24", .monitor = true },
	  WATCHED },
	{ "monitor mode, watched list",
	  { 0 },
	  { .watched = "192.0.2.0/24", .monitor = true },
	  WATCHED },
	{ "monitor mode, allow list",
	  { 0 },
	  { .allow = "192.0.2.0/24", .monitor = true },
	  ALLOWED },

	{ "reset", { 0 }, { .reset = "192.0.2.0/24" }, ANSWERED },
	{ "reset, ipv6", { SOURCE6 }, { .reset = "2001:db8::/32" }, ANSWERED },
	{ "reset, vlan", { .tags = { 100 } }, { .reset = "192.0.2.0/24" }, ANSWERED },
	{ "reset, qinq and ipv6",
	  { SOURCE6, .tags = { 100, 200 } },
	  { .reset = "2001:db8::/32" },
	  ANSWERED },
	{ "reset, ipv4 options", { .option_words = 3 }, { .reset = "192.0.2.0/24" }, ANSWERED },
	{ "reset, tcp options", { .doff = 10 }, { .reset = "192.0.2.0/24" }, ANSWERED },
	{ "reset, syn with data", { .data = 7 }, { .reset = "192.0.2.0/24" }, ANSWERED },
	{ "reset, padded frame", { .pad = true }, { .reset = "192.0.2.0/24" }, ANSWERED },
	{ "reset, ipv6 extension headers",
	  { SOURCE6, .extension = { 1, 61 } },
	  { .reset = "2001:db8::/32" },
	  ANSWERED },
	{ "reset to a group address is not answered",
	  { .group = true },
	  { .reset = "192.0.2.0/24" },
	  UNANSWERED },
	{ "reset beyond the limit of answers",
	  { 0 },
	  { .reset = "192.0.2.0/24", .no_resets = true },
	  UNANSWERED },
	{ "reset, frame cannot be cut",
	  { 0 },
	  { .reset = "192.0.2.0/24", .fault = { .adjust = true } },
	  UNANSWERED },
	{ "reset, ipv6 frame cannot be cut",
	  { SOURCE6 },
	  { .reset = "2001:db8::/32", .fault = { .adjust = true } },
	  UNANSWERED },
	{ "reset, frame ends too early",
	  { 0 },
	  { .reset = "192.0.2.0/24", .fault = { .cut_after_adjust = 20 } },
	  UNANSWERED },
	{ "reset, frame ends within its headers",
	  { 0 },
	  { .reset = "192.0.2.0/24", .fault = { .cut_after_adjust = 50 } },
	  UNANSWERED },
	{ "reset, no limit of answers found",
	  { 0 },
	  { .reset = "192.0.2.0/24", .fault = { .lookup = "total" } },
	  UNANSWERED },

	{ "reset, frame has no ethernet header left",
	  { 0 },
	  { .reset = "192.0.2.0/24", .fault = { .cut_after_adjust = 10 } },
	  UNANSWERED },
	{ "reset within the limit of answers",
	  { 0 },
	  { .reset = "192.0.2.0/24", .few_resets = true },
	  ANSWERED },

	{ "in a crowded /24", { 0 }, { .drop = "192.0.2.1", .full24 = true }, STOPPED(XDP_DROP) },
	{ "between others in a crowded /24", { 0 }, { .full24 = true }, ACCEPTED },
	{ "in a crowded /24 of two lists",
	  { 0 },
	  { .reset = "192.0.2.1", .full24 = true },
	  ANSWERED },
	{ "between others in a crowded /24 of two lists",
	  { 0 },
	  { .reset = "192.0.2.2", .full24 = true },
	  ACCEPTED },
	{ "/24", { 0 }, { .drop = "192.0.2.0/24" }, STOPPED(XDP_DROP) },
	{ "a /24 next to the source's", { 0 }, { .drop = "192.0.3.0/24" }, ACCEPTED },
	{ "a /24 over a longer prefix elsewhere in it",
	  { 0 },
	  { .reset = "192.0.2.0/24", .drop = "192.0.2.128/25" },
	  ANSWERED },
	{ "a /24 over a shorter prefix",
	  { 0 },
	  { .reset = "192.0.2.0/24", .drop = "192.0.0.0/20" },
	  ANSWERED },
	{ "a crowded /24 that is listed itself",
	  { 0 },
	  { .reset = "192.0.2.0/24", .full24 = true },
	  ANSWERED },
	{ "in a crowded /24 that is listed itself",
	  { 0 },
	  { .reset = "192.0.2.0/24", .drop = "192.0.2.1", .full24 = true },
	  STOPPED(XDP_DROP) },
	{ "a crowded /24 of two lists that is listed itself",
	  { 0 },
	  { .reset = "192.0.2.0/24", .drop2 = "192.0.2.2/31", .full24 = true },
	  ANSWERED },
	{ "in a crowded /120 of two lists",
	  { SOURCE6 },
	  { .reset = "2001:db8::1", .full24 = true },
	  ANSWERED },
	{ "in a crowded /120",
	  { SOURCE6 },
	  { .drop = "2001:db8::1", .full24 = true },
	  STOPPED(XDP_DROP) },
	{ "between others in a crowded /120", { SOURCE6 }, { .full24 = true }, ACCEPTED },
	{ "in a chain of buckets",
	  { SOURCE6 },
	  { .drop = "2001:db8::/64", .chained = true },
	  STOPPED(XDP_DROP) },
	{ "displaced into the next bucket",
	  { SOURCE6 },
	  { .drop = "2001:db8::/64", .displaced = true },
	  STOPPED(XDP_DROP) },
	{ "a chain of buckets ends at its budget",
	  { SOURCE6 },
	  { .drop = "2001:db8::2", .chained = true },
	  ACCEPTED },
	{ "another ipv6 network of the same length",
	  { SOURCE6 },
	  { .drop = "2001:db8:1::/64" },
	  ACCEPTED },

	/* The arrays of the table are never missing in the kernel; were they, mail would flow. */
	{ "bitmap4 not found",
	  { 0 },
	  { .drop = "192.0.2.1", .fault = { .lookup = "bitmap4" } },
	  ACCEPTED },
	{ "bucket4 not found",
	  { 0 },
	  { .drop = "192.0.2.1", .fault = { .lookup = "bucket4" } },
	  ACCEPTED },
	{ "short4 not found",
	  { 0 },
	  { .drop = "192.0.0.0/19", .fault = { .lookup = "short4" } },
	  ACCEPTED },
	{ "a /24 needs no short4",
	  { 0 },
	  { .drop = "192.0.2.0/24", .fault = { .lookup = "short4" } },
	  STOPPED(XDP_DROP) },
	{ "page not found",
	  { 0 },
	  { .drop = "192.0.2.1", .full24 = true, .fault = { .lookup = "page" } },
	  ACCEPTED },
	{ "top not found",
	  { 0 },
	  { .drop = "192.0.0.0/8", .fault = { .lookup = "top" } },
	  ACCEPTED },
	{ "filter6 not found",
	  { SOURCE6 },
	  { .drop = "2001:db8::1", .fault = { .lookup = "filter6" } },
	  ACCEPTED },
	{ "bucket6 not found",
	  { SOURCE6 },
	  { .drop = "2001:db8::1", .fault = { .lookup = "bucket6" } },
	  ACCEPTED },
	{ "list counters not found",
	  { 0 },
	  { .drop = "192.0.2.1", .fault = { .lookup = "lists" } },
	  STOPPED(XDP_DROP) },
};

const size_t list_case_count = sizeof(list_cases) / sizeof(list_cases[0]);
