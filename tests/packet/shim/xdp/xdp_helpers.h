/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for libxdp's header where the XDP program is compiled for the host: nothing to
 * configure. */
#define XDP_RUN_CONFIG(program) xdp_run_config_of_##program
