/* Reading a policy: its files, and what is asked of it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/file.h"
#include "name/name.h"
#include "quorum/policy_read.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

static int
text_read(struct ld_policy_file *f, struct ld_span text)
{
	struct ld_words *w = malloc(sizeof *w);
	bool has_head = false;
	int err = LINDUNG_OK;

	if (w == NULL)
		return ld_policy_fail(f, LINDUNG_ENOMEM, "not enough memory");
	while (text.len > 0 && err == LINDUNG_OK) {
		size_t end = ld_span_find(text, '\n');

		f->line++;
		err = ld_words_cut(f, ld_span_trim(ld_span_first(text, end)), w);
		text = ld_span_from(text, end + 1);
		if (err != LINDUNG_OK || w->count == 0)
			continue;
		if (has_head)
			err = ld_policy_line_take(f, w);
		else if (w->count != 3 || !ld_word_is(w->word[0], "lindung") ||
			 !ld_word_is(w->word[1], "policy") || !ld_word_is(w->word[2], "1"))
			err = ld_policy_fail(f, LINDUNG_ESYNTAX,
					     "a policy begins with \"lindung policy 1\"");
		has_head = true;
	}
	free(w);
	if (err == LINDUNG_OK && !has_head)
		err = ld_policy_fail(f, LINDUNG_ESYNTAX,
				     "a policy begins with \"lindung policy 1\"");
	if (err == LINDUNG_OK && f->laxer != NULL)
		err = ld_policy_fail(f, LINDUNG_ESYNTAX, "\"laxer\" stands before no line");
	return err != LINDUNG_OK ? err : ld_policy_category_end(f);
}

int
ld_policy_file_read(struct ld_policy_reader *r, const char *path, struct ld_policy_file *from)
{
	struct ld_policy_file f = {.reader = r, .name = path};
	struct ld_report why;
	uint8_t *text;
	size_t len;
	int err = ld_read_file(path, LD_POLICY_MAX_BYTES, &text, &len, &why);

	if (err != LINDUNG_OK)
		return from != NULL ? ld_policy_fail(from, err, "%s", why.text)
				    : ld_fail(r->report, err, "%s", why.text);
	r->bytes += len;
	if (r->bytes > LD_POLICY_MAX_BYTES)
		err = ld_policy_fail(&f, LINDUNG_ELIMIT,
				     "the files together have more than %d octets",
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
	struct ld_policy_reader r = {.policy = policy,
				     .builtin_popular = builtin_popular,
				     .has_files = true,
				     .report = report};
	err = ld_policy_file_read(&r, path, NULL);
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
	struct ld_policy_reader r = {
		.policy = policy, .builtin_popular = builtin_popular, .report = report};
	struct ld_policy_file f = {.reader = &r, .name = "policy"};
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
