/* Telling what a quorum holds.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "quorum/story.h"

#include <inttypes.h>
#include <stdlib.h>

#include "name/name.h"
#include "quorum/state.h"

enum { GROUP_DEPTH = 2 }; /* so deep the members of a group are told */

const char *
ld_standing_key(enum ld_standing standing)
{
	static const char *const keys[] = {
#define LD_X(symbol, key, what) key,
		LD_STANDINGS(LD_X)
#undef LD_X
	};

	return keys[standing];
}

const char *
ld_standing_text(enum ld_standing standing)
{
	static const char *const texts[] = {
#define LD_X(symbol, key, what) what,
		LD_STANDINGS(LD_X)
#undef LD_X
	};

	return texts[standing];
}

static bool
is_objection(const struct ld_said *said)
{
	return said->action == LD_STATEMENT_DISPUTE || said->action == LD_STATEMENT_APPEAL;
}

static bool
is_support(const struct ld_said *said)
{
	return said->action == LD_STATEMENT_LIST || said->action == LD_STATEMENT_ALLOW ||
	       said->action == LD_STATEMENT_ENDORSE;
}

/* ---- How it stands --------------------------------------------------------------------------- */

static bool
may_suspend(const struct ld_quorum *q, const struct ld_said *said, const struct ld_rule *rule)
{
	return said->action == LD_STATEMENT_APPEAL ||
	       (rule->suspend_count != 0 &&
		ld_group_has(q->policy, rule->suspend, &q->parties.at[said->party]->voter));
}

static int64_t
overdue_s(const struct ld_quorum *q, const struct ld_said *said)
{
	const struct ld_rule *rule = q->categories.at[said->category].rule;

	return rule->clock_s != 0 && may_suspend(q, said, rule) ? said->time_s + rule->clock_s
								: INT64_MAX;
}

static enum ld_standing
objection_standing(const struct ld_quorum *q, const struct ld_said *said)
{
	const struct ld_rule *rule = q->categories.at[said->category].rule;

	if (said->decided != LD_UNDECIDED)
		return said->decided == LD_UPHELD ? LD_STANDING_UPHELD : LD_STANDING_REJECTED;
	if (ld_said_is_taken_back(q, said))
		return LD_STANDING_WITHDRAWN;
	if ((ld_said_at(q, said->base)->flags & LD_SAID_VOID) != 0)
		return LD_STANDING_VOID_BASE;
	if (!ld_party_is_valid(q->parties.at[said->party], q->now_s))
		return LD_STANDING_PARTY;
	if (overdue_s(q, said) <= q->now_s)
		return LD_STANDING_OVERDUE;
	return may_suspend(q, said, rule) ? LD_STANDING_PENDING : LD_STANDING_SHOWN;
}

static enum ld_standing
support_standing(const struct ld_quorum *q, const struct ld_said *said)
{
	if (ld_said_is_taken_back(q, said))
		return LD_STANDING_WITHDRAWN;
	if (q->now_s >= said->until_s)
		return LD_STANDING_EXPIRED;
	if ((ld_said_at(q, said->base)->flags & LD_SAID_VOID) != 0)
		return LD_STANDING_VOID_BASE;
	if (!ld_party_is_valid(q->parties.at[said->party], q->now_s))
		return LD_STANDING_PARTY;
	return LD_STANDING_COUNTS;
}

static enum ld_standing
standing_of(const struct ld_quorum *q, const struct ld_said *said)
{
	if (said->refusal != LD_REFUSAL_NONE)
		return LD_STANDING_REFUSED;
	if ((said->flags & LD_SAID_VOID) != 0)
		return LD_STANDING_VOID;
	if (said->time_s > q->now_s)
		return LD_STANDING_FUTURE;
	if ((said->flags & LD_SAID_WAITS) != 0)
		return LD_STANDING_WAITING;
	if ((said->flags & LD_SAID_BROKEN) != 0)
		return LD_STANDING_BROKEN;
	if ((said->flags & LD_SAID_CLOSED) != 0)
		return LD_STANDING_CLOSED;
	if (is_objection(said))
		return objection_standing(q, said);
	return is_support(said) ? support_standing(q, said) : LD_STANDING_DONE;
}

