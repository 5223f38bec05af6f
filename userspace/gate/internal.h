/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/internal.h - what the files of the gate share. Nobody else includes it.
 */
#ifndef POSTERN_GATE_INTERNAL_H
#define POSTERN_GATE_INTERNAL_H

#include <pthread.h>
#include <stdarg.h>

#include "gate/cookies.h"
#include "gate/gate.h"
#include "gate/open.h"
#include "gate/ring.h"
#include "gate/sockets.h"
#include "gate/table.h"
#include "maps/abi.h"
#include "maps/newcomer.h"

/* Every map of bpf/maps.h: its place in struct gate_maps, and how the agent uses it. */
enum map_use {
	MAP_MAPPED, /* memory-mapped, read and written */
	MAP_CALLS,  /* by system calls, or not at all */
};

#define GATE_MAP_LIST(X)                                                                           \
	X(identity, MAP_MAPPED)                                                                    \
	X(settings, MAP_MAPPED)                                                                    \
	X(bitmap4, MAP_MAPPED)                                                                     \
	X(bucket4, MAP_MAPPED)                                                                     \
	X(short4, MAP_MAPPED)                                                                      \
	X(bucket6, MAP_MAPPED)                                                                     \
	X(filter6, MAP_MAPPED)                                                                     \
	X(top, MAP_MAPPED)                                                                         \
	X(page, MAP_MAPPED)                                                                        \
	X(meter, MAP_MAPPED)                                                                       \
	X(total, MAP_MAPPED)                                                                       \
	X(reasons, MAP_CALLS)                                                                      \
	X(lists, MAP_CALLS)                                                                        \
	X(health, MAP_CALLS)                                                                       \
	X(refusal, MAP_MAPPED)                                                                     \
	X(flood, MAP_MAPPED)                                                                       \
	X(flood_cpu, MAP_CALLS)                                                                    \
	X(lease, MAP_CALLS)                                                                        \
	X(scratch, MAP_CALLS)                                                                      \
	X(proved, MAP_MAPPED)                                                                      \
	X(learned, MAP_MAPPED)                                                                     \
	X(told, MAP_MAPPED)                                                                        \
	X(newcomer_budget, MAP_MAPPED)                                                             \
	X(newcomers, MAP_CALLS)                                                                    \
	X(budget, MAP_MAPPED)                                                                      \
	X(offenders, MAP_MAPPED)                                                                   \
	X(events, MAP_CALLS)                                                                       \
	X(counted, MAP_CALLS)

#define GATE_MAP_ENUM(name, use) GATE_MAP_##name,
enum gate_map { GATE_MAP_LIST(GATE_MAP_ENUM) GATE_MAP_COUNT };
#undef GATE_MAP_ENUM

struct gate_map_state {
	int fd;       /* -1 is none */
	void *memory; /* of a mapped one */
	size_t bytes; /* of the mapping, a whole number of memory pages */
};

#define PIN_PATH_MAX (GATE_PATH_MAX + 64) /* bytes of the path of anything below it */

struct keeper;
struct gate_conn;

/* What the agent keeps beside the learned cells (gate/learned.c). */
struct gate_learned_notes {
	pthread_mutex_t lock;   /* of whoever writes cells, and of the next */
	uint32_t answers_until; /* when the last block that answers ends, or later */
	uint32_t changed;       /* seconds since 1970: a block came or was lifted; atomic */
};

struct gate {
	char pin_directory[GATE_PATH_MAX];
	char set_directory[PIN_PATH_MAX]; /* below it: the pins of this ABI and geometry */
	char why_not[ERROR_TEXT_MAX];     /* pins were there but not adopted, or "" */
	bool adopted;
	int pin_lock; /* descriptor of the locked pin directory, -1 is none */
	struct identity identity;
	struct table_geometry geometry;
	struct settings before; /* what was in force in the maps that were adopted */
	struct gate_map_state map[GATE_MAP_COUNT];
	struct table *table;
	struct gate_ring events, newcomers;
	struct gate_learned_notes learned;
	struct gate_conn *conn;           /* from gate_open() to gate_adopt() */
	struct keeper *keeper;            /* NULL until keeper_start() */
	uint32_t events_rate;             /* packets a second to be told about; atomic */
	uint32_t newcomers_rate;          /* newcomers likewise, at each stage */
	uint16_t flood_port[FLOOD_PORTS]; /* as configured; atomic; 0 is none */
	struct cookies cookies;
	struct ending ending;
	struct gate_interface interface[GATE_INTERFACES_MAX];
	size_t interfaces;
	pthread_mutex_t interface_lock; /* of the two above */
	uint32_t cpus;
	uint64_t map_bytes;
	uint32_t rebuilds; /* atomic, as the next */
	uint32_t rebuild_ms;
};

static inline struct settings *gate_kernel_settings(const struct gate *gate)
{
	return gate->map[GATE_MAP_settings].memory;
}

/* What libbpf and libxdp say goes to the log only when somebody looks for it. Returns 0. */
__attribute__((format(printf, 2, 0))) int gate_log_library(const char *event, const char *format,
							   va_list args);

/* Attaching with privileges (gate/attach.c): what the keeper does for the agent. */
int attach_interface(struct gate *gate, const char *iface, enum gate_mode mode,
		     char detail[ERROR_TEXT_MAX], struct error *err);
int detach_interface(struct gate *gate, const char *iface, struct error *err);

/* Switches the kernel's settings for SYN cookies (gate/keeper.c): through the keeper, or here. */
int keeper_switch_cookies(struct gate *gate, bool on, struct error *err);

/* The newcomers' ring (gate/newcomers.c). */
int gate_newcomers_open(struct gate *gate, struct error *err);
void gate_newcomers_close(struct gate *gate);

/* Takes back `full_until` of the settings once it has passed, so that established connections cost
 * nothing again (gate/settings.c). */
void settings_settle(struct gate *gate);

/* Takes back `answers` of the settings once no learned block answers any more (gate/learned.c). */
void learned_settle(struct gate *gate);

/* Lets a list's counters begin at 0 (gate/counters.c); nothing may count on its slot meanwhile. */
void counters_clear_list(struct gate *gate, uint32_t slot);

/* What the agent knows of its interfaces (gate/interfaces.c). */
void gate_note_interface(struct gate *gate, const char *iface, enum gate_mode mode, bool shared,
			 uint32_t program_id);
void gate_forget_interface(struct gate *gate, const char *iface);
bool gate_find_interface(struct gate *gate, const char *iface, struct gate_interface *out);

#endif
