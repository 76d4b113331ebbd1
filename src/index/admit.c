/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/admit.h"

#include <stdlib.h>

#include "base/hash.h"

struct ld_admission {
	const struct ld_psl *suffixes;
	const struct ld_protected *protects;
	bool overlay;
	uint32_t mask;
	uint32_t slots[]; /* place in protects + 1 */
};

int
ld_admission_new(struct ld_admission **ret, const struct ld_psl *suffixes,
		 const struct ld_protected *protects, size_t count, bool overlay)
{
	uint32_t size = 16;
	struct ld_admission *a;

	while (size < 4 * count)
		size *= 2;
	a = calloc(1, sizeof *a + size * sizeof *a->slots);
	if (a == NULL)
		return LINDUNG_ENOMEM;
	a->suffixes = suffixes;
	a->protects = protects;
	a->overlay = overlay;
	a->mask = size - 1;
	for (size_t i = 0; i < count; i++) {
		uint32_t at = (uint32_t)ld_hash_bytes(protects[i].host, 0) & a->mask;

		while (a->slots[at] != 0)
			at = (at + 1) & a->mask;
		a->slots[at] = (uint32_t)i + 1;
	}
	*ret = a;
	return LINDUNG_OK;
}

void
ld_admission_free(struct ld_admission *a)
{
	free(a);
}

/* The host is protected, itself or with a parent. */
static bool
host_is_protected(const struct ld_admission *a, struct ld_span host)
{
	for (struct ld_span rest = host; rest.len != 0;) {
		uint32_t at = (uint32_t)ld_hash_bytes(rest, 0) & a->mask;

		for (; a->slots[at] != 0; at = (at + 1) & a->mask) {
			const struct ld_protected *p = &a->protects[a->slots[at] - 1];

			if (ld_span_equal(p->host, rest) && (!p->exact || rest.len == host.len))
				return true;
		}
		rest = ld_span_from(rest, ld_span_find(rest, '.') + 1);
	}
	return false;
}

enum ld_reject
ld_admission_check(const struct ld_admission *a, const struct ld_entry *entry)
{
	if ((entry->flags & LD_ENTRY_BADFILTER) != 0)
		return LD_REJECT_COUNT;
	if ((entry->flags & (LD_ENTRY_PROTECTED | LD_ENTRY_LOCKED)) != 0)
		return LD_REJECT_ACTION;
	if (entry->action == LD_ACTION_REMOVE)
		return a->overlay ? LD_REJECT_COUNT : LD_REJECT_ACTION;
	if (ld_host_labels(entry->host) < 2)
		return LD_REJECT_SINGLE_LABEL;
	/* Part of a site below a public suffix closes nobody else's, and opens nobody's. */
	if (entry->scope != LD_SCOPE_URL && a->suffixes != NULL &&
	    ld_psl_is_suffix(a->suffixes, entry->host))
		return LD_REJECT_PUBLIC_SUFFIX;
	if (entry->action != LD_ACTION_ALLOW && host_is_protected(a, entry->host))
		return LD_REJECT_PROTECTED;
	return LD_REJECT_COUNT;
}

size_t
ld_entry_key(uint8_t *key, const struct ld_entry *entry)
{
	size_t len;

	if (entry->host.len + entry->path.len > LD_INDEX_KEY_MAX)
		return 0;
	len = ld_host_to_key(key, entry->host);
	if (entry->path.len != 0)
		memcpy(key + len, entry->path.data, entry->path.len);
	return len + entry->path.len;
}

enum ld_reject
ld_admission_take(const struct ld_admission *a, const struct ld_entry *entry,
		  const struct ld_rule_text *rule, uint8_t *key, size_t *ret_len,
		  struct ld_span *ret_text)
{
	enum ld_reject reason = ld_admission_check(a, entry);

	*ret_text = entry->host;
	if (reason != LD_REJECT_COUNT)
		return reason;
	if (!ld_span_equal(rule->category, LD_SPAN("*")) &&
	    !ld_category_key_is_valid(rule->category)) {
		*ret_text = rule->category;
		return LD_REJECT_SYNTAX;
	}
	if (rule->source.len > LD_INDEX_TEXT_MAX || rule->target.len > LD_INDEX_TEXT_MAX)
		return LD_REJECT_TOO_LONG;
	*ret_len = ld_entry_key(key, entry);
	return *ret_len != 0 ? LD_REJECT_COUNT : LD_REJECT_TOO_LONG;
}

bool
ld_category_is_locked(const struct ld_compile_options *options, struct ld_span category)
{
	for (size_t i = 0; i < options->locked_count; i++)
		if (ld_span_equal(category, ld_span_str(options->locked[i])))
			return true;
	return false;
}

int
ld_protections_add(struct ld_rules *rules, struct ld_sorter *sorter,
		   const struct ld_protected *protects, size_t count)
{
	const struct ld_rule_text rule = {.category = LD_SPAN("*"),
					  .source = LD_SPAN("protected"),
					  .action = LD_ACTION_ALLOW,
					  .flags = LD_ENTRY_PROTECTED};
	struct ld_record record = {.list = LD_PROTECTED_LIST};
	int err = count != 0 ? ld_rules_intern(rules, &rule, &record.rule) : LINDUNG_OK;

	for (size_t i = 0; err == LINDUNG_OK && i < count; i++) {
		struct ld_entry entry = {.host = protects[i].host};
		uint8_t key[LD_INDEX_KEY_MAX];

		record.key = ld_span(key, ld_entry_key(key, &entry));
		record.scope = protects[i].exact ? LD_SCOPE_SELF : LD_SCOPE_TREE;
		err = ld_sorter_add(sorter, &record);
	}
	return err;
}
