/* Reader of AdBlock rules, with the meaning that AdGuard gives them for DNS filtering:
 * https://adguard-dns.io/kb/general/dns-filtering-syntax/
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Taken is what can be said exactly as an entry; a rule that matches part of a name, or holds for
 * some clients or record types only, is rejected with the reason.  A plain name or a hosts line in
 * such a list is that very host: AdGuard says so, and || is there for more. */
#include "list/parser.h"

/* A rule taken apart. */
struct rule {
	struct ld_span pattern;
	struct ld_span modifiers; /* behind the '$'; data is NULL where there is none */
	struct ld_entry entry;
};

/* ---- Modifiers ------------------------------------------------------------------------------ */

/* The answer that $dnsrewrite asks for, where it is one that an entry can give. */
static enum ld_reject
dnsrewrite(struct ld_list_parser *p, struct ld_span value, struct ld_entry *entry)
{
	struct ld_span rest = value;
	struct ld_span code = ld_field_next(&rest, ';');
	struct ld_span type = ld_field_next(&rest, ';');
	bool is_error = ld_text_is(code, "NXDOMAIN") || ld_text_is(code, "REFUSED") ||
			ld_text_is(code, "SERVFAIL");
	bool is_success = ld_text_is(code, "NOERROR");

	if (entry->action != LD_ACTION_BLOCK)
		return LD_REJECT_MODIFIER;
	if (is_error || (is_success && type.len == 0))
		return rest.len == 0 && type.len == 0 ? LD_REJECT_NONE : LD_REJECT_MODIFIER;
	if (is_success)
		value = rest;
	else if (code.len != value.len)
		return LD_REJECT_MODIFIER;
	bool any_type = !is_success;
	enum ld_address_kind kind = ld_address_read(p->target, value);
	if (kind == LD_ADDRESS_NONE && (any_type || ld_text_is(type, "CNAME"))) {
		entry->action = LD_ACTION_REWRITE;
		return ld_parser_cname(p, value, &entry->target) == LD_REJECT_NONE
			       ? LD_REJECT_NONE
			       : LD_REJECT_MODIFIER;
	}
	bool is_v6 = ld_span_find(value, ':') != value.len;
	if (kind == LD_ADDRESS_NONE || kind == LD_ADDRESS_SCOPED ||
	    !(any_type || ld_text_is(type, is_v6 ? "AAAA" : "A")))
		return LD_REJECT_MODIFIER;
	if (kind == LD_ADDRESS_REAL) {
		entry->action = LD_ACTION_REWRITE;
		entry->target = ld_span_str(p->target);
	}
	return LD_REJECT_NONE;
}

static enum ld_reject
read_modifiers(struct ld_list_parser *p, struct rule *rule)
{
	struct ld_span rest = rule->modifiers;

	if (rest.data == NULL)
		return LD_REJECT_NONE;
	do {
		struct ld_span modifier = ld_field_next(&rest, ',');

		if (ld_text_is(modifier, "important")) {
			rule->entry.flags |= LD_ENTRY_IMPORTANT;
		} else if (ld_text_is(modifier, "badfilter")) {
			rule->entry.flags |= LD_ENTRY_BADFILTER;
		} else if (ld_text_starts(modifier, "dnsrewrite=")) {
			enum ld_reject reason = dnsrewrite(
				p, ld_span_from(modifier, strlen("dnsrewrite=")), &rule->entry);
			if (reason != LD_REJECT_NONE)
				return reason;
		} else {
			return LD_REJECT_MODIFIER;
		}
	} while (rest.len != 0);
	return LD_REJECT_NONE;
}

/* ---- Patterns ------------------------------------------------------------------------------- */

static bool
take_prefix(struct ld_span *text, const char *prefix)
{
	if (!ld_text_starts(*text, prefix))
		return false;
	*text = ld_span_from(*text, strlen(prefix));
	return true;
}

/* What the beginning of the pattern says of the scope; 0 if the name may begin anywhere. */
static uint8_t
take_anchor(struct ld_span *body)
{
	uint8_t scope = 0;

	if (take_prefix(body, "||"))
		scope = LD_SCOPE_TREE;
	else if (take_prefix(body, "://") || take_prefix(body, "http://"))
		scope = LD_SCOPE_SELF;
	else if (take_prefix(body, "|"))
		scope = LD_SCOPE_SELF;
	else if (take_prefix(body, "."))
		return LD_SCOPE_BELOW;
	return take_prefix(body, "*.") ? LD_SCOPE_BELOW : scope;
}

/* The end of a whole name: "^", "^|" or "|". */
static bool
take_end(struct ld_span *body)
{
	static const char *const ends[] = {"^|", "^", "|"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ld_span_ends(*body, ld_span_str(ends[i]))) {
			body->len -= strlen(ends[i]);
			return true;
		}
	}
	return false;
}

/* Part of a site: ||host/path^ or ||host/directory/ */
static enum ld_reject
read_path(struct ld_list_parser *p, struct ld_span body, struct ld_entry *entry)
{
	if (ld_span_ends(body, LD_SPAN("^")))
		body.len--;
	else if (!ld_span_ends(body, LD_SPAN("/")))
		return LD_REJECT_PATTERN;
	for (size_t i = 0; i < body.len; i++) {
		if (memchr("*^|?#", body.data[i], 5) != NULL)
			return LD_REJECT_PATTERN;
	}
	if (entry->action == LD_ACTION_REWRITE)
		return LD_REJECT_MODIFIER;
	return ld_parser_url(p, body, entry);
}

