/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/frame.c - see ctl/frame.h. One buffer for lines, one that grows for the payload.
 */
#include "ctl/frame.h"

#include <stdlib.h>
#include <string.h>

int frame_open(struct frame *frame, struct error *err)
{
	char *line = malloc(FRAME_LINE_MAX);

	if (!line)
		return error_set(err, ERROR_REFUSED, "out of memory");
	memset(frame, 0, sizeof(*frame));
	frame->line = line;
	return 0;
}

void frame_close(struct frame *frame)
{
	free(frame->line);
	free(frame->payload);
	memset(frame, 0, sizeof(*frame));
}

/* Forget the line that was handed out; what followed it moves to the front. */
static void drop_taken(struct frame *frame)
{
	if (!frame->taken)
		return;
	frame->used -= frame->taken;
	memmove(frame->line, frame->line + frame->taken, frame->used);
	frame->taken = 0;
	frame->scanned = 0;
}

/* Room for at least one more byte of payload: doubles what is held, up to `expected`. */
static bool grow_payload(struct frame *frame, size_t expected)
{
	size_t size = frame->held ? frame->held * 2 : FRAME_READ_MAX;
	char *grown;

	if (size > expected)
		size = expected;
	grown = realloc(frame->payload, size);
	if (!grown)
		return false;
	frame->payload = grown;
	frame->held = size;
	return true;
}

char *frame_space(struct frame *frame, size_t *size)
{
	size_t left = frame->expected - frame->arrived;

	drop_taken(frame);
	if (!frame->expected) {
		*size = FRAME_LINE_MAX - frame->used;
		return frame->line + frame->used;
	}
	/* The line buffer is empty while a payload is incomplete: frame_expect() has drained it. */
	if (frame->discard) {
		*size = left < FRAME_LINE_MAX ? left : FRAME_LINE_MAX;
		return frame->line;
	}
	if (frame->arrived == frame->held && left && !grow_payload(frame, frame->expected)) {
		*size = 0;
		return frame->line;
	}
	left = frame->held - frame->arrived;
	*size = left < FRAME_READ_MAX ? left : FRAME_READ_MAX;
	return frame->payload + frame->arrived;
}

void frame_filled(struct frame *frame, size_t count)
{
	if (frame->expected)
		frame->arrived += count;
	else
		frame->used += count;
}

enum frame_part frame_next(struct frame *frame, char **text, size_t *len)
{
	char *newline;

	if (frame->expected)
		return frame->arrived == frame->expected ? FRAME_PAYLOAD : FRAME_NOTHING;
	drop_taken(frame);
	newline = memchr(frame->line + frame->scanned, '\n', frame->used - frame->scanned);
	if (!newline) {
		frame->scanned = frame->used;
		return frame->used == FRAME_LINE_MAX ? FRAME_TOO_LONG : FRAME_NOTHING;
	}
	*newline = '\0';
	*text = frame->line;
	*len = (size_t)(newline - frame->line);
	frame->taken = *len + 1;
	return FRAME_LINE;
}

int frame_expect(struct frame *frame, size_t size, bool discard, struct error *err)
{
	size_t count;

	_Static_assert(FRAME_READ_MAX >= FRAME_LINE_MAX, "one growth holds all that is buffered");
	if (!discard && !grow_payload(frame, size))
		return error_set(err, ERROR_REFUSED, "out of memory");
	drop_taken(frame);
	/* What of the payload came in the same read as its line. */
	count = frame->used < size ? frame->used : size;
	if (!discard && count)
		memcpy(frame->payload, frame->line, count);
	frame->used -= count;
	memmove(frame->line, frame->line + count, frame->used);
	frame->expected = size;
	frame->arrived = count;
	frame->discard = discard;
	return 0;
}

char *frame_take_payload(struct frame *frame)
{
	char *payload = frame->payload;

	frame->payload = NULL;
	frame->held = 0;
	frame->expected = 0;
	frame->arrived = 0;
	frame->discard = false;
	return payload;
}

bool frame_is_partial(const struct frame *frame)
{
	return frame->expected || frame->used > frame->taken;
}
