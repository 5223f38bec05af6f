/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handover - hands messages to the backends of a configuration, for tests/lab/test_backend.py.
 *
 * usage: handover CONFIGURATION RECIPIENT COUNT < MESSAGE
 *
 * The message is handed over COUNT times, one after the other, each for another client: from
 * 203.0.113.1 on, called cN.example, which says helo-N.example. What the sender would be told is
 * one line each, and at the end comes one line of figures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "loop/spool.h"

static struct {
	uv_loop_t loop;
	struct backends *backends;
	struct backend_mail *mail;
	struct spool *spool;
	const char *recipient;
	unsigned long number, count;
	uv_timer_t start;
} program;

static void next(void);

static void on_reply(struct backend_mail *mail, enum backend_step step, size_t number,
		     const struct backend_reply *reply, void *arg)
{
	static const char *const names[] = { "MAIL", "RCPT", "MESSAGE" };

	(void)number;
	(void)arg;
	printf("%lu %s %u %s\n", program.number, names[step], reply->code, reply->text);
	if (step == BACKEND_STEP_MAIL) {
		backend_mail_rcpt(mail, program.recipient);
	} else if (step == BACKEND_STEP_RCPT) {
		backend_mail_message(mail, program.spool);
	} else {
		backend_mail_end(&program.mail);
		next();
	}
}

static void print_figures(void)
{
	struct backend_info info;

	for (size_t i = 0; i < backends_count(program.backends); i++) {
		backends_info(program.backends, i, &info);
		printf("%s %s connections %lu reused %lu accepted %lu ambiguous %lu %s\n",
		       info.name, info.up ? "up" : "down", info.connections, info.reused,
		       info.accepted, info.ambiguous, info.why);
	}
}

static void next(void)
{
	char name[64], helo[64];
	struct backend_client client = { .local = addr_from_ipv4(0xc6336401),
					 .local_port = 25,
					 .name = name,
					 .helo = helo,
					 .esmtp = true,
					 .login = "" };

	if (program.number == program.count) {
		print_figures();
		uv_close((uv_handle_t *)&program.start, NULL);
		backends_close(&program.backends);
		return;
	}
	program.number++;
	client.addr = addr_from_ipv4(0xcb007100 + (uint32_t)program.number);
	client.port = (uint16_t)(40000 + program.number);
	snprintf(name, sizeof(name), "c%lu.example", program.number);
	snprintf(helo, sizeof(helo), "helo-%lu.example", program.number);
	program.mail = backend_mail_start(program.backends, &client, "<sender@client.example>", 0,
					  on_reply, NULL);
}

static void on_start(uv_timer_t *timer)
{
	(void)timer;
	next();
}

static int read_message(void)
{
	static struct spool_limits limits = { "/tmp", 1 << 20, 1 << 24, 0, 1 << 28, 0 };
	char piece[65536];
	struct error err;
	size_t size;

	program.spool = spool_new(&limits);
	while ((size = fread(piece, 1, sizeof(piece), stdin)) > 0) {
		if (spool_write(program.spool, piece, size, &err)) {
			fprintf(stderr, "handover: %s\n", err.text);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	struct backend_tls tls;
	struct conf *conf;

	if (argc != 4 || conf_load(argv[1], &conf, &err) || read_message()) {
		fprintf(stderr, "handover: CONFIGURATION RECIPIENT COUNT: %s\n", err.text);
		return 2;
	}
	program.recipient = argv[2];
	program.count = strtoul(argv[3], NULL, 10);
	uv_loop_init(&program.loop);
	if (backend_tls_open(conf, &tls, &err) ||
	    backends_open(&program.loop, conf, &tls, &program.backends, &err)) {
		fprintf(stderr, "handover: %s\n", err.text);
		return 1;
	}
	backend_tls_unref(&tls);
	/* When the first dialogues are over, so that they do not count. */
	uv_timer_init(&program.loop, &program.start);
	uv_timer_start(&program.start, on_start, 1000, 0);
	uv_run(&program.loop, UV_RUN_DEFAULT);
	spool_free(&program.spool);
	conf_free(&conf);
	return 0;
}
