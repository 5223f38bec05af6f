/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/view.h - everything that can be counted, read at one moment.
 *
 * What is shown (stats, status, top, metrics) is made from a view, never from the gate directly, so
 * that its parts agree with one another and a test can bring its own. A view is some 35 KB: it
 * lives on the heap, and its owner frees it with view_close().
 */
#ifndef POSTERN_OBS_VIEW_H
#define POSTERN_OBS_VIEW_H

#include "gate/gate.h"
#include "gate/lists.h"

struct view {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	struct gate_counters counters;
	struct gate_sizes sizes;
	uint32_t connections; /* open now, in total */
	struct list_info list[LIST_SLOTS];
	size_t list_count;
	struct gate_interface interface[GATE_INTERFACES_MAX];
	size_t interface_count;
	struct gate_flood flood[FLOOD_PORTS]; /* of each protected port */
	size_t flood_count;
	struct gate_cookie_state cookies;
	bool keeper_up;
	char ending_why[ERROR_TEXT_MAX]; /* connections cannot be ended, or "" */
};

/* Reads everything; called from any thread. */
int view_open(struct gate *gate, struct lists *lists, struct view **out, struct error *err);
void view_close(struct view **view);

/* Sums of one STOP or PASS reason over both families. */
struct counter view_reason(const struct view *view, unsigned int reason, unsigned int outcome);

#endif
