/* Responses written anew.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "wire/show.h"
#include "wire/test_hex.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
