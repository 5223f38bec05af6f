/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/users.h - the users file: who may log in, by which secrets, and with which senders.
 *
 * A line is a user, "NAME:SECRET[ SECRET]:[ADDRESS,...]". Lines that are empty or begin with "#"
 * say nothing. A secret is one of
 *
 *   $argon2id$v=19$m=65536,t=2,p=1$SALT$HASH      for PLAIN and LOGIN (RFC 9106)
 *   {SCRAM-SHA-256}4096,SALT,STOREDKEY,SERVERKEY  for SCRAM (RFC 5803; as gsasl --mkpasswd says it)
 *
 * and a user who has only one of them can use only the mechanisms of that one. An address is
 * "local@domain", "@domain" for all of a domain, or "*" for any; without addresses a user has his
 * own name, if that is an address. Names are prepared (accounts/name.h), and so are passwords.
 * docs/accounts.md says how a line is made.
 *
 * A file that was read never changes; threads share it, and the last one to release it frees it.
 */
#ifndef POSTERN_ACCOUNTS_USERS_H
#define POSTERN_ACCOUNTS_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define USERS_MAX            65536u
#define USERS_BYTES_MAX      (32u << 20) /* of a file */
#define USERS_LINE_MAX       4096u       /* bytes of a line */
#define USERS_HASH_MAX       128u        /* bytes of an Argon2id secret, with its NUL */
#define USERS_MEMORY_MAX     262144u     /* KiB that an Argon2id hash may take, */
#define USERS_PASSES_MAX     16u         /* and how often it goes over them */
#define USERS_ITERATIONS_MIN 4096u       /* of SCRAM (RFC 7677 4) */
#define USERS_ITERATIONS_MAX 1000000u
#define USERS_SALT_MAX       64u /* octets of SCRAM's salt */

/* What is after "{SCRAM-SHA-256}", each as text; the last three in base64. */
struct users_scram {
	const char *iterations, *salt, *stored_key, *server_key;
};

/* Texts that belong to the file. */
struct user {
	const char *name;
	const char *hash; /* NULL: none */
	struct users_scram scram;
	const char *addresses; /* parted by "," */
	size_t line;
};

struct users;

/* Reads a file, which others than its owner and group must not be able to read. */
int users_open(const char *path, struct users **out, struct error *err);
/* The same of a text; `name` is the file's, for messages. */
int users_parse(const char *name, const char *text, size_t len, struct users **out,
		struct error *err);
struct users *users_hold(struct users *users);
/* Nulls the pointer; NULL is allowed. */
void users_release(struct users **users);

size_t users_count(const struct users *users);
/* By a name that is prepared and folded; NULL: nobody. */
const struct user *users_find(const struct users *users, const char *name);
bool users_may_send_as(const struct user *user, const char *address);

/*
 * A user whose secrets are used where there are none, so that it costs as much: the same for the
 * same number, and as often one as another. NULL: nobody has such a secret.
 */
const struct user *users_with_hash(const struct users *users, uint64_t number);
const struct user *users_with_scram(const struct users *users, uint64_t number);

#endif
