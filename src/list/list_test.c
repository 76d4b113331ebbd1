/* Input, detection and the frame of the readers.  What the readers make of real lines is tested
 * with the files of tests/list.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "list/list.h"

/* ---- Files in memory ------------------------------------------------------------------------ */

struct file {
	int fd;
	char path[64];
};

static struct file
file_of(struct ld_span bytes)
{
	struct file file = {.fd = memfd_create("list", 0)};

	assert_true(file.fd >= 0);
	assert_int_equal(ld_write_all(file.fd, bytes.data, bytes.len), LINDUNG_OK);
	assert_int_equal(lseek(file.fd, 0, SEEK_SET), 0);
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	return file;
}

/* All chunks of the input joined by LF where they have none; what next() said last. */
static int
read_all(struct ld_span bytes, bool peek, struct ld_buffer *ret, struct ld_report *report)
{
	struct file file = file_of(bytes);
	struct ld_list_input *input;
	struct ld_list_chunk chunk;
	uint64_t next_line = 1;
	int err;

	ld_buffer_init(ret, SIZE_MAX);
	assert_int_equal(ld_list_input_open(&input, file.path, report), LINDUNG_OK);
	assert_int_equal(ld_list_input_size_bytes(input), bytes.len);
	if (peek)
		assert_true(ld_list_input_peek(input).len <= 64 * 1024);
	do {
		void *memory = NULL;

		err = ld_list_input_next(input, &chunk, &memory, report);
		if (err != LINDUNG_OK)
			break;
		assert_true(chunk.bytes.len <= LD_LIST_CHUNK_BYTES);
		assert_int_equal(chunk.first_line, next_line);
		for (size_t i = 0; i < chunk.bytes.len; i++)
			next_line += chunk.bytes.data[i] == '\n';
		ld_buffer_bytes(ret, chunk.bytes);
		if (chunk.bytes.len != 0 && chunk.bytes.data[chunk.bytes.len - 1] != '\n') {
			ld_buffer_bytes(ret, LD_SPAN("\n"));
			next_line++;
		}
		assert_true(chunk.consumed_bytes <= bytes.len);
		free(memory);
	} while (chunk.bytes.len != 0);
	ld_list_input_close(input);
	close(file.fd);
	return err;
}

static void
expect_text(struct ld_span bytes, struct ld_span text)
{
	for (int peek = 0; peek < 2; peek++) {
		struct ld_report report = {0};
		struct ld_buffer read;

		assert_int_equal(read_all(bytes, peek != 0, &read, &report), LINDUNG_OK);
		assert_int_equal(read.len, text.len);
		if (text.len != 0)
			assert_memory_equal(read.data, text.data, text.len);
		ld_buffer_free(&read);
	}
}

static void
expect_error(struct ld_span bytes, int error, const char *part)
{
	for (int peek = 0; peek < 2; peek++) {
		struct ld_report report = {0};
		struct ld_buffer read;

		assert_int_equal(read_all(bytes, peek != 0, &read, &report), error);
		if (strstr(report.text, part) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", part, report.text);
		ld_buffer_free(&read);
	}
}

/* A list of some megabytes, lines of all lengths. */
static struct ld_span
large_list(void)
{
	static struct ld_buffer text;

	if (text.len == 0) {
		ld_buffer_init(&text, SIZE_MAX);
		for (unsigned i = 0; i < 100000; i++)
			ld_buffer_printf(&text, "%.*s%u.example\n", (int)(i * 7 % 50),
					 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", i);
	}
	return ld_buffer_span(&text);
}

static struct ld_span
gzip_of(struct ld_span text, uint8_t **ret_memory)
{
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t size = deflateBound(&z, text.len);
	*ret_memory = malloc(size);
	uint8_t *copy = malloc(text.len + 1);
	memcpy(copy, text.data, text.len);
	z.next_in = copy;
	z.avail_in = (uInt)text.len;
	z.next_out = *ret_memory;
	z.avail_out = (uInt)size;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	size_t len = z.total_out;
	deflateEnd(&z);
	free(copy);
	return ld_span(*ret_memory, len);
}

static struct ld_span
zstd_of(struct ld_span text, int window_log, uint8_t **ret_memory)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	size_t size = ZSTD_compressBound(text.len);

	*ret_memory = malloc(size);
	if (window_log != 0) {
		/* Without the size of the content in its header, as from a pipe. */
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, window_log);
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 0);
	}
	ZSTD_inBuffer in = {text.data, text.len, 0};
	ZSTD_outBuffer out = {*ret_memory, size, 0};
	if (window_log != 0)
		assert_int_not_equal(ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_flush), 1);
	assert_int_equal(ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_end), 0);
	ZSTD_freeCCtx(zstd);
	return ld_span(*ret_memory, out.pos);
}

