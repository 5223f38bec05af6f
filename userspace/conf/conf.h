/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/conf.h - the configuration: what the file says, as plain values.
 *
 * A struct conf is made whole (every option has a value) and holds no pointers, so it may be copied
 * and compared as it is. The agent keeps the one that follows from the file, puts the operator's
 * settings on top of a copy and publishes that (below); posternctl reads files with the same
 * code. What options exist is said in one place, conf/schema.c.
 *
 * Errors in a file are one line, "FILE:LINE: option: what is wrong", about the first mistake.
 */
#ifndef POSTERN_CONF_CONF_H
#define POSTERN_CONF_CONF_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "conf/actions.h"
#include "conf/finding.h"
#include "conf/zone.h"
#include "lib/addr.h"
#include "lib/domain.h"
#include "lib/error.h"
#include "lib/log.h"
#include "maps/action.h"
#include "maps/meter.h"

#define CONF_FILE_DEFAULT     "/etc/postern/postern.yaml"
#define CONF_FILE_BYTES_MAX   (1u << 20)
#define CONF_PATH_MAX         256 /* bytes of a path, with its NUL; of the file's own name, too */
#define CONF_SOCKET_MAX       108 /* the same for a socket's path: sun_path in unix(7) */
#define CONF_ACCOUNT_MAX      33  /* bytes of a user's or a group's name, with its NUL */
#define CONF_CONTACT_MAX      65  /* bytes of refuse.contact, with its NUL */
#define CONF_PORTS_MAX        64
#define CONF_INTERFACES_MAX   32
#define CONF_SERVERS_MAX      8
#define CONF_LISTENERS_MAX    32
#define CONF_PREFIXES_MAX     64
#define CONF_DOMAIN_MAX       DOMAIN_MAX /* bytes of a domain's name, with its NUL */
#define CONF_BACKENDS_MAX     16
#define CONF_CERTIFICATES_MAX 16
#define CONF_OPTIONS_MAX      192 /* rows that the schema may have */
#define CONF_ORIGIN_MAX       (CONF_PATH_MAX + 16)

/*
 * What the gateway is: a filter of packets by lists and limits; one that also looks clients up; or
 * one that takes the mail and hands it on.
 */
enum conf_role { CONF_ROLE_FILTER, CONF_ROLE_GUARD, CONF_ROLE_PROXY };

enum conf_mode { CONF_MODE_AUTO, CONF_MODE_NATIVE, CONF_MODE_GENERIC };

/* Rates are attempts a second. 0 is no limit; a burst of 0 takes the rate's value. */
struct conf_limit {
	uint32_t rate;
	uint32_t burst;
	uint32_t conns;
};

/* In all lists `count` comes first, and the members follow without a gap. */
struct conf_ports {
	size_t count;
	uint16_t port[CONF_PORTS_MAX];
};

struct conf_interfaces {
	size_t count;
	char name[CONF_INTERFACES_MAX][IF_NAMESIZE];
};

/* Where to listen: an address as text, without brackets. Port 0 is "off", and the host is "". */
struct conf_listen {
	char host[PREFIX_TEXT_MAX];
	uint16_t port;
};

/* A server that is asked: an address, because it is what names are asked of. */
struct conf_server {
	struct addr addr;
	uint16_t port;
};

struct conf_servers {
	size_t count;
	struct conf_server server[CONF_SERVERS_MAX];
};

/* What is offered at a listening socket. */
enum conf_service {
	CONF_SERVICE_MX,          /* mail from anywhere: STARTTLS if it is wanted, no AUTH */
	CONF_SERVICE_SUBMISSION,  /* mail of users (RFC 6409): STARTTLS and AUTH are required */
	CONF_SERVICE_SUBMISSIONS, /* likewise, over TLS from the start (RFC 8314) */
	CONF_SERVICES
};

/*
 * "0.0.0.0:25 mx", "[::]:587 submission"; an address alone has the port of its service, and the
 * services of the ports 25, 587 and 465 need not be said. A port alone is two listeners: 0.0.0.0
 * and [::], which must not take IPv4 then.
 */
struct conf_listener {
	struct addr addr;
	uint16_t port;
	uint16_t service; /* enum conf_service */
};

struct conf_listeners {
	size_t count;
	struct conf_listener listener[CONF_LISTENERS_MAX];
};

struct conf_prefixes {
	size_t count;
	struct prefix prefix[CONF_PREFIXES_MAX];
};

struct conf_domain {
	char name[CONF_DOMAIN_MAX]; /* small letters, A-labels */
};

struct conf_domains {
	size_t count;
	struct conf_domain domain[CONF_DOMAINS_MAX];
};

/*
 * A server behind the gateway: "192.0.2.1:25 starttls xclient weight=2", "[fd00::1]:25 backup",
 * "192.0.2.1 verify=mail.example.org proxy", "192.0.2.1:465 tls pin=HEX". `verify` and `pin` mean
 * STARTTLS where `tls` is not said. Without a port it is 25, or 465 with `tls`.
 */
