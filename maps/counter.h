/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/counter.h - per-CPU counters: written by the program without atomics, summed by the agent.
 */
#ifndef POSTERN_MAPS_COUNTER_H
#define POSTERN_MAPS_COUNTER_H

#include "reason.h"
#include "table.h"

enum family { FAMILY_IPV4, FAMILY_IPV6, FAMILY_COUNT };

/* How a reason was carried out. Of the PASS reasons only CHALLENGED has a use for MONITORED. */
enum outcome { OUTCOME_ENFORCED, OUTCOME_MONITORED, OUTCOME_COUNT };

/* Map "reasons", per CPU: one element for each reason, family and outcome. */
#define REASON_COUNTERS (REASON_COUNT * FAMILY_COUNT * OUTCOME_COUNT)

static inline __u32 reason_index(__u32 reason, __u32 family, __u32 outcome)
{
	return (reason * FAMILY_COUNT + family) * OUTCOME_COUNT + outcome;
}

/* Map "lists", per CPU: packets that matched a list, by family and outcome. */
#define LIST_COUNTERS (LIST_SLOTS * FAMILY_COUNT * OUTCOME_COUNT)

static inline __u32 list_index(__u32 slot, __u32 family, __u32 outcome)
{
	return (slot * FAMILY_COUNT + family) * OUTCOME_COUNT + outcome;
}

struct counter {
	__u64 packets;
	__u64 bytes;
};
ABI_SIZE(struct counter, 16);

/* Map "health", per CPU: things that the program could not do. */
enum health {
	HEALTH_EVENTS_SENT,     /* events written to the ring */
	HEALTH_EVENTS_LOST,     /* events that found the ring full */
	HEALTH_EVENTS_SKIPPED,  /* events beyond the budget: counted, not written */
	HEALTH_METER_FULL,      /* a limiter had no room and left the decision to the wider one */
	HEALTH_RESETS_SENT,     /* RST segments sent */
	HEALTH_RESETS_SKIPPED,  /* RST segments beyond the limit: dropped without an answer */
	HEALTH_COOKIES_SENT,    /* SYN cookies sent during floods */
	HEALTH_COOKIES_SKIPPED, /* SYNs during floods that got none: the limits decided about them
				 */
	HEALTH_HOLDS_SENT,      /* SYN-ACKs and ACKs to sources that are refused or in the tarpit */
	HEALTH_REFUSALS_SENT,   /* SMTP replies 554 */
	HEALTH_ANSWERS_SKIPPED, /* answers of these two kinds that could not be written */
	HEALTH_NEWCOMERS_SYN,   /* sources told about at their SYN */
	HEALTH_NEWCOMERS_COMPLETED, /* sources told about when they had completed a handshake */
	HEALTH_NEWCOMERS_SKIPPED,   /* newcomers beyond the budget: not told about */
	HEALTH_NEWCOMERS_LOST,      /* newcomers that found their ring full */
	HEALTH_COUNT
};

#endif
