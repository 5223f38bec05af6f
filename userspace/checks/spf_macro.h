/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_macro.h - the macros of SPF (RFC 7208 section 7): their syntax, and what they stand
 * for.
 *
 * Called by checks/spf_parse.c, which must find every mistake of a record before any of it is used,
 * and by the evaluator, which expands what has been found to be right. Pure functions: nothing is
 * allocated, kept or asked; the validated name behind %{p} is found by the evaluator beforehand.
 *
 * All texts come from strangers. What is expanded into a name keeps its end, of which at most
 * DNS_NAME_MAX octets count (7.3), so no text is too long; what is expanded into an explanation is
 * cut at the size of the caller's buffer.
 */
#ifndef POSTERN_CHECKS_SPF_MACRO_H
#define POSTERN_CHECKS_SPF_MACRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/dns.h"
#include "lib/addr.h"

/* Some octets of a text that somebody else owns. */
struct spf_span {
	const char *at;
	size_t length;
};

/* Where a macro string stands: the letters c, r and t, and blanks, are for explanations only. */
enum spf_place { SPF_IN_RECORD, SPF_IN_EXPLANATION };

/* One piece of a macro string. */
struct spf_piece {
	struct spf_span literal;    /* what stands for itself; also the text of %% %_ %- */
	char letter;                /* of a macro, in lower case; 0 for a literal */
	bool escape;                /* the letter was in upper case: as in a URL */
	bool reverse;               /* the transformer "r" */
	unsigned int parts;         /* how many of the right-hand parts; 0 is all */
	struct spf_span delimiters; /* empty: the dot */
};

/* Takes the first piece off `rest`, which is not empty. False if it breaks the syntax (7.1). */
bool spf_macro_next(struct spf_span *rest, enum spf_place place, struct spf_piece *piece);

/* Whether a whole text is a macro string, or an explanation string. */
bool spf_macro_valid(struct spf_span text, enum spf_place place);

/* Whether a valid text holds %{p}, so that the evaluator has to find the name first. */
bool spf_macro_wants_name(struct spf_span text, enum spf_place place);

/* What the letters stand for. Borrowed. */
struct spf_macros {
	const char *mailbox;   /* s: l@o */
	const char *local;     /* l: the local part of the sender */
	const char *sender;    /* o: the domain of the sender */
	const char *domain;    /* d: the domain whose record is evaluated */
	const char *helo;      /* h */
	const char *validated; /* p; NULL is "unknown" */
	const char *receiver;  /* r; NULL is "unknown" */
	struct addr ip;        /* i, c, v */
	uint64_t time;         /* t: seconds since 1970 */
};

/*
 * Expands a valid domain-spec into a name: without the final dot, and without as many labels from
 * the left as it is too long (7.3). The result may still be no name that can be asked for.
 */
void spf_macro_domain(struct spf_span spec, const struct spf_macros *macros,
		      char out[DNS_NAME_MAX + 1]);

/* Expands a valid explanation string; octets that are not printable ASCII become "?" (6.2). */
void spf_macro_explanation(struct spf_span text, const struct spf_macros *macros, char *out,
			   size_t size);

/* Whether a name can be asked for: labels of 1 to DNS_LABEL_MAX octets, and not too long. */
bool spf_name_valid(const char *name);

#endif
