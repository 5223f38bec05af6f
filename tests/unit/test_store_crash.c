/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what is left of a list when its replacement is cut short. A list is the old one or the
 * new one, with its notes and its expiry, and never a mixture; and what was acknowledged is there.
 *
 * Killed: a child replaces a list by one of two sets in turn and is killed at a random moment, 200
 * times. It tells after each commit which generation it was; the store must hold that one or, if
 * the kill came between the commit and the telling, the next.
 *
 * Power lost: of the pages that were being written some are there and some are not, where a kill
 * keeps them all. That is played on copies of the file.
 *
 * The seed is printed; POSTERN_TEST_SEED=N repeats the delays of a run.
 */
#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "store/store_internal.h"

#define KILLS           200
#define SET_SIZE        20000
#define DELAY_SHARE     3 /* a kill comes within the time of that many replacements */
#define ADAPT_SHARE     4 /* and this part of that later, or earlier, after one that did not */
#define POWER_LOSSES    40
#define PAGE            4096
#define META_PAGES      2 /* at the start of the file; the newer one says which pages count */
#define NANOSECONDS     1000000000u
#define GENERATION_TEXT 24

static struct entry_set sets[2]; /* even and odd generations */

static uint64_t choose_seed(void)
{
	const char *given = getenv("POSTERN_TEST_SEED");
	const uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	print_message("seed %llu\n", (unsigned long long)seed);
	return seed;
}

/* One generation, in one transaction; returns 0 if it was committed. */
static int write_generation(struct store *store, uint64_t generation)
{
	char text[GENERATION_TEXT];
	struct list_info list;
	struct store_txn *txn;
	struct error err;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)generation);
	if (store_begin_write(store, &txn, &err) ||
	    store_list_ensure(txn, "drop", LIST_KIND_BLOCK, &list, &err) ||
	    store_replace(txn, &list, &sets[generation & 1], text, TEST_NOW, &err) ||
	    store_setting_put(txn, "generation", text, &err) || store_commit(&txn, &err)) {
		fprintf(stderr, "generation %s: %s\n", text, err.text);
		return -1;
	}
	return 0;
}

/* The child: replaces the list until it is killed, and tells of every commit. */
static void replace_for_ever(const struct fixture *fixture, uint64_t generation, int tell)
{
	struct store *store;
	struct error err;

	if (store_open(&store, fixture->dir, fixture->size, &err)) {
		fprintf(stderr, "%s\n", err.text);
		_exit(1);
	}
	for (;;) {
		generation++;
		if (write_generation(store, generation) ||
		    write(tell, &generation, sizeof(generation)) != sizeof(generation))
			_exit(1);
	}
}

/* How long opening the store and a few replacements take here, for each, in nanoseconds. */
static uint64_t measure(struct fixture *fixture)
{
	const uint64_t start = clock_mono(), count = 4;

	fixture_open(fixture);
	for (uint64_t generation = 1; generation <= count; generation++)
		assert_int_equal(write_generation(fixture->store, generation), 0);
	store_close(&fixture->store);
	assert_return_code(remove(fixture_path(fixture, "data.mdb")), errno);
	return (clock_mono() - start) / count;
}

static void wait_for(uint64_t nanoseconds)
{
	const struct timespec delay = { .tv_sec = (time_t)(nanoseconds / NANOSECONDS),
					.tv_nsec = (long)(nanoseconds % NANOSECONDS) };

	nanosleep(&delay, NULL);
}

/* Lets a child write for a while from `generation` on; returns the last one that it told of. */
static uint64_t run_and_kill(const struct fixture *fixture, uint64_t generation, uint64_t delay)
{
	int told[2], status;
	uint64_t last = generation, next;
	pid_t child;

	assert_return_code(pipe(told), errno);
	child = fork();
	assert_return_code(child, errno);
	if (child == 0)
		replace_for_ever(fixture, generation, told[1]);
	close(told[1]);
	wait_for(delay);
	assert_return_code(kill(child, SIGKILL), errno);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (read(told[0], &next, sizeof(next)) == sizeof(next))
		last = next;
	close(told[0]);
	return last;
}

/* Opens the store and finds it whole; returns the generation that it holds, 0 for none. */
static uint64_t verify(struct fixture *fixture)
{
	char text[GENERATION_TEXT];
	struct list_info list;
	struct store_txn *txn;
	uint64_t generation = 0;

	fixture_open(fixture);
	txn = begin_read(fixture->store);
	if (store_setting_get(txn, "generation", text, sizeof(text), NULL) == 1) {
		generation = strtoull(text, NULL, 10);
		list = find(txn, "drop");
		list_is(txn, &list, &sets[generation & 1], text);
	} else {
		assert_int_equal(store_list_find(txn, "drop", &list, NULL), ERROR_REFUSED);
	}
	store_abort(&txn);
	fixture_close(fixture);
	return generation;
}

