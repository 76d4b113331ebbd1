/* Reader of our own format, formats/list.md.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "list/parser.h"

static const char first_line_begin[] = "# lindung list ";

enum {
	CATEGORY_MAX_BYTES = 64,
};

static bool
read_action(struct ld_span text, struct ld_entry *entry)
{
	static const struct {
		const char *word;
		uint8_t action;
		uint8_t flags;
	} actions[] = {
		{"block", LD_ACTION_BLOCK, 0},
		{"allow", LD_ACTION_ALLOW, 0},
		{"rewrite", LD_ACTION_REWRITE, 0},
		{"remove", LD_ACTION_REMOVE, 0},
		{"protect", LD_ACTION_ALLOW, LD_ENTRY_PROTECTED},
	};

	if (ld_span_ends(text, LD_SPAN("!"))) {
		text.len--;
		entry->flags = LD_ENTRY_IMPORTANT;
	}
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (ld_span_equal(text, ld_span_str(actions[i].word))) {
			entry->action = actions[i].action;
			entry->flags |= actions[i].flags;
			return true;
		}
	}
	return false;
}

/* Labels of sources are for people: any UTF-8 text without control characters. */
static bool
is_sources(struct ld_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 0x20 || text.data[i] == 0x7f)
			return false;
	}
	return true;
}

/* "*" is every category: what is open or removed may be so in all, nothing is closed in all. */
static bool
is_category(struct ld_span key, uint8_t action)
{
	if (ld_text_is(key, "*"))
		return action == LD_ACTION_ALLOW || action == LD_ACTION_REMOVE;
	for (size_t i = 0; i < key.len; i++) {
		uint8_t c = key.data[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_')
			return false;
	}
	return key.len <= CATEGORY_MAX_BYTES;
}

static enum ld_reject
read_site(struct ld_list_parser *p, struct ld_span text, struct ld_entry *entry)
{
	if (ld_span_find(text, '/') != text.len) {
		if (ld_text_starts(text, "*."))
			return LD_REJECT_PATTERN;
		return ld_parser_url(p, text, entry);
	}
	entry->scope = LD_SCOPE_TREE;
	if (ld_text_starts(text, "=")) {
		entry->scope = LD_SCOPE_SELF;
		text = ld_span_from(text, 1);
	} else if (ld_text_starts(text, "*.")) {
		entry->scope = LD_SCOPE_BELOW;
		text = ld_span_from(text, 2);
	}
	enum ld_reject reason = ld_parser_host(p, text, &entry->host);
	char target[LD_TARGET_MAX];
	if (reason == LD_REJECT_NOT_A_NAME && ld_address_read(target, text) != LD_ADDRESS_NONE)
		return LD_REJECT_IP_ADDRESS;
	return reason;
}

enum ld_reject
ld_list_read_entry(struct ld_list_parser *p, struct ld_span text, struct ld_entry *ret)
{
	struct ld_entry entry = {0};
	enum ld_reject reason = read_site(p, text, &entry);

	if (reason == LD_REJECT_NONE)
		*ret = entry;
	return reason;
}

static bool
read_target(struct ld_list_parser *p, struct ld_span text, struct ld_entry *entry)
{
	struct ld_span rest = text;
	struct ld_span type = ld_word_next(&rest);

	rest = ld_span_trim(rest);
	if ((entry->action == LD_ACTION_REWRITE) != (text.len != 0))
		return false;
	if (text.len == 0)
		return true;
	if (ld_text_is(type, "CNAME"))
		return ld_parser_cname(p, rest, &entry->target) == LD_REJECT_NONE;
	bool is_v6 = ld_span_find(rest, ':') != rest.len;
	if (!ld_text_is(type, is_v6 ? "AAAA" : "A") ||
	    ld_address_read(p->target, rest) != LD_ADDRESS_REAL)
		return false;
	entry->target = ld_span_str(p->target);
	return true;
}

static int
lindung_line(struct ld_list_parser *p, struct ld_span line)
{
	struct ld_entry entry = {0};
	int err;

	line = ld_span_trim(line);
	if (line.len == 0)
		return ld_parser_reject(p, LD_REJECT_BLANK, line);
	if (line.data[0] == '#') {
		bool newer = p->line_number == 1 && ld_text_starts(line, first_line_begin) &&
			     !ld_text_is(ld_span_from(line, sizeof(first_line_begin) - 1), "1");
		return ld_parser_reject(p, newer ? LD_REJECT_SYNTAX : LD_REJECT_COMMENT, line);
	}
	struct ld_span rest = line;
	struct ld_span action = ld_field_next(&rest, '\t');
	entry.category = ld_field_next(&rest, '\t');
	struct ld_span site = ld_field_next(&rest, '\t');
	struct ld_span sources = ld_field_next(&rest, '\t');
	if (site.len == 0 || !read_action(action, &entry) ||
	    !is_category(entry.category, entry.action) || !is_sources(sources) ||
	    !read_target(p, rest, &entry))
		return ld_parser_reject(p, LD_REJECT_SYNTAX, line);
	enum ld_reject reason = read_site(p, site, &entry);
	if (reason == LD_REJECT_NONE && entry.scope == LD_SCOPE_URL &&
	    entry.action == LD_ACTION_REWRITE)
		reason = LD_REJECT_SYNTAX;
	if (reason != LD_REJECT_NONE)
		return ld_parser_reject(p, reason, line);
	do {
		entry.source = ld_field_next(&sources, ',');
		err = ld_parser_entry(p, &entry);
	} while (sources.len != 0 && err == LINDUNG_OK);
	return err;
}

const struct ld_format_reader ld_reader_lindung = {.format = LD_LIST_LINDUNG, .line = lindung_line};