enum conf_backend_tls {
	CONF_BACKEND_PLAIN,
	CONF_BACKEND_STARTTLS, /* encrypted, whoever it is; required */
	CONF_BACKEND_VERIFY,   /* likewise, with a certificate for `host` that a CA has signed */
	CONF_BACKEND_PIN,      /* likewise, with the public key of `fingerprint` */
	CONF_BACKEND_IMPLICIT = 8, /* a flag: TLS from the start, not STARTTLS */
};

enum conf_backend_told { CONF_BACKEND_TOLD_NOTHING, CONF_BACKEND_XCLIENT, CONF_BACKEND_PROXY };
#define CONF_WEIGHT_MAX 100

struct conf_backend {
	struct addr addr;
	uint16_t port;
	uint16_t weight;            /* 1 to CONF_WEIGHT_MAX; 0: a backup */
	uint16_t tls;               /* enum conf_backend_tls */
	uint16_t told;              /* enum conf_backend_told, of who the client is */
	char host[CONF_DOMAIN_MAX]; /* for VERIFY */
	char fingerprint[66];       /* for PIN, SHA-256 as 64 hex digits in small letters */
};

struct conf_backends {
	size_t count;
	struct conf_backend backend[CONF_BACKENDS_MAX];
};

/* A certificate: "CHAIN.pem KEY.pem", or one file that holds both. */
struct conf_certificate {
	char chain[CONF_PATH_MAX], key[CONF_PATH_MAX];
};

struct conf_certificates {
	size_t count;
	struct conf_certificate certificate[CONF_CERTIFICATES_MAX];
};

/* Where the value of an option came from. Any other number is the line of the file. */
#define CONF_LINE_DEFAULT  0
#define CONF_LINE_OPERATOR UINT32_MAX

struct conf {
	char user[CONF_ACCOUNT_MAX];
	char state_directory[CONF_PATH_MAX];
	char pin_directory[CONF_PATH_MAX];
	uint32_t store_size; /* MiB */
	struct conf_interfaces interfaces;
	enum conf_role role; /* the option "mode" */
	enum conf_mode mode; /* the option "attach-mode" */
	struct conf_ports ports;
	bool monitor;
	struct {
		char socket[CONF_SOCKET_MAX];
		char group[CONF_ACCOUNT_MAX]; /* "": the agent's own */
	} control;
	struct {
		struct conf_listen listen;
	} metrics;
	struct {
		enum log_level level;
	} log;
	struct {
		uint32_t rate; /* a second */
	} events;
	struct {
		uint32_t capacity_ipv4;
		uint32_t capacity_ipv6;
		uint32_t sources;
	} table;
	struct {
		struct conf_limit level[METER_LEVELS]; /* by enum meter_level */
		uint32_t reset_rate;
	} limits;
	struct {
		uint32_t threshold; /* attempts a second to one port; 0 is never */
		uint32_t release;   /* likewise; 0 is half of the threshold */
		uint32_t hold;      /* seconds */
		uint32_t proof;     /* seconds */
		bool cookies;       /* switch the kernel's settings for them */
	} flood;
	struct {
		char contact[CONF_CONTACT_MAX]; /* "": none */
	} refuse;
	struct {
		struct conf_servers servers; /* none: those of /etc/resolv.conf */
		uint32_t timeout;            /* ms */
		uint32_t tries;
		uint32_t cache_entries;
		uint32_t ttl_min; /* seconds */
		uint32_t ttl_max;
		uint32_t ttl_negative;
		uint32_t in_flight;
		uint32_t in_flight_zone;
	} dns;
	struct {
		struct conf_zones zones;   /* of addresses */
		struct conf_zones domains; /* of domains */
		uint32_t test_interval;    /* seconds; 0: never */
	} dnsbl;
	struct {
		uint32_t rate;    /* newcomers a second */
		uint32_t cache;   /* verdicts */
		uint32_t ttl_min; /* seconds */
		uint32_t ttl_max;
		uint32_t timeout; /* ms, of a whole verdict */
	} guard;
	int32_t score[FINDING_COUNT];
	struct {
		int32_t slow, greylist, reject; /* 0 is never */
	} policy;
	struct {
		bool enabled;
		uint32_t delay, window, keep; /* seconds */
	} greylist;
	struct {
		enum action first_action, action;
		uint32_t ttl, ttl_max; /* seconds */
		uint32_t factor;
		uint32_t forgive; /* seconds */
	} escalation;
	struct {
		uint32_t good;  /* verdicts; 0: never */
		uint32_t trust; /* seconds */
	} history;
	struct {
		char hostname[CONF_DOMAIN_MAX]; /* "": that of the machine */
		uint32_t workers;               /* 0: as many as there are processors */
		struct conf_listeners listen;
		struct conf_prefixes balancers; /* who sends a PROXY header */
		struct conf_prefixes networks;  /* trusted: may send to anybody */
		struct conf_domains domains;    /* our own */
		char recipients[CONF_PATH_MAX]; /* a file of those that exist; "": the backend is
						   asked */
		char users[CONF_PATH_MAX];      /* a file of accounts; "": the backend is asked */
		struct conf_backends backends;
		char backend_ca[CONF_PATH_MAX]; /* a file; "": the CAs of the system */
		uint32_t size_max;              /* octets of a message */
		uint32_t recipients_max;
		uint32_t unknown_recipients; /* of a client, in an hour; 0: any number */
		uint32_t unknown_ttl;        /* seconds; 0: none are remembered */
		uint32_t errors_max;         /* of one session */
		uint32_t commands_max;       /* that bring nothing on (NOOP, RSET, VRFY ...) */
		uint32_t connections_max;    /* of all workers together */
		uint32_t timeout_command, timeout_data, timeout_session; /* seconds */
		uint32_t rate_min;         /* octets a second of a message, on average; 0: any */
		char spool[CONF_PATH_MAX]; /* the directory; "": "spool" in state_directory */
		uint32_t spool_message;    /* KiB of one message in memory */
		uint32_t spool_memory;     /* MiB of all messages in memory */
		uint32_t spool_disk;       /* MiB of all messages on disk */
		uint32_t greet_delay;      /* ms that a client has to wait for the greeting */
	} smtp;
	struct {
		struct conf_certificates certificates;
		bool required; /* at listeners of service mx, too */
	} tls;
	struct {
		enum conf_check pregreet, pipelining, dnsbl, rdns, helo, spf, sender, score;
		enum conf_stage stage;
		struct conf_domain_checks domains; /* of which something else is said */
	} check;

