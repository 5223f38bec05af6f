/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of session/files.h: what is wrong with the files that a configuration names, and where; and
 * who may read them.
 */
#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf_fixture.h"
#include "session/files.h"
#include "tls_fixture.h"

#define NOBODY   65534
#define MAX_TEXT 1024

static struct made one, other;
static char own_name[CONF_ACCOUNT_MAX]; /* of who runs the test */

static int setup(void **state)
{
	if (certificates_setup(state))
		return -1;
	make_certificate("one", KEY_P256, "DNS:mx.own.example", &one);
	make_certificate("other", KEY_P256, "DNS:mx2.own.example", &other);
	snprintf(own_name, sizeof(own_name), "%s", getpwuid(geteuid())->pw_name);
	return 0;
}

static void count_unseen(const char *text, void *count)
{
	assert_non_null(strstr(text, "cannot be looked at: permission denied; the user \""));
	(*(unsigned int *)count)++;
}

/* What is said of a configuration with these options; "" if nothing is wrong. */
static const char *said_of(const char *user, const char *smtp, const char *certificates,
			   unsigned int *unseen)
{
	static struct error err;
	char text[MAX_TEXT];
	struct conf *conf;
	int failed;

	snprintf(text, sizeof(text),
		 "mode: proxy\ninterfaces: [eth0]\nuser: %s\n"
		 "smtp: {listen: [\"192.0.2.1:25\"], domains: [own.example], backends: "
		 "[\"192.0.2.99:25\"]%s}\ntls: {certificates: [%s]}\n",
		 user, smtp, certificates);
	conf = read_conf(text);
	*unseen = 0;
	err = (struct error){ 0 };
	failed = files_check(conf, count_unseen, unseen, &err);
	assert_int_equal(failed, *err.text ? ERROR_REFUSED : 0);
	free(conf);
	return err.text;
}

static const char *said(const char *smtp, const char *certificates)
{
	unsigned int unseen;
	const char *text = said_of(own_name, smtp, certificates, &unseen);

	assert_int_equal(unseen, 0);
	return text;
}

static void assert_said(const char *text, const char *place, const char *what)
{
	if (strncmp(text, place, strlen(place)) != 0 || !strstr(text, what) || strchr(text, '\n'))
		fail_msg("not %s ... %s: %s", place, what, text);
}

static void certificates(void **state)
{
	static const char place[] = TEST_FILE ":5: tls.certificates: ";
	char pair[300], wrong[300], missing[350], swapped[300];

	(void)state;
	snprintf(pair, sizeof(pair), "\"%s %s\"", one.chain, one.key);
	snprintf(wrong, sizeof(wrong), "\"%s %s\"", one.chain, other.key);
	snprintf(missing, sizeof(missing), "%s, \"/nowhere/chain /nowhere/key\"", pair);
	snprintf(swapped, sizeof(swapped), "\"%s %s\"", one.key, one.key);
	assert_string_equal(said("", ""), "");
	assert_string_equal(said("", pair), "");
	assert_said(said("", wrong), place, "not the key of the certificate in ");
	assert_said(said("", wrong), place, other.key);
	assert_said(said("", missing), place, "/nowhere/chain: No such file");
	assert_said(said("", swapped), place, "no certificate in PEM form");
}

/* A file with this text and mode, as an option of smtp. */
static const char *said_with(const char *option, const char *text, mode_t mode)
{
	char path[128], smtp[200];

	make_file(option, text, path);
	assert_int_equal(chmod(path, mode), 0);
	snprintf(smtp, sizeof(smtp), ", %s: \"%s\"", option, path);
	return said(smtp, "");
}

static void other_files(void **state)
{
	static const char place[] = TEST_FILE ":4: ";

	(void)state;
	assert_string_equal(said_with("recipients", "a@own.example\n", 0600), "");
	assert_said(said_with("recipients", "a@own.example\nb@other.example\n", 0600), place,
		    "/recipients:2: the domain is not in smtp.domains");
	assert_said(said(", recipients: /nowhere/file", ""), place,
		    "smtp.recipients: /nowhere/file: No such file");
	assert_said(said_with("users", "ann\n", 0600), place, "/users:1: ");
	assert_said(said_with("users", "", 0644), place, "smtp.users: ");
	assert_said(said_with("users", "", 0644), place, "chmod 640");
	assert_said(said_with("backend-ca", "none\n", 0600), place, "smtp.backend-ca: ");
	assert_said(said(", users: /", ""), place, "not a regular file");
}

/* Files of mode filter and guard are none. */
static void other_modes(void **state)
{
	struct conf *conf = read_defaults();
	struct error err;

	(void)state;
	assert_int_equal(files_check(conf, NULL, NULL, &err), 0);
	free(conf);
}

/* Root looks with the eyes of the agent's user, and is root again afterwards. */
static void denied(void **state)
{
	char pair[300], directory[128];
	unsigned int unseen;
	const char *text;

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(directory, sizeof(directory), "%s", one.chain);
	assert_int_equal(chmod(dirname(directory), 0755), 0);
	assert_int_equal(chmod(one.chain, 0644), 0);
	assert_int_equal(chmod(one.key, 0400), 0);
	snprintf(pair, sizeof(pair), "\"%s %s\"", one.chain, one.key);
	text = said_of("nobody", "", pair, &unseen);
	assert_said(text, TEST_FILE ":5: tls.certificates: ",
		    "/one.key: permission denied: the user \"nobody\" has to be able to read it");
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
	assert_int_equal(unseen, 0);
	/* Somebody else cannot tell. */
	assert_int_equal(seteuid(NOBODY), 0);
	text = said_of("daemon", "", pair, &unseen);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(text, "");
	assert_int_equal(unseen, 1);
	assert_int_equal(chown(one.key, NOBODY, (gid_t)-1), 0);
	assert_string_equal(said_of("nobody", "", pair, &unseen), "");
	assert_int_equal(unseen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates),
		cmocka_unit_test(other_files),
		cmocka_unit_test(other_modes),
		cmocka_unit_test(denied),
	};

	return cmocka_run_group_tests(tests, setup, certificates_teardown);
}
