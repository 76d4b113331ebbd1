/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/compile.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "index/admit.h"

enum {
	RULE_CACHE = 64,
	PROGRESS_INTERVAL_MS = 100,
};

/* A list while it is read. */
struct job {
	const struct ld_compile_list *list;
	struct ld_list_input *input;
	enum ld_list_format format;
	bool claimed, ended;
	pthread_mutex_t lock;                /* of input: chunks are cut one at a time */
	uint64_t consumed_bytes, size_bytes; /* read by who tells of progress, without the lock */
};

struct compile {
	const struct ld_compile_options *options;
	struct job *jobs;
	size_t job_count;
	struct ld_rules *rules;
	struct ld_admission *admission;
	pthread_mutex_t lock; /* of what follows */
	int error;
	struct ld_report report;
	int64_t progress_ms;
};

struct cached_rule {
	struct ld_rule_text text; /* its spans point into the cache's own memory */
	uint8_t bytes[3][LD_INDEX_TEXT_MAX];
	uint16_t number;
	bool used;
};

/* One thread's share. */
struct worker {
	struct compile *c;
	struct ld_sorter *sorter;
	struct ld_compile_counts *counts; /* of each list */
	size_t job;                       /* the list at hand */
	struct cached_rule *cache;
	pthread_t thread;
};

