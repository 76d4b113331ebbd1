/* What a note would mean as the next entry of the log.  Looks, changes nothing.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <lindung/lindung.h>

#include "base/siphash.h"
#include "log/note.h"
#include "quorum/state.h"

const char *
ld_refusal_key(enum ld_refusal refusal)
{
	static const char *const keys[] = {
#define LD_X(symbol, key, error, what) key,
		LD_REFUSALS(LD_X)
#undef LD_X
	};

	return keys[refusal];
}

const char *
ld_refusal_text(enum ld_refusal refusal)
{
	static const char *const texts[] = {
#define LD_X(symbol, key, error, what) what,
		LD_REFUSALS(LD_X)
#undef LD_X
	};

	return texts[refusal];
}

int
ld_refusal_error(enum ld_refusal refusal)
{
	static const int errors[] = {
#define LD_X(symbol, key, error, what) LINDUNG_##error,
		LD_REFUSALS(LD_X)
#undef LD_X
	};

	return errors[refusal];
}

/* ---- Finding --------------------------------------------------------------------------------- */

struct wanted {
	const struct ld_quorum *q;
	struct ld_span bytes;
};

static bool
party_same(const void *ctx, uint32_t number)
{
	const struct wanted *w = ctx;

	return ld_span_equal(ld_span_str(w->q->parties.at[number]->id), w->bytes);
}

uint32_t
ld_party_find(const struct ld_quorum *q, struct ld_span id)
{
	struct wanted w = {q, id};

	if (q->by_id.size == 0)
		return LD_NONE;
	return ld_table_find(&q->by_id, ld_siphash(q->secret, id), party_same, &w)->number;
}

static bool
said_same(const void *ctx, uint32_t number)
{
	const struct wanted *w = ctx;

	return memcmp(w->q->said.at[number].id, w->bytes.data, LD_STATEMENT_ID_BYTES) == 0;
}

uint32_t
ld_said_find(const struct ld_quorum *q, const uint8_t id[LD_STATEMENT_ID_BYTES])
{
	struct wanted w = {q, ld_span(id, LD_STATEMENT_ID_BYTES)};

	if (q->ids.size == 0)
		return LD_NONE;
	return ld_table_find(&q->ids, ld_siphash(q->secret, w.bytes), said_same, &w)->number;
}

uint32_t
ld_category_find(const struct ld_quorum *q, struct ld_span key)
{
	for (size_t i = 0; i < q->categories.count; i++)
		if (ld_span_equal(ld_span_str(q->categories.at[i].key), key))
			return (uint32_t)i;
	return LD_NONE;
}

uint32_t
ld_key_find(const struct ld_quorum *q, const uint8_t key[LD_KEY_PUBLIC_BYTES])
{
	for (size_t i = 0; i < q->keys.count; i++)
		if (memcmp(q->keys.at[i].key, key, LD_KEY_PUBLIC_BYTES) == 0)
			return (uint32_t)i;
	return LD_NONE;
}

/* ---- Root ------------------------------------------------------------------------------------ */

static bool
roots_signed(const struct ld_roots *roots, const struct ld_note *note, int64_t time_s,
	     struct ld_report *report)
{
	const struct ld_verifier *keys[LD_POLICY_ROOTS_MAX];
	uint64_t signers;

	if (time_s >= roots->until_s)
		return false;
	for (uint32_t i = 0; i < roots->key_count; i++)
		keys[i] = &roots->keys[i];
	return ld_note_verify(note, keys, roots->key_count, &signers, NULL, report) == LINDUNG_OK &&
	       (uint32_t)__builtin_popcountll(signers) >= roots->needed;
}

