/* DNS records as text, as far as lists have them: in RPZ files and Unbound's local-data.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "list/parser.h"

static bool
is_ttl(struct ld_span word)
{
	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.data[i] | 0x20;

		if ((word.data[i] < '0' || word.data[i] > '9') && memchr("smhdw", c, 5) == NULL)
			return false;
	}
	return word.len != 0 && word.data[0] >= '0' && word.data[0] <= '9';
}

static bool
is_class(struct ld_span word)
{
	return ld_text_is(word, "IN") || ld_text_is(word, "CH") || ld_text_is(word, "HS");
}

bool
ld_record_split(struct ld_span owner, struct ld_span rest, struct ld_record *ret)
{
	struct ld_span word = ld_word_next(&rest);

	/* TTL and class may stand in either order, or be left out. */
	for (int i = 0; i < 2 && (is_ttl(word) || is_class(word)); i++)
		word = ld_word_next(&rest);
	ret->owner = owner;
	ret->type = word;
	ret->data = ld_span_trim(rest);
	return word.len != 0 && ret->data.len != 0;
}

static enum ld_reject
address_record(struct ld_list_parser *p, const struct ld_record *record, struct ld_entry *entry)
{
	bool is_v6 = ld_span_find(record->data, ':') != record->data.len;

	if (is_v6 != ld_text_is(record->type, "AAAA"))
		return LD_REJECT_SYNTAX;
	switch (ld_address_read(p->target, record->data)) {
	case LD_ADDRESS_SINK:
		entry->action = LD_ACTION_BLOCK;
		return LD_REJECT_NONE;
	case LD_ADDRESS_REAL:
		entry->action = LD_ACTION_REWRITE;
		entry->target = ld_span_str(p->target);
		return LD_REJECT_NONE;
	case LD_ADDRESS_NONE:
	case LD_ADDRESS_SCOPED:
		break;
	}
	return LD_REJECT_SYNTAX;
}

enum ld_reject
ld_parser_record(struct ld_list_parser *p, const struct ld_record *record, struct ld_entry *entry)
{
	if (ld_text_is(record->type, "A") || ld_text_is(record->type, "AAAA"))
		return address_record(p, record, entry);
	if (!ld_text_is(record->type, "CNAME"))
		return LD_REJECT_ACTION;
	entry->action = LD_ACTION_REWRITE;
	return ld_parser_cname(p, record->data, &entry->target) == LD_REJECT_NONE
		       ? LD_REJECT_NONE
		       : LD_REJECT_SYNTAX;
}
