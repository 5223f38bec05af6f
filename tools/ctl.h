/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl.h - what every file of posternctl knows: a command, a call of it, and how to run one.
 *
 * A command is a row (struct cli_command) that lies beside its code in tools/ctl_FAMILY.c; the
 * table of all rows is in tools/ctl_run.c. Synopsis, help, completion and the check of arguments
 * and options are made from the row, so that they cannot say different things.
 *
 * Most commands are one question to the agent: `request` builds it, `show` prints the answer for a
 * person, and --json prints the answer as it came. What needs more has `run` instead.
 *
 * Strings in a call point into argv; a call owns only its link to the agent. The names begin with
 * cli_, because those of the agent's own side of the protocol, userspace/ctl, begin with ctl_.
 */
#ifndef POSTERN_TOOLS_CTL_H
#define POSTERN_TOOLS_CTL_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/error.h"
#include "tools/ctl_client.h"

#define CLI_SOCKET_DEFAULT "/run/postern/control.sock"
#define CLI_WORDS_MAX      8 /* words that are not options; more are one too many for any command */
#define CLI_EXAMPLES_MAX   3

/* Exit codes; the others are enum error_code, negated. */
enum { CLI_DONE = 0, CLI_FOUND = 1 };

/*        name           as written   value        what it does */
#define CLI_OPTION_LIST(X)                                                                         \
	X(LIST, "list", "NAME", "the list that is meant")                                          \
	X(TTL, "ttl", "DURATION", "forget the entry after this time: 90s, 15m, 1h, 7d, 1h30m")     \
	X(REASON, "reason", "TEXT", "why; shown wherever the entry decides something")             \
	X(ACTION, "action", "drop|reset|refuse|tarpit",                                            \
	  "no answer at all (the default), a TCP reset, an SMTP 554 that says why, or a "          \
	  "connection that goes nowhere")                                                          \
	X(FORMAT, "format", "FORMAT", "how the file is written; auto, the default, looks at it")   \
	X(SKIP_BAD, "skip-bad", NULL,                                                              \
	  "leave out lines that are wrong instead of refusing the file")                           \
	X(MODE, "mode", "native|generic", "where the program runs; without it, what the NIC can")  \
	X(INTERVAL, "interval", "DURATION", "time between two looks (default 1s)")                 \
	X(COUNT, "count", "N", "snapshots to print; 0 goes on until interrupted")                  \
	X(IP, "ip", "ADDR", "the address of the host that sends")                                  \
	X(HELO, "helo", "NAME", "what it says in HELO or EHLO")                                    \
	X(FROM, "from", "MAILBOX", "the sender in MAIL FROM; '<>' is a bounce")                    \
	X(DNS, "dns", "HOST:PORT", "ask this DNS server alone")                                    \
	X(JSON, "json", NULL, "print the answer as JSON")                                          \
	X(SOCKET, "socket", "PATH", "the agent's control socket (or set POSTERN_SOCKET)")          \
	X(HELP, "help", NULL, "explain the command")                                               \
	X(VERSION, "version", NULL, "print the version")

#define CLI_OPTION_ENUM(name, text, value, help) OPTION_##name,
enum cli_option { CLI_OPTION_LIST(CLI_OPTION_ENUM) CLI_OPTIONS };
#undef CLI_OPTION_ENUM

#define CLI_TAKES(option) (1u << (option))
/* What every command takes. */
#define CLI_TAKES_ALWAYS                                                                           \
	(CLI_TAKES(OPTION_JSON) | CLI_TAKES(OPTION_SOCKET) | CLI_TAKES(OPTION_HELP))

struct cli_option_row {
	const char *name;
	const char *value; /* what stands for its value in help; NULL if it takes none */
	const char *help;
};
extern const struct cli_option_row cli_option_rows[CLI_OPTIONS];

struct cli_call;

enum cli_group {
	GROUP_LOOK,
	GROUP_ATTACH,
	GROUP_LISTS,
	GROUP_LIMITS,
	GROUP_CHECK,
	GROUP_CONFIG,
	CLI_GROUPS
};

struct cli_command {
	const char *name;      /* "status", or "block add" */
	const char *arguments; /* as the synopsis shows them, e.g. "NAME FILE"; "" for none */
	unsigned int min, max; /* how many of them */
	unsigned int options;  /* CLI_TAKES() of those that it takes beside CLI_TAKES_ALWAYS */
	unsigned int needs;    /* CLI_TAKES() of those of them that must be there */
	enum cli_group group;
	const char *family;  /* first command of a family: what the family is about */
	const char *summary; /* a few words, for lists of commands */
	const char *text;    /* paragraphs that explain it, parted by empty lines */
	const char *examples[CLI_EXAMPLES_MAX];

	/* Returns the request, or NULL after it has filled `err`. */
	json_t *(*request)(const struct cli_call *call, struct error *err);
	/* Prints the answer for a person. */
	int (*show)(struct cli_call *call, const json_t *result, struct error *err);
	/* A key of the answer: true there is exit code CLI_FOUND. */
	const char *found;
	/* Instead of all that: does everything; returns an exit code or a negative error code. */
	int (*run)(struct cli_call *call, struct error *err);
};

struct cli_call {
	const struct cli_command *command;
	const char *word[CLI_WORDS_MAX]; /* first the command's own words, later its arguments */
	unsigned int words;
	const char
		*option[CLI_OPTIONS]; /* the value, "" for an option without one, NULL if absent */
	struct agent_link *agent;     /* NULL until cli_connect() */
};

/* The table, by group and in the order of the help. */
extern const struct cli_command *const cli_commands[];
extern const size_t cli_command_count;

/* What `posternctl ARGV` does; returns the exit code. Prints on stdout and stderr. */
int ctl_run(int argc, char **argv);

/* Connects the call to the agent, once. */
int cli_connect(struct cli_call *call, struct error *err);

/* One question and its answer; the caller owns `*result`. Connects first. Takes `request`. */
int cli_ask(struct cli_call *call, json_t *request, json_t **result, struct error *err);

/* {"cmd": name}, to which the caller adds; NULL and `err` if memory is short. */
json_t *cli_request(const char *name, struct error *err);

/* Adds a text to a request; an error says that it is not UTF-8. */
int cli_request_text(json_t *request, const char *key, const char *text, struct error *err);

/* The kind of list that a command of the families block and allow is about. */
const char *cli_kind(const struct cli_call *call);

#endif
