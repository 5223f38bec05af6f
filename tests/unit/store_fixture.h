/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/store_fixture.h - what the tests of the store share: a store in a directory of its
 * own, and ways to say what must be in it. Everything here fails the test when it does not succeed.
 */
#ifndef POSTERN_TESTS_UNIT_STORE_FIXTURE_H
#define POSTERN_TESTS_UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIB          ((size_t)1 << 20)
#define TEST_NOW     1700000000u /* seconds since 1970 */

struct fixture {
	char dir[64];
	size_t size;
	struct store *store; /* NULL while it is closed */
};

/* For cmocka_unit_test_setup_teardown: a new empty store; *state is a struct fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

void fixture_open(struct fixture *fixture);
/* Closes the store, and looks at all of it first. */
void fixture_close(struct fixture *fixture);
/* Opening must fail with exactly this text, in which "DIR" stands for the directory. */
void fixture_open_fails(struct fixture *fixture, const char *text);
/* DIR/name; good until the next call. */
const char *fixture_path(const struct fixture *fixture, const char *name);
/* A fixture whose directory is DIR/name, closed; the caller cleans it up. */
struct fixture fixture_inside(const struct fixture *outer, const char *name);

struct store_txn *begin_read(struct store *store);
struct store_txn *begin_write(struct store *store);
void commit(struct store_txn **txn);

struct prefix prefix(const char *text);
struct list_info ensure(struct store_txn *txn, const char *name, enum list_kind kind);
struct list_info find(struct store_txn *txn, const char *name);
void put(struct store_txn *txn, struct list_info *list, const char *text, uint32_t expires,
	 const char *source, const char *reason);
int del(struct store_txn *txn, struct list_info *list, const char *text);
void replace(struct store_txn *txn, struct list_info *list, const struct entry_set *set,
	     const char *source);

/* The entry must be there and have these texts. */
void has_note(struct store_txn *txn, const struct list_info *list, const struct entry *entry,
	      const char *source, const char *reason);

/* The number of records that a database of the store has for a list. */
size_t records(const char *dir, const char *database, uint8_t slot);

/*
 * Changes a record behind the store's back, while it is closed: `data` NULL removes it, or
 * everything under the key if `old` is NULL too; otherwise `old`, if there is one, gives way to
 * `data`.
 */
struct bytes {
	const void *at;
	size_t size;
};
void tamper(const char *dir, const char *database, struct bytes key, const struct bytes *old,
	    const struct bytes *data);

/* A random number from a seeded sequence. */
uint64_t random_next(uint64_t *seed);

/* `count` entries of both families, sorted, with reasons for some and times to live for some. */
void random_set(struct entry_set *set, size_t count, uint64_t seed);

/* The list must hold exactly the set, as it is after store_replace() with TEST_NOW. */
void list_is(struct store_txn *txn, const struct list_info *list, const struct entry_set *set,
	     const char *source);

#endif
