/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_load.c - list.load: replaces a whole list by the entries of the payload, atomically.
 *
 * Nothing is changed before the last record has been checked (ctl/payload.h).
 */
#include <stdlib.h>

#include "ctl/agent.h"
#include "ctl/args.h"
#include "ctl/payload.h"

static int read_shape(const struct ctl_request *request, struct payload_shape *out,
		      struct error *err)
{
	out->entries = arg_number(request, "entries", 0);
	out->notes = arg_number(request, "notes", 0);
	out->notes_size = arg_number(request, "notes_size", 0);
	return arg_kind(request, &out->kind, err);
}

/* An empty list has no payload, but a set has memory. */
static int ensure_payload(struct ctl_request *request, struct error *err)
{
	if (!request->payload)
		request->payload = malloc(sizeof(struct entry));
	return request->payload ? 0 : error_set(err, ERROR_REFUSED, "out of memory");
}

static json_t *loaded_json(const char *list, const struct load_result *loaded)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "list", list, "ipv4",
			 (json_int_t)loaded->ipv4, "ipv6", (json_int_t)loaded->ipv6, "merged",
			 (json_int_t)loaded->merged, "store_ms", (json_int_t)loaded->store_ms,
			 "table_ms", (json_int_t)loaded->table_ms);
}

int ctl_list_load(struct ctl_request *request, struct error *err)
{
	char source[SOURCE_TEXT_MAX];
	struct list_change change = { 0 };
	struct payload_shape shape;
	struct load_result loaded;
	struct entry_set set;
	int failed;

	failed = read_shape(request, &shape, err);
	if (!failed)
		failed = arg_list(request, &change.list, err);
	if (!failed)
		failed = arg_action(request, &change.action, err);
	if (!failed)
		failed = arg_note(request, "origin", &change.reason, err);
	if (!failed)
		failed = ensure_payload(request, err);
	if (!failed)
		failed = payload_parse(&shape, &request->payload, request->payload_size, &set, err);
	if (failed)
		return failed;
	change.kind = shape.kind;
	change.source = arg_source(request, source);
	failed = lists_load(ctl_agent(request)->lists, &change, &set, &loaded, err);
	entry_set_clear(&set);
	if (!failed)
		request->result = loaded_json(change.list, &loaded);
	return failed;
}
