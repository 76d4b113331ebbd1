/* Drive a quorum from a script on standard input, for the tests; not installed.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A line, a command; LEN octets follow it where it says so.
 *
 *   key NAME [witness]     print the verifier key that NAME signs with (made from its name)
 *   policy LEN             begin anew, with this policy
 *   add SIGNERS LEN        sign this text (names, joined by ','; '-': no signature) and take it
 *   block LEN              print the hash of these lines packed; `add` finds the block from now on
 *   late LEN               the same, but it comes with `come`
 *   come HASH              the block comes
 *   settle TIME            print what changed, then "next TIME"
 *   list                   print what is in effect
 *   said INDEX             print why it means nothing, or "none"
 *   admits SIGNERS TIME LEN
 *   why HOST [PATH]        entries that cover it, and how each statement stands for them
 *   again TIME             take all statements anew, settle once: print "same" or "differs"
 *   hash                   of the policy
 *
 * Each answer ends with a line ".". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list/pack.h"
#include "log/note.h"
#include "quorum/state.h"

enum { LINE_BYTES = 4096, BLOCKS_MAX = 4096, NOTES_MAX = 65536, SIGNERS_MAX = 16 };

struct block {
	struct ld_hash hash;
	struct ld_buffer stored;
	bool is_late;
};

struct tool {
	struct ld_policy *policy;
	struct ld_quorum *quorum;
	struct block blocks[BLOCKS_MAX];
	size_t block_count;
	struct ld_buffer notes[NOTES_MAX];
	size_t note_count;
};

static _Noreturn void
die(const char *what, const char *why)
{
	fprintf(stderr, "quorum_tool: %s: %s\n", what, why);
	exit(2);
}

static void
hash_print(const struct ld_hash *hash, char *ret)
{
	for (size_t i = 0; i < sizeof hash->bytes; i++)
		sprintf(ret + 2 * i, "%02x", hash->bytes[i]);
}

static struct ld_signer *
signer_of(const char *name, enum ld_key_type type)
{
	struct ld_signer *signer;
	struct ld_report report;
	struct ld_hash seed;
	/* "name/2" is another key of the same name. */
	size_t len = strcspn(name, "/");
	char plain[LD_KEY_NAME_MAX + 1];

	ld_hash_of(&seed, ld_span_str(name));
	snprintf(plain, sizeof plain, "%.*s", (int)len, name);
	if (ld_signer_from_seed(&signer, plain, type, seed.bytes, &report) != LINDUNG_OK)
		die(name, report.text);
	return signer;
}

static void
octets_read(struct ld_buffer *ret, size_t len)
{
	uint8_t *room;

	ld_buffer_init(ret, 64 * 1024 * 1024);
	room = ld_buffer_room(ret, len);
	if (len > 0 && (room == NULL || fread(room, 1, len, stdin) != len))
		die("input", "cut");
}

