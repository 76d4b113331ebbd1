/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "wire/show.h"

/* Octets from hex, blanks left out. */
static struct ld_span
hex(const char *text)
{
	static uint8_t memory[4096];
	struct ld_writer w = ld_writer(memory, sizeof memory);

	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		char octet[3] = {text[0], text[1], '\0'};
		ld_writer_u8(&w, (uint8_t)strtoul(octet, NULL, 16));
		text++;
	}
	assert_false(w.failed);
	return ld_span(w.data, w.len);
}

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

/* ---- Responses written anew --------------------------------------------------------------- */

static struct ld_copy
copy_for(const char *question)
{
	static struct ld_name name;

	assert_int_equal(ld_name_from_text(&name, ld_span_str(question)), LINDUNG_OK);
	return (struct ld_copy){
		.question = &name,
		.dnssec = true,
		.ttl_max_s = 86400,
		.negative_ttl_max_s = 900,
	};
}

/* What becomes of a response. */
static const char *
copied(struct ld_copy *copy, const char *response, size_t size)
{
	static uint8_t in[65536], out[65536];
	struct ld_writer message = ld_writer(in, sizeof in), w = ld_writer(out, size);

	ld_show_build_response(&message, response);
	int error = ld_copy_response(copy, ld_span(message.data, message.len), &w);
	if (error != LINDUNG_OK)
		return lindung_strerror(error);
	return ld_show_message(ld_span(w.data, w.len));
}

static void
responses_keep_their_meaning(void **state)
{
	static const char *const rows[] = {
		"NOERROR qr rd ra | www.example A | an www.example 60 A 192.0.2.1",
		"NOERROR qr rd ra | example MX | an example 60 MX 10 mail.example | an example 60 "
		"MX "
		"20 mx.mail.example",
		"NOERROR qr rd ra | a.example HTTPS | an a.example 60 HTTPS 1 . | an a.example 60 "
		"HTTPS 0 b.example",
		"NOERROR qr rd ra | b.example A | an b.example 60 CNAME c.example | an c.example "
		"60 "
		"CNAME d.c.example | an d.c.example 60 A 192.0.2.1",
		"NOERROR qr rd ra | x.d.example A | an d.example 60 DNAME e.example | an "
		"x.d.example "
		"60 CNAME x.e.example | an x.e.example 60 A 192.0.2.1",
		"NXDOMAIN qr rd ra | no.example A | au example 60 SOA ns.example 60",
		"NOERROR qr rd ra | t.example TYPE999 | an t.example 60 TYPE999 #c00cc00c",
		"NOERROR qr rd ra | t.example TXT | an t.example 60 TXT #0161",
		"NOERROR qr rd ra | . NS | an . 60 NS a.root | an . 60 NS b.root",
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		/* The beginning differs only in flags, which the builder does not read. */
		const char *question = strchr(rows[i], '|') + 2;
		char name[256];

		snprintf(name, sizeof name, "%.*s", (int)strcspn(question, " "), question);
		struct ld_copy copy = copy_for(name);
		assert_string_equal(copied(&copy, rows[i], 65535), rows[i]);
	}
}

static void
names_are_compressed_in_our_own_way(void **state)
{
	struct ld_copy copy = copy_for("wWw.example");
	uint8_t in[512], out[512];
	struct ld_writer message = ld_writer(in, sizeof in), w = ld_writer(out, sizeof out);

	(void)state;
	ld_show_build_response(&message, "NOERROR | www.example A | an WWW.example 60 CNAME "
					 "b.EXAMPLE | an b.example 60 A 192.0.2.1");
	assert_int_equal(ld_copy_response(&copy, ld_span(message.data, message.len), &w),
			 LINDUNG_OK);
	assert_true(ld_span_equal(ld_span(w.data, w.len),
				  hex("0000 8180 0001 0002 0000 0000"
				      "03775777 07 6578616d706c65 00 0001 0001"
				      "c00c 0005 0001 0000003c 0004 0162 c010"
				      "c029 0001 0001 0000003c 0004 c0000201")));
	assert_int_equal(copy.ttl_count, 2);
	assert_int_equal(copy.ttl_at[0], 12 + 13 + 4 + 6);
	assert_int_equal(copy.ttl_least, 60);
	assert_true(copy.has_answer);
	assert_false(copy.is_negative);
}

