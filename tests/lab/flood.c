/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/lab/flood.c - sends exactly so many SYNs, from addresses in the given prefixes in turn.
 *
 * usage: flood IFACE PEER-MAC DEST PORT COUNT RATE SEED PREFIX ...
 *   RATE  SYNs a second; 0 as fast as they go
 * prints {"sent": n, "errors": n, "seconds": s}; stops early, and says so by its count, on SIGTERM.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/mix.h"
#include "tests/lab/syn.h"

#define PREFIXES_MAX 64
#define BURST        32 /* frames between two looks at the clock: fewer than a veth's queue holds */

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

/* A random address inside the prefix. */
static struct addr inside(const struct prefix *prefix, uint64_t random)
{
	const uint64_t high = mix64(random), low = mix64(random + 1);
	struct addr addr = addr_from_halves(high, low);

	for (unsigned int bit = 0; bit < prefix->len; bit++) {
		const uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		addr.byte[bit / 8] &= (uint8_t)~mask;
		addr.byte[bit / 8] |= prefix->addr.byte[bit / 8] & mask;
	}
	return addr;
}

static void keep_pace(double start, uint64_t sent, double rate)
{
	const double ahead = rate > 0 ? start + (double)sent / rate - syn_seconds() : 0;

	if (ahead > 0)
		usleep((useconds_t)(ahead * 1e6));
}

int main(int argc, char **argv)
{
	struct prefix prefix[PREFIXES_MAX];
	uint64_t sent = 0, errors = 0, count, seed;
	uint8_t frame[SYN_FRAME_MAX];
	const int prefixes = argc - 8;
	struct syn_link link;
	struct addr dest;
	double start, rate;

	if (prefixes < 1 || prefixes > PREFIXES_MAX)
		syn_fail("usage: flood IFACE PEER-MAC DEST PORT COUNT RATE SEED PREFIX ...");
	syn_open(&link, argv[1], argv[2]);
	dest = syn_addr(argv[3]);
	count = strtoull(argv[5], NULL, 10);
	rate = strtod(argv[6], NULL);
	seed = mix64(strtoull(argv[7], NULL, 10));
	for (int i = 0; i < prefixes; i++)
		if (prefix_parse(argv[8 + i], strlen(argv[8 + i]), &prefix[i], NULL))
			syn_fail("%s: not a prefix", argv[8 + i]);
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	start = syn_seconds();
	for (uint64_t i = 0; i < count && !stopped; i++) {
		const uint64_t random = seed + i * 2;
		const struct addr source = inside(&prefix[i % (uint64_t)prefixes], random);
		const uint16_t port = (uint16_t)(1024 + mix64(random + 7) % 60000);
		const size_t length = syn_build(&link, &source, port, &dest,
						(uint16_t)atoi(argv[4]), (uint32_t)random, frame);

		if (syn_send(&link, frame, length))
			sent++;
		else
			errors++;
		if (i % BURST == BURST - 1)
			keep_pace(start, sent, rate);
	}
	printf("{\"sent\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"seconds\": %.3f}\n", sent,
	       errors, syn_seconds() - start);
	return 0;
}
