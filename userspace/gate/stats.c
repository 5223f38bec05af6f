/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/stats.c - counters, offenders, meters and sizes, read from the kernel's maps without
 * privileges.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "gate/internal.h"
#include "lib/clock.h"

/* Adds up the values of all CPUs of one element; `words` are the 64-bit words of a value. */
static int sum_cpus(int fd, uint32_t key, uint64_t *values, uint32_t cpus, size_t words,
		    uint64_t *out)
{
	if (bpf_map_lookup_elem(fd, &key, values))
		return -errno;
	for (size_t word = 0; word < words; word++) {
		out[word] = 0;
		for (uint32_t cpu = 0; cpu < cpus; cpu++)
			out[word] += values[cpu * words + word];
	}
	return 0;
}

static int sum_map(const struct gate *gate, enum gate_map which, uint32_t elements, size_t words,
		   uint64_t *out, struct error *err)
{
	uint64_t *values = calloc(gate->cpus * words, sizeof(*values));
	int result = values ? 0 : -ENOMEM;

	for (uint32_t key = 0; key < elements && !result; key++)
		result = sum_cpus(gate->map[which].fd, key, values, gate->cpus, words,
				  out + key * words);
	free(values);
	return result ? error_errno(err, ERROR_REFUSED, -result, "cannot read the counters") : 0;
}

int gate_counters(struct gate *gate, struct gate_counters *out, struct error *err)
{
	const size_t words = sizeof(struct counter) / sizeof(uint64_t);
	struct gate_counters read;

	if (sum_map(gate, GATE_MAP_reasons, REASON_COUNTERS, words, (uint64_t *)read.reason, err) ||
	    sum_map(gate, GATE_MAP_lists, LIST_COUNTERS, words, (uint64_t *)read.list, err) ||
	    sum_map(gate, GATE_MAP_health, HEALTH_COUNT, 1, read.health, err))
		return ERROR_REFUSED;
	*out = read;
	return 0;
}

/* Puts one offender into the sorted `out` of at most `max`. */
static size_t insert_sorted(struct offender *out, size_t count, size_t max,
			    const struct offender *cell)
{
	size_t at = count;

	while (at > 0 && out[at - 1].hits < cell->hits)
		at--;
	if (at == max)
		return count;
	if (count < max)
		count++;
	memmove(&out[at + 1], &out[at], (count - at - 1) * sizeof(*out));
	out[at] = *cell;
	return count;
}

size_t gate_offenders(struct gate *gate, struct offender *out, size_t max)
{
	const struct offender_line *line = gate->map[GATE_MAP_offenders].memory;
	size_t count = 0;

	for (uint32_t i = 0; i < OFFENDER_LINES; i++)
		for (int way = 0; way < OFFENDER_WAYS; way++)
			if (line[i].cell[way].last_ns)
				count = insert_sorted(out, count, max, &line[i].cell[way]);
	return count;
}

int gate_offender_find(struct gate *gate, const struct addr *addr, struct offender *out)
{
	const uint64_t hash = mix64(mix64(addr_high(addr)) ^ addr_low(addr));
	const struct offender_line *line = gate->map[GATE_MAP_offenders].memory;

	line += hash & (OFFENDER_LINES - 1);
	for (int way = 0; way < OFFENDER_WAYS; way++) {
		const struct offender *cell = &line->cell[way];

		if (cell->last_ns && !memcmp(cell->source, addr, sizeof(*addr))) {
			*out = *cell;
			return 1;
		}
	}
	return 0;
}

static struct prefix level_prefix(const struct addr *addr, enum meter_level level)
{
	static const uint8_t length4[] = { 128, 120, 120 }, length6[] = { 128, 64, 48 };

	return prefix_of(addr, addr_is_ipv4(addr) ? length4[level] : length6[level]);
}

