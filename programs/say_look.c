/* The last look: what is about to be signed, and what it would do.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "list/canonical.h"
#include "say.h"
#include "show.h"

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

struct changes {
	uint64_t closed, opened, ended;
};

static int
change_count(void *ctx, const struct ld_effective *effective)
{
	struct changes *changes = ctx;

	changes->closed += effective->entry.action == LD_ACTION_BLOCK;
	changes->opened += effective->entry.action == LD_ACTION_ALLOW;
	changes->ended += effective->entry.action == LD_ACTION_REMOVE;
	return LINDUNG_OK;
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

static void
changes_print(struct ld_say *say)
{
	const struct ld_block_source blocks = {.ctx = say, .block = block_get};
	struct ld_quorum *quorum = say->ledger.quorum;
	uint64_t index = ld_quorum_size(quorum);
	struct ld_report why = {{0}};
	struct changes changes = {0};
	int64_t next_s;

	if (ld_quorum_admits(quorum, ld_buffer_span(&say->note), say->now_s, &why) != LINDUNG_OK) {
		printf("The log will not take it as it is: %s\n", why.text);
		return;
	}
	if (ld_quorum_add(quorum, index, ld_buffer_span(&say->note), &blocks) != LINDUNG_OK ||
	    ld_quorum_settle(quorum, say->now_s, change_count, &changes, &next_s) != LINDUNG_OK) {
		puts("What it would change could not be worked out: not enough memory.");
		return;
	}
	printf("In the log now, it would close %s, open %s and end %s.\n",
	       ld_show_number(changes.closed).text, ld_show_number(changes.opened).text,
	       ld_show_number(changes.ended).text);
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
