/* Inside src/store: what SQLite and PostgreSQL each do their own way.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_STORE_BACKEND_H
#define LD_STORE_BACKEND_H

#include "store/store.h"

struct ld_store_backend {
	/** Run one statement; values are checked. */
	int (*run)(struct ld_store *store, const char *sql, const struct ld_value *values,
		   size_t count, ld_store_row *row, void *ctx, uint64_t *ret_changed,
		   struct ld_report *report);
	/** Run a script of statements without values. */
	int (*script)(struct ld_store *store, const char *sql, struct ld_report *report);
	/** Begin a transaction that writes. */
	int (*begin)(struct ld_store *store, struct ld_report *report);
	void (*close)(struct ld_store *store);
	/** Of a migration, the text for this one. */
	const char *(*choose)(const struct ld_migration *migration);
	/** Hold off others who bring tables up to date; within a transaction. NULL: begin() does.
	 */
	const char *lock;
};

struct ld_store {
	const struct ld_store_backend *backend;
	bool in_transaction;
	bool broken;  /* ... and it can only be rolled back */
	bool running; /* a row is being handed over */
};

int ld_store_sqlite_open(struct ld_store **ret, const char *path, struct ld_report *report);
int ld_store_postgresql_open(struct ld_store **ret, const char *url, struct ld_report *report);

#endif
