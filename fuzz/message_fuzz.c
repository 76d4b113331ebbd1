/* Packets between our processes, as one that was taken over would send them: never read outside,
 * and what is taken obeys the table and says the same when it is written again.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first octet chooses who sends to whom, the second how many descriptors come along.  The
 * corpus is what message_seeds.c makes of the table of messages. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "message_ways.h"

static uint8_t again[LD_PACKET_MAX];

static void
check(bool holds)
{
	if (!holds)
		abort();
}

/* Every octet is looked at, so that a sanitizer sees one that is none. */
static void
touch(struct ld_span span)
{
	static volatile uint8_t sink;

	for (size_t i = 0; i < span.len; i++)
		sink ^= span.data[i];
}

static void
question_check(struct ld_span body)
{
	struct ld_writer w = ld_writer(again, sizeof again);
	struct ld_asking asking;

	if (!ld_asking_read(&asking, body))
		return;
	ld_asking_write(&w, &asking);
	check(!w.failed && ld_span_equal(ld_span(w.data, w.len), body));
}

static void
answer_check(struct ld_span body)
{
	struct ld_writer w = ld_writer(again, sizeof again);
	struct ld_answered answered;

	if (!ld_answered_read(&answered, body))
		return;
	check(answered.result.error <= 0 && answered.result.ede >= -1);
	check(answered.result.ede <= UINT16_MAX);
	check(answered.result.ede_count <= LD_UPSTREAM_EDE_MAX);
	check((answered.result.error == 0) == (answered.result.message.len != 0));
	touch(answered.result.message);
	ld_answer_head_write(&w, answered.id, &answered.result);
	ld_writer_bytes(&w, answered.result.message);
	/* A text with a NUL is shorter when it is written. */
	if (answered.result.ede_text == NULL || body.len == w.len)
		check(!w.failed && ld_span_equal(ld_span(w.data, w.len), body));
}

static void
message_check(const struct ld_message *message)
{
	struct ld_reader r = ld_reader(message->body);
	struct ld_list_facts facts;
	struct ld_follow_facts follow;
	struct ld_status status;

	touch(message->body);
	switch ((unsigned)message->type) {
	case LD_MESSAGE_QUESTION:
		question_check(message->body);
		break;
	case LD_MESSAGE_ANSWER:
		answer_check(message->body);
		break;
	case LD_MESSAGE_STATUS:
		check(ld_status_read(&status, message->body));
		break;
	case LD_MESSAGE_FOLLOWED:
		ld_follow_facts_read(&r, &follow);
		check(!r.failed);
		break;
	case LD_MESSAGE_CHECKED:
		(void)ld_reader_be32(&r);
		ld_facts_read(&r, &facts);
		check(!r.failed);
		break;
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_message message = {.fds = NULL};
	struct ld_reader packet;
	enum ld_role from, to;
	unsigned fd_count;
	size_t count = 0;

	if (size < 2 || size - 2 > LD_PACKET_MAX)
		return 0;
	from = message_ways[data[0] % MESSAGE_WAYS][0];
	to = message_ways[data[0] % MESSAGE_WAYS][1];
	fd_count = data[1] % (LD_MESSAGE_FDS_MAX + 1);
	packet = ld_reader(ld_span(data + 2, size - 2));
	while (ld_message_next(&packet, from, to, fd_count, &message)) {
		check(message.type < LD_MESSAGE_COUNT && message.body.len <= LD_MESSAGE_BODY_MAX);
		message_check(&message);
		count++;
	}
	check(count == 0 || fd_count == 0 || count == 1);
	return 0;
}
