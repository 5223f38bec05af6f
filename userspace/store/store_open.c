/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_open.c - opening and closing the store.
 *
 * Called by the agent at its start and end, and by nobody else: the store is locked for one
 * process. What is found on disk is looked at before it is trusted: kind of file, length, version,
 * the databases and their flags, the records of the lists. store_check() looks at the rest. A page
 * that holds something else than it should is met only when it is read.
 *
 * struct store is owned by the caller of store_open() until store_close(). Every transaction must
 * have ended by then.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "store/store_internal.h"

#define STORE_VERSION 1u
#define STORE_READERS 126 /* read transactions at a time */
#define STORE_MODE    0600
#define VERSION_KEY   "version"

#define DUPS (MDB_DUPSORT | MDB_INTEGERKEY)

static const struct {
	const char *name;
	unsigned int flags;
} databases[DB_COUNT] = {
	[DB_LISTS] = { "lists", 0 },       [DB_ENTRIES] = { "entries", DUPS | MDB_DUPFIXED },
	[DB_NOTES] = { "notes", DUPS },    [DB_EXPIRY] = { "expiry", DUPS | MDB_DUPFIXED },
	[DB_SETTINGS] = { "settings", 0 }, [DB_HISTORY] = { "history", 0 },
	[DB_META] = { "meta", 0 },
};

/* How many of the free pages have the number `first` or a higher one. */
static int count_free_pages(MDB_env *env, size_t first, size_t *count)
{
	const MDB_dbi free_pages = 0; /* LMDB's own: transaction -> how many, their numbers */
	MDB_cursor *cursor = NULL;
	MDB_txn *txn;
	MDB_val key, data;
	int rc;

	*count = 0;
	rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	if (rc)
		return rc;
	rc = mdb_cursor_open(txn, free_pages, &cursor);
	while (!rc && !(rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT))) {
		const size_t *page = data.mv_data;

		if (data.mv_size < sizeof(*page) || page[0] > data.mv_size / sizeof(*page) - 1)
			rc = MDB_CORRUPTED;
		for (size_t i = 1; !rc && i <= page[0]; i++)
			*count += page[i] >= first;
	}
	if (cursor)
		mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/*
 * A file that lost its end would end the agent with SIGBUS. LMDB leaves out free pages at the end,
 * so a short file is sound if all that it lacks is free; it is then brought to its full length.
 */
static int check_length(struct store *store, int fd, struct error *err)
{
	struct stat file;
	MDB_envinfo info;
	MDB_stat stat;
	size_t have, need, spare;
	int rc;

	mdb_env_info(store->env, &info);
	mdb_env_stat(store->env, &stat);
	if (fstat(fd, &file))
		return store_fail(store, errno, "look at the file", err);
	have = (size_t)file.st_size / stat.ms_psize;
	need = info.me_last_pgno + 1;
	if (have >= need)
		return 0;
	if (ftruncate(fd, (off_t)(need * stat.ms_psize)))
		return store_fail(store, errno, "lengthen the file", err);
	rc = count_free_pages(store->env, have, &spare);
	if (!rc && spare >= need - have)
		return 0;
	/* Leave everything as it was found. */
	if (ftruncate(fd, file.st_size))
		return store_fail(store, errno, "leave data.mdb as short as it was", err);
	return error_set(err, ERROR_REFUSED,
			 "the store %s is damaged: data.mdb has lost its end (%zu of %zu pages are "
			 "there)",
			 store->dir, have, need);
}

/* LMDB ends the process rather than follow what is damaged. Say first which store it is. */
static void say_damaged(MDB_env *env, const char *detail)
{
	const struct store *store = mdb_env_get_userctx(env);

	log_error("store.damaged", "{s:s, s:s}", "directory", store->dir, "detail", detail);
}

static int open_environment(struct store *store, struct error *err)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int dead, fd, rc;

	rc = mdb_env_create(&store->env);
	if (!rc)
		rc = mdb_env_set_mapsize(store->env, (store->size + page - 1) / page * page);
	if (!rc)
		rc = mdb_env_set_userctx(store->env, store);
	if (!rc)
		rc = mdb_env_set_assert(store->env, say_damaged);
	if (!rc)
		rc = mdb_env_set_maxdbs(store->env, DB_COUNT);
	if (!rc)
		rc = mdb_env_set_maxreaders(store->env, STORE_READERS);
	/* Without MDB_NOTLS a read transaction would belong to one thread. */
	if (!rc)
		rc = mdb_env_open(store->env, store->dir, MDB_NOTLS, STORE_MODE);
	/* What a killed process was reading would never be reused. */
	if (!rc)
		rc = mdb_reader_check(store->env, &dead);
	if (!rc)
		rc = mdb_env_get_fd(store->env, &fd);
	if (rc)
		return store_fail(store, rc, "open it", err);
	return check_length(store, fd, err);
}

static int not_ours(struct store_txn *txn, const char *missing, struct error *err)
{
	return error_set(err, ERROR_REFUSED,
			 "the store %s is damaged or not Postern's: no %s in it", txn->store->dir,
			 missing);
}

static int read_version(struct store_txn *txn, struct error *err)
{
	MDB_val key = store_val(VERSION_KEY, strlen(VERSION_KEY)), data;
	uint32_t version;
	int rc;

	rc = mdb_get(txn->txn, txn->store->db[DB_META], &key, &data);
	if (rc == MDB_NOTFOUND)
		return not_ours(txn, "version", err);
	if (rc)
		return store_txn_fail(txn, rc, "read its version", err);
	if (data.mv_size != sizeof(version))
		return store_damaged(txn, err, "its version is not a number");
	memcpy(&version, data.mv_data, sizeof(version));
	if (version != STORE_VERSION)
		return error_set(err, ERROR_REFUSED,
				 "the store %s has version %u and this agent reads version %u: "
				 "use the agent that wrote it, or another state-directory",
				 txn->store->dir, version, STORE_VERSION);
	return 0;
}

