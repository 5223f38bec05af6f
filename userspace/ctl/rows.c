/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/rows.c - see ctl/rows.h. One lock, one condition; the chunk that is being filled belongs to
 * the handler's thread alone.
 */
#include "ctl/rows.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char row_before[] = "{\"row\":";
static const char row_after[] = "}\n";
#define ROW_FRAME (sizeof(row_before) - 1 + sizeof(row_after) - 1)

struct chunk {
	struct chunk *next;
	char *text;
	size_t size;
};

struct ctl_rows {
	ctl_rows_wake wake;
	void *arg;
	char *text; /* the chunk that is being filled, or NULL */
	size_t used;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t space;
	struct chunk *first, **last;
	size_t waiting; /* bytes taken or not, but not sent */
	bool abandoned;
};

int ctl_rows_open(struct ctl_rows **out, ctl_rows_wake wake, void *arg, struct error *err)
{
	struct ctl_rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return error_set(err, ERROR_REFUSED, "out of memory");
	rows->wake = wake;
	rows->arg = arg;
	rows->last = &rows->first;
	pthread_mutex_init(&rows->lock, NULL);
	pthread_cond_init(&rows->space, NULL);
	*out = rows;
	return 0;
}

void ctl_rows_close(struct ctl_rows **rows)
{
	char *text;
	size_t size;

	if (!*rows)
		return;
	while ((text = ctl_rows_take(*rows, &size)))
		free(text);
	pthread_cond_destroy(&(*rows)->space);
	pthread_mutex_destroy(&(*rows)->lock);
	free((*rows)->text);
	free(*rows);
	*rows = NULL;
}

/* Appends the chunk and waits until there is room for another one. */
static bool queue_chunk(struct ctl_rows *rows, struct chunk *chunk)
{
	bool abandoned;

	pthread_mutex_lock(&rows->lock);
	*rows->last = chunk;
	rows->last = &chunk->next;
	rows->waiting += chunk->size;
	rows->wake(rows->arg);
	while (rows->waiting > ROWS_QUEUE_MAX && !rows->abandoned)
		pthread_cond_wait(&rows->space, &rows->lock);
	abandoned = rows->abandoned;
	pthread_mutex_unlock(&rows->lock);
	return !abandoned;
}

/* Hands the text that was gathered to the loop. */
static bool hand_out(struct ctl_rows *rows)
{
	struct chunk *chunk;

	if (!rows->used)
		return true;
	chunk = calloc(1, sizeof(*chunk));
	if (!chunk)
		return false;
	chunk->text = rows->text;
	chunk->size = rows->used;
	rows->text = NULL;
	rows->used = 0;
	return queue_chunk(rows, chunk);
}

static void append(struct ctl_rows *rows, const char *text, size_t size)
{
	memcpy(rows->text + rows->used, text, size);
	rows->used += size;
}

/* Writes the row into the chunk that is being filled; false if it does not fit. */
static bool write_row(struct ctl_rows *rows, const json_t *row)
{
	const size_t room = ROWS_CHUNK_BYTES - rows->used;
	size_t size;

	if (!rows->text)
		rows->text = malloc(ROWS_CHUNK_BYTES);
	if (!rows->text || room < ROW_FRAME)
		return false;
	/* Says how much it needs, and writes only what there is room for. */
	size = json_dumpb(row, rows->text + rows->used + sizeof(row_before) - 1, room - ROW_FRAME,
			  JSON_COMPACT);
	if (!size || size > room - ROW_FRAME)
		return false;
	append(rows, row_before, sizeof(row_before) - 1);
	rows->used += size;
	append(rows, row_after, sizeof(row_after) - 1);
	return true;
}

bool ctl_rows_add(struct ctl_rows *rows, json_t *row)
{
	bool added = row && write_row(rows, row);

	if (row && !added && rows->used)
		added = hand_out(rows) && write_row(rows, row);
	json_decref(row);
	return added;
}

bool ctl_rows_flush(struct ctl_rows *rows)
{
	return hand_out(rows);
}

char *ctl_rows_take(struct ctl_rows *rows, size_t *size)
{
	struct chunk *chunk;
	char *text = NULL;

	pthread_mutex_lock(&rows->lock);
	chunk = rows->first;
	if (chunk) {
		rows->first = chunk->next;
		if (!rows->first)
			rows->last = &rows->first;
		text = chunk->text;
		*size = chunk->size;
		free(chunk);
	}
	pthread_mutex_unlock(&rows->lock);
	return text;
}

void ctl_rows_sent(struct ctl_rows *rows, size_t size)
{
	pthread_mutex_lock(&rows->lock);
	rows->waiting -= size;
	pthread_cond_signal(&rows->space);
	pthread_mutex_unlock(&rows->lock);
}

void ctl_rows_abandon(struct ctl_rows *rows)
{
	pthread_mutex_lock(&rows->lock);
	rows->abandoned = true;
	pthread_cond_signal(&rows->space);
	pthread_mutex_unlock(&rows->lock);
}