bool
ld_category_key_is_valid(struct ld_span key)
{
	if (key.len == 0 || key.len > LD_CATEGORY_KEY_MAX)
		return false;
	for (size_t i = 0; i < key.len; i++) {
		uint8_t c = key.data[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
			return false;
	}
	return true;
}

/* ---- Entries to records --------------------------------------------------------------------- */

static void
rule_keep(struct cached_rule *kept, const struct ld_rule_text *rule, uint16_t number)
{
	const struct ld_span *from[3] = {&rule->category, &rule->source, &rule->target};
	struct ld_span *to[3] = {&kept->text.category, &kept->text.source, &kept->text.target};

	kept->text = *rule;
	for (int i = 0; i < 3; i++) {
		if (from[i]->len != 0)
			memcpy(kept->bytes[i], from[i]->data, from[i]->len);
		*to[i] = ld_span(kept->bytes[i], from[i]->len);
	}
	kept->number = number;
	kept->used = true;
}

/* Number of the rule; the few that a thread used last are found without asking the others. */
static int
rule_number(struct worker *w, const struct ld_rule_text *rule, uint16_t *ret)
{
	size_t at = rule->action + 3u * rule->flags + 7 * rule->source.len + 11 * rule->target.len;

	if (rule->target.len != 0)
		at += rule->target.data[rule->target.len - 1];
	struct cached_rule *kept = &w->cache[at % RULE_CACHE];
	if (!kept->used || ld_rule_text_compare(&kept->text, rule) != 0) {
		uint16_t number;
		int err = ld_rules_intern(w->c->rules, rule, &number);

		if (err != LINDUNG_OK)
			return err;
		rule_keep(kept, rule, number);
	}
	*ret = kept->number;
	return LINDUNG_OK;
}

static int
on_reject(void *ctx, enum ld_reject reason, uint64_t line, struct ld_span text)
{
	struct worker *w = ctx;
	const struct ld_compile_options *options = w->c->options;

	w->counts[w->job].rejects[reason]++;
	if (options->reject != NULL)
		options->reject(options->reject_ctx, (int)w->job, reason, line, text);
	return LINDUNG_OK;
}

static int
on_entry(void *ctx, const struct ld_entry *entry, uint64_t line)
{
	struct worker *w = ctx;
	const struct ld_compile_list *list = w->c->jobs[w->job].list;
	struct ld_rule_text rule = {
		.category =
			entry->category.len != 0 ? entry->category : ld_span_str(list->category),
		.source = entry->source.len != 0 ? entry->source : ld_span_str(list->source),
		.target = entry->target,
		.action = entry->action,
		.flags = entry->flags,
	};
	uint8_t key[LD_INDEX_KEY_MAX];
	struct ld_record record = {.scope = entry->scope, .list = (uint16_t)w->job};
	struct ld_span text;
	enum ld_reject reason =
		ld_admission_take(w->c->admission, entry, &rule, key, &record.key.len, &text);
	int err;

	if (reason != LD_REJECT_COUNT)
		return on_reject(w, reason, line, text);
	if (list->allow && rule.action == LD_ACTION_BLOCK)
		rule.action = LD_ACTION_ALLOW;
	/* Lists close by order; they do not open. */
	if (rule.action == LD_ACTION_BLOCK && ld_category_is_locked(w->c->options, rule.category))
		rule.flags |= LD_ENTRY_LOCKED;
	record.key.data = key;
	record.line = line < UINT32_MAX ? (uint32_t)line : UINT32_MAX;
	w->counts[w->job].entries++;
	err = rule_number(w, &rule, &record.rule);
	return err == LINDUNG_OK ? ld_sorter_add(w->sorter, &record) : err;
}

/* ---- Reading with several threads ----------------------------------------------------------- */

static void
error_set(struct compile *c, int error, const struct ld_report *report)
{
	pthread_mutex_lock(&c->lock);
	if (c->error == LINDUNG_OK) {
		c->error = error;
		if (report != NULL && report->text[0] != '\0')
			c->report = *report;
		else
			ld_fail(&c->report, error, "%s", lindung_strerror(error));
	}
	pthread_mutex_unlock(&c->lock);
}

static bool
failed(struct compile *c)
{
	pthread_mutex_lock(&c->lock);
	bool error = c->error != LINDUNG_OK;
	pthread_mutex_unlock(&c->lock);
	return error;
}

static void
progress_tell(struct compile *c)
{
	int64_t now = ld_clock_monotonic_ms();
	uint64_t done = 0, total = 0;

	pthread_mutex_lock(&c->lock);
	if (c->options->progress != NULL && now - c->progress_ms >= PROGRESS_INTERVAL_MS) {
		c->progress_ms = now;
		for (size_t i = 0; i < c->job_count; i++) {
			done += __atomic_load_n(&c->jobs[i].consumed_bytes, __ATOMIC_RELAXED);
			total += __atomic_load_n(&c->jobs[i].size_bytes, __ATOMIC_RELAXED);
		}
		c->options->progress(c->options->progress_ctx, "reading", done, total);
	}
	pthread_mutex_unlock(&c->lock);
}

static uint64_t
lines_count(struct ld_span bytes)
{
	uint64_t lines = 0;

	while (bytes.len != 0) {
		bytes = ld_span_from(bytes, ld_span_find(bytes, '\n') + 1);
		lines++;
	}
	return lines;
}

/* Cut the next chunk of a list. False: there is none (any more). */
static bool
chunk_next(struct compile *c, struct job *job, struct ld_list_chunk *chunk, void **memory)
{
	struct ld_report report = {{0}};
	int err = LINDUNG_OK;

	pthread_mutex_lock(&job->lock);
	if (!job->ended) {
		err = ld_list_input_next(job->input, chunk, memory, &report);
		job->ended = err != LINDUNG_OK || chunk->bytes.len == 0;
		if (err == LINDUNG_OK)
			__atomic_store_n(&job->consumed_bytes, chunk->consumed_bytes,
					 __ATOMIC_RELAXED);
	} else {
		*memory = NULL;
		chunk->bytes = ld_span(NULL, 0);
	}
	pthread_mutex_unlock(&job->lock);
	if (err != LINDUNG_OK) {
		error_set(c, err, &report);
		return false;
	}
	if (chunk->bytes.len == 0) {
		free(*memory);
		return false;
	}
	return true;
}

/* Read the list to its end, or as much of it as other threads leave. */
static void
job_work(struct worker *w, size_t number)
{
	struct compile *c = w->c;
	struct job *job = &c->jobs[number];
	const struct ld_list_sink sink = {w, on_entry, on_reject};
	const struct ld_list_options options = {.csv_column = job->list->csv_column};
	struct ld_list_parser *parser;
	struct ld_list_chunk chunk = {0};
	void *memory;
	int err = ld_list_parser_new(&parser, job->format, &options);

	if (err != LINDUNG_OK) {
		error_set(c, err, NULL);
		return;
	}
	w->job = number;
	while (err == LINDUNG_OK && !failed(c) && chunk_next(c, job, &chunk, &memory)) {
		w->counts[number].lines += lines_count(chunk.bytes);
		err = ld_list_parse(parser, &chunk, &sink);
		free(memory);
		progress_tell(c);
	}
	/* An empty chunk is the end, which some formats must be told. */
	if (err == LINDUNG_OK && !failed(c))
		err = ld_list_parse(parser, &chunk, &sink);
	if (err != LINDUNG_OK) {
		struct ld_report report;

		if (err == LINDUNG_EIO)
			ld_fail(&report, err, "%s: cannot hold the scratch files: %m",
				c->options->directory);
		else if (err == LINDUNG_ELIMIT)
			ld_fail(&report, err,
				"%s: too many different rules: with this list there are more than "
				"%d pairs of category and source, or addresses to answer with",
				job->list->path, LD_INDEX_RULES_MAX);
		else
			ld_fail(&report, err, "%s: %s", job->list->path, lindung_strerror(err));
		error_set(c, err, &report);
	}
	ld_list_parser_free(parser);
}

/* Open a list and find out its format. */
static bool
job_open(struct worker *w, struct job *job)
{
	struct ld_report report = {{0}};
	int err = ld_list_input_open(&job->input, job->list->path, &report);

	if (err != LINDUNG_OK) {
		error_set(w->c, err, &report);
		return false;
	}
	__atomic_store_n(&job->size_bytes, ld_list_input_size_bytes(job->input), __ATOMIC_RELAXED);
	job->format = job->list->format;
	if (job->format == LD_LIST_AUTO)
		job->format = ld_list_detect(ld_list_input_peek(job->input));
	/* Without one name in its beginning any format will do: its lines are told one by one. */
	if (job->format == LD_LIST_AUTO)
		job->format = LD_LIST_DOMAINS;
	if (!ld_list_format_is_read(job->format)) {
		err = ld_fail(&report, LINDUNG_EINVAL, "%s: lists in the format %s cannot be read",
			      job->list->path, ld_list_format_key(job->format));
		error_set(w->c, err, &report);
		return false;
	}
	return true;
}

enum turn { TURN_NONE, TURN_OWN, TURN_HELP };

/* What this thread is to do next: a list of its own, or help with one that can be shared. */
static enum turn
turn_take(struct compile *c, size_t *ret_job)
{
	enum turn turn = TURN_NONE;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->job_count && turn == TURN_NONE && c->error == LINDUNG_OK; i++) {
		if (!c->jobs[i].claimed) {
			c->jobs[i].claimed = true;
			*ret_job = i;
			turn = TURN_OWN;
		}
	}
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->job_count && turn == TURN_NONE; i++) {
		struct job *job = &c->jobs[i];

		pthread_mutex_lock(&job->lock);
		if (job->input != NULL && !job->ended && ld_list_lines_alone(job->format)) {
			*ret_job = i;
			turn = TURN_HELP;
		}
		pthread_mutex_unlock(&job->lock);
	}
	return turn;
}

