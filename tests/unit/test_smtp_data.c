/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of the framing of DATA and BDAT (session/smtp/data.c, line.c), by itself in pieces of every
 * size, and through a session up to what the backend gets.
 */
#include <jansson.h>

#include "tests/unit/smtp_fixture.h"

#define MX CONF_SERVICE_MX

/* By itself */

struct fed {
	struct smtp_data data;
	struct octets out;
	size_t taken;
};

static void sink(const uint8_t *piece, size_t size, void *arg)
{
	assert_true(size > 0);
	octets_add(arg, piece, size);
}

/* In pieces of `step` octets, each in memory that ends where it does. */
static void feed(struct fed *fed, bool chunked, const void *input, size_t size, size_t step)
{
	memset(fed, 0, sizeof(*fed));
	octets_add(&fed->out, "", 0);
	data_begin(&fed->data, chunked);
	while (fed->taken < size && !fed->data.ended) {
		const size_t piece = size - fed->taken < step ? size - fed->taken : step;
		uint8_t *copy = malloc(piece);

		memcpy(copy, (const char *)input + fed->taken, piece);
		fed->taken += data_feed(&fed->data, copy, piece, sink, &fed->out);
		free(copy);
	}
	if (chunked)
		data_finish(&fed->data);
}

struct framing {
	const char *input;
	const char *out; /* of what is fine */
	enum data_fault fault;
	bool ended;
	size_t left; /* octets behind the end */
};

static const struct framing cases[] = {
	{ "a\r\n.\r\n", "a\r\n", DATA_FINE, true, 0 },
	{ ".\r\n", "", DATA_FINE, true, 0 },
	{ "a\r\n.\r\nQUIT\r\n", "a\r\n", DATA_FINE, true, 6 },
	{ "..\r\n.\r\n", ".\r\n", DATA_FINE, true, 0 },
	{ ".a\r\n.\r\n", "a\r\n", DATA_FINE, true, 0 },
	{ "...\r\n..a\r\n.\r\n", "..\r\n.a\r\n", DATA_FINE, true, 0 },
	{ "a.\r\n.\r\n", "a.\r\n", DATA_FINE, true, 0 },
	{ "\r\n.\r\n", "\r\n", DATA_FINE, true, 0 },
	{ "a", "a", DATA_FINE, false, 0 },
	{ "a\r\n.", "a\r\n", DATA_FINE, false, 0 },
	{ "a\r\n.\r", "a\r\n", DATA_FINE, false, 0 },
	{ "a\n.\r\nb\r\n.\r\n", NULL, DATA_BARE, true, 0 },
	{ "a\r.\r\nb\r\n.\r\n", NULL, DATA_BARE, true, 0 },
	{ "a\n.\nb\r\n.\r\n", NULL, DATA_BARE, true, 0 },
	{ "a\r\n.\nb\r\n.\r\n", NULL, DATA_BARE, true, 0 },
	{ "a\r\n.\r.\r\nb\r\n.\r\n", NULL, DATA_BARE, true, 0 },
	{ "a\r\n.\r\r\nb\r\n.\r\n", NULL, DATA_BARE, true, 0 },
	{ "a\r\r\n.\r\n", NULL, DATA_BARE, true, 0 },
	{ "a\r\n\n.\r\n.\r\n", NULL, DATA_BARE, true, 0 },
	{ "\n\r\n.\r\n", NULL, DATA_BARE, true, 0 },
	{ "a\n", NULL, DATA_BARE, false, 0 },
};

static void check_framing(const struct framing *framing, size_t step)
{
	const size_t size = strlen(framing->input);
	struct fed fed;

	feed(&fed, false, framing->input, size, step);
	assert_int_equal(fed.data.fault, framing->fault);
	assert_int_equal(fed.data.ended, framing->ended);
	assert_int_equal(size - fed.taken, framing->left);
	if (framing->out)
		assert_string_equal(fed.out.data, framing->out);
	octets_free(&fed.out);
}

static void framing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= strlen(cases[i].input); step++)
			check_framing(&cases[i], step);
}

static void line_length(void **state)
{
	char line[DATA_LINE_MAX + 8];
	struct fed fed;

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line + DATA_LINE_MAX, "\r\n.\r\n", 6);
	for (size_t step = 1; step < sizeof(line); step += 7) {
		feed(&fed, false, line, DATA_LINE_MAX + 5, step);
		assert_int_equal(fed.data.fault, DATA_FINE);
		assert_true(fed.data.ended);
		octets_free(&fed.out);
	}
	memcpy(line + DATA_LINE_MAX, "a\r\n.\r\n", 7);
	for (size_t step = 1; step < sizeof(line); step += 7) {
		feed(&fed, false, line, DATA_LINE_MAX + 6, step);
		assert_int_equal(fed.data.fault, DATA_LONG);
		assert_true(fed.data.ended);
		octets_free(&fed.out);
	}
}

