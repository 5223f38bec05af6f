/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/conf.c - implements conf/conf.h, but for publishing (snapshot.c), contradictions (check.c)
 * and the reference (reference.c): files, defaults, and options by name.
 *
 * Called by the agent at start and at reload, by the control socket for limits, and by posternctl
 * for `config check`. A struct conf belongs to who asked for it. Of a file at most
 * CONF_FILE_BYTES_MAX bytes are read; only a regular file is, so that no start hangs on a pipe.
 */
#include "conf/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/text.h"

void conf_free(struct conf **conf)
{
	free(*conf);
	*conf = NULL;
}

int conf_copy(const struct conf *conf, struct conf **out, struct error *err)
{
	struct conf *copy = malloc(sizeof(*copy));

	if (!copy)
		return error_set(err, ERROR_REFUSED, "configuration: out of memory");
	memcpy(copy, conf, sizeof(*copy));
	*out = copy;
	return 0;
}

int conf_defaults(struct conf **out, struct error *err)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	int rc = 0;

	if (!conf)
		return error_set(err, ERROR_REFUSED, "configuration: out of memory");
	for (size_t i = 0; !rc && i < conf_schema_count; i++)
		rc = conf_value_preset(&conf_schema[i], conf, err);
	if (rc)
		conf_free(&conf);
	else
		*out = conf;
	return rc;
}

int conf_parse(const char *name, const char *text, size_t len, struct conf **out, struct error *err)
{
	struct conf *conf = NULL;
	int rc;

	if (strlen(name) >= CONF_PATH_MAX)
		return error_set(err, ERROR_REFUSED, "the file's path is longer than %d bytes",
				 CONF_PATH_MAX - 1);
	if (len > CONF_FILE_BYTES_MAX)
		return error_set(err, ERROR_REFUSED, "%s: larger than %u bytes", name,
				 CONF_FILE_BYTES_MAX);
	rc = conf_defaults(&conf, err);
	if (!conf)
		return rc;
	memcpy(conf->file, name, strlen(name));
	rc = conf_yaml_read(name, text, len, conf, err);
	if (!rc)
		rc = conf_check(conf, err);
	if (rc)
		conf_free(&conf);
	else
		*out = conf;
	return rc;
}

/* Returns a descriptor, or an error. */
static int open_file(const char *path, struct error *err)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "%s", path);
	if (fstat(fd, &info)) {
		error_errno(err, ERROR_REFUSED, errno, "%s", path);
	} else if (!S_ISREG(info.st_mode)) {
		error_set(err, ERROR_REFUSED, "%s: %s", path,
			  S_ISDIR(info.st_mode) ? "a directory, not a file" : "not a regular file");
	} else {
		return fd;
	}
	close(fd);
	return ERROR_REFUSED;
}

/* Reads what is there, and one byte more than is allowed, so that conf_parse() sees the excess. */
static int read_all(int fd, char *text, size_t size, size_t *out)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, text + len, size - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*out = len;
	return 0;
}

int conf_load(const char *path, struct conf **out, struct error *err)
{
	const size_t size = CONF_FILE_BYTES_MAX + 1;
	char *text = NULL;
	size_t len;
	int fd = open_file(path, err), rc;

	if (fd < 0)
		return fd;
	text = malloc(size);
	if (!text)
		rc = error_set(err, ERROR_REFUSED, "%s: out of memory", path);
	else if (read_all(fd, text, size, &len))
		rc = error_errno(err, ERROR_REFUSED, errno, "%s", path);
	else
		rc = conf_parse(path, text, len, out, err);
	free(text);
	close(fd);
	return rc;
}

/* The row of a name that the operator gave, or NULL. */
static const struct conf_option *find_given(const char *name, struct error *err)
{
	const struct conf_option *option = conf_option_find(name);
	char shown[TEXT_SHOWN_MAX], nearest[CONF_KEY_MAX];

	if (option)
		return option;
	text_clean(shown, sizeof(shown), name, strlen(name));
	conf_suggest(name, nearest);
	if (nearest[0])
		error_set(err, ERROR_USAGE, "%s: unknown option; did you mean %s?", shown, nearest);
	else
		error_set(err, ERROR_USAGE, "%s: unknown option", shown);
	return NULL;
}