static void
types_that_came_later_are_not_compressed(void **state)
{
	struct ld_copy copy = copy_for("a.example");
	uint8_t out[512];
	struct ld_writer w = ld_writer(out, sizeof out);

	(void)state;
	/* An SRV record whose name came compressed goes out in full; an SVCB one is refused. */
	assert_int_equal(
		ld_copy_response(&copy,
				 hex("0000 8180 0001 0001 0000 0000 0161 076578616d706c65 00 0021 "
				     "0001 c00c 0021 0001 0000003c 0008 000100020003 c00e"),
				 &w),
		LINDUNG_OK);
	assert_true(ld_span_equal(ld_span(w.data + 27, w.len - 27),
				  hex("c00c 0021 0001 0000003c 000f 000100020003 076578616d706c65 "
				      "00")));
	w = ld_writer(out, sizeof out);
	assert_int_equal(
		ld_copy_response(&copy,
				 hex("0000 8180 0001 0001 0000 0000 0161 076578616d706c65 00 0041 "
				     "0001 c00c 0041 0001 0000003c 0004 0001 c00e"),
				 &w),
		LINDUNG_EMALFORMED);
}

static void
malformed_records_are_refused(void **state)
{
	static const char *const records[] = {
		"c00c 0001 0001 0000003c 0003 010203",     /* A with three octets */
		"c00c 0001 0001 0000003c 0005 0102030405", /* and five */
		"c00c 0001 0001 0000003c 0004 010203",     /* cut */
		"c00c 0005 0001 0000003c 0000",
		"c00c 0005 0001 0000003c 0004 0161 00 00", /* an octet behind the name */
		"c00c 0005 0001 0000003c 0002 0161 00",    /* the name leaves its rdata */
		"c00c 0006 0001 0000003c 0003 00 00 00",
		"c00c 000d 0001 0000003c 0002 0161",
		"c00c 000f 0001 0000003c 0001 00",
		"c0ff 0001 0001 0000003c 0004 01020304",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		struct ld_copy copy = copy_for("a");
		char text[256];
		uint8_t out[512];
		struct ld_writer w = ld_writer(out, sizeof out);

		snprintf(text, sizeof text, "0000 8180 0001 0001 0000 0000 016100 0001 0001%s",
			 records[i]);
		if (ld_copy_response(&copy, hex(text), &w) != LINDUNG_EMALFORMED)
			fail_msg("row %zu was taken", i);
	}
}

static void
ttls_are_told_within_limits(void **state)
{
	struct ld_copy copy = copy_for("a.example");

	(void)state;
	copy.age_s = 10;
	copy.ttl_min_s = 30;
	copy.ttl_max_s = 100;
	/* Each an RRset of its own, or they would all have the least. */
	assert_string_equal(
		copied(&copy,
		       "NOERROR | a.example A | an a.example 5 CNAME b | an b 50 CNAME c"
		       " | an c 500 CNAME d | an d 4294967295 A 192.0.2.4",
		       65535),
		"NOERROR qr rd ra | a.example A | an a.example 20 CNAME b | an b 40 CNAME c | an c "
		"90 CNAME d | an d 20 A 192.0.2.4");
	assert_int_equal(copy.ttl_least, 20);
	/* RFC 2308 section 5: the lesser of the SOA's TTL and its MINIMUM, and our limit. */
	copy.age_s = 0;
	assert_string_equal(
		copied(&copy, "NXDOMAIN | a.example A | au example 90 SOA ns.example 70", 65535),
		"NXDOMAIN qr rd ra | a.example A | au example 70 SOA ns.example 70");
	assert_true(copy.is_negative);
	assert_string_equal(
		copied(&copy, "NXDOMAIN | a.example A | au example 50 SOA ns.example 70", 65535),
		"NXDOMAIN qr rd ra | a.example A | au example 50 SOA ns.example 70");
	copy.negative_ttl_max_s = 40;
	assert_string_equal(
		copied(&copy, "NXDOMAIN | a.example A | au example 50 SOA ns.example 70", 65535),
		"NXDOMAIN qr rd ra | a.example A | au example 40 SOA ns.example 70");
}

