/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/payload.c - see ctl/payload.h. Every length and number that came from the peer is compared
 * with its limit before it is used.
 */
#include "ctl/payload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "maps/action.h"

int note_check(const char *text, size_t len, struct error *err)
{
	uint32_t character;

	if (len > NOTE_TEXT_MAX)
		return error_set(err, ERROR_USAGE, "text of %zu bytes: at most %d are kept", len,
				 NOTE_TEXT_MAX);
	for (size_t at = 0, step; at < len; at += step) {
		step = text_character(text + at, len - at, &character);
		if (!step)
			return error_set(err, ERROR_USAGE, "text is not UTF-8 at byte %zu", at + 1);
		if (!text_showable(character))
			return error_set(err, ERROR_USAGE,
					 "text has a control character at byte %zu", at + 1);
	}
	return 0;
}

static int check_shape(const struct payload_shape *shape, size_t size, struct error *err)
{
	if (shape->entries > PAYLOAD_ENTRIES_MAX)
		return error_set(err, ERROR_REFUSED, "%" PRIu64 " entries: at most %u fit a list",
				 shape->entries, PAYLOAD_ENTRIES_MAX);
	if (shape->notes_size > PAYLOAD_NOTES_MAX)
		return error_set(err, ERROR_REFUSED,
				 "%" PRIu64 " bytes of reasons: at most %zu are kept",
				 shape->notes_size, PAYLOAD_NOTES_MAX);
	if (shape->entries * sizeof(struct entry) + shape->notes_size != size)
		return error_set(err, ERROR_USAGE,
				 "payload of %zu bytes: %" PRIu64 " entries and %" PRIu64
				 " bytes of reasons make %" PRIu64,
				 size, shape->entries, shape->notes_size,
				 shape->entries * sizeof(struct entry) + shape->notes_size);
	return 0;
}

/* `notes` texts, each ended by a NUL, and nothing else. */
static int check_notes(const struct payload_shape *shape, const char *notes, struct error *err)
{
	const char *end = notes + shape->notes_size;
	uint64_t count = 0;

	for (const char *text = notes, *nul; text < end; text = nul + 1, count++) {
		nul = memchr(text, '\0', (size_t)(end - text));
		if (!nul)
			return error_set(err, ERROR_USAGE, "the last reason has no end");
		if (note_check(text, (size_t)(nul - text), err))
			return error_prefix(err, "reason %" PRIu64, count + 1);
	}
	if (count != shape->notes)
		return error_set(err, ERROR_USAGE,
				 "%" PRIu64 " reasons were announced and %" PRIu64 " came",
				 shape->notes, count);
	return 0;
}

/* What is wrong with one record, or NULL. */
static const char *entry_fault(const struct entry *entry, const struct payload_shape *shape)
{
	struct prefix prefix;

	if (entry->prefix.len > 128)
		return "a prefix longer than 128 bits";
	prefix = prefix_of(&entry->prefix.addr, entry->prefix.len);
	if (prefix_compare(&prefix, &entry->prefix))
		return "host bits are set";
	if (entry->reserved)
		return "reserved bits are set";
	if (entry->expires > PAYLOAD_TTL_MAX)
		return "a time to live of more than 100 years";
	if (entry->note > shape->notes)
		return "a reason that was not sent";
	if (shape->kind == LIST_KIND_BLOCK && entry->action >= ACTION_COUNT)
		return "no action has that number";
	return NULL;
}

static int check_entry(const struct payload_shape *shape, const struct entry *entry, size_t index,
		       struct error *err)
{
	const char *fault = entry_fault(entry, shape);

	if (fault)
		return error_set(err, ERROR_USAGE, "entry %zu: %s", index + 1, fault);
	return 0;
}

/* An allow entry has no action; one value keeps equal entries equal. */
static void tidy_entry(const struct payload_shape *shape, struct entry *entry)
{
	if (shape->kind == LIST_KIND_ALLOW)
		entry->action = ACTION_DROP;
	entry->added = 0;
}

int payload_parse(const struct payload_shape *shape, char **bytes, size_t size,
		  struct entry_set *out, struct error *err)
{
	struct entry *entry = (struct entry *)*bytes;
	char *notes = NULL;
	int failed;

	failed = check_shape(shape, size, err);
	if (failed)
		return failed;
	failed = check_notes(shape, *bytes + shape->entries * sizeof(*entry), err);
	for (size_t i = 0; !failed && i < shape->entries; i++)
		failed = check_entry(shape, &entry[i], i, err);
	if (failed)
		return failed;
	if (shape->notes_size) {
		notes = malloc(shape->notes_size);
		if (!notes)
			return error_set(err, ERROR_REFUSED, "out of memory");
		memcpy(notes, *bytes + shape->entries * sizeof(*entry), shape->notes_size);
	}
	for (size_t i = 0; i < shape->entries; i++)
		tidy_entry(shape, &entry[i]);
	*out = (struct entry_set){ .entry = entry,
				   .count = shape->entries,
				   .notes = notes,
				   .notes_size = shape->notes_size,
				   .note_count = (uint32_t)shape->notes };
	*bytes = NULL;
	return 0;
}
