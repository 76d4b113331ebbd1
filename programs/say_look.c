/* The last look: what is about to be signed, and what it would do.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "list/canonical.h"
#include "quorum/story.h"
#include "say.h"
#include "show.h"
#include "tell.h"

enum {
	ENTRIES_SHOWN = 20,
	POPULAR_SHOWN = 10,
};

/* The text as it is signed, but for entries past the first. */
static void
text_print(const struct ld_say *say)
{
	struct ld_span rest = ld_buffer_span(&say->text);
	unsigned entries = 0;
	bool within = false;

	while (rest.len != 0) {
		size_t end = ld_span_find(rest, '\n');
		struct ld_span line = ld_span_first(rest, end);

		rest = ld_span_from(rest, end + 1);
		entries += within;
		if (entries > ENTRIES_SHOWN)
			continue;
		fputs("    ", stdout);
		ld_show_text(stdout, line);
		putchar('\n');
		within = within || ld_span_starts(line, LD_SPAN("entries: inline "));
	}
	if (entries > ENTRIES_SHOWN)
		printf("     ... and %s more\n", ld_show_number(entries - ENTRIES_SHOWN).text);
}

/* The first entries of a block, which the text does not show. */
static void
block_print(const struct ld_say *say)
{
	struct ld_span rest = ld_buffer_span(&say->entries.lines);
	unsigned shown = 0;

	if (say->block.len == 0)
		return;
	printf("%s entries in a block of %s%s:\n", ld_show_number(say->statement.entry_count).text,
	       ld_show_bytes(say->block.len).text,
	       say->recipient_count != 0 ? ", sealed: nobody but its recipients can read them"
					 : "");
	for (; rest.len != 0 && shown < ENTRIES_SHOWN; shown++) {
		size_t end = ld_span_find(rest, '\n');

		fputs("    ", stdout);
		ld_show_text(stdout, ld_span_first(rest, end));
		putchar('\n');
		rest = ld_span_from(rest, end + 1);
	}
	if (rest.len != 0)
		puts("    ...");
}

static void
rejects_print(const struct ld_say *say)
{
	for (int i = 0; i < LD_REJECT_COUNT; i++) {
		enum ld_reject reason = (enum ld_reject)i;

		if (say->entries.rejected[i] != 0 && ld_reject_is_strict(reason))
			printf("Left out: %s, %s\n", ld_show_number(say->entries.rejected[i]).text,
			       ld_reject_text(reason));
	}
}

static void
popular_print(const struct ld_say *say)
{
	struct ld_span rest = ld_buffer_span(&say->entries.lines);
	uint64_t found = 0;

	while (rest.len != 0) {
		size_t end = ld_span_find(rest, '\n');
		struct ld_entry entry;

		ld_entry_split(&entry, ld_span_first(rest, end));
		rest = ld_span_from(rest, end + 1);
		if (!ld_policy_is_popular(say->ledger.policy, &entry) || found++ >= POPULAR_SHOWN)
			continue;
		fputs("Well known, and in need of more agreement: ", stdout);
		ld_show_text(stdout, entry.host);
		putchar('\n');
	}
	if (found > POPULAR_SHOWN)
		printf("... and %s more that are well known\n",
		       ld_show_number(found - POPULAR_SHOWN).text);
}

/* ---- What it would change -----------------------------------------------------------------------
 */

struct counts {
	uint64_t closed, opened, ended;
};

static int
effective_count(void *ctx, const struct ld_effective *effective)
{
	struct counts *counts = ctx;

	counts->closed += effective->entry.action == LD_ACTION_BLOCK;
	counts->opened += effective->entry.action == LD_ACTION_ALLOW;
	counts->ended += effective->entry.action == LD_ACTION_REMOVE;
	return LINDUNG_OK;
}

static uint64_t
more(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

/* Ours, which the log does not have yet; else the log's. */
static int
block_get(void *ctx, const uint8_t hash[32], struct ld_buffer *ret, struct ld_report *report)
{
	struct ld_say *say = ctx;

	if (say->block.len == 0 || memcmp(hash, say->statement.block_hash, 32) != 0)
		return ld_log_get_block(say->ledger.log, hash, ret, report);
	ld_buffer_bytes(ret, ld_buffer_span(&say->block));
	return ret->failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

/* What the quorum still misses, where not all of it is in effect. */
static void
missing_print(struct ld_say *say, uint64_t index)
{
	struct ld_quorum *quorum = say->ledger.quorum;
	uint64_t in_effect = 0, entries = 0;
	struct ld_missing missing;

	ld_story_effect(quorum, index, &in_effect, &entries);
	if (in_effect >= entries || (say->statement.action != LD_STATEMENT_LIST &&
				     say->statement.action != LD_STATEMENT_ALLOW))
		return;
	printf("In effect then: %s of %s.\n", ld_show_number(in_effect).text,
	       ld_show_number(entries).text);
	if (ld_missing_find(&missing, quorum, &say->statement, ld_buffer_span(&say->block)))
		ld_missing_print(&missing, 0);
}

static void
changes_print(struct ld_say *say)
{
	const struct ld_block_source blocks = {.ctx = say, .block = block_get};
	struct ld_quorum *quorum = say->ledger.quorum;
	uint64_t index = ld_quorum_size(quorum);
	struct ld_report why = {{0}};
	struct counts before = {0}, after = {0}, changes = {0};
	int64_t next_s;

	if (ld_quorum_admits(quorum, ld_buffer_span(&say->note), say->now_s, &why) != LINDUNG_OK) {
		printf("The log will not take it as it is: %s\n", why.text);
		return;
	}
	/* A change may only be of whom an entry rests on: how many there are is counted. */
	if (ld_quorum_effective(quorum, effective_count, &before) != LINDUNG_OK ||
	    ld_quorum_add(quorum, index, ld_buffer_span(&say->note), &blocks) != LINDUNG_OK ||
	    ld_quorum_settle(quorum, say->now_s, effective_count, &changes, &next_s) !=
		    LINDUNG_OK ||
	    ld_quorum_effective(quorum, effective_count, &after) != LINDUNG_OK) {
		puts("What it would change could not be worked out: not enough memory.");
		return;
	}
	printf("In the log now, it would close %s more, open %s more and end %s.\n",
	       ld_show_number(more(before.closed, after.closed)).text,
	       ld_show_number(more(before.opened, after.opened)).text,
	       ld_show_number(changes.ended).text);
	missing_print(say, index);
}

void
ld_say_look(struct ld_say *say)
{
	text_print(say);
	block_print(say);
	rejects_print(say);
	popular_print(say);
	if (*say->id != '\0')
		printf("Id: %s\n", say->id);
	if (say->has_log)
		changes_print(say);
	else
		printf("What it would change is not known here: %s\n", say->no_log.text);
}
