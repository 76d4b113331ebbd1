/* SQLite: one file on this machine.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/backend.h"

enum { APPLICATION_ID = 0x4c644442 }; /* "LdDB", in the header of the file */

struct sqlite {
	struct ld_store store; /* first */
	sqlite3 *db;
	char *path;
};

static struct sqlite *
sqlite_of(struct ld_store *store)
{
	return (struct sqlite *)(void *)store;
}

/* ---- What went wrong ------------------------------------------------------------------------ */

static int
error_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return LINDUNG_EBUSY;
	case SQLITE_CORRUPT:
		return LINDUNG_EDAMAGED;
	case SQLITE_NOTADB:
		return LINDUNG_EFORMAT;
	case SQLITE_NOMEM:
		return LINDUNG_ENOMEM;
	case SQLITE_TOOBIG:
		return LINDUNG_EINVAL;
	case SQLITE_CONSTRAINT:
		return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
				       code == SQLITE_CONSTRAINT_ROWID
			       ? LINDUNG_EEXISTS
			       : LINDUNG_EINVAL;
	case SQLITE_ERROR:
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
	case SQLITE_MISMATCH:
		return LINDUNG_EINTERNAL;
	default: /* SQLITE_FULL, SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY ... */
		return LINDUNG_EIO;
	}
}

static const char *
advice_of(int error)
{
	switch (error) {
	case LINDUNG_EBUSY:
		return "; another process holds it: is a second one running?";
	case LINDUNG_EDAMAGED:
		return "; the file is damaged: restore a backup";
	case LINDUNG_EFORMAT:
		return "; this is no database of ours: name another file";
	case LINDUNG_EIO:
		return "; is there room on the disk, and may we write there?";
	default:
		return "";
	}
}

static int
fail(struct sqlite *s, struct ld_report *report)
{
	int error = error_of(sqlite3_extended_errcode(s->db));

	return ld_fail(report, error, "%s: %s%s", s->path, sqlite3_errmsg(s->db), advice_of(error));
}

/* ---- Statements ----------------------------------------------------------------------------- */

static int
bind(sqlite3_stmt *statement, int at, const struct ld_value *value)
{
	/* A NULL pointer would be NULL, not nothing. */
	const void *data = value->bytes.len != 0 ? value->bytes.data : (const void *)"";

	switch (value->type) {
	case LD_VALUE_INTEGER:
		return sqlite3_bind_int64(statement, at, value->integer);
	case LD_VALUE_TEXT:
		return sqlite3_bind_text(statement, at, data, (int)value->bytes.len, SQLITE_STATIC);
	case LD_VALUE_BYTES:
		return sqlite3_bind_blob(statement, at, data, (int)value->bytes.len, SQLITE_STATIC);
	case LD_VALUE_NULL:
	default:
		return sqlite3_bind_null(statement, at);
	}
}

static int
column(struct ld_value *ret, sqlite3_stmt *statement, int at)
{
	*ret = (struct ld_value){.type = LD_VALUE_NULL};
	switch (sqlite3_column_type(statement, at)) {
	case SQLITE_INTEGER:
		*ret = ld_value_integer(sqlite3_column_int64(statement, at));
		return LINDUNG_OK;
	case SQLITE_TEXT:
		ret->type = LD_VALUE_TEXT;
		ret->bytes.data = sqlite3_column_text(statement, at);
		break;
	case SQLITE_BLOB:
		ret->type = LD_VALUE_BYTES;
		ret->bytes.data = sqlite3_column_blob(statement, at);
		break;
	case SQLITE_NULL:
		return LINDUNG_OK;
	default:
		return LINDUNG_EINTERNAL; /* a fraction */
	}
	ret->bytes.len = (size_t)sqlite3_column_bytes(statement, at);
	return LINDUNG_OK;
}

static int
row_give(struct sqlite *s, sqlite3_stmt *statement, ld_store_row *row, void *ctx,
	 struct ld_report *report)
{
	struct ld_value values[LD_STORE_VALUES_MAX];
	int count = sqlite3_column_count(statement);

	LD_ASSERT(count <= LD_STORE_VALUES_MAX);
	for (int i = 0; i < count; i++)
		if (column(&values[i], statement, i) != LINDUNG_OK)
			return ld_fail(report, LINDUNG_EINTERNAL,
				       "%s: a column is of a type that "
				       "is not taken",
				       s->path);
	return row(ctx, values, (size_t)count);
}

static int
sqlite_run(struct ld_store *store, const char *sql, const struct ld_value *values, size_t count,
	   ld_store_row *row, void *ctx, uint64_t *ret_changed, struct ld_report *report)
{
	struct sqlite *s = sqlite_of(store);
	sqlite3_stmt *statement = NULL;
	int64_t before = sqlite3_total_changes64(s->db);
	int err = LINDUNG_OK, code = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL);

	for (size_t i = 0; i < count && code == SQLITE_OK; i++)
		code = bind(statement, (int)i + 1, &values[i]);
	if (code == SQLITE_OK) {
		while (err == LINDUNG_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
			if (row != NULL)
				err = row_give(s, statement, row, ctx, report);
	}
	if (err == LINDUNG_OK && code != SQLITE_DONE)
		err = fail(s, report);
	sqlite3_finalize(statement);
	if (err == LINDUNG_OK && ret_changed != NULL)
		*ret_changed = (uint64_t)(sqlite3_total_changes64(s->db) - before);
	return err;
}

static int
sqlite_script(struct ld_store *store, const char *sql, struct ld_report *report)
{
	struct sqlite *s = sqlite_of(store);

	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? LINDUNG_OK
								       : fail(s, report);
}

/* To begin with the lock of a writer: one that reads first and then wants to write could fail in
 * the middle, where waiting does not help. */
