/* Following a log, step by step.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "process/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "process/follow_parts.h"

enum {
	CONNECT_MS = 10 * 1000,
	STALL_MS = 20 * 1000,
	TOTAL_MS = 10 * 60 * 1000,
	CA_MAX_BYTES = 4 * 1024 * 1024,
	PROTECTED_MAX = 65536,
	ARENA_BYTES = 16 * 1024 * 1024,
	NEW_MAX_BYTES = 1024 * 1024 * 1024, /* of entries in one step */
	CHECKPOINT_KEEP_S = 600,            /* one that says no more than it was seen later */
	CLOCK_BACK_MAX_S = 600,             /* a clock that is set right by as much is waited for */
};

static const char system_ca[] = "/etc/ssl/certs/ca-certificates.crt";

/* ---- Opening -------------------------------------------------------------------------------- */

static int
protected_read(struct ld_follow *f, struct ld_report *report)
{
	struct ld_span text = f->config.protected;
	size_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	if (lines > PROTECTED_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "more than %d protected names",
			       PROTECTED_MAX);
	f->protects = ld_arena_alloc(&f->arena, (lines + 1) * sizeof *f->protects);
	f->locked = ld_arena_alloc(&f->arena, (lines + 1) * sizeof *f->locked);
	text = ld_arena_copy(&f->arena, text);
	if (f->protects == NULL || f->locked == NULL ||
	    (text.data == NULL && f->config.protected.len != 0))
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	while (text.len != 0) {
		struct ld_span line = ld_span_first(text, ld_span_find(text, '\n'));
		struct ld_protected *one = &f->protects[f->protect_count];

		text = ld_span_from(text, line.len + 1);
		if (line.len == 0)
			continue;
		if (line.data[0] == '!') {
			const char **key = &f->locked[f->locked_count++];

			*key = (const char *)ld_arena_copy(&f->arena, ld_span_from(line, 1)).data;
			if (*key == NULL)
				return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
			continue;
		}
		one->exact = line.data[0] == '=';
		one->host = ld_span_from(line, one->exact);
		f->protect_count++;
	}
	return LINDUNG_OK;
}

static int
keys_read(struct ld_follow *f, struct ld_report *report)
{
	int err;

	if (f->config.key_count == 0)
		return LINDUNG_OK;
	err = ld_openers_new(&f->openers);
	if (err != LINDUNG_OK)
		return ld_fail(report, err,
			       "not enough memory that can be locked, to keep keys in");
	for (unsigned i = 0; i < f->config.key_count && err == LINDUNG_OK; i++)
		err = ld_openers_add_file(f->openers, f->config.keys[i], report);
	return err;
}

/* With the authorities' certificates in memory: later no file can be opened. */
static int
fetcher_make(struct ld_follow *f, struct ld_report *report)
{
	struct ld_fetch_options options = {
		.user_agent = f->config.user_agent,
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.total_ms = TOTAL_MS,
		.resolve = f->config.resolve,
		.resolve_ctx = f->config.resolve_ctx,
	};
	const char *path = f->config.ca_file != NULL ? f->config.ca_file : system_ca;
	uint8_t *data = NULL;
	size_t len = 0;
	int err = LINDUNG_OK;

	/* Without https it is not needed, and need not be there. */
	if (f->config.ca_file != NULL || access(path, R_OK) == 0)
		err = ld_read_file(path, CA_MAX_BYTES, &data, &len, report);
	options.ca_pem = ld_span(data, len);
	if (err == LINDUNG_OK)
		err = ld_fetcher_new(&f->fetcher, &options, report);
	free(data);
	return err;
}

int
ld_follow_open(struct ld_follow **ret, const struct ld_follow_config *config,
	       struct ld_report *report)
{
	struct ld_follow *f = calloc(1, sizeof *f);
	int err;

