/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/cookies.h - the kernel's settings that SYN cookies depend on. For the files of the gate.
 *
 * The kernel makes a cookie for the XDP program only while net.ipv4.tcp_syncookies is 2, or the
 * listener's queue is full. Always 2 would cost senders: what is lost of a handshake that nobody
 * remembers is not sent again. So the keeper sets it to 2 while a flood is on, and back afterwards;
 * the agent reads what is set and tells the program what a cookie may offer.
 *
 * Window scale and SACK are coded into the time stamp of the SYN-ACK. The kernel finds them again
 * only if it adds no secret offset of its own to time stamps: while net.ipv4.tcp_timestamps is 2.
 */
#ifndef POSTERN_GATE_COOKIES_H
#define POSTERN_GATE_COOKIES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "maps/flood.h"

struct gate;

#define COOKIES_DIRECTORY "/proc/sys/net" /* of the network namespace of who reads it */

/* What the program is told: see struct flood_settings. `directory` stands for COOKIES_DIRECTORY. */
struct cookie_offer {
	uint32_t cookies; /* COOKIES_ bits */
	uint16_t window;
	uint8_t scale;
};
struct cookie_offer cookies_offer(const char *directory);

/* The window scale that the kernel takes for a receive buffer that may grow to so many octets. */
uint8_t cookies_scale(uint32_t largest);
/* The first window that a receive buffer of so many octets has room for: whole segments. */
uint16_t cookies_window(uint32_t buffer);

/* The settings that are switched, and what they were before. */
enum { COOKIE_SYSCTL_COOKIES, COOKIE_SYSCTL_STAMPS, COOKIE_SYSCTLS };
struct kept;
struct cookie_switch {
	bool switched[COOKIE_SYSCTLS];
	uint32_t before[COOKIE_SYSCTLS];
	const struct kept *kept; /* where it is noted before it is done, or NULL: gate/kept.h */
};

/*
 * Switches them on or back; needs CAP_NET_ADMIN. What is as it should be already is not touched,
 * now or later. To switch off what is off only looks whether it could be switched on. Time stamps
 * that cannot be switched are no error: cookies go without options then.
 */
int cookies_switch(struct cookie_switch *state, const char *directory, bool on, struct error *err);

/* What the agent knows about it: part of struct gate. */
struct cookies {
	const char *directory; /* NULL is COOKIES_DIRECTORY */
	bool wanted;           /* by the operator; atomic */
	bool looked;           /* whether they can be switched, or have been */
	bool on;               /* switched on for a flood */
	pthread_mutex_t lock;  /* of `why` */
	char why[ERROR_TEXT_MAX];
	struct cookie_switch keeper; /* the keeper's: in its process */
};

const char *cookies_directory(const struct gate *gate);
/* Tells the program what can be offered now. */
void cookies_publish(struct gate *gate);
/* For the keeper's start: what one that was killed has left switched is switched back. */
void cookies_recover(struct gate *gate);
/* For the keeper's end: what it has switched is switched back, and no cookie is given out. */
void cookies_end(struct gate *gate);

#endif
