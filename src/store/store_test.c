/* The same tests over SQLite and, with a URL in LINDUNG_TEST_POSTGRESQL, over PostgreSQL.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"
#include "store/store.h"

static const struct ld_migration steps[] = {
	{"CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT, data BLOB)",
	 "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT, data BYTEA)"},
	{"ALTER TABLE thing ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'; "
	 "CREATE INDEX thing_name ON thing (name)",
	 NULL},
	{"CREATE TABLE pair (id BIGINT PRIMARY KEY REFERENCES thing (id)); "
	 "INSERT INTO pair SELECT id FROM thing",
	 NULL},
};
enum { STEPS = sizeof steps / sizeof steps[0], PATH_BYTES = 4096 };

static const char *postgresql; /* URL; NULL: SQLite */
static char folder[] = "/tmp/lindung-store-XXXXXX";
static char where[PATH_BYTES];
static struct ld_report report;

/* ---- A database of its own for each test ---------------------------------------------------- */

static void
say(struct ld_store *store, const char *sql)
{
	assert_int_equal(ld_store_run(store, sql, NULL, 0, NULL, NULL, NULL, &report), LINDUNG_OK);
}

static int
begin(void **state)
{
	static unsigned number;
	struct ld_store *store;
	char sql[128];

	(void)state;
	number++;
	if (postgresql == NULL) {
		snprintf(where, sizeof where, "%s/%u.sqlite", folder, number);
		return 0;
	}
	if (ld_store_open(&store, postgresql, "tests", NULL, 0, &report) != LINDUNG_OK) {
		print_error("%s\n", report.text);
		return -1;
	}
	snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS test%u CASCADE", number);
	say(store, sql);
	snprintf(sql, sizeof sql, "CREATE SCHEMA test%u", number);
	say(store, sql);
	ld_store_close(store);
	snprintf(where, sizeof where, "%s%coptions=-csearch_path%%3Dtest%u", postgresql,
		 strchr(postgresql, '?') != NULL ? '&' : '?', number);
	return 0;
}

static struct ld_store *
open_at(size_t version)
{
	struct ld_store *store = NULL;

	assert_int_equal(ld_store_open(&store, where, "things", steps, version, &report),
			 LINDUNG_OK);
	return store;
}

static int
number_row(void *ctx, const struct ld_value *values, size_t count)
{
	assert_int_equal(count, 1);
	assert_int_equal(values[0].type, LD_VALUE_INTEGER);
	*(int64_t *)ctx = values[0].integer;
	return LINDUNG_OK;
}

static int64_t
number(struct ld_store *store, const char *sql)
{
	int64_t ret = -1;

	assert_int_equal(ld_store_run(store, sql, NULL, 0, number_row, &ret, NULL, &report),
			 LINDUNG_OK);
	return ret;
}

static int
thing_put(struct ld_store *store, int64_t id, uint64_t *ret_changed)
{
	struct ld_value value = ld_value_integer(id);

	return ld_store_run(store, "INSERT INTO thing (id) VALUES (?1)", &value, 1, NULL, NULL,
			    ret_changed, &report);
}

/* ---- Values --------------------------------------------------------------------------------- */

static struct ld_value seen[3];
static char seen_octets[3][64];

static int
seen_row(void *ctx, const struct ld_value *values, size_t count)
{
	unsigned *rows = ctx;

	assert_int_equal(count, 3);
	for (unsigned i = 0; i < 3; i++) {
		seen[i] = values[i];
		assert_in_range(values[i].bytes.len, 0, sizeof seen_octets[i]);
		if (values[i].bytes.len != 0)
			memcpy(seen_octets[i], values[i].bytes.data, values[i].bytes.len);
		seen[i].bytes.data = (const uint8_t *)seen_octets[i];
	}
	(*rows)++;
	return LINDUNG_OK;
}

