/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/load.c - opens the two BPF objects with the gate's sizes, loads them and takes their maps.
 *
 * The maps are pinned by libbpf while it loads: it opens what is pinned under the gate's directory,
 * checks that it is the map that the object describes, and creates what is missing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "gate/load.h"
#include "gate_conn.skel.h"
#include "gate_xdp.skel.h"

struct sized_map {
	const char *name;
	uint32_t entries;
};

static int set_pin_path(const struct gate *gate, struct bpf_map *map, struct error *err)
{
	char path[PIN_PATH_MAX + BPF_OBJ_NAME_LEN];
	int result;

	if (bpf_map__is_internal(map))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", gate->set_directory, bpf_map__name(map));
	result = bpf_map__set_pin_path(map, path);
	return result ? error_errno(err, ERROR_REFUSED, -result, "%s", path) : 0;
}

/* Sizes and pin paths, before the object is loaded. */
static int prepare_maps(const struct gate *gate, struct bpf_object *object, struct error *err)
{
	const struct geometry *g = &gate->identity.geometry;
	const struct sized_map sized[] = {
		{ "bucket4", GENERATIONS << g->bucket4_bits },
		{ "bucket6", GENERATIONS << g->bucket6_bits },
		{ "filter6", GENERATIONS << g->filter6_bits },
		{ "page", GENERATIONS * g->page_lines },
		{ "meter", 1u << g->meter_bits },
	};
	struct bpf_map *map;
	int result;

	for (size_t i = 0; i < sizeof(sized) / sizeof(sized[0]); i++) {
		map = bpf_object__find_map_by_name(object, sized[i].name);
		result = bpf_map__set_max_entries(map, sized[i].entries);
		if (result)
			return error_errno(err, ERROR_REFUSED, -result, "size of map %s",
					   sized[i].name);
	}
	bpf_object__for_each_map(map, object)
	{
		result = set_pin_path(gate, map, err);
		if (result)
			return result;
	}
	return 0;
}

int load_open_xdp(const struct gate *gate, struct gate_xdp **out, struct error *err)
{
	struct gate_xdp *xdp = gate_xdp__open();

	if (!xdp)
		return error_errno(err, ERROR_REFUSED, errno, "cannot open the XDP program");
	xdp->rodata->geometry = gate->identity.geometry;
	if (prepare_maps(gate, xdp->obj, err)) {
		gate_xdp__destroy(xdp);
		return ERROR_REFUSED;
	}
	*out = xdp;
	return 0;
}

static int take_maps(struct gate *gate, struct bpf_object *object, struct error *err)
{
	static const char *const names[GATE_MAP_COUNT] = {
#define MAP_NAME(name, use) #name,
		GATE_MAP_LIST(MAP_NAME)
#undef MAP_NAME
	};

	for (int i = 0; i < GATE_MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, names[i]);

		gate->map[i].fd = dup(bpf_map__fd(map));
		if (gate->map[i].fd < 0)
			return error_errno(err, ERROR_REFUSED, errno, "map %s", names[i]);
		gate->map_bytes += (uint64_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	}
	return 0;
}

/* Lets the new link count before the one of an earlier agent stops: see gate_conn.bpf.c. */
static int exchange_link(const struct gate *gate, struct bpf_link *link, const char *name,
			 struct error *err)
{
	char path[PIN_PATH_MAX + BPF_OBJ_NAME_LEN];
	int result;

	snprintf(path, sizeof(path), "%s/link-%s", gate->set_directory, name);
	if (unlink(path) && errno != ENOENT)
		return error_errno(err, ERROR_REFUSED, errno, "%s", path);
	result = bpf_link__pin(link, path);
	return result ? error_errno(err, ERROR_REFUSED, -result, "%s", path) : 0;
}

/* Counts the connections that are open already: reading the iterator runs it over all sockets. */
int load_seed_connections(struct gate_conn *conn, struct error *err)
{
	char ignored[64];
	ssize_t got;
	int fd;

	conn->links.postern_seed = bpf_program__attach_iter(conn->progs.postern_seed, NULL);
	if (!conn->links.postern_seed)
		return error_errno(err, ERROR_REFUSED, errno, "cannot walk the open connections");
	fd = bpf_iter_create(bpf_link__fd(conn->links.postern_seed));
	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "cannot walk the open connections");
	do
		got = read(fd, ignored, sizeof(ignored));
	while (got > 0);
	close(fd);
	return got < 0 ? error_errno(err, ERROR_REFUSED, errno, "walking the open connections") : 0;
}

int load_maps(struct gate *gate, struct gate_conn **out, struct error *err)
{
	struct gate_conn *conn = gate_conn__open();
	int result;

	if (!conn)
		return error_errno(err, ERROR_REFUSED, errno, "cannot open the connection counter");
	conn->rodata->geometry = gate->identity.geometry;
	result = prepare_maps(gate, conn->obj, err);
	if (!result) {
		result = gate_conn__load(conn);
		if (result)
			result = error_errno(err, ERROR_REFUSED, -result,
					     "the kernel does not take the connection counter");
	}
	if (!result)
		result = take_maps(gate, conn->obj, err);
	if (result) {
		gate_conn__destroy(conn);
		return result;
	}
	*out = conn;
	return 0;
}

int load_count_connections(const struct gate *gate, struct gate_conn *conn, struct error *err)
{
	conn->links.postern_conn = bpf_program__attach(conn->progs.postern_conn);
	conn->links.postern_conn_too = bpf_program__attach(conn->progs.postern_conn_too);
	if (!conn->links.postern_conn || !conn->links.postern_conn_too)
		return error_errno(err, ERROR_REFUSED, errno, "cannot count connections");
	if (exchange_link(gate, conn->links.postern_conn, "conn", err))
		return ERROR_REFUSED;
	return exchange_link(gate, conn->links.postern_conn_too, "conn-too", err);
}

void load_done(struct gate_conn **conn)
{
	gate_conn__destroy(*conn);
	*conn = NULL;
}
