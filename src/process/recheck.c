/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/recheck.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "index/export.h"
#include "net/loop.h"
#include "store/store.h"
#include "wire/dns.h"

enum {
	TICK_MS = 50,
	SAVE_EACH = 1000, /* answers in a transaction */
	NAMES_BYTES = 512 * 1024 * 1024,
	EDE_BLOCKED = 15,
	EDE_PROHIBITED = 18,
	HEADER_BYTES = 12,
};

static const struct ld_migration migrations[] = {
	{"CREATE TABLE recheck (name TEXT PRIMARY KEY, run BIGINT NOT NULL, next_s BIGINT NOT "
	 "NULL, "
	 "gone_s BIGINT NOT NULL, times BIGINT NOT NULL, dormant BIGINT NOT NULL);"
	 "CREATE INDEX recheck_next ON recheck (next_s);"
	 "CREATE INDEX recheck_dormant ON recheck (name) WHERE dormant = 1",
	 NULL},
};

enum answer { ANSWER_NONE, ANSWER_ALIVE, ANSWER_GONE, ANSWER_UNKNOWN };

struct name {
	struct ld_recheck *recheck;
	struct ld_span text;
	int64_t gone_s;
	uint32_t times;
	bool dormant;
	enum answer answer;
};

struct ld_recheck {
	struct ld_recheck_options options;
	struct ld_store *store;
	struct event_base *loop;
	struct ld_upstream *upstream;
	struct ld_timer *timer;
	struct ld_arena arena;
	int64_t now_s;
	struct name *names; /* due in this run */
	size_t count, size, sent, answered, saved;
	unsigned credit; /* questions that may go now, in thousandths */
	bool heard;      /* somebody has answered */
	int err;
	struct ld_report *report;
	struct ld_recheck_outcome outcome;
};

/* ---- Names ---------------------------------------------------------------------------------- */

struct adding {
	struct ld_recheck *recheck;
	int64_t run;
	uint8_t last[LD_HOST_MAX];
	size_t last_len;
	struct ld_report *report;
};

static int
name_add(void *ctx, const struct ld_entry *entry)
{
	struct adding *adding = ctx;
	struct ld_value values[2] = {ld_value_text(entry->host), ld_value_integer(adding->run)};

	if (entry->action != LD_ACTION_BLOCK || entry->scope == LD_SCOPE_URL ||
	    entry->host.len > sizeof adding->last ||
	    ld_span_equal(entry->host, ld_span(adding->last, adding->last_len)))
		return LINDUNG_OK;
	memcpy(adding->last, entry->host.data, entry->host.len);
	adding->last_len = entry->host.len;
	adding->recheck->outcome.names++;
	return ld_store_run(adding->recheck->store,
			    "INSERT INTO recheck (name, run, next_s, gone_s, times, dormant) "
			    "VALUES (?1, ?2, 0, 0, 0, 0) "
			    "ON CONFLICT (name) DO UPDATE SET run = excluded.run",
			    values, 2, NULL, NULL, NULL, adding->report);
}

static int
number_row(void *ctx, const struct ld_value *values, size_t count)
{
	LD_ASSERT(count == 1);
	*(int64_t *)ctx = values[0].integer;
	return LINDUNG_OK;
}

int
ld_recheck_names(struct ld_recheck *recheck, const struct lindung *list, struct ld_report *report)
{
	struct adding adding = {.recheck = recheck, .report = report};
	struct ld_value run;
	int err = ld_store_begin(recheck->store, report);

	if (err != LINDUNG_OK)
		return err;
	recheck->outcome.names = 0;
	err = ld_store_run(recheck->store, "SELECT coalesce(max(run), 0) + 1 FROM recheck", NULL, 0,
			   number_row, &adding.run, NULL, report);
	if (err == LINDUNG_OK)
		err = ld_export_each(list, name_add, &adding);
	run = ld_value_integer(adding.run);
	if (err == LINDUNG_OK)
		err = ld_store_run(recheck->store, "DELETE FROM recheck WHERE run <> ?1", &run, 1,
				   NULL, NULL, NULL, report);
	if (err == LINDUNG_OK)
		return ld_store_commit(recheck->store, report);
	ld_store_rollback(recheck->store);
	return err;
}

static int
due_row(void *ctx, const struct ld_value *v, size_t count)
{
	struct ld_recheck *r = ctx;
	struct name *name;

	LD_ASSERT(count == 4);
	if (r->count == r->size) {
		size_t size = r->size == 0 ? 1024 : r->size * 2;
		struct name *more = reallocarray(r->names, size, sizeof *more);

		if (more == NULL)
			return LINDUNG_ENOMEM;
		r->names = more;
		r->size = size;
	}
	name = &r->names[r->count];
	*name = (struct name){
		.recheck = r,
		.text = ld_arena_copy(&r->arena, v[0].bytes),
		.gone_s = v[1].integer,
		.times = (uint32_t)v[2].integer,
		.dormant = v[3].integer != 0,
	};
	if (name->text.data == NULL)
		return LINDUNG_ENOMEM;
	r->count++;
	return LINDUNG_OK;
}

