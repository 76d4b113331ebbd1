/* A database: SQLite in a file (WAL, full sync), or PostgreSQL where several machines write.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Tables belong to those who use them: they hand over their schema as a list of migrations, and
 * statements in the SQL that both understand, with ?1, ?2 ... for values.  What differs is written
 * once, here.  One handle is one thread's. */
#ifndef LD_STORE_STORE_H
#define LD_STORE_STORE_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/span.h"

enum {
	LD_STORE_VALUES_MAX = 32,
	LD_STORE_TEXT_MAX_BYTES = 16 * 1024 * 1024,
};

struct ld_store;

/** One step of a schema; never changed once published, only added to. */
struct ld_migration {
	const char *sqlite;
	const char *postgresql; /* NULL: the same */
};

/** Open "PATH" or "postgresql://..." and bring the tables of `part` to the newest version, in one
 * transaction.  Errors: LINDUNG_EIO, LINDUNG_EDAMAGED (SQLite's quick check at the start),
 * LINDUNG_EVERSION (written by a newer program), LINDUNG_ENET, LINDUNG_EBUSY. */
int ld_store_open(struct ld_store **ret, const char *where, const char *part,
		  const struct ld_migration *migrations, size_t count, struct ld_report *report);
void ld_store_close(struct ld_store *store);

enum ld_value_type { LD_VALUE_NULL, LD_VALUE_INTEGER, LD_VALUE_TEXT, LD_VALUE_BYTES };

struct ld_value {
	enum ld_value_type type;
	int64_t integer;
	struct ld_span bytes; /* of a row: valid during the call */
};

/** Called for each row; returns LINDUNG_OK to go on. */
typedef int ld_store_row(void *ctx, const struct ld_value *values, size_t count);

/** Run one statement.  `row` may be NULL.  `ret_changed` (or NULL): rows changed.
 * Errors: LINDUNG_EIO, LINDUNG_EEXISTS (a key that is there), LINDUNG_EBUSY, LINDUNG_ENET. */
int ld_store_run(struct ld_store *store, const char *sql, const struct ld_value *values,
		 size_t count, ld_store_row *row, void *ctx, uint64_t *ret_changed,
		 struct ld_report *report);

/** All or nothing; they do not nest. */
int ld_store_begin(struct ld_store *store, struct ld_report *report);
int ld_store_commit(struct ld_store *store, struct ld_report *report);
void ld_store_rollback(struct ld_store *store);

#endif
