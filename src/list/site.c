/* Sites as people write them: names, wildcards, URLs; and what it is if it is none of them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "list/parser.h"
#include "name/idna.h"

/* Length of the UTF-8 sequence at the start of the text; 0 if there is none. */
static size_t
utf8_sequence(struct ld_span text)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = text.data[0];
	size_t len = first < 0x80                    ? 1
		     : first >= 0xc2 && first < 0xe0 ? 2
		     : first >= 0xe0 && first < 0xf0 ? 3
		     : first >= 0xf0 && first < 0xf5 ? 4
						     : 0;

	if (len <= 1 || len > text.len)
		return len <= 1 ? len : 0;
	uint32_t code = first & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((text.data[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text.data[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return len;
}

static bool
is_utf8(struct ld_span text)
{
	while (text.len != 0) {
		size_t len = utf8_sequence(text);

		if (len == 0)
			return false;
		text = ld_span_from(text, len);
	}
	return true;
}

static enum ld_reject
host_error(int err)
{
	return err == LINDUNG_ELIMIT  ? LD_REJECT_TOO_LONG
	       : err == LINDUNG_EIDNA ? LD_REJECT_IDNA
				      : LD_REJECT_NOT_A_NAME;
}

static enum ld_reject
host_write(char host[LD_HOST_MAX + 1], struct ld_span text, size_t *ret_len)
{
	int err = ld_host_from_text(host, ret_len, text);

	if (err == LINDUNG_ENOTASCII) {
		if (!is_utf8(text))
			return LD_REJECT_ENCODING;
		err = ld_idna_to_host(host, ret_len, text);
	}
	return err == LINDUNG_OK ? LD_REJECT_NONE : host_error(err);
}

enum ld_reject
ld_parser_host(struct ld_list_parser *p, struct ld_span text, struct ld_span *ret)
{
	size_t len = 0;
	enum ld_reject reason = host_write(p->host, text, &len);

	if (reason == LD_REJECT_NONE)
		*ret = ld_span(p->host, len);
	return reason;
}

enum ld_reject
ld_parser_cname(struct ld_list_parser *p, struct ld_span text, struct ld_span *ret)
{
	char host[LD_HOST_MAX + 1];
	size_t len = 0;
	enum ld_reject reason = host_write(host, text, &len);

	if (reason != LD_REJECT_NONE)
		return reason;
	int written = snprintf(p->target, sizeof(p->target), "CNAME %s", host);
	*ret = ld_span(p->target, (size_t)written);
	return LD_REJECT_NONE;
}

/* ---- URLs ----------------------------------------------------------------------------------- */

/* A URL taken apart without changing it. */
struct url_parts {
	struct ld_span scheme; /* without "://"; empty if there is none */
	struct ld_span host;
	struct ld_span port;
	struct ld_span rest; /* from the '/' or '?' behind the authority */
};

static bool
all_digits(struct ld_span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
	}
	return s.len != 0;
}

static bool
is_scheme(struct ld_span s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i] | 0x20;

		if ((c < 'a' || c > 'z') && c != '+' && s.data[i] != '*' && s.data[i] != '-')
			return false;
	}
	return s.len != 0;
}

static size_t
find_last(struct ld_span s, uint8_t octet)
{
	const uint8_t *at = s.len != 0 ? memrchr(s.data, octet, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.data) : s.len;
}

static struct url_parts
url_split(struct ld_span text)
{
	struct url_parts parts = {0};
	size_t colon = ld_span_find(text, ':');
	size_t end = 0;

	if (ld_text_starts(ld_span_from(text, colon), "://") &&
	    is_scheme(ld_span_first(text, colon))) {
		parts.scheme = ld_span_first(text, colon);
		text = ld_span_from(text, colon + 3);
	}
	while (end < text.len && text.data[end] != '/' && text.data[end] != '?' &&
	       text.data[end] != '#')
		end++;
	parts.rest = ld_span_from(text, end);
	text = ld_span_first(text, end);
	size_t at = find_last(text, '@');
	if (at != text.len)
		text = ld_span_from(text, at + 1);
	size_t last_colon = find_last(text, ':');
	struct ld_span port = ld_span_from(text, last_colon + 1);
	if (last_colon != text.len && (port.len == 0 || all_digits(port))) {
		parts.port = port;
		text = ld_span_first(text, last_colon);
	}
	parts.host = text;
	return parts;
}