	if (f == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	f->config = *config;
	f->lock_fd = f->entries_fd = f->base.fd = f->overlay.fd = -1;
	f->next_s = INT64_MAX;
	ld_arena_init(&f->arena, ARENA_BYTES);
	ld_buffer_init(&f->checkpoint, LD_CHECKPOINT_MAX_BYTES);
	ld_follow_moved(f, config->state);
	err = ld_policy_open(&f->policy, config->policy, config->popular, report);
	if (err == LINDUNG_OK)
		err = protected_read(f, report);
	if (err == LINDUNG_OK)
		err = keys_read(f, report);
	if (err == LINDUNG_OK)
		err = ld_psl_open(&f->suffixes, NULL, report);
	if (err == LINDUNG_OK)
		err = fetcher_make(f, report);
	if (err == LINDUNG_OK)
		err = ld_follow_state_open(f, report);
	if (err != LINDUNG_OK) {
		ld_follow_free(f);
		return err;
	}
	*ret = f;
	return LINDUNG_OK;
}

void
ld_follow_free(struct ld_follow *f)
{
	if (f == NULL)
		return;
	ld_follow_changes_clear(f);
	ld_follow_image_clear(f, &f->base, false);
	ld_follow_image_clear(f, &f->overlay, false);
	ld_quorum_free(f->quorum);
	ld_fetcher_free(f->fetcher);
	ld_psl_close(f->suffixes);
	ld_openers_free(f->openers);
	ld_policy_free(f->policy);
	ld_buffer_free(&f->checkpoint);
	ld_arena_clear(&f->arena);
	if (f->entries_fd >= 0)
		close(f->entries_fd);
	if (f->lock_fd >= 0)
		close(f->lock_fd);
	free(f);
}

void
ld_follow_moved(struct ld_follow *f, const char *state)
{
	snprintf(f->state, sizeof f->state, "%s", state);
}

void
ld_follow_moves(const struct ld_follow *f)
{
	if (f->config.moves != NULL)
		f->config.moves(f->config.moves_ctx);
}

const struct ld_policy *
ld_follow_policy(const struct ld_follow *f)
{
	return f->policy;
}

void
ld_follow_seen(const struct ld_follow *f, uint64_t *ret_size, uint64_t *ret_checkpoint_s)
{
	*ret_size = f->tree.size;
	*ret_checkpoint_s = f->checkpoint_s;
}

unsigned
ld_follow_files(const struct ld_follow *f, int fds[LD_FOLLOW_FILES_MAX])
{
	unsigned count = 0;

	if (f->base.fd >= 0)
		fds[count++] = f->base.fd;
	if (count != 0 && f->overlay.fd >= 0)
		fds[count++] = f->overlay.fd;
	return count;
}

int
ld_follow_restore(struct ld_follow *f, struct ld_report *report)
{
	struct ld_report why;
	int err = ld_follow_state_read(f, report);

	if (err != LINDUNG_OK)
		return err;
	/* What is not whole is made anew; until then there is nothing. */
	if (f->base.name[0] != '\0' && ld_follow_image_load(f, &f->base, true, &why) != LINDUNG_OK)
		ld_follow_image_clear(f, &f->base, true);
	if (f->overlay.name[0] != '\0' &&
	    (f->base.fd < 0 || ld_follow_image_load(f, &f->overlay, true, &why) != LINDUNG_OK))
		ld_follow_image_clear(f, &f->overlay, true);
	return LINDUNG_OK;
}

/* ---- What the entries come to ---------------------------------------------------------------- */

static int
entry_add(void *ctx, uint64_t index, struct ld_span entry)
{
	struct ld_follow *f = ctx;
	const struct ld_block_source blocks = {f, ld_follow_block_read};

	ld_follow_moves(f);
	return ld_quorum_add(f->quorum, index, entry, &blocks);
}

/* The time to go by.  It is not before that at which witnesses saw the log: a machine that starts
 * with the clock of its birth would find nothing agreed yet, and open all.  A clock that was far
 * ahead, and is right again, must not leave all expired: then all is worked out anew. */
static time_t
time_find(struct ld_follow *f, time_t now_s)
{
	if ((uint64_t)now_s < f->checkpoint_s)
		now_s = (time_t)f->checkpoint_s;
	if (f->quorum != NULL && now_s < f->settled_s - CLOCK_BACK_MAX_S) {
		ld_quorum_free(f->quorum);
		f->quorum = NULL;
		f->settled_s = 0;
	}
	return now_s;
}

/* The entries that the quorum does not have. */
static int
quorum_feed(struct ld_follow *f, struct ld_report *report)
{
	int err = LINDUNG_OK;

	report->text[0] = '\0';
	if (f->quorum == NULL)
		err = ld_quorum_new(&f->quorum, f->policy, f->openers);
	if (err == LINDUNG_OK)
		ld_quorum_set_suffixes(f->quorum, f->suffixes);
	if (err == LINDUNG_OK && ld_quorum_size(f->quorum) < f->tree.size)
		err = ld_follow_entries(f, ld_quorum_size(f->quorum), f->tree.size, entry_add, f,
					report);
	if (err != LINDUNG_OK) {
		ld_quorum_free(f->quorum);
		f->quorum = NULL;
		if (report->text[0] == '\0')
			ld_fail(report, err, "the statements cannot be taken in: %s",
				lindung_strerror(err));
	}
	return err;
}

/* Bring the list to this time, and compile what changed. */
static int
settle(struct ld_follow *f, time_t now_s, struct ld_report *report)
{
	bool whole = f->base.fd < 0 || f->settled_s == 0;
	int64_t at_s = now_s > f->settled_s ? now_s : f->settled_s;
	int err;

	ld_follow_moves(f);
	err = ld_quorum_settle(f->quorum, at_s, whole ? NULL : ld_follow_change, f, &f->next_s);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "the list cannot be brought up to date: %s",
			       lindung_strerror(err));
	if (whole || f->change_count > LD_FOLLOW_CHANGES_MAX) {
		/* What the images of an earlier process were made of is not known to the octet. */
		f->settled_s = at_s;
		err = ld_follow_compile_base(f, report);
		if (err != LINDUNG_OK && whole)
			f->settled_s = 0;
	} else {
		f->settled_s = at_s;
		if (!f->is_dirty)
			return LINDUNG_OK;
		err = ld_follow_compile_overlay(f, report);
	}
	f->result->changed |= err == LINDUNG_OK;
	return err;
}