static void
said_tell(const struct ld_quorum *q, uint32_t number, struct ld_story_said *ret)
{
	const struct ld_said *said = ld_said_at(q, number);
	bool is_root =
		said->action == LD_STATEMENT_PARTY_ADD || said->action == LD_STATEMENT_PARTY_REVOKE;

	*ret = (struct ld_story_said){
		.index = number,
		.id = said->id,
		.action = said->action,
		.refusal = (enum ld_refusal)said->refusal,
		.standing = standing_of(q, said),
		.time_s = said->time_s,
		.until_s = said->until_s,
		.is_sealed = said->entries == LD_ENTRIES_SEALED,
		.upholds = (said->flags & LD_SAID_UPHOLDS) != 0,
		.entry_count = said->entry_count,
		.overdue_s = INT64_MAX,
	};
	if (is_root)
		ret->party = LD_SPAN("root");
	else if (said->party != LD_NONE)
		ret->party = ld_span_str(q->parties.at[said->party]->id);
	if (said->base == LD_NONE)
		return;
	ret->category = ld_span_str(q->categories.at[said->category].key);
	ret->base = said->base;
	ret->has_target = said->target != LD_NONE;
	ret->target = ret->has_target ? said->target : 0;
	if (said->decided != LD_UNDECIDED)
		ret->decided_at = said->decided_at;
	if (is_objection(said))
		ret->overdue_s = overdue_s(q, said);
}

int
ld_story_statement(const struct ld_quorum *q, uint64_t index, struct ld_story_said *ret)
{
	if (index >= q->said.count)
		return LINDUNG_ENOTFOUND;
	said_tell(q, (uint32_t)index, ret);
	return LINDUNG_OK;
}

int
ld_story_statements(const struct ld_quorum *q, uint64_t index, ld_story_said_each *each, void *ctx)
{
	int err = LINDUNG_OK;

	for (; index < q->said.count && err == LINDUNG_OK; index++) {
		struct ld_story_said said;

		said_tell(q, (uint32_t)index, &said);
		err = each(ctx, &said);
	}
	return err;
}

void
ld_story_effect(const struct ld_quorum *q, uint64_t index, uint64_t *ret_in_effect,
		uint64_t *ret_entries)
{
	const struct ld_said *said = index < q->said.count ? ld_said_at(q, (uint32_t)index) : NULL;
	uint64_t in_effect = 0, entries = 0;

	while (said != NULL && (said->flags & LD_SAID_WHOLE) != 0)
		said = ld_said_at(q, said->target);
	for (uint32_t i = 0; said != NULL && i < said->record_count; i++, entries++)
		in_effect += q->cells.at[q->records.at[said->first_record + i].cell].effect != 0;
	*ret_in_effect = in_effect;
	*ret_entries = entries;
}

static int
digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
id_begins(const uint8_t *id, struct ld_span prefix)
{
	for (size_t i = 0; i < prefix.len; i++)
		if ((id[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15) != digit(prefix.data[i]))
			return false;
	return true;
}

int
ld_story_find(const struct ld_quorum *q, struct ld_span prefix, uint64_t *ret_index,
	      struct ld_report *report)
{
	uint64_t found = UINT64_MAX;

	if (prefix.len < 8 || prefix.len > LD_STATEMENT_ID_TEXT)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "the id of a statement: at least 8 of its 64 hex digits");
	for (size_t i = 0; i < prefix.len; i++)
		if (digit(prefix.data[i]) < 0)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "the id of a statement is of the digits 0-9 and a-f");
	for (size_t i = 0; i < q->said.count; i++) {
		const struct ld_said *said = &q->said.at[i];

		if (said->refusal != LD_REFUSAL_NONE || !id_begins(said->id, prefix))
			continue;
		if (found != UINT64_MAX)
			return ld_fail(report, LINDUNG_EEXISTS,
				       "several statements begin so: write more digits of the id");
		found = i;
	}
	if (found == UINT64_MAX)
		return ld_fail(report, LINDUNG_ENOTFOUND, "no statement of the log begins so");
	*ret_index = found;
	return LINDUNG_OK;
}

/* ---- Parties --------------------------------------------------------------------------------- */