static bool
port_is_default(const struct url_parts *parts)
{
	return parts->port.len == 0 ||
	       (ld_text_is(parts->scheme, "http") && ld_text_is(parts->port, "80")) ||
	       (ld_text_is(parts->scheme, "https") && ld_text_is(parts->port, "443"));
}

static enum ld_reject
host_reject(struct ld_span host)
{
	char target[LD_TARGET_MAX];

	if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		host = ld_span(host.data + 1, host.len - 2);
	if (ld_address_read(target, host) != LD_ADDRESS_NONE)
		return LD_REJECT_IP_ADDRESS;
	return ld_span_has_any(host, "*|^") ? LD_REJECT_PATTERN : LD_REJECT_NONE;
}

/* Host and path out of the parts, canonical. */
static enum ld_reject
url_entry(struct ld_list_parser *p, const struct url_parts *parts, struct ld_entry *entry)
{
	size_t host_len = 0;
	enum ld_reject reason = host_reject(parts->host);

	if (reason == LD_REJECT_NONE)
		reason = host_write(p->host, parts->host, &host_len);
	if (reason != LD_REJECT_NONE)
		return reason;
	if (!port_is_default(parts))
		return LD_REJECT_PORT;
	if (!is_utf8(parts->rest))
		return LD_REJECT_ENCODING;
	memcpy(p->url_text, p->host, host_len);
	memcpy(p->url_text + host_len, parts->rest.data, parts->rest.len);
	int err = ld_url_canonical(&p->url, ld_span(p->url_text, host_len + parts->rest.len));
	if (err != LINDUNG_OK)
		return host_error(err);
	entry->host = ld_span(p->host, host_len);
	entry->path = ld_span(p->url.text, p->url.text_len);
	entry->scope = LD_SCOPE_URL;
	return LD_REJECT_NONE;
}

enum ld_reject
ld_parser_url(struct ld_list_parser *p, struct ld_span text, struct ld_entry *entry)
{
	struct url_parts parts = url_split(text);

	return text.len > LD_URL_MAX ? LD_REJECT_TOO_LONG : url_entry(p, &parts, entry);
}

/* The rest of a match pattern: "/" followed by "*" is every page; "/dir/" and "*" a directory. */
static enum ld_reject
pattern_rest(struct url_parts *parts)
{
	size_t star = ld_span_find(parts->rest, '*');

	if (star == parts->rest.len)
		return LD_REJECT_NONE;
	if (star + 1 != parts->rest.len || star == 0 || parts->rest.data[star - 1] != '/')
		return LD_REJECT_PATTERN;
	parts->rest = ld_span_first(parts->rest, star);
	return LD_REJECT_NONE;
}

/* A URL as people write one in a list, or a match pattern.  Every page of a host is that host: a
 * URL with a scheme names no other, a name with nothing but '/' behind it covers what the name
 * alone would. */
