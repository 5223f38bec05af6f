/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_sockets.c - which connections are ended when their source is listed, and what
 * becomes of a failure. The connections are real ones over the loopback; the lists and the keeper
 * are played.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/internal.h"
#include "gate/sockets.h"

#define PAIRS 3

/* What the lists say, and what the keeper was asked and answers. */
static struct {
	bool stops;
	const char *fails;      /* everything that the keeper is asked, or NULL */
	unsigned int fails_one; /* the named socket of this number */
	unsigned int looked;    /* asked for the name of none */
	unsigned int named;     /* sockets */
	struct addr peer[PAIRS];
} played;

bool lists_stop(struct lists *lists, const struct addr *addr)
{
	(void)lists;
	(void)addr;
	return played.stops;
}

int keeper_end_socket(struct gate *gate, const struct socket_name *name, struct error *err)
{
	(void)gate;
	if (!name->id.idiag_sport)
		played.looked++;
	else if (played.named++ < PAIRS)
		played.peer[played.named - 1] = socket_peer(name);
	if (played.fails)
		return error_set(err, ERROR_REFUSED, "%s", played.fails);
	if (name->id.idiag_sport && played.named == played.fails_one)
		return error_set(err, ERROR_REFUSED, "not this one");
	return name->id.idiag_sport != 0;
}

struct fixture {
	struct gate gate;
	struct settings *settings;
	uint16_t port; /* that is protected, and listened at */
	int listener, client[PAIRS], server[PAIRS];
};

static struct sockaddr_in6 mapped(const char *text, uint16_t port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
	return address;
}

static void connect_pair(struct fixture *f, int i)
{
	struct sockaddr_in6 own = mapped("::ffff:127.0.0.1", 0);
	const struct sockaddr_in6 to = mapped("::ffff:127.0.0.1", f->port);

	own.sin6_addr.s6_addr[15] = (uint8_t)(i + 2);
	f->client[i] = socket(AF_INET6, SOCK_STREAM, 0);
	assert_int_equal(bind(f->client[i], (const void *)&own, sizeof(own)), 0);
	assert_int_equal(connect(f->client[i], (const void *)&to, sizeof(to)), 0);
	f->server[i] = accept(f->listener, NULL, NULL);
	assert_true(f->server[i] >= 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	socklen_t length = sizeof(any);

	memset(&played, 0, sizeof(played));
	played.stops = true;
	f->settings = calloc(1, sizeof(*f->settings));
	f->gate.map[GATE_MAP_settings].memory = f->settings;
	pthread_mutex_init(&f->gate.ending.lock, NULL);
	f->listener = socket(AF_INET6, SOCK_STREAM, 0);
	assert_int_equal(bind(f->listener, (const void *)&any, length), 0);
	assert_int_equal(listen(f->listener, PAIRS), 0);
	assert_int_equal(getsockname(f->listener, (void *)&any, &length), 0);
	f->port = ntohs(any.sin6_port);
	f->settings->port[f->port] = 1;
	for (int i = 0; i < PAIRS; i++)
		connect_pair(f, i);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < PAIRS; i++) {
		close(f->client[i]);
		close(f->server[i]);
	}
	close(f->listener);
	pthread_mutex_destroy(&f->gate.ending.lock);
	free(f->settings);
	free(f);
	return 0;
}

static void expect_why(struct fixture *f, const char *why)
{
	char text[ERROR_TEXT_MAX];

	gate_ending_why_not(&f->gate, text);
	assert_string_equal(text, why);
}

/* Those at the protected port, from where the change was made; not the clients' own ends. */
static void test_which(void **state)
{
	struct fixture *f = *state;
	struct prefix within;

	assert_int_equal(gate_end_listed(&f->gate, NULL, NULL), PAIRS);
	assert_int_equal(played.named, PAIRS);
	assert_int_equal(prefix_parse("127.0.0.3", 9, &within, NULL), 0);
	assert_int_equal(gate_end_listed(&f->gate, NULL, &within), 1);
	played.named = 0;
	assert_int_equal(gate_end_listed(&f->gate, NULL, &within), 1);
	assert_memory_equal(&played.peer[0], &within.addr, sizeof(within.addr));
	assert_int_equal(prefix_parse("::/0", 4, &within, NULL), 0);
	assert_int_equal(gate_end_listed(&f->gate, NULL, &within), 0);
	f->settings->port[f->port] = 0;
	assert_int_equal(gate_end_listed(&f->gate, NULL, NULL), 0);
}

static void test_none(void **state)
{
	struct fixture *f = *state;

	played.stops = false;
	assert_int_equal(gate_end_listed(&f->gate, NULL, NULL), 0);
	played.stops = true;
	f->settings->monitor = 1;
	assert_int_equal(gate_end_listed(&f->gate, NULL, NULL), 0);
	assert_int_equal(played.named, 0);
}

/* While it cannot be done no socket is named; once it can be done again they end. */
static void test_a_failure_passes(void **state)
{
	struct fixture *f = *state;

	played.fails = "not now";
	gate_look_at_ending(&f->gate);
	expect_why(f, "not now");
	assert_int_equal(gate_end_listed(&f->gate, NULL, NULL), 0);
	assert_int_equal(played.named, 0);
	played.fails = NULL;
	assert_int_equal(gate_end_listed(&f->gate, NULL, NULL), PAIRS);
	expect_why(f, "");
}

/* One that cannot be ended keeps none of the others. */
static void test_one_fails(void **state)
{
	struct fixture *f = *state;

	played.fails_one = 1;
	assert_int_equal(gate_end_listed(&f->gate, NULL, NULL), PAIRS - 1);
	assert_int_equal(played.named, PAIRS);
	expect_why(f, "not this one");
	played.fails_one = 0;
	assert_int_equal(gate_end_listed(&f->gate, NULL, NULL), PAIRS);
	expect_why(f, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_which),
		TEST(test_none),
		TEST(test_a_failure_passes),
		TEST(test_one_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