int
ld_story_parties(const struct ld_quorum *q,
		 int (*each)(void *ctx, const struct ld_story_party *party), void *ctx)
{
	int err = LINDUNG_OK;

	for (size_t i = 0; i < q->parties.count && err == LINDUNG_OK; i++) {
		const struct ld_party *party = q->parties.at[i];
		struct ld_story_party told = {
			.id = ld_span_str(party->id),
			.name = ld_span_str(party->name),
			.kind = (enum ld_party_kind)party->voter.kind,
			.is_valid = ld_party_is_valid(party, q->now_s),
			.is_revoked = !party->has_key,
			.key = &party->key,
			.since_s = party->since_s,
			.until_s = party->until_s,
			.added = party->added,
		};

		if (memcmp(party->voter.country, LD_COUNTRY_INT, 2) == 0)
			memcpy(told.country, "INT", 3);
		else
			memcpy(told.country, party->voter.country, 2);
		err = each(ctx, &told);
	}
	return err;
}

/* ---- Why: one entry -------------------------------------------------------------------------- */

/* As ld_judge() has it, for one entry. */
static enum ld_standing
standing_here(const struct ld_quorum *q, uint32_t number, const struct ld_side sides[2])
{
	const struct ld_said *said = ld_said_at(q, number);
	enum ld_standing standing = standing_of(q, said);
	const struct ld_side *side =
		&sides[ld_said_at(q, said->base)->action == LD_STATEMENT_ALLOW];
	bool is_live = standing == LD_STANDING_COUNTS || standing == LD_STANDING_PENDING ||
		       standing == LD_STANDING_SHOWN || standing == LD_STANDING_OVERDUE;

	if (!is_live)
		return standing;
	if (said->taken_back == q->look)
		return LD_STANDING_WITHDRAWN;
	if (number <= side->barrier)
		return LD_STANDING_ENDED;
	if (is_support(said) && (said->flags & LD_SAID_FLOODS) != 0 && said->seconded != q->look)
		return LD_STANDING_HELD_BACK;
	return standing;
}

static void
side_tell(const struct ld_quorum *q, const struct ld_rule *rule, const struct ld_side *side,
	  bool needs_popular, struct ld_story_side *ret)
{
	*ret = (struct ld_story_side){
		.is_spoken_of = side->is_heard,
		.agrees = side->agrees,
		.agree_has = side->agree_has,
		.agree_needs = q->policy->groups[rule->agree].needed,
		.needs_popular = needs_popular && rule->popular != LD_RULE_NONE,
		.popular_agrees = side->popular_agrees,
		.is_suspended = side->is_suspended,
		.disputes = side->disputes,
		.disputes_need = rule->suspend_count,
		.was_ended = side->barrier != 0,
		.ended_at = side->barrier,
	};
}

/* "2 of ngo.example, field (2 of kind:ngo, kind:school)": what names mean is said, two deep. */
static void
members_say(const struct ld_policy *policy, struct ld_buffer *text, const struct ld_group *g,
	    unsigned depth)
{
	if (g->needed == 1)
		ld_buffer_printf(text, "any of");
	else
		ld_buffer_printf(text, "%" PRIu32 " of", g->needed);
	for (uint32_t i = 0; i < g->member_count; i++) {
		const struct ld_member *member = &g->members[i];

		ld_buffer_printf(text, i == 0 ? " " : ", ");
		ld_member_text(policy, member, text);
		if (member->type == LD_MEMBER_GROUP && depth < GROUP_DEPTH) {
			ld_buffer_printf(text, " (");
			members_say(policy, text, &policy->groups[member->number], depth + 1);
			ld_buffer_printf(text, ")");
		}
	}
}

static void
group_say(const struct ld_policy *policy, struct ld_buffer *text, const char *key, int group)
{
	const struct ld_group *g = &policy->groups[group];

	ld_buffer_printf(text, "%s: ", key);
	members_say(policy, text, g, 1);
	ld_buffer_printf(text, "\n");
}

