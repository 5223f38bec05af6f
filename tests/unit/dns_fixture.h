/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A resolver, and scripted servers for it, on one loop: what a real server cannot be made to do.
 *
 * Everything is one thread, so a test says when what happens: questions are held until it lets them
 * go, and it runs the loop until something is so, with patience for a machine that is busy.
 */
#ifndef POSTERN_TESTS_DNS_FIXTURE_H
#define POSTERN_TESTS_DNS_FIXTURE_H

#include "dns/resolver.h"
#include "tests/unit/dns_message.h"

#define FAKES     2
#define HELD_MAX  4096
#define LONG_MS   20000 /* a time-out that is never waited for */
#define SHORT_MS  100   /* one that is */
#define TEXT_KEPT 8192

enum reaction { REACTION_ANSWER, REACTION_SILENT, REACTION_HOLD, REACTION_CLOSE };

struct fake_question {
	char name[DNS_NAME_MAX + 1];
	uint16_t id, type;
	bool tcp, edns;
};

struct fake;
/* Says what to do, and makes the answer for REACTION_ANSWER. */
typedef enum reaction (*fake_script)(struct fake *fake, const struct fake_question *question,
				     struct built *out);

struct fake_peer;
struct fake {
	uv_udp_t udp;
	uv_tcp_t tcp;
	uint16_t port;
	fake_script script;
	uint64_t seen, seen_tcp; /* questions */
	char last[DNS_NAME_MAX + 1];
	struct held {
		struct fake_question question;
		struct sockaddr_in peer; /* UDP */
	} * held;
	size_t held_count;
	bool listening;
};

struct dns_lab {
	uv_loop_t loop;
	uv_timer_t patience;
	bool impatient;
	struct fake fake[FAKES];
	struct dns_options options;
	struct dns_resolver *resolver;
	struct dns *dns;
};

/* What became of a question. */
struct asked {
	struct dns_lab *lab;
	struct dns_query *query;
	unsigned int called;
	struct dns_answer answer; /* without its records */
	struct dns_record first;
	char text[TEXT_KEPT];
	void (*then)(struct asked *asked); /* called from the callback */
	void *arg;
};

int dns_lab_start(void **state);
int dns_lab_stop(void **state);

/* Opens the resolver on so many of the servers; the test may have changed the options. */
void dns_lab_open(struct dns_lab *lab, size_t fakes);
struct dns_stats dns_lab_stats(const struct dns_lab *lab);

void fake_listen(struct fake *fake);
void fake_close(struct dns_lab *lab, struct fake *fake);
/* Lets the script answer what was held; what it holds again stays. */
void fake_release(struct fake *fake);

void dns_lab_ask(struct dns_lab *lab, struct asked *asked, const char *name, enum dns_type type);
/* Asks and waits. */
void dns_lab_ask_now(struct dns_lab *lab, struct asked *asked, const char *name,
		     enum dns_type type);
void dns_lab_cancel(struct asked *asked);

/* Runs the loop until the condition holds. */
#define dns_lab_until(lab, condition)                                                              \
	do {                                                                                       \
		while (!(condition))                                                               \
			dns_lab_once(lab);                                                         \
	} while (0)
void dns_lab_once(struct dns_lab *lab);
/* Runs what is there to run, without waiting for anything. */
void dns_lab_some(struct dns_lab *lab);

/* Scripts: one address 127.0.0.2 for every name, nothing, an error, later. */
enum reaction script_found(struct fake *fake, const struct fake_question *question,
			   struct built *out);
enum reaction script_nxdomain(struct fake *fake, const struct fake_question *question,
			      struct built *out);
enum reaction script_servfail(struct fake *fake, const struct fake_question *question,
			      struct built *out);
enum reaction script_silent(struct fake *fake, const struct fake_question *question,
			    struct built *out);
enum reaction script_hold(struct fake *fake, const struct fake_question *question,
			  struct built *out);

#endif
