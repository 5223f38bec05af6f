/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/main.c - posternd: the command line of the agent.
 *
 * Exit codes: 0 done, or ended by a signal; 1 the agent could not start; 2 usage.
 */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "accounts/auth.h"
#include "conf/doubt.h"
#include "daemon/daemon.h"
#include "lib/log.h"
#include "session/files.h"
#include "version.h"

/*
 * Threads of libuv's pool, so that nothing waits for something else: one for changes,
 * CTL_STREAMS_MAX for long answers, GUARD_EXPLAIN_MAX that wait for lookups, AUTH_HASHES_MAX for
 * passwords, one each for expiry, reload, the summary, SYN cookies and the history, and two for
 * short questions.
 */
#define POOL_THREADS     (1 + CTL_STREAMS_MAX + GUARD_EXPLAIN_MAX + AUTH_HASHES_MAX + 5 + 2)
#define POOL_THREADS_MAX 12 /* characters of that number */

#define EXIT_USAGE 2

enum task { TASK_RUN, TASK_CHECK, TASK_VERSION, TASK_REFERENCE, TASK_EXAMPLE, TASK_HELP };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 'k' },
	{ "version", no_argument, NULL, 'V' },
	{ "reference", no_argument, NULL, 'r' },
	{ "example", no_argument, NULL, 'e' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char usage[] =
	"usage: posternd [-c FILE] [--check | --version | --reference | --example | --help]\n"
	"\n"
	"The agent of the Postern connection filter. Runs in the foreground and logs JSON to\n"
	"standard error. Start it as root: it loads the XDP program and becomes another user.\n"
	"\n"
	"  -c, --config FILE  the configuration, " CONF_FILE_DEFAULT " unless given\n"
	"  --check            read the configuration and the files that it names, say\n"
	"                     whether they are valid, and end\n"
	"  --example          print a configuration with every option and its default\n"
	"  --reference        print the options in mdoc(7), for postern.yaml(5)\n"
	"  --version          print the version\n"
	"  --help             print this\n";

/* Returns 0, or EXIT_USAGE after getopt has said what is wrong. */
static int parse_options(int argc, char **argv, enum task *task, const char **path)
{
	int letter;

	while ((letter = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		switch (letter) {
		case 'c':
			*path = optarg;
			break;
		case 'k':
			*task = TASK_CHECK;
			break;
		case 'V':
			*task = TASK_VERSION;
			break;
		case 'r':
			*task = TASK_REFERENCE;
			break;
		case 'e':
			*task = TASK_EXAMPLE;
			break;
		case 'h':
			*task = TASK_HELP;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0], argv[optind]);
		return EXIT_USAGE;
	}
	return 0;
}

static void print_doubts(const char *path, const struct conf *conf)
{
	const struct conf_scope scope = conf_scope(conf);
	const char *doubt[CONF_DOUBTS_MAX];
	const size_t count = conf_doubts(&scope, doubt);

	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "%s: warning: %s\n", path, doubt[i]);
}

static void print_unseen(const char *text, void *path)
{
	fprintf(stderr, "%s: warning: %s\n", (const char *)path, text);
}

static int check(const char *path)
{
	struct conf *conf = NULL;
	struct error err;

	int failed = conf_load(path, &conf, &err);

	if (!failed)
		failed = files_check(conf, print_unseen, (void *)path, &err);
	if (failed) {
		fprintf(stderr, "posternd: %s\n", err.text);
	} else {
		printf("%s: valid\n", path);
		print_doubts(path, conf);
	}
	conf_free(&conf);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define LARGE_BUFFER (1 << 20) /* bytes */

static int run(const char *path)
{
	char threads[POOL_THREADS_MAX];
	struct daemon daemon;
	struct error err;
	int failed;

	/* What held a whole list goes back to the system at once, instead of waiting for the next.
	 */
	mallopt(M_MMAP_THRESHOLD, LARGE_BUFFER);
	/* Read by libuv when its first thread starts, long after this. */
	snprintf(threads, sizeof(threads), "%d", POOL_THREADS);
	setenv("UV_THREADPOOL_SIZE", threads, 1);
	/* A peer that hangs up is an error of the write, not the end of the agent. */
	signal(SIGPIPE, SIG_IGN);
	if (daemon_start(&daemon, path, &err)) {
		log_error("agent.failed", "{s:s}", "error", err.text);
		return EXIT_FAILURE;
	}
	failed = daemon_serve(&daemon, &err);
	if (failed)
		log_error("agent.failed", "{s:s}", "error", err.text);
	daemon_stop(&daemon);
	uv_library_shutdown();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *path = CONF_FILE_DEFAULT;
	enum task task = TASK_RUN;

	if (parse_options(argc, argv, &task, &path))
		return EXIT_USAGE;
	switch (task) {
	case TASK_CHECK:
		return check(path);
	case TASK_VERSION:
		puts("posternd " POSTERN_VERSION);
		break;
	case TASK_REFERENCE:
		conf_reference(stdout);
		break;
	case TASK_EXAMPLE:
		conf_example(stdout);
		break;
	case TASK_HELP:
		fputs(usage, stdout);
		break;
	case TASK_RUN:
		return run(path);
	}
	return EXIT_SUCCESS;
}
