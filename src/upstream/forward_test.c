/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "upstream/forward_message.h"
#include "upstream/forward_servers.h"
#include "wire/message.h"

static struct ld_name
name_of(const char *text)
{
	struct ld_name name;

	assert_int_equal(ld_name_from_text(&name, ld_span_str(text)), LINDUNG_OK);
	return name;
}

/* ---- Queries ------------------------------------------------------------------------------ */

static void
rfc8467_queries_are_padded(void **state)
{
	struct ld_name names[3] = {name_of("a"), name_of("www.example.com")};
	uint8_t out[LD_FORWARD_QUERY_MAX], cookie[LD_FORWARD_COOKIE_MAX_BYTES] = {0};

	(void)state;
	/* The longest there is. */
	struct ld_writer w = ld_writer(names[2].wire, LD_NAME_WIRE_MAX);
	for (int i = 0; i < 127; i++)
		ld_writer_bytes(&w, LD_SPAN("\1x"));
	ld_writer_u8(&w, 0);
	assert_int_equal(ld_name_from_wire(&names[2], ld_span(names[2].wire, w.len)), LINDUNG_OK);
	for (size_t i = 0; i < 3; i++) {
		struct ld_forward_query query = {
			.name = &names[i], .type = 1, .edns = true, .padded = true};
		size_t len = ld_forward_query_write(out, &query);
		struct ld_query parsed;

		assert_int_equal(len % 128, 0);
		assert_int_equal(len, i < 2 ? 128 : 384);
		assert_int_equal(ld_query_parse(&parsed, ld_span(out, len)), LD_FAULT_NONE);
		assert_true(parsed.edns && parsed.dnssec_ok);
		query.cookie = ld_span(cookie, sizeof cookie);
		query.padded = false;
		len = ld_forward_query_write(out, &query);
		assert_int_equal(len, 12 + names[i].len + 4 + 11 + 4 + 40);
	}
}

static void
case_varies_and_nothing_else(void **state)
{
	struct ld_name name = name_of("a1-z.Example.COM"), sent = name;
	unsigned upper = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		ld_forward_case_randomize(&sent);
		assert_true(ld_name_equal(&sent, &name));
		assert_int_equal(sent.len, name.len);
		upper += sent.wire[1] == 'A';
	}
	assert_in_range(upper, 10, 90);
}

/* ---- Replies ------------------------------------------------------------------------------ */

/* A query for www.example.com, and a reply to it that the test completes. */
struct talk {
	struct ld_name name;
	struct ld_forward_query query;
	uint8_t data[512];
	struct ld_writer w;
};

static void
reply_begin(struct talk *talk, uint16_t flags, const char *counts)
{
	talk->name = name_of("www.example.com");
	talk->query = (struct ld_forward_query){
		.name = &talk->name, .type = 1, .id = 0x1234, .edns = true};
	talk->w = ld_writer(talk->data, sizeof talk->data);
	ld_writer_be16(&talk->w, 0x1234);
	ld_writer_be16(&talk->w, (uint16_t)(0x8180 ^ flags));
	for (int i = 0; i < 4; i++)
		ld_writer_be16(&talk->w, (uint16_t)(counts[i] - '0'));
	if (counts[0] == '1')
		ld_writer_bytes(&talk->w, LD_SPAN("\3www\7example\3com\0\0\1\0\1"));
}

static void
record_add(struct talk *talk, uint16_t type, struct ld_span rdata)
{
	ld_writer_bytes(&talk->w, LD_SPAN("\xc0\x0c"));
	ld_writer_be16(&talk->w, type);
	ld_writer_bytes(&talk->w, LD_SPAN("\0\1\0\0\0\1"));
	ld_writer_be16(&talk->w, (uint16_t)rdata.len);
	ld_writer_bytes(&talk->w, rdata);
}

static void
opt_add(struct talk *talk, uint8_t rcode, struct ld_span options)
{
	ld_writer_bytes(&talk->w, LD_SPAN("\0\0\x29\4\xd0"));
	ld_writer_u8(&talk->w, rcode);
	ld_writer_bytes(&talk->w, LD_SPAN("\0\0\0"));
	ld_writer_be16(&talk->w, (uint16_t)options.len);
	ld_writer_bytes(&talk->w, options);
}

static enum ld_forward_kind
kind_of(const struct talk *talk)
{
	assert_false(talk->w.failed);
	return ld_forward_reply_check(&talk->query, ld_span(talk->w.data, talk->w.len)).kind;
}

