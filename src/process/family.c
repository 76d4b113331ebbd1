/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/family.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "net/loop.h"
#include "process/spawn.h"

enum {
	QUEUE_MAX = 4 * 1024 * 1024,
	WAIT_STEP_MS = 2,
};

struct ld_kid {
	const struct ld_role_entry *entry;
	const struct ld_kid_events *events;
	void *ctx;
	struct event_base *loop;
	struct ld_timer *again;
	struct ld_channel *channel; /* NULL: does not run */
	pid_t pid;                  /* 0: does not run */
	unsigned delay_ms;
	int64_t born_ms;
	uint64_t restarts;
	uint32_t ping;      /* the number of the last one */
	unsigned silent_ms; /* since its last sign of life, as pings count it */
};

static void again_due(void *ctx);

struct ld_kid *
ld_kid_new(struct event_base *loop, enum ld_role role, const struct ld_kid_events *events,
	   void *ctx)
{
	struct ld_kid *kid = calloc(1, sizeof *kid);

	if (kid == NULL)
		return NULL;
	kid->entry = ld_role_entry(role);
	kid->events = events;
	kid->ctx = ctx;
	kid->loop = loop;
	kid->again = ld_timer_new(loop, again_due, kid);
	if (kid->again == NULL) {
		free(kid);
		return NULL;
	}
	return kid;
}

void
ld_kid_free(struct ld_kid *kid)
{
	if (kid == NULL)
		return;
	ld_channel_free(kid->channel);
	ld_timer_free(kid->again);
	free(kid);
}

/* ---- Talking ------------------------------------------------------------------------------ */

static bool
message_came(void *ctx, struct ld_message *message)
{
	struct ld_kid *kid = ctx;

	if (message->type != LD_MESSAGE_PONG)
		return kid->events->came(kid->ctx, kid, message);
	if (ld_get_be32(message->body.data) != kid->ping)
		return true;
	kid->silent_ms = 0;
	if (kid->events->well != NULL)
		kid->events->well(kid->ctx, kid);
	return true;
}

/* It ends by itself, or is ended: SIGCHLD tells the rest.  Until then others hold the channel: it
 * takes nothing more, but it is there, however long a child lives that has closed its end. */
static void
channel_ended(void *ctx, bool violation)
{
	struct ld_kid *kid = ctx;

	if (!violation)
		return;
	fprintf(stderr, "lindung: %s: it said what it may not say, and is ended\n",
		kid->entry->name);
	ld_kid_kill(kid);
}

struct ld_channel *
ld_kid_channel(const struct ld_kid *kid)
{
	return kid->channel;
}

bool
ld_kid_runs(const struct ld_kid *kid)
{
	return kid->pid > 0;
}

const char *
ld_kid_name(const struct ld_kid *kid)
{
	return kid->entry->name;
}

uint64_t
ld_kid_restarts(const struct ld_kid *kid)
{
	return kid->restarts;
}

void
ld_kid_ping(struct ld_kid *kid, unsigned interval_ms)
{
	uint8_t octets[4];

	if (kid->pid <= 0)
		return;
	/* Counted, not timed: the time that we ourselves were stopped is not its fault. */
	if (kid->silent_ms >= LD_SILENT_MAX_MS) {
		fprintf(stderr, "lindung: %s: no sign of life for %d s, and it is ended\n",
			kid->entry->name, LD_SILENT_MAX_MS / 1000);
		ld_kid_kill(kid);
		return;
	}
	kid->silent_ms += interval_ms;
	if (kid->channel == NULL)
		return;
	kid->ping++;
	ld_put_be32(octets, kid->ping);
	(void)ld_channel_send(kid->channel, LD_MESSAGE_PING, ld_span(octets, sizeof octets),
			      ld_span(NULL, 0));
}

/* ---- Birth and death ---------------------------------------------------------------------- */

int
ld_kid_start(struct ld_kid *kid, struct ld_report *report)
{
	struct ld_channel_config config = {
		.self = LD_ROLE_PARENT,
		.other = kid->entry->role,
		.came = message_came,
		.ended = channel_ended,
		.ctx = kid,
		.queue_max = QUEUE_MAX,
	};
	int fd, err = ld_spawn(&kid->pid, &fd, kid->entry, report);

	if (err != LINDUNG_OK)
		return err;
	kid->born_ms = ld_clock_monotonic_ms();
	kid->silent_ms = 0;
	err = ld_channel_new(&kid->channel, kid->loop, fd, &config);
	if (err != LINDUNG_OK) {
		ld_kid_kill(kid);
		return ld_fail(report, err, "cannot start the %s: not enough memory",
			       kid->entry->name);
	}
	kid->events->born(kid->ctx, kid);
	return LINDUNG_OK;
}

static void
again_plan(struct ld_kid *kid)
{
	if (kid->delay_ms == 0 || ld_clock_monotonic_ms() - kid->born_ms >= LD_AGAIN_RESET_MS)
		kid->delay_ms = LD_AGAIN_MIN_MS;
	ld_timer_set(kid->again, kid->delay_ms);
}

static void
again_due(void *ctx)
{
	struct ld_kid *kid = ctx;
	struct ld_report report;

	kid->restarts++;
	kid->delay_ms *= 2;
	if (kid->delay_ms > LD_AGAIN_MAX_MS)
		kid->delay_ms = LD_AGAIN_MAX_MS;
	if (ld_kid_start(kid, &report) == LINDUNG_OK)
		return;
	fprintf(stderr, "lindung: %s\n", report.text);
	if (kid->pid == 0)
		again_plan(kid);
}

void
ld_kid_kill(struct ld_kid *kid)
{
	if (kid->pid > 0)
		kill(kid->pid, SIGKILL);
}

void
ld_kid_reap(struct ld_kid *kid)
{
	struct ld_report how, what;
	int status;

	if (kid->pid <= 0 || waitpid(kid->pid, &status, WNOHANG) != kid->pid)
		return;
	ld_spawn_describe(status, &how);
	ld_fail(&what, LINDUNG_OK, "%s: process %d %.200s", kid->entry->name, (int)kid->pid,
		how.text);
	kid->pid = 0;
	if (kid->channel != NULL)
		ld_channel_receive(kid->channel); /* its last words */
	ld_channel_free(kid->channel);
	kid->channel = NULL;
	if (!kid->events->died(kid->ctx, kid, &what))
		return;
	again_plan(kid);
	fprintf(stderr, "lindung: %s: starting it again in %u ms\n", what.text, kid->delay_ms);
}

int
ld_kid_end(struct ld_kid *kid, unsigned wait_ms)
{
	static const struct timespec step = {.tv_nsec = WAIT_STEP_MS * 1000000};
	int64_t end_ms = ld_clock_monotonic_ms() + wait_ms;
	int status = 0;
	pid_t done;

	ld_channel_free(kid->channel);
	kid->channel = NULL;
	if (kid->pid <= 0)
		return 0;
	while ((done = waitpid(kid->pid, &status, WNOHANG)) != kid->pid) {
		if (done < 0 && errno != EINTR)
			break;
		if (end_ms != 0 && ld_clock_monotonic_ms() >= end_ms) {
			ld_kid_kill(kid);
			end_ms = 0;
		}
		nanosleep(&step, NULL);
	}
	kid->pid = 0;
	return status;
}