/* ---- Blocks --------------------------------------------------------------------------------- */

struct missing {
	struct ld_follow *f;
	uint8_t (*hashes)[32];
	size_t count, size;
};

static int
missing_add(struct missing *missing, const uint8_t hash[32])
{
	if (missing->count == LD_FOLLOW_SHORTFALL_MAX)
		return LINDUNG_OK;
	for (size_t i = 0; i < missing->count; i++)
		if (memcmp(missing->hashes[i], hash, 32) == 0)
			return LINDUNG_OK;
	if (missing->count == missing->size) {
		size_t size = missing->size * 2 + 16;
		void *more = reallocarray(missing->hashes, size, sizeof *missing->hashes);

		if (more == NULL)
			return LINDUNG_ENOMEM;
		missing->hashes = more;
		missing->size = size;
	}
	memcpy(missing->hashes[missing->count++], hash, 32);
	return LINDUNG_OK;
}

static int
waiting_add(void *ctx, const uint8_t hash[32], uint64_t index)
{
	(void)index;
	return missing_add(ctx, hash);
}

/* Fetch the blocks that are waited for.  What does not come is no reason not to take the rest. */
static int
blocks_fetch(struct ld_follow *f, struct ld_report *report)
{
	struct missing missing = {.f = f};
	int err = ld_quorum_waiting(f->quorum, waiting_add, &missing), late = LINDUNG_OK;

	if (err == LINDUNG_OK && missing.count != 0)
		late = ld_follow_blocks(f, (const uint8_t(*)[32])missing.hashes, missing.count,
					report);
	for (size_t i = 0; i < missing.count && err == LINDUNG_OK; i++) {
		struct ld_buffer stored;
		struct ld_report why;

		ld_buffer_init(&stored, LD_BLOCK_STORED_MAX_BYTES);
		if (ld_follow_block_read(f, missing.hashes[i], &stored, &why) == LINDUNG_OK)
			err = ld_quorum_block(f->quorum, missing.hashes[i], ld_buffer_span(&stored),
					      &why);
		ld_buffer_free(&stored);
	}
	free(missing.hashes);
	f->result->has_more = late != LINDUNG_OK;
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "a block cannot be taken in: %s",
			       lindung_strerror(err));
	return late;
}

/* ---- A step --------------------------------------------------------------------------------- */

