/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/refusal.h - what `why ID` shows of a refusal of the SMTP front.
 */
#ifndef POSTERN_OBS_REFUSAL_H
#define POSTERN_OBS_REFUSAL_H

#include <jansson.h>

#include "session/smtp/refusals.h"

/*
 * {time, source, reason, help, detail, helo, from, user, score, lists, findings: [name]}. A new
 * reference, or NULL.
 */
json_t *refusal_json(const struct session_refusal *refusal);

/* The names of findings: a new reference, or NULL. */
json_t *finding_names_json(finding_set findings);

#endif