static void
note_make(struct ld_buffer *ret, char *names, struct ld_span text)
{
	struct ld_signer *signers[SIGNERS_MAX];
	size_t count = 0;
	char *at = NULL;

	ld_buffer_init(ret, 1024 * 1024);
	if (strcmp(names, "-") == 0) {
		ld_buffer_bytes(ret, text);
		return;
	}
	for (char *name = strtok_r(names, ",", &at); name != NULL && count < SIGNERS_MAX;
	     name = strtok_r(NULL, ",", &at))
		signers[count++] = signer_of(name, LD_KEY_ED25519);
	if (ld_note_sign(ret, text, (const struct ld_signer *const *)signers, count, 0) !=
	    LINDUNG_OK)
		die("sign", names);
	for (size_t i = 0; i < count; i++)
		ld_signer_free(signers[i]);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static int
block_give(void *ctx, const uint8_t hash[32], struct ld_buffer *ret, struct ld_report *report)
{
	const struct tool *t = ctx;

	for (size_t i = 0; i < t->block_count; i++)
		if (!t->blocks[i].is_late && memcmp(t->blocks[i].hash.bytes, hash, 32) == 0) {
			ld_buffer_bytes(ret, ld_buffer_span(&t->blocks[i].stored));
			return ret->failed ? LINDUNG_ENOMEM : LINDUNG_OK;
		}
	return ld_fail(report, LINDUNG_ENOTFOUND, "not there");
}

static void
block_make(struct tool *t, size_t len, bool is_late)
{
	struct block *block = &t->blocks[t->block_count++];
	struct ld_buffer lines;
	char hex[65];

	if (t->block_count > BLOCKS_MAX)
		die("block", "too many");
	octets_read(&lines, len);
	ld_buffer_init(&block->stored, 64 * 1024 * 1024);
	if (ld_pack(&block->stored, ld_buffer_span(&lines)) != LINDUNG_OK)
		die("block", "cannot pack");
	ld_buffer_free(&lines);
	block->is_late = is_late;
	ld_hash_of(&block->hash, ld_buffer_span(&block->stored));
	hash_print(&block->hash, hex);
	printf("%s\n", hex);
}

static void
block_come(struct tool *t, const char *hex)
{
	for (size_t i = 0; i < t->block_count; i++) {
		char found[65];

		hash_print(&t->blocks[i].hash, found);
		if (strcmp(found, hex) != 0)
			continue;
		t->blocks[i].is_late = false;
		printf("%d\n", ld_quorum_block(t->quorum, t->blocks[i].hash.bytes,
					       ld_buffer_span(&t->blocks[i].stored), NULL));
		return;
	}
	die("come", "no such block");
}

/* ---- What is in effect ----------------------------------------------------------------------- */

static int
effective_print(void *ctx, const struct ld_effective *e)
{
	static const char *const actions[] = {"block", "allow", "rewrite", "remove"};
	static const char *const fronts[] = {[LD_SCOPE_SELF] = "=",
					     [LD_SCOPE_BELOW] = "*.",
					     [LD_SCOPE_TREE] = "",
					     [LD_SCOPE_URL] = ""};
	struct ld_buffer *to = ctx;

	ld_buffer_printf(to, "%s\t%.*s\t%s%.*s%.*s\t%.*s\n", actions[e->entry.action],
			 (int)e->entry.category.len, e->entry.category.data, fronts[e->entry.scope],
			 (int)e->entry.host.len, e->entry.host.data, (int)e->entry.path.len,
			 e->entry.path.data, (int)e->entry.source.len, e->entry.source.data);
	return to->failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

static void
list_print(const struct ld_quorum *quorum, struct ld_buffer *ret)
{
	ld_buffer_init(ret, 1024 * 1024 * 1024);
	if (ld_quorum_effective(quorum, effective_print, ret) != LINDUNG_OK)
		die("list", "failed");
}

static void
settle(struct tool *t, int64_t now_s)
{
	struct ld_buffer text;
	int64_t next;
	int err;

	ld_buffer_init(&text, 1024 * 1024 * 1024);
	err = ld_quorum_settle(t->quorum, now_s, effective_print, &text, &next);
	if (err != LINDUNG_OK)
		printf("error %d\n", err);
	else
		printf("%.*snext %" PRId64 "\n", (int)text.len, (const char *)text.data, next);
	ld_buffer_free(&text);
}

static void
again(struct tool *t, int64_t now_s)
{
	struct ld_block_source source = {t, block_give};
	struct ld_buffer was, is;
	struct ld_quorum *fresh;
	int64_t next;

	if (ld_quorum_new(&fresh, t->policy, NULL) != LINDUNG_OK)
		die("again", "no memory");
	for (size_t i = 0; i < t->note_count; i++)
		if (ld_quorum_add(fresh, i, ld_buffer_span(&t->notes[i]), &source) != LINDUNG_OK)
			die("again", "add");
	if (ld_quorum_settle(fresh, now_s, NULL, NULL, &next) != LINDUNG_OK)
		die("again", "settle");
	list_print(t->quorum, &was);
	list_print(fresh, &is);
	puts(ld_span_equal(ld_buffer_span(&was), ld_buffer_span(&is)) ? "same" : "differs");
	ld_buffer_free(&was);
	ld_buffer_free(&is);
	ld_quorum_free(fresh);
}

/* ---- Commands -------------------------------------------------------------------------------- */

static void
tool_clear(struct tool *t)
{
	for (size_t i = 0; i < t->block_count; i++)
		ld_buffer_free(&t->blocks[i].stored);
	for (size_t i = 0; i < t->note_count; i++)
		ld_buffer_free(&t->notes[i]);
	t->block_count = t->note_count = 0;
	ld_quorum_free(t->quorum);
	ld_policy_free(t->policy);
	t->quorum = NULL;
	t->policy = NULL;
}

static void
policy_take(struct tool *t, size_t len, const char *popular)
{
	struct ld_report report;
	struct ld_buffer text;
	int err;

	tool_clear(t);
	octets_read(&text, len);
	err = ld_policy_parse(&t->policy, ld_buffer_span(&text), popular, &report);
	ld_buffer_free(&text);
	if (err != LINDUNG_OK) {
		printf("%s\n", report.text);
		return;
	}
	if (ld_quorum_new(&t->quorum, t->policy, NULL) != LINDUNG_OK)
		die("policy", "no memory");
	puts("ok");
}

static void
statement_take(struct tool *t, char *signers, size_t len)
{
	struct ld_block_source source = {t, block_give};
	struct ld_buffer text, *note = &t->notes[t->note_count];
	int err;

	if (t->note_count == NOTES_MAX)
		die("add", "too many");
	octets_read(&text, len);
	note_make(note, signers, ld_buffer_span(&text));
	ld_buffer_free(&text);
	err = ld_quorum_add(t->quorum, t->note_count, ld_buffer_span(note), &source);
	if (err != LINDUNG_OK)
		printf("error %d\n", err);
	else
		puts(ld_refusal_key(t->quorum->said.at[t->note_count].refusal));
	t->note_count++;
}

static void
admits(struct tool *t, char *signers, int64_t now_s, size_t len)
{
	struct ld_report report = {{0}};
	struct ld_buffer text, note;
	int err;

	octets_read(&text, len);
	note_make(&note, signers, ld_buffer_span(&text));
	err = ld_quorum_admits(t->quorum, ld_buffer_span(&note), now_s, &report);
	printf("%d %s\n", err, report.text);
	ld_buffer_free(&text);
	ld_buffer_free(&note);
}

static int
entry_why(void *ctx, const struct ld_story_entry *entry)
{
	return effective_print(ctx, &entry->effective);
}

static int
said_why(void *ctx, const struct ld_story_said *said)
{
	ld_buffer_printf(ctx, "%" PRIu64 " %s\n", said->index, ld_standing_key(said->standing));
	return LINDUNG_OK;
}

static void
why(struct tool *t, const char *host, const char *path)
{
	struct ld_buffer text;
	const struct ld_story_teller teller = {&text, entry_why, said_why};

	ld_buffer_init(&text, 1024 * 1024);
	if (ld_story_why(t->quorum, ld_span_str(host), ld_span_str(path), false, &teller) !=
	    LINDUNG_OK)
		die("why", host);
	printf("%.*s", (int)text.len, (const char *)text.data);
	ld_buffer_free(&text);
}

static void
key_print(const char *name, bool is_witness)
{
	struct ld_signer *signer =
		signer_of(name, is_witness ? LD_KEY_COSIGNATURE : LD_KEY_ED25519);
	char text[LD_KEY_TEXT_MAX];

	ld_verifier_format(ld_signer_verifier(signer), text);
	puts(text);
	ld_signer_free(signer);
}

static void
command(struct tool *t, char *line, const char *popular)
{
	char none[] = "", *word[4] = {none, none, none, none}, *at = NULL;
	size_t count = 0;
	struct ld_buffer text;

	for (char *w = strtok_r(line, " \n", &at); w != NULL && count < 4;
	     w = strtok_r(NULL, " \n", &at))
		word[count++] = w;
	if (strcmp(word[0], "key") == 0) {
		key_print(word[1], strcmp(word[2], "witness") == 0);
	} else if (strcmp(word[0], "policy") == 0) {
		policy_take(t, strtoul(word[1], NULL, 10), popular);
	} else if (strcmp(word[0], "add") == 0) {
		statement_take(t, word[1], strtoul(word[2], NULL, 10));
	} else if (strcmp(word[0], "block") == 0 || strcmp(word[0], "late") == 0) {
		block_make(t, strtoul(word[1], NULL, 10), word[0][0] == 'l');
	} else if (strcmp(word[0], "come") == 0) {
		block_come(t, word[1]);
	} else if (strcmp(word[0], "settle") == 0) {
		settle(t, strtoll(word[1], NULL, 10));
	} else if (strcmp(word[0], "list") == 0) {
		list_print(t->quorum, &text);
		printf("%.*s", (int)text.len, (const char *)text.data);
		ld_buffer_free(&text);
	} else if (strcmp(word[0], "said") == 0) {
		puts(ld_refusal_key(t->quorum->said.at[strtoul(word[1], NULL, 10)].refusal));
	} else if (strcmp(word[0], "admits") == 0) {
		admits(t, word[1], strtoll(word[2], NULL, 10), strtoul(word[3], NULL, 10));
	} else if (strcmp(word[0], "why") == 0) {
		why(t, word[1], word[2]);
	} else if (strcmp(word[0], "again") == 0) {
		again(t, strtoll(word[1], NULL, 10));
	} else if (strcmp(word[0], "hash") == 0) {
		struct ld_hash hash;
		char hex[65];

		ld_policy_hash(t->policy, hash.bytes);
		hash_print(&hash, hex);
		puts(hex);
	} else {
		die("unknown command", word[0]);
	}
	puts(".");
	fflush(stdout);
}

/* usage: quorum_tool [POPULAR] */
int
main(int argc, char **argv)
{
	static struct tool t;
	char line[LINE_BYTES];

	while (fgets(line, sizeof line, stdin) != NULL)
		command(&t, line, argc > 1 ? argv[1] : NULL);
	tool_clear(&t);
	return 0;
}
