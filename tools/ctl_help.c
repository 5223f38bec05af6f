/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_help.c - see tools/ctl_help.h.
 *
 * Everything but the words around it comes from the rows of the commands and options. Lines are
 * broken at HELP_COLUMNS; the texts are ASCII.
 */
#include "tools/ctl_help.h"

#include <stdio.h>
#include <string.h>

#include "maps/action.h"
#include "tools/ctl_args.h"
#include "tools/ctl_output.h"

#define HELP_COLUMNS  78
#define SYNOPSIS_MAX  512
#define NAME_COLUMN   24 /* width of the names in lists of commands and options */
#define SYNOPSIS_STEP 10

static const char *const group_titles[CLI_GROUPS] = {
	[GROUP_LOOK] = "See what happens",
	[GROUP_ATTACH] = "Protect a network interface",
	[GROUP_LISTS] = "Say who is on a list",
	[GROUP_LIMITS] = "Limit everybody else",
	[GROUP_CHECK] = "Try what the gateway checks",
	[GROUP_CONFIG] = "Configure the agent",
};

static const struct {
	int code;
	const char *meaning;
} exit_codes[] = {
	{ CLI_DONE, "done" },
	{ CLI_FOUND, "the address is listed, or the check failed" },
	{ -ERROR_USAGE, "the command line makes no sense" },
	{ -ERROR_UNREACHABLE, "the agent cannot be reached" },
	{ -ERROR_REFUSED, "refused, or failed" },
};

/* How many bytes of a paragraph fit a line of `columns`: up to a blank, or a word that is longer.
 */
static size_t line_length(const char *text, size_t columns)
{
	size_t last = 0, at = 0;

	while (text[at] && text[at] != '\n' && (at <= columns || !last)) {
		if (text[at] == ' ')
			last = at;
		at++;
	}
	if ((!text[at] || text[at] == '\n') && at <= columns)
		return at;
	return last ? last : at;
}

/* Prints `text` from the column `start` on, the lines after the first indented by `indent`. */
static void print_wrapped(const char *text, size_t start, int indent)
{
	size_t length = line_length(text, HELP_COLUMNS - start);

	for (;;) {
		output_text("%.*s\n", (int)length, text);
		text += length;
		while (*text == ' ')
			text++;
		for (; *text == '\n'; text++)
			if (text[1] == '\n')
				output_text("\n");
		if (!*text)
			return;
		output_text("%*s", indent, "");
		length = line_length(text, (size_t)(HELP_COLUMNS - indent));
	}
}

static void print_item(const char *name, const char *text)
{
	output_text("  %-*s ", NAME_COLUMN, name);
	if (strlen(name) > NAME_COLUMN)
		output_text("\n%*s", NAME_COLUMN + 3, "");
	print_wrapped(text, NAME_COLUMN + 3, NAME_COLUMN + 3);
}

static void print_option(size_t option)
{
	const struct cli_option_row *row = &cli_option_rows[option];
	char name[SYNOPSIS_MAX];

	snprintf(name, sizeof(name), "--%s%s%s", row->name, row->value ? " " : "",
		 row->value ? row->value : "");
	print_item(name, row->help);
}

static void print_options(unsigned int options)
{
	output_paint(PAINT_TITLE, "\nOptions\n");
	for (size_t i = 0; i < CLI_OPTIONS; i++) {
		if (options & CLI_TAKES(i))
			print_option(i);
	}
}

static void print_command_item(const struct cli_command *command)
{
	char item[SYNOPSIS_MAX];

	snprintf(item, sizeof(item), "%s%s%s", command->name, *command->arguments ? " " : "",
		 command->arguments);
	print_item(item, command->summary);
}

/* "block   keep addresses out: add, del, test"; returns how many rows it has used. */
static size_t print_family_item(size_t first)
{
	const struct cli_command *command = cli_commands[first];
	size_t length = strcspn(command->name, " "), used, count = 0;
	char family[SYNOPSIS_MAX], text[SYNOPSIS_MAX];

	if (!command->family) {
		print_command_item(command);
		return 1;
	}
	snprintf(family, sizeof(family), "%.*s", (int)length, command->name);
	used = (size_t)snprintf(text, sizeof(text), "%s:", command->family);
	for (; first + count < cli_command_count && used < sizeof(text); count++) {
		command = cli_commands[first + count];
		if (!args_in_family(command, family, length))
			break;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %s",
					 count ? "," : "", command->name + length + 1);
	}
	print_item(family, text);
	return count;
}

static void print_exit_codes(bool finds)
{
	output_paint(PAINT_TITLE, "\nExit codes\n");
	for (size_t i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++) {
		if (exit_codes[i].code != CLI_FOUND || finds)
			output_text("  %d  %s\n", exit_codes[i].code, exit_codes[i].meaning);
	}
}

void help_overview(void)
{
	int group = -1;

	output_text(
		"Postern drops hostile connections to a mail server before its TCP stack sees\n");
	output_text(
		"them. posternctl tells its agent, posternd, what to do, and shows what it did.\n");
	output_paint(PAINT_TITLE, "\nUsage\n");
	output_text("  posternctl COMMAND [ARGUMENT ...] [--json] [--socket PATH]\n");
	for (size_t i = 0; i < cli_command_count; i += print_family_item(i)) {
		if ((int)cli_commands[i]->group == group)
			continue;
		group = (int)cli_commands[i]->group;
		output_text("\n");
		output_paint(PAINT_TITLE, "%s\n", group_titles[group]);
	}
	print_options(CLI_TAKES_ALWAYS | CLI_TAKES(OPTION_VERSION));
	print_exit_codes(true);
	output_text("\n'posternctl help COMMAND' explains a command and gives examples.\n");
}

bool help_family(const char *family)
{
	size_t shown = 0, length = strlen(family);

	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *command = cli_commands[i];

		if (!args_in_family(command, family, length) || !command->name[length])
			continue;
		if (!shown++)
			output_text("posternctl %s: %s\n\n", family,
				    command->family ? command->family : command->summary);
		print_command_item(command);
	}
	if (shown)
		output_text("\n'posternctl help %s COMMAND' explains one and gives examples.\n",
			    family);
	return shown > 0;
}

void help_command(const struct cli_command *command)
{
	char synopsis[SYNOPSIS_MAX];

	output_paint(PAINT_TITLE, "Usage\n");
	output_text("  posternctl ");
	print_wrapped(args_synopsis(command, synopsis, sizeof(synopsis)), strlen("  posternctl "),
		      SYNOPSIS_STEP);
	output_text("\n");
	print_wrapped(command->text, 0, 0);
	print_options(command->options | CLI_TAKES_ALWAYS);
	output_paint(PAINT_TITLE, "\nExamples\n");
	for (size_t i = 0; i < CLI_EXAMPLES_MAX && command->examples[i]; i++)
		output_text("  %s\n", command->examples[i]);
	print_exit_codes(command->found != NULL);
}
