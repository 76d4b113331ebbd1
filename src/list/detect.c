/* Which format is this? Every line of the beginning votes.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A line is looked at by its shape, not by whether its names are good: a list of bad names is a
 * list. */
#include "list/parser.h"

enum {
	LINES_MAX = 2000,
	FIELD_MAX_BYTES = LD_LIST_LINE_MAX_BYTES,
};

/* ---- Shapes --------------------------------------------------------------------------------- */

static bool
is_name_octet(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c >= 0x80;
}

/* Two labels or more, a letter in the last; "*." or "." may stand before, a dot behind. */
static bool
is_name(struct ld_span text)
{
	size_t dots = 0, label = 0;
	bool letter = false;

	if (ld_text_starts(text, "*."))
		text = ld_span_from(text, 2);
	else if (ld_text_starts(text, "."))
		text = ld_span_from(text, 1);
	if (ld_span_ends(text, LD_SPAN(".")))
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '.') {
			if (label == 0)
				return false;
			dots++;
			label = 0;
			letter = false;
			continue;
		}
		if (!is_name_octet(c))
			return false;
		letter = letter || (c > '9' && c != '_');
		label++;
	}
	return dots != 0 && label != 0 && letter && text.len <= LD_NAME_TEXT_MAX;
}

static bool
is_address(struct ld_span text)
{
	char target[LD_TARGET_MAX];

	return text.len != 0 && text.len < 64 && ld_address_read(target, text) != LD_ADDRESS_NONE;
}

static bool
starts_any(struct ld_span text, const char *const *prefixes)
{
	for (; *prefixes != NULL; prefixes++) {
		if (ld_text_starts(text, *prefixes))
			return true;
	}
	return false;
}

