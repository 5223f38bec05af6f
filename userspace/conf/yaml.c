/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/yaml.c - reads a YAML document into a struct conf by the rows of the schema.
 *
 * Called by conf_parse() alone. libyaml turns the text into events; the functions below follow the
 * two levels that the schema knows (options, and sections of options) and refuse the first event
 * that does not belong, so the file decides neither how deep anything goes nor how long a loop
 * runs: every option is read at most once, a list ends at its row's maximum, and what is nested
 * deeper than the schema is an error at its first bracket, before its inside is looked at. Anchors,
 * aliases and tags are refused: a configuration has no use for them. Every message starts with
 * "FILE:LINE: ".
 */
#include "conf/schema.h"

#include <inttypes.h>
#include <string.h>
#include <yaml.h>

#include "lib/text.h"

#define LINE_WORD_MAX 40 /* bytes of " from line N" */

#define MEMBERS_MAX CONF_DOMAINS_MAX /* of the longest list */

_Static_assert(MEMBERS_MAX >= CONF_PORTS_MAX && MEMBERS_MAX >= CONF_INTERFACES_MAX &&
		       MEMBERS_MAX >= CONF_SERVERS_MAX && MEMBERS_MAX >= CONF_ZONES_MAX &&
		       MEMBERS_MAX >= CONF_LISTENERS_MAX && MEMBERS_MAX >= CONF_PREFIXES_MAX &&
		       MEMBERS_MAX >= CONF_BACKENDS_MAX && MEMBERS_MAX >= CONF_CERTIFICATES_MAX,
	       "conf: lines of the longest list");

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the one that is looked at */
	const char *name;   /* of the file */
	const char *text;
	size_t len;
	struct conf *conf;
	const struct conf_option *list;          /* whose members are being read, or NULL */
	uint32_t section_line[CONF_OPTIONS_MAX]; /* by the section's first row; 0 is not seen yet */
	struct error *err;
};

static uint32_t event_line(const struct reader *reader)
{
	return (uint32_t)reader->event.start_mark.line + 1;
}

/* Puts "FILE:LINE: " before what the error says. */
static int at_line(struct reader *reader, uint32_t line)
{
	return error_prefix(reader->err, "%s:%" PRIu32, reader->name, line);
}

/* An error about what is being looked at. */
#define refuse(reader, ...)                                                                        \
	(error_set((reader)->err, ERROR_REFUSED, __VA_ARGS__), at_line(reader, event_line(reader)))

/* The scalar that is being looked at, as a message may repeat it. */
static const char *shown(const struct reader *reader, char out[TEXT_SHOWN_MAX])
{
	text_clean(out, TEXT_SHOWN_MAX, (const char *)reader->event.data.scalar.value,
		   reader->event.data.scalar.length);
	return out;
}

/* Whether a row of DNS lists is wanted: they are full of characters that YAML has a use for. */
static bool needs_quotes(const struct reader *reader)
{
	return reader->list && reader->list->type == CONF_ZONES;
}

static int refuse_unquoted(struct reader *reader)
{
	return refuse(reader,
		      "%s: a row without quotes is something else than a text to YAML: put it in "
		      "quotes, as \"zen.spamhaus.org*8\"",
		      reader->list->name);
}

/* libyaml gives the line of bad syntax, but for bytes that are no text only their offset. */
static int refuse_syntax(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem ? parser->problem : "out of memory";
	char from[LINE_WORD_MAX] = "";
	uint32_t line = (uint32_t)parser->problem_mark.line + 1;

	if (parser->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < parser->problem_offset && i < reader->len; i++)
			line += reader->text[i] == '\n';
	} else if (parser->context && parser->context_mark.line + 1 != line) {
		snprintf(from, sizeof(from), " from line %zu", parser->context_mark.line + 1);
	}
	if (parser->context)
		error_set(reader->err, ERROR_REFUSED, "not valid YAML: %s %s%s", problem,
			  parser->context, from);
	else
		error_set(reader->err, ERROR_REFUSED, "not valid YAML: %s", problem);
	if (needs_quotes(reader))
		error_prefix(reader->err, "%s, where every row needs quotes", reader->list->name);
	return at_line(reader, line);
}

/* Refuses what no place in the file may have. */
static int check_event(struct reader *reader)
{
	const yaml_event_t *event = &reader->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (needs_quotes(reader) && (anchor || tag || event->type == YAML_ALIAS_EVENT))
		return refuse_unquoted(reader);
	if (anchor || event->type == YAML_ALIAS_EVENT)
		return refuse(reader, "anchors (&name) and aliases (*name) are not supported: "
				      "write the value out");
	if (tag)
		return refuse(reader, "tags (!name) are not supported: leave the tag out");
	return 0;
}

