/* Reader of response policy zones as zone files (draft-vixie-dnsop-dns-rpz, RFC 1035 section 5).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of the zone are kept in lower case, without the last dot; the root is "". */
#include <stdlib.h>

#include "list/parser.h"

struct rpz_name {
	size_t len;
	uint8_t text[LD_NAME_TEXT_MAX];
};

struct rpz {
	bool has_origin;
	struct rpz_name origin; /* $ORIGIN */
	struct rpz_name apex;   /* of the zone: the SOA's owner, before that the first $ORIGIN */
	struct rpz_name owner;  /* as written in the last record that had one */
	unsigned depth;         /* of parentheses */
	uint64_t first_line;    /* of the record that is in parentheses */
	size_t len;
	uint8_t record[LD_LIST_LINE_MAX_BYTES];
};

static int
rpz_open(struct ld_list_parser *p, const struct ld_list_options *options)
{
	(void)options;
	p->state = calloc(1, sizeof(struct rpz));
	return p->state != NULL ? LINDUNG_OK : LINDUNG_ENOMEM;
}

static void
rpz_close(struct ld_list_parser *p)
{
	free(p->state);
}

/* ---- Names ---------------------------------------------------------------------------------- */

static struct ld_span
name_span(const struct rpz_name *name)
{
	return ld_span(name->text, name->len);
}

static bool
name_set(struct rpz_name *name, struct ld_span text)
{
	if (text.len > sizeof(name->text))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		name->text[i] = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
	}
	name->len = text.len;
	return true;
}

/* Add ".suffix" (relative names stand before their origin). */
static bool
name_append(struct rpz_name *name, struct ld_span suffix)
{
	if (suffix.len == 0)
		return true;
	if (name->len + 1 + suffix.len > sizeof(name->text))
		return false;
	if (name->len != 0)
		name->text[name->len++] = '.';
	memcpy(name->text + name->len, suffix.data, suffix.len);
	name->len += suffix.len;
	return true;
}

/* Take ".suffix" off; false if it does not stand there. */
static bool
name_cut(struct rpz_name *name, struct ld_span suffix)
{
	size_t rest = name->len - suffix.len;

	if (suffix.len == 0)
		return true;
	if (!ld_span_ends(name_span(name), suffix))
		return false;
	if (rest != 0 && name->text[rest - 1] != '.')
		return false;
	name->len = rest != 0 ? rest - 1 : 0;
	return true;
}

/* The full name that the zone file's text stands for. */
static bool
name_resolve(const struct rpz *rpz, struct ld_span text, struct rpz_name *ret)
{
	if (ld_text_is(text, "@"))
		return name_set(ret, name_span(&rpz->origin));
	if (ld_span_ends(text, LD_SPAN(".")))
		return name_set(ret, ld_span_first(text, text.len - 1));
	return name_set(ret, text) && name_append(ret, name_span(&rpz->origin));
}

/* ---- Triggers and actions ------------------------------------------------------------------- */

static bool
is_other_trigger(struct ld_span name)
{
	static const char *const triggers[] = {"rpz-ip", "rpz-client-ip", "rpz-nsip",
					       "rpz-nsdname"};
	const uint8_t *dot = memrchr(name.data, '.', name.len);
	struct ld_span last =
		dot != NULL ? ld_span_from(name, (size_t)(dot + 1 - name.data)) : name;

	for (size_t i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++) {
		if (ld_text_is(last, triggers[i]))
			return true;
	}
	return false;
}

static enum ld_reject
rpz_action(struct ld_list_parser *p, const struct ld_record *record, struct ld_entry *entry)
{
	struct ld_span to = record->data;

	entry->action = LD_ACTION_BLOCK;
	if (!ld_text_is(record->type, "CNAME"))
		return ld_parser_record(p, record, entry);
	if (ld_text_is(to, ".") || ld_text_is(to, "*.") || ld_text_is(to, "rpz-drop."))
		return LD_REJECT_NONE;
	if (!ld_span_ends(to, LD_SPAN(".")))
		return LD_REJECT_SYNTAX;
	struct ld_span bare = ld_span_first(to, to.len - 1);
	if (ld_text_is(bare, "rpz-passthru") ||
	    (bare.len == entry->host.len && entry->scope == LD_SCOPE_SELF &&
	     strncasecmp((const char *)bare.data, (const char *)entry->host.data, bare.len) == 0)) {
		/* A name that leads to itself is how passing through was said at first. */
		entry->action = LD_ACTION_ALLOW;
		return LD_REJECT_NONE;
	}
	/* rpz-tcp-only and what may come; *.name puts the name asked for before it. */
	if (ld_text_starts(bare, "rpz-") || ld_text_starts(bare, "*"))
		return LD_REJECT_ACTION;
	return ld_parser_record(p, record, entry);
}

static int
trigger(struct ld_list_parser *p, struct ld_span text, const struct ld_record *record,
	struct ld_span name)
{
	struct ld_entry entry = {.scope = LD_SCOPE_SELF};

	if (is_other_trigger(name))
		return ld_parser_reject(p, LD_REJECT_TRIGGER, text);
	if (ld_text_is(name, "*"))
		return ld_parser_reject(p, LD_REJECT_PATTERN, text);
	if (ld_text_starts(name, "*.")) {
		entry.scope = LD_SCOPE_BELOW;
		name = ld_span_from(name, 2);
	}
	enum ld_reject reason = ld_parser_host(p, name, &entry.host);
	char target[LD_TARGET_MAX];
	if (reason == LD_REJECT_NOT_A_NAME && ld_address_read(target, name) != LD_ADDRESS_NONE)
		reason = LD_REJECT_IP_ADDRESS;
	if (reason == LD_REJECT_NONE)
		reason = rpz_action(p, record, &entry);
	return reason == LD_REJECT_NONE ? ld_parser_entry(p, &entry)
					: ld_parser_reject(p, reason, text);
}

