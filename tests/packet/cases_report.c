/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is told about a packet that was stopped: events, their budget, offenders.
 */
#include <linux/bpf.h>

#include "tests/packet/packet.h"

#define DROP   .drop = "192.0.2.0/24"
#define LISTED .action = XDP_DROP, .reason = REASON_LISTED

const struct packet_case report_cases[] = {
	{ "an event and an offender",
	  { 0 },
	  { DROP, .budget = 10 },
	  { LISTED, .events = 1, .hits = 1, .health = { [HEALTH_EVENTS_SENT] = 1 } } },
	{ "an event of an ipv6 packet",
	  { .source = "2001:db8::1" },
	  { .drop = "2001:db8::/32", .budget = 10 },
	  { LISTED, .events = 1, .hits = 1, .health = { [HEALTH_EVENTS_SENT] = 1 } } },
	{ "an event of a tagged packet",
	  { .tags = { 100 } },
	  { DROP, .budget = 10 },
	  { LISTED, .events = 1, .hits = 1, .health = { [HEALTH_EVENTS_SENT] = 1 } } },
	{ "an event stands for those before it",
	  { 0 },
	  { DROP, .budget = 10, .skipped = 41 },
	  { LISTED, .events = 1, .weight = 42, .hits = 42,
	    .health = { [HEALTH_EVENTS_SENT] = 1 } } },
	{ "an event in monitor mode",
	  { 0 },
	  { DROP, .budget = 10, .monitor = true },
	  { .action = XDP_PASS,
	    .reason = REASON_ACCEPTED,
	    .monitored = true,
	    .would = REASON_LISTED,
	    .events = 1,
	    .hits = 1,
	    .health = { [HEALTH_EVENTS_SENT] = 1 } } },
	{ "beyond the budget",
	  { 0 },
	  { DROP },
	  { LISTED, .health = { [HEALTH_EVENTS_SKIPPED] = 1 } } },
	{ "beyond the budget one of many is noted for all",
	  { 0 },
	  { DROP, .skipped = EVENT_SAMPLE - 1 },
	  { LISTED, .hits = EVENT_SAMPLE, .health = { [HEALTH_EVENTS_SKIPPED] = 1 } } },
	{ "a known offender",
	  { 0 },
	  { DROP, .budget = 1, .offender_before = true },
	  { LISTED, .events = 1, .hits = 6, .health = { [HEALTH_EVENTS_SENT] = 1 } } },
	{ "an offender takes the place of the oldest",
	  { 0 },
	  { DROP, .budget = 1, .offenders_full = true },
	  { LISTED, .events = 1, .hits = 1, .health = { [HEALTH_EVENTS_SENT] = 1 } } },
	{ "a full ring",
	  { 0 },
	  { DROP, .budget = 1, .fault = { .ring = true } },
	  { LISTED, .hits = 1, .health = { [HEALTH_EVENTS_LOST] = 1 } } },
	{ "budget not found", { 0 }, { DROP, .fault = { .lookup = "budget" } }, { LISTED } },
	{ "offenders not found",
	  { 0 },
	  { DROP, .budget = 1, .fault = { .lookup = "offenders" } },
	  { LISTED, .events = 1, .health = { [HEALTH_EVENTS_SENT] = 1 } } },
	{ "reasons not found", { 0 }, { DROP, .fault = { .lookup = "reasons" } }, { LISTED } },
	{ "health not found",
	  { 0 },
	  { DROP, .budget = 1, .fault = { .lookup = "health" } },
	  { LISTED, .events = 1, .hits = 1 } },
};

const size_t report_case_count = sizeof(report_cases) / sizeof(report_cases[0]);
