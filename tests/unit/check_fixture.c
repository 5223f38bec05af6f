/* SPDX-License-Identifier: GPL-2.0-only */
/* See tests/unit/check_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/check_fixture.h"

#define LONG_MS 60000

void check_start(struct check_scene *scene, const struct check_kind *kind, const char *zone,
		 const void *what)
{
	struct error err = { 0 };

	if (dns_script_open(zone, &scene->script, &err))
		fail_msg("%s", err.text);
	scene->kind = kind;
	scene->calls = 0;
	scene->check = kind->start(dns_script_dns(scene->script), what, scene);
	assert_non_null(scene->check);
	assert_null(kind->result(scene->check));
	assert_int_equal(scene->calls, 0);
}

static void end(struct check_scene *scene)
{
	if (scene->check)
		scene->kind->end(scene->check);
	scene->check = NULL;
}

void check_answered(struct check_scene *scene, const void *result)
{
	scene->calls++;
	assert_ptr_equal(result, scene->kind->result(scene->check));
	if (scene->end_inside)
		end(scene);
}

const void *check_run(struct check_scene *scene)
{
	assert_true(dns_script_run(scene->script, LONG_MS));
	assert_int_equal(scene->calls, 1);
	return scene->check ? scene->kind->result(scene->check) : NULL;
}

void check_end(struct check_scene *scene)
{
	end(scene);
	assert_int_equal(dns_script_pending(scene->script), 0);
	dns_script_close(&scene->script);
}

void check_end_at_every_moment(const struct check_kind *kind, const char *zone, const void *what)
{
	static const uint64_t moments[] = { 0, 500, 1000, 1500, 3000, 4500 };
	struct check_scene scene = { 0 };

	check_start(&scene, kind, zone, what);
	check_end(&scene);
	for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
		check_start(&scene, kind, zone, what);
		dns_script_advance(scene.script, moments[i]);
		check_end(&scene);
	}
	check_start(&scene, kind, zone, what);
	check_run(&scene);
	check_end(&scene);
	scene.end_inside = true;
	check_start(&scene, kind, zone, what);
	check_run(&scene);
	assert_null(scene.check);
	check_end(&scene);
}