static enum ld_refusal
check_root(const struct ld_quorum *q, const struct ld_note *note, struct ld_checked *c)
{
	const struct ld_statement *s = &c->statement;
	const struct ld_policy *policy = q->policy;
	const struct ld_party *party;
	bool is_signed = false;
	uint32_t key;

	for (uint32_t i = 0; i < policy->roots_count && !is_signed; i++)
		is_signed = roots_signed(&policy->roots[i], note, s->time_s, &c->report);
	if (!is_signed)
		return LD_REFUSAL_ROOT_SIGNATURES;
	if (ld_said_find(q, c->id) != LD_NONE)
		return LD_REFUSAL_REPEATED;
	c->party = ld_party_find(q, s->subject);
	party = c->party != LD_NONE ? q->parties.at[c->party] : NULL;
	if (party != NULL && s->time_s < party->root_s)
		return LD_REFUSAL_BACKDATED;
	if (s->action == LD_STATEMENT_PARTY_REVOKE)
		return party != NULL ? LD_REFUSAL_NONE : LD_REFUSAL_UNKNOWN_PARTY;
	if (party == NULL && q->parties.count == LD_QUORUM_PARTIES_MAX)
		return LD_REFUSAL_LIMIT;
	key = ld_key_find(q, s->key.key);
	if (key == LD_NONE)
		return q->keys.count < LD_QUORUM_KEYS_MAX ? LD_REFUSAL_NONE : LD_REFUSAL_LIMIT;
	return q->keys.at[key].is_revoked || q->keys.at[key].party != c->party ? LD_REFUSAL_USED_KEY
									       : LD_REFUSAL_NONE;
}

/* ---- Parties --------------------------------------------------------------------------------- */

/* Times of what one key says do not go back: who has stolen it cannot say things of last year. */
static enum ld_refusal
check_time(const struct ld_party *party, const struct ld_statement *s)
{
	int64_t floor_s = party->last_s > party->since_s ? party->last_s : party->since_s;

	if (s->action == LD_STATEMENT_APPEAL) /* has a day alone */
		floor_s -= floor_s % LD_DAY_S;
	if (s->time_s < floor_s)
		return LD_REFUSAL_BACKDATED;
	return s->time_s < party->until_s ? LD_REFUSAL_NONE : LD_REFUSAL_EXPIRED_KEY;
}

static enum ld_refusal
check_signature(const struct ld_quorum *q, const struct ld_note *note, struct ld_checked *c)
{
	const struct ld_verifier *key;
	const struct ld_party *party;
	uint64_t signers;

	c->party = ld_party_find(q, c->statement.party);
	if (c->party == LD_NONE)
		return LD_REFUSAL_UNKNOWN_PARTY;
	party = q->parties.at[c->party];
	if (!party->has_key)
		return LD_REFUSAL_REVOKED_PARTY;
	key = &party->key;
	if (ld_note_verify(note, &key, 1, &signers, NULL, &c->report) != LINDUNG_OK)
		return LD_REFUSAL_SIGNATURE;
	if (ld_said_find(q, c->id) != LD_NONE)
		return LD_REFUSAL_REPEATED;
	return check_time(party, &c->statement);
}

/* ---- What it speaks of ----------------------------------------------------------------------- */

static bool
is_claim(uint8_t action)
{
	return action == LD_STATEMENT_LIST || action == LD_STATEMENT_ALLOW;
}

static bool
may_speak_of(enum ld_statement_action action, uint8_t of)
{
	bool is_objection = of == LD_STATEMENT_DISPUTE || of == LD_STATEMENT_APPEAL;

	if (action == LD_STATEMENT_DECIDE)
		return is_objection;
	if (action == LD_STATEMENT_WITHDRAW)
		return is_claim(of) || is_objection || of == LD_STATEMENT_ENDORSE;
	return is_claim(of); /* endorse, dispute, appeal */
}

static bool
is_operator(const struct ld_policy *policy, const struct ld_party *party)
{
	for (uint32_t i = 0; i < policy->operator_count; i++)
		if ((int32_t)policy->operators[i] == party->voter.named)
			return true;
	return false;
}

