/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/names.c - the tables behind obs/names.h, made from the lists in maps/ so that neither can
 * forget a member of the other.
 */
#include "obs/names.h"

#include "lib/clock.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct reason_words {
	const char *name;
	const char *help;
	enum reason_kind kind;
};

#define REASON_WORDS(name, text, kind, help) [REASON_##name] = { text, help, REASON_KIND_##kind },
static const struct reason_words reasons[REASON_COUNT] = { REASON_LIST(REASON_WORDS) };
#undef REASON_WORDS

static const char *const reason_kinds[] = {
	[REASON_KIND_PASS] = "pass",
	[REASON_KIND_STOP] = "stop",
};

static const char *const families[FAMILY_COUNT] = {
	[FAMILY_IPV4] = "ipv4",
	[FAMILY_IPV6] = "ipv6",
};

static const char *const outcomes[OUTCOME_COUNT] = {
	[OUTCOME_ENFORCED] = "enforced",
	[OUTCOME_MONITORED] = "monitored",
};

static const char *const list_kinds[] = {
	[LIST_KIND_BLOCK] = "block",
	[LIST_KIND_ALLOW] = "allow",
};

static const char *const modes[] = {
	[GATE_MODE_AUTO] = "auto",
	[GATE_MODE_NATIVE] = "native",
	[GATE_MODE_GENERIC] = "generic",
};

static const char *const cookie_states[] = {
	[GATE_COOKIES_OFF] = "off",
	[GATE_COOKIES_ARMED] = "armed",
	[GATE_COOKIES_ON] = "on",
	[GATE_COOKIES_UNAVAILABLE] = "unavailable",
};

static const char *const levels[METER_LEVELS] = {
	[METER_SOURCE] = "source",
	[METER_NET] = "net",
	[METER_SITE] = "site",
	[METER_TOTAL] = "total",
};

static const char *word(const char *const *words, size_t count, unsigned int number)
{
	return number < count ? words[number] : NAME_UNKNOWN;
}

const char *reason_name(unsigned int reason)
{
	return reason < REASON_COUNT ? reasons[reason].name : NAME_UNKNOWN;
}

const char *reason_help(unsigned int reason)
{
	return reason < REASON_COUNT ? reasons[reason].help : NAME_UNKNOWN;
}

const char *reason_kind_name(unsigned int reason)
{
	return reason < REASON_COUNT ? reason_kinds[reasons[reason].kind] : NAME_UNKNOWN;
}

const char *family_name(unsigned int family)
{
	return word(families, COUNT_OF(families), family);
}

const char *outcome_name(unsigned int outcome)
{
	return word(outcomes, COUNT_OF(outcomes), outcome);
}

const char *list_kind_name(unsigned int kind)
{
	return word(list_kinds, COUNT_OF(list_kinds), kind);
}

const char *role_name(unsigned int role)
{
	static const char *const roles[] = { "filter", "guard", "proxy" };

	return word(roles, COUNT_OF(roles), role);
}

const char *gate_mode_name(unsigned int mode)
{
	return word(modes, COUNT_OF(modes), mode);
}

const char *cookies_name(unsigned int cookies)
{
	return word(cookie_states, COUNT_OF(cookie_states), cookies);
}

const char *meter_level_name(unsigned int level)
{
	return word(levels, COUNT_OF(levels), level);
}

const struct list_info *list_by_slot(const struct list_info *lists, size_t count, unsigned int slot,
				     uint64_t mono)
{
	for (size_t i = 0; i < count; i++)
		if (lists[i].slot == slot)
			return lists[i].created <= clock_wall_at(mono) ? &lists[i] : NULL;
	return NULL;
}
