/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/loop.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/error.h"

struct ld_watch {
	struct event_base *loop;
	struct event *event;
	ld_watch_ready *ready;
	void *ctx;
	int fd;
	unsigned what;
};

struct ld_timer {
	struct event *event;
	ld_timer_fired *fired;
	void *ctx;
};

struct ld_signal {
	struct event *event;
	ld_signal_came *came;
	void *ctx;
};

struct ld_bell {
	struct ld_watch *watch;
	ld_timer_fired *rung;
	void *ctx;
	int fd;
};

struct event_base *
ld_loop_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *loop;

	if (config == NULL)
		return NULL;
	/* One thread a loop: no locks.  Timers of seconds need no clock finer than the kernel's
	 * tick. */
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	loop = event_base_new_with_config(config);
	event_config_free(config);
	return loop;
}

void
ld_loop_run(struct event_base *loop)
{
	event_base_loop(loop, EVLOOP_NO_EXIT_ON_EMPTY);
}

void
ld_loop_stop(struct event_base *loop)
{
	event_base_loopbreak(loop);
}

void
ld_loop_free(struct event_base *loop)
{
	if (loop != NULL)
		event_base_free(loop);
}

static void
watch_fired(evutil_socket_t fd, short what, void *ctx)
{
	struct ld_watch *watch = ctx;

	watch->ready(watch->ctx, fd,
		     (what & EV_READ ? (unsigned)LD_READABLE : 0) |
			     (what & EV_WRITE ? (unsigned)LD_WRITABLE : 0));
}

struct ld_watch *
ld_watch_new(struct event_base *loop, int fd, ld_watch_ready *ready, void *ctx)
{
	struct ld_watch *watch = calloc(1, sizeof *watch);

	if (watch == NULL)
		return NULL;
	*watch = (struct ld_watch){.loop = loop, .ready = ready, .ctx = ctx, .fd = fd};
	watch->event = event_new(loop, fd, EV_PERSIST, watch_fired, watch);
	if (watch->event == NULL) {
		free(watch);
		return NULL;
	}
	return watch;
}

void
ld_watch_set(struct ld_watch *watch, unsigned what)
{
	short bits = EV_PERSIST;

	if (what == watch->what)
		return;
	if (what & LD_READABLE)
		bits |= EV_READ;
	if (what & LD_WRITABLE)
		bits |= EV_WRITE;
	event_del(watch->event);
	watch->what = what;
	if (what == 0)
		return;
	/* An event keeps its memory when it is assigned anew, as long as it is not pending. */
	event_assign(watch->event, watch->loop, watch->fd, bits, watch_fired, watch);
	event_add(watch->event, NULL);
}

void
ld_watch_free(struct ld_watch *watch)
{
	if (watch == NULL)
		return;
	event_free(watch->event);
	free(watch);
}

static void
timer_fired(evutil_socket_t fd, short what, void *ctx)
{
	struct ld_timer *timer = ctx;

	(void)fd;
	(void)what;
	timer->fired(timer->ctx);
}

struct ld_timer *
ld_timer_new(struct event_base *loop, ld_timer_fired *fired, void *ctx)
{
	struct ld_timer *timer = calloc(1, sizeof *timer);

	if (timer == NULL)
		return NULL;
	*timer = (struct ld_timer){.fired = fired, .ctx = ctx};
	timer->event = evtimer_new(loop, timer_fired, timer);
	if (timer->event == NULL) {
		free(timer);
		return NULL;
	}
	return timer;
}

void
ld_timer_set(struct ld_timer *timer, unsigned delay_ms)
{
	struct timeval delay = {.tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000};

	evtimer_add(timer->event, &delay);
}

void
ld_timer_free(struct ld_timer *timer)
{
	if (timer == NULL)
		return;
	event_free(timer->event);
	free(timer);
}

static void
signal_fired(evutil_socket_t number, short what, void *ctx)
{
	struct ld_signal *sig = ctx;

	(void)what;
	sig->came(sig->ctx, number);
}

struct ld_signal *
ld_signal_new(struct event_base *loop, int number, ld_signal_came *came, void *ctx)
{
	struct ld_signal *sig = calloc(1, sizeof *sig);

	if (sig == NULL)
		return NULL;
	*sig = (struct ld_signal){.came = came, .ctx = ctx};
	sig->event = evsignal_new(loop, number, signal_fired, sig);
	if (sig->event == NULL || evsignal_add(sig->event, NULL) != 0) {
		ld_signal_free(sig);
		return NULL;
	}
	return sig;
}

void
ld_signal_free(struct ld_signal *sig)
{
	if (sig == NULL)
		return;
	if (sig->event != NULL)
		event_free(sig->event);
	free(sig);
}

static void
bell_ready(void *ctx, int fd, unsigned what)
{
	struct ld_bell *bell = ctx;
	uint64_t times;

	(void)what;
	if (read(fd, &times, sizeof times) == sizeof times)
		bell->rung(bell->ctx);
}

struct ld_bell *
ld_bell_new(struct event_base *loop, ld_timer_fired *rung, void *ctx)
{
	struct ld_bell *bell = calloc(1, sizeof *bell);

	if (bell == NULL)
		return NULL;
	*bell = (struct ld_bell){.rung = rung, .ctx = ctx};
	bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (bell->fd >= 0)
		bell->watch = ld_watch_new(loop, bell->fd, bell_ready, bell);
	if (bell->watch == NULL) {
		ld_bell_free(bell);
		return NULL;
	}
	ld_watch_set(bell->watch, LD_READABLE);
	return bell;
}

void
ld_bell_ring(struct ld_bell *bell)
{
	uint64_t once = 1;

	/* It fails only when the counter is full: then it rings anyway. */
	if (write(bell->fd, &once, sizeof once) < 0)
		return;
}

void
ld_bell_free(struct ld_bell *bell)
{
	if (bell == NULL)
		return;
	ld_watch_free(bell->watch);
	if (bell->fd >= 0)
		close(bell->fd);
	free(bell);
}
