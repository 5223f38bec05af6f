/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/users_internal.h - between users.c, which has the file, and users_line.c, which has the
 * lines.
 */
#ifndef POSTERN_ACCOUNTS_USERS_INTERNAL_H
#define POSTERN_ACCOUNTS_USERS_INTERNAL_H

#include "accounts/users.h"

/*
 * Reads a line, which is cut up and then holds the texts of `user`. Returns NULL, or what is wrong
 * with it: a text that repeats nothing of the line.
 */
const char *users_line_read(char *line, size_t len, struct user *user);

#endif
