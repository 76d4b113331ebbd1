/* Reading a policy, line by line (formats/policy.md).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "name/name.h"
#include "name/name.h"
#include "quorum/rules.h"

enum {
	WORDS_MAX = LD_POLICY_MEMBERS_MAX + 3,
	ARENA_BYTES = 16 * 1024 * 1024,
	DAY_S = 86400,
};

/* One line, cut at blanks. */
struct words {
	struct ld_span word[WORDS_MAX + 1];
	size_t count;
	struct ld_span rest[3]; /* the line from this word on, for what is free text */
};

struct reader {
	struct ld_policy *policy;
	const char *builtin_popular;
	bool has_files; /* it may name others */
	unsigned depth;
	size_t bytes; /* of all files */
	bool builtin_taken;
	struct ld_report *report;
};

/* One file that is being read. */
struct file {
	struct reader *reader;
	const char *name;
	unsigned line;
	bool has_categories;
	/* The category that the lines speak of, or NULL; what stood before, where it is given
	 * again.
	 */
	struct ld_rule *rule;
	struct ld_rule before;
	bool is_again;
	unsigned rule_line;
	uint32_t said; /* bits: which lines of the category were given */
	const char *said_here[LD_POLICY_CATEGORIES_MAX];
	size_t said_here_count;
	/* What a file that it includes said of the other categories, where this one says it anew.
	 */
	struct ld_rule star;
	bool has_star, says_star;
	bool says_root;
	const char *laxer; /* a reason for the next line */
};

