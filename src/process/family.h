/* The children, as the parent sees them: started, fed, asked for a sign of life, started again.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A child that ends by itself is started again after a pause: LD_AGAIN_MIN_MS, then twice as long
 * each time up to LD_AGAIN_MAX_MS; from the beginning after it ran for LD_AGAIN_RESET_MS.  One that
 * gives no sign of life is killed, and then that.  The sockets and the list stay with the parent
 * all the while, and are handed to the new one. */
#ifndef LD_PROCESS_FAMILY_H
#define LD_PROCESS_FAMILY_H

#include <sys/types.h>

#include "process/role.h"

enum {
	LD_AGAIN_MIN_MS = 100,
	LD_AGAIN_MAX_MS = 30 * 1000,
	LD_AGAIN_RESET_MS = 60 * 1000,
	LD_PING_MS = 2000,
	LD_SILENT_MAX_MS = 10 * 1000,
};

struct ld_kid;

/** What the parent does with a child; each is called from the loop. */
struct ld_kid_events {
	/** It was started: send it what it needs. */
	void (*born)(void *ctx, struct ld_kid *kid);
	/** A message, but PONG.  As ld_channel_came. */
	bool (*came)(void *ctx, struct ld_kid *kid, struct ld_message *message);
	/** It gave a sign of life.  May be NULL. */
	void (*well)(void *ctx, struct ld_kid *kid);
	/** It ended by itself, as `what` says; true: start it again. */
	bool (*died)(void *ctx, struct ld_kid *kid, const struct ld_report *what);
};

/** Not started yet.  NULL without memory. */
struct ld_kid *ld_kid_new(struct event_base *loop, enum ld_role role,
			  const struct ld_kid_events *events, void *ctx);
/** Closes the channel, so that it ends; see ld_kid_wait().  NULL is a no-op. */
void ld_kid_free(struct ld_kid *kid);

/** Errors: LINDUNG_EIO, LINDUNG_ENOMEM with a report. */
int ld_kid_start(struct ld_kid *kid, struct ld_report *report);
/** Kill it: it misbehaves, or took too long.  It dies as if by itself. */
void ld_kid_kill(struct ld_kid *kid);
/** Ask it for a sign of life; every `interval_ms`. */
void ld_kid_ping(struct ld_kid *kid, unsigned interval_ms);
/** After SIGCHLD. */
void ld_kid_reap(struct ld_kid *kid);
/** Have it end, and wait for it, `wait_ms` at most: then it is killed.  How it ended, 0 for well.
 */
int ld_kid_end(struct ld_kid *kid, unsigned wait_ms);

/** To talk to it: NULL while it does not run. */
struct ld_channel *ld_kid_channel(const struct ld_kid *kid);
/** It was started, and its end not yet seen. */
bool ld_kid_runs(const struct ld_kid *kid);
const char *ld_kid_name(const struct ld_kid *kid);
/** Times it was started again. */
uint64_t ld_kid_restarts(const struct ld_kid *kid);

#endif
