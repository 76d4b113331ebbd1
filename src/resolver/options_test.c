/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"

static uint32_t clock_s = 1700000000;

static uint32_t
unix_s(void)
{
	return clock_s;
}

static struct bench *
options_new(bool required)
{
	struct ld_resolver_config config = bench_config;

	config.unix_s = unix_s;
	config.cookie_required = required;
	config.tcp_idle_ms = 10000;
	config.tls_idle_ms = 30000;
	struct bench *bench = bench_new(&config);
	bench->from = (struct ld_from){.address_len = 4, .address = {192, 0, 2, 1}};
	return bench;
}

/* Ask with these options; the option `wanted` of the answer, or one with NULL. */
static struct ld_span
ask(struct bench *bench, enum ld_transport transport, struct ld_span options, uint16_t wanted)
{
	struct ld_span found = {NULL, 0};
	struct ld_walk walk;
	struct ld_record record;

	bench->from.transport = transport;
	bench_answer(bench,
		     (struct ld_show_query){
			     .name = "localhost", .type = A, .edns = true, .options = options});
	assert_true(ld_walk_begin(&walk, ld_span(bench->out, bench->out_len)));
	while (ld_walk_next(&walk, &record)) {
		struct ld_reader r = ld_reader(record.rdata);

		while (record.type == LD_TYPE_OPT && ld_reader_left(&r) > 0) {
			uint16_t option = ld_reader_be16(&r);
			struct ld_span data = ld_reader_take(&r, ld_reader_be16(&r));

			if (option == wanted)
				found = data;
		}
	}
	assert_false(walk.reader.failed);
	return found;
}

static unsigned
rcode(const struct bench *bench)
{
	return ld_get_be16(bench->out + 2) & LD_FLAG_RCODE;
}

static struct ld_span
cookie_option(struct ld_span cookie, uint8_t memory[64])
{
	ld_put_be16(memory, LD_OPTION_COOKIE);
	ld_put_be16(memory + 2, (uint16_t)cookie.len);
	memcpy(memory + 4, cookie.data, cookie.len);
	return ld_span(memory, cookie.len + 4);
}

#define TAKE_COOKIE(bench, transport, bytes)                                                       \
	ask(bench, transport, cookie_option(bytes, memory), LD_OPTION_COOKIE)

static void
rfc7873_cookie_proves_the_address(void **state)
{
	struct bench *bench = options_new(false);
	uint8_t memory[64], ours[24];

	(void)state;
	assert_null(ask(bench, LD_TRANSPORT_UDP, LD_SPAN(""), LD_OPTION_COOKIE).data);
	assert_false(bench->ask.proven);
	struct ld_span got = TAKE_COOKIE(bench, LD_TRANSPORT_UDP, LD_SPAN("client01"));
	assert_int_equal(got.len, 24);
	assert_memory_equal(got.data, "client01\1\0\0\0", 12);
	assert_false(bench->ask.proven);
	memcpy(ours, got.data, 24);
	got = TAKE_COOKIE(bench, LD_TRANSPORT_UDP, ld_span(ours, 24));
	assert_memory_equal(got.data, ours, 24);
	assert_true(bench->ask.proven);
	assert_int_equal(rcode(bench), LD_RCODE_NOERROR);
	/* From elsewhere it proves nothing, and is answered all the same. */
	bench->from.address[3] = 2;
	got = TAKE_COOKIE(bench, LD_TRANSPORT_UDP, ld_span(ours, 24));
	assert_memory_not_equal(got.data, ours, 24);
	assert_false(bench->ask.proven);
	assert_int_equal(rcode(bench), LD_RCODE_NOERROR);
	/* Whoever has a connection has proved it. */
	for (int t = LD_TRANSPORT_TCP; t <= LD_TRANSPORT_HTTPS; t++) {
		got = TAKE_COOKIE(bench, (enum ld_transport)t, ld_span(ours, 24));
		assert_int_equal(got.len, 24);
		assert_true(bench->ask.proven);
	}
	/* An hour later it is stale. */
	bench->from.address[3] = 1;
	clock_s += 3601;
	TAKE_COOKIE(bench, LD_TRANSPORT_UDP, ld_span(ours, 24));
	assert_false(bench->ask.proven);
	bench_free(bench);
}

static void
rfc7873_cookie_may_be_required(void **state)
{
	struct bench *bench = options_new(true);
	uint8_t memory[64], ours[24];

	(void)state;
	/* Whoever sends none is answered as ever. */
	ask(bench, LD_TRANSPORT_UDP, LD_SPAN(""), LD_OPTION_COOKIE);
	assert_int_equal(rcode(bench), LD_RCODE_NOERROR);
	struct ld_span got = TAKE_COOKIE(bench, LD_TRANSPORT_UDP, LD_SPAN("client01"));
	assert_int_equal(got.len, 24);
	memcpy(ours, got.data, 24);
	assert_string_equal(ld_show_message(ld_span(bench->out, bench->out_len)),
			    "BADCOOKIE qr rd ra | localhost A | opt 1232 option 10");
	TAKE_COOKIE(bench, LD_TRANSPORT_UDP, ld_span(ours, 24));
	assert_int_equal(rcode(bench), LD_RCODE_NOERROR);
	TAKE_COOKIE(bench, LD_TRANSPORT_TCP, LD_SPAN("client01"));
	assert_int_equal(rcode(bench), LD_RCODE_NOERROR);
	bench_free(bench);
}

