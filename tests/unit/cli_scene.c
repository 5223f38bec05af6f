/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/cli_scene.c - see tests/unit/cli_scene.h.
 *
 * The thread of the agent ends when posternctl closes the connection, or, if it never connects,
 * when the play is over and says so through `over`.
 */
#define _GNU_SOURCE /* memfd_create, asprintf */
#include "tests/unit/cli_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/ctl.h"

#define PATH_TEXT_MAX 64
#define LINE_TEXT_MAX 4096
#define FLOOD_STEP    65536

struct agent {
	const struct scene_script *script;
	struct scene *scene;
	int listener, over;
};

static char directory[PATH_TEXT_MAX], socket_path[PATH_TEXT_MAX + 16];
static char file_path[PATH_TEXT_MAX * 2];

static void remove_directory(void)
{
	unlink(socket_path);
	if (file_path[0])
		unlink(file_path);
	rmdir(directory);
}

static const char *scene_directory(void)
{
	if (directory[0])
		return directory;
	snprintf(directory, sizeof(directory), "/tmp/postern-scene-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
	atexit(remove_directory);
	return directory;
}

const char *scene_file(const char *contents)
{
	FILE *file;

	snprintf(file_path, sizeof(file_path), "%s/file", scene_directory());
	file = fopen(file_path, "w");
	assert_non_null(file);
	fputs(contents, file);
	assert_int_equal(fclose(file), 0);
	return file_path;
}

/* A process that is stopped meanwhile, and goes on, has sent a part only. False: posternctl has had
 * enough. */
static bool send_all(int fd, const char *text, size_t size)
{
	ssize_t sent;

	for (; size; text += sent, size -= (size_t)sent) {
		sent = TEMP_FAILURE_RETRY(send(fd, text, size, MSG_NOSIGNAL));
		if (sent < 0)
			return false;
	}
	return true;
}

static void send_flood(int fd, size_t bytes)
{
	static char block[FLOOD_STEP];

	memset(block, 'x', sizeof(block));
	for (size_t sent = 0; sent < bytes; sent += sizeof(block))
		if (!send_all(fd, block, sizeof(block)))
			return;
}

static void read_payload(struct agent *agent, FILE *stream, const char *request)
{
	json_t *object = json_loads(request, 0, NULL);
	size_t size = (size_t)json_integer_value(json_object_get(object, "payload"));

	json_decref(object);
	if (!size || agent->script->ignore_payload)
		return;
	agent->scene->payload = malloc(size);
	agent->scene->payload_size = fread(agent->scene->payload, 1, size, stream);
}

/* Returns whether there is more to come. */
static bool answer(struct agent *agent, FILE *stream, const char *request)
{
	const struct scene_script *script = agent->script;
	struct scene *scene = agent->scene;
	const char *text;

	if (scene->requests == SCENE_REQUESTS_MAX)
		return false;
	text = script->answer[scene->requests];
	scene->request[scene->requests++] = strdup(request);
	read_payload(agent, stream, request);
	if (script->flood)
		send_flood(fileno(stream), script->flood);
	text = text ? text : SCENE_DONE;
	if (!send_all(fileno(stream), text, strlen(text)))
		return false;
	return !script->hang_up && !script->ignore_payload;
}

static void *agent_main(void *arg)
{
	struct agent *agent = arg;
	struct pollfd waits[] = { { .fd = agent->listener, .events = POLLIN },
				  { .fd = agent->over, .events = POLLIN } };
	char *request = NULL;
	size_t held = 0;
	FILE *stream;

	poll(waits, 2, -1);
	if (!(waits[0].revents & POLLIN))
		return NULL;
	stream = fdopen(accept(agent->listener, NULL, NULL), "r");
	while (stream && getline(&request, &held, stream) > 0 && answer(agent, stream, request))
		;
	if (stream)
		fclose(stream);
	free(request);
	return NULL;
}

static void agent_start(struct agent *agent, pthread_t *thread)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	agent->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	agent->over = eventfd(0, 0);
	assert_true(agent->listener >= 0 && agent->over >= 0);
	assert_int_equal(bind(agent->listener, (const struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(listen(agent->listener, 1), 0);
	assert_int_equal(pthread_create(thread, NULL, agent_main, agent), 0);
}

static void agent_stop(struct agent *agent, pthread_t thread)
{
	assert_int_equal(eventfd_write(agent->over, 1), 0);
	pthread_join(thread, NULL);
	close(agent->listener);
	close(agent->over);
}

int scene_split(const char *line, char *buffer, size_t size, char *argv[SCENE_WORDS_MAX])
{
	bool quoted = false, word = false;
	char *to = buffer;
	int argc = 0;

	for (; *line && to + 1 < buffer + size; line++) {
		if (*line == ' ' && !quoted) {
			if (word)
				*to++ = '\0';
			word = false;
			continue;
		}
		if (!word && argc < SCENE_WORDS_MAX - 1)
			argv[argc++] = to;
		word = true;
		if (*line == '\'')
			quoted = !quoted;
		else
			*to++ = *line;
	}
	*to = '\0';
	argv[argc] = NULL;
	return argc;
}

/* Puts a memory file, with `text` in it, in the place of a descriptor; returns what was there. */
static int replace_fd(int fd, const char *text)
{
	int saved = dup(fd), memory = memfd_create("scene", 0);

	assert_true(saved >= 0 && memory >= 0);
	if (text)
		assert_int_equal(write(memory, text, strlen(text)), (ssize_t)strlen(text));
	lseek(memory, 0, SEEK_SET);
	dup2(memory, fd);
	close(memory);
	return saved;
}

/* Puts back what was there; returns what was written meanwhile. */
static char *restore_fd(int fd, int saved)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	if (text)
		(void)!pread(fd, text, (size_t)size, 0);
	dup2(saved, fd);
	close(saved);
	return text;
}

static void play_caught(const struct scene_script *script, int argc, char **argv,
			struct scene *scene)
{
	int in, out, err;

	fflush(stdout);
	fflush(stderr);
	in = replace_fd(STDIN_FILENO, script ? script->input : NULL);
	out = replace_fd(STDOUT_FILENO, NULL);
	err = replace_fd(STDERR_FILENO, NULL);
	scene->code = ctl_run(argc, argv);
	fflush(stdout);
	fflush(stderr);
	scene->err = restore_fd(STDERR_FILENO, err);
	scene->out = restore_fd(STDOUT_FILENO, out);
	free(restore_fd(STDIN_FILENO, in));
	assert_non_null(scene->out);
	assert_non_null(scene->err);
}

void scene_play(const struct scene_script *script, const char *line, struct scene *scene)
{
	char whole[LINE_TEXT_MAX], buffer[LINE_TEXT_MAX], *argv[SCENE_WORDS_MAX];
	struct agent agent = { .script = script, .scene = scene };
	pthread_t thread;
	int argc;

	memset(scene, 0, sizeof(*scene));
	scene_directory();
	unlink(socket_path);
	setenv("POSTERN_SOCKET", socket_path, 1);
	snprintf(whole, sizeof(whole), "posternctl %s", line);
	argc = scene_split(whole, buffer, sizeof(buffer), argv);
	if (script)
		agent_start(&agent, &thread);
	play_caught(script, argc, argv, scene);
	if (script)
		agent_stop(&agent, thread);
}

void scene_clear(struct scene *scene)
{
	for (size_t i = 0; i < scene->requests; i++)
		free(scene->request[i]);
	free(scene->out);
	free(scene->err);
	free(scene->payload);
	memset(scene, 0, sizeof(*scene));
}
