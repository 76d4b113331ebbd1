/* A database: SQLite in a file (WAL, full sync), or PostgreSQL where several machines write.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tables belong to those who use them: they hand over their schema as a list of migrations, and
 * statements in the SQL that both understand, with ?1, ?2 ... for values.  What differs is written
 * once, here:
 *
 *   integers   of 64 bits: BIGINT in a schema (INTEGER has 32 bits in PostgreSQL)
 *   octets     BLOB in SQLite, BYTEA in PostgreSQL: give a migration both texts
 *   text       without NUL, UTF-8; what is not is LINDUNG_EINVAL
 *   an error   ends a transaction: until it is rolled back every statement fails.  Where a key may
 * be there already, ask with ON CONFLICT and look at *ret_changed a result   is integers, text,
 * octets or NULL; what has another type is cast in the statement
 *
 * What was committed is on the disk.  A connection to PostgreSQL that was lost is made anew before
 * the next statement outside of a transaction, or the next transaction; whether a commit whose
 * answer was lost took place is not known (LINDUNG_ENET): keys must make it safe to say it again.
 *
 * One handle is one thread's. */
#ifndef LD_STORE_STORE_H
#define LD_STORE_STORE_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/span.h"

enum {
	LD_STORE_VALUES_MAX = 32,                   /* of a statement, and columns of a row */
	LD_STORE_TEXT_MAX_BYTES = 16 * 1024 * 1024, /* of a value */
	LD_STORE_BUSY_MS = 10000, /* what is waited for a lock of another process */
	LD_STORE_CONNECT_S = 10,  /* ... and for PostgreSQL to answer at the start */
	LD_STORE_PART_MAX = 32,   /* octets of a part's name */
};

struct ld_store;

/** One step of a schema; never changed once published, only added to. */
struct ld_migration {
	const char *sqlite;
	const char *postgresql; /* NULL: the same */
};

/** Open "PATH" or "postgresql://..." and bring the tables of `part` to the newest version, in one
 * transaction.  A file is made with mode 0600 if it is not there.
 * Errors: LINDUNG_EIO, LINDUNG_EDAMAGED (SQLite's quick check at the start), LINDUNG_EFORMAT (a
 * file of another program), LINDUNG_EVERSION (written by a newer program), LINDUNG_ENET,
 * LINDUNG_EBUSY, LINDUNG_ENOMEM, with a report; it never shows a password. */
int ld_store_open(struct ld_store **ret, const char *where, const char *part,
		  const struct ld_migration *migrations, size_t count, struct ld_report *report);
/** What is not committed is rolled back.  NULL is a no-op. */
void ld_store_close(struct ld_store *store);

enum ld_value_type { LD_VALUE_NULL, LD_VALUE_INTEGER, LD_VALUE_TEXT, LD_VALUE_BYTES };

struct ld_value {
	enum ld_value_type type;
	int64_t integer;
	struct ld_span bytes; /* of a row: valid during the call */
};

static inline struct ld_value
ld_value_integer(int64_t integer)
{
	return (struct ld_value){.type = LD_VALUE_INTEGER, .integer = integer};
}

static inline struct ld_value
ld_value_text(struct ld_span text)
{
	return (struct ld_value){.type = LD_VALUE_TEXT, .bytes = text};
}

static inline struct ld_value
ld_value_bytes(struct ld_span bytes)
{
	return (struct ld_value){.type = LD_VALUE_BYTES, .bytes = bytes};
}

/** Called for each row; returns LINDUNG_OK to go on.  It may not use the store. */
typedef int ld_store_row(void *ctx, const struct ld_value *values, size_t count);

/** Run one statement.  `row` may be NULL.  `ret_changed` (or NULL): rows changed.
 * Errors: LINDUNG_EIO, LINDUNG_EEXISTS (a key that is there), LINDUNG_EBUSY, LINDUNG_ENET,
 * LINDUNG_EINVAL (a value), LINDUNG_EDAMAGED, LINDUNG_ENOMEM; those of `row`. */
int ld_store_run(struct ld_store *store, const char *sql, const struct ld_value *values,
		 size_t count, ld_store_row *row, void *ctx, uint64_t *ret_changed,
		 struct ld_report *report);

/** All or nothing; they do not nest. */
int ld_store_begin(struct ld_store *store, struct ld_report *report);
/** On an error nothing is left of the transaction (but see LINDUNG_ENET above). */
int ld_store_commit(struct ld_store *store, struct ld_report *report);
/** Safe where there is no transaction. */
void ld_store_rollback(struct ld_store *store);

#endif
