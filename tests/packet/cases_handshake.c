/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ACKs that would complete a handshake while their source is at a limit of connections. In the
 * kernel a listener is there, as if the ACK brought a SYN cookie; tests/lab/test_conn_limit.py does
 * it with real connections.
 */
#include <linux/bpf.h>

#include "bpf/packet.h"
#include "tests/packet/packet.h"

#define SOURCE6 .source = "2001:db8::1"
#define THREE                                                                                      \
	{                                                                                          \
		0, 0, 3, 0                                                                         \
	}
#define NONE                                                                                       \
	{                                                                                          \
		0, 0, 0, 0                                                                         \
	}
#define FULL .full = 1, .limit = { THREE }, .conns = { 3 }
#define STOPPED(why)                                                                               \
	{                                                                                          \
		.action = XDP_DROP, .reason = REASON_##why, .health = {                            \
			[HEALTH_EVENTS_SKIPPED] = 1                                                \
		}                                                                                  \
	}
#define PASSED                                                                                     \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ESTABLISHED                                   \
	}

const struct packet_case handshake_cases[] = {
	{ "ack at the limit of its source", { .flags = TCP_ACK }, { FULL }, STOPPED(CONN_SOURCE) },
	{ "ack at the limit of its source, ipv6",
	  { SOURCE6, .flags = TCP_ACK },
	  { FULL },
	  STOPPED(CONN_SOURCE) },
	{ "ack at the limit, with data",
	  { .flags = TCP_ACK | TCP_PSH, .data = 6 },
	  { FULL },
	  STOPPED(CONN_SOURCE) },
	{ "ack at the limit, with fin",
	  { .flags = TCP_ACK | TCP_FIN },
	  { FULL },
	  STOPPED(CONN_SOURCE) },
	{ "ack at the limit of its /24",
	  { .flags = TCP_ACK },
	  { .full = 1, .limit = { NONE, THREE }, .conns = { 0, 3 } },
	  STOPPED(CONN_NET) },
	{ "ack at the limit of its /48",
	  { SOURCE6, .flags = TCP_ACK },
	  { .full = 1, .limit = { THREE, NONE, THREE }, .conns = { 2, 0, 3 } },
	  STOPPED(CONN_SITE) },
	{ "ack at the limit in total",
	  { .flags = TCP_ACK },
	  { .full = 1, .limit = { THREE, NONE, THREE, THREE }, .conns = { 2, 0, 0, 3 } },
	  STOPPED(CONN_TOTAL) },
	{ "ack at the limit, an event",
	  { .flags = TCP_ACK },
	  { FULL, .budget = 1 },
	  { .action = XDP_DROP,
	    .reason = REASON_CONN_SOURCE,
	    .events = 1,
	    .hits = 1,
	    .health = { [HEALTH_EVENTS_SENT] = 1 } } },
	{ "ack below the limit",
	  { .flags = TCP_ACK },
	  { .full = 1, .limit = { THREE }, .conns = { 2 } },
	  PASSED },
	{ "ack of a source without a cell",
	  { .flags = TCP_ACK },
	  { .full = 1, .limit = { THREE, THREE } },
	  PASSED },
	{ "ack at the limit, long after it was reached",
	  { .flags = TCP_ACK },
	  { .full = 2, .limit = { THREE }, .conns = { 3 } },
	  PASSED },
	{ "ack at the limit, which was not noted",
	  { .flags = TCP_ACK },
	  { .limit = { THREE }, .conns = { 3 } },
	  PASSED },
	{ "reset at the limit", { .flags = TCP_ACK | TCP_RST }, { FULL }, PASSED },
	{ "syn-ack at the limit", { .flags = TCP_ACK | TCP_SYN }, { FULL }, PASSED },
	{ "segment without ack at the limit", { .flags = TCP_PSH }, { FULL }, PASSED },
	{ "ack at the limit to a port that is not protected",
	  { .flags = TCP_ACK, .port = 80 },
	  { FULL },
	  { .action = XDP_PASS, .reason = REASON_PORT } },
	{ "syn at the limit", { 0 }, { FULL }, STOPPED(CONN_SOURCE) },
	{ "ack at the limit, allowed",
	  { .flags = TCP_ACK },
	  { FULL, .allow = "192.0.2.1" },
	  PASSED },
	{ "ack at the limit, listed",
	  { .flags = TCP_ACK },
	  { FULL, .drop = "192.0.2.1" },
	  STOPPED(CONN_SOURCE) },
	{ "ack at the limit, refused, but not what is held",
	  { .flags = TCP_ACK },
	  { FULL, .refuse = "192.0.2.1" },
	  STOPPED(CONN_SOURCE) },
	{ "ack at the limit, allowed where others are refused",
	  { .flags = TCP_ACK },
	  { FULL, .refuse = "192.0.2.0/24", .allow = "192.0.2.1" },
	  PASSED },
	{ "ack at the limit, monitor mode",
	  { .flags = TCP_ACK },
	  { FULL, .monitor = true },
	  { .action = XDP_PASS,
	    .reason = REASON_ESTABLISHED,
	    .monitored = true,
	    .would = REASON_CONN_SOURCE,
	    .health = { [HEALTH_EVENTS_SKIPPED] = 1 } } },

	{ "ack at the limit, request kept",
	  { .flags = TCP_ACK },
	  { FULL, .fault = { .socket = BPF_TCP_NEW_SYN_RECV } },
	  STOPPED(CONN_SOURCE) },
	{ "ack at the limit, fast open",
	  { .flags = TCP_ACK },
	  { FULL, .fault = { .socket = BPF_TCP_SYN_RECV } },
	  STOPPED(CONN_SOURCE) },
	{ "ack at the limit, connection open",
	  { .flags = TCP_ACK },
	  { FULL, .fault = { .socket = BPF_TCP_ESTABLISHED } },
	  PASSED },
	{ "ack at the limit, connection ending",
	  { SOURCE6, .flags = TCP_ACK },
	  { FULL, .fault = { .socket = BPF_TCP_TIME_WAIT } },
	  PASSED },
	{ "ack at the limit, nobody listens",
	  { .flags = TCP_ACK },
	  { FULL, .fault = { .no_listener = true } },
	  PASSED },
	{ "ack at the limit, meter not found",
	  { .flags = TCP_ACK },
	  { FULL, .fault = { .lookup = "meter" } },
	  PASSED },
};

const size_t handshake_case_count = sizeof(handshake_cases) / sizeof(handshake_cases[0]);
