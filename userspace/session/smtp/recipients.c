/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/recipients.c - implements session/smtp/recipients.h.
 *
 * Called by relay.c at start and at reload, and for every RCPT. All texts lie behind one another in
 * one piece of memory, and a table of their offsets is searched by a keyed hash, because clients
 * choose what is looked for: with a million of addresses that is some 40 MiB, and a search is two
 * or three loads. A text is "local@domain" or "@domain", folded; no domain has an "@", so it is
 * clear where one starts.
 */
#include "session/smtp/recipients.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/siphash.h"

#define KEY_MAX     (PATH_LOCAL_MAX + 1 + DOMAIN_MAX)
#define TEXT_FIRST  65536u /* bytes that are taken at first */
#define SLOTS_LEAST 16u

_Static_assert((uint64_t)RECIPIENTS_MAX *KEY_MAX < UINT32_MAX, "recipients: offsets");
_Static_assert(RECIPIENTS_LINE_MAX > 2 * KEY_MAX, "recipients: every address fits a line");

struct recipients {
	struct siphash_key seed;
	char *text; /* texts, each with its NUL */
	size_t used, size;
	uint32_t *slot; /* an offset plus 1, or 0 */
	size_t slots;   /* a power of two, at least twice the count */
	size_t count;
};

struct reader {
	const char *file;
	size_t line;
	bool (*own)(const char *domain, const void *arg);
	const void *arg;
	struct recipients *set;
	struct error *err;
};

void recipients_free(struct recipients **recipients)
{
	if (!*recipients)
		return;
	free((*recipients)->text);
	free((*recipients)->slot);
	free(*recipients);
	*recipients = NULL;
}

/* Composes a key of `len` octets of a local part; returns its length. */
static size_t compose(const char *local, size_t len, const char *domain, char out[KEY_MAX])
{
	for (size_t i = 0; i < len; i++)
		out[i] = local[i] >= 'A' && local[i] <= 'Z' ? (char)(local[i] | 0x20) : local[i];
	out[len++] = '@';
	memcpy(out + len, domain, strlen(domain) + 1);
	return len + strlen(domain);
}

/* The slot of a key, or the free one where it belongs. At least half of all are free. */
static size_t slot_of(const struct recipients *set, const char *key, size_t len)
{
	size_t at = siphash(&set->seed, key, len) & (set->slots - 1);

	while (set->slot[at] && strcmp(set->text + set->slot[at] - 1, key) != 0)
		at = (at + 1) & (set->slots - 1);
	return at;
}

/* Makes the table at first, and a larger one when it is half full. */
static bool make_room(struct recipients *set)
{
	const size_t slots = set->slots ? 2 * set->slots : SLOTS_LEAST;
	uint32_t *slot, *old = set->slot;

	if (2 * (set->count + 1) <= set->slots)
		return true;
	slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return false;
	set->slot = slot;
	set->slots = slots;
	for (size_t at = 0; at < set->used; at += strlen(set->text + at) + 1)
		set->slot[slot_of(set, set->text + at, strlen(set->text + at))] = (uint32_t)at + 1;
	free(old);
	return true;
}

static bool make_text(struct recipients *set, size_t len)
{
	const size_t size = set->size ? 2 * set->size : TEXT_FIRST;
	char *text;

	if (set->used + len + 1 <= set->size)
		return true;
	text = realloc(set->text, size);
	if (!text)
		return false;
	set->text = text;
	set->size = size;
	return true;
}

static int refuse(const struct reader *reader, const char *what)
{
	return error_set(reader->err, ERROR_REFUSED, "%s:%zu: %s", reader->file, reader->line,
			 what);
}

static int add(const struct reader *reader, const char *key, size_t len)
{
	struct recipients *set = reader->set;
	size_t slot;

	if (!make_room(set) || !make_text(set, len))
		return refuse(reader, "out of memory");
	slot = slot_of(set, key, len);
	if (set->slot[slot])
		return 0;
	if (set->count == RECIPIENTS_MAX)
		return refuse(reader, "too many recipients");
	memcpy(set->text + set->used, key, len + 1);
	set->slot[slot] = (uint32_t)set->used + 1;
	set->used += len + 1;
	set->count++;
	return 0;
}

