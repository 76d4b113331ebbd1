/* Conversations of two processes, both ends in one: what goes through, and what ends them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"
#include "process/channel.h"

enum { QUEUE_MAX = 1 << 20, RUN_MS = 30 };

/* One end, and what came there. */
struct end {
	struct ld_channel *channel;
	unsigned messages, fds;
	enum ld_message_type last;
	uint32_t sum;
	bool refuses; /* takes every message for a violation */
	bool ended, violation;
};

static struct event_base *loop;
static struct ld_timer *timer;
static struct end resolver, recursor;

static bool
came(void *ctx, struct ld_message *message)
{
	struct end *end = ctx;

	end->messages++;
	end->last = message->type;
	end->fds += message->fd_count;
	if (message->body.len >= 4)
		end->sum += ld_get_be32(message->body.data);
	return !end->refuses;
}

static void
ended(void *ctx, bool violation)
{
	struct end *end = ctx;

	assert_false(end->ended);
	end->ended = true;
	end->violation = violation;
}

static void
time_over(void *ctx)
{
	(void)ctx;
	ld_loop_stop(loop);
}

static void
run(void)
{
	ld_timer_set(timer, RUN_MS);
	ld_loop_run(loop);
}

static void
open_end(struct end *end, int fd, enum ld_role self, enum ld_role other)
{
	struct ld_channel_config config = {.self = self,
					   .other = other,
					   .came = came,
					   .ended = ended,
					   .ctx = end,
					   .queue_max = QUEUE_MAX};

	*end = (struct end){.messages = 0};
	assert_int_equal(ld_channel_new(&end->channel, loop, fd, &config), LINDUNG_OK);
}

static int
begin(void **state)
{
	(void)state;
	loop = ld_loop_new();
	timer = ld_timer_new(loop, time_over, NULL);
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	ld_channel_free(resolver.channel);
	ld_channel_free(recursor.channel);
	resolver.channel = recursor.channel = NULL;
	ld_timer_free(timer);
	ld_loop_free(loop);
	return 0;
}

static void
open_both(enum ld_role one, enum ld_role other)
{
	int pair[2];

	assert_int_equal(ld_channel_pair(pair), LINDUNG_OK);
	open_end(&resolver, pair[0], one, other);
	open_end(&recursor, pair[1], other, one);
}

static int
ask(uint32_t id)
{
	uint8_t octets[LD_ASKING_BODY_MAX];
	struct ld_writer w = ld_writer(octets, sizeof octets);
	struct ld_asking asking = {.id = id, .type = 1, .name = {.len = 1}};

	ld_asking_write(&w, &asking);
	return ld_channel_send(resolver.channel, LD_MESSAGE_QUESTION, ld_span(w.data, w.len),
			       ld_span(NULL, 0));
}

static void
test_many_messages_come_in_order_and_whole(void **state)
{
	(void)state;
	open_both(LD_ROLE_RESOLVER, LD_ROLE_RECURSOR);
	for (uint32_t id = 1; id <= 10000; id++)
		assert_int_equal(ask(id), LINDUNG_OK);
	assert_int_equal(recursor.messages, 0); /* they go out at the end of the turn */
	run();
	assert_int_equal(recursor.messages, 10000);
	assert_int_equal(recursor.sum, 10000 * 10001 / 2);
	assert_false(recursor.ended);
}

static void
test_what_the_other_does_not_take_is_limited(void **state)
{
	unsigned sent = 0;
	int pair[2], err = LINDUNG_OK;

	(void)state;
	assert_int_equal(ld_channel_pair(pair), LINDUNG_OK);
	open_end(&resolver, pair[0], LD_ROLE_RESOLVER, LD_ROLE_RECURSOR);
	while (sent < 1000000 && (err = ask(sent)) == LINDUNG_OK)
		sent++;
	assert_int_equal(err, LINDUNG_ELIMIT);
	/* When it takes again all that was accepted comes. */
	open_end(&recursor, pair[1], LD_ROLE_RECURSOR, LD_ROLE_RESOLVER);
	for (unsigned i = 0; i < 100 && recursor.messages < sent; i++)
		run();
	assert_int_equal(recursor.messages, sent);
	assert_int_equal(ask(1), LINDUNG_OK);
}