static enum ld_refusal
check_target(const struct ld_quorum *q, struct ld_checked *c)
{
	const struct ld_statement *s = &c->statement;
	const struct ld_said *target, *base;

	c->target = ld_said_find(q, s->target);
	if (c->target == LD_NONE)
		return LD_REFUSAL_UNKNOWN_TARGET;
	target = ld_said_at(q, c->target);
	if (!may_speak_of(s->action, target->action) || target->refusal != LD_REFUSAL_NONE)
		return LD_REFUSAL_WRONG_TARGET;
	c->base = target->base;
	c->category = target->category;
	base = ld_said_at(q, c->base);
	if (s->action == LD_STATEMENT_WITHDRAW && target->party != c->party)
		return LD_REFUSAL_NOT_OWN;
	if (s->action == LD_STATEMENT_APPEAL && !is_operator(q->policy, q->parties.at[c->party]))
		return LD_REFUSAL_NOT_OPERATOR;
	if (s->action == LD_STATEMENT_DECIDE &&
	    (s->upholds ? target->party : base->party) == c->party)
		return LD_REFUSAL_OWN_FAVOUR;
	if (s->entries != LD_ENTRIES_NONE &&
	    (s->entries == LD_ENTRIES_SEALED) != (base->entries == LD_ENTRIES_SEALED))
		return LD_REFUSAL_OTHER_SEAL;
	return LD_REFUSAL_NONE;
}

static enum ld_refusal
limit_fail(struct ld_checked *c, const char *what)
{
	ld_fail(&c->report, LINDUNG_ELIMIT, "%s", what);
	return LD_REFUSAL_LIMIT;
}

/* An index holds so many categories: those that the policy names always have their place. */
static uint32_t
others_max(const struct ld_policy *policy)
{
	uint32_t named = 0;

	for (uint32_t i = 0; i < policy->rule_count; i++)
		named += !ld_rule_is_of_others(&policy->rules[i]);
	return LINDUNG_CATEGORY_MAX - named;
}

static enum ld_refusal
check_claim(const struct ld_quorum *q, struct ld_checked *c)
{
	const struct ld_statement *s = &c->statement;
	const struct ld_rule *rule = ld_policy_rule(q->policy, s->category);

	if (rule == NULL)
		return LD_REFUSAL_NO_RULE;
	c->category = ld_category_find(q, s->category);
	if (c->category == LD_NONE && ld_rule_is_of_others(rule) &&
	    q->other_categories >= others_max(q->policy))
		return limit_fail(c, "more categories than an index holds");
	if (s->entries == LD_ENTRIES_SEALED)
		return rule->sealed != LD_SEALED_REFUSED ? LD_REFUSAL_NONE : LD_REFUSAL_SEALED;
	return rule->sealed != LD_SEALED_REQUIRED ? LD_REFUSAL_NONE : LD_REFUSAL_CLEAR;
}

/* ---- Floods ---------------------------------------------------------------------------------- */

static uint32_t
plus(uint32_t a, uint32_t b)
{
	return a < UINT32_MAX - b ? a + b : UINT32_MAX;
}

/* A withdraw is never too much, nor what the operator hands on. */
static enum ld_refusal
check_flood(const struct ld_quorum *q, struct ld_checked *c)
{
	const struct ld_statement *s = &c->statement;
	const struct ld_flood *most = &q->policy->flood;
	const struct ld_party *party = q->parties.at[c->party];
	struct ld_flood spoken = {0};

	if (s->action == LD_STATEMENT_WITHDRAW || s->action == LD_STATEMENT_APPEAL)
		return LD_REFUSAL_NONE;
	if (party->day == s->time_s / LD_DAY_S)
		spoken = party->spoken;
	if (most->statements != 0 && spoken.statements >= most->statements)
		return LD_REFUSAL_FLOOD;
	if (is_claim((uint8_t)s->action)) {
		c->listed = s->entry_count;
		c->floods = most->listed != 0 && plus(spoken.listed, c->listed) > most->listed;
	} else if (s->action == LD_STATEMENT_DISPUTE) {
		c->disputed = s->entries != LD_ENTRIES_NONE ? s->entry_count
							    : ld_said_at(q, c->base)->entry_count;
		c->floods =
			most->disputed != 0 && plus(spoken.disputed, c->disputed) > most->disputed;
	}
	return LD_REFUSAL_NONE;
}

