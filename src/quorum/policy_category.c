/* The rules of categories, line by line.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "quorum/policy_read.h"

/* X(key, symbol, least words, most) */
#define CATEGORY_LINES(X)                                                                          \
	X("agree", AGREE, 1, 1)                                                                    \
	X("lives", LIVES, 1, 1)                                                                    \
	X("popular", POPULAR, 1, 1)                                                                \
	X("suspend", SUSPEND, 1, 2)                                                                \
	X("uphold", UPHOLD, 1, 1)                                                                  \
	X("clock", CLOCK, 1, 1)                                                                    \
	X("sealed", SEALED, 1, 1)                                                                  \
	X("laxer", LAXER, 1, LD_WORDS_MAX - 1)

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

static enum category_line
line_find(struct ld_span word)
{
	size_t i = 0;

	while (i < CATEGORY_LINE_COUNT && !ld_word_is(word, category_lines[i].key))
		i++;
	return (enum category_line)i;
}

int
ld_policy_category_end(struct ld_policy_file *f)
{
	struct ld_policy_reader *r = f->reader;
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
	if (ld_word_is(key, "*"))
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
		if (ld_word_is(key, policy->rules[i].category))
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

int
ld_policy_line_category(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_policy *policy = f->reader->policy;
	const struct ld_rule *before;
	struct ld_rule *rule;
	int err = ld_words_expect(f, w, 1, 1);

	if (err != LINDUNG_OK)
		return err;
	if (!category_key_is_good(w->word[1]))
		return ld_policy_fail(f, LINDUNG_ESYNTAX, "\"%.*s\" is no key of a category",
				      LD_WORD_SHOWN(w->word[1]));
	for (size_t i = 0; i < f->said_here_count; i++)
		if (ld_word_is(w->word[1], f->said_here[i]))
			return ld_policy_fail(f, LINDUNG_ESYNTAX, "category %s stands above",
					      f->said_here[i]);
	rule = rule_find(policy, w->word[1]);
	before = ld_policy_rule(policy, w->word[1]);
	/* What this file itself says of the other categories is not what it takes over. */
	if (rule == NULL && f->says_star)
		before = f->has_star ? &f->star : NULL;
	if (ld_word_is(w->word[1], "*")) {
		f->says_star = true;
		f->has_star = before != NULL;
		if (before != NULL)
			f->star = *before;
	}
	if (rule == NULL && policy->rule_count == LD_POLICY_CATEGORIES_MAX)
		return ld_policy_fail(f, LINDUNG_ELIMIT, "more than %d categories",
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
							      LD_POLICY_DAY_S};
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
suspend_read(const struct ld_policy_file *f, const struct ld_words *w, struct ld_rule *rule)
{
	if (ld_word_is(w->word[1], "never") && w->count == 2) {
		rule->suspend_count = 0;
		rule->suspend = LD_RULE_NONE;
		return LINDUNG_OK;
	}
	if (w->count != 3 ||
	    !ld_number_read(w->word[1], LD_POLICY_MEMBERS_MAX, &rule->suspend_count) ||
	    rule->suspend_count == 0)
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "suspend: write \"N GROUP\" or \"never\"");
	return ld_policy_group_read(f, w, 2, false, &rule->suspend);
}

static int
sealed_read(const struct ld_policy_file *f, struct ld_span word, struct ld_rule *rule)
{
	static const char *const keys[] = {
#define LD_X(symbol, key) key,
		LD_SEALED(LD_X)
#undef LD_X
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (ld_word_is(word, keys[i])) {
			rule->sealed = (enum ld_sealed)i;
			return LINDUNG_OK;
		}
	return ld_policy_fail(f, LINDUNG_ESYNTAX, "sealed: write required, allowed or refused");
}

static int
category_line(struct ld_policy_file *f, const struct ld_words *w, enum category_line which)
{
	struct ld_rule *rule = f->rule;
	int err = ld_words_expect(f, w, category_lines[which].least, category_lines[which].most);

	if (err == LINDUNG_OK && (f->said >> which & 1) != 0)
		err = ld_policy_fail(f, LINDUNG_ESYNTAX, "%s stands above in this category",
				     category_lines[which].key);
	if (err != LINDUNG_OK)
		return err;
	f->said |= 1u << which;
	switch (which) {
	case CATEGORY_AGREE:
		return ld_policy_group_read(f, w, 1, false, &rule->agree);
	case CATEGORY_LIVES:
		return ld_duration_read(f, w->word[1],
					(int64_t)LD_STATEMENT_LIFE_MAX_DAYS * LD_POLICY_DAY_S, -1,
					&rule->lives_s);
	case CATEGORY_POPULAR:
		rule->popular = LD_RULE_NONE;
		return ld_word_is(w->word[1], "none")
			       ? LINDUNG_OK
			       : ld_policy_group_read(f, w, 1, false, &rule->popular);
	case CATEGORY_SUSPEND:
		return suspend_read(f, w, rule);
	case CATEGORY_UPHOLD:
		return ld_policy_group_read(f, w, 1, false, &rule->uphold);
	case CATEGORY_CLOCK:
		return ld_duration_read(f, w->word[1],
					(int64_t)LD_STATEMENT_LIFE_MAX_DAYS * LD_POLICY_DAY_S, 0,
					&rule->clock_s);
	case CATEGORY_SEALED:
		return sealed_read(f, w->word[1], rule);
	case CATEGORY_LAXER:
	case CATEGORY_LINE_COUNT:
	default:
		rule->laxer = ld_policy_copy(f, w->rest[1]);
		return rule->laxer != NULL ? LINDUNG_OK
					   : ld_policy_fail(f, LINDUNG_ENOMEM, "not enough memory");
	}
}

bool
ld_policy_is_of_category(struct ld_span word)
{
	return line_find(word) < CATEGORY_LINE_COUNT;
}

int
ld_policy_category_take(struct ld_policy_file *f, const struct ld_words *w)
{
	return category_line(f, w, line_find(w->word[0]));
}
