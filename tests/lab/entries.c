/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/lab/entries.c - one large list of IPv4 entries in the formats of everything that is to load
 * it.
 *
 * usage: entries COUNT SEED DIRECTORY
 *
 * Of 20 entries 16 are addresses, three /24 and one /22; no two overlap, because some cannot hold
 * such; and their order is random. Files: plain      an entry a line addresses  an address a line,
 * one of each entry: for those that know no networks sets       entries with commas between them,
 * CHUNK a line; sets-addresses likewise restore    "add NAME ENTRY" for ipset binary     the prefix
 * length and the address, four bytes each, the address in network byte order binary-addresses, and
 * sources: the addresses alone
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maps/mix.h"
#include "tests/lab/syn.h"

#define COUNT_MAX  10000000u
#define MISSES_MAX 1000000u
#define CHUNK      5000u
#define BLOCKS24   (1u << 24)
#define FIRST_BYTE 11u  /* of the addresses: not 10, which is the lab's */
#define LAST_BYTE  191u /* not 192, 198 and 203, where the lab's senders are */
#define NAME       "bench"

struct entry {
	uint32_t address; /* host byte order, host part zero */
	uint32_t inside;  /* an address in it */
	uint32_t length;
};

struct list {
	struct entry *entry;
	uint32_t count;
	uint32_t turn, seed;
	uint8_t *taken; /* for each /24: a network is there */
};

/* Every number once: the steps can be undone. */
static uint32_t permuted(uint32_t x)
{
	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

static bool usable(uint32_t address)
{
	const uint32_t first = address >> 24;

	return first >= FIRST_BYTE && first <= LAST_BYTE && first != 127;
}

static bool is_free(const struct list *list, uint32_t address, uint32_t length)
{
	const uint32_t block = address >> 8, blocks = length < 24 ? 1u << (24 - length) : 1;
	const uint32_t first = block & ~(blocks - 1);

	for (uint32_t i = 0; i < blocks; i++)
		if (list->taken[first + i])
			return false;
	return usable(address);
}

static void take(struct list *list, uint32_t length)
{
	struct entry *entry = &list->entry[list->count++];
	uint32_t address;

	do
		address = permuted(list->turn++ * 0x9e3779b1u + list->seed);
	while (!is_free(list, address, length));
	entry->length = length;
	entry->inside = address;
	entry->address = address & (uint32_t)(0xffffffffull << (32 - length));
	for (uint32_t i = 0; length < 32 && i < 1u << (24 - length); i++)
		list->taken[(entry->address >> 8) + i] = 1;
}

/* Networks first, widest first, so that what follows only has to stay clear of them. */
static void make(struct list *list, uint32_t count)
{
	const uint32_t wide = count / 20, nets = wide + count * 3ull / 20;

	for (uint32_t i = 0; i < count; i++)
		take(list, i < wide ? 22 : i < nets ? 24 : 32);
	for (uint32_t i = count - 1; i > 0; i--) {
		const uint32_t other = (uint32_t)(mix64((uint64_t)list->seed << 32 | i) % (i + 1));
		const struct entry kept = list->entry[i];

		list->entry[i] = list->entry[other];
		list->entry[other] = kept;
	}
}

static FILE *create(const char *directory, const char *name)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	if (!file)
		syn_fail("%s: cannot be written", path);
	return file;
}

static void put(FILE *out, uint32_t address, uint32_t length)
{
	fprintf(out, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
		address & 255);
	if (length < 32)
		fprintf(out, "/%u", length);
}

/* `before` stands in front of each entry; with a chunk, commas stand between those of a line. */
static void write_text(const struct list *list, const char *directory, const char *name,
		       const char *before, uint32_t chunk, bool exact)
{
	FILE *out = create(directory, name);

	for (uint32_t i = 0; i < list->count; i++) {
		const struct entry *e = &list->entry[i];

		fputs(before, out);
		put(out, exact ? e->inside : e->address, exact ? 32 : e->length);
		putc(chunk && (i + 1) % chunk && i + 1 < list->count ? ',' : '\n', out);
	}
	fclose(out);
}

static void write_binary(const struct list *list, const char *directory, const char *name,
			 bool exact)
{
	FILE *out = create(directory, name);

	for (uint32_t i = 0; i < list->count; i++) {
		const struct entry *e = &list->entry[i];
		const uint32_t pair[] = { exact ? 32 : e->length,
					  htonl(exact ? e->inside : e->address) };

		fwrite(pair, sizeof(pair), 1, out);
	}
	fclose(out);
}

static void write_sources(const struct list *list, const char *directory, const char *name,
			  uint32_t first, uint32_t count)
{
	FILE *out = create(directory, name);

	for (uint32_t i = first; i < first + count; i++) {
		const uint32_t address = htonl(list->entry[i].inside);

		fwrite(&address, sizeof(address), 1, out);
	}
	fclose(out);
}

int main(int argc, char **argv)
{
	struct list list = { 0 };
	uint32_t count, misses;

	if (argc != 4)
		syn_fail("usage: entries COUNT SEED DIRECTORY");
	count = (uint32_t)strtoul(argv[1], NULL, 10);
	if (count < 20 || count > COUNT_MAX)
		syn_fail("20 to %u entries", COUNT_MAX);
	list.seed = (uint32_t)mix64(strtoul(argv[2], NULL, 10));
	misses = count < MISSES_MAX ? count : MISSES_MAX;
	list.entry = calloc(count + misses, sizeof(*list.entry));
	list.taken = calloc(BLOCKS24, 1);
	if (!list.entry || !list.taken)
		syn_fail("no memory");
	make(&list, count);
	write_text(&list, argv[3], "plain", "", 0, false);
	write_text(&list, argv[3], "addresses", "", 0, true);
	write_text(&list, argv[3], "sets", "", CHUNK, false);
	write_text(&list, argv[3], "sets-addresses", "", CHUNK, true);
	write_text(&list, argv[3], "restore", "add " NAME " ", 0, false);
	write_binary(&list, argv[3], "binary", false);
	write_binary(&list, argv[3], "binary-addresses", true);
	write_sources(&list, argv[3], "sources", 0, count);
	for (uint32_t i = 0; i < misses; i++)
		take(&list, 32);
	write_sources(&list, argv[3], "misses", count, misses);
	free(list.taken);
	free(list.entry);
	return 0;
}
