/* Members and groups of a policy, as its lines name them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include "quorum/policy_read.h"

static int
group_find(const struct ld_policy *policy, struct ld_span name)
{
	for (uint32_t i = 0; i < policy->group_count; i++)
		if (policy->groups[i].name != NULL && ld_word_is(name, policy->groups[i].name))
			return (int)i;
	return -1;
}

static int
witness_find(const struct ld_policy *policy, struct ld_span name)
{
	for (uint32_t i = 0; i < policy->witness_count; i++)
		if (ld_word_is(name, policy->witness_names[i]))
			return (int)i;
	return -1;
}

int32_t
ld_policy_party(const struct ld_policy *policy, struct ld_span id)
{
	for (uint32_t i = 0; i < policy->party_count; i++)
		if (ld_word_is(id, policy->parties[i]))
			return (int32_t)i;
	return -1;
}

int
ld_policy_party_name(const struct ld_policy_file *f, struct ld_span id, uint32_t *ret)
{
	struct ld_policy *policy = f->reader->policy;
	int32_t number = ld_policy_party(policy, id);

	if (!ld_party_id_is_valid(id) || ld_word_is(id, "root"))
		return ld_policy_fail(
			f, LINDUNG_ESYNTAX,
			"\"%.*s\" is neither a group that stands above nor the id of a party",
			LD_WORD_SHOWN(id));
	if (number < 0) {
		if (policy->party_count == LD_POLICY_PARTIES_MAX)
			return ld_policy_fail(f, LINDUNG_ELIMIT, "more than %d parties",
					      (int)LD_POLICY_PARTIES_MAX);
		policy->parties[policy->party_count] = ld_policy_copy(f, id);
		if (policy->parties[policy->party_count] == NULL)
			return ld_policy_fail(f, LINDUNG_ENOMEM, "not enough memory");
		number = (int32_t)policy->party_count++;
	}
	*ret = (uint32_t)number;
	return LINDUNG_OK;
}

bool
ld_country_read(struct ld_span word, char ret[2])
{
	bool is_int = ld_word_is(word, "INT");

	if (!is_int && (word.len != 2 || word.data[0] < 'A' || word.data[0] > 'Z' ||
			word.data[1] < 'A' || word.data[1] > 'Z'))
		return false;
	memcpy(ret, is_int ? LD_COUNTRY_INT : (const char *)word.data, 2);
	return true;
}

static int
attribute_read(const struct ld_policy_file *f, struct ld_span word, struct ld_member *ret)
{
	struct ld_span kind = {0}, country = {0};
	int number;

	*ret = (struct ld_member){.type = LD_MEMBER_ATTRIBUTE, .kind = LD_KIND_ANY};
	if (ld_span_starts(word, LD_SPAN("kind:"))) {
		kind = ld_span_from(word, 5);
		size_t slash = ld_span_find(kind, '/');
		if (slash < kind.len)
			country = ld_span_from(kind, slash + 1);
		bool has_country = slash < kind.len;
		kind = ld_span_first(kind, slash);
		number = ld_party_kind_find(kind);
		if (number < 0)
			return ld_policy_fail(f, LINDUNG_ESYNTAX,
					      "there is no kind of party \"%.*s\"",
					      LD_WORD_SHOWN(kind));
		ret->kind = (uint8_t)number;
		if (!has_country)
			return LINDUNG_OK;
	} else {
		country = ld_span_from(word, 8);
	}
	if (!ld_country_read(country, ret->country))
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "\"%.*s\" is no country: two capitals, or INT",
				      LD_WORD_SHOWN(country));
	return LINDUNG_OK;
}

static int
member_read(const struct ld_policy_file *f, struct ld_span word, struct ld_member *ret)
{
	const struct ld_policy *policy = f->reader->policy;
	int number;

	if (ld_span_starts(word, LD_SPAN("kind:")) || ld_span_starts(word, LD_SPAN("country:")))
		return attribute_read(f, word, ret);
	*ret = (struct ld_member){.type = LD_MEMBER_PARTY};
	if (ld_span_starts(word, LD_SPAN("party:")))
		return ld_policy_party_name(f, ld_span_from(word, 6), &ret->number);
	if ((number = group_find(policy, word)) >= 0)
		ret->type = LD_MEMBER_GROUP;
	else if ((number = witness_find(policy, word)) >= 0)
		ret->type = LD_MEMBER_WITNESS;
	else
		return ld_policy_party_name(f, word, &ret->number);
	ret->number = (uint32_t)number;
	return LINDUNG_OK;
}

static bool
member_of_witnesses(const struct ld_policy *policy, const struct ld_member *member)
{
	return member->type == LD_MEMBER_WITNESS ||
	       (member->type == LD_MEMBER_GROUP && policy->groups[member->number].is_of_witnesses);
}

static bool
member_same(const struct ld_member *a, const struct ld_member *b)
{
	return a->type == b->type && a->kind == b->kind && a->number == b->number &&
	       memcmp(a->country, b->country, 2) == 0;
}

static int
members_read(const struct ld_policy_file *f, const struct ld_words *w, size_t from,
	     struct ld_group *group)
{
	struct ld_policy *policy = f->reader->policy;
	struct ld_member *members;

	group->member_count = (uint32_t)(w->count - from);
	members = ld_arena_alloc(&policy->arena, group->member_count * sizeof *members);
	if (members == NULL)
		return ld_policy_fail(f, LINDUNG_ENOMEM, "not enough memory");
	group->members = members;
	for (uint32_t i = 0; i < group->member_count; i++) {
		int err = member_read(f, w->word[from + i], &members[i]);

		if (err != LINDUNG_OK)
			return err;
		if (i == 0)
			group->is_of_witnesses = member_of_witnesses(policy, &members[i]);
		else if (group->is_of_witnesses != member_of_witnesses(policy, &members[i]))
			return ld_policy_fail(f, LINDUNG_ESYNTAX,
					      "a group has witnesses or parties, not both");
		for (uint32_t j = 0; j < i; j++)
			if (member_same(&members[i], &members[j]))
				return ld_policy_fail(f, LINDUNG_ESYNTAX,
						      "\"%.*s\" stands twice in it",
						      LD_WORD_SHOWN(w->word[from + i]));
		if (members[i].type == LD_MEMBER_GROUP)
			policy->groups[members[i].number].is_used = true;
	}
	return LINDUNG_OK;
}

static int
needed_read(const struct ld_policy_file *f, struct ld_span word, struct ld_group *group)
{
	bool has_attributes = false;
	uint32_t most;

	for (uint32_t i = 0; i < group->member_count; i++)
		has_attributes |= group->members[i].type == LD_MEMBER_ATTRIBUTE;
	most = has_attributes ? LD_POLICY_MEMBERS_MAX : group->member_count;
	if (ld_word_is(word, "any")) {
		group->needed = 1;
	} else if (ld_word_is(word, "all")) {
		if (has_attributes)
			return ld_policy_fail(
				f, LINDUNG_ESYNTAX,
				"all of kind: or country: is never known: write a number");
		group->needed = group->member_count;
	} else if (!ld_number_read(word, UINT32_MAX, &group->needed) || group->needed == 0) {
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "\"%.*s\": write any, all or a number from 1",
				      LD_WORD_SHOWN(word));
	} else if (group->needed > most) {
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "%" PRIu32 " of %" PRIu32 ": nobody can satisfy that",
				      group->needed, most);
	}
	return LINDUNG_OK;
}

/* Every witness, and every group of them, may count in one way only (tlog-policy). */
static int
witnesses_once(const struct ld_policy_file *f, const struct ld_group *group)
{
	const struct ld_policy *policy = f->reader->policy;

	for (uint32_t i = 0; i < policy->group_count && group->is_of_witnesses; i++)
		for (uint32_t j = 0;
		     policy->groups[i].name != NULL && j < policy->groups[i].member_count; j++)
			for (uint32_t k = 0; k < group->member_count; k++)
				if (member_same(&policy->groups[i].members[j], &group->members[k]))
					return ld_policy_fail(
						f, LINDUNG_ESYNTAX,
						"a witness, or a group of them, in two groups");
	return LINDUNG_OK;
}