static struct ld_span
joined(struct ld_buffer *buffer, struct ld_span a, struct ld_span b)
{
	ld_buffer_init(buffer, SIZE_MAX);
	ld_buffer_bytes(buffer, a);
	ld_buffer_bytes(buffer, b);
	return ld_buffer_span(buffer);
}

/* ---- Input ---------------------------------------------------------------------------------- */

static void
plain_text_comes_as_it_is(void **state)
{
	(void)state;
	expect_text(LD_SPAN(""), LD_SPAN(""));
	expect_text(LD_SPAN("a"), LD_SPAN("a\n"));
	expect_text(LD_SPAN("\n"), LD_SPAN("\n"));
	expect_text(LD_SPAN("a\n\nb\n"), LD_SPAN("a\n\nb\n"));
	expect_text(LD_SPAN("a\0b\n\0"), LD_SPAN("a\0b\n\0\n"));
	expect_text(large_list(), large_list());
}

static void
ends_of_lines(void **state)
{
	(void)state;
	expect_text(LD_SPAN("a\r\nb\r\n"), LD_SPAN("a\r\nb\r\n"));
	expect_text(LD_SPAN("a\rb\r"), LD_SPAN("a\nb\n"));
	expect_text(LD_SPAN("\r\r\n\r"), LD_SPAN("\n\r\n\n"));
}

/* CR LF on either side of every place where a chunk may end. */
static void
ends_of_lines_at_chunk_ends(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 70; shift++) {
		struct ld_buffer text;

		ld_buffer_init(&text, SIZE_MAX);
		for (size_t i = 0; i < shift; i++)
			ld_buffer_bytes(&text, LD_SPAN("x"));
		while (text.len < 2 * LD_LIST_CHUNK_BYTES + 1000)
			ld_buffer_bytes(&text, LD_SPAN("abcdefghijklmnopqrstuvw\r\n"));
		struct ld_report report;
		struct ld_buffer read;
		assert_int_equal(read_all(ld_buffer_span(&text), false, &read, &report),
				 LINDUNG_OK);
		assert_int_equal(read.len, text.len);
		assert_memory_equal(read.data, text.data, text.len);
		ld_buffer_free(&read);
		ld_buffer_free(&text);
	}
}

static void
packed_text_is_unpacked(void **state)
{
	struct ld_span texts[] = {LD_SPAN(""), LD_SPAN("a.example\n"), large_list()};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint8_t *gzip_memory, *zstd_memory;
		struct ld_span gzip = gzip_of(texts[i], &gzip_memory);
		struct ld_span zstd = zstd_of(texts[i], 0, &zstd_memory);
		struct ld_buffer twice, text;

		expect_text(gzip, texts[i]);
		expect_text(zstd, texts[i]);
		joined(&text, texts[i], texts[i]);
		expect_text(joined(&twice, gzip, gzip), ld_buffer_span(&text));
		ld_buffer_free(&twice);
		expect_text(joined(&twice, zstd, zstd), ld_buffer_span(&text));
		ld_buffer_free(&twice);
		/* tar and dd fill up with zeros; gzip(1) takes that too */
		static const uint8_t zeros[512] = {0};
		expect_text(joined(&twice, gzip, ld_span(zeros, sizeof(zeros))), texts[i]);
		ld_buffer_free(&twice);
		ld_buffer_free(&text);
		free(gzip_memory);
		free(zstd_memory);
	}
}

