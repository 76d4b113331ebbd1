/* Readers of lists with a site a line: hosts, domains, wildcards, Squid, URLs.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * They differ in what a bare name covers; each takes what the others' lines look like, since
 * real lists mix them. */
#include <string.h>

#include "list/parser.h"

/* ---- Hosts files ---------------------------------------------------------------------------- */

static const char *const local_names[] = {
	"localhost",
	"localhost.localdomain",
	"local",
	"localdomain",
	"broadcasthost",
	"ip6-localhost",
	"ip6-loopback",
	"ip6-localnet",
	"ip6-allnodes",
	"ip6-allrouters",
	"ip6-mcastprefix",
	"ip6-allhosts",
	"localhost4",
	"localhost6",
	"loopback",
	"localhost4.localdomain4",
	"localhost6.localdomain6",
};

static bool
is_local(struct ld_span name)
{
	uint8_t first = name.data[0] | 0x20;

	if (first != 'l' && first != 'b' && first != 'i')
		return false;
	for (size_t i = 0; i < sizeof(local_names) / sizeof(local_names[0]); i++) {
		if (ld_text_is(name, local_names[i]))
			return true;
	}
	return false;
}

/* The address at the front of the line is taken off it; the rest begins behind the blanks. */
static enum ld_address_kind
take_address(struct ld_list_parser *p, struct ld_span *line)
{
	static const char *const common[] = {"0.0.0.0 ", "127.0.0.1 ", "0.0.0.0\t", "127.0.0.1\t"};

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		size_t len = strlen(common[i]);

		if (line->len > len && memcmp(line->data, common[i], len) == 0) {
			*line = ld_span_trim(ld_span_from(*line, len));
			return LD_ADDRESS_SINK;
		}
	}
	struct ld_span rest = *line;
	struct ld_span word = ld_word_next(&rest);
	enum ld_address_kind kind = ld_address_read(p->target, word);
	if (kind == LD_ADDRESS_NONE && ld_text_is(word, "0"))
		kind = LD_ADDRESS_SINK;
	if (kind != LD_ADDRESS_NONE)
		*line = ld_span_trim(rest);
	return kind;
}

static int
hosts_names(struct ld_list_parser *p, struct ld_span names, enum ld_address_kind kind,
	    uint8_t scope)
{
	struct ld_entry like = {.action = LD_ACTION_BLOCK, .scope = scope};
	struct ld_seen seen;
	int err = LINDUNG_OK;

	seen.count = 0;
	if (kind == LD_ADDRESS_REAL) {
		like.action = LD_ACTION_REWRITE;
		like.scope = LD_SCOPE_SELF;
		like.target = ld_span_str(p->target);
	}
	while (names.len != 0 && err == LINDUNG_OK) {
		struct ld_span name = ld_word_next(&names);

		names = ld_span_trim(names);
		if (is_local(name))
			err = ld_parser_reject(p, LD_REJECT_LOCAL, name);
		else if (ld_seen_add(&seen, name))
			err = ld_parser_reject(p, LD_REJECT_DUPLICATE, name);
		else if (kind == LD_ADDRESS_SCOPED)
			err = ld_parser_reject(p, LD_REJECT_ACTION, name);
		else
			err = ld_parser_site(p, name, &like,
					     scope == LD_SCOPE_TREE && kind == LD_ADDRESS_SINK
						     ? LD_SCOPE_TREE
						     : 0);
	}
	return err;
}

bool
ld_parser_hosts_line(struct ld_list_parser *p, struct ld_span line, uint8_t scope, int *ret)
{
	struct ld_span names = ld_span_trim(ld_span_first(line, ld_span_find(line, '#')));
	struct ld_span whole = names;
	enum ld_address_kind kind = take_address(p, &names);

	if (kind == LD_ADDRESS_NONE)
		return false;
	if (names.len == 0)
		*ret = ld_parser_reject(p, LD_REJECT_IP_ADDRESS, whole);
	else
		*ret = hosts_names(p, names, kind, scope);
	return true;
}

/* ---- One site a line ------------------------------------------------------------------------ */

static bool
is_comment(struct ld_span line)
{
	return line.data[0] == '#' || line.data[0] == '!' || line.data[0] == ';' ||
	       ld_text_starts(line, "//");
}

/* A '#' begins a comment; in a URL only behind a blank. */
static struct ld_span
cut_comment(struct ld_span line)
{
	size_t hash = ld_span_find(line, '#');
	bool is_url = ld_span_find(line, '/') < hash;

	while (hash < line.len && is_url && line.data[hash - 1] != ' ' &&
	       line.data[hash - 1] != '\t')
		hash += 1 + ld_span_find(ld_span_from(line, hash + 1), '#');
	return ld_span_trim(ld_span_first(line, hash));
}

static int
site_line(struct ld_list_parser *p, struct ld_span line, uint8_t bare_scope)
{
	const struct ld_entry like = {.action = LD_ACTION_BLOCK, .scope = bare_scope};
	int ret;

	line = ld_span_trim(line);
	if (line.len == 0)
		return ld_parser_reject(p, LD_REJECT_BLANK, line);
	if (is_comment(line))
		return ld_parser_reject(p, LD_REJECT_COMMENT, line);
	struct ld_span rest = cut_comment(line);
	struct ld_span word = ld_word_next(&rest);
	if (rest.len == 0)
		return ld_parser_site(p, word, &like, LD_SCOPE_TREE);
	if (ld_parser_hosts_line(p, line, LD_SCOPE_TREE, &ret))
		return ret;
	return ld_parser_reject(p, LD_REJECT_SYNTAX, line);
}

static int
tree_line(struct ld_list_parser *p, struct ld_span line)
{
	struct ld_entry entry = {.action = LD_ACTION_BLOCK, .scope = LD_SCOPE_TREE};
	size_t len = 0;

	/* Nearly every line is a name and nothing else. */
	if (line.len != 0 && line.data[line.len - 1] == '\r')
		line.len--;
	if (ld_host_from_text(p->host, &len, line) != LINDUNG_OK)
		return site_line(p, line, LD_SCOPE_TREE);
	entry.host = ld_span(p->host, len);
	return ld_parser_entry(p, &entry);
}

static int
hosts_line(struct ld_list_parser *p, struct ld_span line)
{
	int ret;

	line = ld_span_trim(line);
	if (line.len != 0 && line.data[0] >= '0' && line.data[0] <= ':' &&
	    ld_parser_hosts_line(p, line, LD_SCOPE_TREE, &ret))
		return ret;
	return site_line(p, line, LD_SCOPE_TREE);
}

/* Squid's dstdomain has a notation for both: "name" is that host, ".name" with its subdomains. */
static int
squid_line(struct ld_list_parser *p, struct ld_span line)
{
	return site_line(p, line, LD_SCOPE_SELF);
}

const struct ld_format_reader ld_reader_hosts = {.format = LD_LIST_HOSTS, .line = hosts_line};
const struct ld_format_reader ld_reader_domains = {.format = LD_LIST_DOMAINS, .line = tree_line};
const struct ld_format_reader ld_reader_wildcard = {.format = LD_LIST_WILDCARD, .line = tree_line};
const struct ld_format_reader ld_reader_squid = {.format = LD_LIST_SQUID, .line = squid_line};
const struct ld_format_reader ld_reader_urls = {.format = LD_LIST_URLS, .line = tree_line};
