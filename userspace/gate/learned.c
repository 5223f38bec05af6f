/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/learned.c - the cells of what was learned: see gate/learned.h and maps/learned.h.
 *
 * Who writes holds the lock. Who reads does not: a cell that changes meanwhile is read as empty, as
 * the program reads it.
 */
#include "gate/internal.h"
#include "gate/learned.h"
#include "lib/clock.h"
#include "maps/learned.h"

#define UNIT_NS (1ull << LEARNED_SHIFT)

#define load(place)         __atomic_load_n(place, __ATOMIC_ACQUIRE)
#define store(place, value) __atomic_store_n(place, value, __ATOMIC_RELEASE)

_Static_assert((int)GATE_LEARNED_KNOWN == LEARNED_KNOWN &&
		       (int)GATE_LEARNED_TRUSTED == LEARNED_TRUSTED &&
		       (int)GATE_LEARNED_BLOCKED == LEARNED_BLOCKED &&
		       (int)GATE_LEARNED_KINDS == LEARNED_KINDS,
	       "the program and the rest of the agent have the same kinds");

/* Where an address belongs. */
struct place {
	struct learned_line *line;
	uint64_t key;
	uint64_t key_bits;
};

static struct learned_line *lines_of(const struct gate *gate)
{
	return gate->map[GATE_MAP_learned].memory;
}

static struct place place_of(const struct gate *gate, const struct addr *addr)
{
	const uint32_t family = addr_is_ipv4(addr) ? FAMILY_IPV4 : FAMILY_IPV6;
	const uint64_t key = learned_key(addr_high(addr), addr_low(addr), family);
	const uint64_t hash = learned_hash(key, family, gate_kernel_settings(gate)->secret);

	return (struct place){ &lines_of(gate)[learned_line_index(hash)], key,
			       learned_key_bits(hash, family) };
}

static uint32_t time_now(void)
{
	return (uint32_t)(clock_mono() >> LEARNED_SHIFT);
}

/* The first moment that is no earlier than so many seconds from now. */
static uint32_t time_after(uint32_t seconds)
{
	const uint64_t end = (clock_mono() + seconds * NS_A_SECOND + UNIT_NS - 1) >> LEARNED_SHIFT;

	return end > UINT32_MAX ? UINT32_MAX : (uint32_t)end;
}

static uint32_t seconds_until(uint32_t until)
{
	const uint64_t end = (uint64_t)until << LEARNED_SHIFT, now = clock_mono();

	return end > now ? (uint32_t)((end - now + NS_A_SECOND - 1) / NS_A_SECOND) : 0;
}

/* The cell's word, if it is whole and still holds at `time`; else 0. `key` is what it is about. */
static uint64_t read_cell(const struct learned_cell *cell, uint32_t time, uint64_t *key)
{
	const uint64_t word = load(&cell->word);

	*key = load(&cell->key);
	return load(&cell->word) == word && learned_holds(word, time) ? word : 0;
}

/* The cell about a place that still holds, and its word; NULL and 0 if there is none. */
static struct learned_cell *find(const struct place *place, uint64_t *word)
{
	const uint32_t time = time_now();

	for (int way = 0; way < LEARNED_WAYS; way++) {
		struct learned_cell *cell = &place->line->cell[way];
		uint64_t key;

		*word = read_cell(cell, time, &key);
		if (*word && key == place->key && (*word & LEARNED_KEY_BITS) == place->key_bits)
			return cell;
	}
	*word = 0;
	return NULL;
}

static struct gate_learned shown(uint64_t key, uint64_t word)
{
	const bool ipv4 = learned_family(word) == FAMILY_IPV4;

	return (struct gate_learned){
		.addr = ipv4 ? addr_from_halves(0, key) : addr_from_halves(key, 0),
		.kind = learned_kind(word),
		.action = learned_action(word),
		.seconds = seconds_until(learned_until(word)),
	};
}

/* How much is lost with a cell: nothing, then what runs out first, then blocks in the same order.
 */
static uint64_t worth(uint64_t word, uint32_t time)
{
	if (!learned_holds(word, time))
		return 0;
	return (uint64_t)(learned_kind(word) == LEARNED_BLOCKED) << 32 | learned_until(word);
}

/* The cell that gives way to a word, or NULL if all are worth more. A block gives way only to a
 * block that lasts as long. */
static struct learned_cell *find_room(const struct place *place, uint64_t word)
{
	struct learned_cell *least = &place->line->cell[0];
	const uint32_t time = time_now();

	for (int way = 1; way < LEARNED_WAYS; way++)
		if (worth(place->line->cell[way].word, time) < worth(least->word, time))
			least = &place->line->cell[way];
	if (learned_kind(least->word) == LEARNED_BLOCKED &&
	    worth(least->word, time) > worth(word, time))
		return NULL;
	return least;
}

/* Before a block can be seen: if it answers its source, the program looks at later segments. */
static void note_answers(struct gate *gate, uint64_t word)
{
	const uint32_t action = learned_action(word), until = learned_until(word);

	if (learned_kind(word) != LEARNED_BLOCKED ||
	    (action != ACTION_REFUSE && action != ACTION_TARPIT))
		return;
	if (until > gate->learned.answers_until)
		gate->learned.answers_until = until;
	__atomic_store_n(&gate_kernel_settings(gate)->evidence.answers, 1, __ATOMIC_SEQ_CST);
}

static void put(struct learned_cell *cell, uint64_t key, uint64_t word)
{
	if (cell->key != key) {
		store(&cell->word, 0);
		store(&cell->key, key);
	}
	store(&cell->word, word);
}

/* A source has become what it is now, or was until now. */
static void note_change(struct gate *gate, uint32_t kind)
{
	if (kind == LEARNED_BLOCKED)
		__atomic_store_n(&gate->learned.changed, clock_wall(), __ATOMIC_RELAXED);
}

