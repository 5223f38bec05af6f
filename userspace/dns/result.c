/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/result.c - see dns/result.h.
 */
#include "dns/result.h"

#include <stdlib.h>

struct dns_result *dns_result_new(enum dns_status status, size_t count, size_t text_bytes)
{
	const size_t bytes =
		sizeof(struct dns_result) + count * sizeof(struct dns_record) + text_bytes;
	struct dns_result *result = calloc(1, bytes);

	if (!result)
		return NULL;
	result->references = 1;
	result->status = status;
	result->bytes = bytes;
	result->count = count;
	return result;
}

char *dns_result_text(struct dns_result *result)
{
	return (char *)&result->record[result->count];
}

struct dns_result *dns_result_ref(struct dns_result *result)
{
	result->references++;
	return result;
}

void dns_result_unref(struct dns_result *result)
{
	if (result && !--result->references)
		free(result);
}

struct dns_answer dns_result_answer(const struct dns_result *result, uint32_t ttl, uint32_t age)
{
	return (struct dns_answer){ .status = result->status,
				    .ttl = ttl,
				    .age = age,
				    .count = result->count,
				    .cut = result->cut,
				    .record = result->record };
}