static int
sqlite_begin(struct ld_store *store, struct ld_report *report)
{
	return sqlite_script(store, "BEGIN IMMEDIATE", report);
}

static const char *
sqlite_choose(const struct ld_migration *migration)
{
	return migration->sqlite;
}

static void
sqlite_close(struct ld_store *store)
{
	struct sqlite *s = sqlite_of(store);

	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

static const struct ld_store_backend sqlite_backend = {
	.run = sqlite_run,
	.script = sqlite_script,
	.begin = sqlite_begin,
	.close = sqlite_close,
	.choose = sqlite_choose,
};

/* ---- Opening -------------------------------------------------------------------------------- */

/* SQLite gives a new file the umask's mode, and does not flush the directory that it is made in. */
static int
file_make(const char *path, struct ld_report *report)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600), directory = -1;
	char *copy = strdup(path);
	struct stat st;
	bool done = fd >= 0 && copy != NULL && fstat(fd, &st) == 0;

	if (done && !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		done = false;
	}
	if (done && st.st_size == 0) {
		directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		done = fsync(fd) == 0 && directory >= 0 && fsync(directory) == 0;
	}
	if (!done)
		ld_fail(report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
	if (directory >= 0)
		close(directory);
	if (fd >= 0)
		close(fd);
	free(copy);
	return done ? LINDUNG_OK : LINDUNG_EIO;
}

static int
number_row(void *ctx, const struct ld_value *values, size_t count)
{
	LD_ASSERT(count == 1);
	*(int64_t *)ctx = values[0].integer;
	return LINDUNG_OK;
}

static int
number_ask(struct sqlite *s, int64_t *ret, const char *sql, struct ld_report *report)
{
	return sqlite_run(&s->store, sql, NULL, 0, number_row, ret, NULL, report);
}

/* Ours, or new; then say so. */
static int
owner_check(struct sqlite *s, struct ld_report *report)
{
	int64_t id = 0, objects = 0;
	char sql[64];
	int err = number_ask(s, &id, "PRAGMA application_id", report);

	if (err == LINDUNG_OK && id != APPLICATION_ID)
		err = number_ask(s, &objects, "SELECT count(*) FROM sqlite_schema", report);
	if (err != LINDUNG_OK || id == APPLICATION_ID)
		return err;
	if (id != 0 || objects != 0)
		return ld_fail(report, LINDUNG_EFORMAT,
			       "%s: this is a database of another program: name another file",
			       s->path);
	sqlite3_snprintf(sizeof sql, sql, "PRAGMA application_id = %d", APPLICATION_ID);
	return sqlite_script(&s->store, sql, report);
}

static int
check_row(void *ctx, const struct ld_value *values, size_t count)
{
	struct ld_report *found = ctx;

	LD_ASSERT(count == 1);
	if (found->text[0] == '\0' && !ld_span_equal(values[0].bytes, LD_SPAN("ok")))
		ld_fail(found, LINDUNG_EDAMAGED, "%.*s",
			values[0].bytes.len < 200 ? (int)values[0].bytes.len : 200,
			(const char *)values[0].bytes.data);
	return LINDUNG_OK;
}

static int
damage_check(struct sqlite *s, struct ld_report *report)
{
	struct ld_report found = {{0}};
	int err = sqlite_run(&s->store, "PRAGMA quick_check(1)", NULL, 0, check_row, &found, NULL,
			     report);

	if (err == LINDUNG_OK && found.text[0] != '\0')
		err = ld_fail(report, LINDUNG_EDAMAGED, "%s: %s%s", s->path, found.text,
			      advice_of(LINDUNG_EDAMAGED));
	return err;
}

static int
journal_row(void *ctx, const struct ld_value *values, size_t count)
{
	LD_ASSERT(count == 1);
	*(bool *)ctx = ld_span_equal(values[0].bytes, LD_SPAN("wal"));
	return LINDUNG_OK;
}

static int
sqlite_prepare(struct sqlite *s, struct ld_report *report)
{
	bool is_wal = false;
	int err;

	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, LD_STORE_BUSY_MS);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, 2 * LD_STORE_TEXT_MAX_BYTES);
	/* Whoever writes the file may not make us do what its schema says. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	err = owner_check(s, report);
	if (err == LINDUNG_OK)
		err = damage_check(s, report);
	if (err == LINDUNG_OK)
		err = sqlite_run(&s->store, "PRAGMA journal_mode = WAL", NULL, 0, journal_row,
				 &is_wal, NULL, report);
	if (err == LINDUNG_OK && !is_wal)
		err = ld_fail(report, LINDUNG_EIO,
			      "%s: SQLite keeps no write-ahead log here: use a disk of this "
			      "machine, not a network's",
			      s->path);
	if (err == LINDUNG_OK)
		err = sqlite_script(&s->store,
				    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", report);
	return err;
}

int
ld_store_sqlite_open(struct ld_store **ret, const char *path, struct ld_report *report)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	struct sqlite *s;
	char *real;
	int err = file_make(path, report);

	if (err != LINDUNG_OK)
		return err;
	/* A path through a link is followed once, here; and it never is a "file:" URI. */
	real = realpath(path, NULL);
	s = calloc(1, sizeof *s);
	if (real == NULL || s == NULL) {
		free(real);
		free(s);
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	}
	s->store.backend = &sqlite_backend;
	s->path = real;
	err = sqlite3_open_v2(real, &s->db, flags, NULL) == SQLITE_OK ? LINDUNG_OK
								      : fail(s, report);
	if (err == LINDUNG_OK)
		err = sqlite_prepare(s, report);
	if (err != LINDUNG_OK) {
		sqlite_close(&s->store);
		return err;
	}
	*ret = &s->store;
	return LINDUNG_OK;
}
