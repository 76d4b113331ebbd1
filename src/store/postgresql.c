/* PostgreSQL: where several machines write.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "store/backend.h"

/* Types of the wire (pg_type.dat); they never change. */
enum {
	TYPE_BYTEA = 17,
	TYPE_INT8 = 20,
	TYPE_INT2 = 21,
	TYPE_INT4 = 23,
	TYPE_TEXT = 25,
	TYPE_VARCHAR = 1043
};

enum { SQL_MAX_BYTES = 64 * 1024 };

struct postgresql {
	struct ld_store store; /* first */
	PGconn *connection;
};

static struct postgresql *
postgresql_of(struct ld_store *store)
{
	return (struct postgresql *)(void *)store;
}

/* ---- What went wrong ------------------------------------------------------------------------ */

/* By the class of SQLSTATE, or all of it ("PostgreSQL Error Codes", appendix A). */
static const struct {
	const char *state;
	int error;
} states[] = {
	{"23505", LINDUNG_EEXISTS}, /* unique_violation */
	{"23", LINDUNG_EINVAL},     /* other constraints */
	{"22", LINDUNG_EINVAL},     /* a value */
	{"40", LINDUNG_EBUSY},      /* deadlock, serialization */
	{"55", LINDUNG_EBUSY},      /* lock_timeout */
	{"57", LINDUNG_ENET},       /* it shuts down, or starts */
	{"25P03", LINDUNG_ENET},    /* it waited too long for the rest of a transaction */
	{"08", LINDUNG_ENET},       /* the connection */
	{"28", LINDUNG_EDENIED},    /* who we are */
	{"3D", LINDUNG_ENOTFOUND},  /* no such database */
	{"53", LINDUNG_EIO},        /* disk full, too many connections */
	{"58", LINDUNG_EIO},        {"XX", LINDUNG_EDAMAGED},
	{"42501", LINDUNG_EDENIED}, /* insufficient_privilege */
};

static int
error_of(const char *state)
{
	if (state == NULL)
		return LINDUNG_ENET; /* no answer at all */
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
			return states[i].error;
	return LINDUNG_EINTERNAL;
}

/* The first line of a message; libpq puts no password into them. */
static int
fail_text(const struct postgresql *p, int error, const char *message, struct ld_report *report)
{
	const char *host = PQhost(p->connection), *name = PQdb(p->connection);
	size_t len = strcspn(message, "\n");

	return ld_fail(report, error, "PostgreSQL (%s at %s): %.*s", name != NULL ? name : "?",
		       host != NULL && *host != '\0' ? host : "this machine",
		       len < 300 ? (int)len : 300, message);
}

static int
fail(const struct postgresql *p, const PGresult *result, struct ld_report *report)
{
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL,
		   *message = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)
					     : NULL;

	return fail_text(p, error_of(state),
			 message != NULL ? message : PQerrorMessage(p->connection), report);
}

/* ---- The connection ------------------------------------------------------------------------- */

static int
postgresql_script(struct ld_store *store, const char *sql, struct ld_report *report)
{
	struct postgresql *p = postgresql_of(store);
	PGresult *result = PQexec(p->connection, sql);
	ExecStatusType status = PQresultStatus(result);
	int err = LINDUNG_OK;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		err = fail(p, result, report);
	PQclear(result);
	return err;
}

static int
connection_prepare(struct postgresql *p, struct ld_report *report)
{
	char sql[512];

	if (PQstatus(p->connection) != CONNECTION_OK)
		return fail_text(p, LINDUNG_ENET, PQerrorMessage(p->connection), report);
	/* Whoever set synchronous_commit to more than "on" keeps it. */
	snprintf(sql, sizeof sql,
		 "SET client_min_messages = warning; SET standard_conforming_strings = on; "
		 "SET lock_timeout = %d; SET idle_in_transaction_session_timeout = %d; "
		 "SELECT set_config('synchronous_commit', 'on', false) "
		 "WHERE current_setting('synchronous_commit') IN ('off', 'local')",
		 LD_STORE_BUSY_MS, 6 * LD_STORE_BUSY_MS);
	return postgresql_script(&p->store, sql, report);
}

