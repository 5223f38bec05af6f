/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes PROXY headers: the input is what a balancer, or somebody who is taken for one, sends.
 *
 * Whatever comes in pieces is judged as it is when it comes whole, a header never has more than
 * PROXY_HEADER_MAX octets, and the addresses that were found survive being written and read.
 */
#include <stdlib.h>
#include <string.h>

#include "loop/proxy.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From memory that ends where the piece does. */
static enum proxy_result read_piece(const uint8_t *data, size_t size, struct proxy_addresses *out,
				    size_t *used)
{
	uint8_t *copy = malloc(size ? size : 1);
	enum proxy_result result;

	CHECK(copy);
	if (size)
		memcpy(copy, data, size);
	result = proxy_read(copy, size, out, used);
	free(copy);
	return result;
}

static void check_written(const struct proxy_addresses *found)
{
	struct proxy_addresses again;
	uint8_t header[PROXY_V2_BYTES];
	size_t used;
	const size_t size = proxy_write(found, header);

	CHECK(size <= sizeof(header));
	CHECK(proxy_read(header, size, &again, &used) == PROXY_FOUND && used == size);
	CHECK(!memcmp(&again, found, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_addresses whole, piece;
	size_t used = 0, used_piece = 0;
	const enum proxy_result result = read_piece(data, size, &whole, &used);
	enum proxy_result earlier = PROXY_MORE;

	for (size_t i = 0; i <= size && earlier == PROXY_MORE; i++)
		earlier = read_piece(data, i, &piece, &used_piece);
	CHECK(earlier == result);
	CHECK(result != PROXY_MORE || size < PROXY_HEADER_MAX);
	if (result != PROXY_FOUND && result != PROXY_LOCAL)
		return 0;
	CHECK(used == used_piece && used <= size && used <= PROXY_HEADER_MAX);
	if (result == PROXY_FOUND) {
		CHECK(!memcmp(&whole, &piece, sizeof(whole)));
		check_written(&whole);
	}
	return 0;
}
