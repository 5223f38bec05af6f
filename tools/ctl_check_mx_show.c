/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check_mx_show.c - see tools/ctl_check_mx.h.
 */
#include "tools/ctl_check_mx.h"

#include <stdio.h>
#include <string.h>

#include "tools/ctl_output.h"

#define NUMBER_MAX 16

/* Why there is nothing to try. */
static const char *const troubles[MX_TROUBLES] = {
	[MX_FINE] = "",
	[MX_BAD_NAME] = "the MX is not the name of a host",
	[MX_NO_ADDRESS] = "the host has no address",
	[MX_UNKNOWN] = "the DNS could not tell the addresses of the host",
};

static const char local_address[] = "every host has this address for itself";

/* Why one address does not work; "" if it does. */
static const char *address_problem(const struct mx_check *check, size_t host, size_t address)
{
	const struct mx_address *row = &check->result->host[host].address[address];

	if (row->works)
		return "";
	return row->local ? local_address : check->talk[host][address]->reason;
}

static bool host_works(const struct mx_host *host)
{
	for (size_t i = 0; i < host->addresses; i++)
		if (host->address[i].works)
			return true;
	return false;
}

static const char *host_problem(const struct mx_check *check, size_t host)
{
	const struct mx_host *row = &check->result->host[host];

	if (host_works(row))
		return "";
	return row->addresses ? address_problem(check, host, 0) : troubles[row->trouble];
}

/* The verdict */

/* What is wrong before any host is tried; NULL if it depends on them. */
static const char *domain_problem(const struct mx_result *result)
{
	switch (result->kind) {
	case MX_NULL:
		return "the domain says that it takes no mail (null MX)";
	case MX_MISSING:
		return "there is no such domain, or it has neither MX nor address";
	case MX_TEMPORARY:
		return "the DNS could not tell the mail hosts of the domain";
	case MX_IMPLICIT:
		return "the domain has no MX, so its own address is its only mail host";
	default:
		break;
	}
	if (result->hosts < 2)
		return result->hosts ? "the domain has only one MX host"
				     : "no MX of the domain can be read";
	return NULL;
}

/* Too few work: because of whom, and whether that is known. */
static enum mx_verdict judge_hosts(const struct mx_check *check, size_t working,
				   char reason[MX_REASON_MAX])
{
	size_t unknown = 0, first = check->result->hosts;

	for (size_t i = check->result->hosts; i-- > 0;) {
		if (!*host_problem(check, i))
			continue;
		unknown += check->result->host[i].trouble == MX_UNKNOWN;
		first = i;
	}
	snprintf(reason, MX_REASON_MAX, "%zu of %zu MX hosts %s; %s: %s", working,
		 check->result->hosts, working == 1 ? "works" : "work",
		 check->result->host[first].name, host_problem(check, first));
	return working + unknown >= 2 ? MX_OPEN : MX_FAULT;
}

enum mx_verdict mx_judge(const struct mx_check *check, char reason[MX_REASON_MAX])
{
	const char *problem = domain_problem(check->result);
	struct mx_counts counts;

	mx_count(check->result, &counts);
	if (problem)
		snprintf(reason, MX_REASON_MAX, "%s", problem);
	else if (counts.hosts < 2)
		return judge_hosts(check, counts.hosts, reason);
	else if (!counts.independent)
		snprintf(reason, MX_REASON_MAX, "the MX hosts that work have an address in common");
	else
		snprintf(reason, MX_REASON_MAX, "%zu MX hosts work, %s", counts.hosts,
			 counts.apart ? "in different networks"
				      : "but in one network: what cuts that off cuts off all");
	if (check->result->kind == MX_TEMPORARY)
		return MX_OPEN;
	return problem || !counts.independent ? MX_FAULT : MX_GOOD;
}

/* For programs */

static const char *const verdict_names[MX_VERDICTS] = {
	[MX_GOOD] = "good",
	[MX_FAULT] = "fault",
	[MX_OPEN] = "unknown",
};

static json_t *steps_json(const struct talk *talk)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < TALK_STEPS; i++)
		if (talk->reply[i].code)
			json_array_append_new(steps, json_pack("{s:s, s:i, s:s}", "step",
							       talk_step_name((enum talk_step)i),
							       "code", (int)talk->reply[i].code,
							       "text", talk->reply[i].text));
	return steps;
}

static json_t *address_json(const struct mx_check *check, size_t host, size_t address)
{
	const struct mx_address *row = &check->result->host[host].address[address];
	const struct talk *talk = check->talk[host][address];
	char text[PREFIX_TEXT_MAX];

	return json_pack("{s:s, s:b, s:b, s:s, s:o}", "address", addr_format(&row->addr, text),
			 "works", row->works, "starttls", talk->starttls, "problem",
			 address_problem(check, host, address), "steps", steps_json(talk));
}

static json_t *host_json(const struct mx_check *check, size_t host)
{
	const struct mx_host *row = &check->result->host[host];
	json_t *addresses = json_array();

	for (size_t i = 0; i < row->addresses; i++)
		json_array_append_new(addresses, address_json(check, host, i));
	return json_pack("{s:s, s:i, s:b, s:s, s:b, s:o}", "host", row->name, "preference",
			 (int)row->preference, "works", host_works(row), "problem",
			 host_problem(check, host), "more_addresses", row->more, "addresses",
			 addresses);
}

