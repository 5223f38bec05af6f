/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of loop/spool: what is written is read, from memory and from files, and the limits hold.
 */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/spool.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char directory[] = "/tmp/postern-spool-XXXXXX";
static struct spool_limits limits;

static int setup_group(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown_group(void **state)
{
	(void)state;
	return rmdir(directory); /* fails if a file was left */
}

static int setup(void **state)
{
	(void)state;
	limits = (struct spool_limits){
		.directory = directory,
		.memory = 10000,
		.memory_total = 100000,
		.file_total = 10u << 20,
	};
	return 0;
}

/* All spools are gone: nothing is counted any more. */
static int teardown(void **state)
{
	(void)state;
	return limits.memory_used || limits.file_used ? -1 : 0;
}

static uint8_t octet(uint64_t at)
{
	return (uint8_t)(at * 7 + at / 251 + at / 65536);
}

static void write_some(struct spool *spool, size_t size)
{
	const uint64_t from = spool_size(spool);
	uint8_t *data = malloc(size ? size : 1);
	struct error err = { 0 };

	for (size_t i = 0; i < size; i++)
		data[i] = octet(from + i);
	if (spool_write(spool, data, size, &err))
		fail_msg("%s", err.text);
	assert_int_equal(spool_size(spool), from + size);
	free(data);
}

static void read_from(struct spool *spool, uint64_t at)
{
	const uint8_t *data;
	struct error err;
	int size;

	while ((size = spool_read(spool, at, &data, &err)) > 0) {
		assert_true(size <= (int)SPOOL_PIECE);
		for (int i = 0; i < size; i++)
			if (data[i] != octet(at + (uint64_t)i))
				fail_msg("octet %llu", (unsigned long long)at + i);
		at += (uint64_t)size;
	}
	assert_int_equal(size, 0);
	assert_int_equal(at, spool_size(spool));
}

static void what_is_written_is_read(void **state)
{
	static const size_t sizes[] = { 0,     1,      9999,   10000, 10001, 10000 + SPOOL_PIECE,
					75537, 200000, 1000000 };
	static const size_t pieces[] = { 1000000, 65536, 4096, 77 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (size_t j = 0; j < COUNT(pieces); j++) {
			struct spool *spool = spool_new(&limits);
			size_t left = sizes[i];

			while (left) {
				const size_t part = left < pieces[j] ? left : pieces[j];

				write_some(spool, part);
				left -= part;
			}
			read_from(spool, 0);
			read_from(spool, 0);
			read_from(spool, sizes[i] / 2);
			spool_free(&spool);
			assert_null(spool);
		}
	}
}

static void small_messages_need_no_file(void **state)
{
	struct spool *spool = spool_new(&limits);

	(void)state;
	limits.directory = "/nonexistent";
	write_some(spool, 10000);
	assert_int_equal(limits.memory_used, 10000);
	assert_int_equal(limits.file_used, 0);
	read_from(spool, 0);
	spool_free(&spool);
}

static void readers_do_not_disturb_each_other(void **state)
{
	struct spool *spool = spool_new(&limits);
	uint64_t at[] = { 0, 100, 300000, 150000 };
	const uint8_t *data;
	bool more = true;

	(void)state;
	write_some(spool, 400000);
	while (more) {
		more = false;
		for (size_t i = 0; i < COUNT(at); i++) {
			int size = spool_read(spool, at[i], &data, NULL);

			assert_true(size >= 0);
			if (size > 3000)
				size = 3000;
			for (int j = 0; j < size; j++)
				assert_int_equal(data[j], octet(at[i] + (uint64_t)j));
			at[i] += (uint64_t)size;
			more = more || size;
		}
	}
	for (size_t i = 0; i < COUNT(at); i++)
		assert_int_equal(at[i], 400000);
	spool_free(&spool);
}

static void reading_and_writing_may_alternate(void **state)
{
	struct spool *spool = spool_new(&limits);

	(void)state;
	for (unsigned int i = 0; i < 50; i++) {
		write_some(spool, 7777);
		read_from(spool, (uint64_t)i * 1000);
	}
	spool_free(&spool);
}

/* The file has no name, and what is counted is what there is. */
static void files_have_no_name(void **state)
{
	struct spool *spool = spool_new(&limits);
	struct dirent *entry;
	unsigned int entries = 0;
	DIR *listing;

	(void)state;
	write_some(spool, 300000);
	assert_int_equal(limits.memory_used, 10000);
	assert_int_equal(limits.file_used, 290000);
	listing = opendir(directory);
	while ((entry = readdir(listing)))
		entries++;
	closedir(listing);
	assert_int_equal(entries, 2); /* "." and ".." */
	spool_free(&spool);
}

/* When all of them together have much, new ones go to files at once. */
static void memory_is_shared(void **state)
{
	struct spool *spool[15];

	(void)state;
	for (size_t i = 0; i < COUNT(spool); i++) {
		spool[i] = spool_new(&limits);
		write_some(spool[i], 9000);
		assert_true(limits.memory_used <= limits.memory_total);
	}
	assert_true(limits.file_used >= 9000);
	for (size_t i = 0; i < COUNT(spool); i++) {
		read_from(spool[i], 0);
		spool_free(&spool[i]);
	}
}

#define WORKERS  4
#define MESSAGES 2000

static void *write_many(void *arg)
{
	struct error err;

	for (unsigned int i = 0; i < MESSAGES; i++) {
		struct spool *spool = spool_new(&limits);

		if (!spool || spool_write(spool, arg, 9000, &err))
			abort();
		spool_free(&spool);
	}
	return NULL;
}

/* Spools of several threads have one limit: at the end nothing is counted (teardown). */
static void workers_share(void **state)
{
	static char text[9000];
	pthread_t thread[WORKERS];

	(void)state;
	limits.memory_total = 20000;
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, write_many, text), 0);
	for (size_t i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(limits.memory_used, 0);
}