static int
group_add(const struct ld_policy_file *f, struct ld_group *group)
{
	struct ld_policy *policy = f->reader->policy;
	struct ld_report why;
	int err;

	if (policy->group_count == LD_POLICY_GROUPS_MAX)
		return ld_policy_fail(f, LINDUNG_ELIMIT, "more than %d groups",
				      (int)LD_POLICY_GROUPS_MAX);
	err = ld_group_finish(policy, group, &why);
	if (err != LINDUNG_OK)
		return ld_policy_fail(f, err, "%s", why.text);
	policy->groups[policy->group_count++] = *group;
	return LINDUNG_OK;
}

static bool
name_is_good(struct ld_span name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_'))
			return false;
	}
	return name.len > 0 && name.len <= 64;
}

int
ld_policy_name_new(const struct ld_policy_file *f, struct ld_span name)
{
	if (ld_word_is(name, "none") || ld_word_is(name, "any") || ld_word_is(name, "all") ||
	    ld_word_is(name, "never") || ld_word_is(name, "root"))
		return ld_policy_fail(f, LINDUNG_ESYNTAX, "\"%.*s\" cannot be a name",
				      LD_WORD_SHOWN(name));
	if (group_find(f->reader->policy, name) >= 0 || witness_find(f->reader->policy, name) >= 0)
		return ld_policy_fail(f, LINDUNG_ESYNTAX, "\"%.*s\" stands already",
				      LD_WORD_SHOWN(name));
	return LINDUNG_OK;
}

