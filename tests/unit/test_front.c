/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of daemon/front: what a reload finds out before anything is in force, and what becomes of
 * one that a worker did not get. Here is no worker: loop/worker is a stand-in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf_fixture.h"
#include "daemon/front_internal.h"
#include "tls_fixture.h"

#define PROXY                                                                                      \
	"mode: proxy\nsmtp: {listen: [\"192.0.2.1:25\"], domains: [own.example], "                 \
	"backends: [\"192.0.2.2:25%s\"]%s}\n"

static bool memory_is_short;
static unsigned int posted;

bool workers_post(struct workers *workers, unsigned int number, worker_call call, void *arg)
{
	struct front_rules *rules = arg;

	(void)workers;
	(void)number;
	(void)call;
	if (memory_is_short)
		return false;
	posted++;
	front_drop(&rules);
	return true;
}

int workers_open(unsigned int count, const struct worker_ops *ops, void *arg, struct workers **out,
		 struct error *err)
{
	(void)count;
	(void)ops;
	(void)arg;
	(void)out;
	return error_set(err, ERROR_REFUSED, "there are none here");
}

void workers_close(struct workers **workers)
{
	(void)workers;
}

static struct conf *proxy(const char *tls, const char *more)
{
	char text[512];
	struct conf *conf;

	snprintf(text, sizeof(text), PROXY, tls, more);
	conf = read_conf(text);
	conf->state_directory[0] = '\0'; /* no key is kept */
	return conf;
}

/* A front with one worker. */
static int setup(void **state)
{
	struct front *front = calloc(1, sizeof(*front));
	struct error err;

	pthread_mutex_init(&front->lock, NULL);
	front->count = 1;
	front->rules = calloc(1, sizeof(*front->rules));
	front->rules->conf = proxy("", "");
	front->listen = front->rules->conf->smtp.listen;
	assert_int_equal(auth_open(front->rules->conf, &front->auth, &err), 0);
	memory_is_short = false;
	posted = 0;
	*state = front;
	return 0;
}

static int teardown(void **state)
{
	struct front *front = *state;

	front_drop(&front->rules);
	auth_close(&front->auth);
	pthread_mutex_destroy(&front->lock);
	free(front);
	return 0;
}

static bool reload(struct front *front, const struct conf *conf)
{
	struct front_rules *rules;
	struct error err;
	bool new_backends;

	assert_int_equal(front_prepare(front, conf, &rules, &err), 0);
	new_backends = rules->new_backends;
	front_apply(front, &rules);
	assert_null(rules);
	return new_backends;
}

static void backends_are_made_anew_when_they_change(void **state)
{
	struct conf *before = proxy("", ""), *after = proxy(" weight=2", "");

	assert_false(reload(*state, before));
	assert_true(reload(*state, after));
	assert_false(reload(*state, after));
	assert_int_equal(posted, 3);
	conf_free(&before);
	conf_free(&after);
}

/* It is made up for by the next reload, though its file is the same. */
static void a_worker_that_got_nothing_gets_it_later(void **state)
{
	struct conf *after = proxy(" weight=2", "");

	memory_is_short = true;
	assert_true(reload(*state, after));
	assert_true(reload(*state, after));
	memory_is_short = false;
	assert_true(reload(*state, after));
	assert_false(reload(*state, after));
	conf_free(&after);
}

static void authorities_are_read_before(void **state)
{
	struct conf *after = proxy(" verify=a.example", ", backend-ca: /nowhere/ca.pem");
	struct front *front = *state;
	const struct front_rules *before = front->rules;
	struct front_rules *rules;
	struct error err;

	assert_int_equal(front_prepare(front, after, &rules, &err), ERROR_REFUSED);
	assert_string_equal(err.text,
			    "smtp.backend-ca: /nowhere/ca.pem: No such file or directory");
	assert_null(rules);
	assert_ptr_equal(front->rules, before);
	conf_free(&after);
}

static void copy_file(const char *from, const char *to, const char *mode)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, mode);
	char octets[4096];
	size_t size;

	assert_non_null(in);
	assert_non_null(out);
	while ((size = fread(octets, 1, sizeof(octets), in)))
		assert_int_equal(fwrite(octets, 1, size, out), size);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* By what is in the file, whatever its name or its time. */
static void authorities_are_read_again(void **state)
{
	struct front *front = *state;
	struct made one, other;
	const struct front_rules *before;
	struct front_rules *rules;
	char option[200], path[128];
	struct conf *after;
	struct error err;

	make_certificate("one", KEY_P256, "DNS:a.example", &one);
	make_certificate("other", KEY_P256, "DNS:a.example", &other);
	make_file("ca.pem", "", path);
	snprintf(option, sizeof(option), ", backend-ca: \"%s\"", path);
	after = proxy(" verify=a.example", option);
	copy_file(one.chain, path, "w");
	assert_true(reload(front, after));
	assert_false(reload(front, after));
	copy_file(one.chain, path, "w");
	assert_false(reload(front, after));
	copy_file(other.chain, path, "w");
	assert_true(reload(front, after));
	copy_file(one.chain, path, "a");
	assert_true(reload(front, after));
	assert_false(reload(front, after));
	/* Cut short: the reload is refused, and what was read stays. */
	before = front->rules;
	assert_int_equal(truncate(path, 400), 0);
	assert_int_equal(front_prepare(front, after, &rules, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "smtp.backend-ca: /"));
	assert_null(rules);
	assert_ptr_equal(front->rules, before);
	conf_free(&after);
}

/* Where nothing is read there is nothing new. */
static void contexts_without_authorities(void **state)
{
	struct conf *after = proxy(" starttls", "");

	assert_true(reload(*state, after));
	assert_false(reload(*state, after));
	conf_free(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(backends_are_made_anew_when_they_change, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_worker_that_got_nothing_gets_it_later, setup,
						teardown),
		cmocka_unit_test_setup_teardown(authorities_are_read_before, setup, teardown),
		cmocka_unit_test_setup_teardown(authorities_are_read_again, setup, teardown),
		cmocka_unit_test_setup_teardown(contexts_without_authorities, setup, teardown),
	};

	return cmocka_run_group_tests(tests, certificates_setup, certificates_teardown);
}
