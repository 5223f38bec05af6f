/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/gate.h - the kernel side as the agent sees it. The only module that uses libbpf and libxdp.
 *
 * Opening the gate needs privileges (CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, and root's write access
 * to the pin directory). Everything declared in this file works without any, on inherited
 * descriptors and mapped memory; attaching and detaching later is asked of the keeper
 * (gate/keeper.h).
 */
#ifndef POSTERN_GATE_GATE_H
#define POSTERN_GATE_GATE_H

#include <net/if.h>
#include <stdbool.h>

#include "lib/addr.h"
#include "lib/error.h"
#include "maps/counter.h"
#include "maps/event.h"
#include "maps/flood.h"
#include "maps/refusal.h"
#include "maps/settings.h"

struct gate;

/* What the operator may set at run time. Rates are attempts a second; 0 is no limit. */
struct gate_limit {
	uint32_t rate;
	uint32_t burst; /* attempts that may come at once; 0 takes the rate's value */
	uint32_t conns;
};

/* When a flood is on: attempts a second to one port. A threshold of 0 is never. */
struct gate_flood_limits {
	uint32_t threshold;
	uint32_t release; /* 0 is half of the threshold */
	uint32_t hold;    /* seconds */
	uint32_t proof;   /* seconds for which a source that completed a handshake is proved */
	bool cookies;     /* let the keeper switch the kernel's settings for SYN cookies */
};

struct gate_settings {
	struct gate_limit limit[METER_LEVELS];
	struct gate_flood_limits flood;
	uint32_t reset_rate; /* RST segments a second, in total */
	bool monitor;
	uint32_t events; /* packets a second that are told about in detail */
	const uint16_t *ports;
	size_t port_count;
};

/* Publishes new settings; the program follows them from the next packet on. */
void gate_set(struct gate *gate, const struct gate_settings *settings);

/* Sums of the per-CPU counters. */
struct gate_counters {
	struct counter reason[REASON_COUNTERS]; /* by reason_index() */
	struct counter list[LIST_COUNTERS];     /* by list_index() */
	uint64_t health[HEALTH_COUNT];
};
int gate_counters(struct gate *gate, struct gate_counters *out, struct error *err);

/* The offenders with the most hits first; returns how many were written. */
size_t gate_offenders(struct gate *gate, struct offender *out, size_t max);
/* Returns 1 and fills `out` if the address is among them. */
int gate_offender_find(struct gate *gate, const struct addr *addr, struct offender *out);

/* What the meters know of an address or the prefix around it at one level. */
struct gate_meter {
	bool known;
	uint32_t conns;
	uint32_t used; /* attempts of the burst that are used up now */
};
void gate_meter(struct gate *gate, const struct addr *addr, enum meter_level level,
		struct gate_meter *out);

/* Whether a source is proved (maps/flood.h), and for how many seconds yet. */
bool gate_proved(struct gate *gate, const struct addr *addr, uint32_t *seconds);

/* What a client that is refused because of the list of a slot is told; "" if there is no text. */
char *gate_refusal(struct gate *gate, uint32_t slot, char out[REFUSAL_TEXT_MAX + 1]);

/* A protected port as the floods see it. Rates are attempts a second. */
struct gate_flood {
	uint16_t port;
	bool active;
	uint32_t rate;     /* now */
	uint32_t peak;     /* in the last flood */
	uint32_t floods;   /* that began since the maps were made */
	uint64_t since_ns; /* CLOCK_MONOTONIC: when the last one began or ended; 0 if none did */
};
/* In the order of the configuration; returns how many there are. */
size_t gate_floods(struct gate *gate, struct gate_flood out[FLOOD_PORTS]);

/* SYN cookies: whether they can be given out. */
enum gate_cookies {
	GATE_COOKIES_OFF,         /* the configuration does not want them */
	GATE_COOKIES_ARMED,       /* they will be, once a flood begins */
	GATE_COOKIES_ON,          /* they are, wherever a flood is on */
	GATE_COOKIES_UNAVAILABLE, /* `why` tells what keeps them from being */
};
struct gate_cookie_state {
	enum gate_cookies cookies;
	char why[ERROR_TEXT_MAX];
};
void gate_cookie_state(struct gate *gate, struct gate_cookie_state *out);
/*
 * Lets the kernel's settings follow: `flood` says whether a flood is on anywhere. To be called once
 * a second and whenever that changes, by one thread at a time; it may wait for the keeper.
 */
void gate_cookies_follow(struct gate *gate, bool flood);

/*
 * Whether the keeper is there; it ends before the agent only if somebody kills it. What goes on
 * without it is filtering, as it is now, and all that is done with lists and limits.
 */
bool gate_keeper_up(struct gate *gate);
#define GATE_WITHOUT_KEEPER                                                                        \
	"the privileged helper has ended: no attach, detach or repair of an interface, no SYN "    \
	"cookies for a new flood, and no end to the connections of sources that are listed, "      \
	"before posternd is restarted"

/* Sizes of the table, for status and metrics. */
struct gate_sizes {
	uint64_t entries4, entries6, capacity4, capacity6;
	uint64_t pages, page_capacity;
	uint64_t meter_cells, offender_cells;
	uint64_t bytes; /* memory of all maps */
	uint32_t rebuilds;
	uint32_t rebuild_ms; /* the last one */
};
void gate_sizes(struct gate *gate, struct gate_sizes *out);

/*
 * Events. `gate_events_fd` becomes readable when there are some; `gate_events_read` calls back for
 * each (the event is valid during the call) and returns how many; a call reads a bounded number.
 * `gate_budget_refill` is to be called GATE_REFILLS times a second; it also takes back what the
 * program has set for a while.
 */
#define GATE_REFILLS 10
typedef void (*gate_event_cb)(const struct event *event, void *arg);
int gate_events_fd(struct gate *gate);
int gate_events_read(struct gate *gate, gate_event_cb cb, void *arg);
void gate_budget_refill(struct gate *gate);

/* Where the program is attached. */
enum gate_mode { GATE_MODE_AUTO, GATE_MODE_NATIVE, GATE_MODE_GENERIC };
struct gate_interface {
	char name[IF_NAMESIZE];
	uint32_t ifindex;
	enum gate_mode mode; /* never AUTO */
	bool shared;         /* through libxdp's dispatcher, beside other programs */
	uint32_t program_id;
	bool lost; /* the program has gone, and gate_lost() has told so before */
};
#define GATE_INTERFACES_MAX 32

/*
 * Attach, detach: carried out by the keeper, which kept the privileges. `detail` gets one line to
 * show: the mode, whether the dispatcher is in use, and why not.
 */
int gate_attach(struct gate *gate, const char *iface, enum gate_mode mode,
		char detail[ERROR_TEXT_MAX], struct error *err);
int gate_detach(struct gate *gate, const char *iface, struct error *err);
/* Fills `out` (GATE_INTERFACES_MAX); returns how many. */
size_t gate_interfaces(struct gate *gate, struct gate_interface *out);
/*
 * Those that have lost the program without being detached: the interface was made anew, or another
 * tool took the program off. Fills `out`; `lost` says whether that is old news. They can be
 * attached again.
 */
size_t gate_lost(struct gate *gate, struct gate_interface *out);

#endif
