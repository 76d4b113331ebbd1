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
	assert_int_equal(ld_flights_join(flights, 0, &a, &client, &first), LD_JOIN_NEW);
	assert_ptr_equal(first->owner, &flights);
	client.tcp.slot = 8;
	assert_int_equal(ld_flights_join(flights, 0, &b, &client, &second), LD_JOIN_WAITS);
	assert_ptr_equal(first, second);
	assert_int_equal(ld_flights_join(flights, 0, &other, &client, &third), LD_JOIN_NEW);
	assert_int_equal(ld_flights_count(flights), 2);

	/* Once it has landed the question is new; its waiters are still there, in their order. */
	ld_flights_land(flights, first);
	assert_int_equal(ld_flights_join(flights, 0, &a, &client, &third), LD_JOIN_NEW);
	waiter = TAILQ_FIRST(&first->waiters);
	assert_int_equal(waiter->client.tcp.slot, 7);
	assert_memory_equal(waiter->ask.name.wire, "\7Example\3com", 13);
	waiter = TAILQ_NEXT(waiter, link);
	assert_int_equal(waiter->client.tcp.slot, 8);
	assert_memory_equal(waiter->ask.name.wire, "\7example\3COM", 13);
	assert_null(TAILQ_NEXT(waiter, link));
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
		assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight),
				 i < LD_FLIGHTS_MAX ? LD_JOIN_NEW : LD_JOIN_FULL);
		if (i == 0)
			first = flight;
	}
	assert_int_equal(ld_flights_count(flights), LD_FLIGHTS_MAX);
	/* Who asks what is in flight already may wait; and one that lands makes room. */
	ask = ask_of("n1.example", 1);
	assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight), LD_JOIN_WAITS);
	ld_flights_land(flights, first);
	ld_flight_free(flights, first);
	ask = ask_of("room.example", 1);
	assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight), LD_JOIN_NEW);
	ld_flights_free(flights);
}

static struct ld_from
address(uint8_t len, uint32_t high, uint8_t last)
{
	struct ld_from from = {.address_len = len};

	memcpy(from.address, &high, sizeof high);
	from.address[15] = last;
	return from;
}

static void
waiters_of_a_question_are_bounded(void **state)
{
	struct ld_flights *flights = ld_flights_new(NULL);
	struct ld_client client = {0};
	struct ld_ask ask = ask_of("example", 1), other = ask_of("other.example", 1);
	struct ld_flight *flight = NULL, *second;

	(void)state;
	for (unsigned i = 0; i < LD_WAITERS_QUESTION_MAX; i++) {
		ask.from = address(4, i, 0);
		assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight),
				 i == 0 ? LD_JOIN_NEW : LD_JOIN_WAITS);
	}
	assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight),
			 LD_JOIN_FULL_QUESTION);
	assert_int_equal(ld_flights_join(flights, 0, &other, &client, &second), LD_JOIN_NEW);
	ld_flights_land(flights, flight);
	ld_flight_free(flights, flight);
	assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight), LD_JOIN_NEW);
	ld_flights_free(flights);
}

static void
waiters_are_bounded(void **state)
{
	enum { QUESTIONS = LD_WAITERS_MAX / LD_WAITERS_QUESTION_MAX };
	struct ld_flights *flights = ld_flights_new(NULL);
	struct ld_client client = {0};
	struct ld_flight *flight = NULL, *first = NULL;
	struct ld_ask asks[QUESTIONS + 1];

	(void)state;
	for (unsigned i = 0; i <= QUESTIONS; i++) {
		char text[32];

		snprintf(text, sizeof text, "n%u.example", i);
		asks[i] = ask_of(text, 1);
	}
	for (unsigned i = 0; i < LD_WAITERS_MAX; i++) {
		asks[i % QUESTIONS].from = address(4, i, 0);
		assert_true(ld_flights_join(flights, 0, &asks[i % QUESTIONS], &client, &flight) <=
			    LD_JOIN_WAITS);
		first = i == 0 ? flight : first;
	}
	assert_int_equal(ld_flights_join(flights, 0, &asks[QUESTIONS], &client, &flight),
			 LD_JOIN_FULL);
	ld_flights_land(flights, first);
	ld_flight_free(flights, first);
	assert_int_equal(ld_flights_join(flights, 0, &asks[QUESTIONS], &client, &flight),
			 LD_JOIN_NEW);
	ld_flights_free(flights);
}

/* One client fills its own share; then all others have theirs. */
static void
a_client_is_bounded(void **state)
{
	struct ld_flights *flights = ld_flights_new(NULL);
	struct ld_client client = {0};
	struct ld_flight *flight, *first = NULL;
	struct ld_ask ask;

	(void)state;
	for (unsigned i = 0; i <= LD_WAITERS_CLIENT_MAX; i++) {
		char text[32];

		snprintf(text, sizeof text, "n%u.example", i);
		ask = ask_of(text, 1);
		ask.from = address(16, 7, (uint8_t)i); /* all of one /64 */
		assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight),
				 i < LD_WAITERS_CLIENT_MAX ? LD_JOIN_NEW : LD_JOIN_FULL_CLIENT);
		first = i == 0 ? flight : first;
	}
	assert_int_equal(ld_flights_count(flights), LD_WAITERS_CLIENT_MAX);
	ask.from = address(16, 8, 0);
	assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight), LD_JOIN_NEW);
	ask.from = address(4, 7, 0);
	assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight), LD_JOIN_WAITS);
	/* Nor may it join what others ask, until one of its own has its answer. */
	ask.from = address(16, 7, 1);
	assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight), LD_JOIN_FULL_CLIENT);
	ld_flights_land(flights, first);
	ld_flight_free(flights, first);
	assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight), LD_JOIN_WAITS);
	assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight), LD_JOIN_FULL_CLIENT);
	ld_flights_free(flights);
}

