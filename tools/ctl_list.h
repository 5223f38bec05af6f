/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_list.h - what the files of the families block and allow share.
 *
 *   ctl_list.c         the questions: arguments and options become requests
 *   ctl_list_answer.c  the answers in words, also for tools/ctl_why.c
 *   ctl_list_show.c    `show`: any number of rows, as they come
 *   ctl_list_help.c    the rows of the commands, with their help
 *   ctl_load.c         `load`, which sends a file
 *
 * Both families are the same code: the kind is the first word of the command's name.
 */
#ifndef POSTERN_TOOLS_CTL_LIST_H
#define POSTERN_TOOLS_CTL_LIST_H

#include "maps/action.h"
#include "tools/ctl.h"

#define SENTENCE_MAX 1024

/* {"cmd": name, "kind": block or allow}, and the list's name, which is checked, unless it is NULL.
 */
json_t *list_request(const struct cli_call *call, const char *name, const char *list,
		     struct error *err);

/* The action of --action, or ACTION_DROP. */
int list_action(const struct cli_call *call, enum action *out, struct error *err);

const char *list_action_text(enum action action);

/* Adds the text of --reason to a request. */
int list_add_reason(json_t *request, const char *text, struct error *err);

/* The requests and answers of the commands, for their rows. */
json_t *list_request_add(const struct cli_call *call, struct error *err);
json_t *list_request_del(const struct cli_call *call, struct error *err);
json_t *list_request_test(const struct cli_call *call, struct error *err);
json_t *list_request_clear(const struct cli_call *call, struct error *err);
int list_answer_add(struct cli_call *call, const json_t *result, struct error *err);
int list_answer_del(struct cli_call *call, const json_t *result, struct error *err);
int list_answer_test(struct cli_call *call, const json_t *result, struct error *err);
int list_answer_clear(struct cli_call *call, const json_t *result, struct error *err);
int list_run_show(struct cli_call *call, struct error *err);
int list_run_load(struct cli_call *call, struct error *err);

/*
 * "in 192.0.2.0/24 on list drop (SBL123), which expires in 3h 20m": a match of list.test or why.
 * Returns `out`.
 */
char *list_match_sentence(const json_t *match, char out[SENTENCE_MAX]);

/* The match that decides, or NULL. */
const json_t *list_deciding(const json_t *matches);

/* Prints every match with all that is known of it. */
void list_print_matches(const json_t *matches);

/* How many established connections a change has ended, if any. */
void list_print_ended(const json_t *result);

#endif
