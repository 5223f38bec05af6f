/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/ascii.h - what a character is, in ASCII and whatever the locale says: for names, numbers and
 * the texts of protocols.
 */
#ifndef POSTERN_LIB_ASCII_H
#define POSTERN_LIB_ASCII_H

#include <stdbool.h>

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_alphanumeric(char c)
{
	return ascii_is_letter(c) || ascii_is_digit(c);
}

/* The small letter of a capital one, and everything else as it is. */
static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* 0 to 15 for a hexadecimal digit, in letters of either case; else -1. */
static inline int ascii_hex_value(char c)
{
	const char lower = ascii_lower(c);

	if (ascii_is_digit(c))
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* What a label of a host name is made of: "_" is about, whatever RFC 1123 2.1 says. */
static inline bool ascii_is_of_label(char c)
{
	return ascii_is_alphanumeric(c) || c == '-' || c == '_';
}

#endif
