/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/make.h"

#include <stdlib.h>

#include "index/admit.h"
#include "index/sealed_record.h"

struct ld_maker {
	const struct ld_compile_options *options;
	struct ld_rules *rules;
	struct ld_admission *admission;
	struct ld_sorter *sorter;
	uint8_t blind_key[LD_BLIND_KEY_BYTES];
	bool has_blind_key;
};

int
ld_maker_new(struct ld_maker **ret, const struct ld_compile_options *options)
{
	struct ld_maker *m = calloc(1, sizeof *m);
	int err = LINDUNG_ENOMEM;

	if (m == NULL)
		return LINDUNG_ENOMEM;
	m->options = options;
	err = ld_rules_new(&m->rules);
	if (err == LINDUNG_OK)
		err = ld_admission_new(&m->admission, options->suffixes, options->protects,
				       options->protect_count, options->overlay);
	/* Half for the records, as when lists are compiled. */
	if (err == LINDUNG_OK)
		err = ld_sorter_new(&m->sorter, options->memory_bytes / 2, options->directory);
	if (err == LINDUNG_OK)
		err = ld_protections_add(m->rules, m->sorter, options->protects,
					 options->protect_count);
	if (err != LINDUNG_OK) {
		ld_maker_free(m);
		return err;
	}
	*ret = m;
	return LINDUNG_OK;
}

void
ld_maker_free(struct ld_maker *m)
{
	if (m == NULL)
		return;
	ld_sorter_free(m->sorter);
	ld_admission_free(m->admission);
	ld_rules_free(m->rules);
	explicit_bzero(m->blind_key, sizeof m->blind_key);
	free(m);
}

/* The record once for each of the sources. */
static int
records_add(struct ld_maker *m, struct ld_record *record, struct ld_rule_text *rule,
	    struct ld_span sources)
{
	int err;

	do {
		rule->source = ld_span_first(sources, ld_span_find(sources, ','));
		sources = ld_span_from(sources, rule->source.len + 1);
		err = ld_rules_intern(m->rules, rule, &record->rule);
		if (err == LINDUNG_OK)
			err = ld_sorter_add(m->sorter, record);
	} while (err == LINDUNG_OK && sources.len != 0);
	return err;
}

int
ld_maker_add(struct ld_maker *m, const struct ld_entry *entry, enum ld_reject *ret_reject)
{
	struct ld_rule_text rule = {.category = entry->category,
				    .target = entry->target,
				    .action = entry->action,
				    .flags = entry->flags};
	struct ld_record record = {.scope = entry->scope};
	const struct ld_compile_options *options = m->options;
	uint8_t key[LD_INDEX_KEY_MAX];
	struct ld_span text;
	enum ld_reject reason;

	reason = ld_admission_take(m->admission, entry, &rule, key, &record.key.len, &text);
	if (ret_reject != NULL)
		*ret_reject = reason;
	if (reason != LD_REJECT_COUNT) {
		if (options->reject != NULL)
			options->reject(options->reject_ctx, 0, reason, 0, text);
		return LINDUNG_OK;
	}
	record.key.data = key;
	/* Who closes by order also opens by order, here: what is effective was agreed on. */
	if (rule.action <= LD_ACTION_ALLOW && ld_category_is_locked(options, rule.category))
		rule.flags |= LD_ENTRY_LOCKED;
	return records_add(m, &record, &rule, entry->source);
}

void
ld_maker_blind_key(struct ld_maker *m, const uint8_t key[LD_BLIND_KEY_BYTES])
{
	memcpy(m->blind_key, key, LD_BLIND_KEY_BYTES);
	m->has_blind_key = true;
}

int
ld_maker_seal(struct ld_maker *m, const uint8_t blind[LD_BLIND_BYTES], struct ld_span category,
	      struct ld_span sources, bool removed)
{
	struct ld_rule_text rule = {.category = category,
				    .action = removed ? LD_ACTION_REMOVE : LD_ACTION_BLOCK,
				    .flags = LD_ENTRY_LOCKED};
	struct ld_record record = {.scope = blind[LD_BLIND_SCOPE_AT]};
	uint8_t key[LD_SEALED_RECORD_BYTES];

	if (!m->has_blind_key || (removed && !m->options->overlay) ||
	    !(ld_category_key_is_valid(category) ||
	      (removed && ld_span_equal(category, LD_SPAN("*")))) ||
	    record.scope < LD_SCOPE_SELF || record.scope > LD_SCOPE_URL ||
	    blind[LD_BLIND_LABELS_AT] == 0 || blind[LD_BLIND_LABELS_AT] > LD_INDEX_LABELS_MAX)
		return LINDUNG_EINVAL;
	ld_sealed_record(key, blind);
	record.key = ld_span(key, sizeof key);
	return records_add(m, &record, &rule, sources);
}

int
ld_maker_finish(struct ld_maker *m, const char *path, struct ld_build_stats *ret,
		struct ld_report *report)
{
	struct ld_build_options options = ld_compile_build_options(m->options);
	int err = ld_sorter_finish(m->sorter);

	if (err != LINDUNG_OK)
		return ld_fail(report, err, "%s", lindung_strerror(err));
	options.blind_key = m->blind_key;
	return ld_build(path, m->rules, &m->sorter, 1, &options, NULL, ret, report);
}
