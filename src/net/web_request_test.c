/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "net/web_request.h"

static struct ld_web_request request;

static int
read_text(const char *text)
{
	return ld_web_request_read(&request, ld_span_str(text));
}

static void
what_is_right_is_taken(void **state)
{
	(void)state;
	assert_int_equal(read_text("GET /tile/0/x001/067.p/5 HTTP/1.1\r\nHost: a\r\n"
				   "If-None-Match: \"x\"\r\nrange:bytes=0-1 \r\n\r\n"),
			 200);
	assert_int_equal(request.method, LD_WEB_GET);
	assert_true(ld_span_equal(request.path, LD_SPAN("/tile/0/x001/067.p/5")));
	assert_true(ld_span_equal(request.if_none_match, LD_SPAN("\"x\"")));
	assert_true(ld_span_equal(request.range, LD_SPAN("bytes=0-1")));
	assert_true(request.keep);
	assert_false(request.has_query);
	assert_int_equal(read_text("POST /submit HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n"
				   "Expect: 100-Continue\r\nConnection: foo, Close\r\n\r\n"),
			 200);
	assert_int_equal(request.length, 12);
	assert_true(request.awaits);
	assert_false(request.keep);
	assert_int_equal(read_text("HEAD http://h.example:80/checkpoint?x=1 HTTP/1.0\r\n\r\n"),
			 200);
	assert_true(ld_span_equal(request.path, LD_SPAN("/checkpoint")));
	assert_true(request.has_query);
	assert_false(request.keep);
	assert_int_equal(read_text("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 200);
	assert_true(request.keep);
	assert_int_equal(read_text("GET /a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
			 200);
}

static void
what_could_be_read_in_two_ways_is_refused(void **state)
{
	static const struct {
		int status;
		const char *text;
	} rows[] = {
		{400, "GET / HTTP/1.1\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n"},
		{400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
		{400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
		{400, "GET / http/1.1\r\nHost: a\r\n\r\n"},
		{400, "GET /\r\nHost: a\r\n\r\n"},
		{400, "GET x HTTP/1.1\r\nHost: a\r\n\r\n"},
		{400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
		{400, "GET http://host HTTP/1.1\r\nHost: a\r\n\r\n"},
		{400, "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n"},
		{400, "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=1-\r\nRange: bytes=2-\r\n\r\n"},
		{400,
		 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"},
		{400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{411, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{411, "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"},
		{411, "POST / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{417, "GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n"},
		{501, "DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n"},
		{501, "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
		{505, "GET / HTTP/1.9\r\nHost: a\r\n\r\n"},
		{404, "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n"},
		{404, "GET /tile/../../x HTTP/1.1\r\nHost: a\r\n\r\n"},
		{404, "GET /.private/x HTTP/1.1\r\nHost: a\r\n\r\n"},
		{404, "GET //x HTTP/1.1\r\nHost: a\r\n\r\n"},
		{404, "GET /a/./b HTTP/1.1\r\nHost: a\r\n\r\n"},
		{404, "GET /%2e%2e/x HTTP/1.1\r\nHost: a\r\n\r\n"},
		{404, "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n"},
		{404, "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n"},
		{404, "GET /a;b HTTP/1.1\r\nHost: a\r\n\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int status = read_text(rows[i].text);

		if (status != rows[i].status)
			fail_msg("row %zu: %d, not %d: %s", i, status, rows[i].status,
				 rows[i].text);
	}
}

static void
too_much_is_refused(void **state)
{
	char text[LD_WEB_HEAD_MAX_BYTES] = "GET /";
	size_t at = 5;

	(void)state;
	while (at < LD_WEB_PATH_MAX + 5)
		text[at++] = 'a';
	strcpy(text + at, " HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(read_text(text), 414);
	at = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (unsigned i = 1; i < LD_WEB_HEADERS_MAX; i++)
		at += (size_t)sprintf(text + at, "X: %u\r\n", i);
	strcpy(text + at, "\r\n");
	assert_int_equal(read_text(text), 200);
	strcpy(text + at, "X: y\r\n\r\n");
	assert_int_equal(read_text(text), 431);
}

static void
ends_of_heads(void **state)
{
	(void)state;
	assert_int_equal(ld_web_head_len(LD_SPAN("a\r\n\r\nb")), 5);
	assert_int_equal(ld_web_head_len(LD_SPAN("a\r\n\r")), 0);
	assert_int_equal(ld_web_head_len(LD_SPAN("a\n\nb")), 0);
	assert_int_equal(ld_web_head_len(LD_SPAN("")), 0);
}

static bool
listed(const char *list)
{
	return ld_web_tag_listed(ld_span_str(list), LD_SPAN("\"t1\""));
}

static void
tags(void **state)
{
	(void)state;
	assert_true(listed("\"t1\""));
	assert_true(listed("*"));
	assert_true(listed(" \"t0\", W/\"t1\""));
	assert_true(listed("\"a,b\",\"t1\""));
	assert_false(listed(""));
	assert_false(listed("t1"));
	assert_false(listed("\"t2\""));
	assert_false(listed("\"t1"));
	assert_false(listed("\"x\" \"t1\""));
	assert_false(listed("\"x\",,"));
}

static void
ranges(void **state)
{
	static const struct {
		const char *text;
		enum ld_web_range expected;
		uint64_t first, len;
	} rows[] = {
		{"bytes=0-0", LD_WEB_RANGE_ONE, 0, 1},
		{"bytes=5-", LD_WEB_RANGE_ONE, 5, 95},
		{"Bytes=10-1000", LD_WEB_RANGE_ONE, 10, 90},
		{"bytes=-1", LD_WEB_RANGE_ONE, 99, 1},
		{"bytes=-1000", LD_WEB_RANGE_ONE, 0, 100},
		{"bytes=99-99", LD_WEB_RANGE_ONE, 99, 1},
		{"bytes=100-", LD_WEB_RANGE_OUTSIDE, 0, 0},
		{"bytes=-0", LD_WEB_RANGE_OUTSIDE, 0, 0},
		{"bytes=5-4", LD_WEB_RANGE_NONE, 0, 0},
		{"bytes=0-1,3-4", LD_WEB_RANGE_NONE, 0, 0},
		{"bytes=-", LD_WEB_RANGE_NONE, 0, 0},
		{"bytes=", LD_WEB_RANGE_NONE, 0, 0},
		{"bytes=a-b", LD_WEB_RANGE_NONE, 0, 0},
		{"bytes=--1", LD_WEB_RANGE_NONE, 0, 0},
		{"bytes=99999999999999999999-", LD_WEB_RANGE_NONE, 0, 0},
		{"lines=1-2", LD_WEB_RANGE_NONE, 0, 0},
		{"", LD_WEB_RANGE_NONE, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t first = 0, len = 0;

		assert_int_equal(ld_web_range_read(&first, &len, ld_span_str(rows[i].text), 100),
				 rows[i].expected);
		assert_int_equal(first, rows[i].first);
		assert_int_equal(len, rows[i].len);
	}
	assert_int_equal(ld_web_range_read(&(uint64_t){0}, &(uint64_t){0}, LD_SPAN("bytes=0-"), 0),
			 LD_WEB_RANGE_OUTSIDE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right_is_taken),
		cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(ends_of_heads),
		cmocka_unit_test(tags),
		cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