static void
values_come_back(void **state)
{
	static const uint8_t octets[] = {0, 255, '\'', 0, 128};
	const struct ld_value rows[][3] = {
		{ld_value_integer(INT64_MIN), ld_value_text(LD_SPAN("")),
		 ld_value_bytes(ld_span(NULL, 0))},
		{ld_value_integer(INT64_MAX),
		 ld_value_text(LD_SPAN("it's ?1 \xc3\xa9 \xf0\x9f\x8c\x8d")),
		 ld_value_bytes(ld_span(octets, sizeof octets))},
		{ld_value_integer(-1), {.type = LD_VALUE_NULL}, {.type = LD_VALUE_NULL}},
	};
	struct ld_store *store = open_at(STEPS);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		unsigned count = 0;

		assert_int_equal(ld_store_run(store,
					      "INSERT INTO thing (id, name, data) "
					      "VALUES (?1, ?2, ?3)",
					      rows[i], 3, NULL, NULL, NULL, &report),
				 LINDUNG_OK);
		assert_int_equal(ld_store_run(store,
					      "SELECT id, name, data FROM thing WHERE id = ?1",
					      rows[i], 1, seen_row, &count, NULL, &report),
				 LINDUNG_OK);
		assert_int_equal(count, 1);
		for (unsigned at = 0; at < 3; at++) {
			assert_int_equal(seen[at].type, rows[i][at].type);
			assert_int_equal(seen[at].integer, rows[i][at].integer);
			assert_true(ld_span_equal(seen[at].bytes, rows[i][at].bytes));
		}
	}
	ld_store_close(store);
}

static void
texts_that_are_none_are_refused(void **state)
{
	static const struct ld_span bad[] = {
		{(const uint8_t *)"a\0b", 3},         {(const uint8_t *)"\xff", 1},
		{(const uint8_t *)"\xc0\x80", 2},     {(const uint8_t *)"\xed\xa0\x80", 3},
		{(const uint8_t *)"\xe2\x82", 2},     {(const uint8_t *)"\xf4\x90\x80\x80", 4},
		{(const uint8_t *)"\xe0\x80\xaf", 3},
	};
	struct ld_store *store = open_at(STEPS);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ld_value value = ld_value_text(bad[i]);

		assert_int_equal(ld_store_run(store, "INSERT INTO thing (id, name) VALUES (1, ?1)",
					      &value, 1, NULL, NULL, NULL, &report),
				 LINDUNG_EINVAL);
	}
	assert_int_equal(number(store, "SELECT count(*) FROM thing"), 0);
	ld_store_close(store);
}

static void
changes_are_counted(void **state)
{
	struct ld_store *store = open_at(STEPS);
	uint64_t changed = 99;

	(void)state;
	assert_int_equal(thing_put(store, 1, &changed), LINDUNG_OK);
	assert_int_equal(changed, 1);
	assert_int_equal(thing_put(store, 2, &changed), LINDUNG_OK);
	assert_int_equal(ld_store_run(store, "UPDATE thing SET name = '?1'", NULL, 0, NULL, NULL,
				      &changed, &report),
			 LINDUNG_OK);
	assert_int_equal(changed, 2);
	assert_int_equal(ld_store_run(store,
				      "INSERT INTO thing (id) VALUES (1), (3) "
				      "ON CONFLICT (id) DO NOTHING",
				      NULL, 0, NULL, NULL, &changed, &report),
			 LINDUNG_OK);
	assert_int_equal(changed, 1);
	assert_int_equal(
		ld_store_run(store, "SELECT id FROM thing", NULL, 0, NULL, NULL, &changed, &report),
		LINDUNG_OK);
	assert_int_equal(changed, 0);
	assert_int_equal(number(store, "SELECT count(*) FROM thing WHERE name = '?1'"), 2);
	ld_store_close(store);
}

static int
stop_row(void *ctx, const struct ld_value *values, size_t count)
{
	(void)values;
	(void)count;
	return ++*(unsigned *)ctx == 2 ? LINDUNG_ELIMIT : LINDUNG_OK;
}

static void
a_row_can_stop_it(void **state)
{
	struct ld_store *store = open_at(STEPS);
	unsigned rows = 0;

	(void)state;
	for (int64_t i = 0; i < 5; i++)
		assert_int_equal(thing_put(store, i, NULL), LINDUNG_OK);
	assert_int_equal(ld_store_run(store, "SELECT id FROM thing", NULL, 0, stop_row, &rows, NULL,
				      &report),
			 LINDUNG_ELIMIT);
	assert_int_equal(rows, 2);
	assert_int_equal(number(store, "SELECT count(*) FROM thing"), 5);
	ld_store_close(store);
}

/* ---- Transactions --------------------------------------------------------------------------- */