static const struct meter_cell *find_cell(const struct gate *gate, const struct addr *addr,
					  enum meter_level level)
{
	const struct prefix at = level_prefix(addr, level);
	const struct meter_line *line = gate->map[GATE_MAP_meter].memory;
	const uint64_t hash = meter_hash(addr_high(&at.addr), addr_low(&at.addr), level,
					 gate_kernel_settings(gate)->secret);

	line += meter_line_index(hash, gate->identity.geometry.meter_bits);
	for (int way = 0; way < METER_WAYS; way++)
		if (line->cell[way].tag == meter_tag(hash))
			return &line->cell[way];
	return NULL;
}

void gate_meter(struct gate *gate, const struct addr *addr, enum meter_level level,
		struct gate_meter *out)
{
	const __u64 *configured = &gate_kernel_settings(gate)->limit[level].interval_ns;
	const uint64_t interval = __atomic_load_n(configured, __ATOMIC_RELAXED);
	const struct meter_line *total = gate->map[GATE_MAP_total].memory;
	const uint64_t now = clock_mono();
	const struct meter_cell *cell = NULL;

	memset(out, 0, sizeof(*out));
	if (level == METER_TOTAL)
		cell = &total->cell[0];
	else if (level != METER_SITE || !addr_is_ipv4(addr))
		cell = find_cell(gate, addr, level);
	if (!cell)
		return;
	out->known = true;
	out->conns = cell->conns;
	if (interval && cell->tat > now)
		out->used = (uint32_t)((cell->tat - now + interval - 1) / interval);
}

bool gate_proved(struct gate *gate, const struct addr *addr, uint32_t *seconds)
{
	const bool ipv4 = addr_is_ipv4(addr);
	const uint64_t hash =
		meter_hash(addr_high(addr), ipv4 ? addr_low(addr) : 0,
			   ipv4 ? METER_SOURCE : METER_NET, gate_kernel_settings(gate)->secret);
	const struct proved_line *line = gate->map[GATE_MAP_proved].memory;
	const uint64_t now = clock_mono() >> PROVED_SHIFT;

	line += hash & (PROVED_LINES - 1);
	for (int way = 0; way < PROVED_WAYS; way++) {
		const struct proved_cell *cell = &line->cell[way];

		if (cell->tag != meter_tag(hash) || cell->until <= now)
			continue;
		*seconds = (uint32_t)(((cell->until - now) << PROVED_SHIFT) / NS_A_SECOND);
		return true;
	}
	return false;
}

char *gate_refusal(struct gate *gate, uint32_t slot, char out[REFUSAL_TEXT_MAX + 1])
{
	const struct refusal *refusal = gate->map[GATE_MAP_refusal].memory;
	uint32_t length = 0;

	if (slot < LIST_SLOTS)
		length = __atomic_load_n(&refusal[slot].length, __ATOMIC_ACQUIRE);
	if (length > REFUSAL_TEXT_MAX)
		length = 0;
	memcpy(out, refusal[slot < LIST_SLOTS ? slot : 0].text, length);
	out[length] = '\0';
	return out;
}

void gate_sizes(struct gate *gate, struct gate_sizes *out)
{
	const struct table_use use = table_use(gate->table);

	*out = (struct gate_sizes){
		.entries4 = use.entries4,
		.entries6 = use.entries6,
		.capacity4 = gate->geometry.capacity4,
		.capacity6 = gate->geometry.capacity6,
		.pages = use.pages,
		.page_capacity = gate->geometry.page_lines,
		.meter_cells = (uint64_t)METER_WAYS << gate->identity.geometry.meter_bits,
		.offender_cells = (uint64_t)OFFENDER_LINES * OFFENDER_WAYS,
		.bytes = gate->map_bytes,
		.rebuilds = __atomic_load_n(&gate->rebuilds, __ATOMIC_RELAXED),
		.rebuild_ms = __atomic_load_n(&gate->rebuild_ms, __ATOMIC_RELAXED),
	};
}
