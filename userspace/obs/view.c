/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/view.c - see obs/view.h.
 */
#include "obs/view.h"

#include <stdlib.h>

#include "gate/sockets.h"
#include "lib/clock.h"

static int fill(struct gate *gate, struct lists *lists, struct view *view, struct error *err)
{
	const struct addr nobody = { 0 };
	struct gate_meter total;
	int count;

	view->time_ns = clock_mono();
	count = gate_counters(gate, &view->counters, err);
	if (!count)
		count = lists_all(lists, view->list, err);
	if (count < 0)
		return count;
	view->list_count = (size_t)count;
	gate_sizes(gate, &view->sizes);
	view->interface_count = gate_interfaces(gate, view->interface);
	view->flood_count = gate_floods(gate, view->flood);
	gate_cookie_state(gate, &view->cookies);
	view->keeper_up = gate_keeper_up(gate);
	gate_ending_why_not(gate, view->ending_why);
	/* At this level there is one meter, whatever the address. */
	gate_meter(gate, &nobody, METER_TOTAL, &total);
	view->connections = total.conns;
	return 0;
}

int view_open(struct gate *gate, struct lists *lists, struct view **out, struct error *err)
{
	struct view *view = calloc(1, sizeof(*view));
	int failed;

	if (!view)
		return error_set(err, ERROR_REFUSED, "out of memory");
	failed = fill(gate, lists, view, err);
	if (failed) {
		view_close(&view);
		return failed;
	}
	*out = view;
	return 0;
}

void view_close(struct view **view)
{
	free(*view);
	*view = NULL;
}

struct counter view_reason(const struct view *view, unsigned int reason, unsigned int outcome)
{
	struct counter sum = { 0 };

	for (unsigned int family = 0; family < FAMILY_COUNT; family++) {
		const struct counter *one =
			&view->counters.reason[reason_index(reason, family, outcome)];

		sum.packets += one->packets;
		sum.bytes += one->bytes;
	}
	return sum;
}
