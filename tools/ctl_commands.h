/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_commands.h - the rows of all commands, each defined beside its code.
 */
#ifndef POSTERN_TOOLS_CTL_COMMANDS_H
#define POSTERN_TOOLS_CTL_COMMANDS_H

#include "tools/ctl.h"

extern const struct cli_command command_status; /* ctl_status.c */
extern const struct cli_command command_stats;  /* ctl_stats.c */
extern const struct cli_command command_top;    /* ctl_top.c */
extern const struct cli_command command_why;    /* ctl_why.c */
extern const struct cli_command command_attach; /* ctl_interface.c */
extern const struct cli_command command_detach;
extern const struct cli_command command_block_add; /* ctl_list.c */
extern const struct cli_command command_block_del;
extern const struct cli_command command_block_test;
extern const struct cli_command command_block_show;
extern const struct cli_command command_block_clear;
extern const struct cli_command command_allow_add;
extern const struct cli_command command_allow_del;
extern const struct cli_command command_allow_test;
extern const struct cli_command command_allow_show;
extern const struct cli_command command_allow_clear;
extern const struct cli_command command_block_load; /* ctl_load.c */
extern const struct cli_command command_allow_load;
extern const struct cli_command command_limits_show; /* ctl_limits.c */
extern const struct cli_command command_limits_set;
extern const struct cli_command command_monitor;      /* ctl_monitor.c */
extern const struct cli_command command_reload;       /* ctl_reload.c */
extern const struct cli_command command_config_check; /* ctl_config.c */
extern const struct cli_command command_check_ip;     /* ctl_check_ip.c */
extern const struct cli_command command_check_spf;    /* ctl_check_spf.c */
extern const struct cli_command command_check_mx;     /* ctl_check_mx.c */

#endif
