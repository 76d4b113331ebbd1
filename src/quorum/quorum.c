/* Taking statements, and settling what they come to.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "quorum/quorum.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/siphash.h"
#include "name/name.h"
#include "quorum/state.h"

enum { TEXTS_BYTES = 64 * 1024 * 1024 };

int
ld_quorum_new(struct ld_quorum **ret, const struct ld_policy *policy,
	      const struct ld_openers *openers)
{
	struct ld_quorum *q = calloc(1, sizeof *q);

	if (q == NULL)
		return LINDUNG_ENOMEM;
	q->policy = policy;
	q->openers = openers != NULL && ld_openers_count(openers) > 0 ? openers : NULL;
	q->now_s = INT64_MIN;
	ld_arena_init(&q->texts, TEXTS_BYTES);
	q->voters = calloc(LD_QUORUM_PARTIES_MAX, sizeof *q->voters);
	if (q->voters == NULL || LD_ROOM(&q->effects, 1) != LINDUNG_OK ||
	    getrandom(q->secret, sizeof q->secret, 0) != (ssize_t)sizeof q->secret) {
		ld_quorum_free(q);
		return LINDUNG_ENOMEM;
	}
	q->effects.at[q->effects.count++] = (struct ld_effect){0};
	if (q->openers != NULL)
		ld_openers_derive(q->openers, ld_policy_origin(policy), q->blind_key);
	*ret = q;
	return LINDUNG_OK;
}

void
ld_quorum_set_suffixes(struct ld_quorum *q, const struct ld_psl *suffixes)
{
	q->suffixes = suffixes;
}

void
ld_quorum_free(struct ld_quorum *q)
{
	if (q == NULL)
		return;
	for (size_t i = 0; i < q->parties.count; i++)
		free(q->parties.at[i]);
	free(q->said.at);
	free(q->parties.at);
	free(q->categories.at);
	free(q->cells.at);
	free(q->records.at);
	free(q->pool.at);
	free(q->effects.at);
	free(q->due.at);
	free(q->waits.at);
	free(q->keys.at);
	free(q->touched.at);
	free(q->dirty.at);
	free(q->heard.at);
	free(q->ids.slots);
	free(q->by_id.slots);
	free(q->by_entry.slots);
	free(q->by_effect.slots);
	free(q->voters);
	ld_arena_clear(&q->texts);
	explicit_bzero(q->blind_key, sizeof q->blind_key);
	free(q);
}

uint64_t
ld_quorum_size(const struct ld_quorum *q)
{
	return q->said.count;
}

void
ld_quorum_blind_key(const struct ld_quorum *q, uint8_t ret[LD_BLIND_KEY_BYTES])
{
	memcpy(ret, q->blind_key, LD_BLIND_KEY_BYTES);
}

/* ---- Taking in: parties ---------------------------------------------------------------------- */

static uint64_t
party_hash(const void *ctx, uint32_t number)
{
	const struct ld_quorum *q = ctx;

	return ld_siphash(q->secret, ld_span_str(q->parties.at[number]->id));
}

static bool
never_same(const void *ctx, uint32_t number)
{
	(void)ctx;
	(void)number;
	return false;
}

static int
party_new(struct ld_quorum *q, struct ld_span id, uint32_t *ret)
{
	struct ld_party *party = calloc(1, sizeof *party);
	uint64_t hash = ld_siphash(q->secret, id);

	if (party == NULL || LD_ROOM(&q->parties, 1) != LINDUNG_OK ||
	    ld_table_room(&q->by_id, party_hash, q) != LINDUNG_OK ||
	    (party->id = (const char *)ld_arena_copy(&q->texts, id).data) == NULL) {
		free(party);
		return LINDUNG_ENOMEM;
	}
	party->newest = LD_NONE;
	party->voter.named = ld_policy_party(q->policy, id);
	*ret = (uint32_t)q->parties.count;
	q->parties.at[q->parties.count++] = party;
	ld_slot_take(&q->by_id, ld_table_find(&q->by_id, hash, never_same, NULL), hash, *ret);
	return LINDUNG_OK;
}