static void
records_for_neighbours_and_validators_stay_behind(void **state)
{
	static const char response[] =
		"NOERROR | a.example A | an a.example 60 A 192.0.2.1 | an a.example 60 RRSIG #"
		"0001080200000000000000000000000000000000 | au example 60 NSEC #016100ff | au "
		"example "
		"60 NSEC3 #00 | ad . 0 OPT #00";
	struct ld_copy copy = copy_for("a.example");

	(void)state;
	/* 18 octets and the root as the signer, which is the 19th, and a signature of one. */
	assert_string_equal(
		copied(&copy, response, 65535),
		"NOERROR qr rd ra | a.example A | an a.example 60 A 192.0.2.1 | an "
		"a.example 60 RRSIG #0001080200000000000000000000000000000000 | au example "
		"60 NSEC a | au example 60 NSEC3 #00");
	assert_true(copy.had_dnssec);
	copy.dnssec = false;
	assert_string_equal(copied(&copy, response, 65535),
			    "NOERROR qr rd ra | a.example A | an a.example 60 A 192.0.2.1");
	assert_true(copy.had_dnssec);
	/* But whoever asks for them by type gets them (RFC 4035 section 3.2.1). */
	assert_string_equal(
		copied(&copy, "NOERROR | a.example NSEC3 | an a.example 60 NSEC3 #00", 65535),
		"NOERROR qr rd ra | a.example NSEC3 | an a.example 60 NSEC3 #00");
	assert_false(copy.had_dnssec);
}

static void
an_alias_leads_to_the_answer(void **state)
{
	struct ld_copy copy = copy_for("Search.Example");
	struct ld_name alias;

	(void)state;
	assert_int_equal(ld_name_from_text(&alias, LD_SPAN("safe.example")), LINDUNG_OK);
	copy.alias = &alias;
	copy.alias_ttl = 30;
	assert_string_equal(
		copied(&copy, "NOERROR | safe.example A | an safe.example 60 A 192.0.2.1", 65535),
		"NOERROR qr rd ra | Search.Example A | an Search.Example 30 CNAME safe.Example | "
		"an safe.Example 60 A 192.0.2.1");
}

static void
an_answer_fits_or_does_not(void **state)
{
	struct ld_copy copy = copy_for("a.example");
	size_t whole = 12 + 15 + 16;

	(void)state;
	for (size_t size = 0; size <= whole; size++) {
		const char *shown =
			copied(&copy, "NOERROR | a.example A | an a.example 60 A 192.0.2.1", size);

		assert_string_equal(shown, size < whole ? lindung_strerror(LINDUNG_ESPACE)
							: "NOERROR qr rd ra | a.example A | an "
							  "a.example 60 A 192.0.2.1");
	}
}

