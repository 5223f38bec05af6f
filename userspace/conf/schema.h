/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/schema.h - inside the module conf: what an option is, and how its text becomes its value.
 *
 * The reader (yaml.c), the checks, the example and the manual all work on rows of conf_schema and
 * know no option by name. A new option is a field of struct conf and a row; nothing else.
 */
#ifndef POSTERN_CONF_SCHEMA_H
#define POSTERN_CONF_SCHEMA_H

#include "conf/conf.h"
#include "lib/text.h"

#define CONF_KEY_MAX 64 /* bytes of an option's dotted name, with the final NUL */

enum conf_type {
	CONF_TEXT,         /* char[], zeros after the text */
	CONF_NUMBER,       /* uint32_t */
	CONF_SCORE,        /* int32_t, at most `max` either way */
	CONF_BOOL,         /* bool */
	CONF_CHOICE,       /* an enum: the place of the word in `choices` */
	CONF_LISTEN,       /* struct conf_listen */
	CONF_PORTS,        /* struct conf_ports */
	CONF_NAMES,        /* struct conf_interfaces */
	CONF_SERVERS,      /* struct conf_servers */
	CONF_ZONES,        /* struct conf_zones */
	CONF_LISTENERS,    /* struct conf_listeners */
	CONF_PREFIXES,     /* struct conf_prefixes */
	CONF_DOMAINS,      /* struct conf_domains */
	CONF_BACKENDS,     /* struct conf_backends */
	CONF_CERTIFICATES, /* struct conf_certificates */
	CONF_CHECKS,       /* struct conf_domain_checks */
	CONF_TYPES
};

/* A number with one of these units is a time, and may be written as a duration, as "7d". */
#define CONF_SECONDS "seconds"
#define CONF_MS      "ms"

struct conf_option {
	const char *name; /* "section.key", or "key" */
	enum conf_type type;
	size_t offset, size;        /* of the field in struct conf */
	uint32_t min, max;          /* of a number, and of the members of a list */
	const char *preset;         /* the default as in a file; members are separated by ", " */
	const char *unit;           /* of a number; of a text, what it is; see CONF_SECONDS */
	bool reloadable;            /* reload applies a change; if not, a restart does */
	const char *const *choices; /* words, then NULL */
	int (*check)(const char *text,
		     struct error *err); /* of a text or a member, before it is set */
	const char *help;                /* sentences for the operator */
};

extern const struct conf_option conf_schema[];
extern const size_t conf_schema_count;

/* The row of a dotted name, and the first row of a section; NULL if there is none. */
const struct conf_option *conf_option_find(const char *name);
const struct conf_option *conf_section_find(const char *section);
/* The row whose field is at `field` bytes of struct conf; there must be one. */
const struct conf_option *conf_option_at(size_t field);
/* The row's place in the schema. */
size_t conf_option_index(const struct conf_option *option);
/* The name without its section; `section` gets the length of the section's name, 0 for none. */
const char *conf_option_key(const struct conf_option *option, size_t *section);
/* The option or section whose name is nearest to one that does not exist, or "". Returns `out`. */
char *conf_suggest(const char *name, char out[CONF_KEY_MAX]);

/* The field of an option. */
void *conf_field(struct conf *conf, const struct conf_option *option);
const void *conf_field_read(const struct conf *conf, const struct conf_option *option);
/* Reads `text` into the field, or appends it to the field if that is a list. Errors name the
 * option. */
int conf_value_parse(const struct conf_option *option, const char *text, struct conf *conf,
		     struct error *err);
/* Sets the option to its default. */
int conf_value_preset(const struct conf_option *option, struct conf *conf, struct error *err);
/* A text as a message may repeat it: clean, and without a key. Returns `out`. */
char *conf_value_clean(const struct conf_option *option, const char *text,
		       char out[TEXT_SHOWN_MAX]);
