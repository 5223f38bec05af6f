/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/files.c - see session/files.h.
 */
#define _GNU_SOURCE /* setgroups, seteuid */
#include "session/files.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "accounts/users.h"
#include "loop/tls.h"
#include "session/own.h"
#include "session/smtp/relay.h"

struct look {
	const struct conf *conf;
	bool agent; /* with the rights of the agent's user */
	void (*unseen)(const char *text, void *arg);
	void *arg;
	struct error *err;
};

/* Rights */

static bool is_agent(const struct passwd *user)
{
	return user && user->pw_uid == geteuid();
}

/* Takes the rights of the agent's user, where that can be undone. */
static bool become(const struct passwd *user)
{
	if (geteuid() != 0 || !user || user->pw_uid == 0)
		return false;
	if (setgroups(0, NULL) || setegid(user->pw_gid))
		return false;
	if (!seteuid(user->pw_uid))
		return true;
	(void)!setegid(0);
	return false;
}

/* Groups do not come back: root needs none of them. */
static int be_root_again(struct error *err)
{
	if (!seteuid(0) && !setegid(0))
		return 0;
	return error_errno(err, ERROR_REFUSED, errno, "cannot become root again");
}

/* Files */

/* The place in the configuration goes before what is wrong. */
static int refuse(const struct look *look, const char *option)
{
	char origin[CONF_ORIGIN_MAX];

	return error_prefix(look->err, "%s: %s", conf_origin(look->conf, option, origin), option);
}

static int refuse_denied(const struct look *look, const char *option, const char *file)
{
	error_set(look->err, ERROR_REFUSED,
		  "%s: permission denied: the user \"%s\" has to be able to read it", file,
		  look->conf->user);
	return refuse(look, option);
}

static void tell_unseen(const struct look *look, const char *file)
{
	struct error text;

	error_set(&text, 0,
		  "%s cannot be looked at: permission denied; the user \"%s\" has to be able to "
		  "read it",
		  file, look->conf->user);
	look->unseen(text.text, look->arg);
}

/* Whether it can be opened; else it has been told of, or is refused. */
static bool can_open(const struct look *look, const char *option, const char *file, int *failed)
{
	const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	*failed = 0;
	if (fd >= 0) {
		close(fd);
		return true;
	}
	if (errno != EACCES && errno != EPERM) {
		error_errno(look->err, ERROR_REFUSED, errno, "%s", file);
		*failed = refuse(look, option);
	} else if (look->agent) {
		*failed = refuse_denied(look, option, file);
	} else {
		tell_unseen(look, file);
	}
	return false;
}

static int look_at_certificate(const struct look *look, const struct conf_certificate *files)
{
	static const char option[] = "tls.certificates";
	const struct tls_certificate certificate = { files->chain, files->key };
	struct tls_context *context;
	int failed;
	const bool chain = can_open(look, option, files->chain, &failed);

	if (failed || !can_open(look, option, files->key, &failed) || !chain)
		return failed;
	if (tls_server_open(&certificate, 1, &context, look->err))
		return refuse(look, option);
	tls_unref(&context);
	return 0;
}

static int look_at_certificates(const struct look *look)
{
	const struct conf_certificates *all = &look->conf->tls.certificates;
	int failed = 0;

	for (size_t i = 0; i < all->count && !failed; i++)
		failed = look_at_certificate(look, &all->certificate[i]);
	return failed;
}

static int look_at_users(const struct look *look)
{
	static const char option[] = "smtp.users";
	const char *file = look->conf->smtp.users;
	struct users *users;
	int failed = 0;

	if (!*file || !can_open(look, option, file, &failed))
		return failed;
	if (users_open(file, &users, look->err))
		return refuse(look, option);
	users_release(&users);
	return 0;
}

static int look_at_recipients(const struct look *look)
{
	static const char option[] = "smtp.recipients";
	const char *file = look->conf->smtp.recipients;
	struct relay *relay;
	int failed = 0;

	if (!*file || !can_open(look, option, file, &failed))
		return failed;
	if (relay_open(look->conf, &relay, look->err))
		return refuse(look, option);
	relay_unref(&relay);
	return 0;
}

static int look_at_authorities(const struct look *look)
{
	static const char option[] = "smtp.backend-ca";
	const char *file = look->conf->smtp.backend_ca;
	const struct tls_client_options options = { .verify = TLS_VERIFY_CA, .ca_file = file };
	struct tls_context *context;
	int failed = 0;

	if (!*file || !can_open(look, option, file, &failed))
		return failed;
	if (tls_client_open(&options, &context, look->err))
		return refuse(look, option);
	tls_unref(&context);
	return 0;
}

static int look_at_all(const struct look *look)
{
	int failed = look_at_certificates(look);

	if (!failed)
		failed = look_at_users(look);
	if (!failed)
		failed = look_at_recipients(look);
	return failed ? failed : look_at_authorities(look);
}

int files_check(const struct conf *conf, void (*unseen)(const char *text, void *arg), void *arg,
		struct error *err)
{
	const struct passwd *user = getpwnam(conf->user);
	struct look look = { .conf = conf, .unseen = unseen, .arg = arg, .err = err };
	int failed;
	bool changed;

	if (conf->role != CONF_ROLE_PROXY)
		return 0;
	if (own_refuse_loop(conf, &conf->smtp.listen, err))
		return ERROR_REFUSED;
	changed = become(user);
	look.agent = changed || is_agent(user);
	failed = look_at_all(&look);
	if (changed && be_root_again(failed ? NULL : err))
		return ERROR_REFUSED;
	return failed;
}
