/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/refusal.c - see obs/refusal.h.
 */
#include "obs/refusal.h"

json_t *refusal_json(const struct session_refusal *refusal)
{
	char source[PREFIX_TEXT_MAX];

	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "time",
			 (json_int_t)refusal->time, "source", addr_format(&refusal->source, source),
			 "reason", refusal->reason, "help", refusal->help, "detail",
			 refusal->detail, "helo", refusal->helo, "from", refusal->from, "user",
			 refusal->user, "score", (int)refusal->score);
}
