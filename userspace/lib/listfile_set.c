/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_set.c - the set of entries while a list file is being read, and pieces of its text.
 *
 * Called by the formats of lib/listfile. Owns the growing arrays, which lib/listfile hands over to
 * the caller or frees. Budgets: the entries of the options, LISTFILE_NOTES_MAX, and for the
 * exclusions as many as entries. Equal reasons become one note as long as they meet in a cache of
 * NOTE_CACHE_SLOTS, so a million equal comments cost one text; a reason is cleaned (lib/text.h) and
 * cut to NOTE_TEXT_MAX before it is kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/listfile_internal.h"
#include "lib/text.h"
#include "lib/units.h"

#define FIRST_CAPACITY  1024u
#define OCTET_BITS      8u
#define PRINTABLE_FIRST 0x20u
#define PRINTABLE_LAST  0x7eu

/* Pieces of text */

struct span span_trim(struct span span)
{
	while (span.at < span.end && is_blank(*span.at))
		span.at++;
	while (span.end > span.at && is_blank(span.end[-1]))
		span.end--;
	return span;
}

bool span_is(struct span span, const char *text)
{
	const size_t len = strlen(text);

	return span_length(span) == len && memcmp(span.at, text, len) == 0;
}

bool span_starts(struct span span, const char *start)
{
	const size_t len = strlen(start);

	return span_length(span) >= len && memcmp(span.at, start, len) == 0;
}

struct span span_word(struct span *span)
{
	struct span word = { span->at, span->at };

	while (word.end < span->end && !is_blank(*word.end))
		word.end++;
	span->at = word.end;
	*span = span_trim(*span);
	return word;
}

