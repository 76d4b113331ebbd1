/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "list/canonical.h"
#include "list/pack.h"
#include "log/block.h"
#include "log/merkle.h"
#include "log/seal.h"

enum { ROOM = 512 * 1024 * 1024 };

/* Entries as they were handed over, as text. */
struct heard {
	struct ld_buffer text;
	unsigned count, stop_at;
};

static int
hear(void *ctx, const struct ld_entry *entry)
{
	struct heard *h = ctx;

	ld_entry_write(&h->text, entry);
	ld_buffer_bytes(&h->text, LD_SPAN(" "));
	return ++h->count == h->stop_at ? LINDUNG_EBUSY : LINDUNG_OK;
}

static struct heard
heard_new(void)
{
	struct heard h = {0};

	ld_buffer_init(&h.text, ROOM);
	return h;
}

/* The statement of a block with this content, whatever that is. */
static struct ld_statement
stored_as(struct ld_span stored, uint32_t count)
{
	struct ld_statement s = {.entries = LD_ENTRIES_BLOCK, .entry_count = count};
	struct ld_hash hash;

	ld_hash_of(&hash, stored);
	memcpy(s.block_hash, hash.bytes, sizeof hash.bytes);
	return s;
}

/* What comes of a block with this content. */
static int
read_content(const char *content, uint32_t count, struct ld_report *report)
{
	struct ld_buffer stored;
	struct heard h = heard_new();

	ld_buffer_init(&stored, ROOM);
	assert_int_equal(ld_pack(&stored, ld_span_str(content)), LINDUNG_OK);
	struct ld_statement s = stored_as(ld_buffer_span(&stored), count);
	int err = ld_block_read(&s, ld_buffer_span(&stored), NULL, hear, &h, report);
	/* All or nothing. */
	assert_int_equal(h.count, err == LINDUNG_OK ? count : 0);
	ld_buffer_free(&stored);
	ld_buffer_free(&h.text);
	return err;
}

