/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/open.c - from a pin directory to a gate: adopt or create, map, remember: see gate/open.h.
 *
 * Below the pin directory every set of pins has a directory of its own (set-1, set-2 ...). The map
 * `identity` of a set is written last, so a set that was left half made is never adopted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "gate/events.h"
#include "gate/keeper.h"
#include "gate/load.h"
#include "gate/pins.h"
#include "lib/log.h"

#define METER_BITS_MIN 8
#define METER_BITS_MAX 22

static struct identity identity_for(const struct gate_options *options)
{
	const struct table_geometry geometry =
		table_geometry_for(options->capacity4, options->capacity6);
	uint32_t meter_bits = METER_BITS_MIN;

	while (meter_bits < METER_BITS_MAX &&
	       (uint32_t)METER_WAYS << meter_bits < options->meter_cells)
		meter_bits++;
	return (struct identity){
		.magic = POSTERN_ABI_MAGIC,
		.abi_version = POSTERN_ABI_VERSION,
		.geometry = {
			.bucket4_bits = geometry.bucket4_bits,
			.bucket6_bits = geometry.bucket6_bits,
			.filter6_bits = geometry.filter6_bits,
			.page_lines = geometry.page_lines,
			.meter_bits = meter_bits,
		},
	};
}

/* How much the mapping of an array map takes: elements are rounded up to 8 bytes, the whole to
 * pages. */
static size_t mapping_bytes(const struct bpf_map_info *info)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t element = (info->value_size + 7u) & ~7u;

	return (element * info->max_entries + page - 1) / page * page;
}

static int map_memory(struct gate *gate, enum gate_map which, struct error *err)
{
	struct gate_map_state *map = &gate->map[which];
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	void *memory;

	if (bpf_obj_get_info_by_fd(map->fd, &info, &size))
		return error_errno(err, ERROR_REFUSED, errno, "cannot look at a map");
	memory = mmap(NULL, mapping_bytes(&info), PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);
	if (memory == MAP_FAILED)
		return error_errno(err, ERROR_REFUSED, errno, "cannot map %s into memory",
				   info.name);
	map->memory = memory;
	map->bytes = mapping_bytes(&info);
	return 0;
}

static int map_all(struct gate *gate, struct error *err)
{
	static const enum map_use use[GATE_MAP_COUNT] = {
#define MAP_USE(name, how) how,
		GATE_MAP_LIST(MAP_USE)
#undef MAP_USE
	};
	int result;

	for (int i = 0; i < GATE_MAP_COUNT; i++) {
		result = use[i] == MAP_MAPPED ? map_memory(gate, i, err) : 0;
		if (result)
			return result;
	}
	return 0;
}

static int make_table(struct gate *gate, struct error *err)
{
	const struct table_memory memory = {
		.settings = gate->map[GATE_MAP_settings].memory,
		.bitmap4 = gate->map[GATE_MAP_bitmap4].memory,
		.bucket4 = gate->map[GATE_MAP_bucket4].memory,
		.short4 = gate->map[GATE_MAP_short4].memory,
		.bucket6 = gate->map[GATE_MAP_bucket6].memory,
		.filter6 = gate->map[GATE_MAP_filter6].memory,
		.top = gate->map[GATE_MAP_top].memory,
		.page = gate->map[GATE_MAP_page].memory,
	};

	return table_new(&memory, &gate->geometry, &gate->table, err);
}

/* One that is there already stays: state that programs have made depends on it. */
static int fill_secret(__u64 *secret)
{
	while (!*secret)
		if (getrandom(secret, sizeof(*secret), 0) < 0)
			return -1;
	return 0;
}

/* What the program needs to know beside the operator's settings. */
static int fill_settings(struct gate *gate, struct error *err)
{
	struct settings *settings = gate_kernel_settings(gate);
	struct stat netns;

	if (stat("/proc/self/ns/net", &netns))
		return error_errno(err, ERROR_REFUSED, errno, "/proc/self/ns/net");
	gate->before = *settings;
	settings->netns = (uint32_t)netns.st_ino;
	if (fill_secret(&settings->secret) || fill_secret(&settings->answer_key[0]) ||
	    fill_secret(&settings->answer_key[1]))
		return error_errno(err, ERROR_REFUSED, errno, "no random numbers");
	return 0;
}

