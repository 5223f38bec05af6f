/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets_peers.c - the kernel's hash of exact addresses and its LPM trie, with the
 * entries of a list: see bpf/bench_peers.bpf.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "tools/bench_packets.h"

#include "bench_peers.skel.h" /* which wants the types of maps/ before it */

#define BATCH              4096
#define LPM_BUDGET_SECONDS 60 /* to load a trie; one that takes longer is left out */

struct peers {
	struct bench_peers *skel;
};

/* Keys as bpf/bench_peers.bpf.c has them: they have the size of the largest here. */
struct key {
	uint32_t word[5];
};

struct peers *peers_open(const struct gate_bench *gate, const struct list *list)
{
	static const char *const shared[] = { "settings", "sources", "turn" };
	struct peers *peers = calloc(1, sizeof(*peers));

	if (!peers)
		give_up("peers");
	peers->skel = bench_peers__open();
	if (!peers->skel)
		give_up("peers");
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		bpf_map__reuse_fd(bpf_object__find_map_by_name(peers->skel->obj, shared[i]),
				  gate_bench_map(gate, shared[i]));
	if (!list->mixed)
		bpf_map__set_max_entries(list->ipv4 ? peers->skel->maps.exact4
						    : peers->skel->maps.exact6,
					 list->entries);
	bpf_map__set_max_entries(list->ipv4 ? peers->skel->maps.lpm4 : peers->skel->maps.lpm6,
				 list->entries);
	if (bench_peers__load(peers->skel))
		give_up("the kernel does not take the peers");
	return peers;
}

void peers_close(struct peers **peers)
{
	bench_peers__destroy((*peers)->skel);
	free(*peers);
	*peers = NULL;
}

const struct bpf_program *peers_program(const struct peers *peers, const char *name)
{
	return bpf_object__find_program_by_name(peers->skel->obj, name);
}

/* Writes one key; returns its size. */
typedef size_t key_maker(const struct prefix *prefix, bool ipv4, void *out);

static size_t hash_key(const struct prefix *prefix, bool ipv4, void *out)
{
	const uint64_t half[2] = { addr_high(&prefix->addr), addr_low(&prefix->addr) };
	const uint32_t address = (uint32_t)half[1];

	if (ipv4)
		memcpy(out, &address, sizeof(address));
	else
		memcpy(out, half, sizeof(half));
	return ipv4 ? sizeof(address) : sizeof(half);
}

static size_t lpm_key(const struct prefix *prefix, bool ipv4, void *out)
{
	const uint32_t length = ipv4 ? prefix->len - 96u : prefix->len;
	const size_t bytes = ipv4 ? 4 : 16;

	memcpy(out, &length, sizeof(length));
	memcpy((uint8_t *)out + sizeof(length), prefix->addr.byte + 16 - bytes, bytes);
	return sizeof(length) + bytes;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Puts all prefixes into a map; false if it takes longer than `budget` seconds. */
static bool fill(const struct bpf_map *map, const struct list *list, key_maker *key, double budget)
{
	static uint8_t keys[BATCH * sizeof(struct key)];
	static uint32_t values[BATCH];
	const double end = now() + budget;
	size_t at = 0;

	for (uint32_t i = 0; i < list->entries;) {
		uint32_t count = 0;

		for (at = 0; count < BATCH && i < list->entries; count++, i++) {
			at += key(&list->prefix[i], list->ipv4, keys + at);
			values[count] = 1;
		}
		if (bpf_map_update_batch(bpf_map__fd(map), keys, values, &count, NULL))
			give_up(bpf_map__name(map));
		if (now() > end) {
			printf("%s: %s is left out: %u of %u entries took %.0f s\n", list->subject,
			       bpf_map__name(map), i, list->entries, budget);
			return false;
		}
	}
	return true;
}

bool peers_fill_hash(struct peers *peers, const struct list *list)
{
	if (list->mixed)
		return false;
	return fill(list->ipv4 ? peers->skel->maps.exact4 : peers->skel->maps.exact6, list,
		    hash_key, LPM_BUDGET_SECONDS);
}

bool peers_fill_lpm(struct peers *peers, const struct list *list)
{
	return fill(list->ipv4 ? peers->skel->maps.lpm4 : peers->skel->maps.lpm6, list, lpm_key,
		    LPM_BUDGET_SECONDS);
}
