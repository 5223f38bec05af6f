/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/type.c - the types of options: how a text becomes a value in struct conf.
 *
 * Called by the reader of files with every scalar, for the defaults, and when the operator sets a
 * value; all three obey the row of the schema alike. A list takes one member at a time. What is
 * stored leaves no bytes of an older value behind, so values are compared as memory. On failure
 * the field is as it was. Texts come from outside and are cleaned before a message repeats them.
 * Numbers are read by number.c, rows of DNS lists by zone.c, lists of the SMTP front by smtp.c,
 * backend.c and actions.c.
 */
#include "conf/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

#define PORT_MAX    65535u
#define SERVER_PORT 53u /* of a DNS server */
#define LOOPBACK    "127.0.0.1"
#define SEPARATOR   ", " /* between the members of a list in a default */

_Static_assert(offsetof(struct conf_ports, port) == sizeof(size_t), "conf: list members");
_Static_assert(offsetof(struct conf_interfaces, name) == sizeof(size_t), "conf: list members");
_Static_assert(offsetof(struct conf_servers, server) == sizeof(size_t), "conf: list members");
_Static_assert(sizeof(struct conf_server) == sizeof(struct addr) + sizeof(uint16_t),
	       "conf: members of a list are compared as they are");
_Static_assert(offsetof(struct conf_zones, zone) == sizeof(size_t), "conf: list members");
_Static_assert(sizeof(enum conf_mode) == sizeof(unsigned int), "conf: a choice is an enum");
_Static_assert(sizeof(enum action) == sizeof(unsigned int), "conf: a choice is an enum");
_Static_assert(sizeof(enum conf_check) == sizeof(unsigned int), "conf: a choice is an enum");
_Static_assert(sizeof(enum conf_role) == sizeof(unsigned int), "conf: a choice is an enum");
_Static_assert(sizeof(enum log_level) == sizeof(unsigned int), "conf: a choice is an enum");

static int parse_text(const struct conf_option *option, const char *text, void *field,
		      struct error *err)
{
	const size_t len = strlen(text);

	if (len >= option->size)
		return error_set(err, ERROR_REFUSED, "longer than %zu bytes", option->size - 1);
	memset(field, 0, option->size);
	memcpy(field, text, len);
	return 0;
}

static int parse_bool(const struct conf_option *option, const char *text, void *field,
		      struct error *err)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	(void)option;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(text, words[i])) {
			*(bool *)field = i % 2;
			return 0;
		}
	}
	return conf_refuse(err, text, "is neither true nor false");
}

int conf_choice_parse(const struct conf_option *option, const char *text, void *field,
		      struct error *err)
{
	char wrong[TEXT_SHOWN_MAX] = "is none of ";

	for (unsigned int i = 0; option->choices[i]; i++) {
		size_t used = strlen(wrong);

		if (!strcmp(text, option->choices[i])) {
			*(unsigned int *)field = i;
			return 0;
		}
		snprintf(wrong + used, sizeof(wrong) - used, "%s%s", i ? SEPARATOR : "",
			 option->choices[i]);
	}
	return conf_refuse(err, text, wrong);
}

/* Finds host and port in "HOST:PORT" or "[HOST]:PORT"; false if the text has neither form. */
static bool split_listen(const char *text, const char **host, size_t *len, const char **port)
{
	const char *colon = strrchr(text, ':');

	if (!colon || colon == text)
		return false;
	*port = colon + 1;
	if (text[0] == '[' && colon[-1] == ']') {
		*host = text + 1;
		*len = (size_t)(colon - text) - 2;
		return true;
	}
	*host = text;
	*len = (size_t)(colon - text);
	return !memchr(text, ':', *len);
}

/*
 * Metrics are for anybody who reaches the port, so a name that a resolver could turn into any
 * address is refused: whoever opens the port to a network writes that network's address.
 */
static int parse_host(const char *text, const char *host, size_t len, struct addr *addr,
		      struct error *err)
{
	if (len == strlen("localhost") && !memcmp(host, "localhost", len)) {
		host = LOOPBACK;
		len = strlen(LOOPBACK);
	}
	if (addr_parse(host, len, addr, NULL))
		return conf_refuse(err, text,
				   "must start with an address or localhost (127.0.0.1), not with "
				   "another name");
	return 0;
}

static int parse_listen(const struct conf_option *option, const char *text, void *field,
			struct error *err)
{
	struct conf_listen listen = { .port = 0 };
	const char *host, *port;
	struct addr addr;
	uint64_t number = 0;
	size_t len;

