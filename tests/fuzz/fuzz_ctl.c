/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/fuzz/fuzz_ctl.c - whatever a peer writes to the control socket.
 *
 * The first byte of the input says in how large pieces the rest arrives. It goes through the
 * framing, the request parser with the agent's own table, and, for list.load, the check of the
 * payload; no handler runs. What comes out must keep what handlers rely on: this aborts where it
 * does not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/frame.h"
#include "ctl/payload.h"
#include "ctl/request.h"
#include "maps/action.h"

#define PAYLOAD_TRIED_MAX (1u << 20) /* larger announcements are not worth waiting for */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
	struct frame frame;
	struct ctl_request request;
	bool refused; /* the request, whose payload is read all the same */
	bool lost;
};

static void demand(bool kept)
{
	if (!kept)
		abort();
}

static void check_note(const char *text)
{
	demand(strlen(text) <= NOTE_TEXT_MAX && !strpbrk(text, "\n\r\t\x1b"));
}

static void check_set(const struct entry_set *set, enum list_kind kind)
{
	const char *note = set->notes;

	for (uint32_t i = 0; i < set->note_count; i++, note += strlen(note) + 1) {
		demand(note < set->notes + set->notes_size);
		check_note(note);
	}
	for (size_t i = 0; i < set->count; i++) {
		const struct entry *entry = &set->entry[i];
		struct prefix whole;

		demand(entry->prefix.len <= 128 && entry->note <= set->note_count);
		demand(entry->action < ACTION_COUNT);
		demand(kind == LIST_KIND_BLOCK || entry->action == ACTION_DROP);
		whole = prefix_of(&entry->prefix.addr, entry->prefix.len);
		demand(!prefix_compare(&whole, &entry->prefix));
	}
}

/* What the handler of list.load does before it changes anything. */
static void check_load(struct peer *peer)
{
	struct ctl_request *request = &peer->request;
	struct payload_shape shape = { .entries = arg_number(request, "entries", 0),
				       .notes = arg_number(request, "notes", 0),
				       .notes_size = arg_number(request, "notes_size", 0) };
	struct entry_set set;
	struct error err;

	if (!request->payload || arg_kind(request, &shape.kind, &err))
		return;
	if (payload_parse(&shape, &request->payload, request->payload_size, &set, &err))
		return;
	check_set(&set, shape.kind);
	entry_set_clear(&set);
}

/* The arguments that take a meaning from their text. */
static void check_arguments(const struct peer *peer)
{
	const struct ctl_request *request = &peer->request;
	struct prefix prefix;
	enum action action;
	const char *text;
	struct error err;

	if (!arg_action(request, &action, &err))
		demand(action == ACTION_DROP || action == ACTION_RESET);
	if (!arg_note(request, "reason", &text, &err))
		check_note(text);
	if (!arg_list(request, &text, &err) && text)
		demand(strlen(text) <= LIST_NAME_MAX);
	if (arg_text(request, "prefix") && !arg_prefix(request, &prefix, &err))
		demand(prefix.len <= 128);
}

/* An error is one line of JSON, whatever it quotes. */
static void check_answer(const struct error *err)
{
	char *answer = ctl_answer_error(err);
	json_t *parsed;

	demand(answer && strchr(answer, '\n') == answer + strlen(answer) - 1);
	parsed = json_loads(answer, 0, NULL);
	demand(json_is_string(json_object_get(parsed, "error")));
	json_decref(parsed);
	free(answer);
}

static void take_line(struct peer *peer, const char *line, size_t len)
{
	struct ctl_sequel sequel;
	struct error err = { 0 };

	peer->refused =
		ctl_request_parse(&ctl_commands, line, len, &peer->request, &sequel, &err) != 0;
	demand(peer->refused == (err.code != 0));
	if (peer->refused)
		check_answer(&err);
	else
		check_arguments(peer);
	peer->lost = sequel.lost || sequel.payload > PAYLOAD_TRIED_MAX;
	if (!peer->lost && sequel.payload)
		peer->lost = frame_expect(&peer->frame, sequel.payload, peer->refused, &err) != 0;
	else
		ctl_request_clear(&peer->request);
}

static void take_payload(struct peer *peer)
{
	peer->request.payload_size = peer->frame.arrived;
	peer->request.payload = frame_take_payload(&peer->frame);
	demand(peer->refused == !peer->request.payload);
	if (!peer->refused)
		check_load(peer);
	ctl_request_clear(&peer->request);
}

static void take_what_is_there(struct peer *peer)
{
	enum frame_part part;
	char *line;
	size_t len;

	while (!peer->lost && (part = frame_next(&peer->frame, &line, &len)) != FRAME_NOTHING) {
		if (part == FRAME_LINE)
			take_line(peer, line, len);
		else if (part == FRAME_PAYLOAD)
			take_payload(peer);
		else
			peer->lost = true;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer peer = { 0 };
	size_t chunk, room, count;
	char *space;

	if (!size || frame_open(&peer.frame, NULL))
		return 0;
	chunk = data[0] + 1u;
	for (size_t at = 1; at < size && !peer.lost; at += count) {
		space = frame_space(&peer.frame, &room);
		demand(room > 0);
		count = size - at < chunk ? size - at : chunk;
		count = count < room ? count : room;
		memcpy(space, data + at, count);
		frame_filled(&peer.frame, count);
		take_what_is_there(&peer);
	}
	ctl_request_clear(&peer.request);
	frame_close(&peer.frame);
	return 0;
}
