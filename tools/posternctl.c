/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/posternctl.c - the command line of Postern: the process around tools/ctl_run.c.
 *
 * What a command line means, and everything that is printed, is decided there; here is only what a
 * process has once. A closed pipe behind standard output ends it quietly, as it ends any filter.
 */
#include <locale.h>
#include <signal.h>

#include "tools/ctl.h"

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C"); /* digits and points look the same everywhere */
	signal(SIGPIPE, SIG_DFL);
	return ctl_run(argc, argv);
}
