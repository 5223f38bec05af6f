/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/flood.h - counts the connection attempts to each protected port, and says when there are so
 * many that a source must prove its address first: see maps/flood.h.
 *
 * The program decides it alone, so that the defence stands within a window of the flood's first
 * packet, and without the agent. A CPU counts for itself and adds to the port's line once a batch.
 */
#ifndef POSTERN_BPF_FLOOD_H
#define POSTERN_BPF_FLOOD_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/proved.h"

STAGE void flood_switch(struct flood_port *port, __u32 active, __u64 now)
{
	if (__sync_val_compare_and_swap(&port->active, !active, active) != !active)
		return; /* another CPU was faster */
	port->since = now;
	port->quiet = 0;
	if (active) {
		port->peak = 0;
		__sync_fetch_and_add(&port->floods, 1);
	}
}

/* Closes the port's window: called by the one CPU that opened the next. */
STAGE void flood_close(const struct flood_settings *f, struct flood_port *port, __u64 passed,
		       __u64 now)
{
	const __u32 count = port->count;

	__sync_fetch_and_add(&port->count, -count);
	port->last = passed == 1 ? count : 0;
	if (!port->active)
		return;
	if (count > port->peak)
		port->peak = count;
	if (count > f->release)
		port->quiet = 0;
	else
		port->quiet += 1;
	/* Windows in which nothing came at all were quiet, too. */
	if (port->quiet >= f->quiet || passed > f->quiet)
		flood_switch(port, 0, now);
}

/* Adds a CPU's attempts to the window that is current. */
STAGE void flood_add(const struct flood_settings *f, struct flood_port *port, __u32 count,
		     __u64 window, __u64 now)
{
	const __u64 before = port->window;

	if (before < window && __sync_val_compare_and_swap(&port->window, before, window) == before)
		flood_close(f, port, window - before, now);
	count += __sync_fetch_and_add(&port->count, count);
	if (count > f->threshold && !port->active)
		flood_switch(port, 1, now);
}

/* Counts an attempt; returns whether a flood is on at its port. */
STAGE_APART int flood_count(__u32 number, __u64 now)
{
	const struct settings *s = settings_get();
	struct flood_port *port = bpf_map_lookup_elem(&flood, &number);
	struct flood_cpu *own = bpf_map_lookup_elem(&flood_cpu, &number);
	const __u64 window = now >> FLOOD_WINDOW_SHIFT;
	__u32 pending;

	if (!s || !port || !own)
		return 0;
	pending = own->pending + 1;
	if (pending >= s->flood.batch || own->window != window) {
		own->window = window;
		flood_add(&s->flood, port, pending, window, now);
		pending = 0;
	}
	own->pending = pending;
	return port->active;
}

STAGE __u32 flood_number(const struct settings *s, const struct packet *p)
{
	return s->port[p->dest_port] - 1u;
}

/* Whether a flood is on at the packet's port. */
STAGE int flood_is_on(const struct settings *s, const struct packet *p)
{
	const __u32 number = flood_number(s, p);
	const struct flood_port *port = bpf_map_lookup_elem(&flood, &number);

	return s->flood.threshold && port && port->active;
}

/* Counts an attempt during a flood; returns whether its source has to prove itself. */
STAGE int flood_doubts(const struct settings *s, const struct packet *p)
{
	return flood_count(flood_number(s, p), p->now) && !is_proved(&p->source, p->family, p->now);
}

/* Counts an attempt while there is none, after what the limits said. */
STAGE void flood_watch(const struct settings *s, const struct packet *p, int reason)
{
	if (s->flood.threshold &&
	    (reason == UNDECIDED || reason == REASON_RATE_TOTAL || reason == REASON_CONN_TOTAL))
		flood_count(flood_number(s, p), p->now);
}

#endif