/* What was decided about this dispute or appeal is to be worked out anew. */
int
ld_decision_touch(struct ld_quorum *q, uint32_t number)
{
	if ((ld_said_at(q, number)->flags & LD_SAID_DIRTY) != 0)
		return LINDUNG_OK;
	if (LD_ROOM(&q->dirty, 1) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	ld_said_at(q, number)->flags |= LD_SAID_DIRTY;
	q->dirty.at[q->dirty.count++] = number;
	return LINDUNG_OK;
}

/* What its statements come to is to be worked out anew. */
int
ld_party_touch(struct ld_quorum *q, uint32_t number)
{
	int err = LINDUNG_OK;

	for (uint32_t at = q->parties.at[number]->newest; at != LD_NONE && err == LINDUNG_OK;
	     at = ld_said_at(q, at)->next_of_party) {
		const struct ld_said *said = ld_said_at(q, at);

		if (said->refusal != LD_REFUSAL_NONE || said->base == LD_NONE)
			continue;
		if (said->action == LD_STATEMENT_DECIDE) {
			err = ld_decision_touch(q, said->target);
			if (err != LINDUNG_OK)
				return err;
		}
		err = ld_said_touch(q, at);
	}
	return err;
}

static int
party_add(struct ld_quorum *q, uint32_t number, struct ld_checked *c)
{
	const struct ld_statement *s = &c->statement;
	struct ld_party *party;
	uint32_t key = ld_key_find(q, s->key.key);

	if (c->party == LD_NONE && party_new(q, s->subject, &c->party) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	if (key == LD_NONE) {
		if (LD_ROOM(&q->keys, 1) != LINDUNG_OK)
			return LINDUNG_ENOMEM;
		struct ld_key_seen *seen = &q->keys.at[q->keys.count++];
		memcpy(seen->key, s->key.key, sizeof seen->key);
		seen->party = c->party;
		seen->is_revoked = false;
	}
	party = q->parties.at[c->party];
	party->name = (const char *)ld_arena_copy(&q->texts, s->name).data;
	if (party->name == NULL)
		return LINDUNG_ENOMEM;
	party->voter.kind = (uint8_t)s->kind;
	if (!ld_country_read(s->country, party->voter.country))
		memset(party->voter.country, 0, sizeof party->voter.country);
	party->has_key = true;
	party->key = s->key;
	party->since_s = party->root_s = s->time_s;
	party->until_s = s->expires_s;
	party->last_s = INT64_MIN;
	/* The times of one key do not go back, those of two may: what it says in a day is counted
	 * for each. */
	party->day = INT64_MIN;
	party->statements = party->entries = 0;
	party->added = number;
	if (ld_due_add(q, party->until_s, c->party, true) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	return ld_party_touch(q, c->party);
}

static int
party_revoke(struct ld_quorum *q, const struct ld_checked *c)
{
	struct ld_party *party = q->parties.at[c->party];

	party->root_s = c->statement.time_s;
	for (size_t i = 0; i < q->keys.count; i++)
		q->keys.at[i].is_revoked |= q->keys.at[i].party == c->party;
	party->has_key = false;
	for (uint32_t at = party->newest; at != LD_NONE; at = ld_said_at(q, at)->next_of_party)
		if (ld_said_at(q, at)->time_s >= c->statement.from_s)
			ld_said_at(q, at)->flags |= LD_SAID_VOID;
	return ld_party_touch(q, c->party);
}

/* ---- Taking in: statements ------------------------------------------------------------------- */

static int
category_take(struct ld_quorum *q, struct ld_span key, uint16_t *ret)
{
	uint32_t number = ld_category_find(q, key);

	if (number == LD_NONE) {
		if (LD_ROOM(&q->categories, 1) != LINDUNG_OK)
			return LINDUNG_ENOMEM;
		number = (uint32_t)q->categories.count++;
		struct ld_category *category = &q->categories.at[number];
		*category = (struct ld_category){.rule = ld_policy_rule(q->policy, key)};
		memcpy(category->key, key.data, key.len);
		q->other_categories += ld_rule_is_of_others(category->rule);
	}
	*ret = (uint16_t)number;
	return LINDUNG_OK;
}

static int64_t
sooner(int64_t a, int64_t time_s, int64_t life_s)
{
	int64_t b = time_s + life_s;

	return a < b ? a : b;
}

static void
flood_count(struct ld_party *party, const struct ld_checked *c)
{
	int64_t day = c->statement.time_s / LD_DAY_S;

	if (c->statement.action == LD_STATEMENT_APPEAL)
		return;
	if (party->day != day) {
		party->day = day;
		party->spoken = (struct ld_flood){0};
	}
	if (c->statement.action != LD_STATEMENT_WITHDRAW)
		party->spoken.statements++;
	party->spoken.listed += c->listed < UINT32_MAX - party->spoken.listed
					? c->listed
					: UINT32_MAX - party->spoken.listed;
	party->spoken.disputed += c->disputed < UINT32_MAX - party->spoken.disputed
					  ? c->disputed
					  : UINT32_MAX - party->spoken.disputed;
}

/* When the clock changes what it means. */
static int
due_add(struct ld_quorum *q, uint32_t number)
{
	const struct ld_said *said = ld_said_at(q, number);
	const struct ld_rule *rule = q->categories.at[said->category].rule;
	int err = ld_due_add(q, said->time_s, number, false);

	if (err == LINDUNG_OK)
		err = ld_due_add(q, said->until_s, number, false);
	if (err == LINDUNG_OK && rule->clock_s != 0 &&
	    (said->action == LD_STATEMENT_DISPUTE || said->action == LD_STATEMENT_APPEAL))
		err = ld_due_add(q, said->time_s + rule->clock_s, number, false);
	return err;
}

/* It hangs at what it speaks of. */
static int
target_join(struct ld_quorum *q, uint32_t number)
{
	struct ld_said *said = ld_said_at(q, number), *target = ld_said_at(q, said->target);

	/* What names entries is found by these: nobody else's have to pass it by. */
	if ((said->flags & LD_SAID_WHOLE) == 0)
		return LINDUNG_OK;
	said->next_speaker = target->speakers;
	target->speakers = number;
	if (said->action == LD_STATEMENT_WITHDRAW)
		target->flags |= LD_SAID_TAKEN_BACK;
	if (said->action == LD_STATEMENT_DECIDE)
		return ld_decision_touch(q, said->target);
	return LINDUNG_OK;
}

static int
entries_take(struct ld_quorum *q, uint32_t number, const struct ld_statement *s,
	     struct ld_span stored, struct ld_report *report)
{
	struct ld_said *said = ld_said_at(q, number);
	int err = ld_cells_take(q, number, s, stored, report);

	said = ld_said_at(q, number);
	switch (err) {
	case LINDUNG_OK:
		return LINDUNG_OK;
	case LINDUNG_EDENIED:
		said->flags |= LD_SAID_CLOSED;
		return LINDUNG_OK;
	case LINDUNG_ENOMEM:
		return err;
	default:
		/* Nothing of it was handed over: it has no entries. */
		said->flags |= LD_SAID_BROKEN;
		return LINDUNG_OK;
	}
}

static int
party_statement(struct ld_quorum *q, uint32_t number, struct ld_checked *c, struct ld_span stored,
		bool has_block)
{
	const struct ld_statement *s = &c->statement;
	struct ld_said *said = ld_said_at(q, number);
	struct ld_party *party = q->parties.at[c->party];
	int err = LINDUNG_OK;

	said->next_of_party = party->newest;
	party->newest = number;
	if (s->action != LD_STATEMENT_APPEAL)
		party->last_s = s->time_s;
	flood_count(party, c);
	party->statements++;
	party->entries += s->entry_count;
	q->entry_count += s->entry_count;
	if (s->action == LD_STATEMENT_RELEASE)
		return LINDUNG_OK;
	if (c->target == LD_NONE)
		err = category_take(q, s->category, &said->category);
	else
		said->category = (uint16_t)c->category;
	if (err != LINDUNG_OK)
		return err;
	said->base = c->target == LD_NONE ? number : c->base;
	said->target = c->target;
	if (s->action == LD_STATEMENT_LIST || s->action == LD_STATEMENT_ALLOW ||
	    s->action == LD_STATEMENT_ENDORSE)
		said->until_s = sooner(s->expires_s, s->time_s,
				       q->categories.at[said->category].rule->lives_s);
	if (c->floods)
		said->flags |= LD_SAID_FLOODS;
	if (s->upholds)
		said->flags |= LD_SAID_UPHOLDS;
	if (c->target != LD_NONE && s->entries == LD_ENTRIES_NONE)
		said->flags |= LD_SAID_WHOLE;
	if (s->entries == LD_ENTRIES_SEALED && q->openers == NULL)
		said->flags |= LD_SAID_CLOSED;
	else if (has_block || s->entries == LD_ENTRIES_INLINE)
		err = entries_take(q, number, s, stored, NULL);
	else if (s->entries != LD_ENTRIES_NONE) {
		if (LD_ROOM(&q->waits, 1) != LINDUNG_OK)
			return LINDUNG_ENOMEM;
		struct ld_wait *wait = &q->waits.at[q->waits.count++];
		memcpy(wait->hash, s->block_hash, sizeof wait->hash);
		wait->said = number;
		said->flags |= LD_SAID_WAITS;
	}
	if (err == LINDUNG_OK && c->target != LD_NONE)
		err = target_join(q, number);
	if (err == LINDUNG_OK)
		err = due_add(q, number);
	return err != LINDUNG_OK ? err : ld_said_touch(q, number);
}

static uint64_t
id_hash(const void *ctx, uint32_t number)
{
	const struct ld_quorum *q = ctx;

	return ld_siphash(q->secret, ld_span(q->said.at[number].id, LD_STATEMENT_ID_BYTES));
}

static int
statement_take(struct ld_quorum *q, struct ld_checked *c, struct ld_span stored, bool has_block)
{
	const struct ld_statement *s = &c->statement;
	bool is_known = c->refusal != LD_REFUSAL_SYNTAX && c->refusal != LD_REFUSAL_OTHER_LOG;
	uint32_t number = (uint32_t)q->said.count;
	struct ld_said said = {.time_s = is_known ? s->time_s : 0,
			       .until_s = INT64_MAX,
			       .party = LD_NONE,
			       .target = LD_NONE,
			       .base = LD_NONE,
			       .next_of_party = LD_NONE,
			       .speakers = LD_NONE,
			       .next_speaker = LD_NONE,
			       .entry_count = is_known ? s->entry_count : 0,
			       .action = is_known ? (uint8_t)s->action : LD_STATEMENT_ACTION_COUNT,
			       .refusal = (uint8_t)c->refusal,
			       .entries = is_known ? (uint8_t)s->entries : LD_ENTRIES_NONE};
	bool is_root =
		said.action == LD_STATEMENT_PARTY_ADD || said.action == LD_STATEMENT_PARTY_REVOKE;
	uint64_t hash;

	memcpy(said.id, c->id, sizeof said.id);
	if (!is_root)
		said.party = c->party;
	if (LD_ROOM(&q->said, 1) != LINDUNG_OK || ld_table_room(&q->ids, id_hash, q) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	q->said.at[q->said.count++] = said;
	if (c->refusal != LD_REFUSAL_NONE)
		return LINDUNG_OK;
	hash = id_hash(q, number);
	ld_slot_take(&q->ids, ld_table_find(&q->ids, hash, never_same, NULL), hash, number);
	if (said.action == LD_STATEMENT_PARTY_ADD)
		return party_add(q, number, c);
	if (said.action == LD_STATEMENT_PARTY_REVOKE)
		return party_revoke(q, c);
	return party_statement(q, number, c, stored, has_block);
}

static bool
needs_block(const struct ld_quorum *q, const struct ld_checked *c)
{
	return c->refusal == LD_REFUSAL_NONE &&
	       (c->statement.entries == LD_ENTRIES_BLOCK ||
		(c->statement.entries == LD_ENTRIES_SEALED && q->openers != NULL));
}

static bool
hash_is(struct ld_span stored, const uint8_t hash[LD_BLOCK_HASH_BYTES])
{
	struct ld_hash found;

	ld_hash_of(&found, stored);
	return memcmp(found.bytes, hash, LD_BLOCK_HASH_BYTES) == 0;
}

int
ld_quorum_add(struct ld_quorum *q, uint64_t index, struct ld_span note,
	      const struct ld_block_source *blocks)
{
	struct ld_checked checked;
	struct ld_buffer stored;
	int err = LINDUNG_ENOTFOUND;

	if (q->is_broken)
		return LINDUNG_ENOMEM;
	if (index != q->said.count)
		return LINDUNG_EINVAL;
	if (q->said.count >= LD_QUORUM_STATEMENTS_MAX)
		return LINDUNG_ELIMIT;
	ld_check(q, note, &checked);
	ld_buffer_init(&stored, LD_BLOCK_STORED_MAX_BYTES);
	if (needs_block(q, &checked) && blocks != NULL)
		err = blocks->block(blocks->ctx, checked.statement.block_hash, &stored,
				    &checked.report);
	/* What is not the block at all is not there; nor what is larger than a block can be. */
	if (err == LINDUNG_ELIMIT)
		err = LINDUNG_ENOTFOUND;
	if (err == LINDUNG_OK && !hash_is(ld_buffer_span(&stored), checked.statement.block_hash))
		err = LINDUNG_ENOTFOUND;
	if (err == LINDUNG_OK || err == LINDUNG_ENOTFOUND) {
		err = statement_take(q, &checked, ld_buffer_span(&stored), err == LINDUNG_OK);
		q->is_broken = err != LINDUNG_OK;
	}
	ld_buffer_free(&stored);
	return err;
}

/* ---- Blocks that come late ------------------------------------------------------------------- */

int
ld_quorum_waiting(const struct ld_quorum *q,
		  int (*each)(void *ctx, const uint8_t hash[LD_BLOCK_HASH_BYTES], uint64_t index),
		  void *ctx)
{
	int err = LINDUNG_OK;

	for (size_t i = 0; i < q->waits.count && err == LINDUNG_OK; i++)
		err = each(ctx, q->waits.at[i].hash, q->waits.at[i].said);
	return err;
}

int
ld_quorum_block(struct ld_quorum *q, const uint8_t hash[LD_BLOCK_HASH_BYTES], struct ld_span stored,
		struct ld_report *report)
{
	size_t kept = 0, count = q->waits.count;
	int err = LINDUNG_OK;

	if (q->is_broken)
		return LINDUNG_ENOMEM;
	if (!hash_is(stored, hash))
		return ld_fail(report, LINDUNG_EDAMAGED, "the block is not what its hash says");
	for (size_t i = 0; i < count; i++) {
		struct ld_wait wait = q->waits.at[i];
		struct ld_said *said = ld_said_at(q, wait.said);
		struct ld_statement s = {.entries = (enum ld_statement_entries)said->entries,
					 .entry_count = said->entry_count};

		if (err != LINDUNG_OK || memcmp(wait.hash, hash, sizeof wait.hash) != 0) {
			q->waits.at[kept++] = wait;
			continue;
		}
		memcpy(s.block_hash, hash, sizeof s.block_hash);
		said->flags &= (uint16_t)~LD_SAID_WAITS;
		err = entries_take(q, wait.said, &s, stored, report);
	}
	q->waits.count = kept;
	q->is_broken |= err != LINDUNG_OK;
	if (err != LINDUNG_OK)
		return err;
	return kept < count ? LINDUNG_OK : LINDUNG_ENOTFOUND;
}

/* ---- What an operator asks ------------------------------------------------------------------- */

int
ld_quorum_admits(const struct ld_quorum *q, struct ld_span note, int64_t now_s,
		 struct ld_report *report)
{
	struct ld_checked c;
	const struct ld_statement *s = &c.statement;
	int64_t slack_s;

	ld_check(q, note, &c);
	if (c.refusal != LD_REFUSAL_NONE && c.report.text[0] != '\0')
		return ld_fail(report, ld_refusal_error(c.refusal), "%s: %.400s",
			       ld_refusal_text(c.refusal), c.report.text);
	if (c.refusal != LD_REFUSAL_NONE)
		return ld_fail(report, ld_refusal_error(c.refusal), "%s",
			       ld_refusal_text(c.refusal));
	/* An appeal has the beginning of its day. */
	slack_s = s->action == LD_STATEMENT_APPEAL ? LD_DAY_S : 0;
	if (s->time_s > now_s + LD_QUORUM_AHEAD_MAX_S)
		return ld_fail(report, LINDUNG_EDENIED,
			       "its time lies ahead of ours: is a clock wrong?");
	if (s->time_s < now_s - LD_QUORUM_BEHIND_MAX_S - slack_s)
		return ld_fail(report, LINDUNG_EDENIED,
			       "it was made more than %d days ago: make it again",
			       LD_QUORUM_BEHIND_MAX_S / LD_DAY_S);
	if (s->action != LD_STATEMENT_PARTY_ADD && s->action != LD_STATEMENT_PARTY_REVOKE &&
	    now_s >= q->parties.at[c.party]->until_s)
		return ld_fail(report, LINDUNG_EDENIED,
			       "%s has expired: the root must take it in anew",
			       q->parties.at[c.party]->id);
	return LINDUNG_OK;
}

int
ld_quorum_about(const struct ld_quorum *q, const struct ld_entry *name, const uint8_t *blind,
		ld_quorum_each *each, void *ctx)
{
	uint8_t key[LD_HOST_MAX], scoped[LD_BLIND_BYTES];
	struct ld_cell_text text = {.blind = scoped};
	uint8_t first = LD_SCOPE_SELF, last = LD_SCOPE_URL;
	int err = LINDUNG_OK;

	if (name == NULL) {
		memcpy(scoped, blind, sizeof scoped);
	} else {
		text = (struct ld_cell_text){
			.key = ld_span(key, ld_host_to_key(key, name->host)),
			.path = name->path,
		};
		first = name->path.len != 0 ? LD_SCOPE_URL : LD_SCOPE_SELF;
		last = name->path.len != 0 ? LD_SCOPE_URL : LD_SCOPE_TREE;
	}
	for (size_t category = 0; category < q->categories.count; category++) {
		for (uint8_t scope = first; scope <= last && err == LINDUNG_OK; scope++) {
			const struct ld_cell *cell;

			/* An image knows a sealed name by its hash: all scopes are of one name. */
			if (name == NULL)
				scoped[LD_BLIND_SCOPE_AT] = scope;
			else
				text.scope = scope;
			uint32_t number = ld_cell_find(q, (uint16_t)category, &text);

			if (number == LD_NONE)
				continue;
			cell = &q->cells.at[number];
			if (cell->effect != 0)
				err = ld_cell_tell(q, cell, &q->effects.at[cell->effect], each,
						   ctx);
		}
	}
	return err;
}