/* ---- Records -------------------------------------------------------------------------------- */

static int
directive(struct ld_list_parser *p, struct ld_span text)
{
	struct rpz *rpz = p->state;
	struct ld_span rest = text;
	struct ld_span word = ld_word_next(&rest);
	struct rpz_name name;

	if (ld_text_is(word, "$TTL"))
		return ld_parser_reject(p, LD_REJECT_COMMENT, text);
	if (!ld_text_is(word, "$ORIGIN"))
		return ld_parser_reject(p, LD_REJECT_ACTION, text);
	struct ld_span origin = ld_word_next(&rest);
	if (origin.len == 0 || !name_resolve(rpz, origin, &name))
		return ld_parser_reject(p, LD_REJECT_SYNTAX, text);
	rpz->origin = name;
	if (!rpz->has_origin)
		rpz->apex = name;
	rpz->has_origin = true;
	return ld_parser_reject(p, LD_REJECT_COMMENT, text);
}

/* `text`: one record without comments and parentheses, its blanks at the front kept. */
static int
record_line(struct ld_list_parser *p, struct ld_span text)
{
	struct rpz *rpz = p->state;
	struct ld_record record;
	struct rpz_name name;
	bool has_owner = text.data[0] != ' ' && text.data[0] != '\t';

	if (text.data[0] == '$')
		return directive(p, text);
	struct ld_span rest = text;
	if (has_owner && !name_set(&rpz->owner, ld_word_next(&rest)))
		return ld_parser_reject(p, LD_REJECT_TOO_LONG,
					ld_span_first(text, LD_SHOWN_MAX_BYTES));
	if (rpz->owner.len == 0 || !ld_record_split(name_span(&rpz->owner), rest, &record))
		return ld_parser_reject(p, LD_REJECT_SYNTAX, text);
	if (!name_resolve(rpz, name_span(&rpz->owner), &name))
		return ld_parser_reject(p, LD_REJECT_TOO_LONG,
					ld_span_first(text, LD_SHOWN_MAX_BYTES));
	if (ld_text_is(record.type, "SOA")) {
		rpz->apex = name;
		rpz->has_origin = true;
		return ld_parser_reject(p, LD_REJECT_COMMENT, text);
	}
	/* Without $ORIGIN only relative names can be told from the zone's own. */
	bool is_absolute = ld_span_ends(record.owner, LD_SPAN("."));
	if ((is_absolute && rpz->apex.len == 0) || !name_cut(&name, name_span(&rpz->apex)))
		return ld_parser_reject(p, LD_REJECT_SYNTAX, text);
	if (name.len == 0)
		return ld_parser_reject(p, LD_REJECT_COMMENT, text);
	return trigger(p, text, &record, name_span(&name));
}

/* Put the line behind what is in the parentheses already. */
static bool
join(struct rpz *rpz, struct ld_span line)
{
	if (rpz->len + line.len + 1 > sizeof(rpz->record))
		return false;
	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = line.data[i];

		rpz->depth += c == '(';
		rpz->depth -= c == ')' && rpz->depth != 0;
		rpz->record[rpz->len++] = c == '(' || c == ')' ? ' ' : c;
	}
	rpz->record[rpz->len++] = ' ';
	return true;
}

static int
end_record(struct ld_list_parser *p, enum ld_reject reason)
{
	struct rpz *rpz = p->state;
	struct ld_span text = ld_span(rpz->record, rpz->len);
	uint64_t line_number = p->line_number;
	int err;

	rpz->len = 0;
	rpz->depth = 0;
	p->line_number = rpz->first_line;
	if (reason == LD_REJECT_NONE)
		err = record_line(p, text);
	else
		err = ld_parser_reject(p, reason, ld_span_first(text, LD_SHOWN_MAX_BYTES));
	p->line_number = line_number;
	return err;
}

static int
rpz_end(struct ld_list_parser *p)
{
	struct rpz *rpz = p->state;

	return rpz->depth != 0 ? end_record(p, LD_REJECT_SYNTAX) : LINDUNG_OK;
}

static struct ld_span
cut_comment(struct ld_span line)
{
	bool quoted = false;

	if (ld_span_find(line, ';') == line.len)
		return line;
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == '\\')
			i++;
		else if (line.data[i] == '"')
			quoted = !quoted;
		else if (line.data[i] == ';' && !quoted)
			return ld_span_first(line, i);
	}
	return line;
}

static int
rpz_line(struct ld_list_parser *p, struct ld_span line)
{
	struct rpz *rpz = p->state;
	struct ld_span text = cut_comment(line);
	struct ld_span trimmed = ld_span_trim(text);
	bool joins = rpz->depth != 0;

	if (trimmed.len == 0 && !joins)
		return ld_parser_reject(
			p, text.len == line.len ? LD_REJECT_BLANK : LD_REJECT_COMMENT, line);
	if (!joins && ld_span_find(text, '(') == text.len) {
		text.len = (size_t)(trimmed.data + trimmed.len - text.data);
		return record_line(p, text);
	}
	if (!joins)
		rpz->first_line = p->line_number;
	if (!join(rpz, text))
		return end_record(p, LD_REJECT_TOO_LONG);
	return rpz->depth == 0 ? end_record(p, LD_REJECT_NONE) : LINDUNG_OK;
}

const struct ld_format_reader ld_reader_rpz = {
	.format = LD_LIST_RPZ,
	.line = rpz_line,
	.open = rpz_open,
	.end = rpz_end,
	.close = rpz_close,
};
