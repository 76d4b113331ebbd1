/* Readers of lists in the configuration languages of resolvers: dnsmasq and Unbound.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "list/parser.h"

/* ---- dnsmasq -------------------------------------------------------------------------------- */

/* What stands behind the last '/' says what happens to the names before it. */
static enum ld_reject
dnsmasq_action(struct ld_list_parser *p, bool is_address, struct ld_span target,
	       struct ld_entry *entry)
{
	if (target.len == 0)
		return LD_REJECT_NONE;
	if (!is_address) {
		/* "#" asks the usual servers: the way to take a name out again.  Another server
		 * may answer anything. */
		entry->action = LD_ACTION_ALLOW;
		return ld_text_is(target, "#") ? LD_REJECT_NONE : LD_REJECT_ACTION;
	}
	if (ld_text_is(target, "#"))
		return LD_REJECT_NONE;
	switch (ld_address_read(p->target, target)) {
	case LD_ADDRESS_SINK:
		return LD_REJECT_NONE;
	case LD_ADDRESS_REAL:
		entry->action = LD_ACTION_REWRITE;
		entry->target = ld_span_str(p->target);
		return LD_REJECT_NONE;
	case LD_ADDRESS_SCOPED:
		return LD_REJECT_ACTION;
	case LD_ADDRESS_NONE:
		break;
	}
	return LD_REJECT_SYNTAX;
}

static int
dnsmasq_name(struct ld_list_parser *p, struct ld_span name, struct ld_entry *entry)
{
	struct ld_span text = name;

	entry->scope = LD_SCOPE_TREE;
	if (ld_text_starts(name, "*.")) {
		entry->scope = LD_SCOPE_BELOW;
		name = ld_span_from(name, 2);
	} else if (ld_text_starts(name, ".")) {
		name = ld_span_from(name, 1);
	}
	/* "#" is every name, "" every name without a dot, "*x" every name that ends so. */
	if (name.len == 0 || name.data[0] == '#' || name.data[0] == '*')
		return ld_parser_reject(p, LD_REJECT_PATTERN, text.len != 0 ? text : LD_SPAN("//"));
	enum ld_reject reason = ld_parser_host(p, name, &entry->host);
	char target[LD_TARGET_MAX];
	if (reason == LD_REJECT_NOT_A_NAME && ld_address_read(target, name) != LD_ADDRESS_NONE)
		reason = LD_REJECT_IP_ADDRESS;
	return reason == LD_REJECT_NONE ? ld_parser_entry(p, entry)
					: ld_parser_reject(p, reason, text);
}

static int
dnsmasq_names(struct ld_list_parser *p, struct ld_span line, bool is_address, struct ld_span value)
{
	struct ld_entry entry = {.action = LD_ACTION_BLOCK};
	struct ld_seen seen;
	const uint8_t *last = memrchr(value.data, '/', value.len);
	size_t names_end = (size_t)(last - value.data);
	int err = LINDUNG_OK;

	seen.count = 0;
	enum ld_reject reason =
		dnsmasq_action(p, is_address, ld_span_from(value, names_end + 1), &entry);
	if (names_end == 0 && reason == LD_REJECT_NONE)
		reason = LD_REJECT_SYNTAX;
	if (reason != LD_REJECT_NONE)
		return ld_parser_reject(p, reason, line);
	struct ld_span names = ld_span(value.data + 1, names_end - 1);
	do {
		struct ld_span name = ld_field_next(&names, '/');

		if (ld_seen_add(&seen, name))
			err = ld_parser_reject(p, LD_REJECT_DUPLICATE, name);
		else
			err = dnsmasq_name(p, name, &entry);
	} while (names.len != 0 && err == LINDUNG_OK);
	return err;
}

/* Without what stands behind a '#' that a blank stands before. */
static struct ld_span
cut_comment(struct ld_span line)
{
	for (size_t i = 1; i < line.len; i++) {
		if (line.data[i] == '#' && (line.data[i - 1] == ' ' || line.data[i - 1] == '\t'))
			return ld_span_trim(ld_span_first(line, i));
	}
	return line;
}

static int
dnsmasq_line(struct ld_list_parser *p, struct ld_span line)
{
	line = ld_span_trim(line);
	if (line.len == 0)
		return ld_parser_reject(p, LD_REJECT_BLANK, line);
	if (line.data[0] == '#')
		return ld_parser_reject(p, LD_REJECT_COMMENT, line);
	size_t equals = ld_span_find(line, '=');
	if (equals == line.len)
		return ld_parser_reject(p, LD_REJECT_SYNTAX, line);
	struct ld_span key = ld_span_trim(ld_span_first(line, equals));
	struct ld_span value = ld_span_trim(cut_comment(ld_span_from(line, equals + 1)));
	bool is_address = ld_text_is(key, "address");
	if (!is_address && !ld_text_is(key, "server") && !ld_text_is(key, "local"))
		return ld_parser_reject(p, LD_REJECT_ACTION, line);
	if (value.len == 0 || value.data[0] != '/')
		return ld_parser_reject(p, LD_REJECT_ACTION, line);
	return dnsmasq_names(p, line, is_address, value);
}

const struct ld_format_reader ld_reader_dnsmasq = {.format = LD_LIST_DNSMASQ, .line = dnsmasq_line};

/* ---- Unbound -------------------------------------------------------------------------------- */

/* A zone of type redirect answers every name in it with the data of its own name, which stand on
 * the lines behind it: it waits for them.  Where none do, they may stand anywhere else in the file,
 * and be an answer or a block. */
struct unbound {
	char zone[LD_HOST_MAX + 1];
	size_t zone_len;
	uint64_t zone_line;
	bool answered;
	bool in_view; /* what holds for some clients only */
};

