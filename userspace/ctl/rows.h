/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/rows.h - the rows of a long answer, from a thread of the pool to the loop, with
 * back-pressure.
 *
 * The handler adds rows; they are gathered into chunks. While ROWS_QUEUE_MAX bytes wait to be sent
 * it is made to wait, so an answer of a million rows never stands in memory. The loop takes chunks
 * and says when they are sent. When the peer goes away the loop closes the rows, and the handler's
 * next ctl_rows_add() says that it may stop.
 */
#ifndef POSTERN_CTL_ROWS_H
#define POSTERN_CTL_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

#define ROWS_CHUNK_BYTES (64u << 10)
#define ROWS_QUEUE_MAX   (4u * ROWS_CHUNK_BYTES)

struct ctl_rows;

/* Says to the loop that there is a chunk. Called from the handler's thread. */
typedef void (*ctl_rows_wake)(void *arg);

int ctl_rows_open(struct ctl_rows **out, ctl_rows_wake wake, void *arg, struct error *err);
void ctl_rows_close(struct ctl_rows **rows);

/* The handler's side. Takes over `row`; false when it cannot be sent: the peer is gone, or no
 * memory. */
bool ctl_rows_add(struct ctl_rows *rows, json_t *row);
/* Hands out the last, incomplete chunk, after the last row; false as above. */
bool ctl_rows_flush(struct ctl_rows *rows);

/* The loop's side. The next chunk in order, which the caller frees, or NULL. */
char *ctl_rows_take(struct ctl_rows *rows, size_t *size);
/* `size` bytes are sent: they no longer count as waiting. */
void ctl_rows_sent(struct ctl_rows *rows, size_t size);
/* The peer is gone. */
void ctl_rows_abandon(struct ctl_rows *rows);

#endif