	(void)option;
	if (strcmp(text, "off")) {
		if (!split_listen(text, &host, &len, &port))
			return conf_refuse(
				err, text,
				"is not ADDRESS:PORT, as 127.0.0.1:9125 or \"[::1]:9125\"");
		if (parse_host(text, host, len, &addr, err))
			return ERROR_REFUSED;
		if (conf_range_parse(port, 1, PORT_MAX, &number, err))
			return error_prefix(err, "port");
		addr_format(&addr, listen.host);
		listen.port = (uint16_t)number;
	}
	memcpy(field, &listen, sizeof(listen));
	return 0;
}

int conf_append(const struct conf_option *option, void *field, const void *member, size_t size,
		struct error *err)
{
	size_t *count = field;

	if (*count >= option->max)
		return error_set(err, ERROR_REFUSED, "more than %" PRIu32 " members", option->max);
	memcpy((char *)field + sizeof(*count) + *count * size, member, size);
	(*count)++;
	return 0;
}

static int parse_port(const struct conf_option *option, const char *text, void *field,
		      struct error *err)
{
	uint64_t number = 0;
	uint16_t port;
	int rc = conf_range_parse(text, 1, PORT_MAX, &number, err);

	if (rc)
		return rc;
	port = (uint16_t)number;
	return conf_append(option, field, &port, sizeof(port), err);
}

static int parse_name(const struct conf_option *option, const char *text, void *field,
		      struct error *err)
{
	char name[IF_NAMESIZE] = "";
	const size_t len = strlen(text);

	if (len >= sizeof(name))
		return conf_refuse(err, text, "is longer than the name of an interface can be");
	memcpy(name, text, len);
	return conf_append(option, field, name, sizeof(name), err);
}

int conf_endpoint_parse(const char *text, struct addr *addr, uint16_t *port, struct error *err)
{
	const char *host = text, *digits = NULL;
	size_t len = strlen(text);
	uint64_t number = 0;

	if (!addr_parse(text, len, addr, NULL))
		return 0;
	split_listen(text, &host, &len, &digits);
	if (parse_host(text, host, len, addr, err))
		return ERROR_REFUSED;
	if (digits && conf_range_parse(digits, 1, PORT_MAX, &number, err))
		return error_prefix(err, "port");
	if (digits)
		*port = (uint16_t)number;
	return 0;
}

int conf_server_parse(const char *text, struct conf_server *out, struct error *err)
{
	struct conf_server server = { .port = SERVER_PORT };
	int rc = conf_endpoint_parse(text, &server.addr, &server.port, err);

	if (!rc)
		*out = server;
	return rc;
}

static int parse_server(const struct conf_option *option, const char *text, void *field,
			struct error *err)
{
	struct conf_server server;
	int rc = conf_server_parse(text, &server, err);

	return rc ? rc : conf_append(option, field, &server, sizeof(server), err);
}

static int parse_zone(const struct conf_option *option, const char *text, void *field,
		      struct error *err)
{
	struct conf_zone zone;
	int rc = conf_zone_parse(text, &zone, err);

	return rc ? rc : conf_append(option, field, &zone, sizeof(zone), err);
}

static bool is_same_zone(const void *a, const void *b)
{
	return conf_zone_same(a, b);
}

