/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top_text.h - a snapshot of `posternctl top` as text, for pipes and files.
 */
#ifndef POSTERN_TOOLS_CTL_TOP_TEXT_H
#define POSTERN_TOOLS_CTL_TOP_TEXT_H

#include "tools/ctl_top_model.h"

/* Sorts the model and prints it. */
int top_text_print(struct top_model *model, struct error *err);

#endif
