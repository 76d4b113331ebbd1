/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "log/note.h"
#include "quorum/quorum.h"
#include "quorum/story.h"

enum { START_S = 1767225600, DAY_S = 86400, NOTES_MAX = 128 };

/* ---- A log for tests ------------------------------------------------------------------------- */

struct block {
	struct ld_statement statement;
	struct ld_buffer stored;
	bool is_there;
};

struct world {
	struct ld_policy *policy;
	struct ld_openers *openers;
	struct ld_recipients *recipients;
	struct ld_quorum *quorum;
	struct ld_buffer notes[NOTES_MAX];
	size_t note_count;
	struct block blocks[8];
	size_t block_count;
	struct ld_buffer list; /* as effective_print() writes it */
	int64_t next_s;
};

static struct ld_signer *
signer_of(const char *name)
{
	struct ld_signer *signer;
	uint8_t seed[32] = {0};

	memcpy(seed, name, strlen(name));
	assert_int_equal(ld_signer_from_seed(&signer, name, LD_KEY_ED25519, seed, NULL),
			 LINDUNG_OK);
	return signer;
}

static void
key_print(struct ld_buffer *text, const char *name)
{
	struct ld_signer *signer = signer_of(name);
	char key[LD_KEY_TEXT_MAX];

	ld_verifier_format(ld_signer_verifier(signer), key);
	ld_buffer_printf(text, "%s\n", key);
	ld_signer_free(signer);
}

static const char rules[] = "operator op.test\nquorum none\n"
			    "category open\nagree kind:ministry\nsuspend 1 kind:ngo\n"
			    "uphold kind:police\nclock 7d\n"
			    "category closed\nagree kind:ministry\nsealed required\n"
			    "uphold kind:police\nclock 7d\n"
			    "category *\nagree kind:ministry\n";

static int
world_make(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	char secret[LD_SEAL_TEXT_MAX], recipient[LD_SEAL_TEXT_MAX];
	struct ld_buffer text;
	struct ld_report report;

	ld_buffer_init(&w->list, 1024 * 1024);
	ld_buffer_init(&text, 65536);
	ld_buffer_printf(&text, "lindung policy 1\nlog ");
	key_print(&text, "log.test");
	ld_buffer_printf(&text, "root 1 ");
	key_print(&text, "root-1");
	ld_buffer_printf(&text, "%s", rules);
	assert_int_equal(ld_policy_parse(&w->policy, ld_buffer_span(&text), NULL, &report),
			 LINDUNG_OK);
	ld_buffer_free(&text);
	ld_seal_generate(secret, recipient);
	assert_int_equal(ld_openers_new(&w->openers), LINDUNG_OK);
	assert_int_equal(ld_openers_add(w->openers, ld_span_str(secret), NULL), LINDUNG_OK);
	assert_int_equal(ld_recipients_new(&w->recipients), LINDUNG_OK);
	assert_int_equal(ld_recipients_add(w->recipients, ld_span_str(recipient), NULL),
			 LINDUNG_OK);
	assert_int_equal(ld_quorum_new(&w->quorum, w->policy, w->openers), LINDUNG_OK);
	*state = w;
	return 0;
}

static int
world_end(void **state)
{
	struct world *w = *state;

	ld_quorum_free(w->quorum);
	ld_policy_free(w->policy);
	ld_openers_free(w->openers);
	ld_recipients_free(w->recipients);
	for (size_t i = 0; i < w->note_count; i++)
		ld_buffer_free(&w->notes[i]);
	for (size_t i = 0; i < w->block_count; i++)
		ld_buffer_free(&w->blocks[i].stored);
	ld_buffer_free(&w->list);
	free(w);
	return 0;
}

static int
block_give(void *ctx, const uint8_t hash[32], struct ld_buffer *ret, struct ld_report *report)
{
	const struct world *w = ctx;

	for (size_t i = 0; i < w->block_count; i++)
		if (w->blocks[i].is_there &&
		    memcmp(w->blocks[i].statement.block_hash, hash, LD_BLOCK_HASH_BYTES) == 0) {
			ld_buffer_bytes(ret, ld_buffer_span(&w->blocks[i].stored));
			return LINDUNG_OK;
		}
	return ld_fail(report, LINDUNG_ENOTFOUND, "no such block");
}

