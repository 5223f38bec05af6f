/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/reload.c - applies a changed configuration file, on `posternctl reload` and on SIGHUP.
 *
 * First everything that can fail: reading, checking, attaching; then what cannot. So a reload that
 * is refused has changed nothing. Options that only a restart can change are named in the answer,
 * every time until there is one. Runs in a thread of the pool.
 */
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/interfaces.h"
#include "lib/log.h"

struct changes {
	json_t *applied;
	json_t *overridden; /* the file's value waits until posternctl's own is taken back */
	json_t *restart_needed;
};

static void note_applied(const char *name, bool reloadable, void *arg)
{
	struct changes *changes = arg;
	char origin[CONF_ORIGIN_MAX];
	bool operator_set;

	if (!reloadable)
		return;
	operator_set = !strcmp(conf_origin(conf_read_begin(), name, origin), "operator");
	conf_read_end();
	json_array_append_new(operator_set ? changes->overridden : changes->applied,
			      json_string(name));
}

static void note_restart(const char *name, bool reloadable, void *arg)
{
	struct changes *changes = arg;

	if (!reloadable)
		json_array_append_new(changes->restart_needed, json_string(name));
}

/*
 * What is reloadable differs from the file read last; what is not, from the one at the start. The
 * front reads the files that are named there anew, whether or not their names have changed.
 */
static json_t *describe(const struct daemon *daemon, const struct conf *next)
{
	struct changes changes = { json_array(), json_array(), json_array() };
	bool unchanged;

	conf_diff(daemon->file, next, note_applied, &changes);
	conf_diff(daemon->started, next, note_restart, &changes);
	unchanged = !json_array_size(changes.applied) && !json_array_size(changes.overridden) &&
		    !json_array_size(changes.restart_needed);
	return json_pack("{s:o, s:o, s:o, s:b, s:b}", "applied", changes.applied, "overridden",
			 changes.overridden, "restart_needed", changes.restart_needed, "unchanged",
			 (int)unchanged, "files_read", (int)(daemon->front != NULL));
}

/* Takes over `next` if it is applied. */
static int apply(struct daemon *daemon, struct conf **next, struct error *err)
{
	struct attached attached;
	struct front_rules *rules = NULL;
	struct guard_lists *lists = NULL;
	int failed = interfaces_attach(daemon->gate, *next, &attached, err);

	if (failed)
		return failed;
	failed = front_prepare(daemon->front, *next, &rules, err);
	if (!failed)
		failed = guard_prepare(*next, &lists, err);
	if (!failed)
		failed = tuning_reload(daemon->tuning, *next, err);
	if (failed) {
		guard_drop_lists(&lists);
		front_drop(&rules);
		interfaces_undo(daemon->gate, &attached);
		return failed;
	}
	guard_reload(daemon->guard, &lists);
	front_apply(daemon->front, &rules);
	event_log_set_rate(daemon->events, (*next)->events.rate);
	log_set_level((*next)->log.level);
	failed = interfaces_detach_dropped(daemon->gate, daemon->file, *next, err);
	conf_free(&daemon->file);
	daemon->file = *next;
	*next = NULL;
	return failed ? error_prefix(err, "everything else is in effect, but") : 0;
}

/*
 * Of the sections of the front nothing is required in another mode, so a file without mode: proxy
 * may have no domains and no backends: with it the front would refuse everybody's mail for good.
 */
static int refuse_other_mode(const struct daemon *daemon, const struct conf *next,
			     struct error *err)
{
	if (!daemon->front || next->role == CONF_ROLE_PROXY)
		return 0;
	return error_set(err, ERROR_REFUSED,
			 "%s: mode is not proxy there, and mail is taken: restart posternd",
			 daemon->config_path);
}

/* Under the lock the file is read, too, or of two reloads at once the older file might come last.
 */
static int reload(struct daemon *daemon, json_t **changes, struct error *err)
{
	struct conf *next;
	int failed = conf_load(daemon->config_path, &next, err);

	if (failed)
		return failed;
	failed = refuse_other_mode(daemon, next, err);
	if (!failed) {
		*changes = describe(daemon, next);
		failed = apply(daemon, &next, err);
	}
	conf_free(&next);
	return failed;
}

int daemon_reload(struct daemon *daemon, json_t **result, struct error *err)
{
	json_t *changes = NULL;
	int failed;

	pthread_mutex_lock(&daemon->reloading);
	failed = reload(daemon, &changes, err);
	pthread_mutex_unlock(&daemon->reloading);
	if (failed) {
		json_decref(changes);
		return failed;
	}
	log_info("config.reloaded", "{s:s, s:O}", "file", daemon->config_path, "changes", changes);
	daemon_log_doubts(daemon);
	*result = changes;
	return 0;
}
