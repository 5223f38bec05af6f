/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_args.c - see tools/ctl_args.h.
 *
 * Not getopt: options come from the table in tools/ctl.h, belong to commands, and a mistake is to
 * be answered with the word that was probably meant. Limits: CLI_WORDS_MAX words, each option once,
 * NEAR_TEXT_MAX bytes of a word are looked at for suggestions.
 */
#include "tools/ctl_args.h"

#include <stdio.h>
#include <string.h>

#define NEAR_TEXT_MAX     24
#define NEAR_DISTANCE_MAX 2 /* typing mistakes that are forgiven; short words forgive fewer */
#define NEAR_SHARE        3 /* at most one mistake in so many letters */

#define CLI_OPTION_ROW(id, text, value_text, help_text)                                            \
	[OPTION_##id] = { .name = text, .value = value_text, .help = help_text },
const struct cli_option_row cli_option_rows[CLI_OPTIONS] = { CLI_OPTION_LIST(CLI_OPTION_ROW) };

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters must change, come or go, or trade places with their neighbour. */
static size_t distance(const char *a, const char *b)
{
	size_t row[3][NEAR_TEXT_MAX + 1]; /* two rows ago, the last one, this one */
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > NEAR_TEXT_MAX || b_length > NEAR_TEXT_MAX)
		return NEAR_TEXT_MAX;
	for (size_t j = 0; j <= b_length; j++)
		row[1][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		row[2][0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			row[2][j] = smallest(row[1][j] + 1, row[2][j - 1] + 1,
					     row[1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[2][j] = smallest(row[2][j], row[2][j], row[0][j - 2] + 1);
		}
		memcpy(row[0], row[1], sizeof(row[0]));
		memcpy(row[1], row[2], sizeof(row[1]));
	}
	return row[1][b_length];
}

/* The best suggestion so far for one word. */
struct nearest {
	const char *typed;
	size_t distance;
	char name[NEAR_TEXT_MAX + 1];
};

static void nearest_start(struct nearest *nearest, const char *typed)
{
	size_t length = strlen(typed), allowed = length / NEAR_SHARE;

	if (!allowed && length > 1)
		allowed = 1;
	nearest->typed = typed;
	nearest->distance = (allowed < NEAR_DISTANCE_MAX ? allowed : NEAR_DISTANCE_MAX) + 1;
	nearest->name[0] = '\0';
}

static void nearest_try(struct nearest *nearest, const char *name, size_t length)
{
	char candidate[NEAR_TEXT_MAX + 1];
	size_t found;

	if (length > NEAR_TEXT_MAX)
		return;
	memcpy(candidate, name, length);
	candidate[length] = '\0';
	found = distance(nearest->typed, candidate);
	if (found < nearest->distance) {
		nearest->distance = found;
		memcpy(nearest->name, candidate, sizeof(candidate));
	}
}

static int unknown_option(const char *typed, struct error *err)
{
	struct nearest nearest;

	nearest_start(&nearest, typed);
	for (size_t i = 0; i < CLI_OPTIONS; i++)
		nearest_try(&nearest, cli_option_rows[i].name, strlen(cli_option_rows[i].name));
	if (!nearest.name[0])
		return error_set(err, ERROR_USAGE, "there is no option --%s (see --help)", typed);
	return error_set(err, ERROR_USAGE, "there is no option --%s; is --%s meant?", typed,
			 nearest.name);
}

/* The option whose name are the `length` bytes at `name`, or CLI_OPTIONS. */
static size_t find_option(const char *name, size_t length)
{
	size_t i = 0;

	while (i < CLI_OPTIONS && (strncmp(cli_option_rows[i].name, name, length) != 0 ||
				   cli_option_rows[i].name[length]))
		i++;
	return i;
}

/* Takes the option `text` (behind its dashes); returns how many of `next` it has used, or an error.
 */
static int take_option(const char *text, const char *next, struct cli_call *call, struct error *err)
{
	size_t length = strcspn(text, "="), option = find_option(text, length);
	const struct cli_option_row *row = &cli_option_rows[option];
	const char *value = text[length] ? text + length + 1 : NULL;
	int used = 0;

	if (option == CLI_OPTIONS)
		return unknown_option(text, err);
	if (call->option[option])
		return error_set(err, ERROR_USAGE, "--%s is given twice", row->name);
	if (!row->value && value)
		return error_set(err, ERROR_USAGE, "--%s takes no value", row->name);
	if (row->value && !value) {
		value = next;
		used = 1;
		if (!next || strncmp(next, "--", 2) == 0)
			return error_set(err, ERROR_USAGE, "--%s needs a value: --%s %s", row->name,
					 row->name, row->value);
	}
	call->option[option] = value ? value : "";
	return used;
}

/* A command that is fixed for a later version is said not to be there, and never pretended. */
static int check_later(const char *word, struct error *err)
{
	static const char *const later[] = { "audit", "user" };

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (strcmp(word, later[i]) == 0)
			return error_set(err, ERROR_USAGE,
					 "'%s' is not part of this version; a later one has it",
					 word);
	}
	return 0;
}

static int take_word(const char *word, struct cli_call *call, struct error *err)
{
	/* Before its options, which this version does not know either, are complained about. */
	if (!call->words && check_later(word, err) < 0)
		return ERROR_USAGE;
	if (call->words == CLI_WORDS_MAX)
		return error_set(err, ERROR_USAGE, "'%s' is one argument too many", word);
	call->word[call->words++] = word;
	return 0;
}

/* One argument that is not behind "--". */
static int take_argument(const char *text, const char *next, struct cli_call *call,
			 struct error *err)
{
	if (text[0] != '-' || !text[1])
		return take_word(text, call, err);
	if (text[1] == '-')
		return take_option(text + 2, next, call, err);
	if (strcmp(text, "-h") == 0)
		return take_option("help", NULL, call, err);
	return error_set(err, ERROR_USAGE, "there is no option %s (see --help)", text);
}

int args_split(int argc, char **argv, struct cli_call *call, struct error *err)
{
	bool options = true;
	int used;

	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
			continue;
		}
		if (options)
			used = take_argument(argv[i], argv[i + 1], call, err);
		else
			used = take_word(argv[i], call, err);
		if (used < 0)
			return used;
		i += used;
	}
	return 0;
}