/* What would have to happen for this side to come into effect, or to leave it. */
static void
takes_say(const struct ld_quorum *q, const struct ld_rule *rule, const struct ld_story_side *side,
	  bool is_in_effect, struct ld_buffer *text)
{
	if (!is_in_effect && !side->agrees) {
		ld_buffer_printf(text, "so far %" PRIu32 " of %" PRIu32 " agree; ", side->agree_has,
				 side->agree_needs);
		group_say(q->policy, text, "it takes", rule->agree);
	}
	if (!is_in_effect && side->needs_popular && !side->popular_agrees)
		group_say(q->policy, text, "a well-known name needs as well", rule->popular);
	if (side->is_suspended) {
		if (rule->uphold != LD_RULE_NONE)
			group_say(q->policy, text, "the dispute is decided by", rule->uphold);
		else
			ld_buffer_printf(text, "nobody can decide the dispute: it stays out\n");
	}
	if (!is_in_effect)
		return;
	if (rule->suspend_count > 0) {
		ld_buffer_printf(text, "%" PRIu32 " of %" PRIu32 " disputes; ", side->disputes,
				 rule->suspend_count);
		group_say(q->policy, text, "suspended by disputes of members of", rule->suspend);
	}
	if (rule->uphold != LD_RULE_NONE)
		group_say(q->policy, text, "ended by a dispute or appeal that is upheld by",
			  rule->uphold);
}

static int64_t
ends_s(const struct ld_quorum *q, const struct ld_effect *effect)
{
	int64_t soonest = INT64_MAX;

	for (unsigned i = 0; i < effect->count; i++) {
		const struct ld_said *said = ld_said_at(q, effect->sources[i]);
		int64_t party_s = q->parties.at[said->party]->until_s;

		if (said->until_s < soonest)
			soonest = said->until_s;
		if (party_s < soonest)
			soonest = party_s;
	}
	return soonest;
}

/* What ld_judge() heard, and the withdraws, oldest first. */
static int speakers_tell(struct ld_quorum *q, uint32_t cell, const struct ld_side sides[2],
			 const struct ld_story_teller *teller);

struct telling {
	struct ld_quorum *q;
	const struct ld_story_teller *teller;
	struct ld_side sides[2];
	struct ld_story_entry *entry;
	uint32_t cell;
};

static int
entry_tell(void *ctx, const struct ld_effective *effective)
{
	struct telling *t = ctx;
	int err;

	t->entry->effective = *effective;
	err = t->teller->entry(t->teller->ctx, t->entry);
	return err != LINDUNG_OK ? err : speakers_tell(t->q, t->cell, t->sides, t->teller);
}

static int
cell_why(struct ld_quorum *q, uint32_t number, const struct ld_story_teller *teller)
{
	const struct ld_rule *rule = q->categories.at[q->cells.at[number].category].rule;
	bool is_popular = (q->cells.at[number].flags & LD_CELL_POPULAR) != 0;
	struct ld_story_entry entry = {0};
	struct telling t = {.q = q, .teller = teller, .entry = &entry, .cell = number};
	struct ld_effect effect;
	struct ld_buffer text;
	int err = ld_judge(q, number, t.sides, &effect);

	if (err != LINDUNG_OK)
		return err;
	side_tell(q, rule, &t.sides[0], is_popular, &entry.listed);
	side_tell(q, rule, &t.sides[1], false, &entry.allowed);
	entry.ends_s = ends_s(q, &effect);
	ld_buffer_init(&text, 256 * 1024);
	bool is_allowed = effect.count != 0 && effect.action == LD_ACTION_ALLOW;
	if (entry.allowed.is_spoken_of)
		takes_say(q, rule, &entry.allowed, is_allowed, &text);
	if (entry.listed.is_spoken_of)
		takes_say(q, rule, &entry.listed, effect.count != 0 && !is_allowed, &text);
	entry.takes = ld_buffer_span(&text);
	err = text.failed ? LINDUNG_ENOMEM
			  : ld_cell_tell(q, &q->cells.at[number], &effect, entry_tell, &t);
	ld_buffer_free(&text);
	return err;
}

