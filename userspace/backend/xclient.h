/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/xclient.h - telling a server who the client is: the XCLIENT command of Postfix
 * (postfix.org/XCLIENT_README.html). Pure functions.
 *
 * Values are xtext (RFC 3461 4), because they come from the client and from the DNS. Everything
 * that the server takes is said each time, if only as "[UNAVAILABLE]": on a connection that is used
 * again nothing of the client before may be left.
 */
#ifndef POSTERN_BACKEND_XCLIENT_H
#define POSTERN_BACKEND_XCLIENT_H

#include "backend/backend.h"

#define XCLIENT_LINE_MAX                                                                           \
	512 /* octets of a command, with CR LF, and of its text here with a NUL                    \
	     */

/* Attributes, as bits, in the order in which they are said. */
enum xclient_attribute {
	XCLIENT_ADDR = 1,
	XCLIENT_PORT = 2,
	XCLIENT_NAME = 4,
	XCLIENT_HELO = 8,
	XCLIENT_PROTO = 16,
	XCLIENT_LOGIN = 32,
	XCLIENT_DESTADDR = 64,
	XCLIENT_DESTPORT = 128,
};

/* The attributes of "NAME ADDR ...", which a server says behind the keyword in EHLO. */
unsigned int xclient_attributes(const char *text, size_t length);

/*
 * Writes "XCLIENT ADDR=... ...", without CR LF, with those of the attributes that have room;
 * returns those that are left, for another command. A value that no command has room for is
 * "[UNAVAILABLE]".
 */
unsigned int xclient_command(unsigned int attributes, const struct backend_client *client,
			     char out[XCLIENT_LINE_MAX]);

#endif
