/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/packet/packet.h - one packet in, one verdict out: the cases, and the two places where they
 * run, the kernel (BPF_PROG_TEST_RUN) and the host (the same source, compiled natively).
 */
#ifndef POSTERN_TESTS_PACKET_H
#define POSTERN_TESTS_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "gate/table.h"
#include "maps/counter.h"
#include "maps/event.h"
#include "maps/learned.h"
#include "maps/newcomer.h"
#include "maps/refusal.h"
#include "maps/settings.h"

#define FRAME_MAX       2048
#define EXTENSIONS_MAX  10
#define TEST_CAPACITY   4000
#define TEST_METER_BITS 8

/* What a frame looks like. Zero means the plain thing: a SYN to port 25 without options. */
struct shape {
	const char *source;       /* default 192.0.2.1; IPv6 makes an IPv6 packet */
	uint16_t tags[6];         /* VLAN ids, outermost first; 0 ends */
	uint16_t type;            /* EtherType instead of the right one */
	uint8_t version;          /* of the IP header, instead of the right one */
	uint8_t protocol;         /* instead of TCP */
	uint8_t ihl;              /* IPv4 header length in words, instead of the right one */
	uint8_t option_words;     /* of IPv4 options */
	uint8_t extension_length; /* of the first, in units of 8 octets beyond the first */
	uint8_t extension[EXTENSIONS_MAX]; /* IPv6 next-header numbers, plus 1 (0 ends) */
	uint16_t offset;                   /* of the fragment, in units of 8 octets */
	bool more;                         /* fragments follow */
	uint16_t length; /* of the IP packet (IPv4) or payload (IPv6), instead of the right one */
	bool no_length;  /* the length of the IP packet is 0 */
	uint16_t port;
	uint8_t flags;                   /* TCP flags, instead of SYN */
	uint8_t doff;                    /* TCP header length in words, instead of 5 */
	uint32_t sequence, acknowledged; /* instead of 1000 and 0 */
	uint8_t options[40];             /* of TCP, instead of no operations; doff counts them */
	uint16_t data;                   /* octets after the TCP header */
	uint16_t cut;                    /* the frame ends after so many octets */
	bool pad;                        /* to the 60 octets of an Ethernet frame */
	bool group;                      /* destination is a group address */
};

/* What fails in the host build, to reach branches that the kernel never takes. */
struct faults {
	const char *lookup;       /* name of the map in which nothing is found ... */
	uint8_t found;            /* ... after so many times */
	unsigned int exchange;    /* compare-and-exchanges that another CPU wins */
	bool adjust;              /* the frame cannot be cut */
	uint8_t cut_after_adjust; /* the frame has so many octets only, whatever was asked */
	bool head;                /* the frame cannot grow */
	bool small_mtu;           /* of the interface */
	bool no_forwarding;       /* the interface forwards nothing */
	bool store;               /* text cannot be written to the frame */
	bool no_listener;         /* nobody listens */
	uint8_t socket;           /* state of the socket that is there, instead of LISTEN */
	uint8_t changes;          /* the read of this number of a learned cell meets a change */
	bool no_cookie;           /* the kernel gives no cookie */
	bool foreign;             /* the routing table sends the packet to another host */
	bool ring;                /* the event ring is full */
	bool direct;              /* stages get arguments that the program never gives them */
	bool host;                /* the kernel takes no such frame */
	uint64_t held_up;         /* ns for which the CPU stands still after each look at a clock */
};

/* What was learned about the source; it makes `answers` of the settings, too. */
struct given_learned {
	uint8_t kind;   /* enum learned_kind */
	uint8_t action; /* enum action */
	uint8_t way;    /* the cell's number */
	bool expired;
	bool torn;   /* the word is that of another key */
	bool family; /* or of the other family's same key */
};

/* The state before the packet. */
struct given {
	const char *drop, *drop2, *reset, *allow, *watched; /* prefixes on lists */
	const char *refuse, *tarpit, *watched_refuse;
	bool full24;  /* 100 neighbours of the source, in its /24 or /120, are on the drop list, too
		       */
	bool chained; /* every IPv6 bucket was full once */
	bool monitor;
	struct meter_limit limit[METER_LEVELS]; /* of the packet's source */
	uint32_t conns[METER_LEVELS];
	bool spent[METER_LEVELS]; /* the bucket is empty */
	bool debt[METER_LEVELS];  /* emptied under a far slower rate */
	bool ahead[METER_LEVELS]; /* emptied by another CPU whose clock is 20 ms ahead */
	bool displaced;           /* the entry of `drop` has no room in its first IPv6 bucket */
	bool coarse;              /* the limits need no exact clock */
	bool crowded;             /* the source's line of meters is full of others */
	bool known;               /* the source has a cell already */
	struct flood_settings flood;
	bool evidence; /* learned verdicts decide, and newcomers are told about */
	struct given_learned learned;
	bool watched_learned; /* their list is in monitor mode */
	int32_t newcomers;    /* that may be told about, of each stage */
	uint8_t full;         /* 1: a counter has reached its limit lately; 2: long ago */
	bool no_resets;       /* the limit of answers is used up */
	bool few_resets;      /* there is a limit of answers, and room */
	uint32_t budget;      /* events that may be sent */
	uint32_t skipped;     /* packets without an event before this one */
	bool offender_before; /* the source is among the offenders with 5 hits */
	bool offenders_full;  /* its line holds two others */
	struct faults fault;  /* not empty: only in the host build */
};

