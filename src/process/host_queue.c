/* Statements on their way into the log.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A row for each statement that was taken: waiting (no place, no reason), placed, or refused.  The
 * note is kept while it waits; afterwards the log has it. */
#include <stdio.h>

#include "process/host_parts.h"

static const struct ld_migration migrations[] = {
	{"CREATE TABLE submission ("
	 "id BLOB PRIMARY KEY, number BIGINT NOT NULL, received BIGINT NOT NULL, "
	 "note BLOB, place BIGINT, reason TEXT);"
	 "CREATE INDEX submission_waiting ON submission (number) "
	 "WHERE place IS NULL AND reason IS NULL;"
	 "CREATE INDEX submission_place ON submission (place);",
	 "CREATE TABLE submission ("
	 "id BYTEA PRIMARY KEY, number BIGINT NOT NULL, received BIGINT NOT NULL, "
	 "note BYTEA, place BIGINT, reason TEXT);"
	 "CREATE INDEX submission_waiting ON submission (number) "
	 "WHERE place IS NULL AND reason IS NULL;"
	 "CREATE INDEX submission_place ON submission (place);"},
};

int
host_queue_open(struct ld_store **ret, const char *where, struct ld_report *report)
{
	return ld_store_open(ret, where, "host", migrations,
			     sizeof migrations / sizeof migrations[0], report);
}

static struct ld_value
id_value(const uint8_t id[32])
{
	return ld_value_bytes(ld_span(id, LD_STATEMENT_ID_BYTES));
}

int
host_queue_put(struct ld_store *store, const uint8_t id[32], struct ld_span note, int64_t now_s,
	       bool *ret_new, struct ld_report *report)
{
	struct ld_value values[] = {id_value(id), ld_value_integer(now_s), ld_value_bytes(note)};
	uint64_t changed = 0;
	int err = ld_store_run(store,
			       "INSERT INTO submission (id, number, received, note) "
			       "SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3 FROM submission "
			       "WHERE true ON CONFLICT (id) DO UPDATE SET note = excluded.note, "
			       "number = excluded.number, reason = NULL "
			       "WHERE submission.reason IS NOT NULL",
			       values, 3, NULL, NULL, &changed, report);

	if (err == LINDUNG_OK)
		*ret_new = changed != 0;
	return err;
}

int
host_queue_place(struct ld_store *store, const uint8_t id[32], uint64_t index,
		 struct ld_report *report)
{
	struct ld_value values[] = {id_value(id), ld_value_integer((int64_t)index)};

	/* One that came into the log past this host has no row yet. */
	return ld_store_run(store,
			    "INSERT INTO submission (id, number, received, place) "
			    "VALUES (?1, 0, 0, ?2) ON CONFLICT (id) DO UPDATE "
			    "SET place = excluded.place, note = NULL, reason = NULL "
			    "WHERE submission.place IS NULL",
			    values, 2, NULL, NULL, NULL, report);
}

int
host_queue_refuse(struct ld_store *store, const uint8_t id[32], const char *why,
		  struct ld_report *report)
{
	struct ld_value values[] = {id_value(id), ld_value_text(ld_span_str(why))};

	return ld_store_run(store,
			    "UPDATE submission SET reason = ?2, note = NULL "
			    "WHERE id = ?1 AND place IS NULL",
			    values, 2, NULL, NULL, NULL, report);
}

struct found {
	enum host_place place;
	uint64_t index;
	struct ld_report why;
};

static int
found_row(void *ctx, const struct ld_value *values, size_t count)
{
	struct found *found = ctx;

	LD_ASSERT(count == 2);
	found->place = HOST_WAITING;
	if (values[0].type == LD_VALUE_INTEGER) {
		found->place = HOST_PLACED;
		found->index = (uint64_t)values[0].integer;
	} else if (values[1].type == LD_VALUE_TEXT) {
		found->place = HOST_REFUSED;
		ld_fail(&found->why, LINDUNG_OK, "%.*s", (int)values[1].bytes.len,
			(const char *)values[1].bytes.data);
	}
	return LINDUNG_OK;
}

int
host_queue_find(struct ld_store *store, const uint8_t id[32], enum host_place *ret,
		uint64_t *ret_index, struct ld_report *ret_why, struct ld_report *report)
{
	struct found found = {.place = HOST_UNKNOWN};
	struct ld_value value = id_value(id);
	int err = ld_store_run(store, "SELECT place, reason FROM submission WHERE id = ?1", &value,
			       1, found_row, &found, NULL, report);

	if (err == LINDUNG_OK) {
		*ret = found.place;
		*ret_index = found.index;
		*ret_why = found.why;
	}
	return err;
}

struct waiting {
	int (*each)(void *ctx, const uint8_t id[32], struct ld_span note);
	void *ctx;
};

static int
waiting_row(void *ctx, const struct ld_value *values, size_t count)
{
	struct waiting *waiting = ctx;

	if (count != 2 || values[0].bytes.len != LD_STATEMENT_ID_BYTES)
		return LINDUNG_EDAMAGED;
	return waiting->each(waiting->ctx, values[0].bytes.data, values[1].bytes);
}

int
host_queue_waiting(struct ld_store *store, unsigned max,
		   int (*each)(void *ctx, const uint8_t id[32], struct ld_span note), void *ctx,
		   struct ld_report *report)
{
	struct waiting waiting = {each, ctx};
	struct ld_value value = ld_value_integer(max);

	return ld_store_run(store,
			    "SELECT id, note FROM submission "
			    "WHERE place IS NULL AND reason IS NULL ORDER BY number LIMIT ?1",
			    &value, 1, waiting_row, &waiting, NULL, report);
}

static int
count_row(void *ctx, const struct ld_value *values, size_t count)
{
	uint64_t *counts = ctx;

	LD_ASSERT(count == 2);
	counts[0] = (uint64_t)values[0].integer;
	counts[1] = (uint64_t)values[1].integer;
	return LINDUNG_OK;
}

int
host_queue_count(struct ld_store *store, uint64_t *ret_waiting, uint64_t *ret_next_place,
		 struct ld_report *report)
{
	uint64_t counts[2] = {0, 0};
	int err = ld_store_run(
		store,
		"SELECT (SELECT count(*) FROM submission WHERE place IS NULL AND reason IS NULL), "
		"(SELECT coalesce(max(place) + 1, 0) FROM submission)",
		NULL, 0, count_row, counts, NULL, report);

	if (err == LINDUNG_OK) {
		*ret_waiting = counts[0];
		*ret_next_place = counts[1];
	}
	return err;
}
