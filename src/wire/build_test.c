/* Messages written: OPT, padding, extended errors.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/show.h"
#include "wire/test_hex.h"

#define Q "0377777700 0001 0001" /* www A IN */

static void
padding_fills_the_block(void **state)
{
	static uint8_t memory[2000];
	struct ld_opt opt = {.udp_size = 1232, .padding_block = 468};

	(void)state;
	for (size_t before = LD_HEADER_BYTES; before < 1000; before++) {
		struct ld_writer w = ld_writer(memory, sizeof memory);

		memset(memory, 0xff, sizeof memory);
		ld_build_header(&w, 1, LD_FLAG_QR);
		w.len = before;
		ld_build_opt(&w, &opt);
		assert_false(w.failed);
		assert_int_equal(w.len % 468, 0);
		assert_true(w.len - before >= LD_OPT_BYTES + 4 &&
			    w.len - before < LD_OPT_BYTES + 4 + 468);
		for (size_t i = before + LD_OPT_BYTES + 4; i < w.len; i++)
			assert_int_equal(memory[i], 0);
		/* Less room: up to its end, or no padding at all. */
		for (size_t room = 0; room < 8; room++) {
			w = ld_writer(memory, before + LD_OPT_BYTES + room);
			w.len = before;
			ld_build_opt(&w, &opt);
			assert_false(w.failed);
			size_t whole = (before + LD_OPT_BYTES + 4 + 467) / 468 * 468;
			size_t end = before + LD_OPT_BYTES + (room < 4 ? 0 : room);
			assert_int_equal(w.len, end < whole ? end : whole);
			assert_int_equal(ld_get_be16(memory + before + 9),
					 w.len - before - LD_OPT_BYTES);
		}
	}
}

static void
opt_is_written(void **state)
{
	static uint8_t memory[512];
	struct ld_writer w = ld_writer(memory, sizeof memory);
	struct ld_name name;
	struct ld_opt opt = {
		.udp_size = 1232,
		.rcode_high = 1,
		.dnssec_ok = true,
		.edes = LD_SPAN("\0\x0f\0\4\0\x11xx"),
	};

	(void)state;
	assert_int_equal(ld_name_from_text(&name, LD_SPAN("www")), LINDUNG_OK);
	ld_build_header(&w, 0x1234, LD_FLAG_QR);
	ld_build_question(&w, &name, LD_TYPE_A, LD_CLASS_IN);
	size_t question_end = w.len;
	ld_build_record(&w, LD_COUNT_ANSWER, LD_QUESTION_AT, LD_TYPE_A, 60, LD_SPAN("\xc0\0\2\1"));
	assert_true(ld_span_equal(
		ld_span(w.data, w.len),
		hex("1234 8000 0001 0001 0000 0000" Q "c00c 0001 0001 0000003c 0004 c0000201")));
	ld_build_cut(&w, question_end);
	ld_build_opt(&w, &opt);
	assert_true(ld_span_equal(ld_span(w.data, w.len),
				  hex("1234 8200 0001 0000 0000 0001" Q
				      "00 0029 04d0 01008000 0008 000f 0004 0011 7878")));
	assert_string_equal(ld_show_message(ld_span(w.data, w.len)),
			    "BADVERS qr tc | www A | opt 1232 do ede 17 xx");
}

