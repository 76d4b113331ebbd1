/* Groups: who suffices, and what can be shown of two of them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>

#include "quorum/quorum.h"
#include "quorum/rules.h"

enum { MASK_WORDS = (LD_QUORUM_PARTIES_MAX + 63) / 64 };

struct mask {
	uint64_t words[MASK_WORDS];
};

static bool
attribute_fits(const struct ld_member *member, uint8_t kind, const char country[2])
{
	return (member->kind == LD_KIND_ANY || member->kind == kind) &&
	       (member->country[0] == '\0' || memcmp(member->country, country, 2) == 0);
}

/* Of a member that is no group. */
static bool
member_is(const struct ld_member *member, const struct ld_voter *voter)
{
	if (member->type == LD_MEMBER_PARTY)
		return voter->named >= 0 && (uint32_t)voter->named == member->number;
	return member->type == LD_MEMBER_ATTRIBUTE &&
	       attribute_fits(member, voter->kind, voter->country);
}

static bool
is_direct(const struct ld_group *group, const struct ld_voter *voter)
{
	for (uint32_t i = 0; i < group->member_count; i++)
		if (member_is(&group->members[i], voter))
			return true;
	return false;
}

/* Each party that is named in the line itself, or is of a kind or country that is, counts one, and
 * counts no more in the groups of the line: each of these counts one if the others satisfy it.
 * One voter more never makes the count less. */
static uint32_t
count(const struct ld_policy *policy, const struct ld_group *group, const struct ld_voter *voters,
      size_t voter_count, const struct mask *taken)
{
	struct mask mine;
	uint32_t found = 0;

	memcpy(mine.words, taken->words, (voter_count + 63) / 64 * sizeof mine.words[0]);
	for (size_t i = 0; i < voter_count; i++) {
		if ((mine.words[i / 64] >> i % 64 & 1) != 0 || !is_direct(group, &voters[i]))
			continue;
		mine.words[i / 64] |= UINT64_C(1) << i % 64;
		found++;
	}
	for (uint32_t i = 0; i < group->member_count; i++) {
		if (group->members[i].type != LD_MEMBER_GROUP)
			continue;
		const struct ld_group *inner = &policy->groups[group->members[i].number];
		found += count(policy, inner, voters, voter_count, &mine) >= inner->needed;
	}
	return found;
}

uint32_t
ld_group_count(const struct ld_policy *policy, int group, const struct ld_voter *voters,
	       size_t voter_count)
{
	struct mask none;

	LD_ASSERT(voter_count <= LD_QUORUM_PARTIES_MAX);
	memset(none.words, 0, (voter_count + 63) / 64 * sizeof none.words[0]);
	return count(policy, &policy->groups[group], voters, voter_count, &none);
}

bool
ld_group_agrees(const struct ld_policy *policy, int group, const struct ld_voter *voters,
		size_t voter_count)
{
	return ld_group_count(policy, group, voters, voter_count) >= policy->groups[group].needed;
}

bool
ld_group_has(const struct ld_policy *policy, int group, const struct ld_voter *voter)
{
	const struct ld_group *g = &policy->groups[group];

	if (is_direct(g, voter))
		return true;
	for (uint32_t i = 0; i < g->member_count; i++)
		if (g->members[i].type == LD_MEMBER_GROUP &&
		    ld_group_has(policy, (int)g->members[i].number, voter))
			return true;
	return false;
}

bool
ld_group_witnesses(const struct ld_policy *policy, int group, uint64_t witnesses)
{
	const struct ld_group *g = &policy->groups[group];
	uint32_t found = 0;

	for (uint32_t i = 0; i < g->member_count; i++) {
		const struct ld_member *m = &g->members[i];

		found += m->type == LD_MEMBER_GROUP
				 ? ld_group_witnesses(policy, (int)m->number, witnesses)
				 : (witnesses >> m->number & 1) != 0;
	}
	return found >= g->needed;
}

/* ---- For people ------------------------------------------------------------------------------ */