static void
damage_is_said(void **state)
{
	uint8_t *memory;
	struct ld_buffer buffer;

	(void)state;
	struct ld_span gzip = gzip_of(large_list(), &memory);
	expect_error(ld_span_first(gzip, gzip.len - 1), LINDUNG_EDAMAGED, "cut off");
	expect_error(ld_span_first(gzip, gzip.len / 2), LINDUNG_EDAMAGED, "cut off");
	expect_error(ld_span_first(gzip, 5), LINDUNG_EDAMAGED, "cut off");
	expect_error(joined(&buffer, gzip, LD_SPAN("junk")), LINDUNG_EDAMAGED, "something else");
	ld_buffer_free(&buffer);
	memory[gzip.len - 6] ^= 1;
	expect_error(gzip, LINDUNG_EDAMAGED, "gzip");
	free(memory);

	struct ld_span zstd = zstd_of(large_list(), 0, &memory);
	expect_error(ld_span_first(zstd, zstd.len - 1), LINDUNG_EDAMAGED, "cut off");
	expect_error(ld_span_first(zstd, zstd.len / 2), LINDUNG_EDAMAGED, "cut off");
	expect_error(ld_span_first(zstd, 5), LINDUNG_EDAMAGED, "cut off");
	memory[zstd.len / 2] ^= 0x55;
	expect_error(zstd, LINDUNG_EDAMAGED, "zstd");
	free(memory);
}

static void
windows_are_bounded(void **state)
{
	uint8_t *memory;

	(void)state;
	struct ld_span zstd = zstd_of(large_list(), 23, &memory);
	expect_text(zstd, large_list());
	free(memory);
	zstd = zstd_of(large_list(), 27, &memory);
	expect_error(zstd, LINDUNG_ELIMIT, "8 MiB");
	free(memory);
}

static void
utf16_is_converted(void **state)
{
	(void)state;
	expect_text(LD_SPAN("\xef\xbb\xbf"
			    "a\n"),
		    LD_SPAN("a\n"));
	expect_text(LD_SPAN("\xff\xfe"
			    "a\0\r\0\n\0\xfc\0"),
		    LD_SPAN("a\r\n\xc3\xbc\n"));
	expect_text(LD_SPAN("\xfe\xff"
			    "\0a\xd8\x3d\xde\0\x20\xac"),
		    LD_SPAN("a\xf0\x9f\x98\x80\xe2\x82\xac\n"));
	/* halves of pairs: alone, doubled, at the end; half a unit at the end */
	expect_text(LD_SPAN("\xfe\xff\xd8\x3d\0a\xde\0\xd8\x3d\xd8\x3d"),
		    LD_SPAN("\xef\xbf\xbd"
			    "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n"));
	expect_text(LD_SPAN("\xfe\xff\0a\0"), LD_SPAN("a\xef\xbf\xbd\n"));

	struct ld_span text = large_list();
	for (unsigned mark = 0; mark < 2; mark++) {
		for (unsigned big = 0; big < 2; big++) {
			uint8_t *wide = calloc(text.len + 1, 2);
			size_t len = 0;

			if (mark != 0)
				memcpy(wide, big != 0 ? "\xfe\xff" : "\xff\xfe", len = 2);
			for (size_t i = 0; i < text.len; i++, len += 2)
				wide[len + big] = text.data[i];
			expect_text(ld_span(wide, len), text);
			free(wide);
		}
	}
}

/* ---- Parsing -------------------------------------------------------------------------------- */

struct counted {
	uint64_t entries, rejects, too_long, binary, last_line;
	uint64_t hash;
};