/* NULs go through, but not where a dot would be alone without them. */
static void nuls(void **state)
{
	static const struct {
		const char *line;
		size_t size;
		enum data_fault fault, chunked;
	} lines[] = {
		{ "\0.", 2, DATA_DOT, DATA_DOT },    { "\0\0.\0", 4, DATA_DOT, DATA_DOT },
		{ ".\0.", 3, DATA_DOT, DATA_FINE },  { ".\0", 2, DATA_FINE, DATA_FINE },
		{ "\0", 1, DATA_FINE, DATA_FINE },   { "\0..", 3, DATA_FINE, DATA_FINE },
		{ "a\0.", 3, DATA_FINE, DATA_FINE }, { "\0.a", 3, DATA_FINE, DATA_FINE },
		{ "..\0", 3, DATA_FINE, DATA_FINE }, { "\0a.", 3, DATA_FINE, DATA_FINE },
	};
	struct octets text = { 0 };
	struct fed fed;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		octets_add(&text, "x\r\n", 3);
		octets_add(&text, lines[i].line, lines[i].size);
		octets_add(&text, "\r\n.\r\n", 5);
		for (size_t step = 1; step <= text.size; step++) {
			feed(&fed, false, text.data, text.size, step);
			assert_int_equal(fed.data.fault, lines[i].fault);
			assert_true(fed.data.ended);
			octets_free(&fed.out);
			/* Without an end of the line, too. */
			feed(&fed, true, text.data, 3 + lines[i].size, step);
			assert_int_equal(fed.data.fault, lines[i].chunked);
			octets_free(&fed.out);
		}
		octets_free(&text);
	}
}

/* In chunks a dot is a dot, and a CR that hangs at the end is alone. */
static void chunked(void **state)
{
	static const struct {
		const char *input;
		enum data_fault fault;
	} chunks[] = {
		{ "a\r\n.\r\nb", DATA_FINE }, { "..\r\n", DATA_FINE }, { "a\r", DATA_BARE },
		{ "a\n", DATA_BARE },         { "\r", DATA_BARE },     { "a\rb", DATA_BARE },
	};
	struct fed fed;

	(void)state;
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		const size_t size = strlen(chunks[i].input);

		for (size_t step = 1; step <= size; step++) {
			feed(&fed, true, chunks[i].input, size, step);
			assert_int_equal(fed.data.fault, chunks[i].fault);
			assert_int_equal(fed.taken, size);
			if (!fed.data.fault)
				assert_string_equal(fed.out.data, chunks[i].input);
			octets_free(&fed.out);
		}
	}
}

/* Through a session */

static void scene_to_data(struct scene *scene)
{
	scene_open(scene, "");
	scene_connect(scene);
	scene_play(scene, (const char *const[]){ BEGIN, MAIL, "B: *", RCPT, "B: *", "C: DATA",
						 "S: 354 *", NULL });
}

static void expect_no_bare(const struct octets *octets)
{
	for (size_t i = 0; i < octets->size; i++) {
		if (octets->data[i] == '\r')
			assert_true(i + 1 < octets->size && octets->data[i + 1] == '\n');
		if (octets->data[i] == '\n')
			assert_true(i && octets->data[i - 1] == '\r');
	}
}

/* Whether what the backend got ends in what the client meant. */
static void expect_delivered(const void *text, size_t size)
{
	assert_true(stand_in.delivered.size >= size);
	assert_memory_equal(stand_in.delivered.data + stand_in.delivered.size - size, text, size);
	expect_no_bare(&stand_in.delivered);
}

static bool holds(const struct octets *all, const uint8_t *part, size_t size)
{
	for (size_t at = 0; at + size <= all->size; at++)
		if (!memcmp(all->data + at, part, size))
			return true;
	return false;
}

/*
 * The message "before <octets> after", with commands behind that an end of data that is none would
 * set free. One transaction, one reply, and what is delivered has no bare CR or LF.
 */
static void smuggle(const uint8_t *octets, size_t size, bool true_end, size_t step)
{
	static const char before[] = "Subject: x\r\n\r\nbefore";
	static const char after[] = "MAIL FROM:<evil@sender.example>\r\n"
				    "RCPT TO:<evil@own.example>\r\nDATA\r\nevil\r\n.\r\n";
	struct octets all = { 0 };
	struct scene scene;

	octets_add(&all, before, sizeof(before) - 1);
	octets_add(&all, octets, size);
	octets_add(&all, after, sizeof(after) - 1);
	scene_to_data(&scene);
	for (size_t at = 0; at < all.size && !stand_in.stream->closed; at += step) {
		stand_in_says(all.data + at, all.size - at < step ? all.size - at : step);
		scene_work(&scene);
	}
	if (!true_end) {
		assert_int_equal(stand_in.mails, 1);
		assert_null(strstr(stand_in.said.data ? stand_in.said.data : "", "evil"));
	}
	assert_true(stand_in.deliveries <= 1);
	assert_false(holds(&stand_in.delivered, octets, size));
	expect_no_bare(&stand_in.delivered);
	octets_free(&all);
	scene_close(&scene);
}

static size_t read_hex(const char *text, uint8_t out[64])
{
	size_t size = 0;
	unsigned int octet;
	int used;

	while (size < 64 && sscanf(text, "%2x %n", &octet, &used) == 1) {
		out[size++] = (uint8_t)octet;
		text += used;
	}
	return size;
}

