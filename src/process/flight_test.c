/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "process/flight.h"

static struct ld_ask
ask_of(const char *text, uint16_t type)
{
	struct ld_ask ask = {.type = type, .class_ = 1};

	assert_int_equal(ld_name_from_text(&ask.name, ld_span_str(text)), LINDUNG_OK);
	return ask;
}

static void
same_questions_share_a_flight(void **state)
{
	struct ld_flights *flights = ld_flights_new(&flights);
	struct ld_ask a = ask_of("Example.com", 1), b = ask_of("example.COM", 1);
	struct ld_ask other = ask_of("example.com", 28);
	struct ld_client client = {.tcp = {.slot = 7}};
	struct ld_flight *first, *second, *third;
	const struct ld_waiter *waiter;

	(void)state;
	assert_int_equal(ld_flights_join(flights, &a, &client, &first), LD_JOIN_NEW);
	assert_ptr_equal(first->owner, &flights);
	client.tcp.slot = 8;
	assert_int_equal(ld_flights_join(flights, &b, &client, &second), LD_JOIN_WAITS);
	assert_ptr_equal(first, second);
	assert_int_equal(ld_flights_join(flights, &other, &client, &third), LD_JOIN_NEW);
	assert_int_equal(ld_flights_count(flights), 2);

	/* Once it has landed the question is new; its waiters are still there, in their order. */
	ld_flights_land(flights, first);
	assert_int_equal(ld_flights_join(flights, &a, &client, &third), LD_JOIN_NEW);
	waiter = STAILQ_FIRST(&first->waiters);
	assert_int_equal(waiter->client.tcp.slot, 7);
	assert_memory_equal(waiter->ask.name.wire, "\7Example\3com", 13);
	waiter = STAILQ_NEXT(waiter, link);
	assert_int_equal(waiter->client.tcp.slot, 8);
	assert_memory_equal(waiter->ask.name.wire, "\7example\3COM", 13);
	assert_null(STAILQ_NEXT(waiter, link));
	ld_flight_free(flights, first);
	ld_flights_free(flights);
}

static void
questions_are_bounded(void **state)
{
	struct ld_flights *flights = ld_flights_new(NULL);
	struct ld_client client = {0};
	struct ld_flight *flight, *first = NULL;
	struct ld_ask ask;

	(void)state;
	for (unsigned i = 0; i <= LD_FLIGHTS_MAX; i++) {
		char text[32];

		snprintf(text, sizeof text, "n%u.example", i);
		ask = ask_of(text, 1);
		assert_int_equal(ld_flights_join(flights, &ask, &client, &flight),
				 i < LD_FLIGHTS_MAX ? LD_JOIN_NEW : LD_JOIN_FULL);
		if (i == 0)
			first = flight;
	}
	assert_int_equal(ld_flights_count(flights), LD_FLIGHTS_MAX);
	/* Who asks what is in flight already may wait; and one that lands makes room. */
	ask = ask_of("n1.example", 1);
	assert_int_equal(ld_flights_join(flights, &ask, &client, &flight), LD_JOIN_WAITS);
	ld_flights_land(flights, first);
	ld_flight_free(flights, first);
	ask = ask_of("room.example", 1);
	assert_int_equal(ld_flights_join(flights, &ask, &client, &flight), LD_JOIN_NEW);
	ld_flights_free(flights);
}

static void
waiters_are_bounded(void **state)
{
	struct ld_flights *flights = ld_flights_new(NULL);
	struct ld_client client = {0};
	struct ld_ask ask = ask_of("example", 1);
	struct ld_flight *flight = NULL;

	(void)state;
	for (unsigned i = 0; i < LD_WAITERS_MAX; i++)
		assert_int_not_equal(ld_flights_join(flights, &ask, &client, &flight),
				     LD_JOIN_FULL);
	assert_int_equal(ld_flights_join(flights, &ask, &client, &flight), LD_JOIN_FULL);
	ld_flights_land(flights, flight);
	ld_flight_free(flights, flight);
	assert_int_equal(ld_flights_join(flights, &ask, &client, &flight), LD_JOIN_NEW);
	ld_flights_free(flights);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_questions_share_a_flight),
		cmocka_unit_test(questions_are_bounded),
		cmocka_unit_test(waiters_are_bounded),
	};

	return cmocka_run_group_tests_name("serve_flight", tests, NULL, NULL);
}