static void
checkpoint_put(struct ld_follow *f, struct ld_buffer *bytes, const struct ld_trusted *trusted,
	       const char tag[LD_FETCH_TAG_MAX])
{
	ld_buffer_free(&f->checkpoint);
	f->checkpoint = *bytes;
	*bytes = (struct ld_buffer){.data = NULL};
	f->seen = trusted->checkpoint; /* points into the same octets */
	if (trusted->time_s > f->checkpoint_s + CHECKPOINT_KEEP_S)
		f->is_saved = false;
	f->checkpoint_s = trusted->time_s;
	memcpy(f->checkpoint_tag, tag, sizeof f->checkpoint_tag);
}

/* Whatever is new in the log: checkpoint and entries, verified, and on the disk. */
static int
news_take(struct ld_follow *f, time_t now_s, struct ld_report *report)
{
	struct ld_buffer checkpoint = {0}, bundle;
	struct ld_trusted trusted;
	struct ld_tree tree;
	char tag[LD_FETCH_TAG_MAX];
	bool is_new;
	int err = ld_follow_checkpoint(f, now_s, &checkpoint, &trusted, tag, &is_new, report);

	if (err != LINDUNG_OK)
		return err;
	ld_buffer_init(&bundle, NEW_MAX_BYTES);
	if (trusted.checkpoint.size > f->tree.size) {
		err = ld_follow_bundles(f, &trusted.checkpoint, &bundle, &tree, report);
		if (err == LINDUNG_EFORK)
			ld_follow_evidence_write(f, ld_buffer_span(&checkpoint));
		if (err == LINDUNG_OK)
			err = ld_follow_entries_add(f, ld_buffer_span(&bundle), report);
		if (err == LINDUNG_OK) {
			f->result->added = tree.size - f->tree.size;
			f->tree = tree;
			f->entries_bytes += bundle.len;
			f->is_saved = false;
		}
	}
	if (err == LINDUNG_OK)
		checkpoint_put(f, &checkpoint, &trusted, tag);
	ld_buffer_free(&checkpoint);
	ld_buffer_free(&bundle);
	return err;
}

int
ld_follow_step(struct ld_follow *f, time_t now_s, struct ld_follow_result *ret,
	       struct ld_report *report)
{
	struct ld_report late;
	int err, first;

	*ret = (struct ld_follow_result){.size = f->tree.size, .checkpoint_s = f->checkpoint_s};
	f->result = ret;
	/* Even where nothing can be fetched, time goes on for what is there. */
	first = news_take(f, now_s, report);
	err = LINDUNG_OK;
	now_s = time_find(f, now_s);
	if (f->tree.size != 0) {
		err = quorum_feed(f, &late);
		if (err == LINDUNG_OK && first == LINDUNG_OK) {
			first = blocks_fetch(f, report);
			err = f->result->has_more ? LINDUNG_OK : first;
		}
		if (err == LINDUNG_OK)
			err = settle(f, now_s, &late);
	}
	if (err == LINDUNG_OK && !f->is_saved && f->checkpoint.len != 0)
		err = ld_follow_state_write(f, &late);
	if (first == LINDUNG_OK && err != LINDUNG_OK)
		*report = late;
	ret->size = f->tree.size;
	ret->checkpoint_s = f->checkpoint_s;
	ret->next_s = f->next_s;
	f->result = NULL;
	return first != LINDUNG_OK ? first : err;
}

int
ld_follow_tidy(struct ld_follow *f, time_t now_s, struct ld_follow_result *ret,
	       struct ld_report *report)
{
	int err;

	(void)now_s;
	*ret = (struct ld_follow_result){
		.size = f->tree.size, .checkpoint_s = f->checkpoint_s, .next_s = f->next_s};
	if (f->quorum == NULL || f->change_count <= LD_FOLLOW_CHANGES_IDLE)
		return LINDUNG_OK;
	f->result = ret;
	err = ld_follow_compile_base(f, report);
	ret->changed = err == LINDUNG_OK;
	if (err == LINDUNG_OK)
		err = ld_follow_state_write(f, report);
	f->result = NULL;
	return err;
}

int
ld_follow_export(struct ld_follow *f, const char *path, struct ld_report *report)
{
	if (f->quorum == NULL)
		return ld_fail(report, LINDUNG_ENOTFOUND, "there is no list yet");
	return ld_follow_compile_to(f, path, report);
}