static int fail(const struct file *f, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int
fail(const struct file *f, int error, const char *format, ...)
{
	struct ld_report what;
	va_list args;

	va_start(args, format);
	vsnprintf(what.text, sizeof what.text, format, args);
	va_end(args);
	return ld_fail(f->reader->report, error, "%s:%u: %.400s", f->name, f->line, what.text);
}

#define SHOWN(span) (int)((span).len < 80 ? (span).len : 80), (const char *)(span).data

static bool
is(struct ld_span word, const char *text)
{
	return ld_span_equal(word, ld_span_str(text));
}

static char *
copy(const struct file *f, struct ld_span text)
{
	return (char *)(uintptr_t)ld_arena_copy(&f->reader->policy->arena, text).data;
}

/* ---- Words ----------------------------------------------------------------------------------- */

static int
line_cut(const struct file *f, struct ld_span line, struct words *ret)
{
	size_t at = 0;

	ret->count = 0;
	for (size_t i = 0; i < line.len; i++)
		if ((line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
			return fail(f, LINDUNG_ESYNTAX, "control character 0x%02x", line.data[i]);
	for (;;) {
		while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'))
			at++;
		if (at == line.len || line.data[at] == '#')
			return LINDUNG_OK;
		size_t from = at;
		while (at < line.len && line.data[at] != ' ' && line.data[at] != '\t')
			at++;
		if (ret->count == WORDS_MAX)
			return fail(f, LINDUNG_ELIMIT, "more than %d words in a line",
				    (int)WORDS_MAX);
		if (ret->count < 3)
			ret->rest[ret->count] = ld_span_trim(ld_span_from(line, from));
		ret->word[ret->count++] = ld_span(line.data + from, at - from);
	}
}

static int
words_expect(const struct file *f, const struct words *w, size_t least, size_t most)
{
	if (w->count < least + 1)
		return fail(f, LINDUNG_ESYNTAX, "\"%.*s\": something is missing behind it",
			    SHOWN(w->word[0]));
	if (w->count > most + 1)
		return fail(f, LINDUNG_ESYNTAX, "\"%.*s\": too much in the line: \"%.*s\"",
			    SHOWN(w->word[0]), SHOWN(w->word[most + 1]));
	return LINDUNG_OK;
}

static bool
number_read(struct ld_span word, uint32_t most, uint32_t *ret)
{
	uint64_t value = 0;

	if (word.len == 0 || word.len > 10 || (word.len > 1 && word.data[0] == '0'))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] < '0' || word.data[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(word.data[i] - '0');
	}
	if (value > most)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* "14d", "12h", "90s"; "never" where `never` is what that means. */
static int
duration_read(const struct file *f, struct ld_span word, int64_t most_s, int64_t never,
	      int64_t *ret)
{
	int64_t unit = 0;
	uint32_t n;

	if (never >= 0 && is(word, "never")) {
		*ret = never;
		return LINDUNG_OK;
	}
	if (word.len >= 2)
		switch (word.data[word.len - 1]) {
		case 'd':
			unit = DAY_S;
			break;
		case 'h':
			unit = 3600;
			break;
		case 's':
			unit = 1;
			break;
		default:
			break;
		}
	if (unit == 0 || !number_read(ld_span_first(word, word.len - 1), UINT32_MAX, &n) ||
	    n == 0 || (int64_t)n > most_s / unit)
		return fail(f, LINDUNG_ESYNTAX,
			    "\"%.*s\" is no time: write 30d, 12h or 90s, at most %" PRId64 "d",
			    SHOWN(word), most_s / DAY_S);
	*ret = n * unit;
	return LINDUNG_OK;
}

/* ---- Members and groups ---------------------------------------------------------------------- */

static int
group_find(const struct ld_policy *policy, struct ld_span name)
{
	for (uint32_t i = 0; i < policy->group_count; i++)
		if (policy->groups[i].name != NULL && is(name, policy->groups[i].name))
			return (int)i;
	return -1;
}

static int
witness_find(const struct ld_policy *policy, struct ld_span name)
{
	for (uint32_t i = 0; i < policy->witness_count; i++)
		if (is(name, policy->witness_names[i]))
			return (int)i;
	return -1;
}

int32_t
ld_policy_party(const struct ld_policy *policy, struct ld_span id)
{
	for (uint32_t i = 0; i < policy->party_count; i++)
		if (is(id, policy->parties[i]))
			return (int32_t)i;
	return -1;
}

static int
party_name(const struct file *f, struct ld_span id, uint32_t *ret)
{
	struct ld_policy *policy = f->reader->policy;
	int32_t number = ld_policy_party(policy, id);

	if (!ld_party_id_is_valid(id) || is(id, "root"))
		return fail(f, LINDUNG_ESYNTAX,
			    "\"%.*s\" is neither a group that stands above nor the id of a party",
			    SHOWN(id));
	if (number < 0) {
		if (policy->party_count == LD_POLICY_PARTIES_MAX)
			return fail(f, LINDUNG_ELIMIT, "more than %d parties",
				    (int)LD_POLICY_PARTIES_MAX);
		policy->parties[policy->party_count] = copy(f, id);
		if (policy->parties[policy->party_count] == NULL)
			return fail(f, LINDUNG_ENOMEM, "not enough memory");
		number = (int32_t)policy->party_count++;
	}
	*ret = (uint32_t)number;
	return LINDUNG_OK;
}

bool
ld_country_read(struct ld_span word, char ret[2])
{
	bool is_int = is(word, "INT");

	if (!is_int && (word.len != 2 || word.data[0] < 'A' || word.data[0] > 'Z' ||
			word.data[1] < 'A' || word.data[1] > 'Z'))
		return false;
	memcpy(ret, is_int ? LD_COUNTRY_INT : (const char *)word.data, 2);
	return true;
}

static int
attribute_read(const struct file *f, struct ld_span word, struct ld_member *ret)
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
			return fail(f, LINDUNG_ESYNTAX, "there is no kind of party \"%.*s\"",
				    SHOWN(kind));
		ret->kind = (uint8_t)number;
		if (!has_country)
			return LINDUNG_OK;
	} else {
		country = ld_span_from(word, 8);
	}
	if (!ld_country_read(country, ret->country))
		return fail(f, LINDUNG_ESYNTAX, "\"%.*s\" is no country: two capitals, or INT",
			    SHOWN(country));
	return LINDUNG_OK;
}

static int
member_read(const struct file *f, struct ld_span word, struct ld_member *ret)
{
	const struct ld_policy *policy = f->reader->policy;
	int number;

	if (ld_span_starts(word, LD_SPAN("kind:")) || ld_span_starts(word, LD_SPAN("country:")))
		return attribute_read(f, word, ret);
	*ret = (struct ld_member){.type = LD_MEMBER_PARTY};
	if (ld_span_starts(word, LD_SPAN("party:")))
		return party_name(f, ld_span_from(word, 6), &ret->number);
	if ((number = group_find(policy, word)) >= 0)
		ret->type = LD_MEMBER_GROUP;
	else if ((number = witness_find(policy, word)) >= 0)
		ret->type = LD_MEMBER_WITNESS;
	else
		return party_name(f, word, &ret->number);
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
members_read(const struct file *f, const struct words *w, size_t from, struct ld_group *group)
{
	struct ld_policy *policy = f->reader->policy;
	struct ld_member *members;

	group->member_count = (uint32_t)(w->count - from);
	members = ld_arena_alloc(&policy->arena, group->member_count * sizeof *members);
	if (members == NULL)
		return fail(f, LINDUNG_ENOMEM, "not enough memory");
	group->members = members;
	for (uint32_t i = 0; i < group->member_count; i++) {
		int err = member_read(f, w->word[from + i], &members[i]);

		if (err != LINDUNG_OK)
			return err;
		if (i == 0)
			group->is_of_witnesses = member_of_witnesses(policy, &members[i]);
		else if (group->is_of_witnesses != member_of_witnesses(policy, &members[i]))
			return fail(f, LINDUNG_ESYNTAX,
				    "a group has witnesses or parties, not both");
		for (uint32_t j = 0; j < i; j++)
			if (member_same(&members[i], &members[j]))
				return fail(f, LINDUNG_ESYNTAX, "\"%.*s\" stands twice in it",
					    SHOWN(w->word[from + i]));
		if (members[i].type == LD_MEMBER_GROUP)
			policy->groups[members[i].number].is_used = true;
	}
	return LINDUNG_OK;
}

static int
needed_read(const struct file *f, struct ld_span word, struct ld_group *group)
{
	bool has_attributes = false;
	uint32_t most;

	for (uint32_t i = 0; i < group->member_count; i++)
		has_attributes |= group->members[i].type == LD_MEMBER_ATTRIBUTE;
	most = has_attributes ? LD_POLICY_MEMBERS_MAX : group->member_count;
	if (is(word, "any")) {
		group->needed = 1;
	} else if (is(word, "all")) {
		if (has_attributes)
			return fail(f, LINDUNG_ESYNTAX,
				    "all of kind: or country: is never known: write a number");
		group->needed = group->member_count;
	} else if (!number_read(word, UINT32_MAX, &group->needed) || group->needed == 0) {
		return fail(f, LINDUNG_ESYNTAX, "\"%.*s\": write any, all or a number from 1",
			    SHOWN(word));
	} else if (group->needed > most) {
		return fail(f, LINDUNG_ESYNTAX,
			    "%" PRIu32 " of %" PRIu32 ": nobody can satisfy that", group->needed,
			    most);
	}
	return LINDUNG_OK;
}

/* Every witness, and every group of them, may count in one way only (tlog-policy). */
static int
witnesses_once(const struct file *f, const struct ld_group *group)
{
	const struct ld_policy *policy = f->reader->policy;

	for (uint32_t i = 0; i < policy->group_count && group->is_of_witnesses; i++)
		for (uint32_t j = 0; j < policy->groups[i].member_count; j++)
			for (uint32_t k = 0; k < group->member_count; k++)
				if (member_same(&policy->groups[i].members[j], &group->members[k]))
					return fail(f, LINDUNG_ESYNTAX,
						    "a witness, or a group of them, in two groups");
	return LINDUNG_OK;
}

static int
group_add(const struct file *f, struct ld_group *group)
{
	struct ld_policy *policy = f->reader->policy;
	struct ld_report why;
	int err;

	if (policy->group_count == LD_POLICY_GROUPS_MAX)
		return fail(f, LINDUNG_ELIMIT, "more than %d groups", (int)LD_POLICY_GROUPS_MAX);
	err = ld_group_finish(policy, group, &why);
	if (err != LINDUNG_OK)
		return fail(f, err, "%s", why.text);
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

static int
name_new(const struct file *f, struct ld_span name)
{
	if (is(name, "none") || is(name, "any") || is(name, "all") || is(name, "never") ||
	    is(name, "root"))
		return fail(f, LINDUNG_ESYNTAX, "\"%.*s\" cannot be a name", SHOWN(name));
	if (group_find(f->reader->policy, name) >= 0 || witness_find(f->reader->policy, name) >= 0)
		return fail(f, LINDUNG_ESYNTAX, "\"%.*s\" stands already", SHOWN(name));
	return LINDUNG_OK;
}

static int
line_group(struct file *f, const struct words *w)
{
	struct ld_group group = {0};
	int err = words_expect(f, w, 3, LD_POLICY_MEMBERS_MAX + 2);

	if (err == LINDUNG_OK && !name_is_good(w->word[1]))
		err = fail(f, LINDUNG_ESYNTAX,
			   "\"%.*s\": the name of a group is of letters, digits, - and _",
			   SHOWN(w->word[1]));
	if (err == LINDUNG_OK)
		err = name_new(f, w->word[1]);
	if (err == LINDUNG_OK)
		err = members_read(f, w, 3, &group);
	if (err == LINDUNG_OK)
		err = needed_read(f, w->word[2], &group);
	if (err == LINDUNG_OK)
		err = witnesses_once(f, &group);
	if (err != LINDUNG_OK)
		return err;
	group.name = copy(f, w->word[1]);
	if (group.name == NULL)
		return fail(f, LINDUNG_ENOMEM, "not enough memory");
	return group_add(f, &group);
}

/* Where a group may stand, a member may: then any of it. */
static int
group_read(const struct file *f, const struct words *w, size_t at, bool of_witnesses, int *ret)
{
	struct ld_policy *policy = f->reader->policy;
	struct words one = {.word = {w->word[at]}, .count = 1};
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
		return fail(f, LINDUNG_ESYNTAX, "\"%.*s\" is a group of %s", SHOWN(w->word[at]),
			    of_witnesses ? "parties, here witnesses are meant"
					 : "witnesses, here parties are meant");
	policy->groups[number].is_used = true;
	*ret = number;
	return LINDUNG_OK;
}

/* ---- Categories ------------------------------------------------------------------------------ */

/* X(key, symbol, least words, most) */
#define CATEGORY_LINES(X)                                                                          \
	X("agree", AGREE, 1, 1)                                                                    \
	X("lives", LIVES, 1, 1)                                                                    \
	X("popular", POPULAR, 1, 1)                                                                \
	X("suspend", SUSPEND, 1, 2)                                                                \
	X("uphold", UPHOLD, 1, 1)                                                                  \
	X("clock", CLOCK, 1, 1)                                                                    \
	X("sealed", SEALED, 1, 1)                                                                  \
	X("laxer", LAXER, 1, WORDS_MAX - 1)

enum category_line {
#define X(key, symbol, ...) CATEGORY_##symbol,
	CATEGORY_LINES(X)
#undef X
		CATEGORY_LINE_COUNT
};

static const struct {
	const char *key;
	size_t least, most;
} category_lines[] = {
#define X(key, symbol, least, most) {key, least, most},
	CATEGORY_LINES(X)
#undef X
};

static int
category_end(struct file *f)
{
	struct reader *r = f->reader;
	struct ld_rule *rule = f->rule;
	char where[512];

	if (rule == NULL)
		return LINDUNG_OK;
	f->rule = NULL;
	snprintf(where, sizeof where, "%s:%u", f->name, f->rule_line);
	if (rule->agree == LD_RULE_NONE)
		return ld_fail(r->report, LINDUNG_ESYNTAX,
			       "%s: category %s: who must agree? Add a line \"agree GROUP\"", where,
			       rule->category);
	return f->is_again ? ld_rule_follows(r->policy, &f->before, rule, where, r->report)
			   : LINDUNG_OK;
}

static bool
category_key_is_good(struct ld_span key)
{
	if (is(key, "*"))
		return true;
	for (size_t i = 0; i < key.len; i++) {
		uint8_t c = key.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return key.len > 0 && key.len <= 32;
}

static struct ld_rule *
rule_find(struct ld_policy *policy, struct ld_span key)
{
	for (uint32_t i = 0; i < policy->rule_count; i++)
		if (is(key, policy->rules[i].category))
			return &policy->rules[i];
	return NULL;
}

const struct ld_rule *
ld_policy_rule(const struct ld_policy *policy, struct ld_span category)
{
	struct ld_policy *p = (struct ld_policy *)(uintptr_t)policy;
	const struct ld_rule *rule = rule_find(p, category);

	return rule != NULL ? rule : rule_find(p, LD_SPAN("*"));
}

static int
line_category(struct file *f, const struct words *w)
{
	struct ld_policy *policy = f->reader->policy;
	const struct ld_rule *before;
	struct ld_rule *rule;
	int err = words_expect(f, w, 1, 1);

	if (err != LINDUNG_OK)
		return err;
	if (!category_key_is_good(w->word[1]))
		return fail(f, LINDUNG_ESYNTAX, "\"%.*s\" is no key of a category",
			    SHOWN(w->word[1]));
	for (size_t i = 0; i < f->said_here_count; i++)
		if (is(w->word[1], f->said_here[i]))
			return fail(f, LINDUNG_ESYNTAX, "category %s stands above",
				    f->said_here[i]);
	rule = rule_find(policy, w->word[1]);
	before = ld_policy_rule(policy, w->word[1]);
	/* What this file itself says of the other categories is not what it takes over. */
	if (rule == NULL && f->says_star)
		before = f->has_star ? &f->star : NULL;
	if (is(w->word[1], "*")) {
		f->says_star = true;
		f->has_star = before != NULL;
		if (before != NULL)
			f->star = *before;
	}
	if (rule == NULL && policy->rule_count == LD_POLICY_CATEGORIES_MAX)
		return fail(f, LINDUNG_ELIMIT, "more than %d categories",
			    (int)LD_POLICY_CATEGORIES_MAX);
	f->is_again = before != NULL;
	if (before != NULL)
		f->before = *before;
	if (rule == NULL) {
		rule = &policy->rules[policy->rule_count++];
		*rule = before != NULL
				? f->before
				: (struct ld_rule){.agree = LD_RULE_NONE,
						   .popular = LD_RULE_NONE,
						   .suspend = LD_RULE_NONE,
						   .uphold = LD_RULE_NONE,
						   .lives_s = (int64_t)LD_STATEMENT_LIFE_MAX_DAYS *
							      DAY_S};
		memset(rule->category, 0, sizeof rule->category);
		memcpy(rule->category, w->word[1].data, w->word[1].len);
	}
	rule->laxer = NULL;
	f->rule = rule;
	f->rule_line = f->line;
	f->said = 0;
	f->has_categories = true;
	f->said_here[f->said_here_count++] = rule->category;
	return LINDUNG_OK;
}

static int
suspend_read(const struct file *f, const struct words *w, struct ld_rule *rule)
{
	if (is(w->word[1], "never") && w->count == 2) {
		rule->suspend_count = 0;
		rule->suspend = LD_RULE_NONE;
		return LINDUNG_OK;
	}
	if (w->count != 3 ||
	    !number_read(w->word[1], LD_POLICY_MEMBERS_MAX, &rule->suspend_count) ||
	    rule->suspend_count == 0)
		return fail(f, LINDUNG_ESYNTAX, "suspend: write \"N GROUP\" or \"never\"");
	return group_read(f, w, 2, false, &rule->suspend);
}

static int
sealed_read(const struct file *f, struct ld_span word, struct ld_rule *rule)
{
	static const char *const keys[] = {
#define LD_X(symbol, key) key,
		LD_SEALED(LD_X)
#undef LD_X
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (is(word, keys[i])) {
			rule->sealed = (enum ld_sealed)i;
			return LINDUNG_OK;
		}
	return fail(f, LINDUNG_ESYNTAX, "sealed: write required, allowed or refused");
}

static int
category_line(struct file *f, const struct words *w, enum category_line which)
{
	struct ld_rule *rule = f->rule;
	int err = words_expect(f, w, category_lines[which].least, category_lines[which].most);

	if (err == LINDUNG_OK && (f->said >> which & 1) != 0)
		err = fail(f, LINDUNG_ESYNTAX, "%s stands above in this category",
			   category_lines[which].key);
	if (err != LINDUNG_OK)
		return err;
	f->said |= 1u << which;
	switch (which) {
	case CATEGORY_AGREE:
		return group_read(f, w, 1, false, &rule->agree);
	case CATEGORY_LIVES:
		return duration_read(f, w->word[1], (int64_t)LD_STATEMENT_LIFE_MAX_DAYS * DAY_S, -1,
				     &rule->lives_s);
	case CATEGORY_POPULAR:
		rule->popular = LD_RULE_NONE;
		return is(w->word[1], "none") ? LINDUNG_OK
					      : group_read(f, w, 1, false, &rule->popular);
	case CATEGORY_SUSPEND:
		return suspend_read(f, w, rule);
	case CATEGORY_UPHOLD:
		return group_read(f, w, 1, false, &rule->uphold);
	case CATEGORY_CLOCK:
		return duration_read(f, w->word[1], (int64_t)LD_STATEMENT_LIFE_MAX_DAYS * DAY_S, 0,
				     &rule->clock_s);
	case CATEGORY_SEALED:
		return sealed_read(f, w->word[1], rule);
	case CATEGORY_LAXER:
	case CATEGORY_LINE_COUNT:
	default:
		rule->laxer = copy(f, w->rest[1]);
		return rule->laxer != NULL ? LINDUNG_OK
					   : fail(f, LINDUNG_ENOMEM, "not enough memory");
	}
}

/* ---- Lines of the whole ---------------------------------------------------------------------- */

static int
verifier_read(const struct file *f, struct ld_span word, enum ld_key_type type,
	      struct ld_verifier *ret)
{
	struct ld_report why;
	int err = ld_verifier_parse(ret, word, &why);

	if (err != LINDUNG_OK)
		return fail(f, err, "%s", why.text);
	if (ret->type != type)
		return fail(f, LINDUNG_ESYNTAX, "%s is a key %s", ret->name,
			    type == LD_KEY_ED25519 ? "of a witness (of type 4), not to sign with"
						   : "to sign with (of type 1), not of a witness");
	return LINDUNG_OK;
}

static bool
key_same(const struct ld_verifier *a, const struct ld_verifier *b)
{
	return memcmp(a->key, b->key, sizeof a->key) == 0;
}

static int
line_log(struct file *f, const struct words *w)
{
	struct ld_policy *policy = f->reader->policy;
	int err = words_expect(f, w, 1, 2);

	if (err != LINDUNG_OK)
		return err;
	if (policy->has_log)
		return fail(f, LINDUNG_ESYNTAX, "a policy follows one log, and one stands above");
	err = verifier_read(f, w->word[1], LD_KEY_ED25519, &policy->log);
	policy->has_log = err == LINDUNG_OK;
	if (w->count == 3)
		policy->log_url = copy(f, w->word[2]);
	return err;
}

static int
line_witness(struct file *f, const struct words *w)
{
	struct ld_policy *policy = f->reader->policy;
	struct ld_verifier *key = &policy->witnesses[policy->witness_count];
	int err = words_expect(f, w, 2, 3);

	if (err == LINDUNG_OK)
		err = name_new(f, w->word[1]);
	if (err != LINDUNG_OK)
		return err;
	if (policy->witness_count == LD_POLICY_WITNESSES_MAX)
		return fail(f, LINDUNG_ELIMIT, "more than %d witnesses",
			    (int)LD_POLICY_WITNESSES_MAX);
	err = verifier_read(f, w->word[2], LD_KEY_COSIGNATURE, key);
	if (err != LINDUNG_OK)
		return err;
	for (uint32_t i = 0; i < policy->witness_count; i++)
		if (key_same(&policy->witnesses[i], key))
			return fail(f, LINDUNG_ESYNTAX, "the key of witness %s again",
				    policy->witness_names[i]);
	policy->witness_names[policy->witness_count] = copy(f, w->word[1]);
	policy->witness_urls[policy->witness_count] = w->count == 4 ? copy(f, w->word[3]) : NULL;
	if (policy->witness_names[policy->witness_count] == NULL)
		return fail(f, LINDUNG_ENOMEM, "not enough memory");
	policy->witness_count++;
	return LINDUNG_OK;
}

/* A line that a file it includes has given: it may only be stricter, or says why not. */
static int
loosens(struct file *f, const char *what)
{
	if (f->laxer == NULL)
		return fail(
			f, LINDUNG_EDENIED,
			"%s: this may be laxer than what is included. If that is meant, write a "
			"line \"laxer REASON\" before it",
			what);
	if (ld_policy_remark(f->reader->policy, false, "%s:%u: %s: laxer than what is included: %s",
			     f->name, f->line, what, f->laxer) != LINDUNG_OK)
		return fail(f, LINDUNG_ENOMEM, "not enough memory");
	f->laxer = NULL;
	return LINDUNG_OK;
}

static int
line_quorum(struct file *f, const struct words *w)
{
	struct ld_policy *policy = f->reader->policy;
	int group = LD_RULE_NONE, err = words_expect(f, w, 1, 1);

	if (err == LINDUNG_OK && !is(w->word[1], "none"))
		err = group_read(f, w, 1, true, &group);
	if (err != LINDUNG_OK)
		return err;
	if (policy->has_quorum && policy->quorum != LD_RULE_NONE &&
	    (group == LD_RULE_NONE || !ld_group_implies(policy, group, policy->quorum)))
		err = loosens(f, "quorum");
	policy->has_quorum = true;
	policy->quorum = group;
	return err;
}

static int
line_age(struct file *f, const struct words *w)
{
	struct ld_policy *policy = f->reader->policy;
	int64_t age = 0;
	int err = words_expect(f, w, 1, 1);

	if (err == LINDUNG_OK)
		err = duration_read(f, w->word[1], (int64_t)3650 * DAY_S, 0, &age);
	if (err != LINDUNG_OK)
		return err;
	if (policy->age_max_s != 0 && (age == 0 || age > policy->age_max_s))
		err = loosens(f, "max-age");
	policy->age_max_s = age;
	return err;
}

static int
root_keys_read(const struct file *f, const struct words *w, size_t from, struct ld_roots *roots)
{
	for (size_t i = from; i < w->count; i++) {
		struct ld_verifier *key = &roots->keys[roots->key_count];
		int err;

		if (roots->key_count == LD_POLICY_ROOTS_MAX)
			return fail(f, LINDUNG_ELIMIT, "more than %d root keys",
				    (int)LD_POLICY_ROOTS_MAX);
		err = verifier_read(f, w->word[i], LD_KEY_ED25519, key);
		if (err != LINDUNG_OK)
			return err;
		for (uint32_t j = 0; j < roots->key_count; j++)
			if (key_same(&roots->keys[j], key))
				return fail(f, LINDUNG_ESYNTAX, "the same root key twice");
		roots->key_count++;
	}
	return LINDUNG_OK;
}

/* root N [until DAY] VKEY... */
static int
line_root(struct file *f, const struct words *w)
{
	struct ld_policy *policy = f->reader->policy;
	struct ld_roots *roots = &policy->roots[policy->roots_count];
	bool has_until = w->count > 2 && is(w->word[2], "until");
	int err = words_expect(f, w, has_until ? 4 : 2, LD_POLICY_ROOTS_MAX + 3);

	if (err != LINDUNG_OK)
		return err;
	if (policy->roots_count == LD_POLICY_ROOTS_MAX)
		return fail(f, LINDUNG_ELIMIT, "more than %d lines root", (int)LD_POLICY_ROOTS_MAX);
	*roots = (struct ld_roots){.until_s = INT64_MAX};
	if (has_until && ld_statement_time_parse(&roots->until_s, w->word[3], true) != LINDUNG_OK)
		return fail(f, LINDUNG_ESYNTAX, "\"%.*s\" is no day: write 2030-01-31",
			    SHOWN(w->word[3]));
	err = root_keys_read(f, w, has_until ? 4 : 2, roots);
	if (err != LINDUNG_OK)
		return err;
	if (!number_read(w->word[1], LD_POLICY_ROOTS_MAX, &roots->needed) || roots->needed == 0 ||
	    roots->needed > roots->key_count)
		return fail(f, LINDUNG_ESYNTAX,
			    "\"%.*s\": write how many of the %" PRIu32 " root keys must sign",
			    SHOWN(w->word[1]), roots->key_count);
	/* One more set of keys that is believed, beside that of a file that is included. */
	if (policy->roots_count > 0 && !f->says_root)
		err = loosens(f, "root");
	f->says_root = true;
	policy->roots_count++;
	return err;
}

static int
line_operator(struct file *f, const struct words *w)
{
	struct ld_policy *policy = f->reader->policy;
	uint32_t number;
	int err = words_expect(f, w, 1, 1);

	if (err == LINDUNG_OK)
		err = party_name(f, w->word[1], &number);
	if (err != LINDUNG_OK)
		return err;
	if (policy->operator_count == LD_POLICY_OPERATORS_MAX)
		return fail(f, LINDUNG_ELIMIT, "more than %d operators",
			    (int)LD_POLICY_OPERATORS_MAX);
	policy->operators[policy->operator_count++] = number;
	return LINDUNG_OK;
}

static int
line_upholder(struct file *f, const struct words *w)
{
	struct ld_policy *policy = f->reader->policy;
	int group = LD_RULE_NONE, err = words_expect(f, w, 1, 1);

	if (err == LINDUNG_OK && !is(w->word[1], "none"))
		err = group_read(f, w, 1, false, &group);
	if (err == LINDUNG_OK && policy->has_upholder && group != policy->upholder)
		err = loosens(f, "upholder");
	if (err != LINDUNG_OK)
		return err;
	policy->has_upholder = true;
	policy->upholder = group;
	return LINDUNG_OK;
}

/* flood statements|listed|disputed N|none */
static int
line_flood(struct file *f, const struct words *w)
{
	struct ld_flood *flood = &f->reader->policy->flood;
	uint32_t *which, most = 0;
	int err = words_expect(f, w, 2, 2);

	if (err != LINDUNG_OK)
		return err;
	if (is(w->word[1], "statements"))
		which = &flood->statements;
	else if (is(w->word[1], "listed"))
		which = &flood->listed;
	else if (is(w->word[1], "disputed"))
		which = &flood->disputed;
	else
		return fail(f, LINDUNG_ESYNTAX, "flood: write statements, listed or disputed");
	if (!is(w->word[2], "none") && (!number_read(w->word[2], INT32_MAX, &most) || most == 0))
		return fail(f, LINDUNG_ESYNTAX, "flood: write a number from 1, or none");
	if (*which != 0 && (most == 0 || most > *which))
		err = loosens(f, "flood");
	*which = most;
	return err;
}

/* A path beside the file that names it. */
static int
path_beside(const struct file *f, struct ld_span word, char **ret)
{
	char *folder = strdup(f->name), *path = NULL;

	if (folder == NULL)
		return fail(f, LINDUNG_ENOMEM, "not enough memory");
	if (asprintf(&path, "%s%s%.*s", word.data[0] == '/' ? "" : dirname(folder),
		     word.data[0] == '/' ? "" : "/", (int)word.len, word.data) < 0)
		path = NULL;
	free(folder);
	if (path == NULL)
		return fail(f, LINDUNG_ENOMEM, "not enough memory");
	*ret = path;
	return LINDUNG_OK;
}

static int
popular_file(struct file *f, const char *path)
{
	struct ld_report why;
	uint8_t *text;
	size_t len;
	int err = ld_read_file(path, LD_POLICY_POPULAR_BYTES_MAX, &text, &len, &why);

	if (err != LINDUNG_OK)
		return fail(f, err, "%s", why.text);
	err = ld_popular_read(&f->reader->policy->popular, ld_span(text, len), path,
			      f->reader->report);
	free(text);
	return err;
}

static int
line_popular(struct file *f, const struct words *w)
{
	struct reader *r = f->reader;
	char *path;
	int err = words_expect(f, w, 1, 1);

	if (err != LINDUNG_OK || is(w->word[1], "none"))
		return err;
	if (is(w->word[1], "builtin")) {
		if (r->builtin_popular == NULL)
			return fail(f, LINDUNG_EIO,
				    "popular: no list of well-known sites is there");
		if (r->builtin_taken)
			return LINDUNG_OK;
		r->builtin_taken = true;
		return popular_file(f, r->builtin_popular);
	}
	if (!r->has_files)
		return fail(f, LINDUNG_EDENIED, "popular: no files can be named here");
	err = path_beside(f, w->word[1], &path);
	if (err == LINDUNG_OK) {
		err = popular_file(f, path);
		free(path);
	}
	return err;
}

static int file_read(struct reader *r, const char *path, struct file *from);

static int
line_include(struct file *f, const struct words *w)
{
	struct reader *r = f->reader;
	char *path;
	int err = words_expect(f, w, 1, 1);

	if (err != LINDUNG_OK)
		return err;
	if (!r->has_files)
		return fail(f, LINDUNG_EDENIED, "include: no files can be named here");
	if (f->has_categories)
		return fail(f, LINDUNG_ESYNTAX, "include stands before the categories");
	if (r->depth == LD_POLICY_INCLUDES_MAX)
		return fail(f, LINDUNG_ELIMIT, "files in files, more than %d deep: in a circle?",
			    (int)LD_POLICY_INCLUDES_MAX);
	err = path_beside(f, w->word[1], &path);
	if (err == LINDUNG_OK) {
		r->depth++;
		err = file_read(r, path, f);
		r->depth--;
		free(path);
	}
	return err;
}

static int
line_laxer(struct file *f, const struct words *w)
{
	int err = words_expect(f, w, 1, WORDS_MAX - 1);

	if (err != LINDUNG_OK)
		return err;
	f->laxer = copy(f, w->rest[1]);
	return f->laxer != NULL ? LINDUNG_OK : fail(f, LINDUNG_ENOMEM, "not enough memory");
}

static const struct {
	const char *key;
	int (*read)(struct file *f, const struct words *w);
} top_lines[] = {
	{"log", line_log},           {"witness", line_witness},   {"group", line_group},
	{"quorum", line_quorum},     {"max-age", line_age},       {"root", line_root},
	{"popular", line_popular},   {"operator", line_operator}, {"upholder", line_upholder},
	{"flood", line_flood},       {"include", line_include},   {"laxer", line_laxer},
	{"category", line_category},
};

static int
line_take(struct file *f, const struct words *w)
{
	int err;

	for (size_t i = 0; f->rule != NULL && i < CATEGORY_LINE_COUNT; i++)
		if (is(w->word[0], category_lines[i].key))
			return category_line(f, w, (enum category_line)i);
	err = category_end(f);
	if (err != LINDUNG_OK)
		return err;
	for (size_t i = 0; i < sizeof top_lines / sizeof top_lines[0]; i++) {
		const char *had = f->laxer;

		if (!is(w->word[0], top_lines[i].key))
			continue;
		err = top_lines[i].read(f, w);
		if (err == LINDUNG_OK && had != NULL && f->laxer == had)
			err = fail(f, LINDUNG_ESYNTAX,
				   "\"laxer\" stands before a line that is not laxer");
		return err;
	}
	for (size_t i = 0; i < CATEGORY_LINE_COUNT; i++)
		if (is(w->word[0], category_lines[i].key))
			return fail(f, LINDUNG_ESYNTAX,
				    "\"%.*s\" belongs behind a line \"category KEY\"",
				    SHOWN(w->word[0]));
	return fail(f, LINDUNG_ESYNTAX, "no line of a policy begins with \"%.*s\"",
		    SHOWN(w->word[0]));
}

/* ---- Files ----------------------------------------------------------------------------------- */

static int
text_read(struct file *f, struct ld_span text)
{
	struct words *w = malloc(sizeof *w);
	bool has_head = false;
	int err = LINDUNG_OK;

	if (w == NULL)
		return fail(f, LINDUNG_ENOMEM, "not enough memory");
	while (text.len > 0 && err == LINDUNG_OK) {
		size_t end = ld_span_find(text, '\n');

		f->line++;
		err = line_cut(f, ld_span_trim(ld_span_first(text, end)), w);
		text = ld_span_from(text, end + 1);
		if (err != LINDUNG_OK || w->count == 0)
			continue;
		if (has_head)
			err = line_take(f, w);
		else if (w->count != 3 || !is(w->word[0], "lindung") || !is(w->word[1], "policy") ||
			 !is(w->word[2], "1"))
			err = fail(f, LINDUNG_ESYNTAX, "a policy begins with \"lindung policy 1\"");
		has_head = true;
	}
	free(w);
	if (err == LINDUNG_OK && !has_head)
		err = fail(f, LINDUNG_ESYNTAX, "a policy begins with \"lindung policy 1\"");
	if (err == LINDUNG_OK && f->laxer != NULL)
		err = fail(f, LINDUNG_ESYNTAX, "\"laxer\" stands before no line");
	return err != LINDUNG_OK ? err : category_end(f);
}

static int
file_read(struct reader *r, const char *path, struct file *from)
{
	struct file f = {.reader = r, .name = path};
	struct ld_report why;
	uint8_t *text;
	size_t len;
	int err = ld_read_file(path, LD_POLICY_MAX_BYTES, &text, &len, &why);

	if (err != LINDUNG_OK)
		return from != NULL ? fail(from, err, "%s", why.text)
				    : ld_fail(r->report, err, "%s", why.text);
	r->bytes += len;
	if (r->bytes > LD_POLICY_MAX_BYTES)
		err = fail(&f, LINDUNG_ELIMIT, "the files together have more than %d octets",
			   (int)LD_POLICY_MAX_BYTES);
	else
		err = text_read(&f, ld_span(text, len));
	free(text);
	return err;
}

static bool
suffices(const void *ctx, uint64_t witnesses)
{
	const struct ld_policy *policy = ctx;

	return policy->quorum == LD_RULE_NONE ||
	       ld_group_witnesses(policy, policy->quorum, witnesses);
}

static int
finish(struct ld_policy *policy, const char *name, struct ld_report *report)
{
	if (!policy->has_log)
		return ld_fail(report, LINDUNG_ESYNTAX, "%s: which log? Add a line \"log VKEY\"",
			       name);
	if (!policy->has_quorum)
		return ld_fail(
			report, LINDUNG_ESYNTAX,
			"%s: which witnesses? Add a line \"quorum GROUP\", or \"quorum none\"",
			name);
	if (policy->roots_count == 0)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "%s: who takes parties in? Add a line \"root N VKEY...\"", name);
	for (uint32_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].uphold == LD_RULE_NONE)
			policy->rules[i].uphold = policy->upholder;
	policy->trust = (struct ld_trust){
		.log = policy->log,
		.witness_count = policy->witness_count,
		.witnesses = policy->witnesses,
		.suffices = suffices,
		.ctx = policy,
		.age_max_s = (uint32_t)policy->age_max_s,
	};
	if (ld_policy_digest(policy) != LINDUNG_OK || ld_policy_look(policy) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", name);
	return LINDUNG_OK;
}

static int
policy_new(struct ld_policy **ret, struct ld_report *report)
{
	struct ld_policy *policy = calloc(1, sizeof *policy);

	if (policy == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	ld_arena_init(&policy->arena, ARENA_BYTES);
	policy->quorum = LD_RULE_NONE;
	policy->upholder = LD_RULE_NONE;
	*ret = policy;
	return LINDUNG_OK;
}

static int
policy_end(struct ld_policy **ret, struct ld_policy *policy, int err, const char *name,
	   struct ld_report *report)
{
	if (err == LINDUNG_OK)
		err = finish(policy, name, report);
	if (err != LINDUNG_OK) {
		ld_policy_free(policy);
		return err;
	}
	*ret = policy;
	return LINDUNG_OK;
}

int
ld_policy_open(struct ld_policy **ret, const char *path, const char *builtin_popular,
	       struct ld_report *report)
{
	struct ld_policy *policy = NULL;
	int err = policy_new(&policy, report);

	if (err != LINDUNG_OK)
		return err;
	struct reader r = {.policy = policy,
			   .builtin_popular = builtin_popular,
			   .has_files = true,
			   .report = report};
	err = file_read(&r, path, NULL);
	return policy_end(ret, policy, err, path, report);
}

int
ld_policy_parse(struct ld_policy **ret, struct ld_span text, const char *builtin_popular,
		struct ld_report *report)
{
	struct ld_policy *policy = NULL;
	int err = policy_new(&policy, report);

	if (err != LINDUNG_OK)
		return err;
	struct reader r = {.policy = policy, .builtin_popular = builtin_popular, .report = report};
	struct file f = {.reader = &r, .name = "policy"};
	if (text.len > LD_POLICY_MAX_BYTES)
		err = ld_fail(report, LINDUNG_ELIMIT, "policy: more than %d octets",
			      (int)LD_POLICY_MAX_BYTES);
	else
		err = text_read(&f, text);
	return policy_end(ret, policy, err, "policy", report);
}

void
ld_policy_free(struct ld_policy *policy)
{
	if (policy == NULL)
		return;
	ld_popular_clear(&policy->popular);
	ld_arena_clear(&policy->arena);
	free(policy);
}

const struct ld_trust *
ld_policy_trust(const struct ld_policy *policy)
{
	return &policy->trust;
}

struct ld_span
ld_policy_origin(const struct ld_policy *policy)
{
	return ld_span_str(policy->log.name);
}

bool
ld_policy_is_popular(const struct ld_policy *policy, const struct ld_entry *entry)
{
	uint8_t key[LD_HOST_MAX];

	return entry->host.len <= LD_HOST_MAX &&
	       ld_popular_has(&policy->popular, ld_span(key, ld_host_to_key(key, entry->host)),
			      entry->scope);
}

const char *
ld_policy_witness_url(const struct ld_policy *policy, unsigned i)
{
	LD_ASSERT(i < policy->witness_count);
	return policy->witness_urls[i];
}

void
ld_policy_hash(const struct ld_policy *policy, uint8_t ret[32])
{
	memcpy(ret, policy->hash.bytes, LD_HASH_BYTES);
}

const char *
ld_policy_url(const struct ld_policy *policy)
{
	return policy->log_url;
}

bool
ld_policy_is_popular(const struct ld_policy *policy, const struct ld_entry *entry)
{
	uint8_t key[LD_HOST_MAX];

	if (entry->host.len > LD_HOST_MAX)
		return false;
	return ld_popular_has(&policy->popular, ld_span(key, ld_host_to_key(key, entry->host)),
			      entry->scope);
}

int
ld_policy_remarks(const struct ld_policy *policy,
		  int (*each)(void *ctx, const char *text, bool is_wrong), void *ctx)
{
	int err = LINDUNG_OK;

	for (const struct ld_remark *r = policy->remarks; r != NULL && err == LINDUNG_OK;
	     r = r->next)
		err = each(ctx, r->text, r->is_wrong);
	return err;
}