static int
count_entry(void *ctx, const struct ld_entry *entry, uint64_t line)
{
	struct counted *counted = ctx;

	counted->entries++;
	counted->last_line = line;
	for (size_t i = 0; i < entry->host.len; i++)
		counted->hash = (counted->hash ^ entry->host.data[i]) * 0x100000001b3;
	counted->hash = (counted->hash ^ line) * 0x100000001b3;
	return LINDUNG_OK;
}

static int
count_reject(void *ctx, enum ld_reject reason, uint64_t line, struct ld_span text)
{
	struct counted *counted = ctx;

	counted->rejects++;
	counted->too_long += reason == LD_REJECT_TOO_LONG;
	counted->binary += reason == LD_REJECT_BINARY;
	counted->last_line = line;
	assert_true(text.len <= LD_LIST_LINE_MAX_BYTES);
	return LINDUNG_OK;
}

static struct counted
parse(enum ld_list_format format, struct ld_span bytes)
{
	struct counted counted = {0};
	const struct ld_list_sink sink = {&counted, count_entry, count_reject};
	struct file file = file_of(bytes);
	struct ld_list_input *input;
	struct ld_list_parser *parser;
	struct ld_list_chunk chunk;

	assert_int_equal(ld_list_input_open(&input, file.path, NULL), LINDUNG_OK);
	assert_int_equal(ld_list_parser_new(&parser, format, NULL), LINDUNG_OK);
	do {
		void *memory = NULL;

		assert_int_equal(ld_list_input_next(input, &chunk, &memory, NULL), LINDUNG_OK);
		assert_int_equal(ld_list_parse(parser, &chunk, &sink), LINDUNG_OK);
		free(memory);
	} while (chunk.bytes.len != 0);
	ld_list_parser_free(parser);
	ld_list_input_close(input);
	close(file.fd);
	return counted;
}

static void
endless_lines_are_one_rejection(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 3; at++) {
		struct ld_buffer text;

		ld_buffer_init(&text, SIZE_MAX);
		if (at != 0)
			ld_buffer_bytes(&text, LD_SPAN("first.example\n"));
		memset(ld_buffer_room(&text, 10000000), 'x', 10000000);
		if (at != 2)
			ld_buffer_bytes(&text, LD_SPAN("\r\nsecond.example\n"));
		struct counted counted = parse(LD_LIST_DOMAINS, ld_buffer_span(&text));
		assert_int_equal(counted.too_long, 1);
		assert_int_equal(counted.rejects, 1);
		assert_int_equal(counted.entries, at == 1 ? 2 : 1);
		assert_int_equal(counted.last_line, at == 1 ? 3 : 2);
		ld_buffer_free(&text);
	}
}

static void
binary_lines_are_counted_each(void **state)
{
	static uint8_t junk[300000];
	uint64_t lines = 1;
	uint32_t random = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(junk); i++) {
		random = random * 1664525 + 1013904223;
		junk[i] = (uint8_t)(random >> 24);
		/* A CR ends a line too, but not before an LF: count LFs alone. */
		if (junk[i] == '\r')
			junk[i] = 0;
		lines += junk[i] == '\n';
	}
	junk[sizeof(junk) - 1] = 0;
	struct counted counted = parse(LD_LIST_DOMAINS, ld_span(junk, sizeof(junk)));
	assert_true(counted.binary > lines / 2);
	assert_int_equal(counted.rejects + counted.entries, lines);
	assert_int_equal(ld_list_detect(ld_span(junk, 65536)), LD_LIST_AUTO);
}