static void
an_error_ends_a_transaction(void **state)
{
	struct ld_store *store = open_at(STEPS);

	(void)state;
	assert_int_equal(thing_put(store, 1, NULL), LINDUNG_OK);
	assert_int_equal(thing_put(store, 1, NULL), LINDUNG_EEXISTS);
	assert_int_equal(thing_put(store, 2, NULL), LINDUNG_OK); /* outside nothing ends */
	assert_int_equal(ld_store_begin(store, &report), LINDUNG_OK);
	assert_int_equal(thing_put(store, 3, NULL), LINDUNG_OK);
	assert_int_equal(thing_put(store, 1, NULL), LINDUNG_EEXISTS);
	assert_int_equal(thing_put(store, 4, NULL), LINDUNG_EINVAL);
	assert_int_equal(ld_store_commit(store, &report), LINDUNG_EINVAL);
	assert_int_equal(number(store, "SELECT count(*) FROM thing"), 2);
	assert_int_equal(ld_store_begin(store, &report), LINDUNG_OK);
	assert_int_equal(thing_put(store, 5, NULL), LINDUNG_OK);
	ld_store_rollback(store);
	ld_store_rollback(store);
	assert_int_equal(number(store, "SELECT max(id) FROM thing"), 2);
	assert_int_equal(ld_store_begin(store, &report), LINDUNG_OK);
	assert_int_equal(thing_put(store, 6, NULL), LINDUNG_OK);
	assert_int_equal(ld_store_commit(store, &report), LINDUNG_OK);
	assert_int_equal(ld_store_begin(store, &report), LINDUNG_OK);
	assert_int_equal(thing_put(store, 7, NULL), LINDUNG_OK);
	ld_store_close(store); /* not committed */
	store = open_at(STEPS);
	assert_int_equal(number(store, "SELECT max(id) FROM thing"), 6);
	ld_store_close(store);
}

static void
other_errors_have_their_kind(void **state)
{
	struct ld_store *store = open_at(STEPS);

	(void)state;
	assert_int_equal(ld_store_run(store, "SELECT nothing FROM thing", NULL, 0, NULL, NULL, NULL,
				      &report),
			 LINDUNG_EINTERNAL);
	assert_int_equal(ld_store_run(store, "INSERT INTO pair VALUES (77)", NULL, 0, NULL, NULL,
				      NULL, &report),
			 LINDUNG_EINVAL); /* a foreign key */
	assert_int_equal(thing_put(store, 1, NULL), LINDUNG_OK);
	assert_int_equal(ld_store_run(store, "UPDATE thing SET colour = NULL", NULL, 0, NULL, NULL,
				      NULL, &report),
			 LINDUNG_EINVAL);
	ld_store_close(store);
}

static void *
slow_writer(void *ctx)
{
	struct ld_store *store = open_at(STEPS);

	assert_int_equal(ld_store_begin(store, &report), LINDUNG_OK);
	assert_int_equal(thing_put(store, 1, NULL), LINDUNG_OK);
	atomic_store((atomic_bool *)ctx, true);
	usleep(300 * 1000);
	assert_int_equal(ld_store_commit(store, &report), LINDUNG_OK);
	ld_store_close(store);
	return NULL;
}

static void
writers_wait_for_one_another(void **state)
{
	struct ld_store *store = open_at(STEPS);
	atomic_bool holds = false;
	uint64_t changed;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, slow_writer, &holds), 0);
	while (!atomic_load(&holds))
		usleep(1000);
	assert_int_equal(number(store, "SELECT count(*) FROM thing"), 0); /* readers do not */
	assert_int_equal(ld_store_run(store,
				      "INSERT INTO thing (id) VALUES (1) "
				      "ON CONFLICT (id) DO NOTHING",
				      NULL, 0, NULL, NULL, &changed, &report),
			 LINDUNG_OK);
	assert_int_equal(changed, 0);
	pthread_join(thread, NULL);
	ld_store_close(store);
}

/* ---- Schemas -------------------------------------------------------------------------------- */

static void
every_earlier_version_is_brought_up_to_date(void **state)
{
	for (size_t from = 0; from < STEPS; from++) {
		struct ld_store *store;

		assert_int_equal(begin(state), 0);
		store = open_at(from);
		if (from > 0) {
			assert_int_equal(thing_put(store, 41, NULL), LINDUNG_OK);
			say(store, "UPDATE thing SET name = 'kept'");
		}
		ld_store_close(store);
		for (size_t to = from; to <= STEPS; to++) /* one by one, and the last one twice */
			ld_store_close(open_at(to));
		store = open_at(STEPS);
		assert_int_equal(number(store, "SELECT count(*) FROM thing WHERE name = 'kept' AND "
					       "colour = 'none'"),
				 from > 0);
		assert_int_equal(number(store, "SELECT count(*) FROM pair"), from > 0);
		assert_int_equal(
			number(store, "SELECT version FROM lindung_schema WHERE part = 'things'"),
			STEPS);
		ld_store_close(store);
	}
}

