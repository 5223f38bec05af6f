/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/spf/bench_libspf2.c - libspf2 on one case of bench_spf.py, again and again. It asks the
 * servers of /etc/resolv.conf. Built only where libspf2-dev is installed.
 *
 * usage: bench_libspf2 cache|none ROUNDS IP HELO FROM
 *
 * prints {"result": "pass", "count": n, "seconds": s, "cpu": s} as bench_resolver does. The first
 * evaluation, which may fill its cache, is not counted.
 */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <spf2/spf.h>

#define NS 1e9
#define US 1e6

static double elapsed_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / NS;
}

static double processor_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / US;
}

static const char *evaluate(SPF_server_t *server, char **argv)
{
	SPF_request_t *request = SPF_request_new(server);
	SPF_response_t *response = NULL;
	const char *result;

	SPF_request_set_ipv4_str(request, argv[3]);
	SPF_request_set_helo_dom(request, argv[4]);
	SPF_request_set_env_from(request, argv[5]);
	SPF_request_query_mailfrom(request, &response);
	result = SPF_strresult(SPF_response_result(response));
	SPF_response_free(response);
	SPF_request_free(request);
	return result;
}

int main(int argc, char **argv)
{
	SPF_server_t *server;
	double start, used;
	const char *result;
	long rounds;

	if (argc != 6)
		return 2;
	server = SPF_server_new(strcmp(argv[1], "cache") ? SPF_DNS_RESOLV : SPF_DNS_CACHE, 0);
	rounds = strtol(argv[2], NULL, 10);
	result = evaluate(server, argv);
	start = elapsed_seconds();
	used = processor_seconds();
	for (long i = 0; i < rounds; i++)
		result = evaluate(server, argv);
	printf("{\"result\": \"%s\", \"count\": %ld, \"seconds\": %.6f, \"cpu\": %.6f}\n", result,
	       rounds, elapsed_seconds() - start, processor_seconds() - used);
	SPF_server_free(server);
	return 0;
}
