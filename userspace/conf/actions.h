/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/actions.h - what is done about what SMTP sessions find out: the section "check", and what is
 * said otherwise of one of our own domains.
 *
 * Part of conf/conf.h, where the sizes and lifetimes of all lists are said.
 */
#ifndef POSTERN_CONF_ACTIONS_H
#define POSTERN_CONF_ACTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/domain.h"

#define CONF_DOMAINS_MAX 256

/* What is done about a finding in an SMTP session. */
enum conf_check {
	CONF_CHECK_OFF,     /* it is not looked for */
	CONF_CHECK_MONITOR, /* counted and logged */
	CONF_CHECK_TAG,     /* and written into the header */
	CONF_CHECK_DEFER,   /* 4xx */
	CONF_CHECK_REJECT,  /* 5xx */
};

/* When a client is refused because of its address. */
enum conf_stage { CONF_STAGE_CONNECT, CONF_STAGE_RCPT };

/* The checks that decide when there is a recipient, so that his domain may want other actions. */
enum conf_about {
	CONF_ABOUT_DNSBL,
	CONF_ABOUT_RDNS,
	CONF_ABOUT_HELO,
	CONF_ABOUT_SPF,
	CONF_ABOUT_SENDER,
	CONF_ABOUT_SCORE,
	CONF_ABOUT_COUNT
};

struct conf_actions {
	uint8_t about[CONF_ABOUT_COUNT]; /* enum conf_check */
};

/* A domain of our own: "example.net spf=tag score=monitor". What is not said of it is as usual. */
struct conf_domain_check {
	char name[DOMAIN_MAX];          /* small letters, A-labels */
	uint8_t said[CONF_ABOUT_COUNT]; /* enum conf_check and 1, or 0 */
};

struct conf_domain_checks {
	size_t count;
	struct conf_domain_check row[CONF_DOMAINS_MAX];
};

struct conf;

/* What is done about mail for a domain, written as struct path has it. */
struct conf_actions conf_actions(const struct conf *conf, const char *domain);
/* Of each check the strictest action that any domain wants: what is off here nobody wants. */
struct conf_actions conf_actions_most(const struct conf *conf);
/* Makes each action the stricter one of the two. */
void conf_actions_add(struct conf_actions *actions, const struct conf_actions *more);

#endif
