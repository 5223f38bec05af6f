/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/counters.c - the counters of one list, when its slot goes to another: for
 * gate/lists_change.c. Reading them is gate/stats.c. Needs no privileges.
 */
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "gate/internal.h"
#include "lib/log.h"

void counters_clear_list(struct gate *gate, uint32_t slot)
{
	const int fd = gate->map[GATE_MAP_lists].fd;
	struct counter *none = calloc(gate->cpus, sizeof(*none));
	const uint32_t first = list_index(slot, 0, 0);
	int failed = none ? 0 : ENOMEM;

	for (uint32_t i = 0; i < FAMILY_COUNT * OUTCOME_COUNT && !failed; i++) {
		const uint32_t key = first + i;

		if (bpf_map_update_elem(fd, &key, none, BPF_ANY))
			failed = errno;
	}
	free(none);
	if (failed)
		log_warning("list.counters-stay", "{s:i, s:i}", "slot", (int)slot, "errno", failed);
}
