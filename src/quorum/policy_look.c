/* A policy as a whole: its hash, what is odd about it, and whether one rule is laxer than another.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "quorum/quorum.h"
#include "quorum/rules.h"

/* ---- Remarks --------------------------------------------------------------------------------- */

int
ld_policy_remark(struct ld_policy *policy, bool is_wrong, const char *format, ...)
{
	struct ld_remark *remark = ld_arena_alloc(&policy->arena, sizeof *remark), **at;
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (remark == NULL)
		return LINDUNG_ENOMEM;
	remark->is_wrong = is_wrong;
	remark->text = (const char *)ld_arena_copy(&policy->arena, ld_span_str(text)).data;
	if (remark->text == NULL)
		return LINDUNG_ENOMEM;
	for (at = &policy->remarks; *at != NULL; at = &(*at)->next)
		;
	*at = remark;
	return LINDUNG_OK;
}

/* ---- Stricter and laxer ---------------------------------------------------------------------- */

static bool
group_same(const struct ld_policy *policy, int a, int b)
{
	if (a == LD_RULE_NONE || b == LD_RULE_NONE)
		return a == b;
	return memcmp(&policy->groups[a].meaning, &policy->groups[b].meaning,
		      sizeof(struct ld_hash)) == 0;
}

/* What of `rule` may be laxer than `before`, or NULL. */
static const char *
laxer(const struct ld_policy *policy, const struct ld_rule *before, const struct ld_rule *rule)
{
	if (!ld_group_implies(policy, rule->agree, before->agree))
		return "agree";
	if (rule->lives_s > before->lives_s)
		return "lives";
	if (before->popular != LD_RULE_NONE &&
	    (rule->popular == LD_RULE_NONE ||
	     !ld_group_implies(policy, rule->popular, before->popular)))
		return "popular";
	if (rule->sealed != before->sealed && before->sealed != LD_SEALED_ALLOWED)
		return "sealed";
	/* Whichever way these change, somebody is worse off: children, or the owner of a site. */
	if (rule->suspend_count != before->suspend_count ||
	    !group_same(policy, rule->suspend, before->suspend))
		return "suspend";
	if (!group_same(policy, rule->uphold, before->uphold))
		return "uphold";
	return rule->clock_s != before->clock_s ? "clock" : NULL;
}

int
ld_rule_follows(struct ld_policy *policy, const struct ld_rule *before, const struct ld_rule *rule,
		const char *where, struct ld_report *report)
{
	const char *what = laxer(policy, before, rule);

	if (what == NULL)
		return rule->laxer == NULL ? LINDUNG_OK
					   : ld_fail(report, LINDUNG_ESYNTAX,
						     "%s: category %s: says \"laxer\" and is not",
						     where, rule->category);
	if (rule->laxer == NULL)
		return ld_fail(report, LINDUNG_EDENIED,
			       "%s: category %s: \"%s\" may be laxer than what is included. If "
			       "that is meant, add a line \"laxer REASON\"",
			       where, rule->category, what);
	return ld_policy_remark(policy, false,
				"%s: category %s: \"%s\" may be laxer than what is included: %s",
				where, rule->category, what, rule->laxer) == LINDUNG_OK
		       ? LINDUNG_OK
		       : ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", where);
}

/* ---- The hash -------------------------------------------------------------------------------- */

static void
hex_print(struct ld_buffer *text, const struct ld_hash *hash)
{
	for (size_t i = 0; i < sizeof hash->bytes; i++)
		ld_buffer_printf(text, "%02x", hash->bytes[i]);
}

static void
group_print(const struct ld_policy *policy, struct ld_buffer *text, const char *key, int group)
{
	ld_buffer_printf(text, "%s ", key);
	if (group == LD_RULE_NONE)
		ld_buffer_printf(text, "none");
	else
		hex_print(text, &policy->groups[group].meaning);
	ld_buffer_printf(text, "\n");
}

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
rule_order(const void *a, const void *b)
{
	const struct ld_rule *const *x = a, *const *y = b;

	return strcmp((*x)->category, (*y)->category);
}

static void
roots_print(struct ld_buffer *text, const struct ld_roots *roots)
{
	char keys[LD_POLICY_ROOTS_MAX][LD_KEY_TEXT_MAX];
	const char *sorted[LD_POLICY_ROOTS_MAX];

	for (uint32_t i = 0; i < roots->key_count; i++) {
		ld_verifier_format(&roots->keys[i], keys[i]);
		sorted[i] = keys[i];
	}
	qsort(sorted, roots->key_count, sizeof sorted[0], text_order);
	ld_buffer_printf(text, "root %" PRIu32 " %" PRId64, roots->needed, roots->until_s);
	for (uint32_t i = 0; i < roots->key_count; i++)
		ld_buffer_printf(text, " %s", sorted[i]);
	ld_buffer_printf(text, "\n");
}