void
ld_member_text(const struct ld_policy *policy, const struct ld_member *member,
	       struct ld_buffer *ret)
{
	switch (member->type) {
	case LD_MEMBER_PARTY:
		ld_buffer_printf(ret, "%s", policy->parties[member->number]);
		break;
	case LD_MEMBER_WITNESS:
		ld_buffer_printf(ret, "%s", policy->witness_names[member->number]);
		break;
	case LD_MEMBER_GROUP:
		ld_group_text(policy, (int)member->number, ret);
		break;
	default:
		if (member->kind == LD_KIND_ANY)
			ld_buffer_printf(ret, "country:");
		else
			ld_buffer_printf(ret, "kind:%s", ld_party_kind_key(member->kind));
		if (member->kind != LD_KIND_ANY && member->country[0] != '\0')
			ld_buffer_printf(ret, "/");
		if (memcmp(member->country, LD_COUNTRY_INT, 2) == 0)
			ld_buffer_printf(ret, "INT");
		else
			ld_buffer_printf(ret, "%.2s", member->country);
	}
}

void
ld_group_text(const struct ld_policy *policy, int group, struct ld_buffer *ret)
{
	const struct ld_group *g = &policy->groups[group];

	if (g->name != NULL) {
		ld_buffer_printf(ret, "%s", g->name);
		return;
	}
	for (uint32_t i = 0; i < g->member_count; i++)
		ld_member_text(policy, &g->members[i], ret);
}

/* ---- Meaning --------------------------------------------------------------------------------- */

struct member_texts {
	char *text[LD_POLICY_MEMBERS_MAX];
};

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
member_meaning(const struct ld_policy *policy, const struct ld_member *member)
{
	struct ld_buffer text;

	ld_buffer_init(&text, 4096);
	if (member->type == LD_MEMBER_GROUP) {
		const struct ld_hash *meaning = &policy->groups[member->number].meaning;

		ld_buffer_printf(&text, "group:");
		for (size_t i = 0; i < sizeof meaning->bytes; i++)
			ld_buffer_printf(&text, "%02x", meaning->bytes[i]);
	} else if (member->type == LD_MEMBER_WITNESS) {
		char key[LD_KEY_TEXT_MAX];

		ld_verifier_format(&policy->witnesses[member->number], key);
		ld_buffer_printf(&text, "witness:%s", key);
	} else {
		if (member->type == LD_MEMBER_PARTY)
			ld_buffer_printf(&text, "party:");
		ld_member_text(policy, member, &text);
	}
	ld_buffer_bytes(&text, LD_SPAN("\0"));
	if (text.failed) {
		ld_buffer_free(&text);
		return NULL;
	}
	return (char *)text.data;
}

static int
meaning_make(struct ld_policy *policy, struct ld_group *group)
{
	struct ld_buffer text;
	struct member_texts members = {0};
	bool failed = false;

	if (group->member_count == 1 && group->members[0].type == LD_MEMBER_GROUP) {
		group->meaning = policy->groups[group->members[0].number].meaning;
		return LINDUNG_OK;
	}
	ld_buffer_init(&text, 1024 * 1024);
	ld_buffer_printf(&text, "%" PRIu32 "\n", group->needed);
	for (uint32_t i = 0; i < group->member_count; i++) {
		members.text[i] = member_meaning(policy, &group->members[i]);
		failed |= members.text[i] == NULL;
	}
	if (!failed)
		qsort(members.text, group->member_count, sizeof members.text[0], text_order);
	for (uint32_t i = 0; i < group->member_count && !failed; i++)
		ld_buffer_printf(&text, "%s\n", members.text[i]);
	failed |= text.failed;
	if (!failed)
		ld_hash_of(&group->meaning, ld_buffer_span(&text));
	for (uint32_t i = 0; i < group->member_count; i++)
		free(members.text[i]);
	ld_buffer_free(&text);
	return failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

int
ld_group_finish(struct ld_policy *policy, struct ld_group *group, struct ld_report *report)
{
	group->depth = 1;
	group->cost = group->member_count;
	for (uint32_t i = 0; i < group->member_count; i++) {
		if (group->members[i].type != LD_MEMBER_GROUP)
			continue;
		const struct ld_group *inner = &policy->groups[group->members[i].number];
		if (inner->depth >= group->depth)
			group->depth = inner->depth + 1;
		group->cost += inner->cost;
	}
	if (group->depth > LD_POLICY_DEPTH_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "groups in groups, more than %d deep",
			       (int)LD_POLICY_DEPTH_MAX);
	if (group->cost > LD_POLICY_COST_MAX)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "more than %d members with those of the groups in it",
			       (int)LD_POLICY_COST_MAX);
	if (meaning_make(policy, group) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	return LINDUNG_OK;
}

/* ---- What can be shown ----------------------------------------------------------------------- */

/* Whoever `member` is, `other` is too. */
static bool
member_within(const struct ld_policy *policy, const struct ld_member *member,
	      const struct ld_member *other)
{
	if (member->type != other->type)
		return false;
	if (member->type == LD_MEMBER_ATTRIBUTE)
		return (other->kind == LD_KIND_ANY || other->kind == member->kind) &&
		       (other->country[0] == '\0' ||
			memcmp(other->country, member->country, 2) == 0);
	if (member->type == LD_MEMBER_GROUP)
		return memcmp(&policy->groups[member->number].meaning,
			      &policy->groups[other->number].meaning, sizeof(struct ld_hash)) == 0;
	return member->number == other->number;
}

static uint32_t
groups_in(const struct ld_group *group)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < group->member_count; i++)
		found += group->members[i].type == LD_MEMBER_GROUP;
	return found;
}