static void
what_a_reply_is(void **state)
{
	static const struct ld_span ns = {(const uint8_t *)"\2ns\0", 4};
	static const struct ld_span soa = {(const uint8_t *)"\0\0aaaabbbbccccddddeeee", 22};
	struct talk t;

	(void)state;
	reply_begin(&t, 0, "1100");
	record_add(&t, LD_TYPE_A, LD_SPAN("\xc0\0\2\1"));
	assert_int_equal(kind_of(&t), LD_FORWARD_ANSWER);
	t.w.len--; /* cut in the middle of a record, without saying so */
	assert_int_equal(kind_of(&t), LD_FORWARD_BROKEN);
	t.data[2] |= 0x02; /* saying so */
	assert_int_equal(kind_of(&t), LD_FORWARD_CUT);
	t.data[0] ^= 1;
	assert_int_equal(kind_of(&t), LD_FORWARD_FOREIGN);
	/* Elsewhere, and nothing here. */
	reply_begin(&t, 0, "1010");
	record_add(&t, LD_TYPE_NS, ns);
	assert_int_equal(kind_of(&t), LD_FORWARD_REFERRAL);
	t.data[2] |= 0x04; /* whose it is says that there is nothing */
	assert_int_equal(kind_of(&t), LD_FORWARD_ANSWER);
	reply_begin(&t, 0, "1020");
	record_add(&t, LD_TYPE_NS, ns);
	record_add(&t, LD_TYPE_SOA, soa);
	assert_int_equal(kind_of(&t), LD_FORWARD_ANSWER);
	reply_begin(&t, LD_RCODE_NXDOMAIN, "1000");
	assert_int_equal(kind_of(&t), LD_FORWARD_ANSWER);
	reply_begin(&t, LD_RCODE_REFUSED, "0000");
	assert_int_equal(kind_of(&t), LD_FORWARD_REFUSED);
	for (uint16_t rcode = 0; rcode <= LD_RCODE_YXDOMAIN; rcode++) {
		reply_begin(&t, rcode, "0000");
		assert_true((kind_of(&t) == LD_FORWARD_FOREIGN) ==
			    (rcode == LD_RCODE_NOERROR || rcode == LD_RCODE_NXDOMAIN ||
			     rcode == LD_RCODE_YXDOMAIN));
	}
	reply_begin(&t, LD_RCODE_SERVFAIL, "1000");
	assert_int_equal(kind_of(&t), LD_FORWARD_UNWILLING);
}

/* RFC 6891 section 7: only who says nothing with EDNS is asked without. */
static void
rfc6891_without_edns(void **state)
{
	static const uint16_t rcodes[] = {LD_RCODE_FORMERR, LD_RCODE_NOTIMP};
	struct talk t;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		reply_begin(&t, rcodes[i], "0000");
		assert_int_equal(kind_of(&t), LD_FORWARD_NO_EDNS);
		t.query.edns = false;
		assert_int_equal(kind_of(&t), LD_FORWARD_UNWILLING);
		reply_begin(&t, rcodes[i], "1001");
		opt_add(&t, 0, LD_SPAN(""));
		assert_int_equal(kind_of(&t), LD_FORWARD_UNWILLING);
	}
	/* BADVERS has a header like NOERROR. */
	reply_begin(&t, 0, "1001");
	opt_add(&t, 1, LD_SPAN(""));
	assert_int_equal(kind_of(&t), LD_FORWARD_UNWILLING);
}

static void
rfc8914_a_reason_is_final(void **state)
{
	struct talk t;

	(void)state;
	for (uint8_t code = 0; code < 40; code++) {
		uint8_t option[6] = {0, 15, 0, 2, 0, code};
		bool is_final = (code >= 6 && code <= 12) || (code >= 15 && code <= 17);

		reply_begin(&t, LD_RCODE_SERVFAIL, "1001");
		opt_add(&t, 0, ld_span(option, sizeof option));
		assert_int_equal(kind_of(&t), is_final ? LD_FORWARD_FINAL : LD_FORWARD_UNWILLING);
	}
}

static void
rfc7873_cookies_are_checked(void **state)
{
	struct ld_span bare = LD_SPAN("12345678"), both = LD_SPAN("12345678server-1");
	struct ld_span good = LD_SPAN("\0\x0a\0\x10"
				      "12345678server-1");
	struct ld_forward_reply reply;
	struct talk t;

	(void)state;
	reply_begin(&t, 0, "1001");
	opt_add(&t, 0, good);
	t.query.cookie = bare;
	reply = ld_forward_reply_check(&t.query, ld_span(t.w.data, t.w.len));
	assert_int_equal(reply.kind, LD_FORWARD_ANSWER);
	assert_true(ld_span_equal(reply.cookie, both));
	t.query.cookie = LD_SPAN("another!");
	assert_int_equal(kind_of(&t), LD_FORWARD_FOREIGN);
	/* Shorter than a server's cookie can be. */
	reply_begin(&t, 0, "1001");
	opt_add(&t, 0,
		LD_SPAN("\0\x0a\0\x0b"
			"12345678ser"));
	t.query.cookie = bare;
	assert_int_equal(kind_of(&t), LD_FORWARD_FOREIGN);
	/* None: well, if there never was one. */
	reply_begin(&t, 0, "1000");
	t.query.cookie = bare;
	assert_int_equal(kind_of(&t), LD_FORWARD_ANSWER);
	t.query.cookie = both;
	assert_int_equal(kind_of(&t), LD_FORWARD_DOUBTFUL);
	/* BADCOOKIE is 23: 7 in the header, 1 in OPT. */
	reply_begin(&t, 7, "1001");
	opt_add(&t, 1, good);
	t.query.cookie = bare;
	assert_int_equal(kind_of(&t), LD_FORWARD_NEW_COOKIE);
	/* Who was not sent one need not be asked again for it. */
	t.query.cookie = LD_SPAN("");
	assert_int_equal(kind_of(&t), LD_FORWARD_UNWILLING);
}

