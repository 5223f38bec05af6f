/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/events.h - what the program told about single packets: into the log, and kept for `why ID`.
 *
 * The daemon feeds it from the ring buffer on the loop's thread; `why` and the metrics ask it from
 * theirs, so everything is behind one lock that is held for a copy only.
 *
 * Limits: the last EVENTS_KEPT events are kept. The kernel already budgets what it tells in detail,
 * but beyond the budget it still tells of one packet in EVENT_SAMPLE, which a flood makes many: so
 * the lines that are logged have a budget of their own, of the same size, and the rest is only
 * kept.
 */
#ifndef POSTERN_OBS_EVENTS_H
#define POSTERN_OBS_EVENTS_H

#include <jansson.h>
#include <net/if.h>

#include "maps/event.h"
#include "store/store.h"

#define EVENTS_KEPT 4096

/* An event with the names that its numbers had when it happened. */
struct event_record {
	struct event event;
	uint32_t time; /* seconds since 1970 */
	char iface[IF_NAMESIZE];
	char list[LIST_NAME_MAX + 1]; /* "" if no list is concerned */
};

struct event_log;

int event_log_open(struct event_log **out, struct error *err);
void event_log_close(struct event_log **log);

/* At most so many lines a second are logged; 0 logs none. */
void event_log_set_rate(struct event_log *log, unsigned int lines);
/* Called `times` a second: makes room for the next lines. */
void event_log_refill(struct event_log *log, unsigned int times);

/* `lists` are those that exist now; `iface` is the interface's name, or "". */
void event_log_add(struct event_log *log, const struct event *event, const char *iface,
		   const struct list_info *lists, size_t list_count);

/* Copies the event that has the id; false if it is not among those that are kept. */
bool event_log_find(struct event_log *log, uint64_t id, struct event_record *out);

/* Events that were kept and not logged. */
uint64_t event_log_unlogged(struct event_log *log);

/* What `why ID` shows of an event: a new reference, or NULL. */
json_t *event_json(const struct event_record *record);

#endif