/* Sign, take, and return the index. */
static uint64_t
take(struct world *w, const char *who, struct ld_buffer *text)
{
	struct ld_signer *signer = signer_of(who);
	struct ld_block_source source = {w, block_give};
	struct ld_buffer *note = &w->notes[w->note_count];
	const struct ld_signer *signers[1] = {signer};

	ld_buffer_init(note, 65536);
	assert_int_equal(ld_note_sign(note, ld_buffer_span(text), signers, 1, 0), LINDUNG_OK);
	ld_signer_free(signer);
	ld_buffer_free(text);
	assert_int_equal(ld_quorum_add(w->quorum, w->note_count, ld_buffer_span(note), &source),
			 LINDUNG_OK);
	return w->note_count++;
}

static struct ld_buffer
head(const char *party, const char *action, int64_t at_s)
{
	struct ld_buffer text;
	char time[32];

	ld_buffer_init(&text, 65536);
	ld_statement_time_format(time, START_S + at_s, strcmp(action, "appeal") == 0);
	ld_buffer_printf(&text,
			 "lindung statement 1\nlog: log.test\nparty: %s\ntime: %s\naction: %s\n",
			 party, time, action);
	return text;
}

static void
party_add(struct world *w, const char *party, const char *kind)
{
	struct ld_buffer text = head("root", "party-add", 0);

	ld_buffer_printf(&text,
			 "jurisdiction: INT\nbasis: law\nsubject: %s\nname: Somebody\nkind: %s\n"
			 "country: ID\nkey: ",
			 party, kind);
	key_print(&text, party);
	ld_buffer_printf(&text, "expires: 2026-12-01\n");
	take(w, "root-1", &text);
}

static void
parties_add(struct world *w)
{
	party_add(w, "min.test", "ministry");
	party_add(w, "ngo.test", "ngo");
	party_add(w, "pol.test", "police");
	party_add(w, "op.test", "isp");
}

static uint64_t
list_of(struct world *w, int64_t at_s, const char *entries, unsigned count)
{
	struct ld_buffer text = head("min.test", "list", at_s);

	ld_buffer_printf(&text,
			 "category: open\njurisdiction: ID\nbasis: law\nexpires: 2026-11-01\n"
			 "entries: inline %u\n%s",
			 count, entries);
	return take(w, "min.test", &text);
}

static void
target_print(struct ld_buffer *text, const struct world *w, uint64_t target)
{
	struct ld_story_said said;

	assert_int_equal(ld_story_statement(w->quorum, target, &said), LINDUNG_OK);
	ld_buffer_printf(text, "statement: ");
	for (size_t i = 0; i < LD_STATEMENT_ID_BYTES; i++)
		ld_buffer_printf(text, "%02x", said.id[i]);
	ld_buffer_printf(text, "\n");
}

/* dispute, withdraw, decide: of all of the target. */
static uint64_t
reply(struct world *w, const char *party, const char *action, int64_t at_s, uint64_t target,
      const char *decision)
{
	struct ld_buffer text = head(party, action, at_s);

	if (strcmp(action, "appeal") != 0)
		ld_buffer_printf(&text, "jurisdiction: ID\nbasis: law\n");
	target_print(&text, w, target);
	if (decision != NULL)
		ld_buffer_printf(&text, "decision: %s\n", decision);
	if (strcmp(action, "withdraw") != 0 && strcmp(action, "endorse") != 0)
		ld_buffer_printf(&text, "reasons: because\n");
	if (strcmp(action, "endorse") == 0)
		ld_buffer_printf(&text, "expires: 2026-11-01\n");
	return take(w, party, &text);
}