static void
a_newer_schema_is_refused_and_left_alone(void **state)
{
	struct ld_store *store = open_at(STEPS);

	(void)state;
	assert_int_equal(thing_put(store, 1, NULL), LINDUNG_OK);
	ld_store_close(store);
	store = NULL;
	assert_int_equal(ld_store_open(&store, where, "things", steps, STEPS - 1, &report),
			 LINDUNG_EVERSION);
	assert_null(store);
	assert_non_null(strstr(report.text, "newer"));
	store = open_at(STEPS);
	assert_int_equal(number(store, "SELECT count(*) FROM thing"), 1);
	ld_store_close(store);
}

static void
a_migration_that_fails_changes_nothing(void **state)
{
	static const struct ld_migration bad[] = {
		{"CREATE TABLE thing (id BIGINT PRIMARY KEY)", NULL},
		{"ALTER TABLE thing ADD COLUMN size BIGINT; CREATE TABLE other (id BIGINT); "
		 "INSERT INTO nowhere VALUES (1)",
		 NULL},
	};
	struct ld_store *store;

	(void)state;
	assert_int_equal(ld_store_open(&store, where, "things", bad, 2, &report),
			 LINDUNG_EINTERNAL);
	assert_int_equal(ld_store_open(&store, where, "things", bad, 1, &report), LINDUNG_OK);
	assert_int_equal(thing_put(store, 5, NULL), LINDUNG_OK);
	ld_store_close(store);
	assert_int_equal(ld_store_open(&store, where, "things", bad, 2, &report),
			 LINDUNG_EINTERNAL);
	assert_int_equal(ld_store_open(&store, where, "things", bad, 1, &report), LINDUNG_OK);
	assert_int_equal(number(store, "SELECT count(*) FROM thing"), 1);
	assert_int_not_equal(
		ld_store_run(store, "SELECT size FROM thing", NULL, 0, NULL, NULL, NULL, &report),
		LINDUNG_OK);
	assert_int_not_equal(
		ld_store_run(store, "SELECT id FROM other", NULL, 0, NULL, NULL, NULL, &report),
		LINDUNG_OK);
	ld_store_close(store);
}

static void
parts_have_versions_of_their_own(void **state)
{
	static const struct ld_migration other[] = {{"CREATE TABLE other (id BIGINT)", NULL}};
	struct ld_store *store = open_at(2);

	(void)state;
	ld_store_close(store);
	assert_int_equal(ld_store_open(&store, where, "other", other, 1, &report), LINDUNG_OK);
	assert_int_equal(number(store, "SELECT count(*) FROM other"), 0);
	assert_int_equal(number(store, "SELECT version FROM lindung_schema WHERE part = 'things'"),
			 2);
	ld_store_close(store);
	ld_store_close(open_at(STEPS));
}

/* ---- What goes wrong ------------------------------------------------------------------------ */

/* Transactions of two tables, told when they are committed, until it is killed. */
_Noreturn static void
writer_run(int tell, int64_t next)
{
	struct ld_store *store = open_at(STEPS);

	for (;; next++) {
		struct ld_value value = ld_value_integer(next);

		if (ld_store_begin(store, &report) != LINDUNG_OK ||
		    thing_put(store, next, NULL) != LINDUNG_OK ||
		    ld_store_run(store, "INSERT INTO pair VALUES (?1)", &value, 1, NULL, NULL, NULL,
				 &report) != LINDUNG_OK ||
		    ld_store_commit(store, &report) != LINDUNG_OK ||
		    write(tell, &next, sizeof next) != sizeof next)
			_exit(1);
	}
}

