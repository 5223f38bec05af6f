/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/sender.c - implements checks/sender.h: the domain's MX, and only if it has none its
 * addresses of both families at once.
 */
#include "checks/sender.h"

#include <stdlib.h>

#include "checks/host.h"

struct family {
	struct sender *sender;
	struct dns_query *query;
	bool failed;
};

struct sender {
	struct dns *dns;
	char domain[DNS_NAME_MAX + 1];
	struct dns_query *query;    /* for the MX, or for nothing */
	struct family four, six;    /* the addresses */
	enum finding without_query; /* what is known at once */
	struct host_time time;
	struct sender_result result;
	bool done;
	sender_cb cb;
	void *arg;
};

static void cancel(struct sender *sender)
{
	dns_cancel(sender->dns, &sender->query);
	dns_cancel(sender->dns, &sender->four.query);
	dns_cancel(sender->dns, &sender->six.query);
}

/* Calls back, so the check may be gone afterwards. */
static void finish(struct sender *sender, enum finding finding)
{
	cancel(sender);
	sender->result.findings = FINDING_BIT(finding);
	sender->result.ttl = sender->time.ttl;
	sender->result.age = sender->time.age;
	sender->done = true;
	sender->cb(&sender->result, sender->arg);
}

/* Addresses */

static bool has_address(const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		if (!host_address_is_local(&answer->record[i].addr))
			return true;
	return false;
}

static void on_address(const struct dns_answer *answer, void *arg)
{
	struct family *family = arg;
	struct sender *sender = family->sender;

	family->query = NULL;
	family->failed = answer->status == DNS_TEMPORARY || answer->status == DNS_BUSY;
	host_time_add(&sender->time, answer->ttl, answer->age);
	if (answer->status == DNS_FOUND && has_address(answer))
		finish(sender, FINDING_SENDER_USABLE);
	else if (sender->four.query || sender->six.query)
		return;
	else if (sender->four.failed || sender->six.failed)
		finish(sender, FINDING_SENDER_TEMPORARY);
	else
		finish(sender, FINDING_SENDER_MISSING);
}

static void ask_for_address(struct sender *sender, struct family *family, enum dns_type type)
{
	family->sender = sender;
	sender->result.queries++;
	family->query = dns_ask(sender->dns, sender->domain, type, on_address, family);
}

/* MX */

/* What the MX say. Those that could not be read (`cut`) are no names of hosts. */
static enum finding judge_exchanges(const struct dns_answer *answer)
{
	bool null_only = !answer->cut;

	for (size_t i = 0; i < answer->count; i++) {
		const char *name = answer->record[i].text;

		if (host_name_is_valid(name, false) && !host_name_is_local(name))
			return FINDING_SENDER_USABLE;
		if (*name)
			null_only = false;
	}
	return null_only ? FINDING_SENDER_NULL_MX : FINDING_SENDER_MISSING;
}

static void on_exchanges(const struct dns_answer *answer, void *arg)
{
	struct sender *sender = arg;

	sender->query = NULL;
	host_time_add(&sender->time, answer->ttl, answer->age);
	if (answer->status == DNS_FOUND || answer->cut) {
		finish(sender, judge_exchanges(answer));
	} else if (answer->status == DNS_NXDOMAIN) {
		finish(sender, FINDING_SENDER_MISSING);
	} else if (answer->status != DNS_NODATA) {
		finish(sender, FINDING_SENDER_TEMPORARY);
	} else {
		ask_for_address(sender, &sender->four, DNS_A);
		ask_for_address(sender, &sender->six, DNS_AAAA);
	}
}

/* Start and end */

/* What is known without asking; false if the domain has to be asked for. */
static bool judge_domain(const char *domain, char name[DNS_NAME_MAX + 1], enum finding *out)
{
	struct addr addr;

	if (!*domain)
		*out = FINDING_SENDER_USABLE;
	else if (host_literal(domain, &addr))
		*out = host_address_is_local(&addr) ? FINDING_SENDER_MISSING
						    : FINDING_SENDER_USABLE;
	else if (!host_name_take(domain, true, name) || host_name_is_local(name))
		*out = FINDING_SENDER_MISSING;
	else
		return false;
	return true;
}

static void nothing_to_ask(const struct dns_answer *answer, void *arg)
{
	struct sender *sender = arg;

	(void)answer;
	sender->query = NULL;
	finish(sender, sender->without_query);
}

struct sender *sender_start(struct dns *dns, const char *domain, sender_cb cb, void *arg)
{
	struct sender *sender = calloc(1, sizeof(*sender));

	if (!sender)
		return NULL;
	sender->dns = dns;
	sender->cb = cb;
	sender->arg = arg;
	if (judge_domain(domain, sender->domain, &sender->without_query)) {
		sender->query = dns_later(dns, nothing_to_ask, sender);
	} else {
		sender->result.queries = 1;
		sender->query = dns_ask(dns, sender->domain, DNS_MX, on_exchanges, sender);
	}
	return sender;
}

const struct sender_result *sender_result(const struct sender *sender)
{
	return sender->done ? &sender->result : NULL;
}

void sender_free(struct sender **sender)
{
	if (!*sender)
		return;
	cancel(*sender);
	free(*sender);
	*sender = NULL;
}