/* An address, as a client would write it. */
static int read_address(const struct reader *reader, const char *text, struct path *out)
{
	char line[RECIPIENTS_LINE_MAX + 2];
	const int len = snprintf(line, sizeof(line), "<%s>", text);
	struct path_line read;

	if (path_parse(line, (size_t)len, true, &read, reader->err))
		return error_prefix(reader->err, "%s:%zu", reader->file, reader->line);
	if (!read.path.domain[0] || read.count)
		return refuse(reader, "not an address with a local part and a domain");
	*out = read.path;
	return 0;
}

static int read_domain(const struct reader *reader, const char *text, struct path *out)
{
	if (domain_parse(text, strlen(text), out->domain, reader->err))
		return error_prefix(reader->err, "%s:%zu", reader->file, reader->line);
	return 0;
}

static int read_entry(const struct reader *reader, const char *text)
{
	struct path path = { .null = false };
	char key[KEY_MAX];

	if (text[0] == '@' ? read_domain(reader, text + 1, &path)
			   : read_address(reader, text, &path))
		return ERROR_REFUSED;
	if (!reader->own(path.domain, reader->arg))
		return refuse(reader, "the domain is not in smtp.domains");
	return add(reader, key, compose(path.local, strlen(path.local), path.domain, key));
}

/* Takes the comment off, and blanks around the rest. */
static char *strip(char *line)
{
	char *start = line + strspn(line, " \t");
	size_t len;

	for (char *at = start; *at; at++)
		if (*at == '#' && (at == start || at[-1] == ' ' || at[-1] == '\t'))
			*at-- = '\0';
	len = strlen(start);
	while (len && strchr(" \t\r\n", start[len - 1]))
		start[--len] = '\0';
	return start;
}

static int read_line(struct reader *reader, char *line, FILE *file)
{
	const size_t len = strlen(line);
	char *text;

	reader->line++;
	if (!len || (line[len - 1] != '\n' && !feof(file)))
		return refuse(reader, "the line is too long, or holds a NUL");
	text = strip(line);
	return *text ? read_entry(reader, text) : 0;
}

static FILE *open_regular(const char *name, struct error *err)
{
	const int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info;
	FILE *file = NULL;
	const bool known = fd >= 0 && !fstat(fd, &info);

	if (known && !S_ISREG(info.st_mode))
		error_set(err, ERROR_REFUSED, "%s: not a regular file", name);
	else if (!known || !(file = fdopen(fd, "r")))
		error_errno(err, ERROR_REFUSED, errno, "%s", name);
	if (!file && fd >= 0)
		close(fd);
	return file;
}

static int read_file(struct reader *reader, FILE *file)
{
	char line[RECIPIENTS_LINE_MAX];

	while (fgets(line, sizeof(line), file))
		if (read_line(reader, line, file))
			return ERROR_REFUSED;
	if (ferror(file))
		return error_errno(reader->err, ERROR_REFUSED, errno, "%s", reader->file);
	return make_room(reader->set) ? 0 : refuse(reader, "out of memory");
}

int recipients_load(const char *file, bool (*own)(const char *domain, const void *arg),
		    const void *arg, struct recipients **out, struct error *err)
{
	struct reader reader = { .file = file, .own = own, .arg = arg, .err = err };
	FILE *stream = open_regular(file, err);
	int rc;

	if (!stream)
		return ERROR_REFUSED;
	reader.set = calloc(1, sizeof(*reader.set));
	if (reader.set)
		reader.set->seed = siphash_random_key();
	rc = reader.set ? read_file(&reader, stream) : refuse(&reader, "out of memory");
	fclose(stream);
	if (rc)
		recipients_free(&reader.set);
	else
		*out = reader.set;
	return rc;
}

static bool has(const struct recipients *set, const char *local, size_t len, const char *domain)
{
	char key[KEY_MAX];

	return set->slot[slot_of(set, key, compose(local, len, domain, key))] != 0;
}

enum recipients_answer recipients_find(const struct recipients *recipients, const struct path *to)
{
	const size_t len = strlen(to->local), base = strcspn(to->local, "+");

	if (has(recipients, to->local, len, to->domain) ||
	    (base && base < len && has(recipients, to->local, base, to->domain)))
		return RECIPIENTS_YES;
	return has(recipients, "", 0, to->domain) ? RECIPIENTS_DOMAIN : RECIPIENTS_NO;
}
