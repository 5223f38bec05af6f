/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes conf_zone_parse() with rows of DNS lists. What is refused has one line of valid UTF-8 in
 * which nothing of a key is; what is accepted is a row that can count, whose name leaves room for
 * an address, and which says the same when it is written out and read again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/finding.h"
#include "conf/zone.h"

#define ROW_MAX 4096
#define LABELS  ".=*"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_line(const char *text)
{
	const size_t len = strlen(text);
	size_t taken;
	uint32_t code;

	for (size_t at = 0; at < len; at += taken) {
		taken = text_character(text + at, len - at, &code);
		require(taken && text_showable(code));
	}
}

/* In no message may there be a brace, or a label that could be a key. */
static void check_shown(const char *row)
{
	char shown[TEXT_SHOWN_MAX];
	size_t count, at = 0;

	require(conf_zone_clean(row, shown) == shown && strlen(shown) < sizeof(shown));
	check_line(shown);
	require(!strpbrk(shown, "{}"));
	do {
		for (count = 0; shown[at] && !strchr(LABELS, shown[at]); at++)
			count += (shown[at] >= '0' && shown[at] <= '9') ||
				 ((shown[at] | 32) >= 'a' && (shown[at] | 32) <= 'z');
		require(count < 20);
	} while (shown[at++] == '.');
}

static void check_refused(const char *row, const struct error *err)
{
	char shown[TEXT_SHOWN_MAX];

	require(err->code == ERROR_REFUSED);
	check_line(err->text);
	conf_zone_clean(row, shown);
	require(*row == '\0' || !strncmp(err->text, shown, strlen(shown)));
}

/* Writes a row in another way than people do: every value of an octet by itself. */
static void write_row(const struct conf_zone *zone, char out[ROW_MAX])
{
	size_t used = (size_t)snprintf(out, ROW_MAX, "%s", zone->name);

	for (int i = 0; zone->filtered && i < 4; i++) {
		char before = '[';

		used += (size_t)snprintf(out + used, ROW_MAX - used, i ? "." : "=");
		for (unsigned int value = 0; value < 256; value++) {
			if (!(zone->reply[i].word[value / 64] >> value % 64 & 1))
				continue;
			used += (size_t)snprintf(out + used, ROW_MAX - used, "%c%u", before, value);
			before = ';';
		}
		used += (size_t)snprintf(out + used, ROW_MAX - used, "]");
	}
	snprintf(out + used, ROW_MAX - used, "*%d", zone->weight);
}

static void check_accepted(const struct conf_zone *zone)
{
	const size_t len = strlen(zone->name);
	struct conf_zone again;
	char row[ROW_MAX];

	require(len && len <= CONF_ZONE_LENGTH_MAX && zone->name[len - 1] != '.');
	require(zone->shown < len && (!zone->shown || zone->name[zone->shown - 1] == '.'));
	require(zone->weight && zone->weight >= -SCORE_MAX && zone->weight <= SCORE_MAX);
	require(zone->filtered || conf_zone_counts(zone, 0x7f000002));
	require(!conf_zone_counts(zone, 0x7f000002) || zone->reply[0].word[1] >> 63);
	write_row(zone, row);
	require(!conf_zone_parse(row, &again, NULL));
	require(conf_zone_same(zone, &again) && again.weight == zone->weight &&
		again.filtered == zone->filtered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct conf_zone zone;
	char *row = malloc(size + 1);

	require(row != NULL);
	memcpy(row, data, size);
	row[size] = '\0';
	check_shown(row);
	if (conf_zone_parse(row, &zone, &err))
		check_refused(row, &err);
	else
		check_accepted(&zone);
	free(row);
	return 0;
}
