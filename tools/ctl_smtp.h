/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_smtp.h - the part of `status` about the SMTP front: sessions, messages, backends.
 */
#ifndef POSTERN_TOOLS_CTL_SMTP_H
#define POSTERN_TOOLS_CTL_SMTP_H

#include <jansson.h>

#include "lib/error.h"

/* `smtp` is that member of the status; prints nothing if there is none. */
int smtp_print(const json_t *smtp, struct error *err);

#endif
