/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/lab/peermap.c - loads the XDP programs that Postern is measured against, and puts them on
 * an interface in place of what is there.
 *
 * usage: peermap bare OBJECT IFACE               bare, sink: programs without entries
 *        peermap lpm OBJECT IFACE PIN FILE       lpm, hash: a map with the entries of the file,
 * pinned peermap add PIN ADDRESS                 one more entry peermap last OBJECT IFACE DIRECTORY
 * the last rule, with an agent's maps pinned in the directory FILE  entries of eight bytes: the
 * prefix length in host byte order, then the address
 *
 * lpm and hash fill a new map and a new program and then exchange them in one step, so the same
 * call replaces a list as a whole.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "maps/abi.h"
#include "tests/lab/syn.h"

#define ENTRIES_AT_ONCE 100000u
#define ROOM            1024u /* for entries that are added later */

struct entry {
	uint32_t length, address;
};

struct kind {
	const char *name, *program, *map;
};

static const struct kind kinds[] = {
	{ "bare", "bare", NULL },    { "sink", "sink", NULL },      { "lpm", "lpm", "trie" },
	{ "hash", "hash", "exact" }, { "last", "last_rule", NULL },
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	syn_fail("%s: not a kind of program", name);
}

static struct bpf_object *open_object(const char *path, const struct kind *kind)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	struct bpf_map *map;

	if (!object)
		syn_fail("%s: %s", path, strerror(errno));
	bpf_object__for_each_program(program, object) bpf_program__set_autoload(
		program, !strcmp(bpf_program__name(program), kind->program));
	if (!kind->map)
		return object;
	bpf_object__for_each_map(map, object)
		bpf_map__set_autocreate(map, !strcmp(bpf_map__name(map), kind->map));
	return object;
}

static void load(struct bpf_object *object)
{
	const int result = bpf_object__load(object);

	if (result)
		syn_fail("the kernel does not take the program: %s", strerror(-result));
}

/* Without a link: it stays when this program ends, until the interface goes. */
static void attach(const struct bpf_object *object, const struct kind *kind, const char *iface)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, kind->program);
	const int index = (int)if_nametoindex(iface);
	const int result =
		bpf_xdp_attach(index, bpf_program__fd(program), XDP_FLAGS_DRV_MODE, NULL);

	if (result)
		syn_fail("%s: %s", iface, strerror(-result));
}

/* A hash takes the addresses alone, a trie all of it. */
static void insert(int map, const struct entry *entry, uint32_t count, bool exact)
{
	static uint8_t values[ENTRIES_AT_ONCE];
	static uint32_t addresses[ENTRIES_AT_ONCE];
	const void *keys = entry;
	uint32_t done = count;

	for (uint32_t i = 0; exact && i < count; i++)
		addresses[i] = entry[i].address;
	if (exact)
		keys = addresses;
	if (bpf_map_update_batch(map, keys, values, &done, NULL))
		syn_fail("entries: %s", strerror(errno));
}

static void fill(struct bpf_map *map, FILE *file)
{
	static struct entry entry[ENTRIES_AT_ONCE];
	size_t got;

	while ((got = fread(entry, sizeof(entry[0]), ENTRIES_AT_ONCE, file)) > 0)
		insert(bpf_map__fd(map), entry, (uint32_t)got, bpf_map__key_size(map) == 4);
	fclose(file);
}

static void pin(const struct bpf_map *map, const char *path)
{
	if (unlink(path) && errno != ENOENT)
		syn_fail("%s: %s", path, strerror(errno));
	if (bpf_obj_pin(bpf_map__fd(map), path))
		syn_fail("%s: %s", path, strerror(errno));
}

static void load_entries(const struct kind *kind, char **argv)
{
	struct bpf_object *object = open_object(argv[0], kind);
	struct bpf_map *map = bpf_object__find_map_by_name(object, kind->map);
	FILE *file = fopen(argv[3], "r");
	struct stat status;

	if (!file || fstat(fileno(file), &status))
		syn_fail("%s: %s", argv[3], strerror(errno));
	bpf_map__set_max_entries(map, (uint32_t)(status.st_size / 8) + ROOM);
	load(object);
	fill(map, file);
	pin(map, argv[2]);
	attach(object, kind, argv[1]);
	bpf_object__close(object);
}

static void add_entry(const char *path, const char *text)
{
	const int map = bpf_obj_get(path);
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	struct entry entry = { .length = 32 };

	if (map < 0 || bpf_obj_get_info_by_fd(map, &info, &size))
		syn_fail("%s: %s", path, strerror(errno));
	if (inet_pton(AF_INET, text, &entry.address) != 1)
		syn_fail("%s: not an IPv4 address", text);
	insert(map, &entry, 1, info.key_size == 4);
	close(map);
}

/* The sizes of the agent's maps are constants to its program, and so to this one. */
static void take_geometry(struct bpf_object *object, const char *directory)
{
	const uint32_t zero = 0;
	struct identity identity;
	struct bpf_map *map;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/identity", directory);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_map_lookup_elem(fd, &zero, &identity))
		syn_fail("%s: %s", path, strerror(errno));
	close(fd);
	bpf_object__for_each_map(map, object)
	{
		if (strstr(bpf_map__name(map), ".rodata"))
			bpf_map__set_initial_value(map, &identity.geometry,
						   bpf_map__value_size(map));
	}
}

static void take_map(struct bpf_map *map, const char *directory)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, bpf_map__name(map));
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_map__reuse_fd(map, fd))
		syn_fail("%s: %s", path, strerror(errno));
	close(fd);
}

static void load_last_rule(const struct kind *kind, char **argv)
{
	struct bpf_object *object = open_object(argv[0], kind);
	struct bpf_map *map;

	take_geometry(object, argv[2]);
	bpf_object__for_each_map(map, object)
	{
		if (!bpf_map__is_internal(map))
			take_map(map, argv[2]);
	}
	load(object);
	attach(object, kind, argv[1]);
	bpf_object__close(object);
}

static void load_bare(const struct kind *kind, char **argv)
{
	struct bpf_object *object = open_object(argv[0], kind);
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		if (!bpf_map__is_internal(map))
			bpf_map__set_autocreate(map, false);
	}
	load(object);
	attach(object, kind, argv[1]);
	bpf_object__close(object);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 4 && !strcmp(what, "add"))
		add_entry(argv[2], argv[3]);
	else if (argc == 6 && kind_of(what)->map)
		load_entries(kind_of(what), argv + 2);
	else if (argc == 5 && !strcmp(what, "last"))
		load_last_rule(kind_of(what), argv + 2);
	else if (argc == 4 && !kind_of(what)->map)
		load_bare(kind_of(what), argv + 2);
	else
		syn_fail("usage: see the comment at the head of tests/lab/peermap.c");
	return 0;
}