static int next_event(struct reader *reader)
{
	yaml_event_delete(&reader->event);
	if (!yaml_parser_parse(&reader->parser, &reader->event))
		return refuse_syntax(reader);
	return check_event(reader);
}

static bool is_bare(const struct reader *reader)
{
	return reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* What YAML takes for no value. */
static bool is_null(const struct reader *reader)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (reader->event.type != YAML_SCALAR_EVENT || !is_bare(reader))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp((const char *)reader->event.data.scalar.value, words[i]))
			return true;
	return false;
}

/* What the event is, as a message says it. */
static const char *event_noun(const struct reader *reader)
{
	switch (reader->event.type) {
	case YAML_SEQUENCE_START_EVENT:
		return "is a list";
	case YAML_MAPPING_START_EVENT:
		return "is a mapping";
	default:
		if (is_null(reader))
			return "has no value";
		return is_bare(reader) ? "is a single value" : "is a text in quotes";
	}
}

static int refuse_type(struct reader *reader, const struct conf_option *option)
{
	if (needs_quotes(reader) && reader->event.type != YAML_SCALAR_EVENT)
		return refuse_unquoted(reader);
	return refuse(reader, "%s: %s, but %s is wanted", option->name, event_noun(reader),
		      conf_option_wanted(option));
}

/* Says of a row that was refused that YAML may have ended it early, where it has no quotes. */
static void add_doubt(struct reader *reader, const char *row)
{
	char *text = reader->err->text;
	const size_t used = strlen(text);
	struct conf_zone zone;

	if (needs_quotes(reader) && is_bare(reader) && conf_zone_parse(row, &zone, NULL))
		snprintf(text + used, ERROR_TEXT_MAX - used, "; was more meant? Rows need quotes");
}

static int read_scalar(struct reader *reader, const struct conf_option *option)
{
	const char *text = (const char *)reader->event.data.scalar.value;

	if (reader->event.type != YAML_SCALAR_EVENT || is_null(reader) ||
	    (conf_type_is_bare(option->type) && !is_bare(reader)))
		return refuse_type(reader, option);
	if (strlen(text) != reader->event.data.scalar.length)
		return refuse(reader, "%s: holds a NUL character", option->name);
	if (conf_value_parse(option, text, reader->conf, reader->err)) {
		add_doubt(reader, text);
		return at_line(reader, event_line(reader));
	}
	return 0;
}

/* Reads the text being looked at, which is a member, or two. `line` has the lines of all members.
 */
static int read_member(struct reader *reader, const struct conf_option *option,
		       uint32_t line[MEMBERS_MAX])
{
	const char *text = (const char *)reader->event.data.scalar.value;
	const size_t before = conf_list_count(reader->conf, option);
	char clean[TEXT_SHOWN_MAX];

	if (read_scalar(reader, option))
		return ERROR_REFUSED;
	for (size_t i = before; i < conf_list_count(reader->conf, option); i++) {
		const size_t twin = conf_list_twin(reader->conf, option, i);

		line[i] = event_line(reader);
		if (twin != i)
			return refuse(reader,
				      "%s: %s is there twice, on lines %" PRIu32 " and %" PRIu32,
				      option->name, conf_value_clean(option, text, clean),
				      line[twin], line[i]);
	}
	return 0;
}

static int read_list(struct reader *reader, const struct conf_option *option)
{
	uint32_t line[MEMBERS_MAX];
	int rc;

	if (reader->event.type != YAML_SEQUENCE_START_EVENT)
		return refuse_type(reader, option);
	memset(conf_field(reader->conf, option), 0, option->size);
	reader->list = option;
	while (!(rc = next_event(reader)) && reader->event.type != YAML_SEQUENCE_END_EVENT)
		if ((rc = read_member(reader, option, line)))
			break;
	reader->list = NULL;
	if (!rc && conf_list_count(reader->conf, option) < option->min)
		return refuse(reader, "%s: the list must not be empty", option->name);
	return rc;
}

/* Notes the line of an option or a section; refuses a second one. */
static int note_line(struct reader *reader, const char *name, uint32_t *line)
{
	if (*line)
		return refuse(reader, "%s: is there twice, on lines %" PRIu32 " and %" PRIu32, name,
			      *line, event_line(reader));
	*line = event_line(reader);
	return 0;
}