static int
unbound_open(struct ld_list_parser *p, const struct ld_list_options *options)
{
	(void)options;
	p->state = calloc(1, sizeof(struct unbound));
	return p->state != NULL ? LINDUNG_OK : LINDUNG_ENOMEM;
}

static void
unbound_close(struct ld_list_parser *p)
{
	free(p->state);
}

static int
end_redirect(struct ld_list_parser *p)
{
	struct unbound *u = p->state;
	uint64_t line_number = p->line_number;
	int err = LINDUNG_OK;

	if (u->zone_len != 0 && !u->answered) {
		p->line_number = u->zone_line;
		err = ld_parser_reject(p, LD_REJECT_ACTION, ld_span(u->zone, u->zone_len));
		p->line_number = line_number;
	}
	u->zone_len = 0;
	return err;
}

/* "text" or 'text' or a word, taken off the front of the value. */
static struct ld_span
take_text(struct ld_span *value)
{
	struct ld_span s = ld_span_trim(*value);

	if (s.len != 0 && (s.data[0] == '"' || s.data[0] == '\'')) {
		struct ld_span inner = ld_span_from(s, 1);
		size_t end = ld_span_find(inner, s.data[0]);

		*value = ld_span_from(inner, end + 1);
		return ld_span_trim(ld_span_first(inner, end));
	}
	return ld_word_next(value);
}

/* What a zone of this type does to its names.  "transparent", "typetransparent" and "inform" let
 * through what no local data speak of: most often they stand there for the sake of the data, and
 * do not say that the name is to be open.  "always_transparent" does. */
static enum ld_reject
zone_action(struct ld_span type, uint8_t *ret)
{
	static const char *const blocks[] = {"static",          "refuse",        "deny",
					     "always_nxdomain", "always_null",   "always_refuse",
					     "always_deny",     "always_nodata", "inform_deny"};

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (ld_text_is(type, blocks[i])) {
			*ret = LD_ACTION_BLOCK;
			return LD_REJECT_NONE;
		}
	}
	*ret = LD_ACTION_ALLOW;
	return ld_text_is(type, "always_transparent") ? LD_REJECT_NONE : LD_REJECT_ACTION;
}

static int
local_zone(struct ld_list_parser *p, struct ld_span line, struct ld_span value)
{
	struct unbound *u = p->state;
	struct ld_entry entry = {.scope = LD_SCOPE_TREE};
	struct ld_span name = take_text(&value);
	struct ld_span type = take_text(&value);

	int err = end_redirect(p);
	if (err != LINDUNG_OK)
		return err;
	if (name.len == 0 || type.len == 0)
		return ld_parser_reject(p, LD_REJECT_SYNTAX, line);
	enum ld_reject reason = ld_parser_host(p, name, &entry.host);
	if (reason != LD_REJECT_NONE)
		return ld_parser_reject(p, reason, line);
	if (ld_text_is(type, "redirect") || ld_text_is(type, "inform_redirect")) {
		memcpy(u->zone, entry.host.data, entry.host.len);
		u->zone_len = entry.host.len;
		u->zone_line = p->line_number;
		u->answered = false;
		return LINDUNG_OK;
	}
	reason = zone_action(type, &entry.action);
	return reason == LD_REJECT_NONE ? ld_parser_entry(p, &entry)
					: ld_parser_reject(p, reason, line);
}

static int
local_data(struct ld_list_parser *p, struct ld_span line, struct ld_span value)
{
	struct unbound *u = p->state;
	struct ld_entry entry = {.scope = LD_SCOPE_SELF};
	struct ld_span record = take_text(&value);
	struct ld_span owner = ld_word_next(&record);
	struct ld_record parts;

	if (!ld_record_split(owner, record, &parts))
		return ld_parser_reject(p, LD_REJECT_SYNTAX, line);
	enum ld_reject reason = ld_parser_host(p, parts.owner, &entry.host);
	if (reason == LD_REJECT_NONE)
		reason = ld_parser_record(p, &parts, &entry);
	if (reason != LD_REJECT_NONE)
		return ld_parser_reject(p, reason, line);
	if (ld_span_equal(entry.host, ld_span(u->zone, u->zone_len))) {
		entry.scope = LD_SCOPE_TREE;
		u->answered = true;
	}
	return ld_parser_entry(p, &entry);
}

static int
unbound_line(struct ld_list_parser *p, struct ld_span line)
{
	struct unbound *u = p->state;

	line = ld_span_trim(line);
	if (line.len == 0)
		return ld_parser_reject(p, LD_REJECT_BLANK, line);
	if (line.data[0] == '#')
		return ld_parser_reject(p, LD_REJECT_COMMENT, line);
	size_t colon = ld_span_find(line, ':');
	if (colon == line.len)
		return ld_parser_reject(p, LD_REJECT_SYNTAX, line);
	struct ld_span key = ld_span_trim(ld_span_first(line, colon));
	struct ld_span value = ld_span_trim(cut_comment(ld_span_from(line, colon + 1)));
	bool is_zone = ld_text_is(key, "local-zone");
	if (is_zone || ld_text_is(key, "local-data")) {
		if (u->in_view)
			return ld_parser_reject(p, LD_REJECT_MODIFIER, line);
		return is_zone ? local_zone(p, line, value) : local_data(p, line, value);
	}
	/* "server:" and the like only say what the following lines are part of. */
	if (value.len == 0) {
		u->in_view = ld_text_is(key, "view");
		return ld_parser_reject(p, LD_REJECT_COMMENT, line);
	}
	return ld_parser_reject(p, LD_REJECT_ACTION, line);
}

const struct ld_format_reader ld_reader_unbound = {
	.format = LD_LIST_UNBOUND,
	.line = unbound_line,
	.open = unbound_open,
	.end = end_redirect,
	.close = unbound_close,
};