static void *
worker_run(void *argument)
{
	struct worker *w = argument;
	size_t job = 0;
	enum turn turn;

	while (!failed(w->c) && (turn = turn_take(w->c, &job)) != TURN_NONE) {
		if (turn == TURN_OWN) {
			pthread_mutex_lock(&w->c->jobs[job].lock);
			bool opened = job_open(w, &w->c->jobs[job]);
			pthread_mutex_unlock(&w->c->jobs[job].lock);
			if (!opened)
				break;
		}
		job_work(w, job);
	}
	int err = failed(w->c) ? LINDUNG_OK : ld_sorter_finish(w->sorter);
	if (err != LINDUNG_OK)
		error_set(w->c, err, NULL);
	return NULL;
}

static void
workers_run(struct worker *workers, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) != 0)
			workers[i].thread = pthread_self();
	worker_run(&workers[0]);
	for (unsigned i = 1; i < count; i++) {
		if (!pthread_equal(workers[i].thread, pthread_self()))
			pthread_join(workers[i].thread, NULL);
		else
			worker_run(&workers[i]);
	}
}

/* ---- The whole ------------------------------------------------------------------------------ */

struct rejects {
	struct compile *c;
	struct ld_compile_counts *counts;
};

/* A rejection that only merging could see. */
static void
on_build_reject(void *ctx, enum ld_reject reason, const struct ld_record *record)
{
	struct rejects *r = ctx;
	const struct ld_compile_options *options = r->c->options;
	struct ld_span host = ld_span_first(record->key, ld_span_find(record->key, '/'));
	char text[LD_INDEX_KEY_MAX + 2];

	if (record->list >= r->c->job_count)
		return;
	r->counts[record->list].rejects[reason]++;
	if (reason == LD_REJECT_DUPLICATE || reason == LD_REJECT_COVERED ||
	    reason == LD_REJECT_BADFILTERED)
		r->counts[record->list].entries--;
	if (options->reject == NULL)
		return;
	size_t len = ld_key_to_host(text, host);
	memcpy(text + len, record->key.data + host.len, record->key.len - host.len);
	options->reject(options->reject_ctx, record->list, reason, record->line,
			ld_span(text, len + record->key.len - host.len));
}

struct ld_build_options
ld_compile_build_options(const struct ld_compile_options *o)
{
	return (struct ld_build_options){
		.date_day = o->date_day,
		.suffix_date = o->suffixes != NULL ? ld_psl_date_number(o->suffixes) : 0,
		.overlay = o->overlay,
		.drop_covered = o->drop_covered,
		.threads = o->threads,
		.directory = o->directory,
		.progress = o->progress,
		.progress_ctx = o->progress_ctx,
	};
}

static int
image_build(struct compile *c, const char *path, struct worker *workers, unsigned count,
	    struct ld_compile_stats *stats)
{
	struct ld_sorter *sorters[LD_COMPILE_THREADS_MAX];
	struct rejects rejects = {c, stats->lists};
	const struct ld_build_rejects told = {&rejects, on_build_reject};
	const struct ld_build_options options = ld_compile_build_options(c->options);