static void
another_case_is_doubtful(void **state)
{
	struct talk t;

	(void)state;
	reply_begin(&t, 0, "1000");
	t.query.exact_case = true;
	assert_int_equal(kind_of(&t), LD_FORWARD_ANSWER);
	t.data[13] ^= 0x20;
	assert_int_equal(kind_of(&t), LD_FORWARD_DOUBTFUL);
	t.query.exact_case = false;
	assert_int_equal(kind_of(&t), LD_FORWARD_ANSWER);
	t.data[13] ^= 1;
	assert_int_equal(kind_of(&t), LD_FORWARD_FOREIGN);
}

/* ---- Servers ------------------------------------------------------------------------------ */

static void
the_quick_one_is_chosen(void **state)
{
	struct ld_forward_servers servers = {.count = 3};

	(void)state;
	/* None is known: as they stand. */
	assert_int_equal(ld_forward_servers_choose(&servers, 0, 0), 0);
	assert_int_equal(ld_forward_servers_choose(&servers, 1, 0), 1);
	/* About as quick: as they stand. */
	servers.items[0].rtt_ms = 18;
	servers.items[1].rtt_ms = 8;
	assert_int_equal(ld_forward_servers_choose(&servers, 0, 0), 0);
	servers.items[0].rtt_ms = 19;
	assert_int_equal(ld_forward_servers_choose(&servers, 0, 0), 1);
	/* Far away a quarter is little. */
	servers.items[0].rtt_ms = 250;
	servers.items[1].rtt_ms = 200;
	assert_int_equal(ld_forward_servers_choose(&servers, 0, 0), 0);
	/* One that fails falls back, and is the same as before when it answers again. */
	ld_forward_server_failed(&servers.items[0], 0, 1);
	assert_int_equal(ld_forward_servers_choose(&servers, 0, 0), 1);
	ld_forward_server_answered(&servers.items[0], 1000, 1200);
	assert_int_equal(ld_forward_servers_choose(&servers, 0, 0), 0);
	/* One that is full is not asked; the only one is. */
	servers.items[0].in_flight = LD_FORWARD_SERVER_IN_FLIGHT_MAX;
	assert_int_equal(ld_forward_servers_choose(&servers, 0, 0), 1);
	servers.count = 1;
	assert_int_equal(ld_forward_servers_choose(&servers, 0, 0), 0);
}

static void
copies_find_out_about_the_others(void **state)
{
	struct ld_forward_servers servers = {.count = 2};
	unsigned probes = 0;

	(void)state;
	/* Not before there is something to compare with. */
	assert_int_equal(ld_forward_servers_probe(&servers, 0, 0, 0), -1);
	servers.items[0].rtt_ms = 8;
	for (uint32_t chance = 0; chance < 3200; chance++)
		probes += ld_forward_servers_probe(&servers, 0, chance, 0) == 1;
	assert_int_equal(probes, 100);
	servers.items[1].probing = true;
	assert_int_equal(ld_forward_servers_probe(&servers, 0, 0, 0), -1);
	servers.items[1].probing = false;
	/* One that rests is left alone, and then tried with the next question, whatever. */
	servers.items[1].failures = 3;
	servers.items[1].rests_until_ms = 1000;
	assert_int_equal(ld_forward_servers_probe(&servers, 0, 0, 999), -1);
	assert_int_equal(ld_forward_servers_probe(&servers, 0, 1, 1000), 1);
	/* Nobody waits for it until then. */
	assert_int_equal(ld_forward_servers_choose(&servers, 0, 1000), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc8467_queries_are_padded),
		cmocka_unit_test(case_varies_and_nothing_else),
		cmocka_unit_test(what_a_reply_is),
		cmocka_unit_test(rfc6891_without_edns),
		cmocka_unit_test(rfc8914_a_reason_is_final),
		cmocka_unit_test(rfc7873_cookies_are_checked),
		cmocka_unit_test(another_case_is_doubtful),
		cmocka_unit_test(the_quick_one_is_chosen),
		cmocka_unit_test(copies_find_out_about_the_others),
	};

	return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
