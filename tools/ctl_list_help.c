/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_list_help.c - the rows of `posternctl block` and `allow`, with their help.
 *
 * Only words and what belongs together; the code is in the files that tools/ctl_list.h names.
 */
#include "tools/ctl_commands.h"
#include "tools/ctl_list.h"

#define FORMATS_TEXT                                                                               \
	"Reads one address, CIDR or range a line with comments, ipset and netset files, Spamhaus " \
	"DROP (text and JSON lines) and rbldnsd zones; --format auto finds out which. A file "     \
	"with "                                                                                    \
	"bad lines is refused whole, with the first of them named, unless --skip-bad is given."

const struct cli_command command_block_add = {
	.name = "block add",
	.arguments = "CIDR",
	.min = 1,
	.max = 1,
	.options = CLI_TAKES(OPTION_LIST) | CLI_TAKES(OPTION_TTL) | CLI_TAKES(OPTION_REASON) |
		   CLI_TAKES(OPTION_ACTION),
	.group = GROUP_LISTS,
	.family = "keep addresses and networks out",
	.summary = "put an address or network on a block list",
	.text = "Puts an address or a prefix, IPv4 or IPv6, on a block list, from the next "
		"packet on; its established connections to protected ports are ended. Without "
		"--list it is the list \"local\". An entry that the list has "
		"already is replaced.\n\n"
		"Of several entries that hold an address, one on an allow list always wins; "
		"then the longest prefix; then the strictest action. The answer says what is in "
		"effect.\n\n"
		"The actions, the strictest first: drop, no answer; tarpit, the client's "
		"connection is held and goes nowhere; reset, a TCP reset; refuse, an SMTP reply "
		"554 that names the list and a lookup id for 'posternctl why'. The reason is for "
		"the operator: a refused client is told the text of the list ('block load "
		"--reason').",
	.examples = { "posternctl block add 192.0.2.7 --ttl 1h --reason 'password guessing'",
		      "posternctl block add 2001:db8:bad::/48 --list spammers --action reset" },
	.request = list_request_add,
	.show = list_answer_add,
};

const struct cli_command command_block_del = {
	.name = "block del",
	.arguments = "CIDR",
	.min = 1,
	.max = 1,
	.options = CLI_TAKES(OPTION_LIST),
	.group = GROUP_LISTS,
	.summary = "take it off again",
	.text = "Takes an address or prefix off the list that --list names, or off every block "
		"list. The prefix must be the one that was added: to let a single address of a "
		"blocked network through, put it on an allow list.",
	.examples = { "posternctl block del 192.0.2.7",
		      "posternctl block del 2001:db8:bad::/48 --list spammers" },
	.request = list_request_del,
	.show = list_answer_del,
};

const struct cli_command command_block_test = {
	.name = "block test",
	.arguments = "ADDR",
	.min = 1,
	.max = 1,
	.group = GROUP_LISTS,
	.summary = "ask whether an address is on a block list",
	.text = "Says whether a block list holds the address, and which entry decides. For "
		"scripts the exit code is the answer. 'posternctl why ADDR' tells more.",
	.examples = { "posternctl block test 192.0.2.7",
		      "posternctl block test 192.0.2.7 >/dev/null || echo listed" },
	.request = list_request_test,
	.show = list_answer_test,
	.found = "listed",
};

const struct cli_command command_block_show = {
	.name = "block show",
	.arguments = "",
	.options = CLI_TAKES(OPTION_LIST),
	.group = GROUP_LISTS,
	.summary = "print the entries",
	.text = "Prints the entries of all block lists, or of the one that --list names, in the "
		"order of their addresses. With --json they are one array.",
	.examples = { "posternctl block show --list spammers",
		      "posternctl block show --json | jq -r '.[] | select(.action == "
		      "\"reset\").prefix'" },
	.run = list_run_show,
};

const struct cli_command command_block_load = {
	.name = "block load",
	.arguments = "NAME FILE",
	.min = 2,
	.max = 2,
	.options = CLI_TAKES(OPTION_FORMAT) | CLI_TAKES(OPTION_ACTION) | CLI_TAKES(OPTION_REASON) |
		   CLI_TAKES(OPTION_SKIP_BAD),
	.group = GROUP_LISTS,
	.summary = "replace a list by what a file holds",
	.text = "Replaces the block list NAME by the entries of FILE (\"-\" is standard input). "
		"The change is atomic: what is on the old and on the new list is blocked at "
		"every moment, and after a failure the old list stays. Established connections "
		"of what is listed are ended.\n\n" FORMATS_TEXT "\n\n"
		"--reason is what clients are told that the list refuses (--action refuse); the "
		"list keeps it until another is given, and '' takes it back.",
	.examples = { "posternctl block load drop /var/lib/lists/drop.txt",
		      "curl -sf https://lists.example.net/drop.json | posternctl block load drop -",
		      "posternctl block load spam feed.netset --action refuse --reason 'sent "
		      "spam'" },
	.run = list_run_load,
};

