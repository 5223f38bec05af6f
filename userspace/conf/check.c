/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/check.c - options that contradict each other.
 *
 * Called when a file has been read, and when the operator has set values. Each option is in its
 * range by then; what is looked for here is a limit or a threshold that could never be reached, a
 * value that means nothing beside another one's 0, a flood that could not end, or a least time
 * above the longest. A burst that nobody wrote follows its rate and contradicts nothing. Of several
 * contradictions the one that the file completes first is reported; what the operator set comes
 * after every line of the file.
 */
#include "conf/schema.h"

#include <inttypes.h>
#include <string.h>

/* Two options of which the words say why they cannot both stand. */
struct conflict {
	const struct conf_option *first, *second;
	const char *first_words;  /* "first 5 WORDS second 3" */
	const char *second_words; /* "second 3 WORDS first 5" */
};

static int64_t value_of(const struct conf *conf, const struct conf_option *option)
{
	const void *field = conf_field_read(conf, option);

	if (option->type == CONF_SCORE)
		return *(const int32_t *)field;
	return *(const uint32_t *)field;
}

static uint32_t line_of(const struct conf *conf, const struct conf_option *option)
{
	return conf->line[conf_option_index(option)];
}

/* The line with which the contradiction is complete. */
static uint32_t conflict_line(const struct conf *conf, const struct conflict *conflict)
{
	const uint32_t first = line_of(conf, conflict->first);
	const uint32_t second = line_of(conf, conflict->second);

	return first > second ? first : second;
}

/* Keeps the earlier one of two. */
static void consider(const struct conf *conf, struct conflict *found, const struct conflict *other)
{
	if (!found->first || conflict_line(conf, other) < conflict_line(conf, found))
		*found = *other;
}

#define FIELD(member) offsetof(struct conf, member)
#define LEVEL_FIELD(nth, member)                                                                   \
	(offsetof(struct conf, limits.level) + (nth) * sizeof(struct conf_limit) +                 \
	 offsetof(struct conf_limit, member))

/* A value that somebody wrote and that has no effect, because another one is 0. */
static void find_idle(const struct conf *conf, size_t first, size_t second, struct conflict *found)
{
	const struct conflict idle = {
		.first = conf_option_at(first),
		.second = conf_option_at(second),
		.first_words = "has no effect beside",
		.second_words = "leaves no effect to",
	};

	if (value_of(conf, idle.first) && !value_of(conf, idle.second) &&
	    line_of(conf, idle.first) != CONF_LINE_DEFAULT)
		consider(conf, found, &idle);
}

/* What limits: a burst without a rate does not, and neither does 0. */
static bool holds(const struct conf *conf, size_t level, size_t member)
{
	const struct conf_limit *limit = &conf->limits.level[level];

	if (member == offsetof(struct conf_limit, burst) && !limit->rate)
		return false;
	return value_of(conf, conf_option_at(LEVEL_FIELD(level, rate) + member)) != 0;
}

/* A limit above the one of the next wider level that has any could never be reached. */
static void find_wider(const struct conf *conf, size_t level, size_t member, struct conflict *found)
{
	struct conflict wider = { .first_words = "is more than", .second_words = "is less than" };
	size_t outer = level + 1;

	while (outer < METER_LEVELS && !holds(conf, outer, member))
		outer++;
	if (outer == METER_LEVELS || !holds(conf, level, member))
		return;
	wider.first = conf_option_at(LEVEL_FIELD(level, rate) + member);
	wider.second = conf_option_at(LEVEL_FIELD(outer, rate) + member);
	if (value_of(conf, wider.first) > value_of(conf, wider.second))
		consider(conf, found, &wider);
}

/* What may be said of two options by their values. */
enum order {
	AT_MOST,        /* the first is at most the second */
	AT_MOST_UNLESS, /* likewise, unless the second is 0, which is "none" or "never" */
	AT_MOST_IF_ANY, /* likewise, unless one of them is 0 */
	LESS,           /* the first is less than the second */
};