	for (unsigned i = 0; i < count; i++)
		sorters[i] = workers[i].sorter;
	return ld_build(path, c->rules, sorters, count, &options, &told, &stats->build, &c->report);
}

static void
counts_add(struct ld_compile_counts *to, const struct ld_compile_counts *from)
{
	to->lines += from->lines;
	to->entries += from->entries;
	for (int i = 0; i < LD_REJECT_COUNT; i++)
		to->rejects[i] += from->rejects[i];
}

static int
compile_run(struct compile *c, const char *path, struct worker *workers, unsigned count,
	    struct ld_compile_stats *stats)
{
	/* Half for the records; the rest is for the chunks, for merging and for encoding. */
	size_t memory = c->options->memory_bytes / 2 / count;
	int err = LINDUNG_OK;

	for (unsigned i = 0; err == LINDUNG_OK && i < count; i++) {
		workers[i].c = c;
		workers[i].counts = calloc(c->job_count + 1, sizeof *workers[i].counts);
		workers[i].cache = calloc(RULE_CACHE, sizeof *workers[i].cache);
		if (workers[i].counts == NULL || workers[i].cache == NULL)
			err = LINDUNG_ENOMEM;
		if (err == LINDUNG_OK)
			err = ld_sorter_new(&workers[i].sorter, memory, c->options->directory);
	}
	if (err == LINDUNG_OK)
		err = ld_protections_add(c->rules, workers[0].sorter, c->options->protects,
					 c->options->protect_count);
	if (err != LINDUNG_OK)
		return ld_fail(&c->report, err, "%s", lindung_strerror(err));
	workers_run(workers, count);
	if (c->error != LINDUNG_OK)
		return c->error;
	for (size_t i = 0; i < c->job_count; i++) {
		stats->lists[i].format = c->jobs[i].format;
		for (unsigned j = 0; j < count; j++)
			counts_add(&stats->lists[i], &workers[j].counts[i]);
	}
	err = image_build(c, path, workers, count, stats);
	for (size_t i = 0; i < c->job_count; i++)
		counts_add(&stats->total, &stats->lists[i]);
	return err;
}

static int
compile_init(struct compile *c, const struct ld_compile_list *lists)
{
	const struct ld_compile_options *o = c->options;

	pthread_mutex_init(&c->lock, NULL);
	c->jobs = calloc(c->job_count + 1, sizeof *c->jobs);
	if (c->jobs == NULL)
		return LINDUNG_ENOMEM;
	for (size_t i = 0; i < c->job_count; i++) {
		c->jobs[i].list = &lists[i];
		pthread_mutex_init(&c->jobs[i].lock, NULL);
	}
	int err = ld_rules_new(&c->rules);
	if (err == LINDUNG_OK)
		err = ld_admission_new(&c->admission, o->suffixes, o->protects, o->protect_count,
				       o->overlay);
	return err;
}

static void
compile_fini(struct compile *c)
{
	for (size_t i = 0; c->jobs != NULL && i < c->job_count; i++) {
		ld_list_input_close(c->jobs[i].input);
		pthread_mutex_destroy(&c->jobs[i].lock);
	}
	free(c->jobs);
	ld_rules_free(c->rules);
	ld_admission_free(c->admission);
	pthread_mutex_destroy(&c->lock);
}

int
ld_compile(const char *path, const struct ld_compile_list *lists, size_t list_count,
	   const struct ld_compile_options *options, struct ld_compile_stats *ret,
	   struct ld_report *report)
{
	struct compile c = {.options = options, .job_count = list_count};
	struct worker workers[LD_COMPILE_THREADS_MAX] = {0};
	struct ld_compile_stats stats = {0};
	/* Rejections that are printed come in the lists' order. */
	unsigned count = options->reject != NULL ? 1 : options->threads;
	int err = LINDUNG_ENOMEM;

	if (list_count > LD_COMPILE_LISTS_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "more than %d lists", LD_COMPILE_LISTS_MAX);
	if (count < 1)
		count = 1;
	if (count > LD_COMPILE_THREADS_MAX)
		count = LD_COMPILE_THREADS_MAX;
	stats.lists = calloc(list_count + 1, sizeof *stats.lists);
	if (stats.lists != NULL)
		err = compile_init(&c, lists);
	if (err == LINDUNG_OK)
		err = compile_run(&c, path, workers, count, &stats);
	else
		ld_fail(&c.report, err, "%s", lindung_strerror(err));
	for (unsigned i = 0; i < count; i++) {
		free(workers[i].counts);
		free(workers[i].cache);
		ld_sorter_free(workers[i].sorter);
	}
	compile_fini(&c);
	if (err != LINDUNG_OK) {
		free(stats.lists);
		return ld_fail(report, err, "%s", c.report.text);
	}
	*ret = stats;
	return LINDUNG_OK;
}
