/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/name.c - see accounts/name.h. The tables of stringprep are libidn's, by libgsasl.
 */
#include "accounts/name.h"

#include <gsasl.h>
#include <sodium.h>
#include <string.h>

bool name_prepare(const char *text, char *out, size_t size)
{
	char *prepared = NULL;
	size_t length = 0;

	*out = '\0';
	/* No character becomes nothing but those that SASLprep maps to nothing, so what is far too
	 * long is not even looked at. */
	if (strnlen(text, 4 * size) == 4 * size ||
	    gsasl_saslprep(text, GSASL_ALLOW_UNASSIGNED, &prepared, NULL) != GSASL_OK)
		return false;
	length = strlen(prepared);
	if (length && length < size)
		memcpy(out, prepared, length + 1);
	sodium_memzero(prepared, length);
	gsasl_free(prepared);
	return *out != '\0';
}

void name_fold(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}
