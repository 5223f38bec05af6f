/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/cli_scene.h - posternctl on a stage: a command line, and an agent that follows a
 * script.
 *
 * Used by the tests of tools/. The agent is a thread on a real unix socket in a directory of its
 * own; posternctl is the real code, called in this process with its output caught. What the agent
 * was asked is kept, so that a test can say both what was sent and what was printed.
 */
#ifndef POSTERN_TESTS_CLI_SCENE_H
#define POSTERN_TESTS_CLI_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#define SCENE_REQUESTS_MAX 4
#define SCENE_DONE         "{\"ok\": true, \"result\": {}}\n"

struct scene_script {
	/* What is sent after the n-th request, as it is; NULL is SCENE_DONE, "" is nothing. */
	const char *answer[SCENE_REQUESTS_MAX];
	size_t flood;        /* after the first request: so many bytes without a newline */
	bool hang_up;        /* close after the first answer */
	bool ignore_payload; /* answer, and then close, without reading what follows the line */
	const char *input;   /* standard input; NULL is nothing */
};

struct scene {
	int code; /* exit code */
	char *out, *err;
	char *request[SCENE_REQUESTS_MAX];
	size_t requests;
	char *payload;
	size_t payload_size;
};

/*
 * Plays a command line, without "posternctl". Words are parted by blanks; 'single quotes' keep them
 * together. `script` NULL: there is no agent.
 */
void scene_play(const struct scene_script *script, const char *line, struct scene *scene);
void scene_clear(struct scene *scene);

/* Splits a command line into argv, whose strings point into `buffer`; returns how many. */
#define SCENE_WORDS_MAX 16
int scene_split(const char *line, char *buffer, size_t size, char *argv[SCENE_WORDS_MAX]);

/* A file with these contents; there is one at a time. Returns its path. */
const char *scene_file(const char *contents);

#endif
