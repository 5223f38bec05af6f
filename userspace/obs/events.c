/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/events.c - see obs/events.h. The ring is an array that is written round and round.
 */
#include "obs/events.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/lookup.h"
#include "obs/names.h"

struct event_log {
	pthread_mutex_t lock;
	unsigned int rate;
	unsigned int room; /* lines that may still be logged before the next refill */
	unsigned int rest; /* what refills have rounded down so far, in parts of `times` */
	uint64_t unlogged;
	uint64_t written; /* events ever added: the next one goes to written % EVENTS_KEPT */
	struct event_record kept[EVENTS_KEPT];
};

int event_log_open(struct event_log **out, struct error *err)
{
	struct event_log *log = calloc(1, sizeof(*log));

	if (!log)
		return error_set(err, ERROR_REFUSED, "out of memory");
	pthread_mutex_init(&log->lock, NULL);
	*out = log;
	return 0;
}

void event_log_close(struct event_log **log)
{
	if (!*log)
		return;
	pthread_mutex_destroy(&(*log)->lock);
	free(*log);
	*log = NULL;
}

void event_log_set_rate(struct event_log *log, unsigned int lines)
{
	pthread_mutex_lock(&log->lock);
	log->rate = lines;
	log->rest = 0;
	pthread_mutex_unlock(&log->lock);
}

void event_log_refill(struct event_log *log, unsigned int times)
{
	uint64_t due;

	pthread_mutex_lock(&log->lock);
	due = (uint64_t)log->rate + log->rest;
	log->room = (unsigned int)(due / times);
	log->rest = (unsigned int)(due % times);
	pthread_mutex_unlock(&log->lock);
}

/* The program's clock is monotonic; people want the time of day. */
static uint32_t wall_time(uint64_t id)
{
	uint32_t then;

	return lookup_id_wall(id, &then) ? then : clock_wall();
}

static void describe(const struct event *event, const char *iface, const struct list_info *lists,
		     size_t list_count, struct event_record *out)
{
	const struct list_info *list = NULL;

	memset(out, 0, sizeof(*out));
	out->event = *event;
	out->time = wall_time(event->id);
	text_clean(out->iface, sizeof(out->iface), iface, strlen(iface));
	if (event->list_class != CLASS_NONE)
		list = list_by_slot(lists, list_count, class_slot(event->list_class),
				    lookup_id_time(event->id));
	if (list)
		memcpy(out->list, list->name, sizeof(out->list));
}

static char *address_text(const __u8 address[16], char out[PREFIX_TEXT_MAX])
{
	struct addr addr;

	memcpy(addr.byte, address, sizeof(addr.byte));
	return addr_format(&addr, out);
}

/* The action is of the list's entry: without a list there is none. */
static const char *action_text(const struct event *event)
{
	if (event->reason == REASON_LISTED)
		return action_name(event->action);
	return event->reason == REASON_HELD ? action_name(class_action(event->list_class)) : "";
}

static void log_record(const struct event_record *record)
{
	const struct event *event = &record->event;
	char id[LOOKUP_ID_CHARS + 1], source[PREFIX_TEXT_MAX], dest[PREFIX_TEXT_MAX];

	log_info("connection.stopped",
		 "{s:s, s:s, s:i, s:s, s:i, s:s, s:i, s:s, s:s, s:s, s:s, s:b, s:I}", "id",
		 lookup_id_format(event->id, id), "source", address_text(event->source, source),
		 "source_port", (int)event->source_port, "dest", address_text(event->dest, dest),
		 "dest_port", (int)event->dest_port, "interface", record->iface, "vlan",
		 (int)event->vlan, "reason", reason_name(event->reason), "outcome",
		 outcome_name(event->outcome), "list", record->list, "action", action_text(event),
		 "told", (int)(event->told != 0), "weight", (json_int_t)event->weight);
}

void event_log_add(struct event_log *log, const struct event *event, const char *iface,
		   const struct list_info *lists, size_t list_count)
{
	struct event_record record;
	bool room;

	describe(event, iface, lists, list_count, &record);
	pthread_mutex_lock(&log->lock);
	log->kept[log->written++ % EVENTS_KEPT] = record;
	room = log->room > 0;
	if (room)
		log->room--;
	else
		log->unlogged++;
	pthread_mutex_unlock(&log->lock);
	if (room)
		log_record(&record);
}

bool event_log_find(struct event_log *log, uint64_t id, struct event_record *out)
{
	uint64_t kept, at;
	bool found = false;

	pthread_mutex_lock(&log->lock);
	kept = log->written < EVENTS_KEPT ? log->written : EVENTS_KEPT;
	for (uint64_t back = 1; back <= kept && !found; back++) {
		at = (log->written - back) % EVENTS_KEPT;
		found = log->kept[at].event.id == id;
		if (found)
			*out = log->kept[at];
	}
	pthread_mutex_unlock(&log->lock);
	return found;
}

uint64_t event_log_unlogged(struct event_log *log)
{
	uint64_t unlogged;

	pthread_mutex_lock(&log->lock);
	unlogged = log->unlogged;
	pthread_mutex_unlock(&log->lock);
	return unlogged;
}

json_t *event_json(const struct event_record *record)
{
	const struct event *event = &record->event;
	char source[PREFIX_TEXT_MAX], dest[PREFIX_TEXT_MAX];

	return json_pack(
		"{s:I, s:s, s:s, s:i, s:i, s:s, s:i, s:s, s:s, s:s, s:s, s:b, s:I}", "time",
		(json_int_t)record->time, "source", address_text(event->source, source), "dest",
		address_text(event->dest, dest), "source_port", (int)event->source_port,
		"dest_port", (int)event->dest_port, "iface", record->iface, "vlan",
		(int)event->vlan, "reason", reason_name(event->reason), "outcome",
		outcome_name(event->outcome), "list", record->list, "action", action_text(event),
		"told", (int)(event->told != 0), "weight", (json_int_t)event->weight);
}
