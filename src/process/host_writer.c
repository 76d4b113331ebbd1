/* The writer: the thread that owns log, quorum and store.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A submission is checked, kept in the store (durable), and then goes into the log with all others
 * that wait, in one append.  If that fails (a full disk, witnesses that do not answer) it is tried
 * again, less and less often; what is in the store is never lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "log/block.h"
#include "log/parcel.h"
#include "log/tlog_proof.h"
#include "process/host_parts.h"

enum {
	BATCH_MAX = 1024,
	BATCH_BYTES_MAX = 16 * 1024 * 1024,
	RETRY_MIN_MS = 1000,
	RETRY_MAX_MS = 60000,
	REFRESH_MS = 15 * 60 * 1000, /* how old what the witnesses last said becomes */
};

struct host_writer {
	struct host *host;
	const struct ld_host_config *config;
	struct host_worker worker;
	struct ld_policy *policy;
	struct ld_log *log;
	struct ld_quorum *quorum;
	struct ld_store *store;
	struct host_witnesses *witnesses;
	struct ld_witness *witness;
	uint64_t waiting;  /* statements in the store that are not in the log */
	uint64_t recorded; /* entries of the log that the store knows */
	int retry_ms;      /* 0: all is well */
	int64_t refresh_at_ms;
};

static void
tell(const struct host_writer *w, const char *what, const struct ld_report *report)
{
	char line[LD_REPORT_MAX_BYTES + 64];

	snprintf(line, sizeof line, "%s: %s", what, report->text);
	w->config->tell(line);
}

/* ---- The log, as far as it goes ------------------------------------------------------------- */

static int
block_get(void *ctx, const uint8_t hash[32], struct ld_buffer *ret, struct ld_report *report)
{
	return ld_log_get_block(ctx, hash, ret, report);
}

/* The id of a note; false: it is none. */
static bool
id_of(uint8_t ret[LD_STATEMENT_ID_BYTES], struct ld_span bytes)
{
	struct ld_note note;

	if (ld_note_parse(&note, bytes, NULL) != LINDUNG_OK)
		return false;
	ld_statement_id(ret, note.text);
	return true;
}

/* One entry of the log into quorum and store. */
static int
entry_learn(struct host_writer *w, uint64_t index, struct ld_report *report)
{
	const struct ld_block_source blocks = {w->log, block_get};
	uint8_t id[LD_STATEMENT_ID_BYTES];
	struct ld_buffer note;
	int err;

	ld_buffer_init(&note, LD_NOTE_MAX_BYTES);
	err = ld_log_entry(w->log, index, &note, report);
	if (err == LINDUNG_OK && index >= w->recorded) {
		if (id_of(id, ld_buffer_span(&note)))
			err = host_queue_place(w->store, id, index, report);
	}
	if (err == LINDUNG_OK) {
		err = ld_quorum_add(w->quorum, index, ld_buffer_span(&note), &blocks);
		if (err != LINDUNG_OK)
			ld_fail(report, err, "entry %llu: %s", (unsigned long long)index,
				lindung_strerror(err));
	}
	ld_buffer_free(&note);
	return err;
}

/* What the log has and quorum and store do not know yet. */
static int
catch_up(struct host_writer *w, struct ld_report *report)
{
	uint64_t size = ld_log_size(w->log), index = ld_quorum_size(w->quorum);
	int err = index < size ? ld_store_begin(w->store, report) : LINDUNG_OK;

	if (err != LINDUNG_OK || index >= size)
		return err;
	for (; index < size && err == LINDUNG_OK; index++)
		err = entry_learn(w, index, report);
	if (err == LINDUNG_OK)
		err = ld_store_commit(w->store, report);
	else
		ld_store_rollback(w->store);
	if (err == LINDUNG_OK && w->recorded < size)
		w->recorded = size;
	return err;
}

/* ---- From the store into the log ------------------------------------------------------------ */

struct batch {
	struct host_writer *w;
	unsigned count;
	struct ld_span notes[BATCH_MAX];
	struct ld_buffer bytes;
	size_t ends[BATCH_MAX];
	unsigned refused_count;
	struct refused {
		uint8_t id[LD_STATEMENT_ID_BYTES];
		struct ld_report why;
	} refused[BATCH_MAX];
};