static void refuse(struct spool *spool, size_t size, const char *text)
{
	uint8_t *data = calloc(1, size);
	struct error err = { 0 };

	assert_int_equal(spool_write(spool, data, size, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, text));
	/* What is missing in the middle is not overlooked. */
	assert_int_equal(spool_write(spool, data, 1, &err), ERROR_REFUSED);
	free(data);
}

static void the_disk_is_shared(void **state)
{
	struct spool *first = spool_new(&limits), *second = spool_new(&limits);

	(void)state;
	limits.file_total = 100000;
	write_some(first, 10000 + 60000);
	refuse(second, 10000 + 40001, "all messages together");
	spool_free(&second);
	second = spool_new(&limits);
	write_some(second, 10000 + 40000);
	assert_int_equal(limits.file_used, 100000);
	read_from(second, 0);
	spool_free(&first);
	spool_free(&second);
}

/* What the kernel refuses: no such directory, no space (here: files may not be as long). */
static void the_kernel_may_refuse(void **state)
{
	struct rlimit before, small;
	struct spool *spool = spool_new(&limits);

	(void)state;
	limits.directory = "/nonexistent";
	refuse(spool, 20000, "No such file or directory");
	spool_free(&spool);
	limits.directory = directory;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 100000;
	setrlimit(RLIMIT_FSIZE, &small);
	spool = spool_new(&limits);
	refuse(spool, 300000, "File too large");
	spool_free(&spool);
	setrlimit(RLIMIT_FSIZE, &before);
}

/* The octets put in front come first; the parts are those that were written. */
static void front_and_parts(void **state)
{
	static const size_t sizes[] = { 0, 5000, 10000, 10001, 200000 };
	uint8_t front[5] = { octet(0), octet(1), octet(2), octet(3), octet(4) };
	struct spool_parts parts;
	struct error err;
	uint8_t *file;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct spool *spool = spool_new(&limits);
		const size_t in_memory = sizes[i] < 10000 ? sizes[i] : 10000;

		write_some(spool, sizes[i]);
		assert_int_equal(spool_parts(spool, &parts, &err), 0);
		assert_int_equal(parts.memory_size, in_memory);
		assert_int_equal(parts.file_size, sizes[i] - in_memory);
		assert_int_equal(parts.fd >= 0, parts.file_size > 0);
		file = malloc(parts.file_size + 1);
		if (parts.file_size)
			assert_int_equal(pread(parts.fd, file, parts.file_size + 1, 0),
					 parts.file_size);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(at < in_memory ? parts.memory[at] : file[at - in_memory],
					 octet(at));
		free(file);
		read_from(spool, 0);
		spool_free(&spool);

		spool = spool_new(&limits);
		assert_true(spool_put_front(spool, front, sizeof(front)));
		write_some(spool, sizes[i]);
		for (uint64_t at = 0; at < 7; at++)
			read_from(spool, at < spool_size(spool) ? at : 0);
		assert_true(spool_put_front(spool, NULL, 0));
		assert_int_equal(spool_size(spool), sizes[i] + sizeof(front));
		spool_free(&spool);
	}
}

static void nothing_is_freed_twice(void **state)
{
	struct spool *none = NULL;

	(void)state;
	spool_free(&none);
}

static void a_directory_is_tried(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(spool_try(&limits, &err), 0);
	limits.directory = "/nowhere";
	assert_int_equal(spool_try(&limits, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "/nowhere: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(small_messages_need_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(readers_do_not_disturb_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_and_writing_may_alternate, setup, teardown),
		cmocka_unit_test_setup_teardown(files_have_no_name, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_is_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(workers_share, setup, teardown),
		cmocka_unit_test_setup_teardown(the_disk_is_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(the_kernel_may_refuse, setup, teardown),
		cmocka_unit_test_setup_teardown(front_and_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_freed_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(a_directory_is_tried, setup, teardown),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