enum {
	LIST_DROP,
	LIST_RESET,
	LIST_TRUSTED,
	LIST_WATCHED,
	LIST_REFUSE,
	LIST_TARPIT,
	LIST_WATCHED_REFUSE,
	LIST_LEARNED,
};

struct expected {
	int action; /* enum xdp_action */
	enum reason reason;
	bool monitored; /* counted as monitored under `would`, and let pass under `reason` */
	enum reason would;
	uint32_t events; /* sent */
	uint32_t weight; /* of the event */
	uint32_t hits;   /* of the source among the offenders afterwards */
	bool newcomer;   /* the source was told about as one */
	uint64_t health[HEALTH_COUNT];
};

struct packet_case {
	const char *name;
	struct shape shape;
	struct given given;
	struct expected expect;
};

extern const struct packet_case parse_cases[], list_cases[], limit_cases[], report_cases[],
	learned_cases[], handshake_cases[];
extern const size_t parse_case_count, list_case_count, limit_case_count, report_case_count,
	learned_case_count, handshake_case_count;

/* The frame of a shape; returns its length. */
size_t frame_build(const struct shape *shape, uint8_t frame[FRAME_MAX]);
struct addr shape_source(const struct shape *shape);

/* What a frame says, with the lengths and checksums that it claims checked. */
struct segment {
	uint16_t source_port, dest_port;
	uint32_t sequence, acknowledged;
	uint16_t window;
	uint8_t flags;
	uint8_t option[40];
	size_t options; /* octets */
	char text[FRAME_MAX];
	size_t text_length;
};
void frame_read(const uint8_t *frame, size_t length, struct segment *out);
/* Fails unless `answer` goes back the way that `question` came. */
void frame_check_way_back(const uint8_t *question, const uint8_t *answer, bool ipv4);

/* The memory of the maps in one of the two places. */
struct world {
	const char *name;
	bool faults; /* can make helpers fail */
	struct table_memory memory;
	struct table *table;
	struct meter_line *meter, *total;
	struct flood_port *flood;
	struct proved_line *proved, *told;
	struct learned_line *learned;
	struct newcomer_budget *newcomer_budget;
	struct refusal *refusal;
	struct budget *budget;
	struct offender_line *offenders;
	/* Runs the program over the frame in place; returns the action, and the new length. */
	int (*run)(uint8_t *frame, size_t *length, const struct faults *faults);
	/* Runs it over one frame many times; NULL where that proves nothing. */
	void (*run_many)(const uint8_t *frame, size_t length, uint32_t times);
	/* A real connection from a loopback address to port 25; `hold` leaves it open until it is
	 * called with NULL. NULL on the host. */
	bool (*connect)(const char *source, bool hold);
	uint64_t (*now)(void);
	void (*advance)(uint64_t ns); /* moves the clock; NULL where it is not ours */
	void (*reset_counters)(void);
	void (*read_counters)(struct counter reasons[REASON_COUNTERS],
			      struct counter lists[LIST_COUNTERS], uint64_t health[HEALTH_COUNT]);
	/* The last event, if there was one since the counters were reset. */
	bool (*last_event)(struct event *out);
	bool (*last_newcomer)(struct newcomer *out); /* likewise */
};

/* Puts the world in the state that a case starts from. */
void packet_arrange(const struct world *w, const struct packet_case *test);

/* Several packets in a row: answers, and what is answered to them. */
struct talk {
	const char *name;
	void (*run)(struct world *world);
	bool faults; /* only in the host build */
};
extern const struct talk hold_talks[], flood_talks[], total_talks[], newcomer_talks[];
extern const size_t hold_talk_count, flood_talk_count, total_talk_count, newcomer_talk_count;

int kernel_world(struct world *out);
void kernel_world_close(void);
int native_world(struct world *out);

#endif
