/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/state.c - see daemon/state.h.
 */
#include "daemon/state.h"

#include "accounts/auth.h"
#include "store/store.h"

/* Whatever made it, the package or systemd, it is there for Postern. */
static bool is_default(const struct conf *conf)
{
	return conf_is_preset(conf, "state-directory");
}

int state_make(const struct conf *conf, const struct account *account, struct error *err)
{
	const char *directory = conf->state_directory;
	int failed = privilege_make(directory, account, err);

	if (!failed && !is_default(conf))
		failed = privilege_check_owner(directory, account, conf->user, err);
	return failed ? error_prefix(err, "state-directory") : 0;
}

int state_give(const struct conf *conf, const struct account *account, struct error *err)
{
	static const char *const files[] = { STORE_FILES, AUTH_KEY_FILE };
	const char *directory = conf->state_directory;
	int failed = is_default(conf) ? privilege_give(directory, account, err) : 0;

	if (!failed)
		failed = privilege_give_files(directory, files, sizeof(files) / sizeof(files[0]),
					      account, err);
	return failed ? error_prefix(err, "state-directory") : 0;
}
