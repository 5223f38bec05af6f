/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_args.h - from argv to a call: words and options, and which command they mean.
 *
 * Called by tools/ctl_run.c, and by the help for what is near to a mistyped name. The call's
 * strings point into argv. Options may stand anywhere, also before the command; "--" ends them.
 */
#ifndef POSTERN_TOOLS_CTL_ARGS_H
#define POSTERN_TOOLS_CTL_ARGS_H

#include "tools/ctl.h"

/* Fills words and options; `command` stays NULL. */
int args_split(int argc, char **argv, struct cli_call *call, struct error *err);

/*
 * Finds the command that the words begin with and takes its name off them. The error names what is
 * near, what the family's commands are, or that this version does not have it.
 */
int args_find(struct cli_call *call, struct error *err);

/* Whether the command takes these options and this many arguments. */
int args_check(const struct cli_call *call, struct error *err);

/* The synopsis "block add CIDR [--list NAME] ..."; returns `out`. */
char *args_synopsis(const struct cli_command *command, char *out, size_t size);

/* Whether the first word of the command's name is `family` (of `length` bytes). */
bool args_in_family(const struct cli_command *command, const char *family, size_t length);

#endif
