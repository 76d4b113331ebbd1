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
	bool has_owner;
	bool owner_is_absolute; /* it was written with the last dot */
	struct rpz_name owner;  /* of the last record that had one */
	unsigned depth;         /* of parentheses */
	uint64_t first_line;    /* of the record that is in parentheses */
	size_t len;
	uint8_t record[LD_LIST_LINE_MAX_BYTES + 1]; /* its lines, each with its end */
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
	if (has_owner) {
		struct ld_span owner = ld_word_next(&rest);

		rpz->has_owner = name_resolve(rpz, owner, &rpz->owner);
		rpz->owner_is_absolute = ld_span_ends(owner, LD_SPAN("."));
		if (!rpz->has_owner)
			return ld_parser_reject(p, LD_REJECT_TOO_LONG,
						ld_span_first(text, LD_SHOWN_MAX_BYTES));
	}
	name = rpz->owner;
	if (!rpz->has_owner || !ld_record_split(name_span(&name), rest, &record))
		return ld_parser_reject(p, LD_REJECT_SYNTAX, text);
	if (ld_text_is(record.type, "SOA")) {
		rpz->apex = name;
		/* A file without $ORIGIN is relative to the name of its zone. */
		if (!rpz->has_origin)
			rpz->origin = name;
		rpz->has_origin = true;
		return ld_parser_reject(p, LD_REJECT_COMMENT, text);
	}
	/* Without either only relative names can be told from the zone's own. */
	if ((rpz->owner_is_absolute && rpz->apex.len == 0) ||
	    !name_cut(&name, name_span(&rpz->apex)))
		return ld_parser_reject(p, LD_REJECT_SYNTAX, text);
	if (name.len == 0)
		return ld_parser_reject(p, LD_REJECT_COMMENT, text);
	return trigger(p, text, &record, name_span(&name));
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

/* How many parentheses are open behind the text; those between quotes are letters.  They become
 * blanks if they are to be taken off. */
static unsigned
parentheses(unsigned depth, struct ld_span text, uint8_t *blank)
{
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if ((c == '(' || c == ')') && !quoted) {
			depth += c == '(';
			depth -= c == ')' && depth != 0;
			if (blank != NULL)
				blank[i] = ' ';
		}
	}
	return depth;
}

/* The lines in the buffer are one record: make them one line, in place. */
static int
kept_record(struct ld_list_parser *p)
{
	struct rpz *rpz = p->state;
	struct ld_span rest = ld_span(rpz->record, rpz->len);
	uint64_t line_number = p->line_number;
	size_t len = 0;

	while (rest.len != 0) {
		size_t end = ld_span_find(rest, '\n');
		struct ld_span text = cut_comment(ld_span_first(rest, end));

		memmove(rpz->record + len, text.data, text.len);
		parentheses(0, ld_span(rpz->record + len, text.len), rpz->record + len);
		len += text.len;
		rpz->record[len++] = ' ';
		rest = ld_span_from(rest, end + 1);
	}
	rpz->len = 0;
	p->line_number = rpz->first_line;
	int err = record_line(p, ld_span(rpz->record, len));
	p->line_number = line_number;
	return err;
}

/* A line, joined with none. */
static int
line_alone(struct ld_list_parser *p, struct ld_span line)
{
	struct rpz *rpz = p->state;
	struct ld_span text = cut_comment(line);
	struct ld_span trimmed = ld_span_trim(text);

	if (trimmed.len == 0)
		return ld_parser_reject(
			p, text.len == line.len ? LD_REJECT_BLANK : LD_REJECT_COMMENT, line);
	if (ld_span_find(text, '(') == text.len) {
		text.len = (size_t)(trimmed.data + trimmed.len - text.data);
		return record_line(p, text);
	}
	if (parentheses(0, text, NULL) != 0)
		return ld_parser_reject(p, LD_REJECT_SYNTAX, line);
	memmove(rpz->record, text.data, text.len);
	parentheses(0, text, rpz->record);
	return record_line(p, ld_span(rpz->record, text.len));
}

/* The parenthesis that was opened is never closed: so its line is wrong, and the lines behind it
 * are records of their own. */
static int
rpz_end(struct ld_list_parser *p)
{
	struct rpz *rpz = p->state;
	struct ld_span kept = ld_span(rpz->record, rpz->len);

	rpz->len = 0;
	rpz->depth = 0;
	return ld_parser_apart(p, kept, rpz->first_line, line_alone);
}

static int
rpz_line(struct ld_list_parser *p, struct ld_span line)
{
	struct rpz *rpz = p->state;

	if (rpz->len + line.len + 1 > sizeof(rpz->record)) {
		int err = rpz_end(p);
		if (err != LINDUNG_OK)
			return err;
	}
	if (rpz->depth == 0 && ld_span_find(line, '(') == line.len)
		return line_alone(p, line);
	if (rpz->depth == 0)
		rpz->first_line = p->line_number;
	rpz->depth = parentheses(rpz->depth, cut_comment(line), NULL);
	memcpy(rpz->record + rpz->len, line.data, line.len);
	rpz->len += line.len;
	rpz->record[rpz->len++] = '\n';
	return rpz->depth == 0 ? kept_record(p) : LINDUNG_OK;
}

const struct ld_format_reader ld_reader_rpz = {
	.format = LD_LIST_RPZ,
	.line = rpz_line,
	.open = rpz_open,
	.end = rpz_end,
	.close = rpz_close,
};
