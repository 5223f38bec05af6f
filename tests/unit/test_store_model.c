/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A long random life of a store, compared with a model after every transaction.
 */
#include "store_fixture.h"

#include <stdlib.h>

/*
 * The model: what each of these prefixes must be in each of two lists. There are few of them, so
 * that sets of one, of a page and of more than a page come and go.
 */
#define UNIVERSE 400
#define LISTS    2

struct model {
	struct entry entry[LISTS][UNIVERSE];
	bool there[LISTS][UNIVERSE];
};

static struct prefix universe(int i)
{
	const struct addr ipv4 = addr_from_ipv4((uint32_t)i << 20);
	const struct addr ipv6 = addr_from_halves(0x20010db800000000ull, (uint64_t)i << 40);

	return i & 1 ? prefix_of(&ipv4, 120) : prefix_of(&ipv6, 100);
}

/* The note of the model is 1 + what its reason says. */
static void model_is(const struct model *model, struct store_txn *txn, const struct list_info *list,
		     int which)
{
	static const char *const reasons[] = { "a", "bb", "ccc" };
	struct entry found;
	uint64_t count = 0;

	for (int i = 0; i < UNIVERSE; i++) {
		const struct entry *wanted = &model->entry[which][i];
		const struct prefix at = universe(i);

		assert_int_equal(store_get(txn, list, &at, &found, NULL), model->there[which][i]);
		if (!model->there[which][i])
			continue;
		count++;
		assert_int_equal(found.expires, wanted->expires);
		has_note(txn, list, &found, wanted->note ? "model" : "",
			 wanted->note ? reasons[wanted->note - 1] : "");
	}
	assert_int_equal(list->ipv4 + list->ipv6, count);
}

/* One random change of the store and of the model. */
static void model_step(struct model *model, struct store_txn *txn, struct list_info *lists,
		       uint64_t *seed, bool growing)
{
	static const char *const reasons[] = { "a", "bb", "ccc" };
	const uint64_t dice = random_next(seed);
	const int which = (int)(dice & 1), i = (int)((dice >> 8) % UNIVERSE);
	const uint32_t note = (uint32_t)(dice >> 20) % 4;
	struct entry *entry = &model->entry[which][i], fresh;

	if ((dice >> 32) % 3 < (growing ? 2 : 1)) {
		*entry = (struct entry){ .prefix = universe(i),
					 .action = ACTION_DROP,
					 .expires = (uint32_t)(dice >> 40) % 8,
					 .note = note };
		fresh = *entry;
		assert_int_equal(store_put(txn, &lists[which], &fresh, note ? "model" : "",
					   note ? reasons[note - 1] : "", NULL),
				 0);
		model->there[which][i] = true;
	} else {
		const struct prefix at = universe(i);

		assert_int_equal(store_del(txn, &lists[which], &at, NULL, NULL),
				 model->there[which][i]);
		model->there[which][i] = false;
	}
}

static void a_long_random_life_agrees_with_a_model(void **state)
{
	struct fixture *fixture = *state;
	struct model *model = calloc(1, sizeof(*model)), *committed = calloc(1, sizeof(*model));
	struct list_info lists[LISTS];
	struct error err = { 0 };
	uint64_t seed = 1;

	assert_true(model && committed);
	for (int round = 0; round < 300; round++) {
		struct store_txn *txn = begin_write(fixture->store);

		lists[0] = ensure(txn, "one", LIST_KIND_BLOCK);
		lists[1] = ensure(txn, "two", LIST_KIND_BLOCK);
		for (int step = (int)(random_next(&seed) % 60); step >= 0; step--)
			model_step(model, txn, lists, &seed, round / 75 % 2 == 0);
		for (int which = 0; which < LISTS; which++)
			model_is(model, txn, &lists[which], which);
		if (store_check(txn, &err))
			fail_msg("round %d: %s", round, err.text);
		if (random_next(&seed) % 8) {
			commit(&txn);
			*committed = *model;
		} else {
			store_abort(&txn);
			*model = *committed;
		}
	}
	free(model);
	free(committed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(a_long_random_life_agrees_with_a_model),
	};

	return cmocka_run_group_tests_name("store model", tests, NULL, NULL);
}