/* Where lines stand alone it does not matter where chunks end. */
static void
chunks_do_not_matter(void **state)
{
	struct ld_span text = large_list();
	struct counted whole = {0}, pieces = {0};
	struct ld_list_parser *parser;

	(void)state;
	assert_int_equal(ld_list_parser_new(&parser, LD_LIST_DOMAINS, NULL), LINDUNG_OK);
	struct ld_list_chunk chunk = {.bytes = text, .first_line = 1};
	struct ld_list_sink sink = {&whole, count_entry, count_reject};
	assert_int_equal(ld_list_parse(parser, &chunk, &sink), LINDUNG_OK);
	assert_int_equal(whole.entries, 100000);
	sink.ctx = &pieces;
	for (uint64_t line = 1; text.len != 0; line++) {
		size_t end = ld_span_find(text, '\n') + 1;

		chunk = (struct ld_list_chunk){ld_span_first(text, end), line, 0};
		assert_int_equal(ld_list_parse(parser, &chunk, &sink), LINDUNG_OK);
		text = ld_span_from(text, end);
	}
	assert_int_equal(pieces.entries, 100000);
	assert_true(pieces.hash == whole.hash);
	ld_list_parser_free(parser);
}

static int
stop(void *ctx, const struct ld_entry *entry, uint64_t line)
{
	(void)entry;
	(void)line;
	++*(int *)ctx;
	return LINDUNG_ENOTFOUND;
}

static void
sink_stops_the_parser(void **state)
{
	int calls = 0;
	const struct ld_list_sink sink = {&calls, stop, count_reject};
	const struct ld_list_chunk chunk = {LD_SPAN("a.example\nb.example\n"), 1, 0};
	struct ld_list_parser *parser;

	(void)state;
	assert_int_equal(ld_list_parser_new(&parser, LD_LIST_HOSTS, NULL), LINDUNG_OK);
	assert_int_equal(ld_list_parse(parser, &chunk, &sink), LINDUNG_ENOTFOUND);
	assert_int_equal(calls, 1);
	ld_list_parser_free(parser);
	ld_list_parser_free(NULL);
	assert_int_equal(ld_list_parser_new(&parser, LD_LIST_AUTO, NULL), LINDUNG_EINVAL);
	assert_int_equal(ld_list_parser_new(&parser, LD_LIST_CHROMIUM, NULL), LINDUNG_EINVAL);
}

/* ---- Tables and detection ------------------------------------------------------------------- */

static void
tables(void **state)
{
	(void)state;
	for (int i = 0; i < LD_LIST_FORMAT_COUNT; i++) {
		const char *key = ld_list_format_key((enum ld_list_format)i);
		struct ld_list_parser *parser = NULL;

		assert_int_equal(ld_list_format_find(key), i);
		int err = ld_list_parser_new(&parser, (enum ld_list_format)i, NULL);
		assert_int_equal(err == LINDUNG_OK, ld_list_format_is_read((enum ld_list_format)i));
		ld_list_parser_free(parser);
	}
	assert_int_equal(ld_list_format_find("nonsense"), -1);
	assert_string_equal(ld_reject_key(LD_REJECT_BADFILTERED), "badfiltered");
	assert_false(ld_reject_is_strict(LD_REJECT_COMMENT));
	assert_true(ld_reject_is_strict(LD_REJECT_PORT));
}

