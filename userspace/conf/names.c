/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/names.c - options and sections by their names, and what a wrong name was probably meant to
 * be.
 *
 * Called by the reader of files for every key, and by the functions of conf/conf.h that take a
 * name. The schema has a few dozen rows, so every search is a walk over it. A comparison of two
 * names takes at most CONF_KEY_MAX squared steps; a longer name is never compared. Nothing is
 * allocated.
 */
#include "conf/schema.h"

#include <string.h>

#include "lib/ascii.h"

const struct conf_option *conf_option_find(const char *name)
{
	for (size_t i = 0; i < conf_schema_count; i++)
		if (!strcmp(conf_schema[i].name, name))
			return &conf_schema[i];
	return NULL;
}

const struct conf_option *conf_section_find(const char *section)
{
	const size_t len = strlen(section);
	size_t length;

	for (size_t i = 0; i < conf_schema_count; i++) {
		conf_option_key(&conf_schema[i], &length);
		if (length && length == len && !memcmp(conf_schema[i].name, section, len))
			return &conf_schema[i];
	}
	return NULL;
}

size_t conf_option_index(const struct conf_option *option)
{
	return (size_t)(option - conf_schema);
}

const struct conf_option *conf_option_at(size_t field)
{
	const struct conf_option *row = conf_schema;

	while (row->offset != field)
		row++;
	return row;
}

const char *conf_option_key(const struct conf_option *option, size_t *section)
{
	const char *dot = strchr(option->name, '.');

	*section = dot ? (size_t)(dot - option->name) : 0;
	return dot ? dot + 1 : option->name;
}

/* People mix up cases, and "_" with "-": that is no difference here. */
static char fold(char letter)
{
	return letter == '_' ? '-' : ascii_lower(letter);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters must be put in, taken out or changed (Levenshtein), row by row. */
static size_t distance(const char *a, const char *b, size_t b_len)
{
	size_t row[CONF_KEY_MAX];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < b_len; j++) {
			size_t change = diagonal + (fold(a[i]) != fold(b[j]));

			diagonal = row[j + 1];
			row[j + 1] = least(change, least(row[j], diagonal) + 1);
		}
	}
	return row[b_len];
}

struct nearest {
	const char *name;
	size_t len;
	size_t far;
};

static void consider(struct nearest *best, size_t far, const char *name, size_t len)
{
	if (far < best->far)
		*best = (struct nearest){ .name = name, .len = len, .far = far };
}

/* The row's own name, its key put into another section, and its section. */
static void consider_row(struct nearest *best, const struct conf_option *row, const char *name)
{
	const char *dot = strchr(name, '.'), *given = dot ? dot + 1 : name;
	size_t section;
	const char *key = conf_option_key(row, &section);
	const size_t len = strlen(row->name);

	consider(best, distance(name, row->name, len), row->name, len);
	consider(best, distance(given, key, strlen(key)) + 1, row->name, len);
	if (section)
		consider(best, distance(name, row->name, section), row->name, section);
}

char *conf_suggest(const char *name, char out[CONF_KEY_MAX])
{
	const char *dot = strchr(name, '.');
	struct nearest best = { .name = "" };

	out[0] = '\0';
	if (strlen(name) >= CONF_KEY_MAX)
		return out;
	/* A guess may differ in a third of the letters; one that differs more is no help. */
	best.far = (strlen(dot ? dot + 1 : name) + 2) / 3 + 1;
	for (size_t i = 0; i < conf_schema_count; i++)
		consider_row(&best, &conf_schema[i], name);
	memcpy(out, best.name, best.len);
	out[best.len] = '\0';
	return out;
}
