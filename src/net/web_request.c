/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/web_request.h"

#include <strings.h>

enum { NUMBER_DIGITS = 18 }; /* of a length: what has more is none */

enum {
	OK = 200,
	BAD_REQUEST = 400,
	NOT_FOUND = 404,
	LENGTH_REQUIRED = 411,
	URI_TOO_LONG = 414,
	EXPECTATION_FAILED = 417,
	FIELDS_TOO_LARGE = 431,
	NOT_IMPLEMENTED = 501,
	VERSION_NOT_SUPPORTED = 505,
};

size_t
ld_web_head_len(struct ld_span bytes)
{
	const uint8_t *end = bytes.len >= 4 ? memmem(bytes.data, bytes.len, "\r\n\r\n", 4) : NULL;

	return end != NULL ? (size_t)(end - bytes.data) + 4 : 0;
}

static bool
is_letter_or_digit(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* tchar of RFC 9110 section 5.6.2 */
static bool
is_token(struct ld_span s)
{
	static const struct ld_span marks = {(const uint8_t *)"!#$%&'*+-.^_`|~", 15};

	for (size_t i = 0; i < s.len; i++)
		if (!is_letter_or_digit(s.data[i]) && ld_span_find(marks, s.data[i]) == marks.len)
			return false;
	return s.len > 0;
}

static bool
is_word(struct ld_span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp((const char *)s.data, word, s.len) == 0;
}

/* Whether `word` stands in a list of them, with commas between. */
static bool
list_has(struct ld_span list, const char *word)
{
	while (list.len > 0) {
		struct ld_span one = ld_span_first(list, ld_span_find(list, ','));

		if (is_word(ld_span_trim(one), word))
			return true;
		list = ld_span_from(list, one.len + 1);
	}
	return false;
}

/* ---- The first line ------------------------------------------------------------------------- */

/* None of what we have is named with an octet that must be encoded: what is, is not there. */
static int
path_read(struct ld_web_request *r, struct ld_span target)
{
	static const struct ld_span marks = {(const uint8_t *)"-._~+", 5};
	size_t end = ld_span_find(target, '?');
	uint8_t before = 0;

	if (target.len > LD_WEB_PATH_MAX)
		return URI_TOO_LONG;
	for (size_t i = 0; i < target.len; i++)
		if (target.data[i] <= 0x20 || target.data[i] >= 0x7f || target.data[i] == '#')
			return BAD_REQUEST;
	if (target.len == 0 || target.data[0] != '/')
		return BAD_REQUEST;
	r->has_query = end != target.len;
	r->path = ld_span_first(target, end);
	for (size_t i = 0; i < r->path.len; i++) {
		uint8_t c = r->path.data[i];

		if (before == '/' && (c == '/' || c == '.'))
			return NOT_FOUND;
		if (c != '/' && !is_letter_or_digit(c) && ld_span_find(marks, c) == marks.len)
			return NOT_FOUND;
		before = c;
	}
	return OK;
}

/* "http://host/path", as a proxy says it. */
static struct ld_span
target_of(struct ld_span target)
{
	struct ld_span rest = ld_span_from(target, 7);

	if (target.len < 8 || strncasecmp((const char *)target.data, "http://", 7) != 0)
		return target;
	return ld_span_from(rest, ld_span_find(rest, '/'));
}

static int
line_read(struct ld_web_request *r, struct ld_span line, bool *ret_is_old)
{
	struct ld_span method = ld_span_first(line, ld_span_find(line, ' ')), target, version;

	line = ld_span_from(line, method.len + 1);
	target = ld_span_first(line, ld_span_find(line, ' '));
	version = ld_span_from(line, target.len + 1);
	if (!is_token(method) || target.len == 0 || version.len != 8 ||
	    !ld_span_starts(version, LD_SPAN("HTTP/")))
		return BAD_REQUEST;
	*ret_is_old = ld_span_equal(version, LD_SPAN("HTTP/1.0"));
	if (!*ret_is_old && !ld_span_equal(version, LD_SPAN("HTTP/1.1")))
		return VERSION_NOT_SUPPORTED;
	if (ld_span_equal(method, LD_SPAN("GET")))
		r->method = LD_WEB_GET;
	else if (ld_span_equal(method, LD_SPAN("HEAD")))
		r->method = LD_WEB_HEAD;
	else if (ld_span_equal(method, LD_SPAN("POST")))
		r->method = LD_WEB_POST;
	else
		return NOT_IMPLEMENTED;
	return path_read(r, target_of(target));
}

/* ---- Header lines --------------------------------------------------------------------------- */

struct fields {
	unsigned hosts, lengths;
	bool has_coding, closes, keeps;
};

/* What matters of one; a field that must stand alone and stands twice makes the request bad. */
static int
field_take(struct ld_web_request *r, struct fields *f, struct ld_span name, struct ld_span value)
{
	struct ld_span *once = NULL;

	if (is_word(name, "host")) {
		f->hosts++;
	} else if (is_word(name, "content-length")) {
		f->lengths++;
		r->has_length = true;
		if (!ld_span_number(&r->length, value, NUMBER_DIGITS))
			return BAD_REQUEST;
	} else if (is_word(name, "transfer-encoding")) {
		f->has_coding = true;
	} else if (is_word(name, "connection")) {
		f->closes = f->closes || list_has(value, "close");
		f->keeps = f->keeps || list_has(value, "keep-alive");
	} else if (is_word(name, "expect")) {
		if (!is_word(value, "100-continue"))
			return EXPECTATION_FAILED;
		r->awaits = true;
	} else if (is_word(name, "content-type")) {
		once = &r->type;
	} else if (is_word(name, "if-none-match")) {
		once = &r->if_none_match;
	} else if (is_word(name, "range")) {
		once = &r->range;
	} else if (is_word(name, "if-range")) {
		once = &r->if_range;
	}
	if (once != NULL && once->data != NULL)
		return BAD_REQUEST;
	if (once != NULL)
		*once = value;
	return OK;
}

static int
field_read(struct ld_web_request *r, struct fields *f, struct ld_span line)
{
	size_t colon = ld_span_find(line, ':');
	struct ld_span value = ld_span_from(line, colon + 1);

	/* A blank at the beginning would be a folded line, one before the colon means as much to
	 * each reader as he likes. */
	if (colon == line.len || !is_token(ld_span_first(line, colon)))
		return BAD_REQUEST;
	for (size_t i = 0; i < value.len; i++)
		if ((value.data[i] < 0x20 && value.data[i] != '\t') || value.data[i] == 0x7f)
			return BAD_REQUEST;
	return field_take(r, f, ld_span_first(line, colon), ld_span_trim(value));
}

static int
fields_judge(struct ld_web_request *r, const struct fields *f, bool is_old)
{
	if (f->hosts > 1 || (f->hosts == 0 && !is_old))
		return BAD_REQUEST; /* RFC 9112 section 3.2 */
	if (f->lengths > 1 || (f->has_coding && (f->lengths != 0 || is_old)))
		return BAD_REQUEST; /* section 6.3: what smuggling is made of */
	if (f->has_coding)
		return LENGTH_REQUIRED;
	if (r->method == LD_WEB_POST && !r->has_length)
		return LENGTH_REQUIRED;
	if (r->method != LD_WEB_POST && r->length != 0)
		return BAD_REQUEST;
	r->keep = !f->closes && (!is_old || f->keeps);
	r->awaits = r->awaits && !is_old;
	return OK;
}

int
ld_web_request_read(struct ld_web_request *ret, struct ld_span head)
{
	struct ld_web_request r = {0};
	struct fields f = {0};
	bool is_old = false, is_first = true;
	unsigned count = 0;
	int status = OK;

	while (status == OK && head.len > 2) {
		size_t end = ld_span_find(head, '\r');
		struct ld_span line = ld_span_first(head, end);

		if (end + 1 >= head.len || head.data[end + 1] != '\n')
			return BAD_REQUEST;
		head = ld_span_from(head, end + 2);
		if (!is_first && ++count > LD_WEB_HEADERS_MAX)
			return FIELDS_TOO_LARGE;
		status = is_first ? line_read(&r, line, &is_old) : field_read(&r, &f, line);
		is_first = false;
	}
	if (status == OK && (is_first || !ld_span_equal(head, LD_SPAN("\r\n"))))
		status = BAD_REQUEST;
	if (status == OK)
		status = fields_judge(&r, &f, is_old);
	if (status == OK)
		*ret = r;
	return status;
}

/* ---- Conditions and ranges ------------------------------------------------------------------ */

bool
ld_web_tag_listed(struct ld_span list, struct ld_span tag)
{
	list = ld_span_trim(list);
	if (ld_span_equal(list, LD_SPAN("*")))
		return true;
	while (list.len > 0) {
		struct ld_span rest = list;

		if (ld_span_starts(rest, LD_SPAN("W/")))
			rest = ld_span_from(rest, 2);
		if (rest.len == 0 || rest.data[0] != '"')
			return false;
		size_t end = ld_span_find(ld_span_from(rest, 1), '"');
		if (ld_span_equal(ld_span_first(rest, end + 2), tag))
			return true;
		rest = ld_span_trim(ld_span_from(rest, end + 2));
		if (rest.len != 0 && rest.data[0] != ',')
			return false;
		list = ld_span_trim(ld_span_from(rest, 1));
	}
	return false;
}

enum ld_web_range
ld_web_range_read(uint64_t *ret_first, uint64_t *ret_len, struct ld_span range, uint64_t size)
{
	uint64_t first, last = UINT64_MAX;
	struct ld_span from, to;
	size_t dash;

	if (range.len < 6 || strncasecmp((const char *)range.data, "bytes=", 6) != 0)
		return LD_WEB_RANGE_NONE;
	range = ld_span_trim(ld_span_from(range, 6));
	dash = ld_span_find(range, '-');
	from = ld_span_first(range, dash);
	to = ld_span_from(range, dash + 1);
	if (dash == range.len || (to.len != 0 && !ld_span_number(&last, to, NUMBER_DIGITS)))
		return LD_WEB_RANGE_NONE;
	if (from.len == 0) { /* the last so many */
		if (to.len == 0)
			return LD_WEB_RANGE_NONE;
		if (last == 0 || size == 0)
			return LD_WEB_RANGE_OUTSIDE;
		*ret_len = last < size ? last : size;
		*ret_first = size - *ret_len;
		return LD_WEB_RANGE_ONE;
	}
	if (!ld_span_number(&first, from, NUMBER_DIGITS) || last < first)
		return LD_WEB_RANGE_NONE;
	if (first >= size)
		return LD_WEB_RANGE_OUTSIDE;
	*ret_first = first;
	*ret_len = (last < size ? last : size - 1) - first + 1;
	return LD_WEB_RANGE_ONE;
}
