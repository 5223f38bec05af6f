/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/domain.h - names of mail domains in the one form in which they are compared and sent on.
 *
 * That form is small letters and A-labels (RFC 5890), without a final dot. Labels are letters,
 * digits, "-" and "_": the last is against RFC 5321 4.1.2, but senders have it, and nothing can be
 * done with it. U-labels are converted by UTS #46, not transitional; whatever that makes of them
 * obeys the same rules again, so no character that is mapped becomes a dot, a blank or a bracket.
 */
#ifndef POSTERN_LIB_DOMAIN_H
#define POSTERN_LIB_DOMAIN_H

#include <stddef.h>

#include "lib/error.h"

#define DOMAIN_LENGTH_MAX 253  /* octets that a name may have (RFC 1035 3.1, without the root) */
#define DOMAIN_MAX        256  /* bytes of one with its NUL */
#define DOMAIN_INPUT_MAX  1024 /* octets of UTF-8 that are looked at */

/*
 * Reads `len` octets of `text`, which need not end there. An address without brackets (a last label
 * of digits) is none, and neither is what ends in a dot. On failure `out` is untouched and the
 * error says what is wrong without repeating the name.
 */
int domain_parse(const char *text, size_t len, char out[DOMAIN_MAX], struct error *err);

#endif