static void
operators_print(const struct ld_policy *policy, struct ld_buffer *text)
{
	const char *sorted[LD_POLICY_OPERATORS_MAX];

	for (uint32_t i = 0; i < policy->operator_count; i++)
		sorted[i] = policy->parties[policy->operators[i]];
	qsort(sorted, policy->operator_count, sizeof sorted[0], text_order);
	for (uint32_t i = 0; i < policy->operator_count; i++)
		if (i == 0 || strcmp(sorted[i], sorted[i - 1]) != 0)
			ld_buffer_printf(text, "operator %s\n", sorted[i]);
}

static void
rules_print(const struct ld_policy *policy, struct ld_buffer *text)
{
	const struct ld_rule *sorted[LD_POLICY_CATEGORIES_MAX];

	for (uint32_t i = 0; i < policy->rule_count; i++)
		sorted[i] = &policy->rules[i];
	qsort(sorted, policy->rule_count, sizeof sorted[0], rule_order);
	for (uint32_t i = 0; i < policy->rule_count; i++) {
		const struct ld_rule *rule = sorted[i];

		ld_buffer_printf(text, "category %s\n", rule->category);
		group_print(policy, text, "agree", rule->agree);
		group_print(policy, text, "popular", rule->popular);
		group_print(policy, text, "suspend", rule->suspend);
		group_print(policy, text, "uphold", rule->uphold);
		ld_buffer_printf(text, "%" PRIu32 " %" PRId64 " %" PRId64 " %d\n",
				 rule->suspend_count, rule->lives_s, rule->clock_s,
				 (int)rule->sealed);
	}
}