static void
made_and_read(void **state)
{
	static const char lines[] = "# a comment\n"
				    "  www.Casino.Example. \r\n"
				    "\n"
				    "=casino.example\n"
				    "*.casino.example\n"
				    "casino.example/b/../de\n"
				    "casino.example/a\n"
				    "casino.example\n"
				    "CASINO.EXAMPLE\n"
				    "b\xc3\xbc"
				    "cher.example";
	static const char expected[] =
		"casino.example =casino.example *.casino.example casino.example/a "
		"casino.example/de www.casino.example xn--bcher-kva.example ";
	struct ld_statement s = {0};
	struct ld_buffer text, stored;
	struct heard h = heard_new();
	struct ld_report report = {""};

	(void)state;
	ld_buffer_init(&text, ROOM);
	ld_buffer_init(&stored, ROOM);
	if (ld_block_make(&s, ld_span_str(lines), NULL, &text, &stored, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	assert_int_equal(s.entries, LD_ENTRIES_INLINE);
	assert_int_equal(s.entry_count, 7);
	assert_int_equal(stored.len, 0);
	assert_int_equal(ld_block_inline(&s, hear, &h), LINDUNG_OK);
	assert_true(ld_span_equal(ld_buffer_span(&h.text), ld_span_str(expected)));
	h.count = 0;
	h.stop_at = 3;
	assert_int_equal(ld_block_inline(&s, hear, &h), LINDUNG_EBUSY);
	assert_int_equal(h.count, 3);
	ld_buffer_free(&h.text);
	ld_buffer_free(&text);
}

static void
what_is_no_entry(void **state)
{
	static const struct {
		const char *lines, *expected;
	} bad[] = {
		{"a.example\nb c.example\n", "line 2: b c.example: not a domain name"},
		{"example\n", "line 1: example: a single label"},
		{"=example\n", "a single label"},
		{"192.0.2.1\n", "an IP address"},
		{"a.example:443\n", "line 1"},
		{"a.example/\xff\n", "not text in UTF-8"},
		{"\n# nothing\n", "there is no entry"},
		{"", "there is no entry"},
	};
	struct ld_buffer text, stored;

	(void)state;
	ld_buffer_init(&text, ROOM);
	ld_buffer_init(&stored, ROOM);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ld_statement s = {.entry_count = 7};
		struct ld_report report = {""};

		assert_int_equal(
			ld_block_make(&s, ld_span_str(bad[i].lines), NULL, &text, &stored, &report),
			LINDUNG_ENAME);
		if (strstr(report.text, bad[i].expected) == NULL)
			fail_msg("%zu: %s", i, report.text);
		assert_int_equal(s.entry_count, 7);
		assert_int_equal(text.len + stored.len, 0);
	}
}

/* `count` different names, a line each, not in order. */
static void
names(struct ld_buffer *ret, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		ld_buffer_printf(ret, "www%u.site-%u.example\n", i % 7, count - i);
}

static void
many(void **state)
{
	struct ld_statement s = {0};
	struct ld_buffer lines, text, stored;
	struct heard h = heard_new();
	struct ld_report report = {""};
	struct timespec start, end;

	(void)state;
	ld_buffer_init(&lines, ROOM);
	ld_buffer_init(&text, ROOM);
	ld_buffer_init(&stored, ROOM);
	names(&lines, 500000);
	if (ld_block_make(&s, ld_buffer_span(&lines), NULL, &text, &stored, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	assert_int_equal(s.entries, LD_ENTRIES_BLOCK);
	assert_int_equal(s.entry_count, 500000);
	assert_int_equal(text.len, 0);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	if (ld_block_read(&s, ld_buffer_span(&stored), NULL, hear, &h, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	assert_int_equal(h.count, 500000);
	double seconds =
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	print_message("500,000 entries, %zu octets packed, read in %.3f s\n", stored.len, seconds);
	h.count = 0;
	h.stop_at = 10;
	assert_int_equal(ld_block_read(&s, ld_buffer_span(&stored), NULL, hear, &h, &report),
			 LINDUNG_EBUSY);
	assert_int_equal(h.count, 10);
	ld_buffer_free(&h.text);
	ld_buffer_free(&lines);
	ld_buffer_free(&stored);
}

static void
bad_content(void **state)
{
	static const struct {
		const char *content;
		uint32_t count;
		int error;
		const char *expected;
	} bad[] = {
		{"a.example\nb.example\n", 1, LINDUNG_ESYNTAX, "more entries than the 1"},
		{"a.example\nb.example\n", 3, LINDUNG_ESYNTAX, "has 2 entries instead of the 3"},
		{"a.example\nb.example", 2, LINDUNG_ESYNTAX, "does not end with LF"},
		{"a.example\nb.example\nc", 2, LINDUNG_ESYNTAX, "does not end with LF"},
		{"b.example\na.example\n", 2, LINDUNG_ESYNTAX, "line 2 of the block stands"},
		{"a.example\na.example\n", 2, LINDUNG_ESYNTAX, "line 2 of the block stands"},
		{"a.example/\na.example\n", 2, LINDUNG_ESYNTAX, "line 2 of the block stands"},
		{"b.a.example\na.example/x\n", 2, LINDUNG_ESYNTAX, "line 2 of the block stands"},
		{"a.example\nB.example\n", 2, LINDUNG_ESYNTAX, "line 2 of the block is no"},
		{"a.example\n\n", 2, LINDUNG_ESYNTAX, "line 2 of the block is no"},
		{" a.example\n", 1, LINDUNG_ESYNTAX, "line 1 of the block is no"},
		{"a.example\r\n", 1, LINDUNG_ESYNTAX, "line 1 of the block is no"},
		{"example\n", 1, LINDUNG_ESYNTAX, "line 1 of the block is no"},
		{"", 1, LINDUNG_ESYNTAX, "has 0 entries"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ld_report report = {""};

		assert_int_equal(read_content(bad[i].content, bad[i].count, &report), bad[i].error);
		if (strstr(report.text, bad[i].expected) == NULL)
			fail_msg("%zu: %s", i, report.text);
	}
	assert_int_equal(read_content("a.example\na.example/x\nb.a.example\n", 3, NULL),
			 LINDUNG_OK);
}

static void
try_stored(struct ld_span stored, uint32_t count, int error, const char *expected)
{
	struct ld_statement s = stored_as(stored, count);
	struct heard h = heard_new();
	struct ld_report report = {""};

	assert_int_equal(ld_block_read(&s, stored, NULL, hear, &h, &report), error);
	if (strstr(report.text, expected) == NULL)
		fail_msg("%s", report.text);
	assert_int_equal(h.count, 0);
}

/* Frames by RFC 8878, octet by octet. */
static void
bad_frames(void **state)
{
	/* Magic, then: one segment, 9 octets of content. */
	static const uint8_t good[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 10,  0x51, 0,   0,   'a',
				       '.',  'e',  'x',  'a',  'm',  'p', 'l',  'e', '\n'};
	static const uint8_t no_size[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x51, 0,   0,   'a',
					  '.',  'e',  'x',  'a',  'm',  'p',  'l',  'e', '\n'};
	/* 8 octets of size, 16 MiB of window, one run of the letter a: a gigabyte of it. */
	static const uint8_t bomb[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0,  0x40,
				       0,    0,    0,    0,    0x03, 0, 0, 'a'};
	static const uint8_t window[] = {0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x70, 10,  0,   0,
					 0,    0,    0,    0,    0,    0x51, 0,   0,   'a',
					 '.',  'e',  'x',  'a',  'm',  'p',  'l', 'e', '\n'};
	static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 'x'};
	uint8_t two[2 * sizeof good], cut[sizeof good];
	struct ld_statement s = stored_as(ld_span(good, sizeof good), 1);
	struct heard h = heard_new();

	(void)state;
	assert_int_equal(ld_block_read(&s, ld_span(good, sizeof good), NULL, hear, &h, NULL),
			 LINDUNG_OK);
	ld_buffer_free(&h.text);
	memcpy(two, good, sizeof good);
	memcpy(two + sizeof good, good, sizeof good);
	try_stored(ld_span(two, sizeof two), 2, LINDUNG_EDAMAGED, "not one whole");
	try_stored(ld_span(good, sizeof good - 1), 1, LINDUNG_EDAMAGED, "not one whole");
	memcpy(cut, good, sizeof cut);
	cut[5] = 11;
	try_stored(ld_span(cut, sizeof cut), 1, LINDUNG_EDAMAGED, "does not unpack");
	cut[5] = 9;
	try_stored(ld_span(cut, sizeof cut), 1, LINDUNG_EDAMAGED, "does not unpack");
	try_stored(ld_span(no_size, sizeof no_size), 1, LINDUNG_EDAMAGED, "says its size");
	try_stored(ld_span(window, sizeof window), 1, LINDUNG_ELIMIT, "window past 8 MiB");
	try_stored(ld_span(bomb, sizeof bomb), 2000000, LINDUNG_ELIMIT,
		   "134217728 is the most here");
	try_stored(ld_span(skippable, sizeof skippable), 1, LINDUNG_EDAMAGED, "not one whole");
	try_stored(LD_SPAN("a.example\n"), 1, LINDUNG_EDAMAGED, "not one whole");
	try_stored(LD_SPAN(""), 1, LINDUNG_EDAMAGED, "not one whole");
	/* Small beside 128 MiB, but more than one entry can be. */
	struct ld_buffer stored, zeros;
	ld_buffer_init(&stored, ROOM);
	ld_buffer_init(&zeros, ROOM);
	memset(ld_buffer_room(&zeros, 100000), 'a', 100000);
	assert_int_equal(ld_pack(&stored, ld_buffer_span(&zeros)), LINDUNG_OK);
	try_stored(ld_buffer_span(&stored), 97, LINDUNG_ELIMIT, "99328 is the most here");
	ld_buffer_free(&stored);
	ld_buffer_free(&zeros);
}

static void
wrong_hash(void **state)
{
	struct ld_statement s = stored_as(LD_SPAN("x"), 1);
	struct ld_report report = {""};
	struct heard h = heard_new();

	(void)state;
	assert_int_equal(ld_block_read(&s, LD_SPAN("y"), NULL, hear, &h, &report),
			 LINDUNG_EDAMAGED);
	assert_non_null(strstr(report.text, "its hash is another"));
	s.entries = LD_ENTRIES_INLINE;
	assert_int_equal(ld_block_read(&s, LD_SPAN("x"), NULL, hear, &h, &report), LINDUNG_EINVAL);
}

static void
sealed(void **state)
{
	static const char secret[] =
		"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
	static const char recipient[] =
		"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
	struct ld_recipients *recipients;
	struct ld_openers *openers;
	struct ld_statement s = {0};
	struct ld_buffer text, stored, other;
	struct heard h = heard_new();
	struct ld_report report = {""};

	(void)state;
	ld_buffer_init(&text, ROOM);
	ld_buffer_init(&stored, ROOM);
	ld_buffer_init(&other, ROOM);
	assert_int_equal(ld_recipients_new(&recipients), LINDUNG_OK);
	assert_int_equal(ld_recipients_add(recipients, ld_span_str(recipient), NULL), LINDUNG_OK);
	assert_int_equal(ld_openers_new(&openers), LINDUNG_OK);
	if (ld_block_make(&s, LD_SPAN("b.example\n=a.example\n"), recipients, &text, &stored,
			  &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	assert_int_equal(s.entries, LD_ENTRIES_SEALED);
	assert_int_equal(s.entry_count, 2);
	assert_int_equal(text.len, 0);
	assert_null(memmem(stored.data, stored.len, "example", 7));
	assert_int_equal(ld_block_read(&s, ld_buffer_span(&stored), NULL, hear, &h, &report),
			 LINDUNG_EDENIED);
	assert_int_equal(ld_block_read(&s, ld_buffer_span(&stored), openers, hear, &h, &report),
			 LINDUNG_EDENIED);
	assert_int_equal(ld_openers_add(openers, ld_span_str(secret), NULL), LINDUNG_OK);
	assert_int_equal(ld_block_read(&s, ld_buffer_span(&stored), openers, hear, &h, &report),
			 LINDUNG_OK);
	assert_true(ld_span_equal(ld_buffer_span(&h.text), LD_SPAN("=a.example b.example ")));
	/* Sealed well, and still not what it should be: reports show nothing of it. */
	assert_int_equal(ld_seal(&other, LD_SPAN("b.example\nsecret.example/%\n"), recipients),
			 LINDUNG_OK);
	s = stored_as(ld_buffer_span(&other), 2);
	s.entries = LD_ENTRIES_SEALED;
	h.count = 0;
	assert_int_equal(ld_block_read(&s, ld_buffer_span(&other), openers, hear, &h, &report),
			 LINDUNG_ESYNTAX);
	assert_string_equal(report.text, "line 2 of the block is no canonical entry");
	assert_int_equal(h.count, 0);
	/* A block that is packed, said to be sealed. */
	s = stored_as(LD_SPAN("x"), 1);
	s.entries = LD_ENTRIES_SEALED;
	assert_int_equal(ld_block_read(&s, LD_SPAN("x"), openers, hear, &h, &report),
			 LINDUNG_EFORMAT);
	ld_recipients_free(recipients);
	ld_openers_free(openers);
	ld_buffer_free(&h.text);
	ld_buffer_free(&stored);
	ld_buffer_free(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_and_read), cmocka_unit_test(what_is_no_entry),
		cmocka_unit_test(many),          cmocka_unit_test(bad_content),
		cmocka_unit_test(bad_frames),    cmocka_unit_test(wrong_hash),
		cmocka_unit_test(sealed),
	};

	return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
