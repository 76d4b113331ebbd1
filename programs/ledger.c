/* SPDX-License-Identifier: BSD-2-Clause */
#include "ledger.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "mirror.h"

int
ld_ledger_policy(struct ld_ledger *ret, struct ld_home *home,
		 const struct ld_ledger_options *options, struct ld_report *report)
{
	const char *popular = ld_data_path("popular.txt", &home->arena), *path = NULL;
	int err = ld_home_policy(&path, home, options->policy, report);

	*ret = (struct ld_ledger){.now_s = options->now_s};
	if (err == LINDUNG_OK)
		err = ld_policy_open(&ret->policy, path, popular, report);
	return err;
}

/* All age keys of the home. */
static int
openers_read(struct ld_openers **ret, struct ld_home *home, struct ld_report *report)
{
	const char *folder = ld_home_path(home, "keys");
	struct dirent **files = NULL;
	struct ld_openers *openers;
	int count = folder != NULL ? scandir(folder, &files, NULL, alphasort) : 0;
	int err = ld_openers_new(&openers);

	if (err != LINDUNG_OK)
		ld_fail(report, err, "memory for keys cannot be had, or not be locked");
	for (int i = 0; i < count; i++) {
		const char *path = ld_home_path(home, "keys/%s", files[i]->d_name);

		if (err == LINDUNG_OK &&
		    ld_span_ends(ld_span_str(files[i]->d_name), LD_SPAN(".age")))
			err = ld_openers_add_file(openers, path, report);
		free(files[i]);
	}
	free(files);
	if (err != LINDUNG_OK) {
		ld_openers_free(openers);
		return err;
	}
	*ret = openers;
	return LINDUNG_OK;
}

static int
block_get(void *ctx, const uint8_t hash[32], struct ld_buffer *ret, struct ld_report *report)
{
	return ld_log_get_block(ctx, hash, ret, report);
}

struct ld_block_source
ld_ledger_blocks(struct ld_ledger *ledger)
{
	return (struct ld_block_source){.ctx = ledger->log, .block = block_get};
}

static int
effective_count(void *ctx, const struct ld_effective *effective)
{
	struct ld_ledger *ledger = ctx;

	(void)effective;
	ledger->effective++;
	return LINDUNG_OK;
}

static int
statements_read(struct ld_ledger *ledger, struct ld_report *report)
{
	const struct ld_block_source blocks = ld_ledger_blocks(ledger);
	uint64_t size = ledger->trusted.checkpoint.size;
	struct ld_buffer note;
	int err = LINDUNG_OK;

	ld_buffer_init(&note, LD_NOTE_MAX_BYTES);
	for (uint64_t i = 0; err == LINDUNG_OK && i < size; i++) {
		note.len = 0;
		err = ld_log_entry(ledger->log, i, &note, report);
		if (err != LINDUNG_OK)
			break;
		err = ld_quorum_add(ledger->quorum, i, ld_buffer_span(&note), &blocks);
		if (err != LINDUNG_OK)
			ld_fail(report, err, "statement %llu: %s", (unsigned long long)i,
				lindung_strerror(err));
	}
	ld_buffer_free(&note);
	return err;
}

int
ld_ledger_open(struct ld_ledger *ledger, struct ld_home *home,
	       const struct ld_ledger_options *options, struct ld_report *report)
{
	const char *folder;
	int err = ld_home_log(&ledger->where, home, options->log, report);

	if (err != LINDUNG_OK)
		return err;
	folder = ledger->where;
	if (ld_home_is_url(folder))
		err = ld_mirror_update(&folder, home, ledger->where,
				       ld_policy_trust(ledger->policy), ledger->now_s, report);
	if (err == LINDUNG_OK && options->sealed)
		err = openers_read(&ledger->openers, home, report);
	if (err == LINDUNG_OK && options->sealed)
		err = ld_psl_open_quick(&ledger->suffixes, report);
	if (err == LINDUNG_OK)
		err = ld_log_open(&ledger->log, folder, NULL, report);
	if (err == LINDUNG_OK) {
		err = ld_quorum_new(&ledger->quorum, ledger->policy, ledger->openers);
		if (err != LINDUNG_OK)
			ld_fail(report, err, "not enough memory");
		else
			ld_quorum_set_suffixes(ledger->quorum, ledger->suffixes);
	}
	return err;
}

int
ld_ledger_read(struct ld_ledger *ledger, struct ld_home *home,
	       const struct ld_ledger_options *options, struct ld_report *report)
{
	int err = ld_ledger_open(ledger, home, options, report);

	if (err == LINDUNG_OK)
		err = ld_checkpoint_check(&ledger->trusted, ld_log_checkpoint(ledger->log),
					  ld_policy_trust(ledger->policy), (uint64_t)ledger->now_s,
					  report);
	if (err == LINDUNG_OK)
		err = statements_read(ledger, report);
	if (err == LINDUNG_OK) {
		err = ld_quorum_settle(ledger->quorum, ledger->now_s, effective_count, ledger,
				       &ledger->next_s);
		if (err != LINDUNG_OK)
			ld_fail(report, err, "%s", lindung_strerror(err));
	}
	return err;
}

void
ld_ledger_close(struct ld_ledger *ledger)
{
	ld_quorum_free(ledger->quorum);
	ld_log_close(ledger->log);
	ld_psl_close(ledger->suffixes);
	ld_openers_free(ledger->openers);
	ld_policy_free(ledger->policy);
	*ledger = (struct ld_ledger){.where = NULL};
}