/* Both have no groups in them, and every member of one is a member of the other, which needs no
 * more of them. */
static bool
is_narrower(const struct ld_policy *policy, const struct ld_group *g, const struct ld_group *o)
{
	if (groups_in(g) != 0 || groups_in(o) != 0 || g->needed < o->needed)
		return false;
	for (uint32_t i = 0; i < g->member_count; i++) {
		bool found = false;

		for (uint32_t j = 0; j < o->member_count && !found; j++)
			found = member_within(policy, &g->members[i], &o->members[j]);
		if (!found)
			return false;
	}
	return true;
}

/* How many members of a group are the same as this one: groups can have two names. */
static uint32_t
same_as(const struct ld_policy *policy, const struct ld_group *g, const struct ld_member *member)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < g->member_count; i++)
		found += member_within(policy, &g->members[i], member) &&
			 member_within(policy, member, &g->members[i]);
	return found;
}

/* The same members, each as often, and as many of them needed at least. */
static bool
is_harder(const struct ld_policy *policy, const struct ld_group *g, const struct ld_group *o)
{
	if (g->member_count != o->member_count || g->needed < o->needed)
		return false;
	for (uint32_t i = 0; i < g->member_count; i++)
		if (same_as(policy, g, &g->members[i]) != same_as(policy, o, &g->members[i]))
			return false;
	return true;
}

/* Parties, or witnesses, that are members of both. */
static uint32_t
shared(const struct ld_group *g, const struct ld_group *o)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < g->member_count; i++)
		for (uint32_t j = 0; j < o->member_count; j++)
			found += (g->members[i].type == LD_MEMBER_PARTY ||
				  g->members[i].type == LD_MEMBER_WITNESS) &&
				 g->members[i].type == o->members[j].type &&
				 g->members[i].number == o->members[j].number;
	return found;
}

/* Steps that are left: what cannot be shown in so many is not shown. */
enum { STEPS_MAX = 20000 };

static bool
implies(const struct ld_policy *policy, int group, int other, unsigned *steps)
{
	const struct ld_group *g = &policy->groups[group], *o = &policy->groups[other];

	if (*steps == 0)
		return false;
	--*steps;
	if (memcmp(&g->meaning, &o->meaning, sizeof g->meaning) == 0)
		return true;
	if (is_harder(policy, g, o) || is_narrower(policy, g, o))
		return true;
	/* All of its members are needed, and one of them shows it.  (Attributes count more than
	 * once, so that with one of them not all members are needed.) */
	bool needs_all = g->needed >= g->member_count;
	for (uint32_t i = 0; i < g->member_count; i++)
		needs_all &= g->members[i].type != LD_MEMBER_ATTRIBUTE;
	for (uint32_t i = 0; i < g->member_count && needs_all; i++)
		if (g->members[i].type == LD_MEMBER_GROUP &&
		    implies(policy, (int)g->members[i].number, other, steps))
			return true;
	if (needs_all && shared(g, o) >= o->needed)
		return true;
	/* One member of the other suffices, and is shown. */
	for (uint32_t i = 0; i < o->member_count && o->needed == 1; i++)
		if (o->members[i].type == LD_MEMBER_GROUP &&
		    implies(policy, group, (int)o->members[i].number, steps))
			return true;
	/* The other is made of groups alone, and each is shown. */
	if (groups_in(o) != o->member_count)
		return false;
	for (uint32_t i = 0; i < o->member_count; i++)
		if (!implies(policy, group, (int)o->members[i].number, steps))
			return false;
	return true;
}

bool
ld_group_implies(const struct ld_policy *policy, int group, int other)
{
	unsigned steps = STEPS_MAX;

	return implies(policy, group, other, &steps);
}