static const struct {
	conf_parse_fn parse;
	const char *wanted;
	bool bare;
	size_t member;                              /* bytes of a member, for a list */
	bool (*same)(const void *a, const void *b); /* NULL: members are compared as memory */
} types[CONF_TYPES] = {
	[CONF_TEXT] = { .parse = parse_text, .wanted = "a text" },
	[CONF_NUMBER] = { .parse = conf_number_parse, .wanted = "a whole number", .bare = true },
	[CONF_SCORE] = { .parse = conf_score_parse, .wanted = "a whole number", .bare = true },
	[CONF_BOOL] = { .parse = parse_bool, .wanted = "true or false", .bare = true },
	[CONF_CHOICE] = { .parse = conf_choice_parse, .wanted = "a word" },
	[CONF_LISTEN] = { .parse = parse_listen,
			  .wanted = "ADDRESS:PORT (\"[::1]:9125\" in quotes) or off" },
	[CONF_PORTS] = { .parse = parse_port,
			 .wanted = "a list, as [25, 465]",
			 .bare = true,
			 .member = sizeof(uint16_t) },
	[CONF_NAMES] = { .parse = parse_name,
			 .wanted = "a list, as [eth0, eth1]",
			 .member = IF_NAMESIZE },
	[CONF_SERVERS] = { .parse = parse_server,
			   .wanted = "a list, as [127.0.0.1, \"[::1]:5353\"]",
			   .member = sizeof(struct conf_server) },
	[CONF_ZONES] = { .parse = parse_zone,
			 .wanted = "a list of texts in quotes, as [\"zen.spamhaus.org*8\"]",
			 .member = sizeof(struct conf_zone),
			 .same = is_same_zone },
	[CONF_LISTENERS] = { .parse = conf_listener_parse,
			     .wanted = "a list, as [25, \"[::]:587 submission\"]",
			     .member = sizeof(struct conf_listener),
			     .same = conf_listener_same },
	[CONF_PREFIXES] = { .parse = conf_prefix_parse,
			    .wanted = "a list, as [192.0.2.0/24, \"2001:db8::/32\"]",
			    .member = sizeof(struct prefix) },
	[CONF_DOMAINS] = { .parse = conf_domain_parse,
			   .wanted = "a list, as [example.com, example.org]",
			   .member = sizeof(struct conf_domain) },
	[CONF_BACKENDS] = { .parse = conf_backend_parse,
			    .wanted = "a list, as [\"192.0.2.1:25 starttls\"]",
			    .member = sizeof(struct conf_backend),
			    .same = conf_backend_same },
	[CONF_CERTIFICATES] = { .parse = conf_certificate_parse,
				.wanted = "a list, as [\"/CHAIN.pem /KEY.pem\"]",
				.member = sizeof(struct conf_certificate) },
	[CONF_CHECKS] = { .parse = conf_domain_check_parse,
			  .wanted = "a list, as [example.net spf=tag]",
			  .member = sizeof(struct conf_domain_check),
			  .same = conf_domain_check_same },
};

bool conf_type_is_list(enum conf_type type)
{
	return types[type].member != 0;
}

bool conf_type_is_bare(enum conf_type type)
{
	return types[type].bare;
}

const char *conf_option_wanted(const struct conf_option *option)
{
	return conf_is_time(option) ? "a number or a duration, as 90s or 7d"
				    : types[option->type].wanted;
}

char *conf_value_clean(const struct conf_option *option, const char *text, char out[TEXT_SHOWN_MAX])
{
	if (option->type == CONF_ZONES)
		return conf_zone_clean(text, out);
	text_clean(out, TEXT_SHOWN_MAX, text, strlen(text));
	return out;
}

void *conf_field(struct conf *conf, const struct conf_option *option)
{
	return (char *)conf + option->offset;
}

const void *conf_field_read(const struct conf *conf, const struct conf_option *option)
{
	return (const char *)conf + option->offset;
}

size_t conf_list_count(const struct conf *conf, const struct conf_option *option)
{
	return *(const size_t *)conf_field_read(conf, option);
}

size_t conf_list_twin(const struct conf *conf, const struct conf_option *option, size_t nth)
{
	const size_t size = types[option->type].member;
	const char *members = (const char *)conf_field_read(conf, option) + sizeof(size_t);
	bool (*const same)(const void *, const void *) = types[option->type].same;
	size_t i = 0;

	while (i < nth && (same ? !same(members + i * size, members + nth * size)
				: memcmp(members + i * size, members + nth * size, size) != 0))
		i++;
	return i;
}

int conf_value_parse(const struct conf_option *option, const char *text, struct conf *conf,
		     struct error *err)
{
	int rc = option->check ? option->check(text, err) : 0;

	if (!rc)
		rc = types[option->type].parse(option, text, conf_field(conf, option), err);
	return rc ? error_prefix(err, "%s", option->name) : 0;
}

/* The members of a default, one after the other. */
static int preset_list(const struct conf_option *option, struct conf *conf, struct error *err)
{
	char *text = strdup(option->preset), *rest = text, *member;
	int rc = 0;

	if (!text)
		return error_set(err, ERROR_REFUSED, "%s: out of memory", option->name);
	while (!rc && (member = strtok_r(rest, SEPARATOR, &rest)))
		rc = conf_value_parse(option, member, conf, err);
	free(text);
	return rc;
}

int conf_value_preset(const struct conf_option *option, struct conf *conf, struct error *err)
{
	memset(conf_field(conf, option), 0, option->size);
	if (conf_type_is_list(option->type))
		return preset_list(option, conf, err);
	return conf_value_parse(option, option->preset, conf, err);
}