/* Who answers for one name must not slip in another. */
static void
records_of_other_names_stay_behind(void **state)
{
	static const char *const rows[][2] = {
		{"NOERROR | a.example A | an a.example 60 A 192.0.2.1 | an bank.example 60 A "
		 "192.0.2.66 | ad bank.example 60 A 192.0.2.66",
		 "NOERROR qr rd ra | a.example A | an a.example 60 A 192.0.2.1"},
		/* A chain that begins elsewhere, and one that goes on. */
		{"NOERROR | a.example A | an b.example 60 CNAME c.example | an c.example 60 A "
		 "192.0.2.1",
		 "NOERROR qr rd ra | a.example A"},
		{"NOERROR | a.example A | an A.Example 60 CNAME b.example | an x.example 60 CNAME "
		 "y.example | an b.example 60 A 192.0.2.1 | an y.example 60 A 192.0.2.66",
		 "NOERROR qr rd ra | a.example A | an a.example 60 CNAME b.example | an b.example "
		 "60 A 192.0.2.1"},
		/* A DNAME that is not above the name. */
		{"NOERROR | a.example A | an a.b.example 60 DNAME c.example | an a.example 60 A "
		 "192.0.2.1",
		 "NOERROR qr rd ra | a.example A | an a.example 60 A 192.0.2.1"},
		/* Of the conversation with upstream. */
		{"NOERROR | a.example A | an a.example 60 OPT #000f00020004 | an a.example 60 A "
		 "192.0.2.1",
		 "NOERROR qr rd ra | a.example A | an a.example 60 A 192.0.2.1"},
		/* How long "no" holds says the zone that the name is in. */
		{"NXDOMAIN | a.example A | au bank.example 60 SOA ns.bank.example 60",
		 "NXDOMAIN qr rd ra | a.example A"},
		{"NXDOMAIN | a.example A | an a.example 60 CNAME b.test | au test 60 SOA ns.test "
		 "60 | au bank.example 60 NS evil.example | au ns.test 60 A 192.0.2.1",
		 "NXDOMAIN qr rd ra | a.example A | an a.example 60 CNAME b.test | au test 60 SOA "
		 "ns.test 60"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ld_copy copy = copy_for("a.example");

		assert_string_equal(copied(&copy, rows[i][0], 65535), rows[i][1]);
		assert_int_equal(copy.has_answer, strstr(rows[i][1], " A 192") != NULL);
		assert_int_equal(copy.is_negative, strstr(rows[i][1], "SOA") != NULL);
	}
}

static void
a_chain_has_an_end(void **state)
{
	struct ld_copy copy = copy_for("n0.example");
	struct ld_buffer text;

	(void)state;
	ld_buffer_init(&text, 1 << 16);
	ld_buffer_printf(&text, "NOERROR qr rd ra | n0.example A");
	for (unsigned i = 0; i < 40; i++)
		ld_buffer_printf(&text, " | an n%u.example 60 CNAME n%u.example", i, i + 1);
	ld_buffer_bytes(&text, ld_span("", 1));
	assert_non_null(strstr(copied(&copy, (const char *)text.data, 65535), "CNAME n16.example"));
	assert_null(strstr(copied(&copy, (const char *)text.data, 65535), "CNAME n17.example"));
	ld_buffer_free(&text);
}

/* Many names with parts in common: all stay what they were. */
static void
many_names_survive_compression(void **state)
{
	struct ld_copy copy = copy_for("x.example");
	struct ld_buffer text;

	(void)state;
	ld_buffer_init(&text, 1 << 20);
	ld_buffer_printf(&text, "NOERROR qr rd ra | x.example NS");
	for (unsigned i = 0; i < 600; i++)
		ld_buffer_printf(&text,
				 " | an x.example 60 NS a%u.b%u.c%u.x.example | an x.example 60 NS "
				 "c%u.b%u.a.a.a",
				 i, i % 40, i % 7, i % 7, i % 11);
	ld_buffer_bytes(&text, ld_span("", 1));
	assert_string_equal(copied(&copy, (const char *)text.data, 65535), (const char *)text.data);
	assert_int_equal(copy.ttl_count, 1200);
	ld_buffer_free(&text);
}

/* CNAME records in whose owner and rdata stands a pointer to a name of 127 labels. */
static int
copy_of_pointers(unsigned records)
{
	static uint8_t in[LD_MESSAGE_MAX_BYTES], out[LD_MESSAGE_MAX_BYTES];
	struct ld_writer message = ld_writer(in, sizeof in), w = ld_writer(out, sizeof out);
	struct ld_name name = {.len = 255, .labels = 127};
	struct ld_copy copy = {.question = &name, .ttl_max_s = 86400};

	for (unsigned i = 0; i < 127; i++)
		memcpy(name.wire + 2 * i, "\1a", 2);
	ld_build_header(&message, 0, LD_FLAG_QR);
	ld_build_question(&message, &name, LD_TYPE_A, LD_CLASS_IN);
	for (unsigned i = 0; i < records; i++)
		ld_build_record(&message, LD_COUNT_ANSWER, LD_QUESTION_AT, LD_TYPE_CNAME, 60,
				LD_SPAN("\xc0\x0c"));
	assert_false(message.failed);
	return ld_copy_response(&copy, ld_span(message.data, message.len), &w);
}

static void
work_for_one_message_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(copy_of_pointers(LD_WALK_LABELS_MAX / 127), LINDUNG_OK);
	assert_int_equal(copy_of_pointers(LD_WALK_LABELS_MAX / 127 + 1), LINDUNG_EMALFORMED);
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
		cmocka_unit_test(numbers_have_names),
		cmocka_unit_test(names_follow_pointers_backwards_only),
		cmocka_unit_test(names_have_255_octets),
		cmocka_unit_test(queries_are_read_exactly),
		cmocka_unit_test(responses_keep_their_meaning),
		cmocka_unit_test(names_are_compressed_in_our_own_way),
		cmocka_unit_test(types_that_came_later_are_not_compressed),
		cmocka_unit_test(malformed_records_are_refused),
		cmocka_unit_test(ttls_are_told_within_limits),
		cmocka_unit_test(records_for_neighbours_and_validators_stay_behind),
		cmocka_unit_test(an_alias_leads_to_the_answer),
		cmocka_unit_test(an_answer_fits_or_does_not),
		cmocka_unit_test(records_of_other_names_stay_behind),
		cmocka_unit_test(a_chain_has_an_end),
		cmocka_unit_test(many_names_survive_compression),
		cmocka_unit_test(work_for_one_message_is_bounded),
		cmocka_unit_test(options_of_a_query),
		cmocka_unit_test(cookie_without_question),
		cmocka_unit_test(padding_fills_the_block),
		cmocka_unit_test(opt_is_written),
		cmocka_unit_test(rfc8914_errors_are_dropped_in_order),
		cmocka_unit_test(rfc8914_foreign_text_becomes_utf8),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
