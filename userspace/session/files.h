/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/files.h - the files that a configuration of mode proxy names: certificates and keys,
 * users, recipients, and the CAs of backends; and backends that are this machine itself. Looked at
 * before an agent needs them.
 *
 * Called by posternd --check and posternctl config check. The files are read by the code that the
 * agent reads them with, and nothing of them is kept. Root reads them as the agent's user, because
 * that is who has to be able to; for a process with threads this is not.
 */
#ifndef POSTERN_SESSION_FILES_H
#define POSTERN_SESSION_FILES_H

#include "conf/conf.h"
#include "lib/error.h"

/*
 * Finds the first one that the agent would refuse: ERROR_REFUSED, with the place in the
 * configuration, the file or the backend, and what is wrong with it. `unseen` is told of each file
 * that whoever runs this may not read, though the agent's user perhaps may: a line about it, which
 * it copies.
 */
int files_check(const struct conf *conf, void (*unseen)(const char *text, void *arg), void *arg,
		struct error *err);

#endif
