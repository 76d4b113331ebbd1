/* Bytes as a log: each few of them make a statement that is signed and taken, or are taken as they
 * are. What comes out step by step is what comes out from scratch. SPDX-License-Identifier:
 * BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "log/note.h"
#include "quorum/quorum.h"
#include "quorum/story.h"

enum { NOTES_MAX = 64, PARTIES = 4, START_S = 1767225600, DAY_S = 86400 };

static const char *const parties[PARTIES] = {"a.test", "b.test", "c.test", "op.test"};
static const char *const kinds[PARTIES] = {"ministry", "ngo", "police", "isp"};
static const char *const entries[] = {"one.test", "=one.test", "a.one.test", "two.test",
				      "two.test/page"};

struct world {
	struct ld_policy *policy;
	struct ld_signer *root, *signers[PARTIES];
};

struct run {
	const struct world *world;
	struct ld_reader in;
	struct ld_quorum *quorum;
	struct ld_buffer notes[NOTES_MAX];
	uint8_t ids[NOTES_MAX][LD_STATEMENT_ID_BYTES];
	size_t count;
	int64_t now_s;
};

static struct ld_signer *
signer_make(const char *name)
{
	struct ld_signer *signer;
	uint8_t seed[32] = {0};

	memcpy(seed, name, strlen(name));
	LD_ASSERT(ld_signer_from_seed(&signer, name, LD_KEY_ED25519, seed, NULL) == LINDUNG_OK);
	return signer;
}

static void
key_print(struct ld_buffer *text, const struct ld_signer *signer)
{
	char key[LD_KEY_TEXT_MAX];

	ld_verifier_format(ld_signer_verifier(signer), key);
	ld_buffer_printf(text, "%s\n", key);
}

static const struct world *
world_make(void)
{
	static struct world w;
	struct ld_buffer text;
	struct ld_signer *log;

	if (w.policy != NULL)
		return &w;
	log = signer_make("log.test");
	w.root = signer_make("root-1");
	for (size_t i = 0; i < PARTIES; i++)
		w.signers[i] = signer_make(parties[i]);
	ld_buffer_init(&text, 65536);
	ld_buffer_printf(&text, "lindung policy 1\nlog ");
	key_print(&text, log);
	ld_buffer_printf(&text, "quorum none\nroot 1 ");
	key_print(&text, w.root);
	ld_buffer_printf(
		&text, "operator op.test\nflood listed 6\nflood disputed 4\n"
		       "group two 2 kind:ministry kind:ngo kind:police\n"
		       "upholder two\n"
		       "category one\nagree kind:ministry\nsuspend 1 kind:ngo\nclock 3d\nlives 9d\n"
		       "category *\nagree two\nsuspend 2 kind:ngo\nclock 1d\n");
	LD_ASSERT(ld_policy_parse(&w.policy, ld_buffer_span(&text), NULL, NULL) == LINDUNG_OK);
	ld_buffer_free(&text);
	ld_signer_free(log);
	return &w;
}

/* ---- Statements ------------------------------------------------------------------------------ */

static void
head_print(struct run *r, struct ld_buffer *text, const char *party, const char *action)
{
	char time[32];
	int64_t time_s = r->now_s + (int8_t)ld_reader_u8(&r->in) * INT64_C(600);

	ld_statement_time_format(time, time_s, strcmp(action, "appeal") == 0);
	ld_buffer_printf(text,
			 "lindung statement 1\nlog: log.test\nparty: %s\ntime: %s\naction: %s\n",
			 party, time, action);
}

static void
expires_print(struct run *r, struct ld_buffer *text)
{
	char day[32];

	ld_statement_time_format(day, (r->now_s / DAY_S + 1 + ld_reader_u8(&r->in) % 16) * DAY_S,
				 true);
	ld_buffer_printf(text, "expires: %s\n", day);
}

static void
entries_print(struct ld_buffer *text, unsigned bits)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sizeof entries / sizeof entries[0]; i++)
		count += bits >> i & 1;
	if (count == 0)
		return;
	ld_buffer_printf(text, "entries: inline %u\n", count);
	for (unsigned i = 0; i < sizeof entries / sizeof entries[0]; i++)
		if ((bits >> i & 1) != 0)
			ld_buffer_printf(text, " %s\n", entries[i]);
}

static void
target_print(struct run *r, struct ld_buffer *text)
{
	const uint8_t *id = r->ids[r->count > 0 ? ld_reader_u8(&r->in) % r->count : 0];

	ld_buffer_printf(text, "statement: ");
	for (size_t i = 0; i < LD_STATEMENT_ID_BYTES; i++)
		ld_buffer_printf(text, "%02x", id[i]);
	ld_buffer_printf(text, "\n");
}

static void
root_print(struct run *r, struct ld_buffer *text, bool adds)
{
	unsigned who = ld_reader_u8(&r->in) % PARTIES;
	char time[32];

	head_print(r, text, "root", adds ? "party-add" : "party-revoke");
	ld_buffer_printf(text, "jurisdiction: INT\nbasis: law\n");
	ld_buffer_printf(text, "subject: %s\n", parties[who]);
	if (adds) {
		ld_buffer_printf(text, "name: somebody\nkind: %s\ncountry: ID\nkey: ", kinds[who]);
		key_print(text, r->world->signers[who]);
		expires_print(r, text);
		return;
	}
	ld_statement_time_format(time, r->now_s - (int8_t)ld_reader_u8(&r->in) * INT64_C(3600),
				 false);
	ld_buffer_printf(text, "from: %s\n", time);
}

