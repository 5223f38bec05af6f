/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/refusal.c - composes the texts of refusals, keeps them and gives them to the kernel: see
 * gate/refusal.h. A list's own text is a setting in the store, so that stores of earlier versions
 * need no change.
 */
#include <stdio.h>
#include <string.h>

#include "gate/internal.h"
#include "gate/refusal.h"
#include "lib/log.h"

#define REPLY_CODE  "554 5.7.1 "
#define CONTACT     "; see "
#define REASON_KEY  "refusal." /* in the store: this, then the list's name */
#define REASON_ROOM (SETTING_VALUE_MAX + 1)

_Static_assert(sizeof(REASON_KEY) + LIST_NAME_MAX <= SETTING_KEY_MAX, "a key for every list");

/* Appends what fits of `text`, but for `reserve` octets that are kept free. */
static void append(struct refusal *out, const char *text, size_t reserve)
{
	for (; *text && out->length + reserve < REFUSAL_TEXT_MAX; text++)
		out->text[out->length++] = *text >= ' ' && *text <= '~' ? *text : '?';
}

void refusal_compose(const char *list, const char *reason, const char *contact, struct refusal *out)
{
	const size_t reserve = *contact ? strlen(CONTACT) + strlen(contact) : 0;
	struct refusal made = { .length = 0 };

	memset(made.text, ' ', sizeof(made.text));
	append(&made, REPLY_CODE, 0);
	if (*reason) {
		append(&made, reason, reserve);
	} else {
		append(&made, "refused: listed in ", reserve);
		append(&made, list, reserve);
	}
	if (*contact) {
		append(&made, CONTACT, 0);
		append(&made, contact, 0);
	}
	*out = made;
}

void refusal_publish(struct refusal *kernel, const struct refusal *wanted)
{
	if (kernel->length == wanted->length &&
	    !memcmp(kernel->text, wanted->text, sizeof(kernel->text)))
		return;
	__atomic_store_n(&kernel->length, 0, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(kernel->text, wanted->text, sizeof(kernel->text));
	__atomic_store_n(&kernel->length, wanted->length, __ATOMIC_RELEASE);
}

static char *reason_key(const char *list, char out[SETTING_KEY_MAX + 1])
{
	snprintf(out, SETTING_KEY_MAX + 1, REASON_KEY "%s", list);
	return out;
}

int refusal_keep(struct store_txn *txn, const char *list, const char *reason, struct error *err)
{
	char key[SETTING_KEY_MAX + 1];

	reason_key(list, key);
	return *reason ? store_setting_put(txn, key, reason, err)
		       : store_setting_del(txn, key, err);
}

int refusals_compose(struct store_txn *txn, const struct resolve_lists *view, const char *contact,
		     struct refusals *out, struct error *err)
{
	char key[SETTING_KEY_MAX + 1], reason[REASON_ROOM];

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < view->count; i++) {
		const struct list_info *list = &view->list[i];
		int found;

		if (list->kind != LIST_KIND_BLOCK)
			continue;
		found = store_setting_get(txn, reason_key(list->name, key), reason, sizeof(reason),
					  err);
		if (found < 0)
			return found;
		refusal_compose(list->name, found ? reason : "", contact, &out->slot[list->slot]);
	}
	return 0;
}

void refusals_publish(struct lists *lists, const struct refusals *wanted)
{
	struct refusal *kernel = lists->gate->map[GATE_MAP_refusal].memory;

	for (int slot = 0; slot < LIST_SLOTS; slot++)
		if (wanted->slot[slot].length)
			refusal_publish(&kernel[slot], &wanted->slot[slot]);
}

void refusals_withdraw(struct lists *lists, const struct refusals *wanted)
{
	struct refusal *kernel = lists->gate->map[GATE_MAP_refusal].memory;

	for (int slot = 0; slot < LIST_SLOTS; slot++)
		if (!wanted->slot[slot].length)
			refusal_publish(&kernel[slot], &wanted->slot[slot]);
}

static int read_and_publish(struct lists *lists, struct error *err)
{
	struct resolve_lists view;
	struct refusals refusals;
	struct store_txn *txn;
	int result = store_begin_read(lists->store, &txn, err);

	if (result)
		return result;
	result = resolve_lists_read(txn, &view, err);
	if (!result)
		result = refusals_compose(txn, &view, lists->contact, &refusals, err);
	store_abort(&txn);
	if (!result) {
		refusals_publish(lists, &refusals);
		refusals_withdraw(lists, &refusals);
	}
	return result;
}

void lists_set_contact(struct lists *lists, const char *contact)
{
	struct error err;

	pthread_mutex_lock(&lists->turn);
	snprintf(lists->contact, sizeof(lists->contact), "%s", contact);
	if (read_and_publish(lists, &err))
		log_warning("refusals.stay", "{s:s}", "error", err.text);
	pthread_mutex_unlock(&lists->turn);
}
