/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/lab/probe.c - knocks again and again from one address and notes what comes back: proof that
 * an address was, or was not, let through at any moment.
 *
 * usage: probe IFACE PEER-MAC SOURCE DEST PORT RATE SECONDS LEAST
 * prints {"sent": n, "errors": n, "synack": n, "rst": n, "first_synack": s, "last_synack": s,
 * "started": s}; times are seconds since the start, -1 for never, and that of the start is one of
 * CLOCK_MONOTONIC. Ends after SECONDS or on SIGTERM, but not before it has knocked LEAST times: on
 * a busy machine it is far slower than RATE.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/syn.h"

#define LINGER  0.3 /* seconds in which late answers are waited for */
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

struct answers {
	uint64_t synack, rst;
	double first, last;
};

/* The TCP flags of a frame that answers our knocking, or 0. */
static uint8_t answer_flags(const uint8_t *frame, size_t length, const struct addr *source,
			    uint16_t port)
{
	const bool ipv4 = addr_is_ipv4(source);
	const size_t ip = 14, tcp = ip + (ipv4 ? 20 : 40);
	const uint8_t *to = frame + ip + (ipv4 ? 16 : 24);

	if (length < tcp + 14 || frame[12] != (ipv4 ? 0x08 : 0x86) ||
	    frame[ip + (ipv4 ? 9 : 6)] != 6)
		return 0;
	if (memcmp(to, source->byte + (ipv4 ? 12 : 0), ipv4 ? 4 : 16) ||
	    (frame[tcp] << 8 | frame[tcp + 1]) != port)
		return 0;
	return frame[tcp + 13];
}

static void listen_for(const struct syn_link *link, const struct addr *source, uint16_t port,
		       double start, struct answers *answers)
{
	uint8_t frame[2048];
	ssize_t length;

	while ((length = recv(link->fd, frame, sizeof(frame), MSG_DONTWAIT)) > 0) {
		const uint8_t flags = answer_flags(frame, (size_t)length, source, port);

		if (flags & TCP_RST) {
			answers->rst++;
		} else if ((flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
			answers->synack++;
			answers->last = syn_seconds() - start;
			if (answers->first < 0)
				answers->first = answers->last;
		}
	}
}

int main(int argc, char **argv)
{
	struct answers answers = { 0, 0, -1, -1 };
	uint64_t sent = 0, errors = 0, least;
	uint8_t frame[SYN_FRAME_MAX];
	struct addr source, dest;
	double start, rate, seconds;
	struct syn_link link;
	uint16_t port;

	if (argc != 9)
		syn_fail("usage: probe IFACE PEER-MAC SOURCE DEST PORT RATE SECONDS LEAST");
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	syn_open(&link, argv[1], argv[2]);
	source = syn_addr(argv[3]);
	dest = syn_addr(argv[4]);
	port = (uint16_t)atoi(argv[5]);
	rate = strtod(argv[6], NULL);
	seconds = strtod(argv[7], NULL);
	least = strtoull(argv[8], NULL, 10);
	for (start = syn_seconds();
	     sent + errors < least || (!stopped && syn_seconds() < start + seconds);) {
		const uint16_t own = (uint16_t)(1024 + sent * 7919 % 60000);
		const size_t length =
			syn_build(&link, &source, own, &dest, port, (uint32_t)sent, frame);

		if (syn_send(&link, frame, length))
			sent++;
		else
			errors++;
		listen_for(&link, &source, port, start, &answers);
		usleep((useconds_t)(1e6 / rate));
	}
	usleep((useconds_t)(LINGER * 1e6));
	listen_for(&link, &source, port, start, &answers);
	printf("{\"sent\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"synack\": %" PRIu64
	       ", \"rst\": %" PRIu64 ", \"first_synack\": %.4f, \"last_synack\": %.4f"
	       ", \"started\": %.6f}\n",
	       sent, errors, answers.synack, answers.rst, answers.first, answers.last, start);
	return 0;
}
