/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/stream.c - see loop/stream.h: the owner's side. Input, and the calls of the owner.
 *
 * The owner is called by stream_call() alone, which is called by stream_work() (and for the ends of
 * a connect and of a handshake), which is called from the loop alone. What happens inside of a call
 * is written down in flags, and stream_work() sees to them when the call has returned.
 */
#include <stdlib.h>
#include <string.h>

#include "loop/stream_internal.h"

void stream_call(struct stream *stream, void (*function)(struct stream *stream, void *arg))
{
	if (!function || stream->closing)
		return;
	stream->corks++;
	stream->calling = true;
	function(stream, stream->arg);
	stream->calling = false;
	stream->corks--;
	stream_flush(stream);
}

static void call_ended(struct stream *stream, void *arg)
{
	stream->owner->ended(stream, stream->end, arg);
}

static bool is_fatal(const struct stream *stream)
{
	return stream->end == STREAM_RESET || stream->end == STREAM_FAILED;
}

/* One call that is owed; false if there is none. The end comes after what came before it. */
static bool work_once(struct stream *stream)
{
	if (stream->closing || !stream->owner)
		return false;
	if (stream->connecting && stream->connecting->done) {
		stream_connect_done(stream);
	} else if (stream->again && !stream->paused && stream->input_size &&
		   !(stream->ending && is_fatal(stream))) {
		stream->again = false;
		stream_call(stream, stream->owner->readable);
	} else if (stream->owed && !stream_queued(stream)) {
		stream->owed = false;
		stream_call(stream, stream->owner->drained);
	} else if (stream->ending && (!stream->paused || is_fatal(stream))) {
		stream->ending = false;
		stream->ended = true;
		stream_call(stream, call_ended);
	} else {
		return false;
	}
	return true;
}

void stream_work(struct stream *stream)
{
	unsigned int rounds = 0;

	while (work_once(stream)) {
		if (++rounds == STREAM_ROUNDS_MAX) {
			stream_wake(stream);
			break;
		}
	}
	stream_want(stream);
}

/* Inside of a call there is no need: stream_work() looks again. */
void stream_wake(struct stream *stream)
{
	if (!stream->calling && !stream->closing && !stream->later)
		stream_schedule(stream, 0);
}

void stream_over(struct stream *stream, enum stream_end end)
{
	const bool fatal = end == STREAM_RESET || end == STREAM_FAILED;

	stream->over = true;
	if (fatal) {
		stream->broken = true;
		stream->owed = false;
		stream_output_free(stream);
	}
	if (stream->closing && fatal)
		stream_finish(stream, false);
	if (stream->ended || (stream->ending && !fatal))
		return;
	stream->ending = true;
	stream->end = (uint8_t)end;
}

void stream_fail(struct stream *stream, const char *why)
{
	if (!stream->error)
		stream->error = strdup(why);
	stream_over(stream, STREAM_FAILED);
}

const char *stream_error(const struct stream *stream)
{
	return stream->error ? stream->error : "";
}

/* Room behind what is kept, which is moved to the front. */
static bool keep_more(struct stream *stream, const uint8_t *data, size_t size)
{
	size_t need = stream->input_size + size;
	size_t capacity = stream->kept_capacity;
	uint8_t *grown;

	if (stream->input_size)
		memmove(stream->kept, stream->input, stream->input_size);
	if (!stream->kept || need > capacity) {
		capacity = capacity * 2 > need ? capacity * 2 : need;
		grown = realloc(stream->kept, capacity);
		if (!grown)
			return false;
		stream->kept = grown;
		stream->kept_capacity = (uint32_t)capacity;
	}
	memcpy(stream->kept + stream->input_size, data, size);
	stream->input = stream->kept;
	stream->input_size = (uint32_t)need;
	return true;
}

void stream_arrived(struct stream *stream, const uint8_t *data, size_t size)
{
	if (!size)
		return;
	stream->again = true;
	if (!stream->input_size) {
		stream->input = data;
		stream->input_size = (uint32_t)size;
	} else if (!keep_more(stream, data, size)) {
		stream_fail(stream, "out of memory");
	}
}

static void drop_input(struct stream *stream)
{
	free(stream->kept);
	stream->kept = NULL;
	stream->kept_capacity = 0;
	stream->input = NULL;
	stream->input_size = 0;
}

void stream_keep(struct stream *stream)
{
	const uint8_t *lent = stream->input;
	const uint32_t size = stream->input_size;

	if (!size || stream->closing) {
		drop_input(stream);
		return;
	}
	if (stream->kept)
		return;
	stream->input_size = 0;
	if (!keep_more(stream, lent, size)) {
		stream_fail(stream, "out of memory");
		stream_wake(stream);
	}
}

const uint8_t *stream_input(const struct stream *stream, size_t *size)
{
	*size = stream->input_size;
	return stream->input;
}

void stream_take(struct stream *stream, size_t size)
{
	if (size > stream->input_size)
		size = stream->input_size;
	stream->input += size;
	stream->input_size -= (uint32_t)size;
	if (!stream->input_size)
		drop_input(stream);
	if (!stream->calling)
		stream_want(stream);
}

void stream_pause(struct stream *stream)
{
	stream->paused = true;
	if (!stream->calling)
		stream_want(stream);
}

void stream_resume(struct stream *stream)
{
	if (!stream->paused)
		return;
	stream->paused = false;
	stream->again = stream->input_size > 0;
	if (stream->again || stream->ending)
		stream_wake(stream);
	if (!stream->calling)
		stream_want(stream);
}

void stream_give(struct stream *stream, const struct stream_owner *owner, void *arg)
{
	stream->owner = owner;
	stream->arg = arg;
	stream->again = stream->input_size > 0;
	if (stream->again || stream->ending)
		stream_wake(stream);
	if (!stream->calling)
		stream_want(stream);
}

void stream_close(struct stream **stream)
{
	struct stream *closing = *stream;

	if (!closing)
		return;
	*stream = NULL;
	if (!closing->calling)
		drop_input(closing);
	closing->closing = true;
	if (closing->broken || closing->connecting || !stream_schedule_end(closing)) {
		stream_finish(closing, false);
		return;
	}
	stream_crypt_close(closing);
	stream_push(closing);
	if (!closing->closed && !stream_queued(closing))
		stream_half_close(closing);
}

void stream_abort(struct stream **stream)
{
	struct stream *aborted = *stream;

	if (!aborted)
		return;
	*stream = NULL;
	aborted->closing = true;
	stream_finish(aborted, true);
}
