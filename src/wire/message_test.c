/* Messages read: names, queries and their options.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "wire/show.h"
#include "wire/test_hex.h"

static void
numbers_have_names(void **state)
{
	(void)state;
	assert_string_equal(ld_type_name(LD_TYPE_HTTPS), "HTTPS");
	assert_string_equal(ld_type_name(255), "ANY");
	assert_null(ld_type_name(1000));
	assert_string_equal(ld_class_name(1), "IN");
	assert_null(ld_class_name(2));
	assert_string_equal(ld_opcode_name(4), "NOTIFY");
	assert_null(ld_opcode_name(15));
	assert_string_equal(ld_rcode_name(16), "BADVERS");
	assert_null(ld_rcode_name(99));
	assert_string_equal(ld_option_name(15), "EDE");
	assert_null(ld_option_name(100));
	assert_string_equal(ld_ede_name(17), "Filtered");
	assert_string_equal(ld_ede_name(35), "Blocked by Upstream DNS Server");
	assert_null(ld_ede_name(36));
	assert_string_equal(ld_type_rdata(LD_TYPE_SOA), "NN20");
	assert_string_equal(ld_type_rdata(1000), "*");
}

#define HEADER "123401000001000000000000"

static void
names_follow_pointers_backwards_only(void **state)
{
	static const struct {
		const char *message;
		size_t at;
		const char *text; /* NULL: not a name */
		size_t behind;
	} rows[] = {
		{HEADER "0161 0162 00", 12, "a.b", 17},
		{HEADER "00", 12, ".", 13},
		{HEADER "0161 00 0162 c00c", 15, "b.a", 19},
		{HEADER "0161 00 c00c", 15, "a", 17},
		{HEADER "0161 00 0162 c00c 0163 c00f", 19, "c.b.a", 23},
		{HEADER "c00c", 12, NULL, 0},            /* itself */
		{HEADER "0161 c00c", 12, NULL, 0},       /* its own beginning */
		{HEADER "c00f 00 0161 00", 12, NULL, 0}, /* forwards */
		{HEADER "c000", 12, NULL, 0},            /* the header */
		{HEADER "0161 00 c00b", 15, NULL, 0},    /* the header */
		{HEADER "c00e c00c", 14, NULL, 0},       /* in a circle */
		{HEADER "c0", 12, NULL, 0},
		{HEADER "0161", 12, NULL, 0},
		{HEADER "0261", 12, NULL, 0},
		{HEADER "4061", 12, NULL, 0}, /* label types that nobody uses */
		{HEADER "8061", 12, NULL, 0},
		{HEADER, 12, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_reader r = ld_reader(hex(rows[i].message));
		struct ld_name name;
		char text[LD_NAME_TEXT_MAX];

		r.at = rows[i].at;
		assert_int_equal(ld_message_name(&r, &name), rows[i].text != NULL);
		assert_int_equal(r.failed, rows[i].text == NULL);
		if (rows[i].text == NULL)
			continue;
		ld_name_to_text(&name, text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(r.at, rows[i].behind);
		r.at = rows[i].at;
		assert_int_equal(ld_message_name_plain(&r, &name),
				 strchr(rows[i].message, 'c') == NULL);
	}
}

/* A message whose name at 12 has labels of 63 octets and a last one of `last`. */
static bool
name_of_length(size_t last, struct ld_name *ret)
{
	uint8_t message[400] = {0};
	struct ld_writer w = ld_writer(message, sizeof message);
	struct ld_reader r;

	ld_writer_room(&w, LD_HEADER_BYTES);
	for (int i = 0; i < 3; i++) {
		ld_writer_u8(&w, 63);
		memset(ld_writer_room(&w, 63), 'a', 63);
	}
	ld_writer_u8(&w, (uint8_t)last);
	memset(ld_writer_room(&w, last), 'b', last);
	ld_writer_u8(&w, 0);
	r = ld_reader(ld_span(w.data, w.len));
	r.at = LD_HEADER_BYTES;
	return ld_message_name(&r, ret);
}

static void
names_have_255_octets(void **state)
{
	struct ld_name name;
	uint8_t message[1000] = {0};
	struct ld_reader r;

	(void)state;
	assert_true(name_of_length(61, &name));
	assert_int_equal(name.len, 255);
	assert_int_equal(name.labels, 4);
	assert_false(name_of_length(62, &name));

	/* The same by pointers: 127 labels of one octet are a name, 128 are not. */
	for (unsigned i = 0; i < 128; i++) {
		uint8_t *at = message + LD_HEADER_BYTES + 4 * i;

		at[0] = 1;
		at[1] = 'a';
		if (i > 0)
			ld_put_be16(at + 2,
				    (uint16_t)(LD_POINTER | (LD_HEADER_BYTES + 4 * (i - 1))));
		else
			at[2] = 0;
	}
	r = ld_reader(ld_span(message, sizeof message));
	r.at = LD_HEADER_BYTES + 4 * 126;
	assert_true(ld_message_name(&r, &name));
	assert_int_equal(name.labels, 127);
	assert_int_equal(name.len, 255);
	r.at = LD_HEADER_BYTES + 4 * 127;
	assert_false(ld_message_name(&r, &name));
}

#define Q "0377777700 0001 0001"         /* www A IN */
#define OPT "00 0029 04d0 00000000 0000" /* 1232 */

static void
queries_are_read_exactly(void **state)
{
	static const struct {
		const char *message;
		enum ld_fault fault;
		bool question, edns, dnssec_ok;
		uint16_t udp_size;
	} rows[] = {
		{"1234 0100 0001 0000 0000 0000" Q, LD_FAULT_NONE, true, false, false, 512},
		{"1234 0100 0001 0000 0000 0001" Q OPT, LD_FAULT_NONE, true, true, false, 1232},
		/* A size below 512 is 512 (RFC 6891 section 6.2.3). */
		{"1234 0100 0001 0000 0000 0001" Q "00 0029 0100 00000000 0000", LD_FAULT_NONE,
		 true, true, false, 512},
		/* DO, and flags that nobody knows. */
		{"1234 0100 0001 0000 0000 0001" Q "00 0029 1000 0000ffff 0000", LD_FAULT_NONE,
		 true, true, true, 4096},
		/* Options that nobody knows. */
		{"1234 0100 0001 0000 0000 0001" Q "00 0029 04d0 00000000 0008 0064 0000 0065 0000",
		 LD_FAULT_NONE, true, true, false, 1232},
		{"1234 0100 0001 0000 0000 0001" Q "00 0029 04d0 00000000 0004 0064 0001",
		 LD_FAULT_FORMERR, true, true, false, 1232},
		{"1234 0100 0001 0000 0000 0001" Q "00 0029 04d0 00000000 0003 0064 00",
		 LD_FAULT_FORMERR, true, true, false, 1232},
		/* Another version: the rest of OPT means what that version says. */
		{"1234 0100 0001 0000 0000 0001" Q "00 0029 04d0 00018000 0003 0064 00",
		 LD_FAULT_BADVERS, true, true, true, 1232},
		/* Two OPT; one that is not the root's; one in another section. */
		{"1234 0100 0001 0000 0000 0002" Q OPT OPT, LD_FAULT_FORMERR, true, true, false,
		 1232},
		{"1234 0100 0001 0000 0000 0001" Q "0161 00 0029 04d0 00000000 0000",
		 LD_FAULT_FORMERR, true, false, false, 512},
		{"1234 0100 0001 0001 0000 0000" Q OPT, LD_FAULT_FORMERR, true, false, false, 512},
		{"1234 0100 0001 0000 0001 0000" Q OPT, LD_FAULT_FORMERR, true, false, false, 512},
		/* Other records are skipped, wherever they are; OPT need not be the last. */
		{"1234 0100 0001 0001 0000 0002" Q "c00c 0001 0001 00000000 0004 01020304" OPT
		 "c00c 0010 0001 00000000 0001 00",
		 LD_FAULT_NONE, true, true, false, 1232},
		/* Owners that are no names. */
		{"1234 0100 0001 0000 0000 0001" Q "c015 0010 0001 00000000 0000", LD_FAULT_FORMERR,
		 true, false, false, 512},
		{"1234 0100 0001 0000 0000 0001" Q "c000 0010 0001 00000000 0000", LD_FAULT_FORMERR,
		 true, false, false, 512},
		{"1234 0100 0001 0000 0000 0001" Q "4061 00 0010 0001 00000000 0000",
		 LD_FAULT_FORMERR, true, false, false, 512},
		/* OPT whose root is written as a pointer to one is not owned by the root octet. */
		{"1234 0100 0001 0000 0000 0001" Q "c010 0029 04d0 00000000 0000", LD_FAULT_FORMERR,
		 true, false, false, 512},
		/* No question, two questions, cut, and more than there is. */
		{"1234 0100 0000 0000 0000 0000", LD_FAULT_FORMERR, false, false, false, 512},
		{"1234 0100 0002 0000 0000 0000" Q Q, LD_FAULT_FORMERR, false, false, false, 512},
		{"1234 0100 0001 0000 0000 0000 0377777700 0001 00", LD_FAULT_FORMERR, false, false,
		 false, 512},
		{"1234 0100 0001 0000 0000 0000 0377777700 0001", LD_FAULT_FORMERR, false, false,
		 false, 512},
		{"1234 0100 0001 0000 0000 0000 c000 0001 0001", LD_FAULT_FORMERR, false, false,
		 false, 512},
		{"1234 0100 0001 0000 0000 0000", LD_FAULT_FORMERR, false, false, false, 512},
		{"1234 0100 0001 0000 0000 0001" Q, LD_FAULT_FORMERR, true, false, false, 512},
		{"1234 0100 0001 0000 0000 0001" Q "00 0029 04d0 00000000 0001", LD_FAULT_FORMERR,
		 true, false, false, 512},
		/* Octets behind the last section. */
		{"1234 0100 0001 0000 0000 0000" Q "00", LD_FAULT_FORMERR, true, false, false, 512},
		{"1234 0100 0001 0000 0000 0001" Q OPT "00", LD_FAULT_FORMERR, true, true, false,
		 1232},
		/* Other opcodes, whatever follows; responses; less than a header. */
		{"1234 7900 0001 0000 0000 0000", LD_FAULT_NOTIMP, false, false, false, 512},
		{"1234 2800 0001 0000 0000 0000" Q, LD_FAULT_NOTIMP, false, false, false, 512},
		{"1234 8100 0001 0000 0000 0000" Q, LD_FAULT_DROP, false, false, false, 512},
		{"1234 f900 0001 0000 0000 0000" Q, LD_FAULT_DROP, false, false, false, 512},
		{"1234 0100 0001 0000 0000 00", LD_FAULT_DROP, false, false, false, 512},
		{"", LD_FAULT_DROP, false, false, false, 512},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_query query;
		struct ld_span message = hex(rows[i].message);
		/* Where it really ends, for the sanitizer. */
		uint8_t *exact = malloc(message.len + 1);

		memcpy(exact, message.data, message.len);
		message.data = exact;
		if (ld_query_parse(&query, message) != rows[i].fault)
			fail_msg("row %zu: fault is not %d", i, rows[i].fault);
		assert_int_equal(query.id, message.len >= LD_HEADER_BYTES ? 0x1234 : 0);
		assert_int_equal(query.has_question, rows[i].question);
		assert_int_equal(query.edns, rows[i].edns);
		assert_int_equal(query.dnssec_ok, rows[i].dnssec_ok);
		assert_int_equal(query.udp_size, rows[i].udp_size);
		if (rows[i].question) {
			assert_int_equal(query.type, LD_TYPE_A);
			assert_int_equal(query.class_, LD_CLASS_IN);
			assert_memory_equal(query.name.wire, "\3www", 5);
		}
		free(exact);
	}
}

/* RFC 6891, 7873, 7828, 7830: what is read of the options, and which are malformed. */
static void
options_of_a_query(void **state)
{
	static const struct {
		const char *options;
		enum ld_fault fault;
		size_t cookie_len;
		bool keepalive, filled, padding, structured;
	} rows[] = {
		{"", LD_FAULT_NONE, 0, false, false, false, false},
		{"0064 0003 010203", LD_FAULT_NONE, 0, false, false, false, false},
		{"000b 0000", LD_FAULT_NONE, 0, true, false, false, false},
		{"000b 0002 0064", LD_FAULT_NONE, 0, true, true, false, false},
		{"000c 0003 000000 001a 0000", LD_FAULT_NONE, 0, false, false, true, true},
		{"001a 0002 7b7d", LD_FAULT_NONE, 0, false, false, false, true},
		{"000a 0008 0102030405060708", LD_FAULT_NONE, 8, false, false, false, false},
		{"000a 0010 01020304050607080910111213141516", LD_FAULT_NONE, 16, false, false,
		 false, false},
		/* The first of two is the one. */
		{"000a 0008 0102030405060708 000a 0010 01020304050607080910111213141516",
		 LD_FAULT_NONE, 8, false, false, false, false},
		{"000a 0000", LD_FAULT_FORMERR, 0, false, false, false, false},
		{"000a 0007 01020304050607", LD_FAULT_FORMERR, 0, false, false, false, false},
		{"000a 0009 010203040506070809", LD_FAULT_FORMERR, 0, false, false, false, false},
		{"000a 000f 010203040506070809101112131415", LD_FAULT_FORMERR, 0, false, false,
		 false, false},
		{"000a 0029 01020304050607080910111213141516171819202122232425262728293031323334"
		 "35363738394041",
		 LD_FAULT_FORMERR, 0, false, false, false, false},
		{"0064 0003 0102", LD_FAULT_FORMERR, 0, false, false, false, false},
		{"0064 00", LD_FAULT_FORMERR, 0, false, false, false, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		static uint8_t memory[512];
		struct ld_writer w = ld_writer(memory, sizeof memory);
		struct ld_query query;

		ld_show_build_query(&w, &(struct ld_show_query){.name = "www",
								.type = LD_TYPE_A,
								.edns = true,
								.options = hex(rows[i].options)});
		assert_int_equal(ld_query_parse(&query, ld_span(w.data, w.len)), rows[i].fault);
		if (rows[i].fault != LD_FAULT_NONE)
			continue;
		assert_int_equal(query.options.cookie.len, rows[i].cookie_len);
		assert_int_equal(query.options.keepalive, rows[i].keepalive);
		assert_int_equal(query.options.keepalive_filled, rows[i].filled);
		assert_int_equal(query.options.padding, rows[i].padding);
		assert_int_equal(query.options.structured_error, rows[i].structured);
	}
}

/* RFC 7873 section 5.4: no question, but a cookie. */
static void
cookie_without_question(void **state)
{
	struct ld_query query;

	(void)state;
	assert_int_equal(ld_query_parse(&query, hex("1234 0100 0000 0000 0000 0001"
						    "00 0029 04d0 00000000 000c"
						    "000a 0008 0102030405060708")),
			 LD_FAULT_COOKIE_ONLY);
	assert_false(query.has_question);
	assert_true(query.edns);
	assert_int_equal(ld_query_parse(&query, hex("1234 0100 0000 0000 0000 0001"
						    "00 0029 04d0 00000000 0000")),
			 LD_FAULT_FORMERR);
	assert_int_equal(ld_query_parse(&query, hex("1234 0100 0000 0000 0000 0000")),
			 LD_FAULT_FORMERR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_names),
		cmocka_unit_test(names_follow_pointers_backwards_only),
		cmocka_unit_test(names_have_255_octets),
		cmocka_unit_test(queries_are_read_exactly),
		cmocka_unit_test(options_of_a_query),
		cmocka_unit_test(cookie_without_question),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