/* A connection that was lost is made anew, outside of a transaction. */
static int
connection_renew(struct postgresql *p, struct ld_report *report)
{
	if (PQstatus(p->connection) == CONNECTION_OK || p->store.in_transaction)
		return LINDUNG_OK;
	PQreset(p->connection);
	return connection_prepare(p, report);
}

/* ---- Statements ----------------------------------------------------------------------------- */

/* ?1 becomes $1, outside of quotes. */
static bool
sql_translate(char *to, size_t size, const char *sql)
{
	char quote = '\0';
	size_t len = strlen(sql);

	if (len >= size)
		return false;
	for (size_t i = 0; i <= len; i++) {
		char c = sql[i];

		if (quote == '\0' && (c == '\'' || c == '"'))
			quote = c;
		else if (c == quote)
			quote = '\0';
		to[i] = c == '?' && quote == '\0' ? '$' : c;
	}
	return true;
}

static int
cell(struct ld_value *ret, const PGresult *result, int row, int at)
{
	const uint8_t *data = (const uint8_t *)PQgetvalue(result, row, at);
	size_t len = (size_t)PQgetlength(result, row, at);

	*ret = (struct ld_value){.type = LD_VALUE_NULL};
	if (PQgetisnull(result, row, at))
		return LINDUNG_OK;
	switch (PQftype(result, at)) {
	case TYPE_INT8:
		*ret = ld_value_integer(
			(int64_t)((uint64_t)ld_get_be32(data) << 32 | ld_get_be32(data + 4)));
		return LINDUNG_OK;
	case TYPE_INT4:
		*ret = ld_value_integer((int32_t)ld_get_be32(data));
		return LINDUNG_OK;
	case TYPE_INT2:
		*ret = ld_value_integer((int16_t)ld_get_be16(data));
		return LINDUNG_OK;
	case TYPE_TEXT:
	case TYPE_VARCHAR:
		*ret = ld_value_text(ld_span(data, len));
		return LINDUNG_OK;
	case TYPE_BYTEA:
		*ret = ld_value_bytes(ld_span(data, len));
		return LINDUNG_OK;
	default:
		return LINDUNG_EINTERNAL;
	}
}

static int
rows_give(const struct postgresql *p, const PGresult *result, ld_store_row *row, void *ctx,
	  struct ld_report *report)
{
	struct ld_value values[LD_STORE_VALUES_MAX];
	int rows = PQntuples(result), count = PQnfields(result), err = LINDUNG_OK;

	LD_ASSERT(count <= LD_STORE_VALUES_MAX);
	for (int i = 0; i < rows && err == LINDUNG_OK; i++) {
		for (int at = 0; at < count && err == LINDUNG_OK; at++)
			if (cell(&values[at], result, i, at) != LINDUNG_OK)
				err = fail_text(p, LINDUNG_EINTERNAL,
						"a column is of a type that is not taken", report);
		if (err == LINDUNG_OK)
			err = row(ctx, values, (size_t)count);
	}
	return err;
}

static bool
send(struct postgresql *p, const char *sql, const struct ld_value *values, size_t count)
{
	const char *data[LD_STORE_VALUES_MAX] = {0};
	int lengths[LD_STORE_VALUES_MAX] = {0}, formats[LD_STORE_VALUES_MAX];
	Oid types[LD_STORE_VALUES_MAX] = {0};
	uint8_t integers[LD_STORE_VALUES_MAX][8];

	for (size_t i = 0; i < count; i++) {
		const struct ld_value *v = &values[i];

		formats[i] = 1; /* binary */
		if (v->type == LD_VALUE_NULL)
			continue;
		types[i] = v->type == LD_VALUE_INTEGER ? TYPE_INT8
			   : v->type == LD_VALUE_TEXT  ? TYPE_TEXT
						       : TYPE_BYTEA;
		data[i] = v->bytes.len != 0 ? (const char *)v->bytes.data : "";
		lengths[i] = (int)v->bytes.len;
		if (v->type == LD_VALUE_INTEGER) {
			ld_put_be32(integers[i], (uint32_t)((uint64_t)v->integer >> 32));
			ld_put_be32(integers[i] + 4, (uint32_t)v->integer);
			data[i] = (const char *)integers[i];
			lengths[i] = 8;
		}
	}
	/* Row by row: a table is never held as a whole. */
	return PQsendQueryParams(p->connection, sql, (int)count, types, data, lengths, formats,
				 1) == 1 &&
	       PQsetSingleRowMode(p->connection) == 1;
}

