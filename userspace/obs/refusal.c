/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/refusal.c - see obs/refusal.h.
 */
#include "obs/refusal.h"

#include "policy/score.h"

json_t *finding_names_json(finding_set findings)
{
	json_t *names = json_array();

	for (unsigned int i = 0; i < FINDING_COUNT; i++)
		if (findings & FINDING_BIT(i))
			json_array_append_new(names, json_string(finding_name((enum finding)i)));
	return names;
}

json_t *refusal_json(const struct session_refusal *refusal)
{
	char source[PREFIX_TEXT_MAX];

	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:o}", "time",
			 (json_int_t)refusal->time, "source", addr_format(&refusal->source, source),
			 "reason", refusal->reason, "help", refusal->help, "detail",
			 refusal->detail, "helo", refusal->helo, "from", refusal->from, "user",
			 refusal->user, "score", (int)refusal->score, "lists", (int)refusal->lists,
			 "findings", finding_names_json(refusal->findings));
}
