/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_reputation.h - what the guard knows of an address, for `why`.
 */
#ifndef POSTERN_CTL_CTL_REPUTATION_H
#define POSTERN_CTL_CTL_REPUTATION_H

#include "ctl/agent.h"

/*
 * {mode, verdict, history, learned, now}: what was found when the source was seen, what it has done
 * before, what the kernel knows, and what the lookups say at this moment (see
 * session/guard_json.c). Each is null where there is nothing; the lookups are made but in
 * filter mode. A new reference. May wait for the DNS.
 */
json_t *reputation_json(const struct ctl_agent *agent, const struct addr *addr);

#endif
