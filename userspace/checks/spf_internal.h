/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_internal.h - the state of an evaluation. Internal to checks/spf*.c.
 *
 * One record at a time is evaluated: the top frame. An include puts a frame on top and goes on when
 * that has a result; a redirect takes the place of the frame that it is in. Between two answers
 * there is always exactly one of: questions in slots, or a verdict.
 *
 * checks/spf.c is the life of an evaluation, checks/spf_frame.c walks over records,
 * checks/spf_terms.c evaluates mechanisms, checks/spf_names.c asks for names (mx, ptr, %{p}),
 * checks/spf_explain.c finds out what a fail is explained with.
 */
#ifndef POSTERN_CHECKS_SPF_INTERNAL_H
#define POSTERN_CHECKS_SPF_INTERNAL_H

#include "checks/spf.h"
#include "checks/spf_parse.h"

/* A record that is evaluated. */
struct spf_frame {
	char domain[DNS_NAME_MAX + 1];
	char *text; /* owned: the record, which `record` points into */
	struct spf_record record;
	size_t place;         /* of the term after `term` */
	struct spf_term term; /* the mechanism that is evaluated */
	bool redirected;      /* a domain without a record is an error here */
};

/* How an address lookup went, against the client's address. */
enum spf_outcome { SPF_PENDING, SPF_MATCH, SPF_OTHER, SPF_VOID, SPF_FAILED };

/* A question under way, or answered. */
struct spf_slot {
	struct spf *spf;
	struct dns_query *query;
	enum spf_outcome outcome;
	char name[DNS_NAME_MAX + 1];
};

/* Whether the names of the client's address are known; the validated ones are kept. */
struct spf_names {
	bool known, none; /* none: the PTR question was void */
	size_t count;
	char (*name)[DNS_NAME_MAX + 1]; /* owned; SPF_NAMES_MAX */
};

struct spf {
	struct dns *dns;
	struct addr ip;
	const char *helo, *mailbox, *local, *sender,
		*receiver; /* in `texts`; receiver may be NULL */
	uint64_t time, deadline;
	bool explain;

	size_t depth;   /* frames in use */
	bool term_void; /* the term has been counted as void */

	size_t slots, next_slot;
	void (*answered)(struct spf *spf, const struct dns_answer *answer);
	bool (*resolved)(struct spf *spf, const struct spf_slot *slot);
	void (*all_resolved)(struct spf *spf);
	uint8_t cidr4, cidr6; /* bits of an address that count in the slots */
	bool waiting;

	struct spf_names names;
	void (*names_known)(struct spf *spf); /* what goes on then */

	bool explaining;        /* the result is a fail; only its text is missing */
	char *explanation_text; /* owned; the domain's, before its macros are expanded */
	struct spf_verdict verdict;
	bool done;
	spf_cb cb;
	void *arg;

	/* What is above is cleared at the start. This is not, because it is large, and hardly used.
	 */
	char explanation[SPF_EXPLANATION_MAX];
	char problem[SPF_PROBLEM_MAX];
	char mechanism[SPF_TERM_SHOWN_MAX];
	char domain[DNS_NAME_MAX + 1];
	struct spf_frame frame[SPF_DEPTH_MAX];
	/* A single question uses slot[0] and `answered`; the names of an mx or ptr use them all. */
	struct spf_slot slot[SPF_NAMES_MAX];
	char texts[]; /* of the request */
};

static inline struct spf_frame *spf_top(struct spf *spf)
{
	return &spf->frame[spf->depth - 1];
}

/* checks/spf.c */

/* Asks one question; its answer goes to `answered`. A name that cannot be asked for is NXDOMAIN. */
void spf_ask(struct spf *spf, const char *name, enum dns_type type,
	     void (*answered)(struct spf *spf, const struct dns_answer *answer));
/* The same for a slot of many, whose outcome it sets; spf->slots says how many there are. */
void spf_ask_slot(struct spf *spf, struct spf_slot *slot, enum dns_type type);
void spf_cancel_questions(struct spf *spf);
/* The verdict. `fmt` is the problem, or NULL. */
__attribute__((format(printf, 3, 4))) void spf_end(struct spf *spf, enum spf_result result,
						   const char *fmt, ...);
/* The same, about the term that is evaluated. */
void spf_end_term(struct spf *spf, enum spf_result result, const char *why);
/* Whether an address of an answer is the client's, in the bits that count. */
enum spf_outcome spf_compare(const struct spf *spf, const struct dns_answer *answer);
void spf_macros(struct spf *spf, struct spf_macros *out);

/* checks/spf_frame.c */

/* Puts a frame for `domain` on top, or, with `redirected`, in the place of the top one. */
void spf_enter(struct spf *spf, const char *domain, bool redirected);
/* Goes on until there is something to wait for, or a verdict. */
void spf_run(struct spf *spf);
/* Counts a term that asks; false after the permerror if there were too many. */
bool spf_count_lookup(struct spf *spf);
/* Counts the term as void, once; false after the permerror if there were too many. */
bool spf_count_void(struct spf *spf);
void spf_frame_free(struct spf_frame *frame);

/* checks/spf_terms.c: evaluates the term of the top frame. */
void spf_term_begin(struct spf *spf);
/* The term matches, so the frame has a result. In checks/spf_frame.c. */
void spf_term_matches(struct spf *spf);

/* checks/spf_names.c */

/* Calls `then` when spf->names is known, at once if it is. */
void spf_need_names(struct spf *spf, void (*then)(struct spf *spf));
/*
 * Asks for the names in spf->slot, of which there are `count`, all at once. They come to `resolved`
 * in order, until that returns false; if it never does, `all` is called.
 */
void spf_resolve_slots(struct spf *spf, size_t count,
		       bool (*resolved)(struct spf *spf, const struct spf_slot *slot),
		       void (*all)(struct spf *spf));
void spf_go_on_resolving(struct spf *spf);
/* What %{p} is for a domain; NULL if there is no such name. */
const char *spf_validated_name(const struct spf *spf, const char *domain);

/* checks/spf_explain.c: after a fail; comes to the verdict in the end. */
void spf_explain(struct spf *spf);
void spf_explain_default(struct spf *spf);

#endif
