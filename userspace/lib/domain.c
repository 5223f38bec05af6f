/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/domain.c - implements lib/domain.h.
 *
 * Called for the configuration, for lists of recipients and for every path that a client sends. A
 * name of ASCII is checked and folded in one walk; only others reach libidn2, whose result is a
 * piece of memory that is freed here.
 */
#include "lib/ascii.h"
#include "lib/domain.h"

#include <idn2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/text.h"

#define LABEL_MAX 63

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)text[i] >= 0x80)
			return false;
	return true;
}

/* Checks the label of `len` characters. */
static bool is_label(const char *label, size_t len)
{
	if (!len || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!ascii_is_of_label(label[i]))
			return false;
	return true;
}

static int read_ascii(const char *text, size_t len, char out[DOMAIN_MAX], struct error *err)
{
	char name[DOMAIN_MAX] = "";
	const char *label = name;

	if (!len || len > DOMAIN_LENGTH_MAX)
		return error_set(err, ERROR_REFUSED, "a domain has 1 to %d characters",
				 DOMAIN_LENGTH_MAX);
	for (size_t i = 0; i < len; i++)
		name[i] = ascii_lower(text[i]);
	for (;;) {
		const size_t length = strcspn(label, ".");

		if (!is_label(label, length))
			return error_set(err, ERROR_REFUSED, "not a domain name");
		if (!label[length])
			break;
		label += length + 1;
	}
	if (strspn(label, "0123456789") == strlen(label))
		return error_set(err, ERROR_REFUSED, "an address, not a domain name");
	memcpy(out, name, sizeof(name));
	return 0;
}

/* UTF-8 without anything that hides, as a string for libidn2. */
static bool copy_utf8(const char *text, size_t len, char out[DOMAIN_INPUT_MAX])
{
	size_t taken;
	uint32_t code;

	if (len >= DOMAIN_INPUT_MAX)
		return false;
	for (size_t at = 0; at < len; at += taken) {
		taken = text_character(text + at, len - at, &code);
		if (!taken || !text_showable(code))
			return false;
	}
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static int read_utf8(const char *text, size_t len, char out[DOMAIN_MAX], struct error *err)
{
	char input[DOMAIN_INPUT_MAX], *ascii = NULL;
	int rc;

	if (!copy_utf8(text, len, input) ||
	    idn2_to_ascii_8z(input, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
		return error_set(err, ERROR_REFUSED, "not an internationalized domain name");
	rc = read_ascii(ascii, strlen(ascii), out, err);
	idn2_free(ascii);
	return rc;
}

int domain_parse(const char *text, size_t len, char out[DOMAIN_MAX], struct error *err)
{
	return is_ascii(text, len) ? read_ascii(text, len, out, err)
				   : read_utf8(text, len, out, err);
}