/* How many members the field has, and the first that says the same as member `nth`, or `nth`. */
size_t conf_list_count(const struct conf *conf, const struct conf_option *option);
size_t conf_list_twin(const struct conf *conf, const struct conf_option *option, size_t nth);
bool conf_type_is_list(enum conf_type type);
/* Whether quotes make a value one of the wrong type, because it is not a text. */
bool conf_type_is_bare(enum conf_type type);
/* What is wanted, as "a whole number". */
const char *conf_option_wanted(const struct conf_option *option);

/* number.c, for type.c. "TEXT followed by what is wrong with it", as all messages about values are.
 */
int conf_refuse(struct error *err, const char *text, const char *wrong);
int conf_range_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out,
		     struct error *err);
int conf_number_parse(const struct conf_option *option, const char *text, void *field,
		      struct error *err);
int conf_score_parse(const struct conf_option *option, const char *text, void *field,
		     struct error *err);
bool conf_is_time(const struct conf_option *option);

/* type.c, for smtp.c, backend.c and actions.c: a word of several; an address with or without a
 * port, which is untouched then; and a member of `size` bytes at the end of a list. */
int conf_choice_parse(const struct conf_option *option, const char *text, void *field,
		      struct error *err);
int conf_endpoint_parse(const char *text, struct addr *addr, uint16_t *port, struct error *err);
int conf_append(const struct conf_option *option, void *field, const void *member, size_t size,
		struct error *err);

/* smtp.c, backend.c and actions.c, for type.c: members of the lists of the SMTP front. */
typedef int (*conf_parse_fn)(const struct conf_option *option, const char *text, void *field,
			     struct error *err);
int conf_listener_parse(const struct conf_option *option, const char *text, void *field,
			struct error *err);
int conf_prefix_parse(const struct conf_option *option, const char *text, void *field,
		      struct error *err);
int conf_domain_parse(const struct conf_option *option, const char *text, void *field,
		      struct error *err);
int conf_certificate_parse(const struct conf_option *option, const char *text, void *field,
			   struct error *err);
int conf_backend_parse(const struct conf_option *option, const char *text, void *field,
		       struct error *err);
int conf_domain_check_parse(const struct conf_option *option, const char *text, void *field,
			    struct error *err);
/* Whether two members are one thing, whatever else is said of it. */
bool conf_listener_same(const void *a, const void *b);
bool conf_backend_same(const void *a, const void *b);
bool conf_domain_check_same(const void *a, const void *b);

/* smtp.c, for actions.c: a domain alone; the error repeats what it was. */
int conf_domain_read(const char *text, char out[CONF_DOMAIN_MAX], struct error *err);

/* The next word of a text, after blanks; NULL at the end. `next` goes on behind it. */
char *conf_word(char **next);

/* check_smtp.c, for check.c: options of the SMTP front that contradict each other. */
int conf_check_smtp(const struct conf *conf, struct error *err);
/* Whether a listener is for users, who log in. */
bool conf_takes_users(const struct conf *conf);
/* actions.c, for check_smtp.c: rows of check.domains that have no effect. */
int conf_check_domains(const struct conf *conf, struct error *err);
/* Puts the place of an option's value before what the error says, if that is in the file. */
int conf_check_at(const struct conf *conf, const struct conf_option *option, struct error *err);

/* checker.c: what options name as their `check`. */
int conf_check_account(const char *text, struct error *err);
int conf_check_group(const char *text, struct error *err);
int conf_check_path(const char *text, struct error *err);
int conf_check_path_any(const char *text, struct error *err); /* also "" */
int conf_check_host(const char *text, struct error *err);     /* likewise */
int conf_check_interface(const char *text, struct error *err);
int conf_check_reject(const char *text, struct error *err);
int conf_check_contact(const char *text, struct error *err);

/* Reads a document into `conf`, which holds the defaults. On failure `conf` is of no more use. */
int conf_yaml_read(const char *name, const char *text, size_t len, struct conf *conf,
		   struct error *err);

#endif
