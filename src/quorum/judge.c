/* What a cell comes to: whom it rests on, what was objected, whether that suffices.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "quorum/state.h"

/* Marks are numbers of looks.  When these begin again, old marks must not pass for new ones. */
static void
look_next(struct ld_quorum *q)
{
	if (++q->look != 0)
		return;
	for (size_t i = 0; i < q->said.count; i++)
		q->said.at[i].covered = q->said.at[i].taken_back = q->said.at[i].seconded = 0;
	for (size_t i = 0; i < q->parties.count; i++) {
		struct ld_party *party = q->parties.at[i];

		memset(party->counted, 0, sizeof party->counted);
		memset(party->rejected, 0, sizeof party->rejected);
		memset(party->disputes, 0, sizeof party->disputes);
	}
	q->look = 1;
}

static bool
is_claim(const struct ld_said *said)
{
	return said->action == LD_STATEMENT_LIST || said->action == LD_STATEMENT_ALLOW;
}

/* Which side of a cell it speaks of. */
static unsigned
side_of(const struct ld_quorum *q, const struct ld_said *said)
{
	return ld_said_at(q, said->base)->action == LD_STATEMENT_ALLOW;
}

static bool
is_said(const struct ld_quorum *q, const struct ld_said *said)
{
	return said->refusal == LD_REFUSAL_NONE && (said->flags & LD_SAID_VOID) == 0 &&
	       said->time_s <= q->now_s;
}

bool
ld_said_is_taken_back(const struct ld_quorum *q, const struct ld_said *said)
{
	if ((said->flags & LD_SAID_TAKEN_BACK) == 0)
		return false;
	for (uint32_t at = said->speakers; at != LD_NONE; at = ld_said_at(q, at)->next_speaker) {
		const struct ld_said *speaker = ld_said_at(q, at);

		if (speaker->action == LD_STATEMENT_WITHDRAW && is_said(q, speaker))
			return true;
	}
	return false;
}

bool
ld_said_counts(const struct ld_quorum *q, const struct ld_said *said)
{
	return is_said(q, said) && q->now_s < said->until_s &&
	       (ld_said_at(q, said->base)->flags & LD_SAID_VOID) == 0 &&
	       ld_party_is_valid(q->parties.at[said->party], q->now_s) &&
	       !ld_said_is_taken_back(q, said);
}

/* ---- Decisions ------------------------------------------------------------------------------- */

struct vote {
	uint32_t number, party;
	bool upholds;
};

/* The latest word of each party up to vote `last`, where it is what `last` says. */
static size_t
voters_gather(struct ld_quorum *q, const struct vote *votes, size_t last)
{
	size_t count = 0;

	look_next(q);
	for (size_t i = last + 1; i-- > 0;) {
		struct ld_party *party = q->parties.at[votes[i].party];

		if (party->counted[0] == q->look)
			continue;
		party->counted[0] = q->look;
		if (votes[i].upholds == votes[last].upholds)
			q->voters[count++] = party->voter;
	}
	return count;
}

static int
votes_hear(struct ld_quorum *q, const struct ld_said *said)
{
	q->heard.count = 0;
	for (uint32_t at = said->speakers; at != LD_NONE; at = ld_said_at(q, at)->next_speaker) {
		const struct ld_said *speaker = ld_said_at(q, at);

		if (speaker->action != LD_STATEMENT_DECIDE || !is_said(q, speaker))
			continue;
		if (LD_ROOM(&q->heard, 1) != LINDUNG_OK)
			return LINDUNG_ENOMEM;
		q->heard.at[q->heard.count++] = at;
	}
	return LINDUNG_OK;
}

