/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_test.c - list.test: which entries of one kind hold an address.
 */
#include "ctl/agent.h"
#include "ctl/args.h"
#include "ctl/match.h"

int ctl_list_test(struct ctl_request *request, struct error *err)
{
	struct matches matches;
	enum list_kind kind;
	struct addr addr;
	json_t *rows;
	int failed;

	failed = arg_kind(request, &kind, err);
	if (!failed)
		failed = arg_address(request, &addr, err);
	if (!failed)
		failed = matches_find(ctl_agent(request)->gate, ctl_agent(request)->lists, &addr,
				      &matches, err);
	if (failed)
		return failed;
	rows = json_array();
	for (size_t i = 0; i < matches.count; i++)
		if (matches.match[i].list.kind == kind)
			json_array_append_new(rows, match_json(&matches.match[i]));
	request->result =
		json_pack("{s:b, s:o}", "listed", json_array_size(rows) > 0, "matches", rows);
	matches_clear(&matches);
	return 0;
}