bool args_in_family(const struct cli_command *command, const char *family, size_t length)
{
	return strncmp(command->name, family, length) == 0 &&
	       (command->name[length] == ' ' || !command->name[length]);
}

/* The words behind the family's name: "add, del, test"; returns how many there are. */
static size_t family_words(const char *family, char *out, size_t size)
{
	size_t count = 0, length = strlen(family), used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < cli_command_count; i++) {
		if (!args_in_family(cli_commands[i], family, length))
			continue;
		count++;
		if (cli_commands[i]->name[length] && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
						 cli_commands[i]->name + length + 1);
	}
	return count;
}

/* The first word is no command's. */
static int unknown_command(const char *word, struct error *err)
{
	struct nearest nearest;

	if (check_later(word, err) < 0)
		return ERROR_USAGE;
	nearest_start(&nearest, word);
	for (size_t i = 0; i < cli_command_count; i++)
		nearest_try(&nearest, cli_commands[i]->name, strcspn(cli_commands[i]->name, " "));
	nearest_try(&nearest, "help", strlen("help"));
	if (!nearest.name[0])
		return error_set(err, ERROR_USAGE,
				 "there is no command '%s' (see 'posternctl help')", word);
	return error_set(err, ERROR_USAGE, "there is no command '%s'; is '%s' meant?", word,
			 nearest.name);
}

