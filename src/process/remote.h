/* Upstream in another process: questions go to the recursor over a link, answers come back.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The same promises as upstream/upstream.h: each question ends exactly once, from the loop, within
 * the time given, whatever the recursor does.  Without a link every question fails at once; when a
 * link ends, so do the questions that went over it.  One thread's, on its loop.
 * Limit: LD_UPSTREAM_IN_FLIGHT_MAX questions. */
#ifndef LD_PROCESS_REMOTE_H
#define LD_PROCESS_REMOTE_H

#include "upstream/upstream.h"

struct event_base;
struct ld_remote;

/** What came over the link is no message; the link is closed. */
typedef void ld_remote_broken(void *ctx);

/** `timeout_ms`: when a question ends at the latest.  Errors: LINDUNG_ENOMEM. */
int ld_remote_new(struct ld_remote **ret, struct event_base *loop, unsigned timeout_ms,
		  ld_remote_broken *broken, void *ctx);
/** Ends every question without calling `done`.  NULL is a no-op. */
void ld_remote_free(struct ld_remote *remote);

/** Use this link from now on; it is the remote's to close. */
void ld_remote_connect(struct ld_remote *remote, int fd);

/** As ld_upstream_ask(). */
int ld_remote_ask(struct ld_remote *remote, const struct ld_name *name, uint16_t type,
		  bool checking_disabled, ld_upstream_done *done, void *ctx);

/** A counter of the other side, as it said last: 0 when it has just begun.  From any thread. */
uint64_t ld_remote_counter(const struct ld_remote *remote, enum ld_upstream_counter counter);

#endif