/* RFC 8914 section 3: extended errors give way to all else, and TC tells that one did. */
static void
rfc8914_errors_are_dropped_in_order(void **state)
{
	static uint8_t memory[512];
	uint8_t edes[512], shorter[512];
	struct ld_writer several = ld_writer(edes, sizeof edes);
	struct ld_writer two = ld_writer(shorter, sizeof shorter);
	struct ld_name name;
	static const struct {
		size_t room;
		const char *told;
	} rows[] = {
		{37, "NOERROR qr | www A | opt 1232 ede 15 a long text of one ede 3 another"},
		{36, "NOERROR qr | www A | opt 1232 ede 15 short ede 3 another"},
		{24, "NOERROR qr | www A | opt 1232 ede 15 short ede 3 another"},
		{23, "NOERROR qr | www A | opt 1232 ede 15 ede 3"},
		{12, "NOERROR qr | www A | opt 1232 ede 15 ede 3"},
		{11, "NOERROR qr tc | www A | opt 1232 ede 15"},
		{6, "NOERROR qr tc | www A | opt 1232 ede 15"},
		{5, "NOERROR qr tc | www A | opt 1232"},
		{0, "NOERROR qr tc | www A | opt 1232"},
	};

	(void)state;
	assert_int_equal(ld_name_from_text(&name, LD_SPAN("www")), LINDUNG_OK);
	ld_ede_put(&several, 15, LD_SPAN("a long text of one"));
	ld_ede_put(&several, 3, LD_SPAN("another"));
	ld_ede_put(&two, 15, LD_SPAN("short"));
	ld_ede_put(&two, 3, LD_SPAN("another"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_opt opt = {
			.udp_size = 1232,
			.edes = {edes, several.len},
			.edes_shorter = {shorter, two.len},
		};
		struct ld_writer w = ld_writer(memory, 512);

		ld_build_header(&w, 0x1234, LD_FLAG_QR);
		ld_build_question(&w, &name, LD_TYPE_A, LD_CLASS_IN);
		w.size = w.len + ld_build_opt_bytes(&opt) + rows[i].room;
		ld_build_opt(&w, &opt);
		assert_false(w.failed);
		assert_string_equal(ld_show_message(ld_span(w.data, w.len)), rows[i].told);
	}
}

/* RFC 8914 section 2: EXTRA-TEXT is UTF-8. */
static void
rfc8914_foreign_text_becomes_utf8(void **state)
{
#define FFFD "\xef\xbf\xbd"
	static const struct {
		const char *from, *to;
	} rows[] = {
		{"plain", "plain"},
		{"a\n\x7f\x1b[0m", "a   [0m"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"\xf0\x9f\x94\x92", "\xf0\x9f\x94\x92"},
		/* A lone octet, one cut short, overlong, a surrogate, past the last. */
		{"\x80x", FFFD "x"},
		{"\xc3", FFFD},
		{"\xe2\x82", FFFD FFFD},
		{"\xc0\x80", FFFD FFFD},
		{"\xe0\x80\x80", FFFD FFFD FFFD},
		{"\xed\xa0\x80", FFFD FFFD FFFD},
		{"\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD},
		{"\xff", FFFD},
	};
	uint8_t memory[LD_EDES_MAX_BYTES];
	char text[300];
	struct ld_ede_read one;
	struct ld_span edes;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_writer w = ld_writer(memory, sizeof memory);

		ld_ede_put_foreign(&w, 17, ld_span_str(rows[i].from));
		edes = ld_span(w.data, w.len);
		assert_true(ld_ede_next(&edes, &one));
		assert_int_equal(one.code, 17);
		assert_true(ld_span_equal(one.text, ld_span_str(rows[i].to)));
		assert_false(ld_ede_next(&edes, &one));
	}
	/* Cut behind a whole character: 119 octets and one of three. */
	memset(text, 'x', 119);
	memcpy(text + 119,
	       "\xe2\x82\xac"
	       "y",
	       4);
	struct ld_writer w = ld_writer(memory, sizeof memory);
	ld_ede_put_foreign(&w, 0, ld_span(text, 123));
	ld_ede_put_foreign(&w, 1, ld_span(text + 1, 122));
	edes = ld_span(w.data, w.len);
	assert_true(ld_ede_next(&edes, &one));
	assert_int_equal(one.text.len, 119);
	assert_true(ld_ede_next(&edes, &one));
	assert_int_equal(one.text.len, 118);
	text[116] = '\0';
	w = ld_writer(memory, sizeof memory);
	ld_ede_put_foreign(&w, 1, ld_span(text + 2, 121));
	edes = ld_span(w.data, w.len);
	assert_true(ld_ede_next(&edes, &one));
	assert_int_equal(one.text.len, LD_EDE_TEXT_MAX_BYTES);
	assert_int_equal(one.text.data[114], ' ');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(padding_fills_the_block),
		cmocka_unit_test(opt_is_written),
		cmocka_unit_test(rfc8914_errors_are_dropped_in_order),
		cmocka_unit_test(rfc8914_foreign_text_becomes_utf8),
	};

	return cmocka_run_group_tests_name("build", tests, NULL, NULL);
}
