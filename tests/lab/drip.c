/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drip.c - connections that are slow: each sends one octet a second, spread evenly over all of
 * them, and reads whatever it is answered.
 *
 * usage: drip SERVER PORT COUNT SOURCES HEAD TEXT
 *   SOURCES  a prefix as 203.0.113.0/24 of which each connection takes the next
 *   HEAD     lines of which each says one after every reply, the greeting first; CR LF is "|"
 *   TEXT     whose octets follow behind the last reply, one a second, again and again; BDAT has
 * none
 *
 * Opens the connections a few at a time, prints {"open": n} when all are there, drips until
 * SIGTERM, and prints {"open": n, "ended": n, "octets": n}: still open, ended by the server, sent
 * in all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OPENING_MAX 64 /* connections that wait for their greeting, so that no queue overflows */
#define EVENTS      256
#define STALLED_S   10 /* without a new connection: more are not to be had */

struct client {
	int fd;              /* -1: ended, or never opened */
	bool greeted, ready; /* ready: it may drip */
	double began;        /* s of now() */
	size_t head;         /* octets of the head that have been said */
	size_t at;           /* in the text */
};

static struct {
	struct sockaddr_in server;
	uint32_t source, hosts;
	char *head, *text;
	size_t count, started, open, greeted, ended, octets;
	size_t next;        /* who sends the next octet */
	double first, last; /* s */
	int poll;
	struct client *client;
	volatile sig_atomic_t end;
} drip;

static void on_term(int number)
{
	(void)number;
	drip.end = 1;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void begin(struct client *client)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	const int one = 1;

	client->began = now();
	own.sin_addr.s_addr = htonl(drip.source + 1 + (uint32_t)(drip.started++ % drip.hosts));
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (client->fd < 0)
		fail("socket");
	setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(client->fd, (struct sockaddr *)&own, sizeof(own)))
		fail("bind");
	if (connect(client->fd, (struct sockaddr *)&drip.server, sizeof(drip.server)) &&
	    errno != EINPROGRESS)
		fail("connect");
	if (epoll_ctl(drip.poll, EPOLL_CTL_ADD, client->fd, &event))
		fail("epoll_ctl");
	drip.open++;
}

static void finish(struct client *client)
{
	const double age = now() - client->began;

	drip.first = drip.ended && drip.first < age ? drip.first : age;
	drip.last = drip.last > age ? drip.last : age;
	close(client->fd);
	client->fd = -1;
	drip.open--;
	drip.ended++;
}

static void say(struct client *client, const char *text, size_t size)
{
	ssize_t sent = send(client->fd, text, size, MSG_NOSIGNAL);

	if (sent > 0)
		drip.octets += (size_t)sent;
	else if (errno != EAGAIN)
		finish(client);
}

/* The next line of the head. */
static void say_line(struct client *client)
{
	const char *line = drip.head + client->head, *end = strchr(line, '\n');
	const size_t size = end ? (size_t)(end - line) + 1 : strlen(line);

	client->head += size;
	client->ready = !drip.head[client->head] && !strncmp(line, "BDAT", 4);
	say(client, line, size);
}

/* The last line of it has no "-" behind its code. */
static bool ends_reply(const char *text, size_t size)
{
	size_t line = size ? size - 1 : 0;

	while (line && text[line - 1] != '\n')
		line--;
	return line + 3 < size && text[line + 3] == ' ';
}

static void readable(struct client *client)
{
	char reply[2048];
	const ssize_t size = read(client->fd, reply, sizeof(reply));

	if (size <= 0 && (!size || errno != EAGAIN)) {
		drip.greeted += !client->greeted; /* nobody waits for it any more */
		client->greeted = true;
		finish(client);
	} else if (size > 0) {
		drip.greeted += !client->greeted;
		client->greeted = true;
		if (!ends_reply(reply, (size_t)size))
			return;
		if (drip.head[client->head])
			say_line(client);
		else
			client->ready = true;
	}
}

/* As many octets as are due: `count` a second in all. */
static void let_drip(double seconds, double *due)
{
	*due += seconds * (double)drip.count;
	for (; *due >= 1; *due -= 1) {
		struct client *client = &drip.client[drip.next++ % drip.count];

		if (client->fd < 0 || !client->ready)
			continue;
		say(client, &drip.text[client->at], 1);
		client->at = drip.text[client->at + 1] ? client->at + 1 : 0;
	}
}

static void look(int patience)
{
	struct epoll_event events[EVENTS];
	const int number = epoll_wait(drip.poll, events, EVENTS, patience);

	for (int i = 0; i < number; i++) {
		struct client *client = events[i].data.ptr;

		if (client->fd >= 0)
			readable(client);
	}
}

static void open_all(void)
{
	double last = now();

	while (!drip.end && drip.greeted < drip.count && now() - last < STALLED_S) {
		const size_t before = drip.greeted;

		while (drip.started < drip.count && drip.started < drip.greeted + OPENING_MAX)
			begin(&drip.client[drip.started]);
		look(100);
		if (drip.greeted > before)
			last = now();
	}
	printf("{\"open\": %zu}\n", drip.open);
	fflush(stdout);
}

/* "|" is CR LF. */
static char *text_of(const char *words)
{
	char *text = calloc(2, strlen(words) + 1), *at = text;

	for (; *words; words++) {
		if (*words == '|')
			*at++ = '\r';
		*at++ = *words == '|' ? '\n' : *words;
	}
	return text;
}

static void setup(char **argv)
{
	char *slash = strchr(argv[4], '/');
	struct rlimit files;

	drip.server.sin_family = AF_INET;
	inet_pton(AF_INET, argv[1], &drip.server.sin_addr);
	drip.server.sin_port = htons((uint16_t)atoi(argv[2]));
	drip.count = strtoul(argv[3], NULL, 10);
	*slash = '\0';
	inet_pton(AF_INET, argv[4], &drip.source);
	drip.source = ntohl(drip.source);
	drip.hosts = (1u << (32 - atoi(slash + 1))) - 2;
	drip.head = text_of(argv[5]);
	drip.text = text_of(argv[6]);
	drip.client = calloc(drip.count, sizeof(*drip.client));
	drip.poll = epoll_create1(0);
	signal(SIGTERM, on_term);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (size_t i = 0; i < drip.count; i++)
		drip.client[i].fd = -1;
}

int main(int argc, char **argv)
{
	double last, due = 0;

	if (argc != 7) {
		fprintf(stderr, "usage: drip SERVER PORT COUNT SOURCES HEAD TEXT\n");
		return 2;
	}
	setup(argv);
	open_all();
	last = now();
	while (!drip.end && drip.open) {
		const double time = now();

		let_drip(time - last, &due);
		last = time;
		look(1);
	}
	printf("{\"open\": %zu, \"ended\": %zu, \"octets\": %zu, \"first\": %.2f, \"last\": "
	       "%.2f}\n",
	       drip.open, drip.ended, drip.octets, drip.first, drip.last);
	return 0;
}
