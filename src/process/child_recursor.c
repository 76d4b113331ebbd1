/* The recursor: threads that ask the Internet for those that answer clients.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "net/loop.h"
#include "process/asker.h"
#include "process/children.h"
#include "process/notice.h"
#include "process/role.h"

enum {
	TICK_MS = 250,
	PONG_MS = 20,
};

struct recursor {
	struct ld_child *child;
	struct ld_asker **askers; /* one for each thread of the resolver */
	unsigned count;
	bool started;
	struct ld_notices *notices;
	struct ld_timer *tick, *pong;
	uint32_t ping;
};

/* With all that they read from files: made with the first message behind the configuration. */
static bool
make(struct recursor *recursor)
{
	const struct ld_conf *conf = &recursor->child->conf;
	struct ld_upstream_config config = ld_asker_config(conf);
	struct ld_report report;
	int err = LINDUNG_OK;

	if (recursor->askers != NULL)
		return true;
	recursor->askers = calloc(conf->threads, sizeof(struct ld_asker *));
	recursor->notices = ld_notices_new(conf->upstream_servers.items);
	config.notice = ld_notices_tell;
	config.notice_ctx = recursor->notices;
	if (recursor->askers == NULL || recursor->notices == NULL)
		err = ld_fail(&report, LINDUNG_ENOMEM, "not enough memory");
	for (unsigned i = 0; i < conf->threads && err == LINDUNG_OK; i++) {
		err = ld_asker_new(&recursor->askers[i], &config, &report);
		if (err == LINDUNG_OK)
			recursor->count++;
	}
	if (err != LINDUNG_OK) {
		ld_child_fail(recursor->child, &report);
		return false;
	}
	return ld_child_enter(recursor->child);
}

static bool
start(struct recursor *recursor)
{
	struct ld_report report;
	int err = LINDUNG_OK;

	if (recursor->started)
		return false;
	for (unsigned i = 0; i < recursor->count && err == LINDUNG_OK; i++)
		err = ld_asker_start(recursor->askers[i]);
	if (err != LINDUNG_OK) {
		ld_fail(&report, err, "the recursor cannot start its threads");
		ld_child_fail(recursor->child, &report);
		return true;
	}
	recursor->started = true;
	if (!ld_child_seal(recursor->child))
		return true;
	ld_timer_set(recursor->tick, TICK_MS);
	ld_child_started(recursor->child);
	return true;
}

static bool
link_came(struct recursor *recursor, struct ld_message *message)
{
	unsigned thread = ld_get_be16(message->body.data);

	if (thread >= recursor->count)
		return false;
	ld_asker_link(recursor->askers[thread], message->fds[0]);
	message->fds[0] = -1;
	return true;
}

static bool
ping_came(struct recursor *recursor, const struct ld_message *message)
{
	recursor->ping = ld_get_be32(message->body.data);
	for (unsigned i = 0; i < recursor->count; i++)
		ld_asker_ping(recursor->askers[i], recursor->ping);
	ld_timer_set(recursor->pong, PONG_MS);
	return true;
}

static bool
message_came(void *ctx, struct ld_message *message)
{
	struct recursor *recursor = ctx;

	if (!make(recursor))
		return true;
	switch ((unsigned)message->type) {
	case LD_MESSAGE_LINK:
		return link_came(recursor, message);
	case LD_MESSAGE_START:
		return start(recursor);
	case LD_MESSAGE_PING:
		return ping_came(recursor, message);
	default:
		return false;
	}
}

static void
pong_due(void *ctx)
{
	struct recursor *recursor = ctx;
	uint8_t octets[4];
	struct ld_writer w = ld_writer(octets, sizeof octets);

	for (unsigned i = 0; i < recursor->count; i++) {
		if (ld_asker_pong(recursor->askers[i]) == recursor->ping)
			continue;
		ld_timer_set(recursor->pong, PONG_MS);
		return;
	}
	ld_writer_be32(&w, recursor->ping);
	ld_child_tell(recursor->child, LD_MESSAGE_PONG, &w);
}

static void
notices_tell(struct recursor *recursor)
{
	struct ld_report report;

	while (ld_notices_next(recursor->notices, &report)) {
		struct ld_writer w = ld_writer(report.text, sizeof report.text);

		w.len = strlen(report.text);
		ld_child_tell(recursor->child, LD_MESSAGE_NOTICE, &w);
	}
}

static void
tick_due(void *ctx)
{
	struct recursor *recursor = ctx;

	notices_tell(recursor);
	for (unsigned i = 0; i < recursor->count; i++) {
		uint8_t octets[2];
		struct ld_writer w = ld_writer(octets, sizeof octets);

		ld_writer_be16(&w, (uint16_t)i);
		if (ld_asker_broken(recursor->askers[i]))
			ld_child_tell(recursor->child, LD_MESSAGE_BROKEN, &w);
	}
	ld_timer_set(recursor->tick, TICK_MS);
}

int
ld_recursor_run(struct ld_child *child)
{
	struct recursor recursor = {.child = child};

	child->came = message_came;
	child->ctx = &recursor;
	recursor.tick = ld_timer_new(child->loop, tick_due, &recursor);
	recursor.pong = ld_timer_new(child->loop, pong_due, &recursor);
	if (recursor.tick == NULL || recursor.pong == NULL)
		child->status = LD_CHILD_FAILED;
	else
		ld_child_loop(child);
	for (unsigned i = 0; i < recursor.count; i++)
		ld_asker_stop(recursor.askers[i]);
	for (unsigned i = 0; i < recursor.count; i++)
		ld_asker_free(recursor.askers[i]);
	free(recursor.askers);
	ld_notices_free(recursor.notices);
	ld_timer_free(recursor.tick);
	ld_timer_free(recursor.pong);
	return child->status;
}