static enum ld_reject
why_no_name(struct ld_list_parser *p, struct ld_span body, enum ld_reject reason)
{
	size_t colon = ld_span_find(body, ':');
	struct ld_span port = ld_span_from(body, colon + 1);
	struct ld_span host;
	char target[LD_TARGET_MAX];

	if (ld_address_read(target, ld_span_first(body, colon)) != LD_ADDRESS_NONE ||
	    ld_address_read(target, body) != LD_ADDRESS_NONE)
		return LD_REJECT_IP_ADDRESS;
	if (port.len != 0 && port.data[0] >= '0' && port.data[0] <= '9' &&
	    ld_parser_host(p, ld_span_first(body, colon), &host) == LD_REJECT_NONE)
		return LD_REJECT_PORT;
	return reason == LD_REJECT_NOT_A_NAME ? LD_REJECT_PATTERN : reason;
}

static enum ld_reject
read_pattern(struct ld_list_parser *p, struct rule *rule)
{
	struct ld_span body = rule->pattern;
	uint8_t scope = take_anchor(&body);

	if (scope == LD_SCOPE_TREE && ld_span_find(body, '/') != body.len) {
		struct ld_span host = ld_span_first(body, ld_span_find(body, '/'));
		enum ld_reject reason = why_no_name(p, host, LD_REJECT_NONE);

		return reason == LD_REJECT_NONE ? read_path(p, body, &rule->entry) : reason;
	}
	/* AdGuard takes a name without any mark for a line of a hosts file. */
	bool is_plain =
		scope == 0 && rule->modifiers.data == NULL && rule->entry.action == LD_ACTION_BLOCK;
	bool has_end = take_end(&body);
	if (is_plain ? has_end : !has_end || scope == 0)
		return why_no_name(p, body, LD_REJECT_PATTERN);
	if (body.len == 0 || body.data[body.len - 1] == '.')
		return LD_REJECT_PATTERN;
	enum ld_reject reason = ld_parser_host(p, body, &rule->entry.host);
	rule->entry.scope = is_plain ? LD_SCOPE_SELF : scope;
	return reason == LD_REJECT_NONE ? reason : why_no_name(p, body, reason);
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static bool
is_cosmetic(struct ld_span line)
{
	static const char *const marks[] = {"##",   "#@#",  "#?#",  "#$#", "#@$#", "#%#",
					    "#@%#", "#$?#", "#@?#", "$$",  "$@$"};
	size_t at = 0;

	while (at < line.len && line.data[at] != '#' && line.data[at] != '$')
		at++;
	line = ld_span_from(line, at);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (ld_text_starts(line, marks[i]))
			return true;
	}
	return false;
}

static bool
is_regex(struct ld_span rule)
{
	if (rule.len < 2 || rule.data[0] != '/')
		return false;
	return rule.data[rule.len - 1] == '/' ||
	       memmem(rule.data + 1, rule.len - 1, "/$", 2) != NULL;
}

static int
rule_line(struct ld_list_parser *p, struct ld_span line)
{
	struct rule rule = {.pattern = line, .entry = {.action = LD_ACTION_BLOCK}};

	if (take_prefix(&rule.pattern, "@@"))
		rule.entry.action = LD_ACTION_ALLOW;
	if (is_regex(rule.pattern))
		return ld_parser_reject(p, LD_REJECT_REGEX, line);
	const uint8_t *dollar = memrchr(rule.pattern.data, '$', rule.pattern.len);
	if (dollar != NULL) {
		size_t at = (size_t)(dollar - rule.pattern.data);

		rule.modifiers = ld_span_from(rule.pattern, at + 1);
		rule.pattern = ld_span_first(rule.pattern, at);
	}
	enum ld_reject reason = read_modifiers(p, &rule);
	if (reason == LD_REJECT_NONE)
		reason = read_pattern(p, &rule);
	return reason == LD_REJECT_NONE ? ld_parser_entry(p, &rule.entry)
					: ld_parser_reject(p, reason, line);
}

static int
adblock_line(struct ld_list_parser *p, struct ld_span line)
{
	struct ld_entry entry = {.action = LD_ACTION_BLOCK, .scope = LD_SCOPE_TREE};
	size_t len = 0;
	int ret;

	line = ld_span_trim(line);
	/* Nearly every line is ||name^ and nothing else. */
	if (line.len > 4 && line.data[line.len - 1] == '^' && line.data[0] == '|' &&
	    line.data[1] == '|' && line.data[line.len - 2] != '.' &&
	    ld_host_from_text(p->host, &len, ld_span(line.data + 2, line.len - 3)) == LINDUNG_OK) {
		entry.host = ld_span(p->host, len);
		return ld_parser_entry(p, &entry);
	}
	if (line.len == 0)
		return ld_parser_reject(p, LD_REJECT_BLANK, line);
	if (line.data[0] == '!' || (line.data[0] == '[' && line.data[line.len - 1] == ']'))
		return ld_parser_reject(p, LD_REJECT_COMMENT, line);
	if (ld_parser_hosts_line(p, line, LD_SCOPE_SELF, &ret))
		return ret;
	if (is_cosmetic(line))
		return ld_parser_reject(p, LD_REJECT_COSMETIC, line);
	if (line.data[0] == '#')
		return ld_parser_reject(p, LD_REJECT_COMMENT, line);
	size_t comment = ld_span_find(line, '#');
	while (comment < line.len && line.data[comment - 1] != ' ' &&
	       line.data[comment - 1] != '\t')
		comment += 1 + ld_span_find(ld_span_from(line, comment + 1), '#');
	return rule_line(p, ld_span_trim(ld_span_first(line, comment)));
}

const struct ld_format_reader ld_reader_adblock = {.format = LD_LIST_ADBLOCK, .line = adblock_line};