const struct cli_command command_block_clear = {
	.name = "block clear",
	.arguments = "NAME",
	.min = 1,
	.max = 1,
	.group = GROUP_LISTS,
	.summary = "remove a list with all its entries",
	.text = "Removes the block list NAME: every entry, its monitor mode and what its clients "
		"were told. Its name is free again, and its place among the lists, of which there "
		"can be 63; a list that is loaded by that name later starts anew, with counters "
		"at 0 and enforced. To exchange the entries and keep the rest, load the list "
		"again.",
	.examples = { "posternctl block clear spammers" },
	.request = list_request_clear,
	.show = list_answer_clear,
};

const struct cli_command command_allow_add = {
	.name = "allow add",
	.arguments = "CIDR",
	.min = 1,
	.max = 1,
	.options = CLI_TAKES(OPTION_LIST) | CLI_TAKES(OPTION_TTL) | CLI_TAKES(OPTION_REASON),
	.group = GROUP_LISTS,
	.family = "let addresses and networks in, whatever else holds them",
	.summary = "put an address or network on an allow list",
	.text = "Puts an address or a prefix on an allow list. Without --list it is the list "
		"\"trusted\". Connection attempts from it pass every block list and every "
		"limit, however long the prefix of the other entry is.",
	.examples = { "posternctl allow add 198.51.100.0/24 --reason 'the other office'",
		      "posternctl allow add 192.0.2.7 --ttl 2h" },
	.request = list_request_add,
	.show = list_answer_add,
};

const struct cli_command command_allow_del = {
	.name = "allow del",
	.arguments = "CIDR",
	.min = 1,
	.max = 1,
	.options = CLI_TAKES(OPTION_LIST),
	.group = GROUP_LISTS,
	.summary = "take it off again",
	.text = "Takes an address or prefix off the list that --list names, or off every allow "
		"list. What it overruled is in effect again.",
	.examples = { "posternctl allow del 198.51.100.0/24" },
	.request = list_request_del,
	.show = list_answer_del,
};

const struct cli_command command_allow_test = {
	.name = "allow test",
	.arguments = "ADDR",
	.min = 1,
	.max = 1,
	.group = GROUP_LISTS,
	.summary = "ask whether an address is on an allow list",
	.text = "Says whether an allow list holds the address. For scripts the exit code is the "
		"answer.",
	.examples = { "posternctl allow test 198.51.100.20" },
	.request = list_request_test,
	.show = list_answer_test,
	.found = "listed",
};

const struct cli_command command_allow_show = {
	.name = "allow show",
	.arguments = "",
	.options = CLI_TAKES(OPTION_LIST),
	.group = GROUP_LISTS,
	.summary = "print the entries",
	.text = "Prints the entries of all allow lists, or of the one that --list names, in the "
		"order of their addresses. With --json they are one array.",
	.examples = { "posternctl allow show",
		      "posternctl allow show --json | jq -r '.[].prefix'" },
	.run = list_run_show,
};

const struct cli_command command_allow_load = {
	.name = "allow load",
	.arguments = "NAME FILE",
	.min = 2,
	.max = 2,
	.options = CLI_TAKES(OPTION_FORMAT) | CLI_TAKES(OPTION_SKIP_BAD),
	.group = GROUP_LISTS,
	.summary = "replace a list by what a file holds",
	.text = "Replaces the allow list NAME by the entries of FILE (\"-\" is standard input), "
		"atomically.\n\n" FORMATS_TEXT,
	.examples = { "posternctl allow load partners /etc/postern/partners.txt" },
	.run = list_run_load,
};

const struct cli_command command_allow_clear = {
	.name = "allow clear",
	.arguments = "NAME",
	.min = 1,
	.max = 1,
	.group = GROUP_LISTS,
	.summary = "remove a list with all its entries",
	.text = "Removes the allow list NAME with every entry. What they overruled is in effect "
		"again, and the name is free.",
	.examples = { "posternctl allow clear partners" },
	.request = list_request_clear,
	.show = list_answer_clear,
};