static const struct {
	size_t first, second;
	enum order order;
} orders[] = {
	/* One that ends above where it begins would begin and end all the time. */
	{ FIELD(flood.release), FIELD(flood.threshold), AT_MOST_UNLESS },
	/* What is kept is not kept for longer than the longest time. */
	{ FIELD(dns.ttl_min), FIELD(dns.ttl_max), AT_MOST },
	{ FIELD(dns.ttl_min), FIELD(dns.ttl_negative), AT_MOST_UNLESS },
	{ FIELD(guard.ttl_min), FIELD(guard.ttl_max), AT_MOST },
	{ FIELD(escalation.ttl), FIELD(escalation.ttl_max), AT_MOST },
	/* A part is no more than the whole. */
	{ FIELD(dns.in_flight_zone), FIELD(dns.in_flight), AT_MOST },
	{ FIELD(smtp.timeout_command), FIELD(smtp.timeout_session), AT_MOST },
	{ FIELD(smtp.timeout_data), FIELD(smtp.timeout_session), AT_MOST },
	/* The milder step comes first, or it would never be taken. */
	{ FIELD(policy.slow), FIELD(policy.greylist), AT_MOST_IF_ANY },
	{ FIELD(policy.greylist), FIELD(policy.reject), AT_MOST_IF_ANY },
	{ FIELD(policy.slow), FIELD(policy.reject), AT_MOST_IF_ANY },
	/* Nobody could come again late enough and still in time. */
	{ FIELD(greylist.delay), FIELD(greylist.window), LESS },
};

static bool is_in_order(int64_t first, int64_t second, enum order order)
{
	if (order == LESS)
		return first < second;
	if (order != AT_MOST && !second)
		return true;
	return first <= second || (order == AT_MOST_IF_ANY && !first);
}

static void find_order(const struct conf *conf, size_t nth, struct conflict *found)
{
	const bool less = orders[nth].order == LESS;
	const struct conflict conflict = {
		.first = conf_option_at(orders[nth].first),
		.second = conf_option_at(orders[nth].second),
		.first_words = less ? "is not less than" : "is more than",
		.second_words = less ? "is not more than" : "is less than",
	};

	if (!is_in_order(value_of(conf, conflict.first), value_of(conf, conflict.second),
			 orders[nth].order))
		consider(conf, found, &conflict);
}

/* Where the other option of the two stands, seen from the line that the message starts with. */
static void describe_place(const struct conf *conf, const struct conf_option *option,
			   bool same_file, char out[CONF_ORIGIN_MAX])
{
	const uint32_t line = line_of(conf, option);

	if (line == CONF_LINE_DEFAULT)
		snprintf(out, CONF_ORIGIN_MAX, "the default");
	else if (line == CONF_LINE_OPERATOR)
		snprintf(out, CONF_ORIGIN_MAX, "set by the operator");
	else if (same_file)
		snprintf(out, CONF_ORIGIN_MAX, "line %" PRIu32, line);
	else
		conf_origin(conf, option->name, out);
}

int conf_check_at(const struct conf *conf, const struct conf_option *option, struct error *err)
{
	const uint32_t line = line_of(conf, option);

	if (line != CONF_LINE_DEFAULT && line != CONF_LINE_OPERATOR)
		error_prefix(err, "%s:%" PRIu32, conf->file, line);
	return ERROR_REFUSED;
}

static int refuse(const struct conf *conf, const struct conflict *conflict, struct error *err)
{
	const bool swap = line_of(conf, conflict->second) > line_of(conf, conflict->first);
	const struct conf_option *subject = swap ? conflict->second : conflict->first;
	const struct conf_option *other = swap ? conflict->first : conflict->second;
	const uint32_t line = line_of(conf, subject);
	const bool in_file = line != CONF_LINE_DEFAULT && line != CONF_LINE_OPERATOR;
	char place[CONF_ORIGIN_MAX];

	describe_place(conf, other, in_file, place);
	error_set(err, ERROR_REFUSED, "%s: %" PRId64 " %s %s, %" PRId64 " (%s)", subject->name,
		  value_of(conf, subject), swap ? conflict->second_words : conflict->first_words,
		  other->name, value_of(conf, other), place);
	return conf_check_at(conf, subject, err);
}

int conf_check(const struct conf *conf, struct error *err)
{
	static const size_t members[] = { offsetof(struct conf_limit, rate),
					  offsetof(struct conf_limit, burst),
					  offsetof(struct conf_limit, conns) };
	struct conflict found = { .first = NULL };

	_Static_assert(offsetof(struct conf_limit, rate) == 0, "conf: members are counted from it");
	for (size_t level = 0; level < METER_LEVELS; level++) {
		find_idle(conf, LEVEL_FIELD(level, burst), LEVEL_FIELD(level, rate), &found);
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			find_wider(conf, level, members[i], &found);
	}
	find_idle(conf, FIELD(flood.release), FIELD(flood.threshold), &found);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		find_order(conf, i, &found);
	return found.first ? refuse(conf, &found, err) : conf_check_smtp(conf, err);
}