static int write_version(struct store_txn *txn, struct error *err)
{
	const uint32_t version = STORE_VERSION;
	MDB_val key = store_val(VERSION_KEY, strlen(VERSION_KEY));
	MDB_val data = store_val(&version, sizeof(version));
	int rc;

	rc = mdb_put(txn->txn, txn->store->db[DB_META], &key, &data, 0);
	return rc ? store_txn_fail(txn, rc, "write its version", err) : 0;
}

static int open_database(struct store_txn *txn, enum store_db db, unsigned int create,
			 struct error *err)
{
	unsigned int flags;
	int rc;

	rc = mdb_dbi_open(txn->txn, databases[db].name, databases[db].flags | create,
			  &txn->store->db[db]);
	if (!rc)
		rc = mdb_dbi_flags(txn->txn, txn->store->db[db], &flags);
	if (!rc && flags != databases[db].flags)
		rc = MDB_INCOMPATIBLE;
	if (rc == MDB_NOTFOUND)
		return not_ours(txn, databases[db].name, err);
	return rc ? store_txn_fail(txn, rc, "open its databases", err) : 0;
}

/* Returns 1 if LMDB has just made the file or nothing was ever committed to it, 0 if not. */
static int is_new(struct store_txn *txn, struct error *err)
{
	MDB_stat stat;
	MDB_dbi root;
	int rc;

	rc = mdb_dbi_open(txn->txn, NULL, 0, &root);
	if (!rc)
		rc = mdb_stat(txn->txn, root, &stat);
	if (rc)
		return store_txn_fail(txn, rc, "read it", err);
	return stat.ms_entries == 0;
}

static int open_databases(struct store_txn *txn, struct error *err)
{
	struct list_info lists[LIST_SLOTS];
	const int new = is_new(txn, err);
	const unsigned int create = new ? MDB_CREATE : 0;
	int result;

	if (new < 0)
		return new;
	/* The version comes first: the flags of another version's databases mean nothing here. */
	result = open_database(txn, DB_META, create, err);
	if (!result)
		result = new ? write_version(txn, err) : read_version(txn, err);
	/* The history is younger than its version: stores without it get it, and older agents leave
	 * it alone.
	 */
	for (int db = 0; db < DB_META && !result; db++)
		result = open_database(txn, (enum store_db)db,
				       db == DB_HISTORY ? MDB_CREATE : create, err);
	if (!result && store_list_all(txn, lists, err) < 0)
		result = ERROR_REFUSED;
	return result;
}

/* The names of new files are safe only when their directory is. */
static int sync_directory(const struct store *store, struct error *err)
{
	const int fd = open(store->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int errnum = 0;

	if (fd < 0 || fsync(fd))
		errnum = errno;
	if (fd >= 0)
		close(fd);
	return errnum ? store_fail(store, errnum, "make its directory durable", err) : 0;
}

static void close_environment(struct store *store)
{
	if (store->env)
		mdb_env_close(store->env);
	store->env = NULL;
}

/* The first transaction, which makes the databases or looks at them. The turn is not needed yet. */
static int open_contents(struct store *store, struct error *err)
{
	struct store_txn txn = { .store = store, .writes = true };
	int rc, result;

	result = open_environment(store, err);
	if (result)
		return result;
	rc = mdb_txn_begin(store->env, NULL, 0, &txn.txn);
	if (rc)
		return store_fail(store, rc, "begin to write", err);
	result = open_databases(&txn, err);
	if (result) {
		mdb_txn_abort(txn.txn);
		return result;
	}
	rc = mdb_txn_commit(txn.txn);
	return rc ? store_fail(store, rc, "commit", err) : sync_directory(store, err);
}

int store_ensure_open(struct store *store, struct error *err)
{
	const int result = store->env ? 0 : open_contents(store, err);

	if (result)
		close_environment(store);
	return result;
}

/* The agent has given up privileges since: is what it has open still there for it to open? */
static bool can_reopen(const struct store *store)
{
	static const char *const names[] = { "data.mdb", "lock.mdb" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (snprintf(path, sizeof(path), "%s/%s", store->dir, names[i]) >= PATH_MAX ||
		    access(path, R_OK | W_OK))
			return false;
	return true;
}

void store_trim(struct store *store)
{
	struct error err;

	if (!atomic_load(&store->swollen))
		return;
	pthread_mutex_lock(&store->turn);
	if (!store->open && can_reopen(store)) {
		close_environment(store);
		if (store_ensure_open(store, &err))
			log_error("store.closed", "{s:s}", "error", err.text);
		malloc_trim(0);
		atomic_store(&store->swollen, false);
	}
	pthread_mutex_unlock(&store->turn);
}

int store_open(struct store **out, const char *dir, size_t size, struct error *err)
{
	struct store *store = calloc(1, sizeof(*store));
	int result;

	if (!store || !(store->dir = strdup(dir))) {
		free(store);
		return error_errno(err, ERROR_REFUSED, ENOMEM, "cannot open the store %s", dir);
	}
	store->size = size;
	store->lock = -1;
	pthread_mutex_init(&store->turn, NULL);
	result = store_lock_take(dir, &store->lock, err);
	if (!result)
		result = open_contents(store, err);
	if (result) {
		store_close(&store);
		return result;
	}
	*out = store;
	return 0;
}

const char *store_directory(const struct store *store)
{
	return store->dir;
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	close_environment(*store);
	pthread_mutex_destroy(&(*store)->turn);
	store_lock_drop(&(*store)->lock);
	free((*store)->dir);
	free(*store);
	*store = NULL;
}