uint32_t gate_learned_changed(struct gate *gate)
{
	return __atomic_load_n(&gate->learned.changed, __ATOMIC_RELAXED);
}

bool gate_learn(struct gate *gate, const struct gate_learned *learned)
{
	const struct place place = place_of(gate, &learned->addr);
	const uint64_t word = learned_word(place.key_bits, learned->kind, learned->action,
					   time_after(learned->seconds));
	struct learned_cell *cell;
	uint64_t before;

	if (learned->kind == GATE_LEARNED_NONE || !learned->seconds) {
		gate_forget(gate, &learned->addr);
		return true;
	}
	pthread_mutex_lock(&gate->learned.lock);
	cell = find(&place, &before);
	if (!cell)
		cell = find_room(&place, word);
	if (cell) {
		note_answers(gate, word);
		put(cell, place.key, word);
		note_change(gate, learned_kind(before));
		note_change(gate, learned->kind);
	}
	pthread_mutex_unlock(&gate->learned.lock);
	return cell;
}

bool gate_learned_find(struct gate *gate, const struct addr *addr, struct gate_learned *out)
{
	const struct place place = place_of(gate, addr);
	uint64_t word;

	if (find(&place, &word))
		*out = shown(place.key, word);
	else
		*out = (struct gate_learned){ .addr = *addr };
	return out->kind != GATE_LEARNED_NONE;
}

bool gate_forget(struct gate *gate, const struct addr *addr)
{
	const struct place place = place_of(gate, addr);
	struct learned_cell *cell;
	uint64_t word;

	pthread_mutex_lock(&gate->learned.lock);
	cell = find(&place, &word);
	if (cell) {
		store(&cell->word, 0);
		note_change(gate, learned_kind(word));
	}
	pthread_mutex_unlock(&gate->learned.lock);
	return cell;
}

/* Calls for every cell that holds something, with its word; stops when the callback says so. */
typedef bool (*cell_cb)(struct learned_cell *cell, uint64_t key, uint64_t word, void *arg);

static void each_cell(struct gate *gate, cell_cb cb, void *arg)
{
	struct learned_line *line = lines_of(gate);
	const uint32_t time = time_now();
	uint64_t key, word;

	for (uint32_t i = 0; i < LEARNED_LINES; i++)
		for (int way = 0; way < LEARNED_WAYS; way++) {
			word = read_cell(&line[i].cell[way], time, &key);
			if (word && !cb(&line[i].cell[way], key, word, arg))
				return;
		}
}

struct forgetting {
	uint32_t kind;
	size_t count;
};

static bool forget_cell(struct learned_cell *cell, uint64_t key, uint64_t word, void *arg)
{
	struct forgetting *forgetting = arg;

	(void)key;
	if (learned_kind(word) == forgetting->kind) {
		store(&cell->word, 0);
		forgetting->count++;
	}
	return true;
}

size_t gate_forget_kind(struct gate *gate, enum gate_learned_kind kind)
{
	struct forgetting forgetting = { .kind = kind };

	pthread_mutex_lock(&gate->learned.lock);
	each_cell(gate, forget_cell, &forgetting);
	gate->learned.answers_until = 0;
	if (forgetting.count)
		note_change(gate, kind);
	pthread_mutex_unlock(&gate->learned.lock);
	return forgetting.count;
}

struct walk {
	gate_learned_cb cb;
	void *arg;
};

static bool show_cell(struct learned_cell *cell, uint64_t key, uint64_t word, void *arg)
{
	const struct walk *walk = arg;
	const struct gate_learned learned = shown(key, word);

	(void)cell;
	return walk->cb(&learned, walk->arg);
}

void gate_learned_each(struct gate *gate, gate_learned_cb cb, void *arg)
{
	struct walk walk = { cb, arg };

	each_cell(gate, show_cell, &walk);
}

static bool count_cell(struct learned_cell *cell, uint64_t key, uint64_t word, void *arg)
{
	struct gate_learned_counts *counts = arg;

	(void)cell;
	(void)key;
	if (learned_kind(word) < LEARNED_KINDS)
		counts->kind[learned_kind(word)]++;
	return true;
}

void gate_learned_counts(struct gate *gate, struct gate_learned_counts *out)
{
	*out = (struct gate_learned_counts){ .capacity = (uint64_t)LEARNED_LINES * LEARNED_WAYS };
	each_cell(gate, count_cell, out);
}

static bool find_answers(struct learned_cell *cell, uint64_t key, uint64_t word, void *arg)
{
	(void)cell;
	(void)key;
	note_answers(arg, word);
	return true;
}

/* An agent that has just started knows nothing of the blocks of the one before, and looks. */
void learned_settle(struct gate *gate)
{
	struct evidence_settings *kernel = &gate_kernel_settings(gate)->evidence;

	if (!__atomic_load_n(&kernel->answers, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&gate->learned.lock);
	if (gate->learned.answers_until <= time_now()) {
		gate->learned.answers_until = 0;
		each_cell(gate, find_answers, gate);
		if (!gate->learned.answers_until)
			__atomic_store_n(&kernel->answers, 0, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&gate->learned.lock);
}

bool gate_learned_watched(struct gate *gate)
{
	const struct settings *kernel = gate_kernel_settings(gate);
	const uint32_t live = __atomic_load_n(&kernel->generation, __ATOMIC_RELAXED) & 1;
	const uint32_t slot = __atomic_load_n(&kernel->evidence.slot, __ATOMIC_RELAXED);

	return __atomic_load_n(&kernel->table[live].list_flags[slot], __ATOMIC_RELAXED) &
	       LIST_MONITOR;
}