static void
formats_are_detected(void **state)
{
	static const struct {
		enum ld_list_format format;
		const char *text;
	} cases[] = {
		{LD_LIST_AUTO, ""},
		{LD_LIST_AUTO, "# only\n! comments\n"},
		{LD_LIST_AUTO, "$0/\n$0/\n"},
		{LD_LIST_AUTO, "<html><head><title>404 Not Found</title></head>\n<body>\n"},
		{LD_LIST_AUTO, "{\"a\": [1, 2]}\n"},
		{LD_LIST_AUTO, "Some words of text. And more,\nwith names: example.com\n"},
		{LD_LIST_LINDUNG, "# lindung list 1\n"},
		{LD_LIST_LINDUNG, "block\tadult\texample.com\tut1\n"},
		{LD_LIST_HOSTS, "# c\n0.0.0.0 a.example\n"},
		{LD_LIST_HOSTS, "::1 a.example\n1.2.3.4\tb.example c.example # d\n"},
		{LD_LIST_DOMAINS, "a.example\n"},
		{LD_LIST_DOMAINS, "b\xc3\xbc"
				  "cher.example # comment\n"},
		{LD_LIST_DOMAINS, "192.0.2.1\n192.0.2.2\n"},
		{LD_LIST_DOMAINS, "-bad-.example\nbad_.-.example\n"},
		{LD_LIST_WILDCARD, "*.a.example\n*.b.example\n"},
		{LD_LIST_WILDCARD, ".a.example\n.b.example\n"},
		{LD_LIST_SQUID, ".a.example\n.b.example\nc.example\n"},
		{LD_LIST_SQUID, ".a.example\nb.example\n"},
		{LD_LIST_DOMAINS,
		 ".a.example\nb.example\nc.example\nd.example\ne.example\n"
		 "f.example\ng.example\nh.example\ni.example\nj.example\nk.example\n"
		 "l.example\n"},
		{LD_LIST_SQUID, "a.example/path\nb.example/\n"},
		{LD_LIST_URLS, "http://a.example/\nhttps://b.example/c\n"},
		{LD_LIST_URLS, "*://*.a.example/*\n"},
		{LD_LIST_ADBLOCK, "[Adblock Plus 2.0]\na.example\n"},
		{LD_LIST_ADBLOCK, "! c\n||a.example^\nb.example\n"},
		{LD_LIST_ADBLOCK, "@@||a.example^\na.example##.ad\n"},
		{LD_LIST_DNSMASQ, "address=/a.example/0.0.0.0\n"},
		{LD_LIST_DNSMASQ, "server=/a.example/\nlocal=/b.example/\n"},
		{LD_LIST_UNBOUND, "server:\n  local-zone: \"a.example\" static\n"},
		{LD_LIST_RPZ, "$TTL 60\n@ SOA a. b. 1 2 3 4 5\n NS a.\na.example CNAME .\n"},
		{LD_LIST_RPZ, "a.example 60 IN CNAME .\n"},
		{LD_LIST_CSV, "name;date\na.example;1.1.2026\n"},
		{LD_LIST_CSV, "1,\"http://a.example/x\",online\n"},
		{LD_LIST_CSV, "\xfd\xe1;\xed\na.example;\xfd\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum ld_list_format got = ld_list_detect(ld_span_str(cases[i].text));

		if (got != cases[i].format)
			fail_msg("\"%s\" is taken for %s, not %s", cases[i].text,
				 ld_list_format_key(got), ld_list_format_key(cases[i].format));
	}
}

static void
errors_of_files(void **state)
{
	struct ld_list_input *input = NULL;
	struct ld_list_chunk chunk;
	struct ld_report report;
	void *memory = NULL;

	(void)state;
	assert_int_equal(ld_list_input_open(&input, "/nonexistent/list", &report), LINDUNG_EIO);
	assert_non_null(strstr(report.text, "/nonexistent/list"));
	assert_null(input);
	int err = ld_list_input_open(&input, "/", &report);
	if (err == LINDUNG_OK)
		err = ld_list_input_next(input, &chunk, &memory, &report);
	assert_int_equal(err, LINDUNG_EIO);
	assert_non_null(strstr(report.text, "irectory"));
	ld_list_input_close(input);
	ld_list_input_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_comes_as_it_is),
		cmocka_unit_test(ends_of_lines),
		cmocka_unit_test(ends_of_lines_at_chunk_ends),
		cmocka_unit_test(packed_text_is_unpacked),
		cmocka_unit_test(damage_is_said),
		cmocka_unit_test(windows_are_bounded),
		cmocka_unit_test(utf16_is_converted),
		cmocka_unit_test(endless_lines_are_one_rejection),
		cmocka_unit_test(binary_lines_are_counted_each),
		cmocka_unit_test(chunks_do_not_matter),
		cmocka_unit_test(sink_stops_the_parser),
		cmocka_unit_test(tables),
		cmocka_unit_test(formats_are_detected),
		cmocka_unit_test(errors_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