static int load_all(struct gate *gate, struct error *err)
{
	int result;

	result = load_maps(gate, &gate->conn, err);
	if (!result)
		result = map_all(gate, err);
	if (!result)
		result = make_table(gate, err);
	if (!result)
		result = fill_settings(gate, err);
	if (!result)
		result = load_count_connections(gate, gate->conn, err);
	if (!result) /* the set is whole from here on */
		*(struct identity *)gate->map[GATE_MAP_identity].memory = gate->identity;
	return result;
}

int gate_log_library(const char *event, const char *format, va_list args)
{
	char line[ERROR_TEXT_MAX];

	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug(event, "{s:s}", "text", line);
	return 0;
}

__attribute__((format(printf, 2, 0))) static int quiet_libbpf(enum libbpf_print_level level,
							      const char *format, va_list args)
{
	(void)level;
	return gate_log_library("gate.libbpf", format, args);
}

int gate_open(const struct gate_options *options, struct gate **out, struct error *err)
{
	struct gate *gate;
	int result;

	if (strlen(options->pin_directory) >= GATE_PATH_MAX)
		return error_set(err, ERROR_REFUSED, "%s: the path is longer than %d bytes",
				 options->pin_directory, GATE_PATH_MAX - 1);
	gate = calloc(1, sizeof(*gate));
	if (!gate)
		return error_set(err, ERROR_REFUSED, "out of memory");
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(quiet_libbpf);
	snprintf(gate->pin_directory, sizeof(gate->pin_directory), "%s", options->pin_directory);
	pthread_mutex_init(&gate->interface_lock, NULL);
	pthread_mutex_init(&gate->cookies.lock, NULL);
	pthread_mutex_init(&gate->learned.lock, NULL);
	pthread_mutex_init(&gate->ending.lock, NULL);
	gate->cpus = (uint32_t)libbpf_num_possible_cpus();
	gate->geometry = table_geometry_for(options->capacity4, options->capacity6);
	gate->identity = identity_for(options);
	gate->pin_lock = -1;
	for (int i = 0; i < GATE_MAP_COUNT; i++)
		gate->map[i].fd = -1;
	result = pins_choose_set(gate, err);
	if (!result)
		result = load_all(gate, err);
	if (!result)
		result = gate_events_open(gate, err);
	if (!result)
		result = gate_newcomers_open(gate, err);
	if (result) {
		if (!gate->adopted)
			pins_remove_own(gate);
		gate_close(&gate);
		return result;
	}
	*out = gate;
	return 0;
}

bool gate_adopted(const struct gate *gate, const char **why_not)
{
	*why_not = gate->why_not;
	return gate->adopted;
}

void gate_close(struct gate **gate)
{
	if (!*gate)
		return;
	keeper_stop(*gate);
	load_done(&(*gate)->conn);
	gate_events_close(*gate);
	gate_newcomers_close(*gate);
	table_free(&(*gate)->table);
	for (int i = 0; i < GATE_MAP_COUNT; i++) {
		if ((*gate)->map[i].memory)
			munmap((*gate)->map[i].memory, (*gate)->map[i].bytes);
		if ((*gate)->map[i].fd >= 0)
			close((*gate)->map[i].fd);
	}
	if ((*gate)->pin_lock >= 0)
		close((*gate)->pin_lock);
	pthread_mutex_destroy(&(*gate)->interface_lock);
	pthread_mutex_destroy(&(*gate)->cookies.lock);
	pthread_mutex_destroy(&(*gate)->learned.lock);
	pthread_mutex_destroy(&(*gate)->ending.lock);
	free(*gate);
	*gate = NULL;
}
