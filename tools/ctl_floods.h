/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_floods.h - the floods of an answer (status, stats, top) in words.
 */
#ifndef POSTERN_TOOLS_CTL_FLOODS_H
#define POSTERN_TOOLS_CTL_FLOODS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Prints a line for each port at which a flood is or was; `labels` puts them in the columns of
 * `status`, with a line about SYN cookies and one that says that there is none.
 */
void floods_print(const json_t *answer, bool labels);

/* "port 25 at 1.2M/s, port 587 at 40k/s": those that are on; "" if none is. Returns `out`. */
char *floods_now(const json_t *answer, char *out, size_t size);

#endif
