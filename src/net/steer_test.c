/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <unistd.h>

#include "net/address.h"
#include "net/steer.h"

enum { PACKETS = 20 };

static unsigned
cores_of_this_process(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
	return (unsigned)CPU_COUNT(&set);
}

static void
stay_on(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	assert_int_equal(sched_setaffinity(0, sizeof set, &set), 0);
}

/* What goes out over the loopback interface comes in on the core that sent it. */
static void
a_packet_is_taken_where_it_came_in(void **state)
{
	unsigned count = cores_of_this_process(), cores[LD_STEER_CORES_MAX];
	int fds[LD_STEER_CORES_MAX], client = socket(AF_INET, SOCK_DGRAM, 0);
	struct ld_address address = {.len = 0};

	(void)state;
	if (count < 2 || count > LD_STEER_CORES_MAX || !ld_steer_cores(count, cores))
		skip(); /* cores that cannot be told apart so */
	assert_int_equal(ld_address_from_text(&address, LD_SPAN("127.0.0.1"), 1, NULL), LINDUNG_OK);
	address.v4.sin_port = 0;
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(ld_listen_open(&fds[i], &address, LD_LISTEN_UDP, NULL),
				 LINDUNG_OK);
		assert_int_equal(getsockname(fds[i], &address.any, &address.len), 0);
	}
	assert_true(ld_steer_sockets(fds[0], count));
	for (unsigned i = 0; i < count; i++) {
		char text[16];

		assert_int_equal(cores[i] % count, i);
		stay_on(cores[i]);
		for (unsigned k = 0; k < PACKETS; k++)
			assert_int_equal(sendto(client, "packet", 6, 0, &address.any, address.len),
					 6);
		for (unsigned k = 0; k < count; k++) {
			unsigned got = 0;

			while (recv(fds[k], text, sizeof text, MSG_DONTWAIT) > 0)
				got++;
			assert_int_equal(got, k == i ? PACKETS : 0);
		}
	}
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	close(client);
}

static void
fewer_threads_than_cores_are_not_steered(void **state)
{
	unsigned count = cores_of_this_process(), cores[LD_STEER_CORES_MAX];

	(void)state;
	if (count >= LD_STEER_CORES_MAX)
		skip();
	assert_false(ld_steer_cores(count + 1, cores));
	if (count > 1)
		assert_false(ld_steer_cores(count - 1, cores));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* The last one leaves this process on one core. */
		cmocka_unit_test(fewer_threads_than_cores_are_not_steered),
		cmocka_unit_test(a_packet_is_taken_where_it_came_in),
	};

	return cmocka_run_group_tests_name("steer", tests, NULL, NULL);
}
