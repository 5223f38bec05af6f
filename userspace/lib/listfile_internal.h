/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_internal.h - what the files of lib/listfile share: pieces of text, the set that is
 * being built, and the row that describes a format.
 *
 * A format's `line` gets each line without its end and blanks around it, and no empty ones. It
 * returns 0, or a negative code after it has said in `err` (which may be NULL) what is wrong with
 * the line; it must not have added anything then. What concerns the whole file - a budget, memory -
 * goes through listfile_fail(), which ends the parsing whatever the options say about bad lines.
 */
#ifndef POSTERN_LIB_LISTFILE_INTERNAL_H
#define POSTERN_LIB_LISTFILE_INTERNAL_H

#include "lib/listfile.h"

/* A piece of the file. */
struct span {
	const char *at, *end;
};

static inline size_t span_length(struct span span)
{
	return (size_t)(span.end - span.at);
}

static inline bool span_empty(struct span span)
{
	return span.at == span.end;
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool is_decimal(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

struct span span_trim(struct span span);
bool span_is(struct span span, const char *text);
bool span_starts(struct span span, const char *start);
/* The word at the start of `span`, up to a blank; `span` is moved behind it and the blanks after
 * it. */
struct span span_word(struct span *span);
/* A decimal number of at most `max`, and nothing else. */
bool span_number(struct span span, uint32_t max, uint32_t *out);
/* error_set() with `shown: ` before the message, cleaned and cut. */
int span_refuse(struct error *err, struct span shown, const char *wrong);

/* What a line names: a prefix, or all addresses from one to another. */
struct item {
	struct prefix prefix; /* of a range: its first address, length 128 */
	struct addr last;     /* of a range */
	bool range;
};

/* lib/listfile_range.c */
#define RANGE_PREFIXES_MAX 254 /* 2 * (128 - 1): what the worst range splits into */
/*
 * Splits the addresses from `first` to `last`, in this order, into the fewest prefixes of one
 * family; returns how many. Of an IPv6 range ::ffff:0:0/96 is left out, which as a prefix would be
 * all of IPv4; so an IPv6 range may also start or end next to it.
 */
size_t range_split(bool ipv4, const struct addr *first, const struct addr *last,
		   struct prefix out[RANGE_PREFIXES_MAX]);
/* An address, a prefix, or a range "a-b" with or without blanks around the dash. */
int item_parse(struct span text, struct item *out, struct error *err);
/* The range from `first` to `last`; `text` is for the message if they are in the wrong order. */
int item_range(struct span text, const struct addr *first, const struct addr *last,
	       struct item *out, struct error *err);

struct exclusion {
	struct prefix prefix;
	uint8_t reach;  /* the longest prefix inside it that it still excludes */
	uint32_t outer; /* while cutting: 1 + the place of the exclusion around this one, or 0 */
};

/* Texts seen lately, so that equal ones become one note. */
#define NOTE_CACHE_SLOTS 4096
struct note_slot {
	uint32_t note;
	uint32_t len;
	size_t offset;
};

struct format;

struct listfile {
	const struct listfile_options *options;
	const struct format *format;
	void *state; /* the format's own, format->state_size bytes, zero at the start */
	size_t entries_max;

	struct entry_set set;
	size_t capacity, notes_capacity;
	struct note_slot note_cache[NOTE_CACHE_SLOTS];

	size_t section; /* the first entry that the exclusions apply to */
	struct exclusion *exclusion;
	size_t exclusions, exclusion_capacity;
	size_t cuts; /* of LISTFILE_CUTS_MAX */

	struct listfile_report report;
	bool failed; /* `failure` says why the whole file is refused */
	struct error failure;
};

struct format {
	const char *name;
	size_t state_size;
	int (*line)(struct listfile *file, struct span line, struct error *err);
	/* At the end of the file; NULL if there is nothing to do. Fails through listfile_fail(). */
	void (*finish)(struct listfile *file);
};

extern const struct format format_plain, format_ipset, format_drop, format_rbldnsd;

/* lib/listfile_plain.c: a line of the plain format, for the formats that fall back on it. */
int plain_line(struct listfile *file, struct span line, struct error *err);

/* lib/listfile_detect.c */
enum listfile_format listfile_detect(struct span data);
/* Refuses what is not a text file: says how it was packed. */
int listfile_check_text(const char *name, struct span data, struct error *err);

/* lib/listfile_set.c: building the set. Each returns 0, or a negative code after listfile_fail().
 */
__attribute__((format(printf, 2, 3))) int listfile_fail(struct listfile *file, const char *fmt,
							...);
/* The number of the note with this text; 0 for an empty one. */
int listfile_note(struct listfile *file, struct span text, uint32_t *note);
int listfile_add(struct listfile *file, const struct item *item, uint32_t ttl, uint32_t note);
/*
 * An exclusion reaches what is listed at its own length or shorter. With `by_octet` it reaches down
 * to the end of its octet: see lib/listfile_rbldnsd.c.
 */
int listfile_exclude(struct listfile *file, const struct item *item, bool by_octet);
/* Appends one entry; `entry` must not point into the set. */
int listfile_append(struct listfile *file, const struct entry *entry);

/* lib/listfile_cut.c: applies the exclusions to the entries since the last call, and forgets them.
 */
int listfile_end_section(struct listfile *file);

#endif
