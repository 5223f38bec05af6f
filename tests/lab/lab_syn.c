/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/lab/lab_syn.c - see syn.h.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/syn.h"

#define TCP_LENGTH 20
#define TCP_SYN    0x02

#define FULL_TRIES    5000
#define FULL_PAUSE_US 200

void syn_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

double syn_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct addr syn_addr(const char *text)
{
	struct addr addr;

	if (addr_parse(text, strlen(text), &addr, NULL))
		syn_fail("%s: not an address", text);
	return addr;
}

/* What `ip netns add` made is a file below /run/netns; the machine's own namespace is not there. */
static bool in_named_namespace(void)
{
	struct stat own, named;
	struct dirent *entry;
	bool found = false;
	char path[300];
	DIR *names;

	names = opendir("/run/netns");
	if (!names || stat("/proc/self/ns/net", &own))
		return false;
	while (!found && (entry = readdir(names))) {
		snprintf(path, sizeof(path), "/run/netns/%s", entry->d_name);
		found = !stat(path, &named) && named.st_dev == own.st_dev &&
			named.st_ino == own.st_ino;
	}
	closedir(names);
	return found;
}

void syn_open(struct syn_link *link, const char *iface, const char *peer)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq request = { 0 };
	unsigned int byte[6];
	const int one = 1;

	if (!in_named_namespace())
		syn_fail("this sends floods: it runs in a network namespace of a test only");
	if (sscanf(peer, "%x:%x:%x:%x:%x:%x", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4],
		   &byte[5]) != 6)
		syn_fail("%s: not an Ethernet address", peer);
	for (int i = 0; i < 6; i++)
		link->peer[i] = (uint8_t)byte[i];
	link->ifindex = (int)if_nametoindex(iface);
	link->fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", iface);
	if (link->fd < 0 || ioctl(link->fd, SIOCGIFHWADDR, &request))
		syn_fail("%s: %s", iface, strerror(errno));
	memcpy(link->own, request.ifr_hwaddr.sa_data, sizeof(link->own));
	at.sll_ifindex = link->ifindex;
	setsockopt(link->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	if (bind(link->fd, (struct sockaddr *)&at, sizeof(at)))
		syn_fail("%s: %s", iface, strerror(errno));
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static uint32_t sum_words(const uint8_t *data, size_t length, uint32_t sum)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	return sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t build_ip(uint8_t *ip, const struct addr *source, const struct addr *dest)
{
	if (addr_is_ipv4(source)) {
		ip[0] = 0x45;
		put16(ip + 2, 20 + TCP_LENGTH);
		put16(ip + 6, 0x4000);
		ip[8] = 64;
		ip[9] = IPPROTO_TCP;
		memcpy(ip + 12, source->byte + 12, 4);
		memcpy(ip + 16, dest->byte + 12, 4);
		put16(ip + 10, checksum(sum_words(ip, 20, 0)));
		return 20;
	}
	ip[0] = 0x60;
	put16(ip + 4, TCP_LENGTH);
	ip[6] = IPPROTO_TCP;
	ip[7] = 64;
	memcpy(ip + 8, source->byte, 16);
	memcpy(ip + 24, dest->byte, 16);
	return 40;
}

size_t syn_build(const struct syn_link *link, const struct addr *source, uint16_t source_port,
		 const struct addr *dest, uint16_t dest_port, uint32_t sequence,
		 uint8_t frame[SYN_FRAME_MAX])
{
	const bool ipv4 = addr_is_ipv4(source);
	uint8_t *ip = frame + ETH_HLEN, *tcp;
	size_t header;

	memset(frame, 0, SYN_FRAME_MAX);
	memcpy(frame, link->peer, ETH_ALEN);
	memcpy(frame + ETH_ALEN, link->own, ETH_ALEN);
	put16(frame + 12, ipv4 ? ETH_P_IP : ETH_P_IPV6);
	header = build_ip(ip, source, dest);
	tcp = ip + header;
	put16(tcp, source_port);
	put16(tcp + 2, dest_port);
	put32(tcp + 4, sequence);
	tcp[12] = TCP_LENGTH / 4 << 4;
	tcp[13] = TCP_SYN;
	put16(tcp + 14, 64240);
	put16(tcp + 16, checksum(sum_words(tcp, TCP_LENGTH,
					   sum_words(ip + (ipv4 ? 12 : 8), ipv4 ? 8 : 32,
						     IPPROTO_TCP + TCP_LENGTH))));
	return ETH_HLEN + header + TCP_LENGTH;
}

static bool is_full(void)
{
	return errno == ENOBUFS || errno == EAGAIN;
}

bool syn_send(const struct syn_link *link, const uint8_t *frame, size_t length)
{
	bool sent = send(link->fd, frame, length, 0) == (ssize_t)length;

	for (int i = 0; !sent && is_full() && i < FULL_TRIES; i++) {
		usleep(FULL_PAUSE_US);
		sent = send(link->fd, frame, length, 0) == (ssize_t)length;
	}
	return sent;
}
