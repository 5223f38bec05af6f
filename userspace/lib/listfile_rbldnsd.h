/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_rbldnsd.h - the addresses at the start of an entry of rbldnsd. Internal to
 * lib/listfile.
 */
#ifndef POSTERN_LIB_LISTFILE_RBLDNSD_H
#define POSTERN_LIB_LISTFILE_RBLDNSD_H

#include "lib/listfile_internal.h"

/* Reads them and moves `line` behind them and the blanks that follow. */
int rbldnsd_addresses(struct span *line, struct item *out, struct error *err);

#endif