static void
test_descriptors_come_along_and_are_closed(void **state)
{
	static const uint8_t body[9] = {0};
	int fds[LD_MESSAGE_FDS_MAX], before, after;

	(void)state;
	open_both(LD_ROLE_PARENT, LD_ROLE_RESOLVER);
	for (unsigned i = 0; i < LD_MESSAGE_FDS_MAX; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(before);
	assert_int_equal(ld_channel_send_fds(resolver.channel, LD_MESSAGE_LIST,
					     ld_span(body, sizeof body), fds, LD_MESSAGE_FDS_MAX),
			 LINDUNG_OK);
	run();
	assert_int_equal(recursor.messages, 1);
	assert_int_equal(recursor.fds, LD_MESSAGE_FDS_MAX);
	/* The handler kept none. */
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(after, before);
	for (unsigned i = 0; i < LD_MESSAGE_FDS_MAX; i++)
		close(fds[i]);
}

/* One descriptor more than there is room for: none is kept. */
static void
test_too_many_descriptors_are_a_violation(void **state)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * (LD_MESSAGE_FDS_MAX + 1))];
	} control = {0};
	uint8_t octets[17] = {0, 1, 0, LD_MESSAGE_LIST, 0, 0, 0, 9};
	struct iovec part = {octets, sizeof octets};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.room,
				 .msg_controllen = sizeof control.room};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
	int pair[2], before, after;

	(void)state;
	assert_int_equal(ld_channel_pair(pair), LINDUNG_OK);
	open_end(&recursor, pair[1], LD_ROLE_RESOLVER, LD_ROLE_PARENT);
	before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(before);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int) * (LD_MESSAGE_FDS_MAX + 1));
	for (unsigned i = 0; i <= LD_MESSAGE_FDS_MAX; i++)
		memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &pair[0], sizeof(int));
	assert_int_equal(sendmsg(pair[0], &message, 0), sizeof octets);
	run();
	assert_int_equal(recursor.messages, 0);
	assert_true(recursor.ended && recursor.violation);
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(after, before);
	close(pair[0]);
}

static void
test_the_end_of_the_other_side_is_no_violation(void **state)
{
	(void)state;
	open_both(LD_ROLE_RESOLVER, LD_ROLE_RECURSOR);
	assert_int_equal(ask(7), LINDUNG_OK);
	ld_channel_flush(resolver.channel);
	ld_channel_free(resolver.channel);
	resolver.channel = NULL;
	run();
	assert_int_equal(recursor.messages, 1); /* its last words */
	assert_true(recursor.ended && !recursor.violation);
}

static void
test_a_body_that_does_not_read_is_a_violation(void **state)
{
	(void)state;
	open_both(LD_ROLE_RESOLVER, LD_ROLE_RECURSOR);
	recursor.refuses = true;
	assert_int_equal(ask(7), LINDUNG_OK);
	assert_int_equal(ask(8), LINDUNG_OK);
	run();
	assert_int_equal(recursor.messages, 1); /* nothing more is listened to */
	assert_true(recursor.ended && recursor.violation);
	assert_int_equal(ld_channel_send(recursor.channel, LD_MESSAGE_ANSWER, ld_span(NULL, 0),
					 ld_span(NULL, 0)),
			 LINDUNG_ENET);
}

/* Packets as no channel of ours would send them, to the recursor from the resolver. */
static void
test_packets_of_an_enemy_are_violations(void **state)
{
	static const struct {
		const char *what;
		uint8_t octets[32];
		size_t len;
	} packets[] = {
		{"less than a header", {0, 1, 0}, 3},
		{"another version", {0, 2, 0, LD_MESSAGE_QUESTION, 0, 0, 0, 8}, 16},
		{"no such message", {0, 1, 0, LD_MESSAGE_COUNT, 0, 0, 0, 8}, 16},
		{"longer than the packet", {0, 1, 0, LD_MESSAGE_QUESTION, 0, 0, 0, 9}, 16},
		{"shorter than allowed", {0, 1, 0, LD_MESSAGE_QUESTION, 0, 0, 0, 7}, 15},
		{"longer than allowed", {0, 1, 0, LD_MESSAGE_QUESTION, 0xff, 0xff, 0xff, 0xff}, 32},
		{"not for it to send", {0, 1, 0, LD_MESSAGE_START, 0, 0, 0, 0}, 8},
		{"without its descriptor", {0, 1, 0, LD_MESSAGE_LINK, 0, 0, 0, 2}, 10},
		{"octets behind it", {0, 1, 0, LD_MESSAGE_QUESTION, 0, 0, 0, 8}, 17},
	};

	(void)state;
	for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
		int pair[2];

		assert_int_equal(ld_channel_pair(pair), LINDUNG_OK);
		open_end(&recursor, pair[1], LD_ROLE_RECURSOR, LD_ROLE_RESOLVER);
		assert_int_equal(send(pair[0], packets[i].octets, packets[i].len, 0),
				 packets[i].len);
		run();
		if (!recursor.ended || !recursor.violation)
			fail_msg("%s: is taken", packets[i].what);
		ld_channel_free(recursor.channel);
		recursor.channel = NULL;
		close(pair[0]);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
		TEST(test_many_messages_come_in_order_and_whole),
		TEST(test_what_the_other_does_not_take_is_limited),
		TEST(test_descriptors_come_along_and_are_closed),
		TEST(test_too_many_descriptors_are_a_violation),
		TEST(test_the_end_of_the_other_side_is_no_violation),
		TEST(test_a_body_that_does_not_read_is_a_violation),
		TEST(test_packets_of_an_enemy_are_violations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