/* RFC 7873 section 5.4. */
static void
rfc7873_cookie_alone(void **state)
{
	struct bench *bench = options_new(false);

	(void)state;
	bench_answer_bytes(bench, LD_SPAN("\x12\x34\1\0\0\0\0\0\0\0\0\1\0\0\x29\4\xd0\0\0\0\0\0\x0c"
					  "\0\x0a\0\x08"
					  "client01"));
	assert_int_equal(bench->out_len, 12 + 11 + 4 + 24);
	assert_memory_equal(
		bench->out,
		"\x12\x34\x81\x80\0\0\0\0\0\0\0\1\0\0\x29\4\xd0\0\0\0\0\0\x1c\0\x0a\0\x18"
		"client01\1\0\0\0",
		39);
	/* One octet less: no cookie. */
	bench_answer_bytes(bench, LD_SPAN("\x12\x34\1\0\0\0\0\0\0\0\0\1\0\0\x29\4\xd0\0\0\0\0\0\x0b"
					  "\0\x0a\0\x07"
					  "client0"));
	assert_int_equal(bench->out_len, 12 + 11);
	assert_int_equal(rcode(bench), LD_RCODE_FORMERR);
	bench_free(bench);
}

static void
rfc7828_keepalive(void **state)
{
#define ASKED LD_SPAN("\0\x0b\0\0")
#define FILLED LD_SPAN("\0\x0b\0\2\0\1")
	struct bench *bench = options_new(false);

	(void)state;
	for (int t = LD_TRANSPORT_TCP; t <= LD_TRANSPORT_TLS; t++) {
		struct ld_span got =
			ask(bench, (enum ld_transport)t, ASKED, LD_OPTION_TCP_KEEPALIVE);
		assert_true(ld_span_equal(got, t == LD_TRANSPORT_TLS ? LD_SPAN("\1\x2c")
								     : LD_SPAN("\0\x64")));
		assert_null(ask(bench, (enum ld_transport)t, LD_SPAN(""), LD_OPTION_TCP_KEEPALIVE)
				    .data);
		assert_null(ask(bench, (enum ld_transport)t, FILLED, LD_OPTION_TCP_KEEPALIVE).data);
		assert_int_equal(rcode(bench), LD_RCODE_FORMERR);
	}
	/* Never over UDP, where it is passed over, nor within HTTP. */
	assert_null(ask(bench, LD_TRANSPORT_UDP, ASKED, LD_OPTION_TCP_KEEPALIVE).data);
	assert_null(ask(bench, LD_TRANSPORT_UDP, FILLED, LD_OPTION_TCP_KEEPALIVE).data);
	assert_int_equal(rcode(bench), LD_RCODE_NOERROR);
	assert_null(ask(bench, LD_TRANSPORT_HTTPS, ASKED, LD_OPTION_TCP_KEEPALIVE).data);
	bench_free(bench);
}

static void
rfc8467_padding(void **state)
{
#define PADDED LD_SPAN("\0\x0c\0\x04\0\0\0\0")
	struct bench *bench = options_new(false);

	(void)state;
	for (int t = LD_TRANSPORT_UDP; t <= LD_TRANSPORT_HTTPS; t++) {
		bool pads = t == LD_TRANSPORT_TLS || t == LD_TRANSPORT_HTTPS;
		struct ld_span got = ask(bench, (enum ld_transport)t, PADDED, LD_OPTION_PADDING);

		assert_int_equal(got.data != NULL, pads);
		assert_int_equal(bench->out_len == 468, pads);
		for (size_t i = 0; i < got.len; i++)
			assert_int_equal(got.data[i], 0);
		assert_null(ask(bench, (enum ld_transport)t, LD_SPAN(""), LD_OPTION_PADDING).data);
		assert_true(bench->out_len < 468);
	}
	/* What is wrong with a query does not show either. */
	ask(bench, LD_TRANSPORT_TLS, LD_SPAN("\0\x0c\0\0\0\x0b\0\2\0\1"), LD_OPTION_PADDING);
	assert_int_equal(rcode(bench), LD_RCODE_FORMERR);
	assert_int_equal(bench->out_len, 468);
	bench_free(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7873_cookie_proves_the_address),
		cmocka_unit_test(rfc7873_cookie_may_be_required),
		cmocka_unit_test(rfc7873_cookie_alone),
		cmocka_unit_test(rfc7828_keepalive),
		cmocka_unit_test(rfc8467_padding),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
