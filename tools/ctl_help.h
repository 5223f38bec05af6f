/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_help.h - help at three levels, made from the table of commands.
 *
 * Called by tools/ctl_run.c. Prints on standard output.
 */
#ifndef POSTERN_TOOLS_CTL_HELP_H
#define POSTERN_TOOLS_CTL_HELP_H

#include "tools/ctl.h"

/* All commands, by group. */
void help_overview(void);

/* The commands of one family, e.g. "block"; false if there is no such family. */
bool help_family(const char *family);

/* One command: synopsis, what it does, options, examples, exit codes. */
void help_command(const struct cli_command *command);

#endif