/* What was read is counted there, too. */
static uint64_t
changed_of(PGresult *result)
{
	return strncmp(PQcmdStatus(result), "SELECT", 6) != 0
		       ? strtoull(PQcmdTuples(result), NULL, 10)
		       : 0;
}

static int
postgresql_run(struct ld_store *store, const char *sql, const struct ld_value *values, size_t count,
	       ld_store_row *row, void *ctx, uint64_t *ret_changed, struct ld_report *report)
{
	struct postgresql *p = postgresql_of(store);
	char translated[SQL_MAX_BYTES];
	PGresult *result;
	int err = connection_renew(p, report);

	if (err != LINDUNG_OK)
		return err;
	LD_ASSERT(sql_translate(translated, sizeof translated, sql));
	if (!send(p, translated, values, count))
		err = fail_text(p, LINDUNG_ENET, PQerrorMessage(p->connection), report);
	/* To the end, whatever became of it: else the next statement could not be sent. */
	while ((result = PQgetResult(p->connection)) != NULL) {
		ExecStatusType status = PQresultStatus(result);

		if (err == LINDUNG_OK && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
		    status != PGRES_SINGLE_TUPLE)
			err = fail(p, result, report);
		if (err == LINDUNG_OK && row != NULL)
			err = rows_give(p, result, row, ctx, report);
		if (err == LINDUNG_OK && ret_changed != NULL && status != PGRES_SINGLE_TUPLE)
			*ret_changed = changed_of(result);
		PQclear(result);
	}
	/* A commit of what was lost in between answers ROLLBACK, and is no error of its own. */
	return err;
}

static int
postgresql_begin(struct ld_store *store, struct ld_report *report)
{
	int err = connection_renew(postgresql_of(store), report);

	return err == LINDUNG_OK ? postgresql_script(store, "BEGIN", report) : err;
}

static const char *
postgresql_choose(const struct ld_migration *migration)
{
	return migration->postgresql != NULL ? migration->postgresql : migration->sqlite;
}

static void
postgresql_close(struct ld_store *store)
{
	struct postgresql *p = postgresql_of(store);

	PQfinish(p->connection);
	free(p);
}

static const struct ld_store_backend postgresql_backend = {
	.run = postgresql_run,
	.script = postgresql_script,
	.begin = postgresql_begin,
	.close = postgresql_close,
	.choose = postgresql_choose,
	.lock = "SELECT pg_advisory_xact_lock(x'4c644442'::bigint)",
};

static void
notice_ignore(void *ctx, const PGresult *result)
{
	(void)ctx;
	(void)result;
}

int
ld_store_postgresql_open(struct ld_store **ret, const char *url, struct ld_report *report)
{
	/* What stands in the URL beats what stands before it. */
	static const char *const keys[] = {"connect_timeout",  "application_name",
					   "tcp_user_timeout", "dbname",
					   "client_encoding",  NULL};
	char timeout[16], silence[16];
	const char *const values[] = {timeout, "lindung", silence, url, "UTF8", NULL};
	struct postgresql *p = calloc(1, sizeof *p);
	int err;

	snprintf(timeout, sizeof timeout, "%d", LD_STORE_CONNECT_S);
	snprintf(silence, sizeof silence, "%d", 3 * LD_STORE_BUSY_MS);
	if (p != NULL)
		p->connection = PQconnectdbParams(keys, values, 1);
	if (p == NULL || p->connection == NULL) {
		free(p);
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	}
	p->store.backend = &postgresql_backend;
	PQsetNoticeReceiver(p->connection, notice_ignore, NULL);
	err = connection_prepare(p, report);
	if (err != LINDUNG_OK) {
		postgresql_close(&p->store);
		return err;
	}
	*ret = &p->store;
	return LINDUNG_OK;
}