static void
party_print(struct run *r, struct ld_buffer *text, unsigned action, unsigned who)
{
	static const char *const actions[] = {"list",     "allow",  "endorse", "dispute",
					      "withdraw", "appeal", "decide"};
	const char *key = actions[action];
	bool claims = action < 2;
	unsigned bits = ld_reader_u8(&r->in);

	head_print(r, text, parties[who], key);
	if (claims)
		ld_buffer_printf(text, "category: %s\n", (bits >> 7 & 1) != 0 ? "one" : "other");
	if (action != 5)
		ld_buffer_printf(text, "jurisdiction: INT\nbasis: law\n");
	if (!claims)
		target_print(r, text);
	if (action == 6)
		ld_buffer_printf(text, "decision: %s\n", (bits & 1) != 0 ? "uphold" : "reject");
	if (action == 3 || action == 5 || action == 6)
		ld_buffer_printf(text, "reasons: because\n");
	if (action < 3)
		expires_print(r, text);
	if (action != 6)
		entries_print(text, claims ? bits | (unsigned)(bits % 32 == 0) : bits);
}

static void
note_take(struct run *r)
{
	unsigned op = ld_reader_u8(&r->in), who = op / 16 % PARTIES;
	struct ld_buffer text, *note = &r->notes[r->count];
	const struct ld_signer *signer = r->world->signers[who];

	ld_buffer_init(&text, 65536);
	ld_buffer_init(note, 65536);
	if (op % 16 < 7) {
		party_print(r, &text, op % 16, who);
	} else if (op % 16 < 11) {
		root_print(r, &text, op % 16 < 10);
		signer = r->world->root;
	} else {
		ld_buffer_bytes(note, ld_reader_take(&r->in, ld_reader_u8(&r->in)));
	}
	if (text.len > 0)
		LD_ASSERT(ld_note_sign(note, ld_buffer_span(&text), &signer, 1, 0) == LINDUNG_OK);
	ld_statement_id(r->ids[r->count], ld_buffer_span(&text));
	ld_buffer_free(&text);
	LD_ASSERT(ld_quorum_add(r->quorum, r->count, ld_buffer_span(note), NULL) == LINDUNG_OK);
	r->count++;
}

/* ---- What comes out -------------------------------------------------------------------------- */

static int
effective_print(void *ctx, const struct ld_effective *e)
{
	struct ld_buffer *to = ctx;

	ld_buffer_printf(to, "%d %d %.*s%.*s %.*s %.*s\n", e->entry.action, e->entry.scope,
			 (int)e->entry.host.len, e->entry.host.data, (int)e->entry.path.len,
			 e->entry.path.data, (int)e->entry.category.len, e->entry.category.data,
			 (int)e->entry.source.len, e->entry.source.data);
	return LINDUNG_OK;
}

static int
said_ignore(void *ctx, const struct ld_story_said *said)
{
	(void)ctx;
	LD_ASSERT(said->standing < LD_STANDING_COUNT && said->refusal < LD_REFUSAL_COUNT);
	return LINDUNG_OK;
}

static int
entry_ignore(void *ctx, const struct ld_story_entry *entry)
{
	(void)ctx;
	(void)entry;
	return LINDUNG_OK;
}

static void
scratch_check(struct run *r)
{
	const struct ld_story_teller teller = {NULL, entry_ignore, said_ignore};
	struct ld_buffer was, is;
	struct ld_quorum *fresh;
	int64_t next_s;

	LD_ASSERT(ld_quorum_new(&fresh, r->world->policy, NULL) == LINDUNG_OK);
	for (size_t i = 0; i < r->count; i++)
		LD_ASSERT(ld_quorum_add(fresh, i, ld_buffer_span(&r->notes[i]), NULL) ==
			  LINDUNG_OK);
	LD_ASSERT(ld_quorum_settle(fresh, r->now_s, NULL, NULL, &next_s) == LINDUNG_OK);
	LD_ASSERT(ld_quorum_settle(r->quorum, r->now_s, NULL, NULL, &next_s) == LINDUNG_OK);
	ld_buffer_init(&was, 1024 * 1024);
	ld_buffer_init(&is, 1024 * 1024);
	LD_ASSERT(ld_quorum_effective(r->quorum, effective_print, &was) == LINDUNG_OK);
	LD_ASSERT(ld_quorum_effective(fresh, effective_print, &is) == LINDUNG_OK);
	LD_ASSERT(ld_span_equal(ld_buffer_span(&was), ld_buffer_span(&is)));
	LD_ASSERT(ld_story_why(r->quorum, LD_SPAN("a.one.test"), LD_SPAN("/page"), false,
			       &teller) == LINDUNG_OK);
	LD_ASSERT(ld_story_statements(r->quorum, 0, said_ignore, NULL) == LINDUNG_OK);
	ld_buffer_free(&was);
	ld_buffer_free(&is);
	ld_quorum_free(fresh);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = {
		.world = world_make(), .in = ld_reader(ld_span(data, size)), .now_s = START_S};
	int64_t next_s;

	LD_ASSERT(ld_quorum_new(&r.quorum, r.world->policy, NULL) == LINDUNG_OK);
	while (ld_reader_left(&r.in) > 0 && r.count < NOTES_MAX) {
		note_take(&r);
		r.now_s += ld_reader_u8(&r.in) * INT64_C(900);
		if (r.count % 3 == 0)
			LD_ASSERT(ld_quorum_settle(r.quorum, r.now_s, NULL, NULL, &next_s) ==
				  LINDUNG_OK);
	}
	scratch_check(&r);
	for (size_t i = 0; i < r.count; i++)
		ld_buffer_free(&r.notes[i]);
	ld_quorum_free(r.quorum);
	return 0;
}
