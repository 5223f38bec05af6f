/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_detect.c - which format a list file is in, and whether it is text at all.
 *
 * Called once a file by lib/listfile. The first line among DETECT_LINES that only one format can
 * have decides; without one the file is plain. What could be a mistake in a plain list (an address
 * with numbers missing, say) never decides: a typing error must not change what all other lines
 * mean, so a zone of rbldnsd that uses nothing of its own but short addresses has to be called by
 * name.
 */
#include <string.h>

#include "lib/listfile_internal.h"
#include "lib/text.h"

#define DETECT_LINES 1000

static bool starts_with_any(struct span text, const char *const *starts)
{
	while (*starts && !span_starts(text, *starts))
		starts++;
	return *starts != NULL;
}

static bool is_ipset(struct span line)
{
	static const char *const starts[] = { "create ", "add ", "-N ", "-A ", "flush ", NULL };

	return starts_with_any(line, starts);
}

/* JSON, or the comment at the top of the text form. */
static bool is_drop(struct span line)
{
	return *line.at == '{' || span_starts(line, "; Spamhaus");
}

/* An address followed by ":value:text". */
static bool has_value(struct span line)
{
	struct span rest = line;
	const struct span word = span_word(&rest);
	struct item item;

	return !span_empty(rest) && *rest.at == ':' && item_parse(word, &item, NULL) == 0;
}

/* No IPv6 address starts with a single colon. */
static bool is_rbldnsd(struct span line)
{
	static const char *const specials[] = { "$SOA",       "$NS",        "$TTL", "$DATASET",
						"$TIMESTAMP", "$MAXRANGE4", NULL };
	const bool comment = *line.at == '#' || *line.at == ';';

	if (comment)
		return starts_with_any((struct span){ line.at + 1, line.end }, specials);
	if (*line.at == '$' || *line.at == '!')
		return true;
	if (*line.at == ':')
		return span_length(line) > 1 && line.at[1] != ':';
	return has_value(line);
}

static const struct {
	bool (*is)(struct span line);
	enum listfile_format format;
} detectors[] = {
	{ is_ipset, LISTFILE_IPSET },
	{ is_drop, LISTFILE_DROP },
	{ is_rbldnsd, LISTFILE_RBLDNSD },
};

static enum listfile_format detect_line(struct span line)
{
	if (!span_empty(line))
		for (size_t i = 0; i < sizeof(detectors) / sizeof(detectors[0]); i++)
			if (detectors[i].is(line))
				return detectors[i].format;
	return LISTFILE_AUTO;
}

enum listfile_format listfile_detect(struct span data)
{
	for (int lines = 0; lines < DETECT_LINES && !span_empty(data); lines++) {
		const char *end = memchr(data.at, '\n', span_length(data));
		struct span line = { data.at, end ? end : data.end };
		enum listfile_format format;

		data.at = end ? end + 1 : data.end;
		if (span_length(line) > LISTFILE_LINE_MAX)
			continue;
		format = detect_line(span_trim(line));
		if (format != LISTFILE_AUTO)
			return format;
	}
	return LISTFILE_PLAIN;
}

static const struct {
	const char *start;
	const char *what;
} packed[] = {
	{ "\x1f\x8b", "compressed with gzip; unpack it first" },
	{ "BZh", "compressed with bzip2; unpack it first" },
	{ "\xfd"
	  "7zXZ",
	  "compressed with xz; unpack it first" },
	{ "\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first" },
	{ "PK\x03\x04", "a zip archive; unpack it first" },
	{ "\xff\xfe", "in UTF-16; convert it to UTF-8 first" },
	{ "\xfe\xff", "in UTF-16; convert it to UTF-8 first" },
	{ "<!", "an HTML page, not a list" },
	{ "<html", "an HTML page, not a list" },
};

int listfile_check_text(const char *name, struct span data, struct error *err)
{
	char clean[TEXT_SHOWN_MAX];

	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
		if (span_starts(data, packed[i].start)) {
			text_clean(clean, sizeof(clean), name, strlen(name));
			return error_set(err, ERROR_REFUSED, "%s: the file is %s", clean,
					 packed[i].what);
		}
	return 0;
}