/* A block of these lines; sealed for us, or not. */
static struct block *
block_make(struct world *w, const char *lines, bool is_sealed, bool is_there)
{
	struct block *block = &w->blocks[w->block_count++];
	struct ld_buffer entries, many;
	struct ld_report report;

	ld_buffer_init(&entries, 65536);
	ld_buffer_init(&many, 1024 * 1024);
	ld_buffer_init(&block->stored, 1024 * 1024);
	ld_buffer_printf(&many, "%s", lines);
	/* So many that they do not stand in the statement. */
	for (int i = 0; i < 250 && !is_sealed; i++)
		ld_buffer_printf(&many, "n%03d.zz.test\n", i);
	if (ld_block_make(&block->statement, ld_buffer_span(&many),
			  is_sealed ? w->recipients : NULL, &entries, &block->stored,
			  &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	block->is_there = is_there;
	ld_buffer_free(&entries);
	ld_buffer_free(&many);
	return block;
}

static uint64_t
list_block(struct world *w, int64_t at_s, const struct block *block, const char *category)
{
	struct ld_buffer text = head("min.test", "list", at_s);
	bool is_sealed = block->statement.entries == LD_ENTRIES_SEALED;

	ld_buffer_printf(&text,
			 "category: %s\njurisdiction: ID\nbasis: law\nexpires: 2026-11-01\n"
			 "entries: %s sha256:",
			 category, is_sealed ? "sealed" : "block");
	for (size_t i = 0; i < LD_BLOCK_HASH_BYTES; i++)
		ld_buffer_printf(&text, "%02x", block->statement.block_hash[i]);
	ld_buffer_printf(&text, " count %u\n", block->statement.entry_count);
	return take(w, "min.test", &text);
}

static int
effective_print(void *ctx, const struct ld_effective *e)
{
	struct ld_buffer *to = ctx;

	ld_buffer_printf(to, "%s %.*s %.*s%.*s %.*s\n",
			 e->entry.action == LD_ACTION_BLOCK   ? "block"
			 : e->entry.action == LD_ACTION_ALLOW ? "allow"
							      : "remove",
			 (int)e->entry.category.len, e->entry.category.data,
			 e->is_sealed ? 6 : (int)e->entry.host.len,
			 e->is_sealed ? (const uint8_t *)"sealed" : e->entry.host.data,
			 (int)e->entry.path.len, e->entry.path.data, (int)e->entry.source.len,
			 e->entry.source.data);
	return to->failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

/* What changed by then. */
static const char *
settle(struct world *w, int64_t at_s)
{
	w->list.len = 0;
	assert_int_equal(
		ld_quorum_settle(w->quorum, START_S + at_s, effective_print, &w->list, &w->next_s),
		LINDUNG_OK);
	ld_buffer_bytes(&w->list, LD_SPAN("\0"));
	return (const char *)w->list.data;
}

/* ---- Straight cases -------------------------------------------------------------------------- */

static void
nothing_comes_of_nothing(void **state)
{
	struct world *w = *state;

	assert_string_equal(settle(w, 0), "");
	assert_true(w->next_s == INT64_MAX);
	assert_int_equal(ld_quorum_size(w->quorum), 0);
	assert_int_equal(ld_quorum_effective(w->quorum, effective_print, &w->list), LINDUNG_OK);
	ld_quorum_free(NULL);
	ld_policy_free(NULL);
}

static void
what_is_listed_begins_and_ends(void **state)
{
	struct world *w = *state;
	uint64_t index;

	parties_add(w);
	index = list_of(w, 10, " b.test\n x.b.test/p\n", 2);
	assert_string_equal(settle(w, 9), "");
	assert_int_equal(w->next_s, START_S + 10);
	/* The order among changes is not promised. */
	settle(w, 10);
	assert_non_null(strstr((char *)w->list.data, "block open b.test min.test:4\n"));
	assert_non_null(strstr((char *)w->list.data, "block open x.b.test/p min.test:4\n"));
	assert_string_equal(settle(w, 10), "");
	reply(w, "min.test", "withdraw", 20, index, NULL);
	settle(w, 20);
	assert_non_null(strstr((char *)w->list.data, "remove open b.test \n"));
}

static void
entries_come_in_order_of_the_log(void **state)
{
	struct world *w = *state;

	assert_int_equal(ld_quorum_add(w->quorum, 1, LD_SPAN("x"), NULL), LINDUNG_EINVAL);
	assert_int_equal(ld_quorum_add(w->quorum, 0, LD_SPAN("x"), NULL), LINDUNG_OK);
	assert_int_equal(ld_quorum_add(w->quorum, 0, LD_SPAN("x"), NULL), LINDUNG_EINVAL);
	assert_int_equal(ld_quorum_size(w->quorum), 1);
}

static int
refuse(void *ctx, const struct ld_effective *e)
{
	(void)e;
	return ++*(int *)ctx == 2 ? LINDUNG_EIO : LINDUNG_OK;
}

static void
what_could_not_be_told_is_told_again(void **state)
{
	struct world *w = *state;
	int told = 0;

	parties_add(w);
	list_of(w, 10, " a.test\n b.test\n c.test\n", 3);
	assert_int_equal(ld_quorum_settle(w->quorum, START_S + 20, refuse, &told, &w->next_s),
			 LINDUNG_EIO);
	settle(w, 20);
	/* One of three was told. */
	size_t lines = 0;
	for (const char *at = (char *)w->list.data; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, 2);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static int
waiting_count(void *ctx, const uint8_t hash[LD_BLOCK_HASH_BYTES], uint64_t index)
{
	(void)hash;
	(void)index;
	++*(unsigned *)ctx;
	return LINDUNG_OK;
}

static void
a_block_comes_late(void **state)
{
	struct world *w = *state;
	struct block *block = block_make(w, "a.test\n", false, false);
	unsigned waiting = 0;
	uint64_t index;

	parties_add(w);
	index = list_block(w, 10, block, "open");
	reply(w, "ngo.test", "dispute", 20, index, NULL);
	assert_string_equal(settle(w, 30), "");
	assert_int_equal(ld_quorum_waiting(w->quorum, waiting_count, &waiting), LINDUNG_OK);
	assert_int_equal(waiting, 1);
	assert_int_equal(ld_quorum_block(w->quorum, block->statement.block_hash,
					 LD_SPAN("something else"), NULL),
			 LINDUNG_EDAMAGED);
	assert_int_equal(ld_quorum_block(w->quorum, block->statement.block_hash,
					 ld_buffer_span(&block->stored), NULL),
			 LINDUNG_OK);
	assert_int_equal(ld_quorum_block(w->quorum, block->statement.block_hash,
					 ld_buffer_span(&block->stored), NULL),
			 LINDUNG_ENOTFOUND);
	assert_string_equal(settle(w, 30), ""); /* disputed before it came */
	uint64_t in_effect, entries;
	ld_story_effect(w->quorum, index, &in_effect, &entries);
	assert_int_equal(entries, 251);
	assert_int_equal(in_effect, 0);
}

static void
a_block_with_another_count_has_no_entries(void **state)
{
	struct world *w = *state;
	struct block *block = block_make(w, "a.test\n", false, true);
	struct ld_story_said said;
	uint64_t index;

	parties_add(w);
	block->statement.entry_count--;
	index = list_block(w, 10, block, "open");
	assert_string_equal(settle(w, 30), "");
	assert_int_equal(ld_story_statement(w->quorum, index, &said), LINDUNG_OK);
	assert_int_equal(said.standing, LD_STANDING_BROKEN);
}

/* ---- Sealed ---------------------------------------------------------------------------------- */

static void
sealed_entries_are_blinded(void **state)
{
	struct world *w = *state;
	struct block *block = block_make(w, "secret.test\nother.test/path\n", true, true);
	struct ld_quorum *stranger;
	struct ld_story_said said;
	uint64_t index;

	parties_add(w);
	index = list_block(w, 10, block, "closed");
	settle(w, 20);
	assert_string_equal((char *)w->list.data, "block closed sealed min.test:4\n"
						  "block closed sealed min.test:4\n");
	/* Who has no key takes the statement, and has no entries; it does not wait for them. */
	assert_int_equal(ld_quorum_new(&stranger, w->policy, NULL), LINDUNG_OK);
	for (size_t i = 0; i < w->note_count; i++)
		assert_int_equal(ld_quorum_add(stranger, i, ld_buffer_span(&w->notes[i]), NULL),
				 LINDUNG_OK);
	assert_int_equal(ld_quorum_settle(stranger, START_S + 20, NULL, NULL, &w->next_s),
			 LINDUNG_OK);
	assert_int_equal(ld_story_statement(stranger, index, &said), LINDUNG_OK);
	assert_int_equal(said.standing, LD_STANDING_CLOSED);
	unsigned waiting = 0;
	assert_int_equal(ld_quorum_waiting(stranger, waiting_count, &waiting), LINDUNG_OK);
	assert_int_equal(waiting, 0);
	ld_quorum_free(stranger);
	/* Taken back as a whole. */
	reply(w, "min.test", "withdraw", 30, index, NULL);
	assert_non_null(strstr(settle(w, 30), "remove closed sealed"));
}

/* A country's names would all be closed, and nobody could see by what. */
static void
sealed_public_suffixes_are_left_out(void **state)
{
	struct world *w = *state;
	struct block *block =
		block_make(w, "co.id\n*.go.id\n=ac.id\nsite.co.id\nsch.id/x\n", true, true);
	struct ld_psl *suffixes;

	assert_int_equal(ld_psl_open_quick(&suffixes, NULL), LINDUNG_OK);
	ld_quorum_set_suffixes(w->quorum, suffixes);
	parties_add(w);
	list_block(w, 10, block, "closed");
	settle(w, 20);
	assert_string_equal((char *)w->list.data, "block closed sealed min.test:4\n"
						  "block closed sealed min.test:4\n");
	ld_psl_close(suffixes);
}

struct blinds {
	uint8_t at[4][LD_BLIND_BYTES];
	size_t count;
};

static int
blind_take(void *ctx, const struct ld_effective *e)
{
	struct blinds *b = ctx;

	assert_true(e->is_sealed);
	assert_int_equal(e->entry.host.len + e->entry.path.len, 0);
	memcpy(b->at[b->count++], e->blind, LD_BLIND_BYTES);
	return LINDUNG_OK;
}

static void
a_blinded_hash_is_that_of_the_name(void **state)
{
	struct world *w = *state;
	struct block *block = block_make(w, "secret.test\n", true, true);
	struct blinds blinds = {0};
	uint8_t key[LD_BLIND_KEY_BYTES], blind[LD_BLIND_BYTES];

	parties_add(w);
	list_block(w, 10, block, "closed");
	settle(w, 20);
	assert_int_equal(ld_quorum_effective(w->quorum, blind_take, &blinds), LINDUNG_OK);
	assert_int_equal(blinds.count, 1);
	ld_quorum_blind_key(w->quorum, key);
	ld_blind(blind, key, LD_SCOPE_TREE, LD_SPAN("test\x01secret"), (struct ld_span){NULL, 0});
	assert_memory_equal(blind, blinds.at[0], sizeof blind);
}

/* Who compiles changes to an image must tell all that holds of a sealed name, and there it has one
 * hash whatever the scope. */
static void
a_sealed_name_is_told_of_in_all_its_scopes(void **state)
{
	struct world *w = *state;
	struct block *block = block_make(w, "*.secret.test\n=secret.test\n", true, true);
	struct blinds blinds = {0}, about = {0};

	parties_add(w);
	list_block(w, 10, block, "closed");
	settle(w, 20);
	assert_int_equal(ld_quorum_effective(w->quorum, blind_take, &blinds), LINDUNG_OK);
	assert_int_equal(blinds.count, 2);
	assert_memory_equal(blinds.at[0], blinds.at[1], LD_BLIND_SCOPE_AT);
	for (int i = 0; i < 2; i++) {
		about.count = 0;
		assert_int_equal(ld_quorum_about(w->quorum, NULL, blinds.at[i], blind_take, &about),
				 LINDUNG_OK);
		assert_int_equal(about.count, 2);
	}
}

static void
what_must_be_sealed_is_not_taken_in_clear(void **state)
{
	struct world *w = *state;
	struct block *block = block_make(w, "a.test\n", false, true);
	struct ld_story_said said;
	uint64_t index;

	parties_add(w);
	index = list_block(w, 10, block, "closed");
	assert_string_equal(settle(w, 20), "");
	assert_int_equal(ld_story_statement(w->quorum, index, &said), LINDUNG_OK);
	assert_int_equal(said.refusal, LD_REFUSAL_CLEAR);
	assert_int_equal(ld_story_statement(w->quorum, index + 1, &said), LINDUNG_ENOTFOUND);
}

/* ---- Stories --------------------------------------------------------------------------------- */

struct story {
	char text[8192];
};

static void
story_add(struct story *s, const char *format, ...)
{
	va_list args;
	size_t len = strlen(s->text);

	va_start(args, format);
	vsnprintf(s->text + len, sizeof s->text - len, format, args);
	va_end(args);
}

static int
entry_story(void *ctx, const struct ld_story_entry *e)
{
	story_add(ctx, "%d %.*s%.*s ends %" PRId64 " disputes %u/%u%s\n%.*s",
		  e->effective.entry.action, (int)e->effective.entry.host.len,
		  e->effective.entry.host.data, (int)e->effective.entry.path.len,
		  e->effective.entry.path.data,
		  e->ends_s == INT64_MAX ? -1 : (e->ends_s - START_S) / DAY_S, e->listed.disputes,
		  e->listed.disputes_need, e->listed.is_suspended ? " suspended" : "",
		  (int)e->takes.len, e->takes.data);
	return LINDUNG_OK;
}

static int
said_story(void *ctx, const struct ld_story_said *said)
{
	story_add(ctx, "- %" PRIu64 " %.*s %s: %s\n", said->index, (int)said->party.len,
		  said->party.data, ld_statement_action_key((enum ld_statement_action)said->action),
		  ld_standing_key(said->standing));
	return LINDUNG_OK;
}

static void
why_tells_all_of_it(void **state)
{
	struct world *w = *state;
	struct story story = {{0}};
	const struct ld_story_teller teller = {&story, entry_story, said_story};
	uint64_t first, dispute, appeal;

	parties_add(w);
	first = list_of(w, 10, " b.test\n =c.b.test\n c.b.test/p\n", 3);
	list_of(w, 20, " b.test\n", 1);
	reply(w, "op.test", "endorse", 30, first, NULL);
	dispute = reply(w, "ngo.test", "dispute", 40, first, NULL);
	settle(w, 50);
	assert_int_equal(
		ld_story_why(w->quorum, LD_SPAN("www.b.test"), LD_SPAN(""), false, &teller),
		LINDUNG_OK);
	assert_string_equal(story.text,
			    "3 b.test ends -1 disputes 1/1 suspended\n"
			    "the dispute is decided by: any of kind:police\n"
			    "- 4 min.test list: counts\n- 5 min.test list: counts\n"
			    "- 6 op.test endorse: counts\n- 7 ngo.test dispute: pending\n");
	reply(w, "pol.test", "decide", 60, dispute, "reject");
	appeal = reply(w, "op.test", "appeal", 70, first, NULL);
	reply(w, "pol.test", "decide", 80, appeal, "uphold");
	settle(w, 90);
	story.text[0] = '\0';
	assert_int_equal(
		ld_story_why(w->quorum, LD_SPAN("c.b.test"), LD_SPAN("/p/q"), false, &teller),
		LINDUNG_OK);
	/* The name itself, its URL, and what covers it. */
	assert_non_null(strstr(story.text, "3 c.b.test ends -1"));
	assert_non_null(strstr(story.text, "3 c.b.test/p ends -1"));
	assert_non_null(strstr(story.text, "3 b.test ends -1"));
	assert_non_null(
		strstr(story.text, "so far 0 of 1 agree; it takes: any of kind:ministry\n"));
	assert_non_null(strstr(story.text, "- 4 min.test list: ended\n"));
	assert_non_null(strstr(story.text, "- 7 ngo.test dispute: rejected\n"));
	assert_non_null(strstr(story.text, "- 8 pol.test decide: done\n"));
	assert_non_null(strstr(story.text, "- 9 op.test appeal: upheld\n"));
	story.text[0] = '\0';
	assert_int_equal(
		ld_story_why(w->quorum, LD_SPAN("nothing.test"), LD_SPAN("/"), true, &teller),
		LINDUNG_OK);
	assert_string_equal(story.text, "");
}

static void
why_of_a_sealed_name_needs_the_right(void **state)
{
	struct world *w = *state;
	struct block *block = block_make(w, "secret.test\n", true, true);
	struct story story = {{0}};
	const struct ld_story_teller teller = {&story, entry_story, said_story};

	parties_add(w);
	list_block(w, 10, block, "closed");
	settle(w, 20);
	assert_int_equal(
		ld_story_why(w->quorum, LD_SPAN("secret.test"), LD_SPAN(""), false, &teller),
		LINDUNG_OK);
	assert_string_equal(story.text, "");
	assert_int_equal(
		ld_story_why(w->quorum, LD_SPAN("secret.test"), LD_SPAN(""), true, &teller),
		LINDUNG_OK);
	assert_non_null(strstr(story.text, "- 4 min.test list: counts\n"));
}

static int
party_story(void *ctx, const struct ld_story_party *party)
{
	story_add(ctx, "%.*s %s %s %s\n", (int)party->id.len, party->id.data,
		  ld_party_kind_key(party->kind), party->country,
		  party->is_valid ? "valid" : "not valid");
	return LINDUNG_OK;
}

static void
parties_and_statements_are_told(void **state)
{
	struct world *w = *state;
	struct story story = {{0}};
	struct ld_report report;
	uint64_t found, index;
	struct ld_story_said said;
	char hex[17];

	party_add(w, "min.test", "ministry");
	index = list_of(w, 10, " b.test\n", 1);
	settle(w, 20);
	assert_int_equal(ld_story_parties(w->quorum, party_story, &story), LINDUNG_OK);
	assert_string_equal(story.text, "min.test ministry ID valid\n");
	settle(w, 340 * (int64_t)DAY_S);
	story.text[0] = '\0';
	assert_int_equal(ld_story_parties(w->quorum, party_story, &story), LINDUNG_OK);
	assert_string_equal(story.text, "min.test ministry ID not valid\n");
	assert_int_equal(ld_story_statement(w->quorum, index, &said), LINDUNG_OK);
	assert_int_equal(said.standing, LD_STANDING_EXPIRED);
	for (int i = 0; i < 8; i++)
		sprintf(hex + 2 * i, "%02x", said.id[i]);
	assert_int_equal(ld_story_find(w->quorum, ld_span_str(hex), &found, &report), LINDUNG_OK);
	assert_int_equal(found, index);
	assert_int_equal(ld_story_find(w->quorum, ld_span(hex, 7), &found, &report),
			 LINDUNG_ESYNTAX);
	assert_int_equal(ld_story_find(w->quorum, LD_SPAN("ABCDEF00"), &found, &report),
			 LINDUNG_ESYNTAX);
	hex[0] = hex[0] == '0' ? '1' : '0';
	assert_int_equal(ld_story_find(w->quorum, ld_span_str(hex), &found, &report),
			 LINDUNG_ENOTFOUND);
}

/* ---- Limits: who goes past one stops nobody else --------------------------------------------- */

static enum ld_refusal
refusal_of(struct world *w, uint64_t index)
{
	struct ld_story_said said;

	assert_int_equal(ld_story_statement(w->quorum, index, &said), LINDUNG_OK);
	return said.refusal;
}

static void
what_is_said_again_and_again_is_refused(void **state)
{
	struct world *w = *state;
	uint64_t first, dispute;

	parties_add(w);
	first = list_of(w, 10, " b.test\n", 1);
	for (int i = 0; i < 17; i++)
		assert_int_equal(
			refusal_of(w, reply(w, "ngo.test", "endorse", 20 + i, first, NULL)),
			i < 16 ? LD_REFUSAL_NONE : LD_REFUSAL_LIMIT);
	/* Not of others, nor of another kind. */
	assert_int_equal(refusal_of(w, reply(w, "pol.test", "endorse", 40, first, NULL)),
			 LD_REFUSAL_NONE);
	dispute = reply(w, "ngo.test", "dispute", 40, first, NULL);
	for (int i = 0; i < 17; i++)
		assert_int_equal(
			refusal_of(w, reply(w, "op.test", "decide", 50 + i, dispute, "uphold")),
			i < 16 ? LD_REFUSAL_NONE : LD_REFUSAL_LIMIT);
	reply(w, "pol.test", "decide", 70, dispute, "reject");
	assert_string_equal(settle(w, 80),
			    "block open b.test min.test:4,ngo.test:5,ngo.test:6,ngo.test:7\n");
}

/* Of many entries, in a block that never comes. */
static uint64_t
list_many(struct world *w, const char *party, int64_t at_s, unsigned long count)
{
	struct ld_buffer text = head(party, "list", at_s);

	ld_buffer_printf(&text,
			 "category: open\njurisdiction: ID\nbasis: law\nexpires: 2026-11-01\n"
			 "entries: block sha256:%064d count %lu\n",
			 0, count);
	return take(w, party, &text);
}

static void
nobody_uses_up_all_entries(void **state)
{
	struct world *w = *state;

	parties_add(w);
	for (int i = 0; i < 9; i++)
		assert_int_equal(refusal_of(w, list_many(w, "ngo.test", 10 + i, 2000000)),
				 i < 8 ? LD_REFUSAL_NONE : LD_REFUSAL_LIMIT);
	list_of(w, 30, " b.test\n", 1);
	assert_non_null(strstr(settle(w, 40), "block open b.test "));
}

static void
nobody_uses_up_all_categories(void **state)
{
	struct world *w = *state;

	parties_add(w);
	for (int i = 0; i < 63; i++) {
		struct ld_buffer text = head("ngo.test", "list", 10 + i);

		ld_buffer_printf(&text,
				 "category: c%02d\njurisdiction: ID\nbasis: law\n"
				 "expires: 2026-11-01\nentries: inline 1\n b.test\n",
				 i);
		/* 64 in all, and two of these the policy names. */
		assert_int_equal(refusal_of(w, take(w, "ngo.test", &text)),
				 i < 62 ? LD_REFUSAL_NONE : LD_REFUSAL_LIMIT);
	}
	list_of(w, 100, " b.test\n", 1);
	assert_non_null(strstr(settle(w, 110), "block open b.test "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, world_make, world_end)
		T(nothing_comes_of_nothing),
		T(what_is_listed_begins_and_ends),
		T(entries_come_in_order_of_the_log),
		T(what_could_not_be_told_is_told_again),
		T(a_block_comes_late),
		T(a_block_with_another_count_has_no_entries),
		T(sealed_entries_are_blinded),
		T(sealed_public_suffixes_are_left_out),
		T(a_blinded_hash_is_that_of_the_name),
		T(a_sealed_name_is_told_of_in_all_its_scopes),
		T(what_must_be_sealed_is_not_taken_in_clear),
		T(why_tells_all_of_it),
		T(why_of_a_sealed_name_needs_the_right),
		T(parties_and_statements_are_told),
		T(what_is_said_again_and_again_is_refused),
		T(nobody_uses_up_all_entries),
		T(nobody_uses_up_all_categories),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