/* ---- Answers -------------------------------------------------------------------------------- */

/* What is known of a name now, and when it is asked for again. */
static int64_t
judge(struct ld_recheck *r, struct name *name)
{
	switch (name->answer) {
	case ANSWER_ALIVE:
		r->outcome.alive++;
		r->outcome.woke += name->dormant;
		name->gone_s = 0;
		name->times = 0;
		name->dormant = false;
		return r->now_s + LD_RECHECK_ALIVE_S;
	case ANSWER_GONE:
		r->outcome.gone++;
		if (name->times == 0)
			name->gone_s = r->now_s;
		name->times++;
		if (!name->dormant && name->times >= r->options.times &&
		    r->now_s - name->gone_s >= r->options.after_s) {
			name->dormant = true;
			r->outcome.slept++;
		}
		break;
	case ANSWER_UNKNOWN:
	case ANSWER_NONE:
	default:
		r->outcome.unanswered++;
		break;
	}
	return r->now_s + (name->dormant ? LD_RECHECK_DORMANT_S : LD_RECHECK_DOUBT_S);
}

/* What has been answered, in order, up to the first that has not. */
static void
answers_save(struct ld_recheck *r, bool all)
{
	size_t end = r->saved;

	while (end < r->sent && r->names[end].answer != ANSWER_NONE)
		end++;
	if (r->err != LINDUNG_OK || end == r->saved || (!all && end - r->saved < SAVE_EACH))
		return;
	r->err = ld_store_begin(r->store, r->report);
	for (; r->saved < end && r->err == LINDUNG_OK; r->saved++) {
		struct name *name = &r->names[r->saved];
		int64_t next_s = judge(r, name);
		struct ld_value values[] = {
			ld_value_text(name->text),       ld_value_integer(next_s),
			ld_value_integer(name->gone_s),  ld_value_integer(name->times),
			ld_value_integer(name->dormant),
		};

		r->err = ld_store_run(r->store,
				      "UPDATE recheck SET next_s = ?2, gone_s = ?3, times = ?4, "
				      "dormant = ?5 WHERE name = ?1",
				      values, 5, NULL, NULL, NULL, r->report);
	}
	if (r->err == LINDUNG_OK)
		r->err = ld_store_commit(r->store, r->report);
	else
		ld_store_rollback(r->store);
}

static enum answer
answer_of(const struct ld_upstream_result *result)
{
	if (result->error != LINDUNG_OK || result->message.len < HEADER_BYTES)
		return ANSWER_UNKNOWN;
	for (unsigned i = 0; i < result->ede_count; i++)
		if (result->edes[i].code >= EDE_BLOCKED && result->edes[i].code <= EDE_PROHIBITED)
			return ANSWER_UNKNOWN;
	switch (result->message.data[3] & 15) {
	case LD_RCODE_NOERROR:
		return ANSWER_ALIVE;
	case LD_RCODE_NXDOMAIN:
		return ANSWER_GONE;
	default:
		return ANSWER_UNKNOWN;
	}
}

static void
answered(void *ctx, const struct ld_upstream_result *result)
{
	struct name *name = ctx;
	struct ld_recheck *r = name->recheck;

	name->answer = answer_of(result);
	r->answered++;
	r->outcome.asked++;
	r->heard = r->heard || result->error == LINDUNG_OK;
	answers_save(r, false);
	if (r->answered == r->count || r->err != LINDUNG_OK)
		ld_loop_stop(r->loop);
}

static void
tick(void *ctx)
{
	struct ld_recheck *r = ctx;
	unsigned credit = r->credit + r->options.rate * TICK_MS;

	if (!r->heard && r->answered >= LD_RECHECK_SILENCE_MAX) {
		r->err = ld_fail(r->report, LINDUNG_ENET,
				 "the resolver has answered none of %zu questions", r->answered);
		ld_loop_stop(r->loop);
		return;
	}
	if (credit > r->options.rate * 1000)
		credit = r->options.rate * 1000;
	while (credit >= 1000 && r->sent < r->count &&
	       r->sent - r->answered < LD_RECHECK_AT_ONCE_MAX) {
		struct name *name = &r->names[r->sent++];
		struct ld_name wire;

		credit -= 1000;
		if (ld_name_from_text(&wire, name->text) != LINDUNG_OK ||
		    ld_upstream_ask(r->upstream, &wire, LD_TYPE_A, false, answered, name) !=
			    LINDUNG_OK) {
			name->answer = ANSWER_UNKNOWN;
			r->answered++;
		}
	}
	r->credit = credit;
	if (r->answered == r->count)
		ld_loop_stop(r->loop);
	else
		ld_timer_set(r->timer, TICK_MS);
}