/* Several that take all they can leave room for those who ask little. */
static void
greedy_clients_leave_room(void **state)
{
	enum { GREEDY = 30, TRIES = 200 };
	struct ld_flights *flights = ld_flights_new(NULL);
	struct ld_client client = {0};
	struct ld_flight *flight;
	struct ld_ask ask;

	(void)state;
	for (unsigned i = 0; i < GREEDY * TRIES; i++) {
		char text[32];

		snprintf(text, sizeof text, "n%u.example", i);
		ask = ask_of(text, 1);
		ask.from = address(4, i % GREEDY, 0);
		enum ld_join join = ld_flights_join(flights, 0, &ask, &client, &flight);
		assert_true(join == LD_JOIN_NEW || join == LD_JOIN_FULL_CLIENT);
	}
	assert_in_range(ld_flights_count(flights), LD_FLIGHTS_MAX / 2, LD_FLIGHTS_MAX - 200);
	for (unsigned i = 0; i < 50; i++) {
		char text[32];

		snprintf(text, sizeof text, "m%u.example", i);
		ask = ask_of(text, 1);
		ask.from = address(4, GREEDY, 0);
		assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &flight), LD_JOIN_NEW);
	}
	ld_flights_free(flights);
}

static void
rfc8767_who_has_waited_long_gets_what_is_stale(void **state)
{
	struct ld_flights *flights = ld_flights_new(NULL);
	struct ld_ask plain = ask_of("a.example", 1), stale = ask_of("b.example", 1);
	struct ld_client client = {0};
	struct ld_flight *a, *b;
	struct ld_waiter *waiter;

	(void)state;
	stale.has_stale = true;
	ld_flights_join(flights, 1000, &plain, &client, &a);
	assert_true(ld_flights_late_ms(flights) == INT64_MAX);
	ld_flights_join(flights, 1000, &stale, &client, &b);
	client.tcp.slot = 2;
	ld_flights_join(flights, 1500, &stale, &client, &b);
	assert_int_equal(ld_flights_late_ms(flights), 2800);
	assert_null(ld_flights_late(flights, 2799));
	waiter = ld_flights_late(flights, 2800);
	assert_ptr_equal(waiter->flight, b);
	assert_int_equal(waiter->client.tcp.slot, 0);
	assert_null(ld_flights_late(flights, 2800));
	ld_waiter_free(flights, waiter);
	/* Whoever comes now need not wait; but one for whom there is nothing stale does. */
	assert_int_equal(ld_flights_join(flights, 2900, &stale, &client, &b), LD_JOIN_LATE);
	stale.has_stale = false;
	client.tcp.slot = 3;
	assert_int_equal(ld_flights_join(flights, 2900, &stale, &client, &b), LD_JOIN_WAITS);
	assert_int_equal(ld_flights_late_ms(flights), 3300);
	/* One that is not freed waits on. */
	waiter = ld_flights_late(flights, 3300);
	assert_int_equal(waiter->client.tcp.slot, 2);
	assert_true(ld_flights_late_ms(flights) == INT64_MAX);
	assert_ptr_equal(TAILQ_FIRST(&b->waiters), waiter);
	assert_int_equal(TAILQ_NEXT(waiter, link)->client.tcp.slot, 3);
	/* A flight that ends before its waiters' time takes them along. */
	stale.has_stale = true;
	b->is_late = false;
	ld_flights_join(flights, 4000, &stale, &client, &b);
	ld_flights_land(flights, b);
	ld_flight_free(flights, b);
	assert_true(ld_flights_late_ms(flights) == INT64_MAX);
	ld_flights_free(flights);
}

static void
a_refresh_is_asked_once_and_can_be_joined(void **state)
{
	struct ld_flights *flights = ld_flights_new(NULL);
	struct ld_ask ask = ask_of("a.example", 1);
	struct ld_client client = {0};
	struct ld_flight *flight, *same;

	(void)state;
	assert_int_equal(ld_flights_refresh(flights, &ask, &flight), LD_JOIN_NEW);
	assert_true(TAILQ_EMPTY(&flight->waiters));
	assert_memory_equal(flight->ask.name.wire, "\1a\7example", 11);
	assert_int_equal(ld_flights_refresh(flights, &ask, &same), LD_JOIN_WAITS);
	assert_int_equal(ld_flights_join(flights, 0, &ask, &client, &same), LD_JOIN_WAITS);
	assert_ptr_equal(same, flight);
	assert_int_equal(ld_flights_count(flights), 1);
	ld_flights_free(flights);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_questions_share_a_flight),
		cmocka_unit_test(questions_are_bounded),
		cmocka_unit_test(waiters_of_a_question_are_bounded),
		cmocka_unit_test(waiters_are_bounded),
		cmocka_unit_test(a_client_is_bounded),
		cmocka_unit_test(greedy_clients_leave_room),
		cmocka_unit_test(rfc8767_who_has_waited_long_gets_what_is_stale),
		cmocka_unit_test(a_refresh_is_asked_once_and_can_be_joined),
	};

	return cmocka_run_group_tests_name("flight", tests, NULL, NULL);
}
