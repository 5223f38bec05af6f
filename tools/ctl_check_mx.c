/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check_mx.c - `posternctl check mx`: has a domain two or more independent mail hosts
 * that work?
 *
 * Asks for the hosts and their addresses (checks/mx.h) and then talks to all addresses at once
 * (tools/ctl_check_probe.h), on a loop of its own that runs for at most MX_SECONDS_MAX seconds.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checks/host.h"
#include "lib/clock.h"
#include "tools/ctl_check.h"
#include "tools/ctl_check_mx.h"
#include "tools/ctl_check_probe.h"
#include "tools/ctl_commands.h"

#define OWN_NAME_MAX 256

struct work {
	struct check check;
	char domain[DNS_NAME_MAX + 1], own_name[OWN_NAME_MAX];
	uv_timer_t timer;
	bool late;
	struct mx *mx;
	size_t waiting; /* probes under way */
	struct probe probe[MX_HOSTS_MAX][MX_ADDRESSES_MAX];
};

static int take_domain(struct work *work, const char *text, struct error *err)
{
	if (host_name_take(text, true, work->domain) && !host_name_is_local(work->domain))
		return 0;
	return error_set(err, ERROR_USAGE, "'%s' is not a mail domain", text);
}

/* What to say in EHLO: a literal where this host has no full name. */
static const char *own_name(struct work *work)
{
	if (gethostname(work->own_name, sizeof(work->own_name) - 1) != 0)
		return NULL;
	return host_name_is_valid(work->own_name, false) ? work->own_name : NULL;
}

static void time_is_over(uv_timer_t *timer)
{
	struct work *work = timer->data;

	work->late = true;
	uv_stop(&work->check.loop);
}

/* The DNS */

static void hosts_are_known(struct mx_result *result, void *arg)
{
	struct work *work = arg;

	(void)result;
	uv_stop(&work->check.loop);
}

static int find_hosts(struct work *work, struct error *err)
{
	struct dns *dns = dns_resolver_dns(work->check.resolver);

	work->mx = mx_start(dns, work->domain, hosts_are_known, work);
	if (!work->mx)
		return error_set(err, ERROR_REFUSED, "out of memory");
	uv_run(&work->check.loop, UV_RUN_DEFAULT);
	if (!mx_result(work->mx))
		return error_set(err, ERROR_REFUSED, "the DNS did not answer within %d seconds",
				 MX_SECONDS_MAX);
	return 0;
}

/* The hosts */

static void probe_is_over(struct probe *probe, void *arg)
{
	struct work *work = arg;

	(void)probe;
	if (--work->waiting == 0)
		uv_stop(&work->check.loop);
}

static void start_probes(struct work *work)
{
	const struct mx_result *result = mx_result(work->mx);
	const char *name = own_name(work);

	for (size_t i = 0; i < result->hosts; i++)
		for (size_t k = 0; k < result->host[i].addresses; k++) {
			const struct mx_address *address = &result->host[i].address[k];

			if (address->local)
				continue;
			work->waiting++;
			probe_start(&work->probe[i][k], &work->check.loop, &address->addr,
				    work->domain, name, probe_is_over, work);
		}
}

static void take_results(struct work *work)
{
	struct mx_result *result = mx_result(work->mx);

	for (size_t i = 0; i < result->hosts; i++)
		for (size_t k = 0; k < result->host[i].addresses; k++) {
			struct probe *probe = &work->probe[i][k];

			probe_stop(probe, "no answer within 30 seconds");
			result->host[i].address[k].works = probe->talk.works;
		}
}

static void try_hosts(struct work *work)
{
	start_probes(work);
	if (work->waiting && !work->late)
		uv_run(&work->check.loop, UV_RUN_DEFAULT);
	take_results(work);
}

/* A host that closes while it is being written to must not end the program. */
static int find_out(struct work *work, struct error *err)
{
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	int code;

	uv_timer_init(&work->check.loop, &work->timer);
	work->timer.data = work;
	uv_timer_start(&work->timer, time_is_over, MX_SECONDS_MAX * MS_A_SECOND, 0);
	code = find_hosts(work, err);
	if (code == 0)
		try_hosts(work);
	uv_close((uv_handle_t *)&work->timer, NULL);
	signal(SIGPIPE, before);
	return code;
}

/* The answer */

static int print_verdict(const struct cli_call *call, struct work *work, struct error *err)
{
	struct mx_check check = { .domain = work->domain, .result = mx_result(work->mx) };
	char reason[MX_REASON_MAX];
	int code;

	for (size_t i = 0; i < MX_HOSTS_MAX; i++)
		for (size_t k = 0; k < MX_ADDRESSES_MAX; k++)
			check.talk[i][k] = &work->probe[i][k].talk;
	if (call->option[OPTION_JSON])
		code = mx_show_json(&check, err);
	else
		code = mx_show_text(&check, err);
	if (code < 0)
		return code;
	switch (mx_judge(&check, reason)) {
	case MX_GOOD:
		return CLI_DONE;
	case MX_FAULT:
		return CLI_FOUND;
	default:
		return error_set(err, ERROR_REFUSED, "%s: %s", work->domain, reason);
	}
}

static int run_check_mx(struct cli_call *call, struct error *err)
{
	struct work *work = calloc(1, sizeof(*work));
	int code;

	if (!work)
		return error_set(err, ERROR_REFUSED, "out of memory");
	code = take_domain(work, call->word[0], err);
	if (code == 0)
		code = check_open(&work->check, call, err);
	if (code == 0)
		code = find_out(work, err);
	if (code == 0)
		code = print_verdict(call, work, err);
	mx_free(&work->mx);
	check_close(&work->check);
	free(work);
	return code;
}

const struct cli_command command_check_mx = {
	.name = "check mx",
	.arguments = "DOMAIN",
	.min = 1,
	.max = 1,
	.options = CLI_TAKES(OPTION_DNS),
	.group = GROUP_CHECK,
	.summary = "find out whether two or more independent mail hosts work",
	.text = "Asks for the mail hosts (MX) of the domain and their addresses, and tries each "
		"address on port 25 as far as a recipient: greeting, EHLO, MAIL FROM:<>, RCPT "
		"TO:<postmaster@DOMAIN>, QUIT. No mail is sent. A host works if one of its "
		"addresses does; two hosts are independent if they have no address in common. "
		"Whether they are also in different networks (/24, /64) is shown, and is no "
		"fault.\n\nNo agent has to run. The DNS servers of this host are asked, or with "
		"--dns that one alone. It takes 30 seconds at most; of a domain the 16 most "
		"preferred hosts are looked at, and four addresses of each. The exit code is 0 if "
		"two independent hosts work, 1 if not, and 4 if the DNS cannot tell now.",
	.examples = { "posternctl check mx example.com", "posternctl check mx example.com --json",
		      "posternctl check mx example.com --dns 127.0.0.1:53" },
	.found = "fault",
	.run = run_check_mx,
};
