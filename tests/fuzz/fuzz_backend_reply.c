/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes what servers answer: the first octet of the input says how many arrive at a time, the rest
 * is taken reply by reply, as long as it is SMTP.
 *
 * However it arrives, the same comes out; a reply has a code from 200 to 599 and a text that is
 * printable, also once it has its enhanced status codes, of which every line has one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backend/reply.h"
#include "backend/xclient.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct backend_reply *reply)
{
	const size_t length = strlen(reply->text);

	CHECK(length < BACKEND_REPLY_MAX);
	for (size_t i = 0; i < length; i++)
		CHECK((reply->text[i] >= ' ' && reply->text[i] <= '~') || reply->text[i] == '\n');
}

/* The last line may be cut anywhere. */
static void check_status(const struct backend_reply *reply)
{
	const char *line = reply->text, *end;

	for (; (end = strchr(line, '\n')); line = end + 1)
		CHECK(line[0] == '0' + reply->code / 100 && line[1] == '.');
}

static void check_reply(const struct reply_parser *parser)
{
	struct backend_reply reply = parser->reply;

	CHECK(reply.code >= 200 && reply.code <= 599 && !reply.lost);
	CHECK(parser->lines >= 1 && parser->lines <= REPLY_LINES_MAX);
	check_text(&reply);
	reply_complete(&reply);
	check_text(&reply);
	check_status(&reply);
}

struct feed {
	struct reply_parser parser;
	const uint8_t *data;
	size_t size, at;
};

/* One reply from memory that ends where the input does, at most `step` octets more at a time. */
static enum reply_result take(struct feed *feed, size_t step)
{
	enum reply_result result = REPLY_MORE;
	size_t there = feed->at, used;
	struct reply_span line;
	uint8_t *copy;

	reply_begin(&feed->parser);
	while (result == REPLY_LINE || (result == REPLY_MORE && there < feed->size)) {
		if (result == REPLY_MORE)
			there = feed->size - there < step ? feed->size : there + step;
		copy = malloc(there - feed->at + 1);
		CHECK(copy);
		memcpy(copy, feed->data + feed->at, there - feed->at);
		result = reply_take(&feed->parser, copy, there - feed->at, &used, &line);
		CHECK(used <= there - feed->at);
		if (result == REPLY_LINE || result == REPLY_DONE) {
			CHECK(line.length < used);
			CHECK(xclient_attributes(line.at, line.length) < 256);
		}
		free(copy);
		feed->at += used;
	}
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed whole, parts;
	enum reply_result result;

	if (size < 1 || size > 8192)
		return 0;
	whole = (struct feed){ .data = data + 1, .size = size - 1 };
	parts = whole;
	do {
		result = take(&whole, SIZE_MAX);
		CHECK(take(&parts, 1 + data[0] * (size_t)4) == result);
		CHECK(result == REPLY_BAD || parts.at == whole.at);
		CHECK(!strcmp(parts.parser.reply.text, whole.parser.reply.text));
		if (result == REPLY_DONE)
			check_reply(&whole.parser);
	} while (result == REPLY_DONE);
	return 0;
}