/* The first word is a family's, and the second is not one of its commands, or missing. */
static int unknown_member(const char *family, const char *word, const char *members,
			  struct error *err)
{
	struct nearest nearest;
	size_t length = strlen(family);

	if (!word)
		return error_set(err, ERROR_USAGE, "'%s' needs one of: %s", family, members);
	nearest_start(&nearest, word);
	for (size_t i = 0; i < cli_command_count; i++) {
		if (args_in_family(cli_commands[i], family, length))
			nearest_try(&nearest, cli_commands[i]->name + length + 1,
				    strlen(cli_commands[i]->name + length + 1));
	}
	if (!nearest.name[0])
		return error_set(err, ERROR_USAGE, "'%s' has no command '%s', only: %s", family,
				 word, members);
	return error_set(err, ERROR_USAGE, "'%s' has no command '%s'; is '%s %s' meant?", family,
			 word, family, nearest.name);
}

/* How many of the words are the command's name; 0 if it is another command. */
static unsigned int name_words(const struct cli_command *command, const struct cli_call *call)
{
	size_t length = strlen(call->word[0]);

	if (!args_in_family(command, call->word[0], length))
		return 0;
	if (!command->name[length])
		return 1;
	return call->words > 1 && strcmp(command->name + length + 1, call->word[1]) == 0 ? 2 : 0;
}

int args_find(struct cli_call *call, struct error *err)
{
	char members[ERROR_TEXT_MAX];
	unsigned int taken;

	for (size_t i = 0; i < cli_command_count; i++) {
		taken = name_words(cli_commands[i], call);
		if (!taken)
			continue;
		call->command = cli_commands[i];
		call->words -= taken;
		memmove(call->word, call->word + taken, call->words * sizeof(call->word[0]));
		return 0;
	}
	if (!family_words(call->word[0], members, sizeof(members)))
		return unknown_command(call->word[0], err);
	return unknown_member(call->word[0], call->words > 1 ? call->word[1] : NULL, members, err);
}

int args_check(const struct cli_call *call, struct error *err)
{
	const struct cli_command *command = call->command;
	char synopsis[ERROR_TEXT_MAX];

	for (size_t i = 0; i < CLI_OPTIONS; i++) {
		if (call->option[i] && !((command->options | CLI_TAKES_ALWAYS) & CLI_TAKES(i)))
			return error_set(err, ERROR_USAGE, "'%s' takes no --%s", command->name,
					 cli_option_rows[i].name);
	}
	for (size_t i = 0; i < CLI_OPTIONS; i++) {
		if (command->needs & CLI_TAKES(i) && !call->option[i])
			return error_set(err, ERROR_USAGE, "'%s' needs --%s %s", command->name,
					 cli_option_rows[i].name, cli_option_rows[i].value);
	}
	if (call->words > command->max)
		return error_set(err, ERROR_USAGE, "'%s' is one argument too many for '%s'",
				 call->word[command->max], command->name);
	if (call->words < command->min)
		return error_set(err, ERROR_USAGE, "'%s' needs %s: posternctl %s", command->name,
				 command->arguments,
				 args_synopsis(command, synopsis, sizeof(synopsis)));
	return 0;
}

char *args_synopsis(const struct cli_command *command, char *out, size_t size)
{
	unsigned int shown = command->options | CLI_TAKES(OPTION_JSON);
	size_t used = (size_t)snprintf(out, size, "%s%s%s", command->name,
				       *command->arguments ? " " : "", command->arguments);

	for (size_t i = 0; i < CLI_OPTIONS && used < size; i++) {
		const char *value = cli_option_rows[i].value;
		const bool needed = command->needs & CLI_TAKES(i);

		if (shown & CLI_TAKES(i))
			used += (size_t)snprintf(out + used, size - used, " %s--%s%s%s%s",
						 needed ? "" : "[", cli_option_rows[i].name,
						 value ? " " : "", value ? value : "",
						 needed ? "" : "]");
	}
	return out;
}
