/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_show.c - list.show: every entry of a list, or of all lists of a kind, as rows.
 */
#include <string.h>

#include "ctl/agent.h"
#include "ctl/args.h"
#include "ctl/match.h"
#include "obs/names.h"

struct show {
	struct ctl_rows *rows;
	uint64_t entries;
	bool failed;
};

static json_t *entry_json(const struct list_info *list, const struct entry *entry,
			  const char *source, const char *reason)
{
	char prefix[PREFIX_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "list", list->name, "kind",
			 list_kind_name(list->kind), "prefix",
			 prefix_format(&entry->prefix, prefix), "action",
			 list->kind == LIST_KIND_ALLOW ? "allow" : action_name(entry->action),
			 "reason", reason, "source", source, "added", (json_int_t)entry->added,
			 "expires", (json_int_t)entry->expires);
}

static bool on_entry(const struct list_info *list, const struct entry *entry, const char *source,
		     const char *reason, void *arg)
{
	struct show *show = arg;

	show->failed = !ctl_rows_add(show->rows, entry_json(list, entry, source, reason));
	show->entries++;
	return !show->failed;
}

/* What the kernel has learned, as entries of a list. */
static bool on_learned(const struct gate_learned *learned, void *arg)
{
	static const struct list_info list = { .name = LEARNED_LIST, .kind = LIST_KIND_BLOCK };
	const struct entry entry = learned_entry(learned);

	if (learned->kind != GATE_LEARNED_BLOCKED)
		return true;
	return on_entry(&list, &entry, LEARNED_SOURCE, LEARNED_REASON, arg);
}

int ctl_list_show(struct ctl_request *request, struct error *err)
{
	struct show show = { .rows = request->rows };
	enum list_kind kind;
	const char *list = NULL;
	int failed;

	failed = arg_kind(request, &kind, err);
	if (!failed)
		failed = arg_list(request, &list, err);
	if (!failed)
		failed = lists_show(ctl_agent(request)->lists, kind, list, on_entry, &show, err);
	if (failed < 0)
		return failed;
	if (kind == LIST_KIND_BLOCK && !show.failed && (!list || !strcmp(list, LEARNED_LIST)) &&
	    gate_learned_decides(ctl_agent(request)->gate))
		gate_learned_each(ctl_agent(request)->gate, on_learned, &show);
	if (show.failed)
		return error_set(err, ERROR_REFUSED, "the rows cannot be sent");
	request->result = json_pack("{s:I}", "entries", (json_int_t)show.entries);
	return 0;
}
