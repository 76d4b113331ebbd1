/* Reading a policy: what its files share.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For the files of this folder.  All live while one policy is read. */
#ifndef LD_QUORUM_POLICY_READ_H
#define LD_QUORUM_POLICY_READ_H

#include "quorum/rules.h"

enum {
	LD_WORDS_MAX = LD_POLICY_MEMBERS_MAX + 3,
	LD_POLICY_DAY_S = 86400,
};

/* One line, cut at blanks. */
struct ld_words {
	struct ld_span word[LD_WORDS_MAX + 1];
	size_t count;
	struct ld_span rest[3]; /* the line from this word on, for what is free text */
};

struct ld_policy_reader {
	struct ld_policy *policy;
	const char *builtin_popular;
	bool has_files; /* it may name others */
	unsigned depth;
	size_t bytes; /* of all files */
	bool builtin_taken;
	struct ld_report *report;
};

/* One file that is being read. */
struct ld_policy_file {
	struct ld_policy_reader *reader;
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
	uint32_t said_once; /* bits: lines that stand once in a file */
	const char *laxer;  /* a reason for the next line */
};

/** Write the report, with file and line before it. Returns `error`. */
int ld_policy_fail(const struct ld_policy_file *f, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** A copy that lives as long as the policy, terminated; NULL without memory. */
char *ld_policy_copy(const struct ld_policy_file *f, struct ld_span text);

/* ---- policy_words.c ----------------------------------------------------------------------------
 */

/** Arguments for "%.*s". */
#define LD_WORD_SHOWN(span) (int)((span).len < 80 ? (span).len : 80), (const char *)(span).data

static inline bool
ld_word_is(struct ld_span word, const char *text)
{
	return ld_span_equal(word, ld_span_str(text));
}

int ld_words_cut(const struct ld_policy_file *f, struct ld_span line, struct ld_words *ret);
/** From so many to so many words must stand behind the first. */
int ld_words_expect(const struct ld_policy_file *f, const struct ld_words *w, size_t least,
		    size_t most);
bool ld_number_read(struct ld_span word, uint32_t most, uint32_t *ret);
/** "14d", "12h", "90s"; "never" gives `never`, where that is not negative. */
int ld_duration_read(const struct ld_policy_file *f, struct ld_span word, int64_t most_s,
		     int64_t never, int64_t *ret);

/* ---- policy_group.c ----------------------------------------------------------------------------
 */

/** The number of the party with this id, which the policy names from now on. */
int ld_policy_party_name(const struct ld_policy_file *f, struct ld_span id, uint32_t *ret);
/** May this be the name of a witness or group? */
int ld_policy_name_new(const struct ld_policy_file *f, struct ld_span name);
int ld_policy_line_group(struct ld_policy_file *f, const struct ld_words *w);
/** Word `at`, which is a group; or a member, then any of it. */
int ld_policy_group_read(const struct ld_policy_file *f, const struct ld_words *w, size_t at,
			 bool of_witnesses, int *ret);

/* ---- policy_category.c -------------------------------------------------------------------------
 */

int ld_policy_line_category(struct ld_policy_file *f, const struct ld_words *w);
/** The line belongs to a category, where one stands above: then take it. */
bool ld_policy_is_of_category(struct ld_span word);
int ld_policy_category_take(struct ld_policy_file *f, const struct ld_words *w);
/** The category's lines have ended. */
int ld_policy_category_end(struct ld_policy_file *f);

/* ---- policy_line.c, policy.c -------------------------------------------------------------------
 */

int ld_policy_line_take(struct ld_policy_file *f, const struct ld_words *w);
/** Read a file and what it includes; `from` (or NULL) names it. */
int ld_policy_file_read(struct ld_policy_reader *r, const char *path, struct ld_policy_file *from);

#endif