static bool
has(struct ld_span text, const char *part)
{
	return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* "scheme://": the scheme may be a '*'. */
static bool
is_url(struct ld_span text)
{
	size_t colon = ld_span_find(text, ':');

	if (colon == 0 || colon > 8 || !ld_text_starts(ld_span_from(text, colon), "://"))
		return false;
	for (size_t i = 0; i < colon; i++) {
		if (text.data[i] != '*' && !is_name_octet(text.data[i]))
			return false;
	}
	return true;
}

static bool
is_adblock(struct ld_span line)
{
	static const char *const begins[] = {"||", "@@", "|http", "://", NULL};

	return starts_any(line, begins) || has(line, "##") || has(line, "#@#") ||
	       has(line, "#%#") || ld_span_ends(line, LD_SPAN("^")) ||
	       ld_span_ends(line, LD_SPAN("^|")) ||
	       (line.data[0] == '/' && line.len > 2 && line.data[line.len - 1] == '/');
}

/* owner [ttl] [class] type data */
static bool
is_record(struct ld_span line)
{
	static const char *const types[] = {"CNAME", "SOA", "NS", "A", "AAAA", "TXT", NULL};
	struct ld_span rest = line;

	ld_word_next(&rest);
	for (int i = 0; i < 3; i++) {
		struct ld_span word = ld_word_next(&rest);

		for (const char *const *type = types; *type != NULL; type++) {
			if (ld_text_is(word, *type))
				return ld_span_trim(rest).len != 0;
		}
	}
	return false;
}

/* One of the fields is a name or a URL. */
static bool
is_row(struct ld_span line)
{
	size_t fields = 0;
	bool name = false;

	while (line.len != 0) {
		size_t end = 0;

		while (end < line.len && memchr(",;\t", line.data[end], 3) == NULL)
			end++;
		struct ld_span field = ld_span_trim(ld_span_first(line, end));
		if (field.len > 2 && field.data[0] == '"')
			field = ld_span(field.data + 1, field.len - 2);
		name = name || is_name(field) || is_url(field);
		fields++;
		line = ld_span_from(line, end + 1);
	}
	return name && fields > 1;
}

/* ---- Votes ---------------------------------------------------------------------------------- */

struct votes {
	size_t of[LD_LIST_FORMAT_COUNT];
	size_t lines; /* that are neither blank nor comments */
	size_t dotted;
};

static enum ld_list_format
vote_word(struct ld_span line, struct votes *votes)
{
	size_t slash = ld_span_find(line, '/');

	if (is_url(line))
		return LD_LIST_URLS;
	if (slash != 0 && slash != line.len) {
		struct ld_span host = ld_span_first(line, slash);

		return is_name(host) || is_address(host) ? LD_LIST_SQUID : LD_LIST_AUTO;
	}
	if (!is_name(line) && !is_address(line))
		return LD_LIST_AUTO;
	votes->dotted += line.data[0] == '.';
	return line.data[0] == '*' ? LD_LIST_WILDCARD : LD_LIST_DOMAINS;
}

static enum ld_list_format
vote(struct ld_span line, struct votes *votes)
{
	static const char *const lindung[] = {"block\t",   "block!\t", "allow\t",   "allow!\t",
					      "rewrite\t", "remove\t", "protect\t", NULL};
	static const char *const dnsmasq[] = {"address=/", "server=/", "local=/", NULL};
	static const char *const unbound[] = {"local-zone:", "local-data:", NULL};
	static const char *const zone[] = {"$TTL", "$ORIGIN", NULL};
	struct ld_span rest = line;
	struct ld_span word = ld_word_next(&rest);

	rest = ld_span_trim(rest);
	if (starts_any(line, lindung))
		return LD_LIST_LINDUNG;
	if (starts_any(line, dnsmasq))
		return LD_LIST_DNSMASQ;
	if (starts_any(line, unbound))
		return LD_LIST_UNBOUND;
	if (starts_any(line, zone))
		return LD_LIST_RPZ;
	if ((is_address(word) || ld_text_is(word, "0")) && rest.len != 0)
		return LD_LIST_HOSTS;
	if (is_adblock(line))
		return LD_LIST_ADBLOCK;
	if (rest.len != 0 && is_record(line))
		return LD_LIST_RPZ;
	if (is_row(line))
		return LD_LIST_CSV;
	if (rest.len != 0 && rest.data[0] != '#')
		return LD_LIST_AUTO;
	return vote_word(word, votes);
}

static void
count_line(struct ld_span line, struct votes *votes)
{
	if (line.len == 0 || line.data[0] == '!' || line.data[0] == ';')
		return;
	if (line.data[0] == '#' && !ld_text_starts(line, "##") && !ld_text_starts(line, "#@#"))
		return;
	if (line.data[0] == '[' && ld_text_starts(line, "[adblock")) {
		votes->of[LD_LIST_ADBLOCK]++;
		return;
	}
	votes->lines++;
	votes->of[vote(line, votes)]++;
}

static enum ld_list_format
winner(const struct votes *votes)
{
	enum ld_list_format best = LD_LIST_AUTO;

	/* Of formats with as many votes the one with more of a syntax stands later. */
	static const enum ld_list_format order[] = {
		LD_LIST_DOMAINS, LD_LIST_WILDCARD, LD_LIST_SQUID,   LD_LIST_URLS,
		LD_LIST_CSV,     LD_LIST_HOSTS,    LD_LIST_ADBLOCK, LD_LIST_DNSMASQ,
		LD_LIST_UNBOUND, LD_LIST_RPZ,      LD_LIST_LINDUNG,
	};
	size_t most = 0;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (votes->of[order[i]] != 0 && votes->of[order[i]] >= most) {
			best = order[i];
			most = votes->of[best];
		}
	}
	/* A text with a name here and there is no list. */
	if (most * 10 < votes->lines)
		return LD_LIST_AUTO;
	/* ".name" is Squid's where "name" stands beside it, with a meaning of its own; but one in a
	 * long list of names is a slip. */
	if (best == LD_LIST_DOMAINS && votes->dotted != 0 && votes->dotted * 10 >= most)
		return votes->dotted == most ? LD_LIST_WILDCARD : LD_LIST_SQUID;
	return best;
}

enum ld_list_format
ld_list_detect(struct ld_span beginning)
{
	struct votes votes = {0};
	struct ld_span rest = beginning;

	if (ld_text_starts(beginning, "# lindung list "))
		return LD_LIST_LINDUNG;
	for (size_t lines = 0; rest.len != 0 && lines < LINES_MAX; lines++) {
		size_t end = ld_span_find(rest, '\n');

		/* The last line may be cut: it counts only if it is all there is. */
		if (end == rest.len && lines != 0 && beginning.len >= 64 * 1024 - 64)
			break;
		count_line(ld_span_trim(ld_span_first(rest, end)), &votes);
		rest = ld_span_from(rest, end + 1);
	}
	return winner(&votes);
}