static enum ld_reject
site_url(struct ld_list_parser *p, struct ld_span text, struct ld_entry *entry)
{
	struct url_parts parts = url_split(text);
	uint8_t scope = parts.scheme.len != 0 ? LD_SCOPE_SELF : entry->scope;

	if (text.len > LD_URL_MAX)
		return LD_REJECT_TOO_LONG;
	bool any_scheme = ld_span_find(parts.scheme, '*') != parts.scheme.len;
	bool wild = ld_text_starts(parts.host, "*.");
	if (any_scheme && !ld_text_is(parts.scheme, "*"))
		return LD_REJECT_PATTERN;
	if (any_scheme || wild || ld_span_ends(parts.rest, LD_SPAN("/*"))) {
		enum ld_reject reason = pattern_rest(&parts);
		if (reason != LD_REJECT_NONE)
			return reason;
		scope = wild ? LD_SCOPE_TREE : LD_SCOPE_SELF;
	}
	if (wild)
		parts.host = ld_span_from(parts.host, 2);
	enum ld_reject reason = url_entry(p, &parts, entry);
	/* A page behind a '#' is one of many of its host. */
	bool has_fragment = ld_span_find(parts.rest, '#') + 1 < parts.rest.len;
	if (reason == LD_REJECT_NONE && ld_text_is(entry->path, "/") && !has_fragment) {
		entry->path = (struct ld_span){NULL, 0};
		entry->scope = scope;
	}
	return reason;
}

/* ---- Sites ---------------------------------------------------------------------------------- */

static bool
is_network(struct ld_span text)
{
	char target[LD_TARGET_MAX];
	size_t slash = find_last(text, '/');

	return all_digits(ld_span_from(text, slash + 1)) &&
	       ld_address_read(target, ld_span_first(text, slash)) != LD_ADDRESS_NONE;
}

/* Why a text that is not a URL and not a plain name is not a name. */
static enum ld_reject
why_no_name(struct ld_list_parser *p, struct ld_span text, enum ld_reject reason)
{
	struct url_parts parts = url_split(text);
	struct ld_span host;
	enum ld_reject other = host_reject(text);

	if (other == LD_REJECT_IP_ADDRESS)
		return other;
	if (text.len > 2 && (text.data[0] == '^' || ld_span_has_any(text, "\\$(+")))
		return ld_span_has_any(text, "\\^*") ? LD_REJECT_REGEX : reason;
	if (other != LD_REJECT_NONE)
		return other;
	if (parts.port.len != 0) {
		if (host_reject(parts.host) == LD_REJECT_IP_ADDRESS)
			return LD_REJECT_IP_ADDRESS;
		if (ld_parser_host(p, parts.host, &host) == LD_REJECT_NONE)
			return LD_REJECT_PORT;
	}
	return reason;
}

int
ld_parser_site(struct ld_list_parser *p, struct ld_span text, const struct ld_entry *like,
	       uint8_t wild_scope)
{
	struct ld_entry entry = *like;
	struct ld_span name = text;
	size_t len = 0;

	if (ld_host_from_text(p->host, &len, text) == LINDUNG_OK) {
		entry.host = ld_span(p->host, len);
		return ld_parser_entry(p, &entry);
	}
	if (is_network(text))
		return ld_parser_reject(p, LD_REJECT_IP_ADDRESS, text);
	if (text.len > 1 &&
	    (text.data[0] == '^' || (text.data[0] == '/' && text.data[text.len - 1] == '/')))
		return ld_parser_reject(p, LD_REJECT_REGEX, text);
	if (ld_span_has_any(text, "/?")) {
		enum ld_reject reason = site_url(p, text, &entry);

		/* An answer can be rewritten for a name only. */
		if (reason == LD_REJECT_NONE && entry.scope == LD_SCOPE_URL &&
		    entry.action == LD_ACTION_REWRITE)
			reason = LD_REJECT_SYNTAX;
		return reason == LD_REJECT_NONE ? ld_parser_entry(p, &entry)
						: ld_parser_reject(p, reason, text);
	}
	if (ld_text_starts(text, "*.") || (text.len > 1 && text.data[0] == '.')) {
		if (wild_scope == 0)
			return ld_parser_reject(p, LD_REJECT_PATTERN, text);
		name = ld_span_from(text, text.data[0] == '*' ? 2 : 1);
		entry.scope = wild_scope;
	}
	enum ld_reject reason = ld_parser_host(p, name, &entry.host);
	if (reason == LD_REJECT_NONE)
		return ld_parser_entry(p, &entry);
	return ld_parser_reject(p, why_no_name(p, name, reason), text);
}
