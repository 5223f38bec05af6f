/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/admission.c - see session/smtp/admission.h.
 */
#include "session/smtp/admission.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "conf/conf.h"
#include "gate/settings.h"
#include "gate/tuning.h"
#include "lib/clock.h"

#define BITS_MAX 22u /* of the number of lines: that of the largest table.sources */
#define NET_BITS 64u
#define NET_4    (ADDR_IPV4_OFFSET + 24u)
#define SITE     48u

#define UNKNOWN_LEVEL METER_LEVELS /* where the keys of the budget of unknown recipients are */
#define HOUR_NS       (3600 * NS_A_SECOND)

struct admission {
	pthread_mutex_t lock;
	uint64_t secret;
	uint32_t bits;
	struct meter_cell total; /* under the lock, as the lines are */
	struct meter_line *line;
};

/* One address at all levels: its hash, and the cell if it has one. */
struct place {
	bool at[METER_LEVELS];
	uint64_t hash[METER_LEVELS];
	struct meter_cell *cell[METER_LEVELS];
};

int admission_open(uint32_t cells, struct admission **out, struct error *err)
{
	struct admission *admission = calloc(1, sizeof(*admission));

	if (!admission)
		return error_set(err, ERROR_REFUSED, "out of memory");
	while (admission->bits < BITS_MAX && (uint32_t)METER_WAYS << admission->bits < cells)
		admission->bits++;
	pthread_mutex_init(&admission->lock, NULL);
	admission->line = calloc((size_t)1 << admission->bits, sizeof(*admission->line));
	if (!admission->line || getrandom(&admission->secret, sizeof(admission->secret), 0) < 0) {
		admission_close(&admission);
		return error_set(err, ERROR_REFUSED, "out of memory");
	}
	*out = admission;
	return 0;
}

void admission_close(struct admission **out)
{
	struct admission *admission = *out;

	*out = NULL;
	if (!admission)
		return;
	pthread_mutex_destroy(&admission->lock);
	free(admission->line);
	free(admission);
}

void admission_rules(struct admission_rules *out)
{
	const struct conf *conf = conf_read_begin();
	struct gate_settings settings = { 0 };

	if (conf)
		settings = tuning_settings(conf);
	conf_read_end();
	out->monitor = settings.monitor;
	for (int level = 0; level < METER_LEVELS; level++)
		out->limit[level] = settings_limit(&settings.limit[level], false);
}

/* Places */

static unsigned int bits_of(const struct addr *addr, enum meter_level level)
{
	if (level == METER_SOURCE)
		return ADDR_BITS;
	if (level == METER_SITE)
		return SITE;
	return addr_is_ipv4(addr) ? NET_4 : NET_BITS;
}

static struct meter_line *line_of(const struct admission *admission, uint64_t hash)
{
	return &admission->line[meter_line_index(hash, admission->bits)];
}

static struct meter_cell *find(const struct admission *admission, uint64_t hash)
{
	struct meter_line *line = line_of(admission, hash);

	for (int way = 0; way < METER_WAYS; way++)
		if (line->cell[way].tag == meter_tag(hash))
			return &line->cell[way];
	return NULL;
}

/* A free cell, which is the address's from now on; NULL if the line has none. */
static struct meter_cell *claim(const struct admission *admission, uint64_t hash, uint64_t now)
{
	struct meter_line *line = line_of(admission, hash);

	for (int way = 0; way < METER_WAYS; way++) {
		struct meter_cell *cell = &line->cell[way];

		if (cell->conns || cell->tat > now)
			continue;
		*cell = (struct meter_cell){ .tag = meter_tag(hash) };
		return cell;
	}
	return NULL;
}

/* IPv4 has no sites. */
static struct place place_of(struct admission *admission, const struct addr *addr)
{
	struct place place = { .at = { [METER_TOTAL] = true } };

	place.cell[METER_TOTAL] = &admission->total;
	for (enum meter_level level = METER_SOURCE; level < METER_TOTAL; level++) {
		const struct addr at = prefix_of(addr, bits_of(addr, level)).addr;

		if (level == METER_SITE && addr_is_ipv4(addr))
			continue;
		place.at[level] = true;
		place.hash[level] =
			meter_hash(addr_high(&at), addr_low(&at), level, admission->secret);
		place.cell[level] = find(admission, place.hash[level]);
	}
	return place;
}

/* Limits */

/* A bucket is never further from full than the whole burst: what it owed under a slower limit that
 * has been raised since is forgiven. */
static void settle(const struct meter_limit *limit, struct meter_cell *cell, uint64_t now)
{
	if (cell->tat > now + limit->burst_ns)
		cell->tat = now;
}

/* A source without a cell owes nothing. */
static enum reason ask_level(const struct meter_limit *limit, enum meter_level level,
			     struct meter_cell *cell, uint64_t now)
{
	if (!cell)
		return REASON_ACCEPTED;
	if (limit->conns && cell->conns >= limit->conns)
		return (enum reason)(REASON_CONN_SOURCE + level);
	if (!limit->interval_ns)
		return REASON_ACCEPTED;
	settle(limit, cell, now);
	return meter_next(limit, cell->tat, now) ? REASON_ACCEPTED
						 : (enum reason)(REASON_RATE_SOURCE + level);
}