static void
a_killed_writer_loses_nothing_that_was_committed(void **state)
{
	int64_t told = 0;

	(void)state;
	ld_store_close(open_at(STEPS));
	for (unsigned round = 0; round < 12; round++) {
		int ends[2], status;
		int64_t last;
		struct ld_store *store;
		pid_t child;

		assert_int_equal(pipe(ends), 0);
		child = fork();
		assert_int_not_equal(child, -1);
		if (child == 0)
			writer_run(ends[1], told + 1);
		close(ends[1]);
		usleep(10000 + 7919 * round);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		while (read(ends[0], &last, sizeof last) == sizeof last)
			told = last;
		close(ends[0]);
		store = open_at(STEPS);
		/* PostgreSQL may still be at what the killed one asked for. */
		while (postgresql != NULL &&
		       number(store,
			      "SELECT count(*) FROM pg_stat_activity WHERE "
			      "application_name = 'lindung' AND pid <> pg_backend_pid()") != 0)
			usleep(10000);
		/* One may be committed and not yet told. */
		last = number(store, "SELECT coalesce(max(id), 0) FROM thing");
		assert_in_range(last, told, told + 1);
		assert_int_equal(number(store, "SELECT count(*) FROM thing"), last);
		assert_int_equal(number(store, "SELECT count(*) FROM pair"), last);
		told = last;
		ld_store_close(store);
	}
	assert_true(told > 0);
}

/* A file may not grow past what the limit says: as on a full disk, a write fails. */
static void
a_full_disk_loses_nothing_that_was_committed(void **state)
{
	static uint8_t octets[40000];
	struct ld_value values[] = {ld_value_integer(0),
				    ld_value_bytes(ld_span(octets, sizeof octets))};
	struct rlimit old, low;
	struct ld_store *store;
	int64_t committed = 0;
	int err;

	(void)state;
	if (postgresql != NULL)
		skip();
	store = open_at(STEPS);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	low = (struct rlimit){1024 * 1024, old.rlim_max};
	setrlimit(RLIMIT_FSIZE, &low);
	do {
		values[0].integer = committed + 1;
		err = ld_store_run(store, "INSERT INTO thing (id, data) VALUES (?1, ?2)", values, 2,
				   NULL, NULL, NULL, &report);
		committed += err == LINDUNG_OK;
	} while (err == LINDUNG_OK && committed < 100);
	assert_int_equal(err, LINDUNG_EIO);
	assert_true(committed > 1);
	assert_int_equal(number(store, "SELECT count(*) FROM thing"), committed);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(ld_store_run(store, "INSERT INTO thing (id, data) VALUES (?1, ?2)", values,
				      2, NULL, NULL, NULL, &report),
			 LINDUNG_OK);
	ld_store_close(store);
	store = open_at(STEPS);
	assert_int_equal(number(store, "SELECT count(*) FROM thing"), committed + 1);
	ld_store_close(store);
}

static void
a_damaged_file_is_found(void **state)
{
	static uint8_t octets[9000];
	struct ld_store *store;
	unsigned found = 0;

	(void)state;
	if (postgresql != NULL)
		skip();
	store = open_at(STEPS);
	for (int64_t i = 0; i < 200; i++) {
		struct ld_value values[] = {ld_value_integer(i),
					    ld_value_bytes(ld_span(octets, sizeof octets))};

		assert_int_equal(ld_store_run(store, "INSERT INTO thing (id, data) VALUES (?1, ?2)",
					      values, 2, NULL, NULL, NULL, &report),
				 LINDUNG_OK);
	}
	ld_store_close(store);
	/* Whole pages overwritten, one at a time; the tables' roots are among the first. */
	for (off_t page = 1; page < 8; page++) {
		static uint8_t before[4096], noise[4096];
		int fd = open(where, O_RDWR | O_CLOEXEC), err;

		memset(noise, 0xa5, sizeof noise);
		assert_int_equal(pread(fd, before, sizeof before, page * 4096), sizeof before);
		assert_int_equal(pwrite(fd, noise, sizeof noise, page * 4096), sizeof noise);
		err = ld_store_open(&store, where, "things", steps, STEPS, &report);
		if (err == LINDUNG_OK)
			ld_store_close(store);
		else
			assert_int_equal(err, LINDUNG_EDAMAGED);
		found += err == LINDUNG_EDAMAGED;
		assert_int_equal(pwrite(fd, before, sizeof before, page * 4096), sizeof before);
		close(fd);
	}
	assert_true(found >= 6); /* the octets of a value alone have no structure */
	store = open_at(STEPS);
	assert_int_equal(number(store, "SELECT count(*) FROM thing"), 200);
	ld_store_close(store);
}

