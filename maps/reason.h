/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/reason.h - why a packet got its verdict: one list, from which the counters, the command
 * line, the logs and the metrics are made.
 *
 * X(name, text, kind, help)
 *   text  what users see and what the metrics carry in the label "reason"
 *   kind  PASS: goes on to the kernel's stack, or would after a challenge. STOP: dropped, or
 *         answered as the action of a listed source's entry says.
 *
 * What monitor mode did not do is counted as "monitored", and the packet goes on.
 */
#ifndef POSTERN_MAPS_REASON_H
#define POSTERN_MAPS_REASON_H

#include "abi.h"

#define REASON_LIST(X)                                                                             \
	X(OTHER, "other", PASS, "not IP, or a protocol other than TCP")                            \
	X(FRAGMENT, "fragment", PASS, "a later fragment: useless without its first one")           \
	X(MALFORMED, "malformed", PASS, "headers cut short: the stack discards it itself")         \
	X(PORT, "port", PASS, "TCP to a port that is not protected")                               \
	X(ESTABLISHED, "established", PASS, "not a connection attempt (no SYN, or SYN with ACK)")  \
	X(ALLOWED, "allowed", PASS, "a connection attempt from an address on an allow list")       \
	X(ACCEPTED, "accepted", PASS, "a connection attempt that passed every stage")              \
	X(CHALLENGED, "challenged", PASS,                                                          \
	  "a connection attempt during a flood, answered with a SYN cookie")                       \
	X(TINY_FRAGMENT, "tiny-fragment", STOP,                                                    \
	  "a fragment that hides the TCP header (RFC 1858, RFC 3128, RFC 7112)")                   \
	X(HEADER_CHAIN, "header-chain", STOP,                                                      \
	  "more VLAN tags or IPv6 extension headers than the budget, or a jumbogram")              \
	X(LISTED, "listed", STOP, "the source is on a block list")                                 \
	X(HELD, "held", STOP, "a later segment from a source that is refused or in the tarpit")    \
	X(CONN_SOURCE, "conn-source", STOP, "too many connections from the address")               \
	X(CONN_NET, "conn-net", STOP, "too many connections from the /24 or /64")                  \
	X(CONN_SITE, "conn-site", STOP, "too many connections from the IPv6 /48")                  \
	X(CONN_TOTAL, "conn-total", STOP, "too many connections in total")                         \
	X(RATE_SOURCE, "rate-source", STOP, "connection attempts from the address come too fast")  \
	X(RATE_NET, "rate-net", STOP, "connection attempts from the /24 or /64 come too fast")     \
	X(RATE_SITE, "rate-site", STOP, "connection attempts from the IPv6 /48 come too fast")     \
	X(RATE_TOTAL, "rate-total", STOP, "connection attempts come too fast in total")

#define REASON_ENUM(name, text, kind, help) REASON_##name,
enum reason { REASON_LIST(REASON_ENUM) REASON_COUNT };
#undef REASON_ENUM

/* Reasons before this one let a packet pass, this one and those behind it stop it. */
#define REASON_FIRST_STOP REASON_TINY_FRAGMENT

enum reason_kind { REASON_KIND_PASS, REASON_KIND_STOP };

#endif
