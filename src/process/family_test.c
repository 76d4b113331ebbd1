/* Children that do not behave; the child is this very program, executed again.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/loop.h"
#include "process/family.h"
#include "process/spawn.h"

enum { STEP_MS = 20, STEPS_MAX = 250 };

static struct event_base *loop;

static void
born(void *ctx, struct ld_kid *kid)
{
	(void)ctx;
	(void)kid;
}

static void
time_over(void *ctx)
{
	(void)ctx;
	ld_loop_stop(loop);
}

/* One that closes its end and lives on: whoever holds the channel finds it there, and over. */
static void
a_channel_is_there_as_long_as_its_child(void **state)
{
	static const struct ld_kid_events events = {.born = born};
	static const uint8_t number[4] = {0};
	struct ld_timer *timer;
	struct ld_channel *channel;
	struct ld_report report;
	struct ld_kid *kid;
	int err = LINDUNG_OK;

	(void)state;
	loop = ld_loop_new();
	timer = ld_timer_new(loop, time_over, NULL);
	assert_int_equal(ld_spawn_open(&report), LINDUNG_OK);
	kid = ld_kid_new(loop, LD_ROLE_LOADER, &events, NULL);
	assert_int_equal(ld_kid_start(kid, &report), LINDUNG_OK);
	channel = ld_kid_channel(kid);
	for (int i = 0; i < STEPS_MAX && err == LINDUNG_OK; i++) {
		ld_timer_set(timer, STEP_MS);
		ld_loop_run(loop);
		assert_ptr_equal(ld_kid_channel(kid), channel);
		err = ld_channel_send(channel, LD_MESSAGE_PING, ld_span(number, sizeof number),
				      ld_span(NULL, 0));
	}
	assert_int_equal(err, LINDUNG_ENET);
	assert_true(ld_kid_runs(kid));
	assert_int_equal(WTERMSIG(ld_kid_end(kid, 0)), SIGKILL);
	ld_kid_free(kid);
	ld_timer_free(timer);
	ld_loop_free(loop);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_is_there_as_long_as_its_child),
	};

	if (argc == 1 && strcmp(argv[0], ld_role_entry(LD_ROLE_LOADER)->title) == 0) {
		close(LD_CHILD_FD);
		for (;;)
			pause();
	}
	return cmocka_run_group_tests_name("family", tests, NULL, NULL);
}
