/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/replay/dns_script_line.h - the lines of a script, read. The format is described in
 * tests/replay/dns_script.h.
 */
#ifndef POSTERN_TESTS_DNS_SCRIPT_LINE_H
#define POSTERN_TESTS_DNS_SCRIPT_LINE_H

#include <sys/queue.h>

#include "dns/name.h"
#include "dns/result.h"
#include "tests/replay/dns_script.h"

#define SCRIPT_TTL 300

enum line_kind { LINE_RECORD, LINE_ALIAS, LINE_STATUS };

struct script_line {
	TAILQ_ENTRY(script_line) link;
	enum line_kind kind;
	struct dns_name name;
	enum dns_type type;
	bool any; /* of every type */
	uint64_t after;
	uint32_t ttl;
	enum dns_status status;
	struct dns_name target;
	uint16_t preference, length;
	struct addr addr;
	char text[DNS_TEXT_MAX + 1];
};
TAILQ_HEAD(script_lines, script_line);

/* Appends; what stands before a bad line is appended, too. */
int script_lines_read(const char *text, struct script_lines *out, struct error *err);
void script_lines_free(struct script_lines *lines);

#endif
