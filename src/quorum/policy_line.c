/* Lines of a policy that speak of the whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "quorum/policy_read.h"

static int
verifier_read(const struct ld_policy_file *f, struct ld_span word, enum ld_key_type type,
	      struct ld_verifier *ret)
{
	struct ld_report why;
	int err = ld_verifier_parse(ret, word, &why);

	if (err != LINDUNG_OK)
		return ld_policy_fail(f, err, "%s", why.text);
	if (ret->type != type)
		return ld_policy_fail(f, LINDUNG_ESYNTAX, "%s is a key %s", ret->name,
				      type == LD_KEY_ED25519
					      ? "of a witness (of type 4), not to sign with"
					      : "to sign with (of type 1), not of a witness");
	return LINDUNG_OK;
}

static bool
key_same(const struct ld_verifier *a, const struct ld_verifier *b)
{
	return memcmp(a->key, b->key, sizeof a->key) == 0;
}

static int
line_log(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_policy *policy = f->reader->policy;
	int err = ld_words_expect(f, w, 1, 2);

	if (err != LINDUNG_OK)
		return err;
	if (policy->has_log)
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "a policy follows one log, and one stands above");
	err = verifier_read(f, w->word[1], LD_KEY_ED25519, &policy->log);
	policy->has_log = err == LINDUNG_OK;
	if (w->count == 3)
		policy->log_url = ld_policy_copy(f, w->word[2]);
	return err;
}

static int
line_witness(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_policy *policy = f->reader->policy;
	struct ld_verifier *key = &policy->witnesses[policy->witness_count];
	int err = ld_words_expect(f, w, 2, 3);

	if (err == LINDUNG_OK)
		err = ld_policy_name_new(f, w->word[1]);
	if (err != LINDUNG_OK)
		return err;
	if (policy->witness_count == LD_POLICY_WITNESSES_MAX)
		return ld_policy_fail(f, LINDUNG_ELIMIT, "more than %d witnesses",
				      (int)LD_POLICY_WITNESSES_MAX);
	err = verifier_read(f, w->word[2], LD_KEY_COSIGNATURE, key);
	if (err != LINDUNG_OK)
		return err;
	for (uint32_t i = 0; i < policy->witness_count; i++)
		if (key_same(&policy->witnesses[i], key))
			return ld_policy_fail(f, LINDUNG_ESYNTAX, "the key of witness %s again",
					      policy->witness_names[i]);
	policy->witness_names[policy->witness_count] = ld_policy_copy(f, w->word[1]);
	policy->witness_urls[policy->witness_count] =
		w->count == 4 ? ld_policy_copy(f, w->word[3]) : NULL;
	if (policy->witness_names[policy->witness_count] == NULL)
		return ld_policy_fail(f, LINDUNG_ENOMEM, "not enough memory");
	policy->witness_count++;
	return LINDUNG_OK;
}

/* A line that a file it includes has given: it may only be stricter, or says why not. */
static int
loosens(struct ld_policy_file *f, const char *what)
{
	if (f->laxer == NULL)
		return ld_policy_fail(
			f, LINDUNG_EDENIED,
			"%s: this may be laxer than what is included. If that is meant, write a "
			"line \"laxer REASON\" before it",
			what);
	if (ld_policy_remark(f->reader->policy, false, "%s:%u: %s: laxer than what is included: %s",
			     f->name, f->line, what, f->laxer) != LINDUNG_OK)
		return ld_policy_fail(f, LINDUNG_ENOMEM, "not enough memory");
	f->laxer = NULL;
	return LINDUNG_OK;
}

/* Lines that a file has once; what it includes may have them, too. */
enum { ONCE_QUORUM, ONCE_AGE, ONCE_UPHOLDER, ONCE_FLOOD /* and two more */ };

static int
once(struct ld_policy_file *f, unsigned which, const char *what)
{
	if ((f->said_once >> which & 1) != 0)
		return ld_policy_fail(f, LINDUNG_ESYNTAX, "%s stands above in this file", what);
	f->said_once |= 1u << which;
	return LINDUNG_OK;
}