/* A mistake in what the operator typed is one of usage; the same mistake in a file is not. */
static int refuse_given(struct error *err)
{
	if (err)
		err->code = ERROR_USAGE;
	return ERROR_USAGE;
}

int conf_option_set(struct conf *conf, const char *name, const char *text, struct error *err)
{
	const struct conf_option *option = find_given(name, err);

	if (!option)
		return ERROR_USAGE;
	if (conf_type_is_list(option->type))
		return error_set(err, ERROR_USAGE, "%s: a list can only be set in the file", name);
	if (conf_value_parse(option, text, conf, err))
		return refuse_given(err);
	conf->line[conf_option_index(option)] = CONF_LINE_OPERATOR;
	return 0;
}

/* Reads a number into a configuration that nobody sees, so that there is one way to read it. */
int conf_option_parse(const char *name, const char *text, uint64_t *value, struct error *err)
{
	const struct conf_option *option = find_given(name, err);
	struct conf scratch;

	if (!option)
		return ERROR_USAGE;
	if (option->type != CONF_NUMBER)
		return error_set(err, ERROR_USAGE, "%s: not a number", name);
	if (conf_value_parse(option, text, &scratch, err))
		return refuse_given(err);
	*value = *(const uint32_t *)conf_field_read(&scratch, option);
	return 0;
}

char *conf_origin(const struct conf *conf, const char *name, char out[CONF_ORIGIN_MAX])
{
	const struct conf_option *option = conf_option_find(name);
	const uint32_t line = option ? conf->line[conf_option_index(option)] : CONF_LINE_DEFAULT;

	if (line == CONF_LINE_DEFAULT)
		snprintf(out, CONF_ORIGIN_MAX, "default");
	else if (line == CONF_LINE_OPERATOR)
		snprintf(out, CONF_ORIGIN_MAX, "operator");
	else
		snprintf(out, CONF_ORIGIN_MAX, "%s:%" PRIu32, conf->file, line);
	return out;
}

bool conf_is_preset(const struct conf *conf, const char *name)
{
	const struct conf_option *option = conf_option_find(name);
	struct conf *preset = calloc(1, sizeof(*preset));
	struct error err;
	bool same;

	same = option && preset && !conf_value_preset(option, preset, &err) &&
	       !memcmp(conf_field_read(conf, option), conf_field_read(preset, option),
		       option->size);
	free(preset);
	return same;
}

size_t conf_diff(const struct conf *before, const struct conf *after, conf_diff_cb cb, void *arg)
{
	size_t count = 0;

	for (size_t i = 0; i < conf_schema_count; i++) {
		const struct conf_option *row = &conf_schema[i];

		if (!memcmp(conf_field_read(before, row), conf_field_read(after, row), row->size))
			continue;
		cb(row->name, row->reloadable, arg);
		count++;
	}
	return count;
}

static const char *origin_word(uint32_t line)
{
	if (line == CONF_LINE_DEFAULT)
		return "default";
	return line == CONF_LINE_OPERATOR ? "operator" : "config";
}

void conf_limits(const struct conf *conf, conf_limit_cb cb, void *arg)
{
	for (size_t i = 0; i < conf_schema_count; i++) {
		const struct conf_option *row = &conf_schema[i];
		struct conf_limit_row limit;

		if (strncmp(row->name, CONF_LIMITS, strlen(CONF_LIMITS)))
			continue;
		limit.key = row->name + strlen(CONF_LIMITS);
		limit.value = *(const uint32_t *)conf_field_read(conf, row);
		limit.preset = (uint32_t)strtoul(row->preset, NULL, 10);
		limit.origin = origin_word(conf->line[i]);
		limit.unit = row->unit;
		limit.help = row->help;
		cb(&limit, arg);
	}
}
