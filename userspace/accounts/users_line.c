/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/users_line.c - a line of the users file: see accounts/users.h for what it may say.
 *
 * The operator wrote it, and still nothing is taken on trust: a hash that needs a gigabyte or an
 * hour, or that can match nothing, is found when the file is read and not when somebody logs in.
 */
#include "accounts/users_internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/auth.h"
#include "accounts/name.h"
#include "lib/text.h"

#define SCRAM_PREFIX  "{SCRAM-SHA-256}"
#define ARGON2_PREFIX "$argon2id$v=19$"
#define KEY_OCTETS    crypto_hash_sha256_BYTES

_Static_assert(USERS_HASH_MAX == crypto_pwhash_STRBYTES,
	       "users: a hash is longer than libsodium's");

/* Cuts `*rest` at `end` and moves behind it; NULL if there is no `end`. */
static char *cut(char **rest, char end)
{
	char *start = *rest, *at = strchr(start, end);

	if (!at)
		return NULL;
	*at = '\0';
	*rest = at + 1;
	return start;
}

/* A decimal number without sign or leading zeros; 0 if it is none, or more than `max`. */
static uint32_t number_of(const char *text, uint32_t max)
{
	uint64_t value = 0;

	if (*text == '0')
		return 0;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > max)
			return 0;
	}
	return (uint32_t)value;
}

/* "m=65536,t=2,p=1" within the bounds; `text` is cut up. */
static bool cost_of(char *text, uint32_t *memory, uint32_t *passes)
{
	char *m = cut(&text, ','), *t = m ? cut(&text, ',') : NULL;

	if (!t || strncmp(m, "m=", 2) != 0 || strncmp(t, "t=", 2) != 0)
		return false;
	*memory = number_of(m + 2, USERS_MEMORY_MAX);
	*passes = number_of(t + 2, USERS_PASSES_MAX);
	return *memory && *passes;
}

static const char *read_hash(char *text, struct user *user)
{
	char cost[USERS_HASH_MAX], *rest = cost, *first;
	uint32_t memory, passes;

	if (user->hash)
		return "two Argon2id hashes";
	if (strncmp(text, ARGON2_PREFIX, strlen(ARGON2_PREFIX)) != 0 ||
	    strlen(text) >= USERS_HASH_MAX)
		return "not a hash of Argon2id version 19";
	memcpy(cost, text + strlen(ARGON2_PREFIX), strlen(text + strlen(ARGON2_PREFIX)) + 1);
	first = cut(&rest, '$');
	if (!first || !cost_of(first, &memory, &passes))
		return "the cost of the Argon2id hash is not \"m=KIB,t=PASSES,p=LANES\", with at "
		       "most "
		       "262144 KiB and 16 passes";
	if (crypto_pwhash_str_needs_rehash(text, passes, (size_t)memory << 10) < 0)
		return "the Argon2id hash is damaged";
	user->hash = text;
	return NULL;
}

/* Base64 of `min` to `max` octets. */
static bool is_base64(const char *text, size_t min, size_t max)
{
	uint8_t octets[USERS_SALT_MAX];
	size_t length = 0;

	return !sodium_base642bin(octets, max, text, strlen(text), NULL, &length, NULL,
				  sodium_base64_VARIANT_ORIGINAL) &&
	       length >= min;
}

static const char *read_scram(char *text, struct user *user)
{
	struct users_scram *scram = &user->scram;

	if (scram->salt)
		return "two SCRAM secrets";
	text += strlen(SCRAM_PREFIX);
	scram->iterations = cut(&text, ',');
	scram->salt = scram->iterations ? cut(&text, ',') : NULL;
	scram->stored_key = scram->salt ? cut(&text, ',') : NULL;
	scram->server_key = text;
	if (!scram->stored_key)
		return "the SCRAM secret is not \"ITERATIONS,SALT,STOREDKEY,SERVERKEY\"";
	if (number_of(scram->iterations, USERS_ITERATIONS_MAX) < USERS_ITERATIONS_MIN)
		return "the iterations of the SCRAM secret are not a number from 4096 to 1000000";
	if (!is_base64(scram->salt, 1, USERS_SALT_MAX))
		return "the salt of the SCRAM secret is not base64 of 1 to 64 octets";
	if (!is_base64(scram->stored_key, KEY_OCTETS, KEY_OCTETS) ||
	    !is_base64(scram->server_key, KEY_OCTETS, KEY_OCTETS))
		return "the keys of the SCRAM secret are not base64 of 32 octets";
	return NULL;
}

static const char *read_secrets(char *text, struct user *user)
{
	const char *wrong = NULL;
	char *save = NULL;

	for (char *secret = strtok_r(text, " ", &save); secret && !wrong;
	     secret = strtok_r(NULL, " ", &save)) {
		if (!strncmp(secret, SCRAM_PREFIX, strlen(SCRAM_PREFIX)))
			wrong = read_scram(secret, user);
		else
			wrong = read_hash(secret, user);
	}
	if (!wrong && !user->hash && !user->scram.salt)
		return "no secret";
	return wrong;
}

/* One of "local@domain", "@domain" and "*". */
static bool is_address(const char *text, size_t len)
{
	if (len == 1 && *text == '*')
		return true;
	return len && len < AUTH_USER_MAX && text[len - 1] != '@' && memchr(text, '@', len) &&
	       !memchr(text, ' ', len) && !memchr(text, '<', len) && !memchr(text, '>', len);
}

static const char *read_addresses(char *text, struct user *user)
{
	name_fold(text);
	user->addresses = text;
	if (!*text)
		user->addresses = strchr(user->name, '@') ? user->name : "";
	while (*text) {
		const size_t len = strcspn(text, ",");

		if (!is_address(text, len))
			return "an address is not \"local@domain\", \"@domain\" or \"*\"";
		text += len;
		if (*text && !*++text)
			return "an address is missing behind the last \",\"";
	}
	return NULL;
}

static const char *check_characters(const char *line, size_t len)
{
	uint32_t code;
	size_t taken;

	for (size_t at = 0; at < len; at += taken) {
		taken = text_character(line + at, len - at, &code);
		if (!taken)
			return "not UTF-8";
		if (!text_showable(code))
			return "a control character";
	}
	return NULL;
}

/* The name must be in its prepared form already but for its capitals: nothing is kept twice. */
static const char *read_name(char *name, struct user *user)
{
	char prepared[AUTH_USER_MAX];

	if (!name_prepare(name, prepared, sizeof(prepared)))
		return "the name is empty, too long, or not allowed by SASLprep";
	if (strcmp(name, prepared) != 0)
		return "the name is not in the form that SASLprep gives it";
	name_fold(name);
	user->name = name;
	return NULL;
}

const char *users_line_read(char *line, size_t len, struct user *user)
{
	const char *wrong = len < USERS_LINE_MAX ? check_characters(line, len) : "a line too long";
	char *rest = line, *name, *secrets;

	if (wrong)
		return wrong;
	name = cut(&rest, ':');
	secrets = name ? cut(&rest, ':') : NULL;
	if (!secrets || strchr(rest, ':'))
		return "not \"NAME:SECRET:ADDRESS,...\"";
	wrong = read_name(name, user);
	if (!wrong)
		wrong = read_secrets(secrets, user);
	return wrong ? wrong : read_addresses(rest, user);
}
