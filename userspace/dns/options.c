/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/options.c - see dns/options.h.
 */
#include "dns/options.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/text.h"

#define LINE_MAX_OCTETS 512
#define KEYWORD         "nameserver"
#define BLANKS          " \t\r\n"

void dns_options_conf(struct dns_options *options, const struct conf *conf)
{
	*options = (struct dns_options){ .server_count = conf->dns.servers.count,
					 .resolv_conf = DNS_RESOLV_CONF,
					 .timeout = conf->dns.timeout,
					 .tries = conf->dns.tries,
					 .cache_entries = conf->dns.cache_entries,
					 .ttl_min = conf->dns.ttl_min,
					 .ttl_max = conf->dns.ttl_max,
					 .ttl_negative = conf->dns.ttl_negative,
					 .in_flight = conf->dns.in_flight,
					 .in_flight_zone = conf->dns.in_flight_zone,
					 .rewrites_suffix = DNS_REWRITES_SUFFIX };
	for (size_t i = 0; i < options->server_count; i++) {
		options->server[i].addr = conf->dns.servers.server[i].addr;
		options->server[i].port = conf->dns.servers.server[i].port;
	}
}

int dns_options_default(struct dns_options *options, struct error *err)
{
	struct conf *conf;
	int rc = conf_defaults(&conf, err);

	if (rc)
		return rc;
	dns_options_conf(options, conf);
	conf_free(&conf);
	return 0;
}

static void add(struct dns_options *options, const struct addr *addr, uint16_t port)
{
	options->server[options->server_count++] =
		(struct dns_server_address){ .addr = *addr, .port = port };
}

int dns_options_add_server(struct dns_options *options, const char *text, struct error *err)
{
	struct conf_server server;
	int rc;

	if (options->server_count == DNS_SERVERS_MAX)
		return error_set(err, ERROR_USAGE, "more than %d DNS servers", DNS_SERVERS_MAX);
	rc = conf_server_parse(text, &server, err);
	if (rc)
		return rc;
	add(options, &server.addr, server.port);
	return 0;
}

/* A line of resolv.conf(5). Addresses with a zone ("fe80::1%eth0") are passed over. */
static void read_line(struct dns_options *options, char *line)
{
	char *rest, *word = strtok_r(line, BLANKS, &rest);
	struct addr addr;

	if (!word || strcmp(word, KEYWORD))
		return;
	word = strtok_r(NULL, BLANKS, &rest);
	if (word && !addr_parse(word, strlen(word), &addr, NULL) &&
	    options->server_count < DNS_SERVERS_MAX)
		add(options, &addr, DNS_PORT);
}

void dns_options_fill_servers(struct dns_options *options)
{
	char line[LINE_MAX_OCTETS];
	FILE *file;

	if (options->server_count)
		return;
	file = options->resolv_conf ? fopen(options->resolv_conf, "re") : NULL;
	while (file && fgets(line, sizeof(line), file))
		read_line(options, line);
	if (file)
		fclose(file);
	if (!options->server_count) {
		const struct addr loopback = addr_from_ipv4(0x7f000001u);

		add(options, &loopback, DNS_PORT);
	}
}