/* ---- The whole ------------------------------------------------------------------------------ */

static int
counts_read(struct ld_recheck *r, int64_t now_s, struct ld_report *report)
{
	struct ld_value now = ld_value_integer(now_s);
	int64_t dormant = 0, due = 0;
	int err = ld_store_run(r->store, "SELECT count(*) FROM recheck WHERE dormant = 1", NULL, 0,
			       number_row, &dormant, NULL, report);

	if (err == LINDUNG_OK)
		err = ld_store_run(r->store, "SELECT count(*) FROM recheck WHERE next_s <= ?1",
				   &now, 1, number_row, &due, NULL, report);
	r->outcome.dormant = (uint64_t)dormant;
	r->outcome.due = (uint64_t)due;
	return err;
}

int
ld_recheck_run(struct ld_recheck *recheck, int64_t now_s, struct ld_recheck_outcome *ret,
	       struct ld_report *report)
{
	struct ld_recheck *r = recheck;
	struct ld_value values[] = {ld_value_integer(now_s), ld_value_integer(r->options.most)};
	int err;

	r->outcome = (struct ld_recheck_outcome){.names = r->outcome.names};
	r->now_s = now_s;
	r->report = report;
	r->count = r->sent = r->answered = r->saved = 0;
	r->credit = 0;
	r->heard = false;
	r->err = ld_store_run(r->store,
			      "SELECT name, gone_s, times, dormant FROM recheck "
			      "WHERE next_s <= ?1 ORDER BY next_s, name LIMIT ?2",
			      values, 2, due_row, r, NULL, report);
	if (r->err == LINDUNG_OK && r->count != 0) {
		ld_timer_set(r->timer, 0);
		ld_loop_run(r->loop);
		answers_save(r, true);
	}
	err = r->err;
	if (err == LINDUNG_OK)
		err = counts_read(r, now_s, report);
	ld_arena_clear(&r->arena);
	if (err == LINDUNG_OK)
		*ret = r->outcome;
	return err;
}

static int
dormant_row(void *ctx, const struct ld_value *values, size_t count)
{
	FILE *file = ctx;

	LD_ASSERT(count == 1);
	return fprintf(file, "remove\t*\t%.*s\trecheck\n", (int)values[0].bytes.len,
		       (const char *)values[0].bytes.data) > 0
		       ? LINDUNG_OK
		       : LINDUNG_EIO;
}

int
ld_recheck_write(struct ld_recheck *recheck, const char *path, struct ld_report *report)
{
	struct ld_replace out = {.fd = -1};
	FILE *file = NULL;
	int err = ld_replace_begin(&out, path, report), fd;

	if (err != LINDUNG_OK)
		return err;
	fd = dup(out.fd);
	file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (file == NULL && fd >= 0)
		close(fd);
	err = file != NULL && fputs("# lindung list 1\n", file) >= 0 ? LINDUNG_OK : LINDUNG_EIO;
	if (err == LINDUNG_OK)
		err = ld_store_run(recheck->store,
				   "SELECT name FROM recheck WHERE dormant = 1 ORDER BY name", NULL,
				   0, dormant_row, file, NULL, report);
	if (file != NULL && fclose(file) != 0)
		err = LINDUNG_EIO;
	if (err == LINDUNG_EIO)
		ld_fail(report, err, "%s: cannot be written: %s", path, strerror(errno));
	if (err == LINDUNG_OK)
		err = ld_replace_commit(&out, report);
	ld_replace_abandon(&out);
	return err;
}

int
ld_recheck_open(struct ld_recheck **ret, const struct ld_recheck_options *options,
		struct ld_report *report)
{
	struct ld_recheck *r = calloc(1, sizeof *r);
	int err;

	if (r == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	LD_ASSERT(options->rate > 0 && options->rate <= LD_RECHECK_RATE_MAX);
	r->options = *options;
	ld_arena_init(&r->arena, NAMES_BYTES);
	err = ld_store_open(&r->store, options->store, "recheck", migrations,
			    sizeof migrations / sizeof migrations[0], report);
	r->loop = ld_loop_new();
	r->timer = r->loop != NULL ? ld_timer_new(r->loop, tick, r) : NULL;
	if (err == LINDUNG_OK && r->timer == NULL)
		err = ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (err == LINDUNG_OK)
		err = ld_upstream_new(&r->upstream, r->loop, &options->upstream, report);
	if (err != LINDUNG_OK) {
		ld_recheck_close(r);
		return err;
	}
	*ret = r;
	return LINDUNG_OK;
}

void
ld_recheck_close(struct ld_recheck *recheck)
{
	if (recheck == NULL)
		return;
	ld_upstream_free(recheck->upstream);
	ld_timer_free(recheck->timer);
	ld_loop_free(recheck->loop);
	ld_store_close(recheck->store);
	ld_arena_clear(&recheck->arena);
	free(recheck->names);
	free(recheck);
}