/*
 * The longest delay of the next kill, after one that let so many replacements through. What was
 * measured is only where to begin: others may have used the disk and the CPU then, or do so now.
 */
static uint64_t adapt(uint64_t delay_max, uint64_t replaced)
{
	if (!replaced)
		return delay_max + delay_max / ADAPT_SHARE;
	return replaced > DELAY_SHARE ? delay_max - delay_max / ADAPT_SHARE : delay_max;
}

static void a_kill_leaves_the_old_list_or_the_new_one(void **state)
{
	struct fixture *fixture = *state;
	uint64_t seed = choose_seed(), generation = 0, told;
	unsigned int untold = 0, idle = 0;
	uint64_t delay_max;

	fixture_close(fixture);
	delay_max = measure(fixture) * DELAY_SHARE;
	for (int i = 0; i < KILLS; i++) {
		const uint64_t before = generation;

		told = run_and_kill(fixture, before, random_next(&seed) % delay_max);
		generation = verify(fixture);
		assert_in_range(generation, told, told + 1);
		untold += generation == told + 1;
		idle += generation == before;
		delay_max = adapt(delay_max, generation - before);
	}
	print_message("%d kills, %llu replacements; %u died before the first commit, %u between a "
		      "commit and telling of it\n",
		      KILLS, (unsigned long long)generation, idle, untold);
	assert_in_range(generation, KILLS / 4, UINT64_MAX); /* or the kills came too early */
	assert_true(idle < KILLS);
}

/* The whole file; the caller frees it. */
static uint8_t *read_file(const struct fixture *fixture, size_t *size)
{
	const int fd = open(fixture_path(fixture, "data.mdb"), O_RDONLY);
	struct stat file;
	uint8_t *bytes;

	assert_return_code(fd, errno);
	assert_return_code(fstat(fd, &file), errno);
	*size = (size_t)file.st_size;
	bytes = malloc(*size);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, *size), *size);
	close(fd);
	return bytes;
}

static void write_file(const struct fixture *fixture, const uint8_t *bytes, size_t size)
{
	const int fd = open(fixture_path(fixture, "data.mdb"), O_WRONLY | O_TRUNC);

	assert_return_code(fd, errno);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

/*
 * The file as a power loss leaves it: of the pages that the transaction wrote, those that the dice
 * choose. The page that makes them count is written after all others are safe, so it is not there.
 */
static void lose_power(const struct fixture *fixture, const uint8_t *old, size_t old_size,
		       const uint8_t *new, size_t new_size, uint64_t *seed)
{
	uint8_t *mixed = calloc(1, new_size);

	assert_non_null(mixed);
	memcpy(mixed, old, old_size);
	for (size_t page = META_PAGES; page < new_size / PAGE; page++)
		if (random_next(seed) & 1)
			memcpy(mixed + page * PAGE, new + page *PAGE, PAGE);
	write_file(fixture, mixed, new_size);
	free(mixed);
}

static void a_power_loss_before_the_end_leaves_the_old_list(void **state)
{
	struct fixture *fixture = *state;
	uint64_t seed = choose_seed();
	size_t old_size, new_size;
	uint8_t *old, *new;

	for (uint64_t generation = 1; generation <= 5; generation++)
		assert_int_equal(write_generation(fixture->store, generation), 0);
	fixture_close(fixture);
	old = read_file(fixture, &old_size);
	fixture_open(fixture);
	assert_int_equal(write_generation(fixture->store, 6), 0);
	fixture_close(fixture);
	new = read_file(fixture, &new_size);
	assert_true(new_size >= old_size);
	assert_memory_not_equal(old, new, (size_t)META_PAGES * PAGE);

	for (int i = 0; i < POWER_LOSSES; i++) {
		lose_power(fixture, old, old_size, new, new_size, &seed);
		assert_int_equal(verify(fixture), 5);
	}
	write_file(fixture, new, new_size);
	assert_int_equal(verify(fixture), 6);
	fixture_open(fixture);
	free(old);
	free(new);
}

/* What the two tests above cannot see: a commit has returned only when the disk has everything. */
static void a_commit_waits_for_the_disk(void **state)
{
	struct fixture *fixture = *state;
	unsigned int flags;

	assert_int_equal(mdb_env_get_flags(fixture->store->env, &flags), 0);
	assert_int_equal(flags & (MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_MAPASYNC), 0);
}

static int make_sets(void **state)
{
	(void)state;
	random_set(&sets[0], SET_SIZE, 1);
	random_set(&sets[1], SET_SIZE, 2);
	return 0;
}

static int clear_sets(void **state)
{
	(void)state;
	entry_set_clear(&sets[0]);
	entry_set_clear(&sets[1]);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(a_kill_leaves_the_old_list_or_the_new_one),
		STORE_TEST(a_power_loss_before_the_end_leaves_the_old_list),
		STORE_TEST(a_commit_waits_for_the_disk),
	};

	return cmocka_run_group_tests_name("store crash", tests, make_sets, clear_sets);
}