/* The first in the log that makes one side satisfy the group. */
int
ld_decide(struct ld_quorum *q, uint32_t number)
{
	struct ld_said *said = ld_said_at(q, number);
	const struct ld_rule *rule = q->categories.at[said->category].rule;
	struct vote *votes;
	size_t count;

	said->decided = LD_UNDECIDED;
	if (rule->uphold == LD_RULE_NONE)
		return LINDUNG_OK;
	if (votes_hear(q, said) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	count = q->heard.count;
	votes = reallocarray(NULL, count + 1, sizeof *votes);
	if (votes == NULL)
		return LINDUNG_ENOMEM;
	for (size_t i = 0; i < count; i++) { /* heard newest first */
		const struct ld_said *speaker = ld_said_at(q, q->heard.at[count - 1 - i]);

		votes[i] = (struct vote){q->heard.at[count - 1 - i], speaker->party,
					 (speaker->flags & LD_SAID_UPHOLDS) != 0};
	}
	for (size_t i = 0; i < count && said->decided == LD_UNDECIDED; i++) {
		size_t voters = voters_gather(q, votes, i);

		if (!ld_group_agrees(q->policy, rule->uphold, q->voters, voters))
			continue;
		said->decided = votes[i].upholds ? LD_UPHELD : LD_REJECTED;
		said->decided_at = votes[i].number;
	}
	free(votes);
	return LINDUNG_OK;
}

/* ---- What is said of a cell ------------------------------------------------------------------ */

static int
hear(struct ld_quorum *q, uint32_t number)
{
	if (LD_ROOM(&q->heard, 1) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	q->heard.at[q->heard.count++] = number;
	return LINDUNG_OK;
}

static int
speakers_hear(struct ld_quorum *q, uint32_t number)
{
	int err = hear(q, number);

	for (uint32_t at = ld_said_at(q, number)->speakers; at != LD_NONE && err == LINDUNG_OK;
	     at = ld_said_at(q, at)->next_speaker)
		if (ld_said_at(q, at)->action != LD_STATEMENT_WITHDRAW)
			err = hear(q, at);
	return err;
}

/* Every list, allow, endorse, dispute and appeal that speaks of it; those that a part was
 * withdrawn of are marked. */
static int
cell_hear(struct ld_quorum *q, uint32_t cell)
{
	uint32_t at;
	int err = LINDUNG_OK;

	q->heard.count = 0;
	look_next(q);
	for (at = q->cells.at[cell].record; at != LD_NONE; at = q->records.at[at].next) {
		struct ld_said *said = ld_said_at(q, q->records.at[at].said);

		if (is_claim(said))
			said->covered = q->look;
		else if (said->action == LD_STATEMENT_WITHDRAW && is_said(q, said))
			ld_said_at(q, said->target)->taken_back = q->look;
	}
	for (at = q->cells.at[cell].record; at != LD_NONE && err == LINDUNG_OK;
	     at = q->records.at[at].next) {
		uint32_t number = q->records.at[at].said;
		const struct ld_said *said = ld_said_at(q, number);

		if (is_claim(said))
			err = speakers_hear(q, number);
		else if (said->action != LD_STATEMENT_WITHDRAW &&
			 ld_said_at(q, said->target)->covered == q->look)
			err = hear(q, number);
	}
	return err;
}

static bool
counts_here(const struct ld_quorum *q, const struct ld_said *said)
{
	return said->taken_back != q->look && ld_said_counts(q, said);
}

/* ---- Objections ------------------------------------------------------------------------------ */

static bool
is_objection(const struct ld_said *said)
{
	return said->action == LD_STATEMENT_DISPUTE || said->action == LD_STATEMENT_APPEAL;
}

static void
decisions_weigh(struct ld_quorum *q, struct ld_side sides[2])
{
	for (size_t i = 0; i < q->heard.count; i++) {
		const struct ld_said *said = ld_said_at(q, q->heard.at[i]);
		struct ld_side *side = &sides[side_of(q, said)];

		if (is_objection(said) && said->decided == LD_UPHELD &&
		    said->decided_at > side->barrier)
			side->barrier = said->decided_at;
	}
	for (size_t i = 0; i < q->heard.count; i++) {
		const struct ld_said *said = ld_said_at(q, q->heard.at[i]);
		unsigned side = side_of(q, said);

		if (said->action == LD_STATEMENT_DISPUTE && said->decided == LD_REJECTED &&
		    q->heard.at[i] > sides[side].barrier)
			q->parties.at[said->party]->rejected[side] = q->look;
	}
}

static void
objection_weigh(struct ld_quorum *q, const struct ld_rule *rule, const struct ld_said *said,
		struct ld_side *side, unsigned which)
{
	struct ld_party *party = q->parties.at[said->party];
	bool is_dispute = said->action == LD_STATEMENT_DISPUTE;

	if (is_dispute &&
	    (rule->suspend_count == 0 || !ld_group_has(q->policy, rule->suspend, &party->voter)))
		return;
	if (rule->clock_s != 0 && said->time_s + rule->clock_s <= q->now_s)
		side->is_suspended = true;
	/* Who was told no once does not suspend it at once again: the clock runs. */
	if (!is_dispute || (said->flags & LD_SAID_FLOODS) != 0 ||
	    party->rejected[which] == q->look || party->disputes[which] == q->look)
		return;
	party->disputes[which] = q->look;
	side->disputes++;
	if (side->disputes >= rule->suspend_count)
		side->is_suspended = true;
}

static void
objections_weigh(struct ld_quorum *q, const struct ld_rule *rule, struct ld_side sides[2])
{
	decisions_weigh(q, sides);
	for (size_t i = 0; i < q->heard.count; i++) {
		const struct ld_said *said = ld_said_at(q, q->heard.at[i]);
		unsigned which = side_of(q, said);

		if (is_objection(said) && said->decided == LD_UNDECIDED &&
		    q->heard.at[i] > sides[which].barrier && counts_here(q, said))
			objection_weigh(q, rule, said, &sides[which], which);
	}
}

/* ---- Support --------------------------------------------------------------------------------- */

static void
source_add(struct ld_side *side, uint32_t number)
{
	uint32_t at = side->source_count;

	if (at == LD_EFFECTIVE_SOURCES_MAX && side->sources[at - 1] < number)
		return;
	if (at < LD_EFFECTIVE_SOURCES_MAX)
		side->source_count++;
	else
		at--;
	for (; at > 0 && side->sources[at - 1] > number; at--)
		side->sources[at] = side->sources[at - 1];
	side->sources[at] = number;
}

static void
support(struct ld_quorum *q, uint32_t number, struct ld_side *side, unsigned which)
{
	struct ld_party *party = q->parties.at[ld_said_at(q, number)->party];

	source_add(side, number);
	if (party->counted[which] == q->look)
		return;
	party->counted[which] = q->look;
	q->voters[side->voter_count++] = party->voter;
}

/* A statement past what its party may say in a day counts once somebody else endorses it. */
static bool
is_held_back(const struct ld_quorum *q, const struct ld_said *said)
{
	return (said->flags & LD_SAID_FLOODS) != 0 && said->seconded != q->look;
}

static void
side_weigh(struct ld_quorum *q, const struct ld_rule *rule, bool is_popular, struct ld_side *side,
	   unsigned which)
{
	for (size_t i = 0; i < q->heard.count && !side->is_heard; i++)
		side->is_heard = side_of(q, ld_said_at(q, q->heard.at[i])) == which;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < q->heard.count; i++) {
			uint32_t number = q->heard.at[i];
			const struct ld_said *said = ld_said_at(q, number);
			struct ld_said *base = ld_said_at(q, said->base);

			if (is_objection(said) || is_claim(said) != (pass == 1) ||
			    side_of(q, said) != which || number <= side->barrier ||
			    !counts_here(q, said) || is_held_back(q, said))
				continue;
			if (said->party != base->party)
				base->seconded = q->look;
			support(q, number, side, which);
		}
	side->agree_has = ld_group_count(q->policy, rule->agree, q->voters, side->voter_count);
	side->agrees = side->agree_has >= q->policy->groups[rule->agree].needed;
	side->popular_agrees =
		which == 1 || !is_popular || rule->popular == LD_RULE_NONE ||
		ld_group_agrees(q->policy, rule->popular, q->voters, side->voter_count);
}

int
ld_judge(struct ld_quorum *q, uint32_t cell, struct ld_side ret[2], struct ld_effect *effect)
{
	const struct ld_rule *rule = q->categories.at[q->cells.at[cell].category].rule;
	bool is_popular = (q->cells.at[cell].flags & LD_CELL_POPULAR) != 0;
	int err = cell_hear(q, cell);

	if (err != LINDUNG_OK)
		return err;
	memset(ret, 0, 2 * sizeof ret[0]);
	memset(effect, 0, sizeof *effect);
	objections_weigh(q, rule, ret);
	for (unsigned which = 2; which-- > 0;) {
		struct ld_side *side = &ret[which];

		side_weigh(q, rule, is_popular, side, which);
		if (effect->count != 0 || !side->agrees || !side->popular_agrees ||
		    side->is_suspended)
			continue;
		effect->action = which == 1 ? LD_ACTION_ALLOW : LD_ACTION_BLOCK;
		effect->count = (uint8_t)side->source_count;
		memcpy(effect->sources, side->sources, sizeof side->sources);
	}
	return LINDUNG_OK;
}
