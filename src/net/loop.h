/* The event loop of a thread: descriptors, timers, signals, and a bell that other threads ring.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A thin cover over libevent, so that one folder knows it.  `struct event_base` is libevent's own:
 * libunbound must share it.  Everything made on a loop belongs to the loop's thread and is freed
 * before the loop; ld_bell_ring() alone may be called from any thread and from a signal handler. */
#ifndef LD_NET_LOOP_H
#define LD_NET_LOOP_H

#include <stdbool.h>

struct event_base;

/** A loop; NULL without memory. */
struct event_base *ld_loop_new(void);
/** Run until ld_loop_stop(). */
void ld_loop_run(struct event_base *loop);
/** Leave ld_loop_run() after the handler that runs now.  From the loop's own thread. */
void ld_loop_stop(struct event_base *loop);
/** NULL is a no-op. */
void ld_loop_free(struct event_base *loop);

/** A descriptor that is watched.  The descriptor stays the caller's, and is closed after the watch
 * is freed. */
struct ld_watch;

enum { LD_READABLE = 1, LD_WRITABLE = 2 };

typedef void ld_watch_ready(void *ctx, int fd, unsigned what);

/** Watch `fd`; nothing is reported before ld_watch_set().  NULL without memory. */
struct ld_watch *ld_watch_new(struct event_base *loop, int fd, ld_watch_ready *ready, void *ctx);
/** Report from now on when the descriptor is any of `what`, as long as it is; 0 for never. */
void ld_watch_set(struct ld_watch *watch, unsigned what);
void ld_watch_free(struct ld_watch *watch);

struct ld_timer;

typedef void ld_timer_fired(void *ctx);

/** A timer at rest.  NULL without memory. */
struct ld_timer *ld_timer_new(struct event_base *loop, ld_timer_fired *fired, void *ctx);
/** Fire once, that many milliseconds from now; replaces what was set before. */
void ld_timer_set(struct ld_timer *timer, unsigned delay_ms);
void ld_timer_free(struct ld_timer *timer);

/** A handler for a signal, run in the loop (not in the signal's context). */
struct ld_signal;
typedef void ld_signal_came(void *ctx, int number);
struct ld_signal *ld_signal_new(struct event_base *loop, int number, ld_signal_came *came,
				void *ctx);
void ld_signal_free(struct ld_signal *sig);

/** A bell: rung by any thread, answered once or more in the loop's. */
struct ld_bell;
struct ld_bell *ld_bell_new(struct event_base *loop, ld_timer_fired *rung, void *ctx);
void ld_bell_ring(struct ld_bell *bell);
void ld_bell_free(struct ld_bell *bell);

#endif