static int refuse_unknown(struct reader *reader, const char *section, const char *name)
{
	char key[TEXT_SHOWN_MAX], nearest[CONF_KEY_MAX];
	const char *dot = section[0] ? "." : "";

	shown(reader, key);
	if (strchr(key, '{'))
		conf_zone_clean((const char *)reader->event.data.scalar.value, key);
	if (!section[0] && conf_option_find(name))
		return refuse(reader, "%s: write it as %s, indented below %.*s:", name,
			      strchr(name, '.') + 1, (int)(strchr(name, '.') - name), name);
	conf_suggest(name, nearest);
	if (!nearest[0])
		return refuse(reader, "%s%s%s: unknown option", section, dot, key);
	return refuse(reader, "%s%s%s: unknown option; did you mean %s?", section, dot, key,
		      nearest);
}

static int read_option(struct reader *reader, const struct conf_option *option)
{
	if (note_line(reader, option->name, &reader->conf->line[conf_option_index(option)]) ||
	    next_event(reader))
		return ERROR_REFUSED;
	return conf_type_is_list(option->type) ? read_list(reader, option)
					       : read_scalar(reader, option);
}

/* The dotted name of the key being looked at; "" for one that no option can have. */
static void compose_name(const struct reader *reader, const char *section, char out[CONF_KEY_MAX])
{
	const char *key = (const char *)reader->event.data.scalar.value;
	int len = snprintf(out, CONF_KEY_MAX, "%s%s%s", section, section[0] ? "." : "", key);

	if (len >= CONF_KEY_MAX || strlen(key) != reader->event.data.scalar.length)
		out[0] = '\0';
}

static int check_key(struct reader *reader)
{
	if (reader->event.type != YAML_SCALAR_EVENT)
		return refuse(reader, "the name of an option is wanted before \":\"");
	return 0;
}

/* An option in the section `name`, or at the outermost level if that is "". */
static int read_entry(struct reader *reader, const char *section)
{
	const struct conf_option *option;
	char name[CONF_KEY_MAX];

	if (check_key(reader))
		return ERROR_REFUSED;
	compose_name(reader, section, name);
	option = conf_option_find(name);
	if (!option || (!section[0] && strchr(name, '.')))
		return refuse_unknown(reader, section, name);
	return read_option(reader, option);
}

static int read_section(struct reader *reader, const struct conf_option *first)
{
	char section[CONF_KEY_MAX];
	size_t len;
	int rc;

	conf_option_key(first, &len);
	snprintf(section, sizeof(section), "%.*s", (int)len, first->name);
	if (note_line(reader, section, &reader->section_line[conf_option_index(first)]) ||
	    next_event(reader))
		return ERROR_REFUSED;
	if (is_null(reader))
		return 0;
	if (reader->event.type != YAML_MAPPING_START_EVENT)
		return refuse(reader, "%s: %s, but options are wanted below it, indented", section,
			      event_noun(reader));
	while (!(rc = next_event(reader)) && reader->event.type != YAML_MAPPING_END_EVENT)
		if ((rc = read_entry(reader, section)))
			break;
	return rc;
}

/* A section, or an option that is in none. */
static int read_root_entry(struct reader *reader)
{
	const struct conf_option *first;
	char name[CONF_KEY_MAX];

	if (check_key(reader))
		return ERROR_REFUSED;
	compose_name(reader, "", name);
	first = conf_section_find(name);
	return first ? read_section(reader, first) : read_entry(reader, "");
}

static int read_root(struct reader *reader)
{
	int rc;

	if (is_null(reader))
		return 0;
	if (reader->event.type != YAML_MAPPING_START_EVENT)
		return refuse(reader, "the file %s, but options are wanted, as \"monitor: true\"",
			      event_noun(reader));
	while (!(rc = next_event(reader)) && reader->event.type != YAML_MAPPING_END_EVENT)
		if ((rc = read_root_entry(reader)))
			break;
	return rc;
}

/* The start of the stream, nothing or one document, and the end of the stream. */
static int read_stream(struct reader *reader)
{
	if (next_event(reader) || next_event(reader))
		return ERROR_REFUSED;
	if (reader->event.type == YAML_STREAM_END_EVENT)
		return 0;
	if (next_event(reader) || read_root(reader) || next_event(reader) || next_event(reader))
		return ERROR_REFUSED;
	if (reader->event.type != YAML_STREAM_END_EVENT)
		return refuse(reader,
			      "a second document starts here, but a file may have only one");
	return 0;
}

int conf_yaml_read(const char *name, const char *text, size_t len, struct conf *conf,
		   struct error *err)
{
	struct error unread;
	struct reader reader = {
		.name = name, .text = text, .len = len, .conf = conf, .err = err ? err : &unread
	};
	int rc;

	if (!yaml_parser_initialize(&reader.parser))
		return error_set(err, ERROR_REFUSED, "%s: out of memory", name);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
	rc = read_stream(&reader);
	yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	return rc;
}