	char file[CONF_PATH_MAX];        /* "" if everything is a default */
	uint32_t line[CONF_OPTIONS_MAX]; /* of each option, in the order of the schema */
};

/*
 * Each of these makes a struct conf that the caller owns; on failure `out` is untouched.
 * `conf_parse` reads a file's text from memory; `name` is the file's name in messages.
 */
int conf_load(const char *path, struct conf **out, struct error *err);
int conf_parse(const char *name, const char *text, size_t len, struct conf **out,
	       struct error *err);
int conf_defaults(struct conf **out, struct error *err);
int conf_copy(const struct conf *conf, struct conf **out, struct error *err);
void conf_free(struct conf **conf);

/* Refuses options that contradict each other and names both, with their lines. */
int conf_check(const struct conf *conf, struct error *err);

/*
 * The first backend that is a listener, or NULL. `own` tells whether an address is one of this
 * machine, where a listener at all addresses is reached.
 */
const struct conf_backend *conf_find_loop(const struct conf_backends *backends,
					  const struct conf_listeners *listen,
					  bool (*own)(const struct addr *addr));

/*
 * Sets an option that is not a list, as the operator, from text as it stands in a file. Only that
 * value is checked: a caller who has set all it wants to calls conf_check() before it uses them.
 */
int conf_option_set(struct conf *conf, const char *name, const char *text, struct error *err);

/* Reads `text` as the value of an option that is a number, by its row of the schema. */
int conf_option_parse(const char *name, const char *text, uint64_t *value, struct error *err);

/* A server as in a list of them: "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:5353"; or port 53.
 */
int conf_server_parse(const char *text, struct conf_server *out, struct error *err);

/* Where the value of an option came from: "default", "FILE:LINE" or "operator". Returns `out`. */
char *conf_origin(const struct conf *conf, const char *name, char out[CONF_ORIGIN_MAX]);

/* Calls back for each option whose value differs; returns how many there are. */
typedef void (*conf_diff_cb)(const char *name, bool reloadable, void *arg);
size_t conf_diff(const struct conf *before, const struct conf *after, conf_diff_cb cb, void *arg);

/* The options of the section "limits", as `posternctl limits` shows them. */
#define CONF_LIMITS "limits."
struct conf_limit_row {
	const char *key; /* without CONF_LIMITS */
	uint32_t value;
	uint32_t preset;    /* the default */
	const char *origin; /* "default", "config" or "operator" */
	const char *unit;
	const char *help;
};
typedef void (*conf_limit_cb)(const struct conf_limit_row *row, void *arg);
void conf_limits(const struct conf *conf, conf_limit_cb cb, void *arg);

/* A configuration with comments in which every option is at its default. */
void conf_example(FILE *out);
/* The entries of the options for postern.yaml(5), in mdoc(7). */
void conf_reference(FILE *out);

/*
 * The published configuration: any thread may read it, without a lock, and sees one that is whole.
 *
 * A reader takes what it needs between begin and end, does not wait there, and keeps no pointer
 * afterwards. `conf_read_begin` returns NULL if nothing is published. `conf_publish` takes `conf`
 * over (NULL at the end of the program), waits until nobody reads the one before any more, and
 * frees that; a thread that is reading must not call it.
 */
const struct conf *conf_read_begin(void);
void conf_read_end(void);
void conf_publish(struct conf *conf);

#endif
