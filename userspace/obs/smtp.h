/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/smtp.h - the SMTP front as it is shown: all workers together.
 */
#ifndef POSTERN_OBS_SMTP_H
#define POSTERN_OBS_SMTP_H

#include <jansson.h>

#include "session/smtp/smtp.h"

struct smtp_certificate {
	char file[CONF_PATH_MAX]; /* with the chain */
	uint64_t expires;         /* seconds since 1970 */
};

struct smtp_view {
	size_t workers;
	uint64_t sessions_max; /* open at a time */
	struct smtp_stats stats;
	uint64_t unknowns;           /* recipients that are remembered, UNKNOWNS_MAX at most */
	uint32_t unknown_ttl;        /* seconds; smtp.unknown-ttl */
	uint32_t unknown_recipients; /* an hour; smtp.unknown-recipients */
	size_t backends;
	struct backend_info backend[BACKENDS_MAX];
	size_t certificates;
	struct smtp_certificate certificate[CONF_CERTIFICATES_MAX];
};

/*
 * For `status`: {workers, sessions: {open, max, total, tls, authenticated}, messages: {accepted,
 * rejected, deferred, bytes, spooling}, refused: {REASON: n}, watched: {CHECK: n}, greylist:
 * {passed}, unknown: {remembered, max, ttl, refused, hourly}, certificates: [{file, expires}],
 * backends: [{name, up, why, ...}]}. A new reference, or NULL.
 */
json_t *smtp_json(const struct smtp_view *view);

#endif