static void end_of_data_cases(void **state)
{
	const char *vectors = getenv("POSTERN_VECTORS");
	json_t *rows, *row;
	char path[512];
	size_t i;

	(void)state;
	snprintf(path, sizeof(path), "%s/smtp/end_of_data_cases.json",
		 vectors ? vectors : "../shared/vectors");
	rows = json_load_file(path, 0, NULL);
	if (!rows)
		skip();
	assert_true(json_array_size(rows) > 0);
	json_array_foreach(rows, i, row)
	{
		uint8_t octets[64];
		const size_t size =
			read_hex(json_string_value(json_object_get(row, "hex")), octets);
		const bool end = json_is_true(json_object_get(row, "contains_true_eod"));

		for (size_t step = 1; step < 9; step++)
			smuggle(octets, size, end, step);
		smuggle(octets, size, end, 4096);
	}
	json_decref(rows);
}

/* The same without a file, and more of them. */
static void smuggling(void **state)
{
	static const char *const octets[] = {
		"\n.\n",     "\n.\r\n",     "\r.\r\n",       "\r.\r",       "\r\n.\n",
		"\r\n.\r",   "\n.\r",       "\r\r\n.\r\r\n", "\r\n.\r\r\n", "\n\n.\n\n",
		"\r\n.\v\n", "\r\n.\r\v\n", "\n\r.\n\r",     "\r\n. \r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(octets) / sizeof(octets[0]); i++)
		for (size_t step = 1; step < 5; step++)
			smuggle((const uint8_t *)octets[i], strlen(octets[i]), false, step);
}

static void refused_at_the_end(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "C= a\nb\r\n", "T: 1", "C: .",
	     "S: 554 5.6.0 a CR or a LF *", "C: RCPT TO:<b@own.example>", "S: 503 *", MAIL, RCPT,
	     "C: DATA", "S: 354 *", "C: .", "S: 250 *", QUIT);
	PLAY("  size-max: 65536\n", MX, GREETING, "C: EHLO x", "S: 250-gate.example",
	     "S: 250-PIPELINING", "S: 250-SIZE 65536", "S: 250-*", "S: 250-*", "S: 250-*",
	     "S: 250-*", "S: 250-*", "S: 250 *", "C: MAIL FROM:<a@sender.example> SIZE=65537",
	     "S: 552 5.3.4 * (lookup id *)", "C: MAIL FROM:<a@sender.example> SIZE=65536",
	     "S: 250 *", QUIT);
}

static void too_large(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "  size-max: 65536\n");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ GREETING, "C: HELO x", "S: 250 *", MAIL, RCPT,
						  "C: DATA", "S: 354 *", NULL });
	for (int i = 0; i < 650; i++)
		stand_in_says(
			"0123456789012345678901234567890123456789012345678901234567890123456789"
			"012345678901234567890123456789\r\n",
			102);
	scene_play(&scene, (const char *const[]){ "C: .", "S: 552 5.3.4 *", MAIL, RCPT, "C: DATA",
						  "S: 354 *", NULL });
	for (int i = 0; i < 5145; i++)
		stand_in_says(
			"0123456789012345678901234567890123456789012345678901234567890123456789"
			"012345678901234567890123456789\r\n",
			102);
	scene_play(&scene, (const char *const[]){ "S: 552 5.3.4 *", "S.", NULL });
	assert_int_equal(stand_in.deliveries, 0);
	scene_close(&scene);
}

/* What is delivered is what was sent, whatever it holds. */
static void octet_for_octet(void **state)
{
	static const char text[] = "Subject: x\r\n\r\n.dot\r\n..\r\nnul \0 \xff\r\n";
	static const char sent[] = "Subject: x\r\n\r\n..dot\r\n...\r\nnul \0 \xff\r\n.\r\n";
	struct scene scene;

	(void)state;
	for (size_t step = 1; step < 20; step++) {
		scene_to_data(&scene);
		for (size_t at = 0; at < sizeof(sent) - 1; at += step)
			stand_in_says(sent + at,
				      sizeof(sent) - 1 - at < step ? sizeof(sent) - 1 - at : step);
		scene_work(&scene);
		assert_int_equal(stand_in.deliveries, 1);
		expect_delivered(text, sizeof(text) - 1);
		assert_non_null(
			strstr(stand_in.delivered.data, "Received: from mx.sender.example"));
		scene_close(&scene);
	}
}

static void loops(void **state)
{
	struct scene scene;

	(void)state;
	scene_to_data(&scene);
	for (int i = 0; i < 60; i++)
		stand_in_says("Received: x\r\n", 13);
	scene_play(&scene, (const char *const[]){ "C: .", "S: 554 5.4.6 *", QUIT, NULL });
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing),
		cmocka_unit_test(line_length),
		cmocka_unit_test(chunked),
		cmocka_unit_test(nuls),
		cmocka_unit_test(end_of_data_cases),
		cmocka_unit_test(smuggling),
		cmocka_unit_test(refused_at_the_end),
		cmocka_unit_test(too_large),
		cmocka_unit_test(octet_for_octet),
		cmocka_unit_test(loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
