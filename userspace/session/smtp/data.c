/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/data.c - see session/smtp/data.h.
 *
 * A machine with a state for each thing that a line can have begun with or be in the middle of.
 * What lies between CRs and LFs is looked at by memchr() only and handed on in one piece.
 */
#include "session/smtp/data.h"

#include <string.h>

enum state {
	LINE_START,
	DOT,    /* a dot stands first */
	DOT_CR, /* and a CR after it */
	INSIDE, /* of a line */
	CR,     /* after a CR, which has not been handed on yet */
};

/* Of a line that begins with NULs. One that begins with a dot gets another one on its way. */
enum nuls {
	NULS_EMPTY, /* there is nothing yet */
	NULS_ALONE,
	NULS_DOT,   /* NULs, one dot, and maybe NULs again */
	NULS_OTHER, /* something else is in it */
};

void data_begin(struct smtp_data *data, bool chunked)
{
	*data = (struct smtp_data){ .state = LINE_START, .chunked = chunked };
}

static void fault(struct smtp_data *data, enum data_fault what)
{
	if (data->fault == DATA_FINE)
		data->fault = (uint8_t)what;
}

struct output {
	data_sink sink;
	void *arg;
};

static void give(struct smtp_data *data, const struct output *out, const void *piece, size_t size)
{
	if (size && data->fault == DATA_FINE)
		out->sink(piece, size, out->arg);
}

static enum nuls next_nuls(enum nuls nuls, uint8_t octet)
{
	if (octet == '\0')
		return nuls == NULS_EMPTY ? NULS_ALONE : nuls;
	return octet == '.' && nuls == NULS_ALONE ? NULS_DOT : NULS_OTHER;
}

/* Looks no further than the first octet that is neither. */
static void look_for_nuls(struct smtp_data *data, const uint8_t *plain, size_t size)
{
	for (size_t i = 0; i < size && data->nuls != NULS_OTHER; i++)
		data->nuls = (uint8_t)next_nuls((enum nuls)data->nuls, plain[i]);
}

static void end_line(struct smtp_data *data)
{
	if (data->nuls == NULS_DOT)
		fault(data, DATA_DOT);
}

/* Octets up to the next CR or LF. */
static size_t plain_octets(const uint8_t *input, size_t size)
{
	const uint8_t *lf = memchr(input, '\n', size);
	const size_t before = lf ? (size_t)(lf - input) : size;
	const uint8_t *cr = memchr(input, '\r', before);

	return cr ? (size_t)(cr - input) : before;
}

/* The middle of a line; returns how many octets were taken. */
static size_t feed_inside(struct smtp_data *data, const uint8_t *input, size_t size,
			  const struct output *out)
{
	const size_t plain = plain_octets(input, size);

	data->state = INSIDE;
	if (plain > DATA_LINE_MAX - data->line)
		fault(data, DATA_LONG);
	else
		data->line += (uint32_t)plain;
	look_for_nuls(data, input, plain);
	give(data, out, input, plain);
	if (plain == size)
		return plain;
	if (input[plain] == '\r')
		data->state = CR;
	else
		fault(data, DATA_BARE);
	return plain + 1;
}

static size_t feed_start(struct smtp_data *data, const uint8_t *input, size_t size,
			 const struct output *out)
{
	data->line = 0;
	data->nuls = NULS_EMPTY;
	if (*input != '.' || data->chunked)
		return feed_inside(data, input, size, out);
	data->state = DOT;
	return 1;
}

/* A dot that more follows was put there by the sender: it is no part of the line. */
static size_t feed_dot(struct smtp_data *data, const uint8_t *input, size_t size,
		       const struct output *out)
{
	if (*input != '\r')
		return feed_inside(data, input, size, out);
	data->state = DOT_CR;
	return 1;
}

static size_t feed_dot_cr(struct smtp_data *data, const uint8_t *input, size_t size,
			  const struct output *out)
{
	if (*input == '\n') {
		data->ended = true;
		return 1;
	}
	fault(data, DATA_BARE);
	return feed_inside(data, input, size, out);
}

static size_t feed_cr(struct smtp_data *data, const uint8_t *input, size_t size,
		      const struct output *out)
{
	if (*input != '\n') {
		fault(data, DATA_BARE);
		return feed_inside(data, input, size, out);
	}
	end_line(data);
	give(data, out, "\r\n", 2);
	data->state = LINE_START;
	return 1;
}

size_t data_feed(struct smtp_data *data, const uint8_t *input, size_t size, data_sink sink,
		 void *arg)
{
	static size_t (*const feed[])(struct smtp_data *, const uint8_t *, size_t,
				      const struct output *) = {
		[LINE_START] = feed_start, [DOT] = feed_dot, [DOT_CR] = feed_dot_cr,
		[INSIDE] = feed_inside,    [CR] = feed_cr,
	};
	const struct output out = { sink, arg };
	size_t at = 0;

	while (at < size && !data->ended)
		at += feed[data->state](data, input + at, size - at, &out);
	return at;
}

void data_finish(struct smtp_data *data)
{
	if (data->state == CR)
		fault(data, DATA_BARE);
	end_line(data);
	data->ended = true;
}
