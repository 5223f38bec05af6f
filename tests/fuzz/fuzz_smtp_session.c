/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes a session: the first octet says which service it is and how the input is cut into pieces,
 * the rest is what the client says. The parts around it are those of tests/unit/smtp_stand_ins.h.
 *
 * Whatever is said, replies are lines as RFC 5321 4.2 has them; the backend is told nothing with a
 * CR, a LF or a NUL in it, gets no message with a CR or a LF alone, and nothing of anybody who has
 * to authenticate and did not; and nothing is left when the session is gone.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "tests/unit/smtp_backend_stand_in.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#define NS_A_MS 1000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A DNS that knows nothing, in its own time. */
struct dns_query {
	dns_cb cb;
	void *arg;
};

static void answer_nothing(void *arg)
{
	const struct dns_answer answer = { .status = DNS_NXDOMAIN };
	struct dns_query *query = arg;
	const struct dns_query copy = *query;

	free(query);
	copy.cb(&answer, copy.arg);
}

static struct dns_query *fuzz_ask(struct dns *dns, const char *name, enum dns_type type, dns_cb cb,
				  void *arg)
{
	struct dns_query *query = malloc(sizeof(*query));

	(void)dns;
	(void)name;
	(void)type;
	CHECK(query);
	*query = (struct dns_query){ cb, arg };
	owe(answer_nothing, query);
	return query;
}

static struct dns_query *fuzz_later(struct dns *dns, dns_cb cb, void *arg)
{
	return fuzz_ask(dns, "", DNS_A, cb, arg);
}

static void fuzz_cancel(struct dns *dns, struct dns_query *query)
{
	(void)dns;
	forget_owed(query);
	free(query);
}

static uint64_t fuzz_now(struct dns *dns)
{
	(void)dns;
	return service_now();
}

static const struct dns_ops fuzz_ops = { fuzz_ask, fuzz_cancel, fuzz_now, fuzz_later };
static struct dns fuzz_dns = { &fuzz_ops };

#define UNKNOWNS 3 /* that are remembered, so that some give way */

static const char conf_text[] = "mode: proxy\n"
				"interfaces: [eth0]\n"
				"smtp:\n"
				"  hostname: gate.example\n"
				"  listen: [\"192.0.2.1:25\"]\n"
				"  domains: [own.example]\n"
				"  backends: [\"192.0.2.99:25\"]\n"
				"  spool: /tmp\n"
				"check: {spf: monitor, sender: monitor, score: monitor, "
				"pipelining: off}\n";

/* What is made once. */
static struct {
	uv_loop_t loop;
	struct conf *conf;
	struct relay *relay;
	struct dnsbl *domains;
	struct spool_limits spool;
	char spool_directory[SMTP_SPOOL_MAX];
	uint64_t connections;
	struct unknowns *unknowns; /* of one input */
} fuzz;

static void open_once(void)
{
	struct dnsbl_options lists = { .dns = &fuzz_dns };
	struct error err;

	if (fuzz.conf)
		return;
	log_set_level(LOG_LEVEL_ERROR);
	CHECK(!uv_loop_init(&fuzz.loop));
	CHECK(!conf_parse("fuzz", conf_text, sizeof(conf_text) - 1, &fuzz.conf, &err));
	CHECK(!relay_open(fuzz.conf, &fuzz.relay, &err));
	smtp_spool_limits(fuzz.conf, fuzz.spool_directory, &fuzz.spool);
	lists.addresses = lists.domains = &fuzz.conf->dnsbl.domains;
	CHECK(!dnsbl_open(&lists, &fuzz.domains, &err));
}

static struct smtp_service *open_service(void)
{
	const int fd[CONF_LISTENERS_MAX] = { 0 };
	const struct smtp_service_options options = {
		.loop = &fuzz.loop,
		.rules = { fuzz.conf, relay_ref(fuzz.relay), (struct tls_context *)&fuzz,
			   (struct backends *)&fuzz, 0 },
		.fd = fd,
		.dns = &fuzz_dns,
		.domains = fuzz.domains,
		.auth = (struct auth *)&fuzz,
		.connections = &fuzz.connections,
		.unknowns = fuzz.unknowns,
		.spool = &fuzz.spool,
	};
	struct smtp_service *service;
	struct error err;