static int
line_quorum(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_policy *policy = f->reader->policy;
	int group = LD_RULE_NONE, err = ld_words_expect(f, w, 1, 1);

	if (err == LINDUNG_OK)
		err = once(f, ONCE_QUORUM, "quorum");
	if (err == LINDUNG_OK && !ld_word_is(w->word[1], "none"))
		err = ld_policy_group_read(f, w, 1, true, &group);
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
line_age(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_policy *policy = f->reader->policy;
	int64_t age = 0;
	int err = ld_words_expect(f, w, 1, 1);

	if (err == LINDUNG_OK)
		err = once(f, ONCE_AGE, "max-age");
	if (err == LINDUNG_OK)
		err = ld_duration_read(f, w->word[1], (int64_t)3650 * LD_POLICY_DAY_S, 0, &age);
	if (err != LINDUNG_OK)
		return err;
	if (policy->age_max_s != 0 && (age == 0 || age > policy->age_max_s))
		err = loosens(f, "max-age");
	policy->age_max_s = age;
	return err;
}

static int
root_keys_read(const struct ld_policy_file *f, const struct ld_words *w, size_t from,
	       struct ld_roots *roots)
{
	for (size_t i = from; i < w->count; i++) {
		struct ld_verifier *key = &roots->keys[roots->key_count];
		int err;

		if (roots->key_count == LD_POLICY_ROOTS_MAX)
			return ld_policy_fail(f, LINDUNG_ELIMIT, "more than %d root keys",
					      (int)LD_POLICY_ROOTS_MAX);
		err = verifier_read(f, w->word[i], LD_KEY_ED25519, key);
		if (err != LINDUNG_OK)
			return err;
		for (uint32_t j = 0; j < roots->key_count; j++)
			if (key_same(&roots->keys[j], key))
				return ld_policy_fail(f, LINDUNG_ESYNTAX,
						      "the same root key twice");
		roots->key_count++;
	}
	return LINDUNG_OK;
}

/* root N [until DAY] VKEY... */
static int
line_root(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_policy *policy = f->reader->policy;
	struct ld_roots *roots = &policy->roots[policy->roots_count];
	bool has_until = w->count > 2 && ld_word_is(w->word[2], "until");
	int err = ld_words_expect(f, w, has_until ? 4 : 2, LD_POLICY_ROOTS_MAX + 3);

	if (err != LINDUNG_OK)
		return err;
	if (policy->roots_count == LD_POLICY_ROOTS_MAX)
		return ld_policy_fail(f, LINDUNG_ELIMIT, "more than %d lines root",
				      (int)LD_POLICY_ROOTS_MAX);
	*roots = (struct ld_roots){.until_s = INT64_MAX};
	if (has_until && ld_statement_time_parse(&roots->until_s, w->word[3], true) != LINDUNG_OK)
		return ld_policy_fail(f, LINDUNG_ESYNTAX, "\"%.*s\" is no day: write 2030-01-31",
				      LD_WORD_SHOWN(w->word[3]));
	err = root_keys_read(f, w, has_until ? 4 : 2, roots);
	if (err != LINDUNG_OK)
		return err;
	if (!ld_number_read(w->word[1], LD_POLICY_ROOTS_MAX, &roots->needed) ||
	    roots->needed == 0 || roots->needed > roots->key_count)
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "\"%.*s\": write how many of the %" PRIu32
				      " root keys must sign",
				      LD_WORD_SHOWN(w->word[1]), roots->key_count);
	/* One more set of keys that is believed, beside that of a file that is included. */
	if (policy->roots_count > 0 && !f->says_root)
		err = loosens(f, "root");
	f->says_root = true;
	policy->roots_count++;
	return err;
}

static int
line_operator(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_policy *policy = f->reader->policy;
	uint32_t number;
	int err = ld_words_expect(f, w, 1, 1);

	if (err == LINDUNG_OK)
		err = ld_policy_party_name(f, w->word[1], &number);
	if (err != LINDUNG_OK)
		return err;
	if (policy->operator_count == LD_POLICY_OPERATORS_MAX)
		return ld_policy_fail(f, LINDUNG_ELIMIT, "more than %d operators",
				      (int)LD_POLICY_OPERATORS_MAX);
	policy->operators[policy->operator_count++] = number;
	return LINDUNG_OK;
}

static int
line_upholder(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_policy *policy = f->reader->policy;
	int group = LD_RULE_NONE, err = ld_words_expect(f, w, 1, 1);

	if (err == LINDUNG_OK)
		err = once(f, ONCE_UPHOLDER, "upholder");
	if (err == LINDUNG_OK && !ld_word_is(w->word[1], "none"))
		err = ld_policy_group_read(f, w, 1, false, &group);
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
line_flood(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_flood *flood = &f->reader->policy->flood;
	static const char *const keys[] = {"statements", "listed", "disputed"};
	uint32_t *const whiches[] = {&flood->statements, &flood->listed, &flood->disputed};
	uint32_t *which, most = 0;
	unsigned i = 0;
	int err = ld_words_expect(f, w, 2, 2);

	if (err != LINDUNG_OK)
		return err;
	while (i < 3 && !ld_word_is(w->word[1], keys[i]))
		i++;
	if (i == 3)
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "flood: write statements, listed or disputed");
	if (!ld_word_is(w->word[2], "none") &&
	    (!ld_number_read(w->word[2], INT32_MAX, &most) || most == 0))
		return ld_policy_fail(f, LINDUNG_ESYNTAX, "flood: write a number from 1, or none");
	err = once(f, ONCE_FLOOD + i, "this flood");
	if (err != LINDUNG_OK)
		return err;
	which = whiches[i];
	if (*which != 0 && (most == 0 || most > *which))
		err = loosens(f, "flood");
	*which = most;
	return err;
}

