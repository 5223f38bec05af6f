/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dnsbl_fixture.h - DNS lists whose answers are played (tests/replay/dns_script.h), and what was
 * heard of them.
 */
#ifndef POSTERN_TESTS_DNSBL_FIXTURE_H
#define POSTERN_TESTS_DNSBL_FIXTURE_H

#include "checks/dnsbl.h"
#include "tests/replay/dns_script.h"

#define SCENE_INTERVAL 300 /* seconds between tests */

struct dnsbl_scene {
	struct conf_zones addresses, domains;
	struct dns_script *script;
	struct dns *dns;
	struct dnsbl *dnsbl;
	bool rewrites; /* what the resolver says of itself */
};

/* A row for the zone, in braces what is not to be shown: "{key}.bl.example". */
struct conf_zone *zone_row(struct conf_zones *list, const char *name, int32_t weight);
/* Lets the row count this answer, and no others but those of other calls. */
void row_code(struct conf_zone *row, uint32_t code);
/* Lets the row count 127.0.0.x where x has one of these bits. */
void row_mask(struct conf_zone *row, unsigned int mask);

/* Opens the lists of the scene with this script. Interval 0: without tests. */
void scene_open(struct dnsbl_scene *scene, const char *script, uint32_t interval);
void scene_add(struct dnsbl_scene *scene, const char *script);
void scene_close(struct dnsbl_scene *scene);
/* The lists of the scene as they are by now take the place of those before. */
void scene_replace(struct dnsbl_scene *scene, uint32_t interval);
/* So many seconds pass, with a tick in each. */
void scene_pass(struct dnsbl_scene *scene, unsigned int seconds);
size_t scene_zones(const struct dnsbl_scene *scene);
struct dnsbl_zone_info scene_info(const struct dnsbl_scene *scene, size_t number);

/* A copy of the result. */
struct heard {
	struct dnsbl_scene *scene;
	struct dnsbl_query *query;
	unsigned int called;
	struct dnsbl_result result;
	struct dnsbl_zone_result zone[CONF_ZONES_MAX];
	char text[CONF_ZONES_MAX][DNSBL_TEXT_MAX];
	uint64_t at; /* ms */
	void (*then)(struct heard *heard);
};

/* Start a question; the answers are played by whoever moves the time. */
void ask_address(struct dnsbl_scene *scene, struct heard *heard, const char *addr, bool texts);
void ask_domain(struct dnsbl_scene *scene, struct heard *heard, const char *domain, bool texts);
/* Ask, and let the time pass that it takes. */
void hear_address(struct dnsbl_scene *scene, struct heard *heard, const char *addr);
void hear_domain(struct dnsbl_scene *scene, struct heard *heard, const char *domain);

#endif
