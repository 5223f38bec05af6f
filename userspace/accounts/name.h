/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/name.h - names and passwords in the one form in which they are compared.
 */
#ifndef POSTERN_ACCOUNTS_NAME_H
#define POSTERN_ACCOUNTS_NAME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * SASLprep (RFC 4013) of valid UTF-8, as a query: into `out` of `size` bytes. False, and `out` is
 * "", if it is empty, does not fit, or holds what may not be there (control characters, bytes that
 * are not UTF-8, unlike directions). What was in between is wiped.
 */
bool name_prepare(const char *text, char *out, size_t size);

/* The letters A to Z become small: accounts and addresses are compared so. */
void name_fold(char *text);

#endif
