/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check_fixture.h - a check that is under way on a script of the DNS (tests/replay/dns_script.h),
 * for the tests of those that are begun, tell their result once, and may be ended whenever.
 */
#ifndef POSTERN_TESTS_CHECK_FIXTURE_H
#define POSTERN_TESTS_CHECK_FIXTURE_H

#include "tests/replay/dns_script.h"

struct check_scene;

/* One check's own functions, as they are called here. */
struct check_kind {
	/* Begins it on `what`, which is the test's, with check_answered() for its callback. */
	void *(*start)(struct dns *dns, const void *what, struct check_scene *scene);
	const void *(*result)(void *check);
	void (*end)(void *check);
};

struct check_scene {
	const struct check_kind *kind;
	struct dns_script *script;
	void *check; /* NULL when it has been ended inside its callback */
	unsigned int calls;
	bool end_inside;
};

/* It has told nothing yet. */
void check_start(struct check_scene *scene, const struct check_kind *kind, const char *zone,
		 const void *what);
/* For the check's callback. */
void check_answered(struct check_scene *scene, const void *result);
/* Lets the time pass that it takes; its result. */
const void *check_run(struct check_scene *scene);
/* Nothing that it asked is left. */
void check_end(struct check_scene *scene);

/* Ends it at once, while it waits for answers, when it is done, and inside its callback. */
void check_end_at_every_moment(const struct check_kind *kind, const char *zone, const void *what);

#endif