int
ld_policy_digest(struct ld_policy *policy)
{
	struct ld_buffer text;
	char key[LD_KEY_TEXT_MAX];
	bool failed;

	ld_buffer_init(&text, 64 * 1024 * 1024);
	ld_verifier_format(&policy->log, key);
	ld_buffer_printf(&text, "lindung policy 1\nlog %s\n", key);
	group_print(policy, &text, "quorum", policy->quorum);
	ld_buffer_printf(&text, "max-age %" PRId64 "\nflood %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
			 policy->age_max_s, policy->flood.statements, policy->flood.listed,
			 policy->flood.disputed);
	for (uint32_t i = 0; i < policy->roots_count; i++)
		roots_print(&text, &policy->roots[i]);
	operators_print(policy, &text);
	rules_print(policy, &text);
	for (size_t i = 0; i < policy->popular.count; i++) {
		const uint8_t *name = policy->popular.keys[i];

		ld_buffer_bytes(&text, ld_span(name + 1, name[0]));
		ld_buffer_bytes(&text, LD_SPAN("\n"));
	}
	failed = text.failed;
	if (!failed)
		ld_hash_of(&policy->hash, ld_buffer_span(&text));
	ld_buffer_free(&text);
	return failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

/* ---- What is odd ----------------------------------------------------------------------------- */

/* Parties as many, and of as many kinds, as a group speaks of. */
struct crowd {
	struct ld_voter *voters;
	size_t count;
};

static void
crowd_add(struct crowd *crowd, const struct ld_member *member)
{
	struct ld_voter voter = {.named = -1, .kind = LD_KIND_ANY - 1};

	if (crowd->count == LD_QUORUM_PARTIES_MAX)
		return;
	if (member->type == LD_MEMBER_PARTY) {
		voter.named = (int32_t)member->number;
	} else {
		if (member->kind != LD_KIND_ANY)
			voter.kind = member->kind;
		memcpy(voter.country, member->country, 2);
	}
	crowd->voters[crowd->count++] = voter;
}

static void
crowd_gather(const struct ld_policy *policy, int group, struct crowd *crowd)
{
	const struct ld_group *g = &policy->groups[group];

	for (uint32_t i = 0; i < g->member_count; i++) {
		const struct ld_member *m = &g->members[i];

		if (m->type == LD_MEMBER_GROUP)
			crowd_gather(policy, (int)m->number, crowd);
		for (uint32_t j = 0; m->type == LD_MEMBER_ATTRIBUTE && j < g->needed; j++)
			crowd_add(crowd, m);
		if (m->type == LD_MEMBER_PARTY)
			crowd_add(crowd, m);
	}
}

static bool
crowd_has_named(const struct crowd *crowd, size_t before, const struct ld_voter *voter)
{
	for (size_t i = 0; i < before; i++)
		if (voter->named >= 0 && crowd->voters[i].named == voter->named)
			return true;
	return false;
}

/* A party that several groups name is one party. */
static void
crowd_unite(struct crowd *crowd)
{
	size_t kept = 0;

	for (size_t i = 0; i < crowd->count; i++)
		if (!crowd_has_named(crowd, kept, &crowd->voters[i]))
			crowd->voters[kept++] = crowd->voters[i];
	crowd->count = kept;
}

static int
group_look(struct ld_policy *policy, int group, struct crowd *crowd)
{
	const struct ld_group *g = &policy->groups[group];
	int err = LINDUNG_OK;

	if (g->name != NULL && !g->is_used)
		err = ld_policy_remark(policy, false, "group %s is used nowhere", g->name);
	if (err != LINDUNG_OK || g->is_of_witnesses || g->name == NULL)
		return err;
	crowd->count = 0;
	crowd_gather(policy, group, crowd);
	crowd_unite(crowd);
	if (crowd->count < LD_QUORUM_PARTIES_MAX &&
	    !ld_group_agrees(policy, group, crowd->voters, crowd->count))
		return ld_policy_remark(policy, true,
					"group %s: nobody can satisfy it: a party that stands in "
					"the line counts no more in the groups of the line",
					g->name);
	for (size_t i = 0; i < crowd->count && g->needed > 1; i++)
		if (ld_group_agrees(policy, group, &crowd->voters[i], 1))
			return ld_policy_remark(
				policy, false,
				"group %s: needs %" PRIu32
				", but a single party can satisfy several of its groups",
				g->name, g->needed);
	return LINDUNG_OK;
}

static int
rule_look(struct ld_policy *policy, const struct ld_rule *rule)
{
	int err = LINDUNG_OK;

	if (rule->popular != LD_RULE_NONE && policy->popular.count == 0)
		err = ld_policy_remark(policy, true,
				       "category %s: \"popular\" without a list of well-known "
				       "names: add \"popular builtin\"",
				       rule->category);
	if (err == LINDUNG_OK && rule->uphold == LD_RULE_NONE &&
	    (rule->suspend_count > 0 || rule->clock_s > 0))
		err = ld_policy_remark(policy, true,
				       "category %s: nobody can decide a dispute: add \"uphold "
				       "GROUP\"",
				       rule->category);
	if (err == LINDUNG_OK && rule->suspend_count == 0 && rule->clock_s == 0)
		err = ld_policy_remark(policy, false,
				       "category %s: neither disputes nor an appeal that is left "
				       "lying ever suspend an entry",
				       rule->category);
	return err;
}

static bool
witness_is_used(const struct ld_policy *policy, uint32_t witness)
{
	for (uint32_t i = 0; i < policy->group_count; i++)
		for (uint32_t j = 0; j < policy->groups[i].member_count; j++)
			if (policy->groups[i].members[j].type == LD_MEMBER_WITNESS &&
			    policy->groups[i].members[j].number == witness)
				return true;
	return false;
}

static int
whole_look(struct ld_policy *policy)
{
	int err = LINDUNG_OK;

	if (policy->quorum == LD_RULE_NONE)
		err = ld_policy_remark(policy, false,
				       "quorum none: a log that shows others another history is "
				       "not noticed");
	if (err == LINDUNG_OK && policy->age_max_s == 0)
		err = ld_policy_remark(policy, false,
				       "no max-age: a log that is kept from us is not noticed");
	if (err == LINDUNG_OK && policy->age_max_s != 0 && policy->quorum == LD_RULE_NONE)
		err = ld_policy_remark(policy, true,
				       "max-age without witnesses: nobody says when a checkpoint "
				       "was seen");
	if (err == LINDUNG_OK && policy->rule_count == 0)
		err = ld_policy_remark(policy, true, "no category: nothing ever takes effect");
	for (uint32_t i = 0; i < policy->witness_count && err == LINDUNG_OK; i++)
		if (!witness_is_used(policy, i))
			err = ld_policy_remark(policy, false, "witness %s is used nowhere",
					       policy->witness_names[i]);
	return err;
}

int
ld_policy_look(struct ld_policy *policy)
{
	struct crowd crowd = {.voters = calloc(LD_QUORUM_PARTIES_MAX, sizeof *crowd.voters)};
	int err = crowd.voters == NULL ? LINDUNG_ENOMEM : whole_look(policy);

	for (uint32_t i = 0; i < policy->group_count && err == LINDUNG_OK; i++)
		err = group_look(policy, (int)i, &crowd);
	for (uint32_t i = 0; i < policy->rule_count && err == LINDUNG_OK; i++)
		err = rule_look(policy, &policy->rules[i]);
	free(crowd.voters);
	return err;
}