/* A path beside the file that names it. */
static int
path_beside(const struct ld_policy_file *f, struct ld_span word, char **ret)
{
	char *folder = strdup(f->name), *path = NULL;

	if (folder == NULL)
		return ld_policy_fail(f, LINDUNG_ENOMEM, "not enough memory");
	if (asprintf(&path, "%s%s%.*s", word.data[0] == '/' ? "" : dirname(folder),
		     word.data[0] == '/' ? "" : "/", (int)word.len, word.data) < 0)
		path = NULL;
	free(folder);
	if (path == NULL)
		return ld_policy_fail(f, LINDUNG_ENOMEM, "not enough memory");
	*ret = path;
	return LINDUNG_OK;
}

static int
popular_file(struct ld_policy_file *f, const char *path)
{
	struct ld_report why;
	uint8_t *text;
	size_t len;
	int err = ld_read_file(path, LD_POLICY_POPULAR_BYTES_MAX, &text, &len, &why);

	if (err != LINDUNG_OK)
		return ld_policy_fail(f, err, "%s", why.text);
	err = ld_popular_read(&f->reader->policy->popular, ld_span(text, len), path,
			      f->reader->report);
	free(text);
	return err;
}

static int
line_popular(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_policy_reader *r = f->reader;
	char *path;
	int err = ld_words_expect(f, w, 1, 1);

	if (err != LINDUNG_OK || ld_word_is(w->word[1], "none"))
		return err;
	if (ld_word_is(w->word[1], "builtin")) {
		if (r->builtin_popular == NULL)
			return ld_policy_fail(f, LINDUNG_EIO,
					      "popular: no list of well-known sites is there");
		if (r->builtin_taken)
			return LINDUNG_OK;
		r->builtin_taken = true;
		return popular_file(f, r->builtin_popular);
	}
	if (!r->has_files)
		return ld_policy_fail(f, LINDUNG_EDENIED, "popular: no files can be named here");
	err = path_beside(f, w->word[1], &path);
	if (err == LINDUNG_OK) {
		err = popular_file(f, path);
		free(path);
	}
	return err;
}

static int
line_include(struct ld_policy_file *f, const struct ld_words *w)
{
	struct ld_policy_reader *r = f->reader;
	char *path;
	int err = ld_words_expect(f, w, 1, 1);

	if (err != LINDUNG_OK)
		return err;
	if (!r->has_files)
		return ld_policy_fail(f, LINDUNG_EDENIED, "include: no files can be named here");
	if (f->has_categories)
		return ld_policy_fail(f, LINDUNG_ESYNTAX, "include stands before the categories");
	if (r->depth == LD_POLICY_INCLUDES_MAX)
		return ld_policy_fail(f, LINDUNG_ELIMIT,
				      "files in files, more than %d deep: in a circle?",
				      (int)LD_POLICY_INCLUDES_MAX);
	err = path_beside(f, w->word[1], &path);
	if (err == LINDUNG_OK) {
		r->depth++;
		err = ld_policy_file_read(r, path, f);
		r->depth--;
		free(path);
	}
	return err;
}

static int
line_laxer(struct ld_policy_file *f, const struct ld_words *w)
{
	int err = ld_words_expect(f, w, 1, LD_WORDS_MAX - 1);

	if (err != LINDUNG_OK)
		return err;
	f->laxer = ld_policy_copy(f, w->rest[1]);
	return f->laxer != NULL ? LINDUNG_OK
				: ld_policy_fail(f, LINDUNG_ENOMEM, "not enough memory");
}

static const struct {
	const char *key;
	int (*read)(struct ld_policy_file *f, const struct ld_words *w);
} top_lines[] = {
	{"log", line_log},
	{"witness", line_witness},
	{"group", ld_policy_line_group},
	{"quorum", line_quorum},
	{"max-age", line_age},
	{"root", line_root},
	{"popular", line_popular},
	{"operator", line_operator},
	{"upholder", line_upholder},
	{"flood", line_flood},
	{"include", line_include},
	{"laxer", line_laxer},
	{"category", ld_policy_line_category},
};

int
ld_policy_line_take(struct ld_policy_file *f, const struct ld_words *w)
{
	int err;

	if (f->rule != NULL && ld_policy_is_of_category(w->word[0]))
		return ld_policy_category_take(f, w);
	err = ld_policy_category_end(f);
	if (err != LINDUNG_OK)
		return err;
	for (size_t i = 0; i < sizeof top_lines / sizeof top_lines[0]; i++) {
		const char *had = f->laxer;

		if (!ld_word_is(w->word[0], top_lines[i].key))
			continue;
		err = top_lines[i].read(f, w);
		if (err == LINDUNG_OK && had != NULL && f->laxer == had)
			err = ld_policy_fail(f, LINDUNG_ESYNTAX,
					     "\"laxer\" stands before a line that is not laxer");
		return err;
	}
	if (ld_policy_is_of_category(w->word[0]))
		return ld_policy_fail(f, LINDUNG_ESYNTAX,
				      "\"%.*s\" belongs behind a line \"category KEY\"",
				      LD_WORD_SHOWN(w->word[0]));
	return ld_policy_fail(f, LINDUNG_ESYNTAX, "no line of a policy begins with \"%.*s\"",
			      LD_WORD_SHOWN(w->word[0]));
}