int
ld_policy_line_group(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_group group = {0};
	int err = ld_words_expect(f, w, 3, LD_POLICY_MEMBERS_MAX + 2);

	if (err == LINDUNG_OK && !name_is_good(w->word[1]))
		err = ld_policy_fail(f, LINDUNG_ESYNTAX,
				     "\"%.*s\": the name of a group is of letters, digits, - and _",
				     LD_WORD_SHOWN(w->word[1]));
	if (err == LINDUNG_OK)
		err = ld_policy_name_new(f, w->word[1]);
	if (err == LINDUNG_OK)
		err = members_read(f, w, 3, &group);
	if (err == LINDUNG_OK)
		err = needed_read(f, w->word[2], &group);
	if (err == LINDUNG_OK)
		err = witnesses_once(f, &group);
	if (err != LINDUNG_OK)
		return err;
	group.name = ld_policy_copy(f, w->word[1]);
	if (group.name == NULL)
		return ld_policy_fail(f, LINDUNG_ENOMEM, "not enough memory");
	return group_add(f, &group);
}

/* Where a group may stand, a member may: then any of it. */
int
ld_policy_group_read(const struct ld_policy_file *f, const struct ld_words *w, size_t at,
		     bool of_witnesses, int *ret)
{
	struct ld_policy *policy = f->reader->policy;
	struct ld_words one = {.word = {w->word[at]}, .count = 1};
	struct ld_group group = {.needed = 1};
	int number = group_find(policy, w->word[at]), err = LINDUNG_OK;

	if (number < 0) {
		err = members_read(f, &one, 0, &group);
		if (err == LINDUNG_OK)
			err = group_add(f, &group);
		number = (int)policy->group_count - 1;
	}
	if (err != LINDUNG_OK)
		return err;
	if (policy->groups[number].is_of_witnesses != of_witnesses)
		return ld_policy_fail(f, LINDUNG_ESYNTAX, "\"%.*s\" is a group of %s",
				      LD_WORD_SHOWN(w->word[at]),
				      of_witnesses ? "parties, here witnesses are meant"
						   : "witnesses, here parties are meant");
	policy->groups[number].is_used = true;
	*ret = number;
	return LINDUNG_OK;
}
