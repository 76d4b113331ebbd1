/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wire/dns.h"
#include "wire/notify.h"

static void
test_zone_of_a_log(void **state)
{
	static const char *const cases[][2] = {
		{"log.example.com", "log.example.com"},
		{"log.example.com/children", "children.log.example.com"},
		{"Log.Example.COM/a/b", "b.a.log.example.com"},
		{"localhost:8080/x", "x.localhost-8080"},
		{"l\xc3\xa4rm.example", "l--rm.example"},
		{"", NULL},
		{"a//b", NULL},
		{"/", NULL},
		{"a/", NULL},
		{"0123456789012345678901234567890123456789012345678901234567890123.com", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ld_name name, wanted;
		int err = ld_notify_zone(&name, ld_span_str(cases[i][0]));

		assert_int_equal(err, cases[i][1] != NULL ? LINDUNG_OK : LINDUNG_ENAME);
		if (err != LINDUNG_OK)
			continue;
		assert_int_equal(ld_name_from_text(&wanted, ld_span_str(cases[i][1])), LINDUNG_OK);
		assert_true(ld_name_equal(&name, &wanted));
	}
}

static void
test_message_and_answer(void **state)
{
	uint8_t octets[LD_NOTIFY_MAX_BYTES], answer[LD_NOTIFY_MAX_BYTES];
	struct ld_writer w = ld_writer(octets, sizeof octets), a = ld_writer(answer, sizeof answer);
	struct ld_name zone, read;
	struct ld_span message, said;
	uint16_t id;

	(void)state;
	assert_int_equal(ld_name_from_text(&zone, LD_SPAN("log.example")), LINDUNG_OK);
	ld_notify_write(&w, 0x1234, &zone);
	message = ld_span(w.data, w.len);
	assert_false(w.failed);
	assert_true(ld_notify_is(message));
	assert_true(ld_notify_read(message, &id, &read));
	assert_int_equal(id, 0x1234);
	assert_true(ld_name_equal(&zone, &read));
	/* Cut anywhere it is none. */
	for (size_t len = 0; len < message.len; len++)
		assert_false(ld_notify_read(ld_span_first(message, len), &id, &read));
	ld_notify_answer(&a, id, &read, LD_RCODE_NOERROR);
	said = ld_span(a.data, a.len);
	assert_int_equal(said.len, message.len);
	assert_true(ld_notify_taken(said, 0x1234, &zone));
	assert_false(ld_notify_taken(said, 0x1235, &zone));
	assert_false(ld_notify_taken(message, 0x1234, &zone));
	/* An answer is no message to be answered. */
	assert_false(ld_notify_read(said, &id, &read));
	a = ld_writer(answer, sizeof answer);
	ld_notify_answer(&a, id, &read, LD_RCODE_REFUSED);
	assert_false(ld_notify_taken(ld_span(a.data, a.len), 0x1234, &zone));
}

static void
test_what_is_none(void **state)
{
	uint8_t octets[LD_NOTIFY_MAX_BYTES];
	struct ld_writer w = ld_writer(octets, sizeof octets);
	struct ld_name zone, read;
	uint16_t id;

	(void)state;
	assert_int_equal(ld_name_from_text(&zone, LD_SPAN("log.example")), LINDUNG_OK);
	ld_notify_write(&w, 1, &zone);
	octets[5] = 2; /* two questions */
	assert_false(ld_notify_read(ld_span(w.data, w.len), &id, &read));
	octets[5] = 1;
	octets[w.len - 3] = LD_TYPE_A;
	assert_false(ld_notify_read(ld_span(w.data, w.len), &id, &read));
	octets[w.len - 3] = LD_TYPE_SOA;
	octets[2] = 0; /* a query */
	assert_false(ld_notify_is(ld_span(w.data, w.len)));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_of_a_log),
		cmocka_unit_test(test_message_and_answer),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