static int
batch_take(void *ctx, const uint8_t id[32], struct ld_span note)
{
	struct batch *batch = ctx;
	struct refused *refused = &batch->refused[batch->refused_count];
	int err;

	if (note.len > BATCH_BYTES_MAX - batch->bytes.len)
		return LINDUNG_OK; /* the next time */
	/* The log has gone on since it was checked. */
	err = ld_quorum_admits(batch->w->quorum, note, time(NULL), &refused->why);
	if (err == LINDUNG_OK) {
		ld_buffer_bytes(&batch->bytes, note);
		batch->ends[batch->count++] = batch->bytes.len;
	} else {
		memcpy(refused->id, id, sizeof refused->id);
		batch->refused_count++;
	}
	return batch->bytes.failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

static int
batch_append(struct host_writer *w, struct batch *batch, struct ld_report *report)
{
	uint64_t first;
	int err = host_queue_waiting(w->store, BATCH_MAX, batch_take, batch, report);
	size_t at = 0;

	for (unsigned i = 0; i < batch->refused_count && err == LINDUNG_OK; i++)
		err = host_queue_refuse(w->store, batch->refused[i].id, batch->refused[i].why.text,
					report);
	for (unsigned i = 0; i < batch->count; i++) {
		batch->notes[i] = ld_span(batch->bytes.data + at, batch->ends[i] - at);
		at = batch->ends[i];
	}
	if (err == LINDUNG_OK && batch->count != 0)
		err = ld_log_append(w->log, batch->notes, batch->count, &first, report);
	return err;
}

/* Everything that waits into the log.  What is left waits for the next time. */
static int
append_waiting(struct host_writer *w, struct ld_report *report)
{
	uint64_t before = ld_log_size(w->log), next;
	struct batch *batch = calloc(1, sizeof *batch);
	int err = LINDUNG_OK;

	if (batch == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (ld_log_is_pending(w->log)) {
		err = ld_log_finish(w->log, report);
		if (err == LINDUNG_OK)
			err = catch_up(w, report);
	}
	if (err == LINDUNG_OK) {
		batch->w = w;
		ld_buffer_init(&batch->bytes, BATCH_BYTES_MAX);
		err = batch_append(w, batch, report);
		ld_buffer_free(&batch->bytes);
	}
	free(batch);
	if (err == LINDUNG_OK)
		err = catch_up(w, report);
	if (err == LINDUNG_OK)
		err = host_queue_count(w->store, &w->waiting, &next, report);
	if (ld_log_size(w->log) != before) {
		w->refresh_at_ms = ld_clock_monotonic_ms() + REFRESH_MS;
		host_news(w->host);
	}
	return err;
}

/* ---- Jobs ----------------------------------------------------------------------------------- */

static int
status_of(int error)
{
	switch (error) {
	case LINDUNG_ESYNTAX:
	case LINDUNG_EINVAL:
	case LINDUNG_ENAME:
		return 400;
	case LINDUNG_ESIGNATURE:
	case LINDUNG_EDENIED:
		return 403;
	case LINDUNG_EDAMAGED:
	case LINDUNG_ENOTFOUND:
		return 422;
	case LINDUNG_ELIMIT:
		return 429;
	default:
		return 503;
	}
}

static void
fail_say(struct host_job *job, int error, const struct ld_report *report)
{
	host_job_say(job, status_of(error), "%s",
		     report->text[0] != '\0' ? report->text : lindung_strerror(error));
}

/* Check a submission and put it into the store, in the transaction that is under way; which is of
 * no more use if `*ret_broken`. */
static int
submission_keep(struct host_writer *w, struct host_job *job, bool *ret_broken,
		struct ld_report *report)
{
	struct ld_statement statement;
	struct ld_parcel parcel;
	bool is_new;
	int err = ld_parcel_split(&parcel, ld_buffer_span(&job->body), report);

	/* Who says it, first: a block costs time to look at, and a stranger gets none. */
	if (err == LINDUNG_OK && id_of(job->id, parcel.note))
		err = ld_quorum_admits(w->quorum, parcel.note, time(NULL), report);
	if (err == LINDUNG_OK)
		err = ld_parcel_check(&parcel, &statement, job->id, report);
	if (err == LINDUNG_EEXISTS)
		return LINDUNG_OK; /* said again: the answer was lost, perhaps */
	/* The block first: whoever sees the statement finds it. */
	if (err == LINDUNG_OK && parcel.block.len != 0)
		err = ld_log_put_block(w->log, statement.block_hash, parcel.block, report);
	if (err == LINDUNG_OK) {
		err = host_queue_put(w->store, job->id, parcel.note, time(NULL), &is_new, report);
		*ret_broken = err != LINDUNG_OK;
		w->waiting += err == LINDUNG_OK && is_new;
	}
	return err;
}

/* All submissions in one transaction.  A bad one ends no other's. */
static void
submissions_keep(struct host_writer *w, struct host_job *jobs)
{
	struct ld_report report = {{0}};
	bool broken = ld_store_begin(w->store, &report) != LINDUNG_OK;
	uint64_t waiting = w->waiting;

	for (struct host_job *job = jobs; job != NULL && !broken; job = job->next) {
		struct ld_report why = {{0}};
		int err;

		if (job->kind != HOST_SUBMIT)
			continue;
		if (w->waiting >= LD_HOST_WAITING_MAX) {
			host_job_say(job, 503, "too many statements wait for the log");
			continue;
		}
		err = submission_keep(w, job, &broken, &why);
		if (broken)
			report = why;
		else if (err != LINDUNG_OK)
			fail_say(job, err, &why);
	}
	if (broken)
		ld_store_rollback(w->store);
	else
		broken = ld_store_commit(w->store, &report) != LINDUNG_OK;
	if (!broken)
		return;
	tell(w, "the store", &report);
	w->waiting = waiting;
	for (struct host_job *job = jobs; job != NULL; job = job->next)
		if (job->kind == HOST_SUBMIT && job->answer.status == 0)
			host_job_say(job, 503, "what was sent could not be kept: send it again");
}

/* Where a statement stands: its proof, or in which state it is. */
static void
receipt_say(struct host_writer *w, struct host_job *job)
{
	struct ld_report report = {{0}}, why = {{0}};
	enum host_place place = HOST_UNKNOWN;
	uint64_t index = 0;
	char hex[2 * LD_STATEMENT_ID_BYTES + 1];
	int err = host_queue_find(w->store, job->id, &place, &index, &why, &report);

	for (unsigned i = 0; i < LD_STATEMENT_ID_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", job->id[i]);
	if (err == LINDUNG_OK && place == HOST_PLACED && index < ld_log_size(w->log)) {
		job->answer = (struct ld_web_answer){
			.status = 200, .type = "text/plain; charset=utf-8", .fd = -1};
		ld_buffer_init(&job->answer.body, LD_TLOG_PROOF_MAX_BYTES);
		err = ld_tlog_proof_make(&job->answer.body, w->log, index, &report);
		if (err == LINDUNG_OK)
			return;
		ld_buffer_free(&job->answer.body);
		job->answer = (struct ld_web_answer){0};
	}
	if (err != LINDUNG_OK)
		fail_say(job, LINDUNG_EIO, &report);
	else if (place == HOST_REFUSED)
		host_job_say(job, 403, "%s", why.text);
	else if (place == HOST_UNKNOWN)
		host_job_say(job, 404, "there is no such statement");
	else
		host_job_say(job, 202,
			     "kept, and not yet in the log; its receipt will be at /receipt/%s",
			     hex);
}

static void
checkpoint_sign(struct host_writer *w, struct host_job *job)
{
	struct ld_witness_answer said;
	struct ld_buffer body;

	ld_buffer_init(&body, LD_WITNESS_ANSWER_MAX_BYTES);
	said = ld_witness_add_checkpoint(w->witness, ld_buffer_span(&job->body),
					 (uint64_t)time(NULL), &body);
	job->answer = (struct ld_web_answer){
		.status = said.status, .type = said.content_type, .body = body, .fd = -1};
}

static void
witnessed_say(struct host_writer *w, struct host_job *job)
{
	struct ld_span checkpoint;

	if (ld_witness_checkpoint(w->witness, ld_span_str(job->name), &checkpoint) != LINDUNG_OK) {
		host_job_say(job, 404, "no checkpoint of this log was signed here");
		return;
	}
	job->answer = (struct ld_web_answer){.status = 200,
					     .type = "text/plain; charset=utf-8",
					     .cache = "public, max-age=10",
					     .fd = -1};
	ld_buffer_init(&job->answer.body, LD_CHECKPOINT_MAX_BYTES);
	ld_buffer_bytes(&job->answer.body, checkpoint);
}

/* Gives the job away. */
static void
job_answer(struct host_writer *w, struct host_job *job)
{
	if (job->answer.status == 0) {
		switch (job->kind) {
		case HOST_SUBMIT:
		case HOST_RECEIPT:
			receipt_say(w, job);
			break;
		case HOST_ADD_CHECKPOINT:
			checkpoint_sign(w, job);
			break;
		case HOST_WITNESSED:
			witnessed_say(w, job);
			break;
		case HOST_EXPORT:
		default:
			host_export_ask(host_exports(w->host), w->quorum, w->log, time(NULL), job);
			return;
		}
	}
	host_done(w->host, job);
}

/* How long until something is to be done unasked. */
static int
next_ms(const struct host_writer *w)
{
	int64_t left_ms = w->refresh_at_ms - ld_clock_monotonic_ms();

	if (w->retry_ms != 0)
		return w->retry_ms;
	if (w->log == NULL || host_witnesses_count(w->witnesses) == 0)
		return -1;
	return left_ms < 1 ? 1 : (int)left_ms;
}

/* What is due without anybody asking: to try again, to be seen by the witnesses again. */
static void
tend(struct host_writer *w, bool any_new)
{
	struct ld_report report = {{0}};
	bool is_due = ld_clock_monotonic_ms() >= w->refresh_at_ms &&
		      host_witnesses_count(w->witnesses) != 0;
	int err = LINDUNG_OK;

	if (any_new || w->retry_ms != 0)
		err = append_waiting(w, &report);
	if (err == LINDUNG_OK && is_due) {
		w->refresh_at_ms = ld_clock_monotonic_ms() + REFRESH_MS;
		err = ld_log_refresh(w->log, &report);
		host_news(w->host);
	}
	if (err == LINDUNG_OK) {
		w->retry_ms = w->waiting != 0 ? RETRY_MIN_MS : 0;
		return;
	}
	tell(w, "the log", &report);
	w->retry_ms = w->retry_ms == 0                 ? RETRY_MIN_MS
		      : w->retry_ms < RETRY_MAX_MS / 2 ? w->retry_ms * 2
						       : RETRY_MAX_MS;
}

static int
writer_work(void *ctx, struct host_job *jobs)
{
	struct host_writer *w = ctx;
	bool any_new = false;

	for (const struct host_job *job = jobs; job != NULL; job = job->next)
		any_new = any_new || job->kind == HOST_SUBMIT;
	if (any_new)
		submissions_keep(w, jobs);
	if (w->log != NULL)
		tend(w, any_new);
	while (jobs != NULL) {
		struct host_job *next = jobs->next;

		job_answer(w, jobs);
		jobs = next;
	}
	return next_ms(w);
}

/* ---- The whole ------------------------------------------------------------------------------ */

static int
log_open(struct host_writer *w, struct ld_report *report)
{
	const struct ld_host_config *c = w->config;
	uint64_t waiting;
	int err = ld_policy_open(&w->policy, c->policy, c->popular, report);

	if (err == LINDUNG_OK)
		err = ld_log_open(&w->log, c->log, c->signer, report);
	if (err == LINDUNG_OK && !ld_span_equal(ld_policy_origin(w->policy),
						ld_span_str(ld_signer_verifier(c->signer)->name)))
		err = ld_fail(report, LINDUNG_EINVAL,
			      "%s is the policy of another log than that of the key", c->policy);
	if (err == LINDUNG_OK)
		err = host_queue_open(&w->store, c->store, report);
	if (err == LINDUNG_OK)
		err = host_queue_count(w->store, &waiting, &w->recorded, report);
	if (err == LINDUNG_OK)
		err = ld_quorum_new(&w->quorum, w->policy, NULL);
	if (err == LINDUNG_OK)
		err = host_witnesses_new(&w->witnesses, w->policy, c->ca_file, c->tell, report);
	if (err != LINDUNG_OK)
		return err;
	host_witnesses_for(w->witnesses, w->log);
	err = catch_up(w, report);
	if (err == LINDUNG_OK)
		err = host_queue_count(w->store, &w->waiting, &waiting, report);
	/* What a crash left is taken up at once. */
	w->retry_ms = w->waiting != 0 || ld_log_is_pending(w->log) ? 1 : 0;
	return err;
}

static int
witness_open(struct host_writer *w, struct ld_report *report)
{
	const struct ld_host_config *c = w->config;
	int err = ld_witness_open(&w->witness, c->witness_state, c->witness, report);

	for (unsigned i = 0; i < c->witnessed_count && err == LINDUNG_OK; i++)
		err = ld_witness_add_log(w->witness, &c->witnessed[i], report);
	return err;
}

int
host_writer_open(struct host_writer **ret, struct host *host, const struct ld_host_config *config,
		 struct ld_report *report)
{
	struct host_writer *w = calloc(1, sizeof *w);
	int err = LINDUNG_OK;

	if (w == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	w->host = host;
	w->config = config;
	err = host_worker_init(&w->worker, writer_work, w);
	if (err == LINDUNG_OK && config->log != NULL)
		err = log_open(w, report);
	if (err == LINDUNG_OK && config->witness != NULL)
		err = witness_open(w, report);
	if (err != LINDUNG_OK) {
		host_writer_close(w);
		return err;
	}
	*ret = w;
	return LINDUNG_OK;
}

struct host_worker *
host_writer_worker(struct host_writer *writer)
{
	return &writer->worker;
}

void
host_writer_close(struct host_writer *writer)
{
	if (writer == NULL)
		return;
	host_worker_stop(&writer->worker);
	host_witnesses_free(writer->witnesses);
	ld_quorum_free(writer->quorum);
	ld_store_close(writer->store);
	ld_log_close(writer->log);
	ld_witness_close(writer->witness);
	ld_policy_free(writer->policy);
	free(writer);
}
