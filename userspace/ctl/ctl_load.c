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

/* `refusal` is what clients that the list refuses are told, if any are. */
static json_t *loaded_json(struct gate *gate, const char *list, const struct load_result *loaded,
			   uint32_t ended)
{
	char refusal[REFUSAL_TEXT_MAX + 1];

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:I}", "list", list, "ipv4",
			 (json_int_t)loaded->ipv4, "ipv6", (json_int_t)loaded->ipv6, "merged",
			 (json_int_t)loaded->merged, "store_ms", (json_int_t)loaded->store_ms,
			 "table_ms", (json_int_t)loaded->table_ms, "refusal",
			 gate_refusal(gate, loaded->slot, refusal), "ended", (json_int_t)ended);
}

/* The list's own text for clients that are refused; without one it keeps the one that it has. */
static int read_reason(const struct ctl_request *request, struct list_change *change,
		       struct error *err)
{
	if (!arg_text(request, "reason"))
		return 0;
	if (change->kind == LIST_KIND_ALLOW)
		return error_set(err, ERROR_USAGE, "reason: an allow list refuses nobody");
	return arg_note(request, "reason", &change->refusal, err);
}

int ctl_list_load(struct ctl_request *request, struct error *err)
{
	const struct ctl_agent *agent = ctl_agent(request);
	char source[SOURCE_TEXT_MAX];
	struct list_change change = { 0 };
	struct payload_shape shape = { 0 };
	struct load_result loaded;
	struct entry_set set;
	uint32_t ended = 0;
	int failed;

	failed = read_shape(request, &shape, err);
	if (!failed)
		failed = arg_list_by_hand(request, &change.list, err);
	if (!failed)
		failed = arg_action(request, &change.action, err);
	if (!failed)
		failed = arg_note(request, "origin", &change.reason, err);
	change.kind = shape.kind;
	if (!failed)
		failed = read_reason(request, &change, err);
	if (!failed)
		failed = ensure_payload(request, err);
	if (!failed)
		failed = payload_parse(&shape, &request->payload, request->payload_size, &set, err);
	if (failed)
		return failed;
	change.source = arg_source(request, source);
	failed = lists_load(agent->lists, &change, &set, &loaded, err);
	entry_set_clear(&set);
	if (failed)
		return failed;
	if (change.kind == LIST_KIND_BLOCK)
		ended = ctl_end_listed(agent, NULL);
	request->result = loaded_json(agent->gate, change.list, &loaded, ended);
	return 0;
}
