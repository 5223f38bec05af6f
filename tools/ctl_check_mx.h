/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check_mx.h - what `posternctl check mx` has found out about a domain, and what it says
 * of it. tools/ctl_check_mx.c finds out, tools/ctl_check_mx_show.c judges and prints.
 */
#ifndef POSTERN_TOOLS_CTL_CHECK_MX_H
#define POSTERN_TOOLS_CTL_CHECK_MX_H

#include "checks/mx.h"
#include "lib/error.h"
#include "tools/ctl_check_talk.h"

#define MX_SECONDS_MAX 30 /* for everything */
#define MX_REASON_MAX  512

/* All of one domain. An address that was not tried has a talk of zeros. */
struct mx_check {
	const char *domain;
	const struct mx_result *result;
	const struct talk *talk[MX_HOSTS_MAX][MX_ADDRESSES_MAX];
};

/* Whether two or more independent mail hosts work. */
enum mx_verdict { MX_GOOD, MX_FAULT, MX_OPEN, MX_VERDICTS };

/* Pure. Writes why in one line. MX_OPEN: it cannot be known, because the DNS does not tell now. */
enum mx_verdict mx_judge(const struct mx_check *check, char reason[MX_REASON_MAX]);

int mx_show_json(const struct mx_check *check, struct error *err);
int mx_show_text(const struct mx_check *check, struct error *err);

#endif
