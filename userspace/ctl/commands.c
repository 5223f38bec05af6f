/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/commands.c - the control protocol: one row a command.
 *
 * Whatever reads the store, a file or the keeper's answer may wait and so runs in the pool; what is
 * left for the loop's thread is memory only.
 */
#include "ctl/agent.h"

#define NEEDED true

static const struct ctl_argument no_arguments[] = { { 0 } };

static const struct ctl_argument top_arguments[] = { { "limit", CTL_NUMBER, false }, { 0 } };

static const struct ctl_argument attach_arguments[] = { { "iface", CTL_TEXT, NEEDED },
							{ "mode", CTL_TEXT, false },
							{ 0 } };

static const struct ctl_argument detach_arguments[] = { { "iface", CTL_TEXT, NEEDED }, { 0 } };

static const struct ctl_argument add_arguments[] = { { "kind", CTL_TEXT, NEEDED },
						     { "list", CTL_TEXT, false },
						     { "prefix", CTL_TEXT, NEEDED },
						     { "ttl", CTL_NUMBER, false },
						     { "reason", CTL_TEXT, false },
						     { "action", CTL_TEXT, false },
						     { 0 } };

static const struct ctl_argument del_arguments[] = { { "kind", CTL_TEXT, NEEDED },
						     { "list", CTL_TEXT, false },
						     { "prefix", CTL_TEXT, NEEDED },
						     { 0 } };

static const struct ctl_argument test_arguments[] = { { "kind", CTL_TEXT, NEEDED },
						      { "address", CTL_TEXT, NEEDED },
						      { 0 } };

static const struct ctl_argument show_arguments[] = { { "kind", CTL_TEXT, NEEDED },
						      { "list", CTL_TEXT, false },
						      { 0 } };

static const struct ctl_argument load_arguments[] = {
	{ "kind", CTL_TEXT, NEEDED },      { "list", CTL_TEXT, NEEDED },
	{ "action", CTL_TEXT, false },     { "origin", CTL_TEXT, false },
	{ "reason", CTL_TEXT, false },     { "entries", CTL_NUMBER, NEEDED },
	{ "notes", CTL_NUMBER, NEEDED },   { "notes_size", CTL_NUMBER, NEEDED },
	{ "payload", CTL_NUMBER, NEEDED }, { 0 }
};

static const struct ctl_argument clear_arguments[] = { { "kind", CTL_TEXT, NEEDED },
						       { "list", CTL_TEXT, NEEDED },
						       { 0 } };

static const struct ctl_argument set_arguments[] = { { "key", CTL_TEXT, NEEDED },
						     { "value", CTL_VALUE, NEEDED },
						     { 0 } };

static const struct ctl_argument monitor_arguments[] = { { "on", CTL_SWITCH, NEEDED },
							 { "list", CTL_TEXT, false },
							 { 0 } };

static const struct ctl_argument why_arguments[] = { { "what", CTL_TEXT, NEEDED }, { 0 } };

static const struct ctl_argument check_arguments[] = { { "address", CTL_TEXT, NEEDED },
						       { "helo", CTL_TEXT, false },
						       { 0 } };

static const struct ctl_command commands[] = {
	{ "status", no_arguments, CTL_POOL, ctl_status },
	{ "stats", no_arguments, CTL_POOL, ctl_stats },
	{ "top", top_arguments, CTL_POOL, ctl_top },
	{ "attach", attach_arguments, CTL_MUTATES, ctl_attach },
	{ "detach", detach_arguments, CTL_MUTATES, ctl_detach },
	{ "list.add", add_arguments, CTL_MUTATES, ctl_list_add },
	{ "list.del", del_arguments, CTL_MUTATES, ctl_list_del },
	{ "list.test", test_arguments, CTL_POOL, ctl_list_test },
	{ "list.show", show_arguments, CTL_STREAMS, ctl_list_show },
	{ "list.load", load_arguments, CTL_MUTATES | CTL_PAYLOAD, ctl_list_load },
	{ "list.clear", clear_arguments, CTL_MUTATES, ctl_list_clear },
	{ "limits.show", no_arguments, 0, ctl_limits_show },
	{ "limits.set", set_arguments, CTL_MUTATES, ctl_limits_set },
	{ "monitor", monitor_arguments, CTL_MUTATES, ctl_monitor },
	{ "why", why_arguments, CTL_POOL, ctl_why },
	{ "check.ip", check_arguments, CTL_POOL, ctl_check_ip },
	{ "reload", no_arguments, CTL_MUTATES, ctl_reload },
};

const struct ctl_table ctl_commands = { commands, sizeof(commands) / sizeof(commands[0]) };
