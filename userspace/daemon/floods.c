/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/floods.c - see daemon/floods.h.
 */
#include "daemon/floods.h"

#include <jansson.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

#define LINGER_NS (3 * NS_A_SECOND) /* as long as the first SYN-ACK waits for its answer */

static const struct gate_flood *find_port(const struct flood_watch *watch, uint16_t port)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->seen[i].port == port)
			return &watch->seen[i];
	return NULL;
}

static void log_started(const struct gate_flood *flood)
{
	log_warning("flood.started", "{s:i, s:I}", "port", (int)flood->port, "syns_per_second",
		    (json_int_t)flood->rate);
}

/* `before` is the flood as it was seen last. */
static void log_ended(const struct gate_flood *flood, const struct gate_flood *before)
{
	const uint64_t begun = before->since_ns;

	log_info("flood.ended", "{s:i, s:I, s:I, s:I}", "port", (int)flood->port, "syns_per_second",
		 (json_int_t)flood->rate, "peak", (json_int_t)flood->peak, "seconds",
		 (json_int_t)(begun ? clock_seconds_since(begun) : 0));
}

void floods_look(struct flood_watch *watch, struct gate *gate)
{
	struct gate_flood flood[FLOOD_PORTS];
	const size_t count = gate_floods(gate, flood);

	for (size_t i = 0; i < count; i++) {
		const struct gate_flood *before = find_port(watch, flood[i].port);
		const bool was_active = before && before->active;

		if (flood[i].active && !was_active)
			log_started(&flood[i]);
		else if (!flood[i].active && was_active)
			log_ended(&flood[i], before);
		if (flood[i].active)
			watch->last_ns = clock_mono();
	}
	memcpy(watch->seen, flood, count * sizeof(*flood));
	watch->count = count;
}

bool floods_need_cookies(const struct flood_watch *watch)
{
	return watch->last_ns && clock_mono() - watch->last_ns < LINGER_NS;
}