int mx_show_json(const struct mx_check *check, struct error *err)
{
	char reason[MX_REASON_MAX];
	const enum mx_verdict verdict = mx_judge(check, reason);
	struct mx_counts counts;
	json_t *hosts = json_array(), *document;
	int code;

	mx_count(check->result, &counts);
	for (size_t i = 0; i < check->result->hosts; i++)
		json_array_append_new(hosts, host_json(check, i));
	document = json_pack(
		"{s:s, s:s, s:s, s:s, s:{s:I, s:I, s:I}, s:b, s:b, s:b, s:i, s:o}", "domain",
		check->domain, "verdict", verdict_names[verdict], "reason", reason, "mx",
		mx_kind_name(check->result->kind), "working", "hosts", (json_int_t)counts.hosts,
		"addresses", (json_int_t)counts.addresses, "networks", (json_int_t)counts.networks,
		"independent", counts.independent, "different_networks", counts.apart, "more_hosts",
		check->result->more, "queries", (int)check->result->queries, "hosts", hosts);
	if (!document)
		return error_set(err, ERROR_REFUSED, "out of memory");
	code = output_json(document, err);
	json_decref(document);
	return code;
}

/* For people */

enum { COLUMN_PREFERENCE, COLUMN_HOST, COLUMN_ADDRESS, COLUMN_STARTTLS, COLUMN_RESULT, COLUMNS };

static const struct column columns_of_hosts[COLUMNS] = {
	[COLUMN_PREFERENCE] = { "PREF", ALIGN_RIGHT },
	[COLUMN_HOST] = { "HOST", ALIGN_LEFT },
	[COLUMN_ADDRESS] = { "ADDRESS", ALIGN_LEFT },
	[COLUMN_STARTTLS] = { "STARTTLS", ALIGN_LEFT },
	[COLUMN_RESULT] = { "RESULT", ALIGN_LEFT },
};

static const char *starttls_text(const struct talk *talk)
{
	if (!talk->reply[TALK_EHLO].code)
		return "";
	return talk->starttls ? "yes" : "no";
}

static int show_row(struct columns *columns, const struct mx_check *check, size_t host,
		    size_t address, struct error *err)
{
	const struct mx_host *row = &check->result->host[host];
	const bool is_address = address < row->addresses;
	const char *problem =
		is_address ? address_problem(check, host, address) : host_problem(check, host);
	char preference[NUMBER_MAX], text[PREFIX_TEXT_MAX] = "";

	snprintf(preference, sizeof(preference), "%u", row->preference);
	if (is_address)
		addr_format(&row->address[address].addr, text);
	const struct cell cells[COLUMNS] = {
		[COLUMN_PREFERENCE] = { address ? "" : preference, PAINT_NONE },
		[COLUMN_HOST] = { address ? "" : row->name, PAINT_NONE },
		[COLUMN_ADDRESS] = { text, PAINT_NONE },
		[COLUMN_STARTTLS] = { is_address ? starttls_text(check->talk[host][address]) : "",
				      PAINT_NONE },
		[COLUMN_RESULT] = { *problem ? problem : "works",
				    *problem ? PAINT_BAD : PAINT_GOOD },
	};
	return columns_row(columns, cells, err);
}

static int show_hosts(const struct mx_check *check, struct error *err)
{
	struct columns *columns;
	int code = columns_begin(&columns, columns_of_hosts, COLUMNS, err);

	if (code < 0)
		return code;
	for (size_t host = 0; host < check->result->hosts; host++) {
		const struct mx_host *row = &check->result->host[host];

		code = show_row(columns, check, host, 0, err);
		for (size_t i = 1; code == 0 && i < row->addresses; i++)
			code = show_row(columns, check, host, i, err);
		if (code < 0)
			break;
	}
	columns_end(&columns);
	return code;
}

int mx_show_text(const struct mx_check *check, struct error *err)
{
	static const enum paint paints[MX_VERDICTS] = {
		[MX_GOOD] = PAINT_GOOD,
		[MX_FAULT] = PAINT_BAD,
		[MX_OPEN] = PAINT_WARN,
	};
	char reason[MX_REASON_MAX];
	const enum mx_verdict verdict = mx_judge(check, reason);
	struct mx_counts counts;
	int code;

	output_text("mail hosts of %s: ", check->domain);
	output_paint(paints[verdict], "%s\n", verdict_names[verdict]);
	output_text("%s\n", reason);
	if (!check->result->hosts)
		return 0;
	output_text("\n");
	code = show_hosts(check, err);
	mx_count(check->result, &counts);
	output_text("\nworking hosts: %zu, addresses: %zu, networks (/24, /64): %zu\n",
		    counts.hosts, counts.addresses, counts.networks);
	if (check->result->more)
		output_text("more hosts than %d are not looked at\n", MX_HOSTS_MAX);
	return code;
}
