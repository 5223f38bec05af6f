/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dnsbl_fixture.h"

#define LONGEST 60000 /* ms that an answer may take */

struct conf_zone *zone_row(struct conf_zones *list, const char *name, int32_t weight)
{
	struct conf_zone *row = &list->zone[list->count++];
	const char *end = strchr(name, '}');

	assert_true(list->count <= CONF_ZONES_MAX && strlen(name) < sizeof(row->name));
	row->weight = weight;
	if (end) {
		row->shown = (uint16_t)(end - name);
		memcpy(row->name, name + 1, row->shown - 1u);
		strcpy(row->name + row->shown - 1, end + 1);
	} else {
		strcpy(row->name, name);
	}
	return row;
}

static void set(struct conf_zone *row, int octet, unsigned int value)
{
	row->filtered = 1;
	row->reply[octet].word[value / 64] |= 1ull << value % 64;
}

void row_code(struct conf_zone *row, uint32_t code)
{
	for (int i = 0; i < 4; i++)
		set(row, i, code >> (24 - 8 * i) & 0xff);
}

void row_mask(struct conf_zone *row, unsigned int mask)
{
	for (unsigned int value = 0; value < 256; value++)
		if (value & mask)
			row_code(row, 0x7f000000u | value);
}

static bool on_rewrites(void *arg)
{
	return ((struct dnsbl_scene *)arg)->rewrites;
}

void scene_open(struct dnsbl_scene *scene, const char *script, uint32_t interval)
{
	struct dnsbl_options options = { .addresses = &scene->addresses,
					 .domains = &scene->domains,
					 .test_interval = interval,
					 .rewrites = on_rewrites,
					 .arg = scene };
	struct error err = { 0 };

	if (dns_script_open(script, &scene->script, &err))
		fail_msg("%s", err.text);
	options.dns = scene->dns = dns_script_dns(scene->script);
	assert_int_equal(dnsbl_open(&options, &scene->dnsbl, &err), 0);
}

void scene_add(struct dnsbl_scene *scene, const char *script)
{
	struct error err = { 0 };

	if (dns_script_add(scene->script, script, &err))
		fail_msg("%s", err.text);
}

void scene_replace(struct dnsbl_scene *scene, uint32_t interval)
{
	struct dnsbl_set *set;
	struct error err = { 0 };

	assert_int_equal(dnsbl_set_new(&scene->addresses, &scene->domains, interval, &set, &err),
			 0);
	dnsbl_replace(scene->dnsbl, &set);
	assert_null(set);
}

void scene_close(struct dnsbl_scene *scene)
{
	dnsbl_close(&scene->dnsbl);
	assert_null(scene->dnsbl);
	assert_int_equal(dns_script_pending(scene->script), 0);
	dns_script_close(&scene->script);
}

void scene_pass(struct dnsbl_scene *scene, unsigned int seconds)
{
	while (seconds--) {
		dnsbl_tick(scene->dnsbl);
		dns_script_advance(scene->script, 1000);
	}
}

size_t scene_zones(const struct dnsbl_scene *scene)
{
	struct dnsbl_zone_info info[DNSBL_ZONES_MAX];

	return dnsbl_zones(scene->dnsbl, info, DNSBL_ZONES_MAX);
}

struct dnsbl_zone_info scene_info(const struct dnsbl_scene *scene, size_t number)
{
	struct dnsbl_zone_info info[DNSBL_ZONES_MAX];

	assert_true(number < dnsbl_zones(scene->dnsbl, info, DNSBL_ZONES_MAX));
	return info[number];
}

static void on_result(const struct dnsbl_result *result, void *arg)
{
	struct heard *heard = arg;

	heard->called++;
	heard->query = NULL;
	heard->result = *result;
	heard->at = heard->scene->dns->ops->now(heard->scene->dns);
	assert_true(result->count <= CONF_ZONES_MAX);
	for (size_t i = 0; i < result->count; i++) {
		heard->zone[i] = result->zone[i];
		strcpy(heard->text[i], result->zone[i].text);
	}
	if (heard->then)
		heard->then(heard);
}

static void begin(struct dnsbl_scene *scene, struct heard *heard)
{
	void (*then)(struct heard *) = heard->then;

	*heard = (struct heard){ .scene = scene, .then = then };
}

void ask_address(struct dnsbl_scene *scene, struct heard *heard, const char *addr, bool texts)
{
	struct addr parsed;

	begin(scene, heard);
	assert_int_equal(addr_parse(addr, strlen(addr), &parsed, NULL), 0);
	heard->query = dnsbl_start_address(scene->dnsbl, &parsed, texts, on_result, heard);
	assert_non_null(heard->query);
	assert_int_equal(heard->called, 0);
}

void ask_domain(struct dnsbl_scene *scene, struct heard *heard, const char *domain, bool texts)
{
	begin(scene, heard);
	heard->query = dnsbl_start_domain(scene->dnsbl, domain, texts, on_result, heard);
	assert_non_null(heard->query);
	assert_int_equal(heard->called, 0);
}

void hear_address(struct dnsbl_scene *scene, struct heard *heard, const char *addr)
{
	ask_address(scene, heard, addr, true);
	dns_script_run(scene->script, LONGEST);
	assert_int_equal(heard->called, 1);
}

void hear_domain(struct dnsbl_scene *scene, struct heard *heard, const char *domain)
{
	ask_domain(scene, heard, domain, true);
	dns_script_run(scene->script, LONGEST);
	assert_int_equal(heard->called, 1);
}