static void
a_file_of_others_is_left_alone(void **state)
{
	static const char text[] = "Ce fichier n'est pas une base de donn\xc3\xa9"
				   "es. "
				   "It has more than a hundred octets, so that it is not taken for "
				   "the beginning of one.\n";
	struct ld_store *store;
	sqlite3 *db;
	FILE *file;

	(void)state;
	if (postgresql != NULL)
		skip();
	file = fopen(where, "w");
	fputs(text, file);
	fclose(file);
	assert_int_equal(ld_store_open(&store, where, "things", steps, STEPS, &report),
			 LINDUNG_EFORMAT);
	unlink(where);
	assert_int_equal(sqlite3_open(where, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE thing (theirs INTEGER)", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(ld_store_open(&store, where, "things", steps, STEPS, &report),
			 LINDUNG_EFORMAT);
	assert_non_null(strstr(report.text, "another program"));
}

static void
what_cannot_be_a_file_is_told(void **state)
{
	struct ld_store *store;
	struct stat st;

	(void)state;
	if (postgresql != NULL)
		skip();
	assert_int_equal(ld_store_open(&store, folder, "things", steps, STEPS, &report),
			 LINDUNG_EIO);
	assert_int_equal(
		ld_store_open(&store, "/nowhere/at/all.sqlite", "things", steps, STEPS, &report),
		LINDUNG_EIO);
	assert_non_null(strstr(report.text, "/nowhere/at/all.sqlite"));
	ld_store_close(open_at(STEPS));
	assert_int_equal(stat(where, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
a_password_is_never_shown(void **state)
{
	struct ld_store *store;
	int err = ld_store_open(&store, "postgresql://someone:Xsecret7@127.0.0.1:1/things",
				"things", steps, STEPS, &report);

	(void)state;
	assert_int_equal(err, LINDUNG_ENET);
	assert_null(strstr(report.text, "Xsecret7"));
	assert_non_null(strstr(report.text, "things"));
}

static void
a_lost_connection_is_made_anew(void **state)
{
	struct ld_store *store;

	(void)state;
	if (postgresql == NULL)
		skip();
	store = open_at(STEPS);
	assert_int_equal(thing_put(store, 1, NULL), LINDUNG_OK);
	assert_int_equal(ld_store_run(store, "SELECT pg_terminate_backend(pg_backend_pid())", NULL,
				      0, NULL, NULL, NULL, &report),
			 LINDUNG_ENET);
	assert_int_equal(thing_put(store, 2, NULL), LINDUNG_OK);
	assert_int_equal(ld_store_begin(store, &report), LINDUNG_OK);
	assert_int_equal(thing_put(store, 3, NULL), LINDUNG_OK);
	assert_int_equal(ld_store_run(store, "SELECT pg_terminate_backend(pg_backend_pid())", NULL,
				      0, NULL, NULL, NULL, &report),
			 LINDUNG_ENET);
	assert_int_equal(thing_put(store, 4, NULL), LINDUNG_EINVAL); /* not half of it */
	ld_store_rollback(store);
	assert_int_equal(number(store, "SELECT max(id) FROM thing"), 2);
	ld_store_close(store);
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup(function, begin)
	const struct CMUnitTest tests[] = {
		TEST(values_come_back),
		TEST(texts_that_are_none_are_refused),
		TEST(changes_are_counted),
		TEST(a_row_can_stop_it),
		TEST(an_error_ends_a_transaction),
		TEST(other_errors_have_their_kind),
		TEST(writers_wait_for_one_another),
		TEST(every_earlier_version_is_brought_up_to_date),
		TEST(a_newer_schema_is_refused_and_left_alone),
		TEST(a_migration_that_fails_changes_nothing),
		TEST(parts_have_versions_of_their_own),
		TEST(a_killed_writer_loses_nothing_that_was_committed),
		TEST(a_full_disk_loses_nothing_that_was_committed),
		TEST(a_damaged_file_is_found),
		TEST(a_file_of_others_is_left_alone),
		TEST(what_cannot_be_a_file_is_told),
		TEST(a_password_is_never_shown),
		TEST(a_lost_connection_is_made_anew),
	};
	char command[PATH_BYTES];
	int failed;

	postgresql = getenv("LINDUNG_TEST_POSTGRESQL");
	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command) != 0 || failed != 0;
}