/* ---- Limits ---------------------------------------------------------------------------------- */

/* What is void does not count: who was robbed of a key must be able to say it with the next. */
static bool
is_said_often(const struct ld_quorum *q, const struct ld_checked *c)
{
	unsigned alike = 0;

	for (uint32_t at = ld_said_at(q, c->target)->speakers;
	     at != LD_NONE && alike < LD_QUORUM_ALIKE_MAX; at = ld_said_at(q, at)->next_speaker) {
		const struct ld_said *said = ld_said_at(q, at);

		alike += said->party == c->party && said->action == (uint8_t)c->statement.action &&
			 (said->flags & LD_SAID_VOID) == 0;
	}
	return alike == LD_QUORUM_ALIKE_MAX;
}

/* What goes past a limit means nothing, and stops nobody else.  Counted is what statements say that
 * they have, so that it does not depend on the keys held, nor on the blocks that are there. */
static enum ld_refusal
check_limits(const struct ld_quorum *q, struct ld_checked *c)
{
	const struct ld_statement *s = &c->statement;
	const struct ld_party *party = q->parties.at[c->party];

	if (party->statements >= LD_QUORUM_PARTY_STATEMENTS_MAX)
		return limit_fail(c, "its party has made too many statements with this key");
	if (s->entry_count > LD_QUORUM_PARTY_ENTRIES_MAX - party->entries)
		return limit_fail(c, "its party has named too many entries with this key");
	if (s->entry_count > LD_QUORUM_ENTRIES_MAX - q->entry_count)
		return limit_fail(c, "all together have named too many entries");
	if (c->target != LD_NONE && s->entries == LD_ENTRIES_NONE && is_said_often(q, c))
		return limit_fail(c, "its party has said this of that statement too often");
	return LD_REFUSAL_NONE;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static enum ld_refusal
check_party(const struct ld_quorum *q, const struct ld_note *note, struct ld_checked *c)
{
	enum ld_refusal refusal = check_signature(q, note, c);

	if (refusal == LD_REFUSAL_NONE && is_claim((uint8_t)c->statement.action))
		refusal = check_claim(q, c);
	else if (refusal == LD_REFUSAL_NONE && c->statement.action != LD_STATEMENT_RELEASE)
		refusal = check_target(q, c);
	if (refusal == LD_REFUSAL_NONE)
		refusal = check_flood(q, c);
	return refusal == LD_REFUSAL_NONE ? check_limits(q, c) : refusal;
}

void
ld_check(const struct ld_quorum *q, struct ld_span bytes, struct ld_checked *ret)
{
	struct ld_statement *s = &ret->statement;
	struct ld_note note;

	*ret = (struct ld_checked){.party = LD_NONE,
				   .target = LD_NONE,
				   .base = LD_NONE,
				   .category = LD_NONE,
				   .refusal = LD_REFUSAL_SYNTAX};
	if (ld_note_parse(&note, bytes, &ret->report) != LINDUNG_OK ||
	    ld_statement_parse(s, note.text, &ret->report) != LINDUNG_OK)
		return;
	ld_statement_id(ret->id, note.text);
	bool is_root =
		s->action == LD_STATEMENT_PARTY_ADD || s->action == LD_STATEMENT_PARTY_REVOKE;
	if (is_root != ld_span_equal(s->party, LD_SPAN("root"))) {
		ld_fail(&ret->report, LINDUNG_ESYNTAX,
			"root says party-add and party-revoke, and nobody else does");
		return;
	}
	if (!ld_span_equal(s->log, ld_policy_origin(q->policy)))
		ret->refusal = LD_REFUSAL_OTHER_LOG;
	else
		ret->refusal = is_root ? check_root(q, &note, ret) : check_party(q, &note, ret);
}