	memset(&stand_in, 0, sizeof(stand_in));
	stand_in.features = BACKEND_8BITMIME | BACKEND_SIZE | BACKEND_DSN | BACKEND_SMTPUTF8;
	stand_in.mechanisms = "PLAIN";
	CHECK(!smtp_service_open(&options, &service, &err));
	return service;
}

static void work(void)
{
	for (int i = 0; i < 1000 && stand_ins_work(); i++)
		;
}

static void check_reply_line(const char *line, size_t length)
{
	CHECK(length >= 4 && length <= 510);
	CHECK(line[0] >= '2' && line[0] <= '5');
	CHECK(isdigit((unsigned char)line[1]) && isdigit((unsigned char)line[2]));
	CHECK(line[3] == ' ' || line[3] == '-');
	for (size_t i = 0; i < length; i++)
		CHECK(line[i] >= ' ' && line[i] <= '~');
}

static void check_replies(const struct octets *out)
{
	const char *at = out->data, *end = at + out->size, *cr;

	for (; at < end; at = cr + 2) {
		cr = memchr(at, '\r', (size_t)(end - at));
		CHECK(cr && cr + 1 < end && cr[1] == '\n');
		check_reply_line(at, (size_t)(cr - at));
	}
}

/* The stand-in writes a line for each command: with one in it there would be lines of other kinds.
 */
static void check_said(void)
{
	char *line = stand_in.said.data;

	CHECK(!stand_in.said.size || strlen(stand_in.said.data) == stand_in.said.size);
	for (; line && *line; line = strchr(line, '\n') + 1) {
		CHECK(!strncmp(line, "MAIL <", 6) || !strncmp(line, "RCPT <", 6));
		CHECK(strcspn(line, "\r") > strcspn(line, "\n"));
	}
}

static void check_delivered(void)
{
	const struct octets *octets = &stand_in.delivered;

	for (size_t i = 0; i < octets->size; i++) {
		if (octets->data[i] == '\r')
			CHECK(i + 1 < octets->size && octets->data[i + 1] == '\n');
		if (octets->data[i] == '\n')
			CHECK(i && octets->data[i - 1] == '\r');
	}
}

static void converse(const uint8_t *data, size_t size, size_t step)
{
	for (size_t at = 0; at < size && !stand_in.stream->closed; at += step) {
		stand_in_says(data + at, size - at < step ? size - at : step);
		if (at % 3)
			work();
	}
	work();
	if (!stand_in.stream->closed && size % 2)
		stand_in_ends(STREAM_EOF);
	work();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct addr peer = addr_from_ipv4(0xc0000209u), local = addr_from_ipv4(0xc0000201u);
	struct smtp_service *service;
	struct error err;
	unsigned int kind;

	if (!size)
		return 0;
	open_once();
	CHECK(!unknowns_open(UNKNOWNS, &fuzz.unknowns, &err));
	clock_freeze(1800000000u, 1000000 * NS_A_MS);
	service = open_service();
	kind = *data % CONF_SERVICES;
	session_start(service, kind, stand_in_stream(), &peer, 4711, &local, 25);
	work();
	converse(data + 1, size - 1, (size_t)(*data / CONF_SERVICES) + 1);
	check_replies(&stand_in.stream->out);
	check_said();
	check_delivered();
	CHECK(kind == CONF_SERVICE_MX || !stand_in.mails || stand_in.stream->tls);
	smtp_service_close(&service);
	CHECK(unknowns_count(fuzz.unknowns) <= UNKNOWNS);
	unknowns_close(&fuzz.unknowns);
	CHECK(!fuzz.spool.memory_used && !fuzz.spool.file_used);
	CHECK(!fuzz.connections && !stand_in.owed_count);
	uv_run(&fuzz.loop, UV_RUN_NOWAIT);
	stand_in_stream_free();
	octets_free(&stand_in.said);
	octets_free(&stand_in.delivered);
	return 0;
}
