/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/snapshot.h - files of the state directory that are written as a whole: what is worth
 * keeping over a restart, but changes too often for the store, and may be lost.
 *
 * A file is a head, then octets that mean something to the caller. It replaces its former self in
 * one step, once it is on disk, so a crash leaves the old one or the new one. It is read by the
 * machine that wrote it: numbers are in the host's byte order, as in the store. The store's lock
 * (store/store.h) keeps a second agent away; the directory is the agent's, and nobody else's.
 *
 * What was written says how old it was then, not when it was; the head has the clocks, so that the
 * reader knows how long ago that is. While the machine runs that is told by a clock that nobody
 * sets. Only after a start of the machine it is told by the time of day.
 */
#ifndef POSTERN_STORE_SNAPSHOT_H
#define POSTERN_STORE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* Seconds that the time of day may lie behind a file's: a clock that is not set yet. */
#define SNAPSHOT_AHEAD_MAX 86400u

struct snapshot_time {
	uint32_t wall;    /* seconds since 1970 */
	uint32_t mono;    /* seconds of CLOCK_MONOTONIC */
	uint8_t boot[16]; /* which start of the machine that counts from; zeros: not known */
};

struct snapshot_head {
	char magic[8];
	uint64_t size;     /* octets behind the head */
	uint64_t checksum; /* of head and octets, with 0 here */
	struct snapshot_time time;
	uint32_t version; /* of what the octets mean */
	uint32_t zero;
};

_Static_assert(sizeof(struct snapshot_head) == 56, "snapshot: a head has no padding");

struct snapshot_file {
	const char *directory;
	const char *name;
	uint32_t version;
	size_t size_max; /* octets with the head: more is no file of ours */
};

/* What was read. The caller owns it, and gives it back with snapshot_free(). */
struct snapshot {
	void *whole;   /* head and octets */
	uint8_t *data; /* the octets, aligned for numbers of 64 bits; the caller may change them */
	size_t size;
	uint32_t age; /* seconds */
};

void snapshot_now(struct snapshot_time *out);

/*
 * Pure. `whole` begins with room for a head, `size` counts it: fills the head.
 */
void snapshot_seal(void *whole, size_t size, uint32_t version, const struct snapshot_time *now);
/* Pure. ERROR_REFUSED if it is damaged, of another version, or of the time to come; `age` is in
 * seconds. */
int snapshot_check(const void *whole, size_t size, uint32_t version,
		   const struct snapshot_time *now, uint32_t *age, struct error *err);

/*
 * Seals it and writes it: another file first, which then takes the name. Waits for the disk. The
 * file is readable for the agent's user alone.
 */
int snapshot_write(const struct snapshot_file *file, void *whole, size_t size, struct error *err);
/*
 * Returns 1 and fills `out`, or 0 if there is no such file; an error if it is not to be used. Only
 * regular files are read, and no link is followed.
 */
int snapshot_read(const struct snapshot_file *file, struct snapshot *out, struct error *err);
void snapshot_free(struct snapshot *snapshot);
/* The file is called NAME.bad from now on, so that a person may look at it; an older one goes. */
int snapshot_put_aside(const struct snapshot_file *file, struct error *err);

#endif