static int
number_order(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
withdraws_hear(struct ld_quorum *q, uint32_t number)
{
	for (uint32_t at = ld_said_at(q, number)->speakers; at != LD_NONE;
	     at = ld_said_at(q, at)->next_speaker) {
		uint8_t action = ld_said_at(q, at)->action;

		if (action != LD_STATEMENT_WITHDRAW && action != LD_STATEMENT_DECIDE)
			continue;
		if (LD_ROOM(&q->heard, 1) != LINDUNG_OK)
			return LINDUNG_ENOMEM;
		q->heard.at[q->heard.count++] = at;
	}
	return LINDUNG_OK;
}

static int
speakers_tell(struct ld_quorum *q, uint32_t cell, const struct ld_side sides[2],
	      const struct ld_story_teller *teller)
{
	size_t heard = q->heard.count;
	int err = LINDUNG_OK;

	for (size_t i = 0; i < heard && err == LINDUNG_OK; i++)
		err = withdraws_hear(q, q->heard.at[i]);
	for (uint32_t at = q->cells.at[cell].record; at != LD_NONE && err == LINDUNG_OK;
	     at = q->records.at[at].next) {
		if (ld_said_at(q, q->records.at[at].said)->action != LD_STATEMENT_WITHDRAW)
			continue;
		if (LD_ROOM(&q->heard, 1) != LINDUNG_OK)
			return LINDUNG_ENOMEM;
		q->heard.at[q->heard.count++] = q->records.at[at].said;
	}
	if (err == LINDUNG_OK && q->heard.count > 0)
		qsort(q->heard.at, q->heard.count, sizeof *q->heard.at, number_order);
	for (size_t i = 0; i < q->heard.count && err == LINDUNG_OK; i++) {
		struct ld_story_said told;

		said_tell(q, q->heard.at[i], &told);
		told.standing = standing_here(q, q->heard.at[i], sides);
		err = teller->said(teller->ctx, &told);
	}
	return err;
}

/* ---- Why: all that covers a name ------------------------------------------------------------- */

static int
entry_why(struct ld_quorum *q, const struct ld_cell_text *plain, bool with_sealed,
	  const struct ld_story_teller *teller)
{
	uint8_t blind[LD_BLIND_BYTES];
	struct ld_cell_text sealed = {.blind = blind};
	int err = LINDUNG_OK;

	with_sealed &= q->openers != NULL;
	if (with_sealed)
		ld_blind(blind, q->blind_key, plain->scope, plain->key, plain->path);
	for (size_t i = 0; i < q->categories.count && err == LINDUNG_OK; i++) {
		uint32_t cell = ld_cell_find(q, (uint16_t)i, plain);

		if (cell != LD_NONE)
			err = cell_why(q, cell, teller);
		cell = with_sealed ? ld_cell_find(q, (uint16_t)i, &sealed) : LD_NONE;
		if (cell != LD_NONE && err == LINDUNG_OK)
			err = cell_why(q, cell, teller);
	}
	return err;
}

/* An entry's path covers up to a '/', a '?' or the end (formats/list.md). */
static int
paths_why(struct ld_quorum *q, struct ld_span key, struct ld_span path, bool with_sealed,
	  const struct ld_story_teller *teller)
{
	int err = LINDUNG_OK;

	for (size_t len = 1; len <= path.len && err == LINDUNG_OK; len++) {
		struct ld_cell_text text = {
			.scope = LD_SCOPE_URL, .key = key, .path = ld_span_first(path, len)};

		if (len == path.len || path.data[len - 1] == '/' || path.data[len] == '/' ||
		    path.data[len] == '?')
			err = entry_why(q, &text, with_sealed, teller);
	}
	return err;
}

int
ld_story_why(struct ld_quorum *q, struct ld_span host, struct ld_span path, bool with_sealed,
	     const struct ld_story_teller *teller)
{
	uint8_t key[LD_HOST_MAX];
	int err = LINDUNG_OK;

	if (host.len > LD_HOST_MAX)
		return LINDUNG_ENAME;
	size_t len = ld_host_to_key(key, host);
	for (size_t end = len; end > 0 && err == LINDUNG_OK;) {
		static const uint8_t scopes[] = {LD_SCOPE_TREE, LD_SCOPE_SELF, LD_SCOPE_BELOW};
		struct ld_cell_text text = {.key = ld_span(key, end)};

		for (size_t i = 0; i < sizeof scopes && err == LINDUNG_OK; i++) {
			text.scope = scopes[i];
			if (text.scope == (end == len ? LD_SCOPE_BELOW : LD_SCOPE_SELF))
				continue;
			err = entry_why(q, &text, with_sealed, teller);
		}
		if (err == LINDUNG_OK && path.len > 0)
			err = paths_why(q, text.key, path, with_sealed, teller);
		do
			end--;
		while (end > 0 && key[end] != LD_KEY_SEPARATOR);
	}
	return err;
}