bool span_number(struct span span, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;

	if (span_empty(span))
		return false;
	for (const char *at = span.at; at < span.end; at++) {
		if (!is_decimal(*at))
			return false;
		value = value * 10 + (uint64_t)(*at - '0');
		if (value > max)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

int span_refuse(struct error *err, struct span shown, const char *wrong)
{
	char clean[TEXT_SHOWN_MAX];

	if (!err)
		return ERROR_USAGE;
	text_clean(clean, sizeof(clean), shown.at, span_length(shown));
	return error_set(err, ERROR_USAGE, "%s: %s", clean, wrong);
}

/* The set */

int listfile_fail(struct listfile *file, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(file->failure.text, sizeof(file->failure.text), fmt, args);
	va_end(args);
	file->failure.code = ERROR_REFUSED;
	file->failed = true;
	return ERROR_REFUSED;
}

/*
 * Makes room for `more` elements of `size` bytes behind `count` ones, doubling. Returns the array,
 * moved or not, or NULL after listfile_fail().
 */
static void *grow(struct listfile *file, void *array, size_t size, size_t count, size_t more,
		  size_t *capacity)
{
	size_t wanted = *capacity ? *capacity : FIRST_CAPACITY;
	void *grown;

	if (count + more <= *capacity)
		return array;
	while (wanted < count + more)
		wanted *= 2;
	grown = reallocarray(array, wanted, size);
	if (!grown) {
		listfile_fail(file, "not enough memory for %zu entries", wanted);
		return NULL;
	}
	*capacity = wanted;
	return grown;
}

static int check_budget(struct listfile *file, size_t used, size_t more, const char *what)
{
	char most[DURATION_TEXT_MAX];

	if (used + more <= file->entries_max)
		return 0;
	return listfile_fail(file, "more than %s %s", number_format(file->entries_max, most), what);
}

int listfile_append(struct listfile *file, const struct entry *entry)
{
	struct entry_set *set = &file->set;
	struct entry *grown;

	if (set->count == file->capacity || set->count >= file->entries_max) {
		if (check_budget(file, set->count, 1, "entries"))
			return ERROR_REFUSED;
		grown = grow(file, set->entry, sizeof(*grown), set->count, 1, &file->capacity);
		if (!grown)
			return ERROR_REFUSED;
		set->entry = grown;
	}
	set->entry[set->count++] = *entry;
	return 0;
}

int listfile_add(struct listfile *file, const struct item *item, uint32_t ttl, uint32_t note)
{
	struct entry entry = {
		.prefix = item->prefix,
		.action = file->options->action,
		.expires = ttl,
		.note = note,
	};
	struct prefix parts[RANGE_PREFIXES_MAX];
	size_t count;
	int rc = 0;

	if (!item->range)
		return listfile_append(file, &entry);
	count = range_split(prefix_is_ipv4(&item->prefix), &item->prefix.addr, &item->last, parts);
	for (size_t i = 0; i < count && !rc; i++) {
		entry.prefix = parts[i];
		rc = listfile_append(file, &entry);
	}
	return rc;
}

/* IPv4 lengths are offset by 96, a multiple of an octet, so this holds for both families. */
static uint8_t octet_end(uint8_t len)
{
	return (uint8_t)((len + OCTET_BITS - 1) / OCTET_BITS * OCTET_BITS);
}

int listfile_exclude(struct listfile *file, const struct item *item, bool by_octet)
{
	struct prefix parts[RANGE_PREFIXES_MAX] = { item->prefix };
	size_t count = 1;
	struct exclusion *grown;

	if (item->range)
		count = range_split(prefix_is_ipv4(&item->prefix), &item->prefix.addr, &item->last,
				    parts);
	if (check_budget(file, file->exclusions, count, "exclusions"))
		return ERROR_REFUSED;
	grown = grow(file, file->exclusion, sizeof(*grown), file->exclusions, count,
		     &file->exclusion_capacity);
	if (!grown)
		return ERROR_REFUSED;
	file->exclusion = grown;
	for (size_t i = 0; i < count; i++)
		grown[file->exclusions++] = (struct exclusion){
			.prefix = parts[i],
			.reach = by_octet ? octet_end(parts[i].len) : parts[i].len,
		};
	file->report.exclusions++;
	return 0;
}

/* Notes */

/* Whether every byte may stay: then the text need not be copied to be cleaned. */
static bool is_printable(struct span text)
{
	unsigned int wrong = 0;

	for (const char *at = text.at; at < text.end; at++)
		wrong |= (unsigned int)(unsigned char)(*at - PRINTABLE_FIRST) >
			 PRINTABLE_LAST - PRINTABLE_FIRST;
	return !wrong;
}

static uint64_t hash_text(struct span text)
{
	uint64_t hash = span_length(text);

	while (text.at < text.end) {
		uint64_t word = 0;
		size_t len = span_length(text) < sizeof(word) ? span_length(text) : sizeof(word);

		memcpy(&word, text.at, len);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
		text.at += len;
	}
	return hash;
}

/* Appends the text, which is clean, as a new note and remembers it in `slot`. */
static int store_note(struct listfile *file, struct span text, struct note_slot *slot)
{
	struct entry_set *set = &file->set;
	const size_t len = span_length(text);
	char *grown;

	if (set->notes_size + len + 1 > LISTFILE_NOTES_MAX)
		return listfile_fail(file, "more than %u MiB of different reasons",
				     LISTFILE_NOTES_MAX >> 20);
	grown = grow(file, set->notes, 1, set->notes_size, len + 1, &file->notes_capacity);
	if (!grown)
		return ERROR_REFUSED;
	set->notes = grown;
	memcpy(grown + set->notes_size, text.at, len);
	grown[set->notes_size + len] = '\0';
	*slot = (struct note_slot){ ++set->note_count, (uint32_t)len, set->notes_size };
	set->notes_size += len + 1;
	return 0;
}

int listfile_note(struct listfile *file, struct span text, uint32_t *note)
{
	char clean[NOTE_TEXT_MAX + 1];
	struct note_slot *slot;

	if (span_empty(text)) {
		*note = 0;
		return 0;
	}
	if (span_length(text) > NOTE_TEXT_MAX || !is_printable(text)) {
		size_t len = text_clean(clean, sizeof(clean), text.at, span_length(text));

		text = (struct span){ clean, clean + len };
	}
	slot = &file->note_cache[hash_text(text) % NOTE_CACHE_SLOTS];
	if (slot->note == 0 || slot->len != span_length(text) ||
	    memcmp(file->set.notes + slot->offset, text.at, slot->len) != 0) {
		if (store_note(file, text, slot))
			return ERROR_REFUSED;
	}
	*note = slot->note;
	return 0;
}
