/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/store.h"

#include <stdlib.h>

#include "store/backend.h"

/* ---- Values --------------------------------------------------------------------------------- */

/* How many octets the UTF-8 character at the start has; 0: it is none.  (Unicode, table 3-7) */
static size_t
character_len(struct ld_span s)
{
	uint8_t first = s.data[0], low = 0x80, high = 0xbf;
	size_t len;

	if (first < 0x80)
		return first != 0;
	if (first >= 0xc2 && first <= 0xdf)
		len = 2;
	else if (first >= 0xe0 && first <= 0xef)
		len = 3;
	else if (first >= 0xf0 && first <= 0xf4)
		len = 4;
	else
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	if (first == 0xed)
		high = 0x9f;
	if (first == 0xf0)
		low = 0x90;
	if (first == 0xf4)
		high = 0x8f;
	if (s.len < len || s.data[1] < low || s.data[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s.data[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static bool
text_is_fit(struct ld_span text)
{
	while (text.len > 0) {
		size_t len = character_len(text);

		if (len == 0)
			return false;
		text = ld_span_from(text, len);
	}
	return true;
}

static int
values_check(const struct ld_value *values, size_t count, struct ld_report *report)
{
	LD_ASSERT(count <= LD_STORE_VALUES_MAX);
	for (size_t i = 0; i < count; i++) {
		if (values[i].bytes.len > LD_STORE_TEXT_MAX_BYTES)
			return ld_fail(report, LINDUNG_EINVAL,
				       "a value for the database has more than %d octets",
				       LD_STORE_TEXT_MAX_BYTES);
		if (values[i].type == LD_VALUE_TEXT && !text_is_fit(values[i].bytes))
			return ld_fail(report, LINDUNG_EINVAL,
				       "a text for the database is not UTF-8, or holds a NUL");
	}
	return LINDUNG_OK;
}

/* ---- Statements ----------------------------------------------------------------------------- */

int
ld_store_run(struct ld_store *store, const char *sql, const struct ld_value *values, size_t count,
	     ld_store_row *row, void *ctx, uint64_t *ret_changed, struct ld_report *report)
{
	int err;

	LD_ASSERT(!store->running);
	if (store->broken)
		return ld_fail(report, LINDUNG_EINVAL,
			       "the database takes no more statements in a transaction of which "
			       "one failed");
	err = values_check(values, count, report);
	if (err == LINDUNG_OK) {
		store->running = true;
		err = store->backend->run(store, sql, values, count, row, ctx, ret_changed, report);
		store->running = false;
	}
	store->broken = err != LINDUNG_OK && store->in_transaction;
	return err;
}

int
ld_store_begin(struct ld_store *store, struct ld_report *report)
{
	int err;

	LD_ASSERT(!store->running && !store->in_transaction);
	err = store->backend->begin(store, report);
	store->in_transaction = err == LINDUNG_OK;
	return err;
}

int
ld_store_commit(struct ld_store *store, struct ld_report *report)
{
	int err;

	LD_ASSERT(!store->running && store->in_transaction);
	if (store->broken)
		err = ld_fail(report, LINDUNG_EINVAL,
			      "a transaction of which a statement failed cannot be committed");
	else
		err = store->backend->run(store, "COMMIT", NULL, 0, NULL, NULL, NULL, report);
	if (err != LINDUNG_OK)
		ld_store_rollback(store);
	store->in_transaction = false;
	return err;
}

void
ld_store_rollback(struct ld_store *store)
{
	LD_ASSERT(!store->running);
	/* What fails here has rolled back already: a full disk, a lost connection. */
	if (store->in_transaction)
		(void)store->backend->run(store, "ROLLBACK", NULL, 0, NULL, NULL, NULL, NULL);
	store->in_transaction = store->broken = false;
}

/* ---- Schemas -------------------------------------------------------------------------------- */

static int
version_row(void *ctx, const struct ld_value *values, size_t count)
{
	int64_t *version = ctx;

	LD_ASSERT(count == 1);
	*version = values[0].integer;
	return LINDUNG_OK;
}

/* What is missing of the schema of `part`; within a transaction. */
static int
migrate(struct ld_store *store, const char *part, const struct ld_migration *migrations,
	size_t count, struct ld_report *report)
{
	struct ld_value values[2] = {ld_value_text(ld_span_str(part)), ld_value_integer(0)};
	int64_t version = 0;
	int err = LINDUNG_OK;

	if (store->backend->lock != NULL)
		err = store->backend->script(store, store->backend->lock, report);
	if (err == LINDUNG_OK)
		err = store->backend->script(store,
					     "CREATE TABLE IF NOT EXISTS lindung_schema ("
					     "part TEXT PRIMARY KEY, version BIGINT NOT NULL)",
					     report);
	if (err == LINDUNG_OK)
		err = ld_store_run(store, "SELECT version FROM lindung_schema WHERE part = ?1",
				   values, 1, version_row, &version, NULL, report);
	if (err != LINDUNG_OK)
		return err;
	if (version < 0 || (uint64_t)version > count)
		return ld_fail(
			report, LINDUNG_EVERSION,
			"the tables of \"%s\" are of version %lld, and this program knows "
			"them up to %zu: use the newer program that wrote them, or restore a "
			"backup from before",
			part, (long long)version, count);
	if ((uint64_t)version == count)
		return LINDUNG_OK;
	for (size_t i = (size_t)version; i < count && err == LINDUNG_OK; i++)
		err = store->backend->script(store, store->backend->choose(&migrations[i]), report);
	values[1] = ld_value_integer((int64_t)count);
	if (err == LINDUNG_OK)
		err = ld_store_run(store,
				   "INSERT INTO lindung_schema (part, version) VALUES (?1, ?2) "
				   "ON CONFLICT (part) DO UPDATE SET version = excluded.version",
				   values, 2, NULL, NULL, NULL, report);
	return err;
}

int
ld_store_open(struct ld_store **ret, const char *where, const char *part,
	      const struct ld_migration *migrations, size_t count, struct ld_report *report)
{
	bool is_postgresql =
		strncmp(where, "postgresql://", 13) == 0 || strncmp(where, "postgres://", 11) == 0;
	struct ld_store *store;
	int err;

	LD_ASSERT(strlen(part) <= LD_STORE_PART_MAX);
	err = is_postgresql ? ld_store_postgresql_open(&store, where, report)
			    : ld_store_sqlite_open(&store, where, report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_store_begin(store, report);
	if (err == LINDUNG_OK)
		err = migrate(store, part, migrations, count, report);
	if (err == LINDUNG_OK)
		err = ld_store_commit(store, report);
	if (err != LINDUNG_OK) {
		ld_store_close(store);
		return err;
	}
	*ret = store;
	return LINDUNG_OK;
}

void
ld_store_close(struct ld_store *store)
{
	if (store == NULL)
		return;
	ld_store_rollback(store);
	store->backend->close(store);
}