static enum reason ask(const struct admission_rules *rules, const struct place *place, uint64_t now)
{
	enum reason reason = REASON_ACCEPTED;

	for (enum meter_level level = METER_SOURCE;
	     level < METER_LEVELS && reason == REASON_ACCEPTED; level++)
		reason = ask_level(&rules->limit[level], level, place->cell[level], now);
	return reason;
}

/* Also where there is no limit yet: one may be set while the connection is open. */
static uint8_t count_in(const struct admission *admission, const struct admission_rules *rules,
			struct place *place, bool charged, uint64_t now)
{
	uint8_t levels = 0;

	for (enum meter_level level = METER_SOURCE; level < METER_LEVELS; level++) {
		const struct meter_limit *limit = &rules->limit[level];
		struct meter_cell *cell = place->cell[level];

		if (place->at[level] && !cell)
			cell = claim(admission, place->hash[level], now);
		if (!cell)
			continue;
		if (charged && limit->interval_ns)
			cell->tat = meter_next(limit, cell->tat, now);
		cell->conns++;
		levels |= (uint8_t)(1u << level);
	}
	return levels;
}

enum reason admission_enter(struct admission *admission, const struct admission_rules *rules,
			    const struct addr *addr, uint8_t *levels)
{
	enum reason reason;
	struct place place;
	uint64_t now;

	*levels = 0;
	pthread_mutex_lock(&admission->lock);
	now = clock_mono(); /* within the lock, so that it goes forward from one to the next */
	place = place_of(admission, addr);
	reason = ask(rules, &place, now);
	if (reason == REASON_ACCEPTED || rules->monitor)
		*levels = count_in(admission, rules, &place, reason == REASON_ACCEPTED, now);
	pthread_mutex_unlock(&admission->lock);
	return reason;
}

/* A cell that holds connections is never taken away, so each is where it was counted. */
void admission_leave(struct admission *admission, const struct addr *addr, uint8_t levels)
{
	struct place place;

	if (!levels)
		return;
	pthread_mutex_lock(&admission->lock);
	place = place_of(admission, addr);
	for (enum meter_level level = METER_SOURCE; level < METER_LEVELS; level++) {
		struct meter_cell *counted = levels >> level & 1 ? place.cell[level] : NULL;

		if (counted)
			counted->conns--;
	}
	pthread_mutex_unlock(&admission->lock);
}

/* Unknown recipients */

/* Of as many at once as in an hour, so that a cell may stay when a reload changes their number. */
static struct meter_limit unknown_limit(uint32_t hourly)
{
	const uint64_t interval = HOUR_NS / hourly;

	return (struct meter_limit){ .interval_ns = interval, .burst_ns = interval * hourly };
}

static uint64_t unknown_hash(const struct admission *admission, const struct addr *addr)
{
	const unsigned int bits = addr_is_ipv4(addr) ? ADDR_BITS : NET_BITS;
	const struct addr at = prefix_of(addr, bits).addr;

	return meter_hash(addr_high(&at), addr_low(&at), UNKNOWN_LEVEL, admission->secret);
}

bool admission_may_ask(struct admission *admission, const struct addr *addr, uint32_t hourly)
{
	const struct meter_cell *cell;
	struct meter_limit limit;
	bool may;

	if (!admission || !hourly)
		return true;
	limit = unknown_limit(hourly);
	pthread_mutex_lock(&admission->lock);
	cell = find(admission, unknown_hash(admission, addr));
	may = !cell || meter_next(&limit, cell->tat, clock_mono());
	pthread_mutex_unlock(&admission->lock);
	return may;
}

/* Answers to what was asked before it was empty leave it so. */
void admission_unknown(struct admission *admission, const struct addr *addr, uint32_t hourly)
{
	struct meter_limit limit;
	struct meter_cell *cell;
	uint64_t now, hash, next;

	if (!admission || !hourly)
		return;
	limit = unknown_limit(hourly);
	pthread_mutex_lock(&admission->lock);
	now = clock_mono();
	hash = unknown_hash(admission, addr);
	cell = find(admission, hash);
	if (!cell)
		cell = claim(admission, hash, now);
	next = cell ? meter_next(&limit, cell->tat, now) : 0;
	if (next)
		cell->tat = next;
	pthread_mutex_unlock(&admission->lock);
}

void admission_delivered(struct admission *admission, const struct addr *addr, uint32_t hourly,
			 size_t recipients)
{
	struct meter_cell *cell;
	uint64_t back;

	if (!admission || !hourly)
		return;
	back = (recipients < hourly ? recipients : hourly) * unknown_limit(hourly).interval_ns;
	pthread_mutex_lock(&admission->lock);
	cell = find(admission, unknown_hash(admission, addr));
	if (cell)
		cell->tat -= cell->tat < back ? cell->tat : back;
	pthread_mutex_unlock(&admission->lock);
}

const char *admission_limit_name(enum reason reason)
{
#define NAME(name, text, kind, help) [REASON_##name] = text,
	static const char *const names[REASON_COUNT] = { REASON_LIST(NAME) };
#undef NAME

	return names[reason];
}
