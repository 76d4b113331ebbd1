/* The process that follows a log: the network on one side, a folder of its own, and what came of it
 * to the parent.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One thread follows; the other listens to the parent, and hands over.  It gives the sign of life
 * of both: none once the one that follows does not move for follow.hang-s. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "net/loop.h"
#include "process/children.h"
#include "process/finder.h"
#include "process/follow.h"
#include "process/role.h"
#include "process/sandbox.h"

enum {
	FAIL_MIN_MS = 1000, /* until it tries again; twice as long each time */
	MORE_MS = 5 * 1000, /* the same where blocks are missing */
	DOUBLED_MAX = 15,
	AGAIN_MS = 500, /* after a hint that came before what it hints at */
	AGAIN_MAX = 3,
	IDLE_MS = 10 * 1000, /* without change: what can wait is done */
};

struct sync {
	struct ld_child *child;
	struct ld_finder *finder;
	struct ld_follow *follow;
	struct ld_map protected;
	pthread_t thread;
	bool started;
	struct ld_bell *bell;

	/* Of both threads: */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool look; /* there is news, it is said */
	struct ld_follow_facts facts;
	struct ld_report line; /* for a person; "": none */
	int fds[LD_FOLLOW_FILES_MAX];
	unsigned fd_count;
	bool waits; /* to be handed over */
	/* When the thread that follows hangs, if it did not move until then. */
	_Atomic int64_t hangs_ms;

	/* Of the thread that follows: */
	char origin[LD_KEY_NAME_MAX + 1];
	uint32_t fails;  /* in a row */
	uint32_t misses; /* looks in a row after which blocks were missing */
	uint32_t hinted; /* looks since a hint that found nothing */
	int trouble;     /* what was told last */
};

/* ---- To the parent -------------------------------------------------------------------------- */

static void
hand_over(void *ctx)
{
	struct sync *sync = ctx;
	uint8_t octets[LD_FOLLOWED_BYTES + LD_REPORT_LINE_MAX];
	struct ld_writer w = ld_writer(octets, sizeof octets);

	pthread_mutex_lock(&sync->lock);
	if (sync->waits) {
		ld_follow_facts_write(&w, &sync->facts);
		ld_writer_bytes(&w, ld_span_str(sync->line.text));
		if (sync->fd_count != 0)
			(void)ld_channel_send_fds(sync->child->parent, LD_MESSAGE_FOLLOWED,
						  ld_span(w.data, w.len), sync->fds,
						  sync->fd_count);
		else
			(void)ld_channel_send(sync->child->parent, LD_MESSAGE_FOLLOWED,
					      ld_span(w.data, w.len), ld_span(NULL, 0));
		for (unsigned i = 0; i < sync->fd_count; i++)
			close(sync->fds[i]);
		sync->fd_count = 0;
		sync->line.text[0] = '\0';
		sync->waits = false;
	}
	pthread_mutex_unlock(&sync->lock);
}

/* Leave it for the other thread; what it did not take yet is replaced. */
static void
publish(struct sync *sync, const struct ld_follow_facts *facts, bool changed, const char *line)
{
	int fds[LD_FOLLOW_FILES_MAX];
	unsigned count = changed ? ld_follow_files(sync->follow, fds) : 0;

	pthread_mutex_lock(&sync->lock);
	sync->facts = *facts;
	if (line[0] != '\0')
		ld_fail(&sync->line, LINDUNG_OK, "%s", line);
	if (count != 0) {
		for (unsigned i = 0; i < sync->fd_count; i++)
			close(sync->fds[i]);
		sync->fd_count = 0;
		for (unsigned i = 0; i < count; i++) {
			int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);

			if (fd >= 0)
				sync->fds[sync->fd_count++] = fd;
		}
	}
	sync->waits = true;
	pthread_mutex_unlock(&sync->lock);
	ld_bell_ring(sync->bell);
}

/* ---- The thread that follows ---------------------------------------------------------------- */

/* It moves, or will once this time is over. */
static void
moves_in(struct sync *sync, int64_t wait_ms)
{
	int64_t hang_ms = (int64_t)sync->child->conf.follow_hang_s * 1000;

	atomic_store(&sync->hangs_ms, ld_clock_monotonic_ms() + wait_ms + hang_ms);
}

static void
moves(void *ctx)
{
	moves_in(ctx, 0);
}

static void
age_text(char text[64], uint64_t checkpoint_s, time_t now_s)
{
	long long age_s = (long long)now_s - (long long)checkpoint_s;

	if (checkpoint_s == 0)
		snprintf(text, 64, "no witness is asked for");
	else if (age_s < 2 * 3600)
		snprintf(text, 64, "seen by witnesses %lld s ago", age_s < 0 ? 0 : age_s);
	else
		snprintf(text, 64, "seen by witnesses %lld h ago", age_s / 3600);
}

/* What a step came to, for a person: when something is new. */
static void
line_make(struct sync *sync, int err, const struct ld_follow_result *result,
	  const struct ld_report *why, time_t now_s, char line[LD_REPORT_MAX_BYTES])
{
	char age[64];

	age_text(age, result->checkpoint_s, now_s);
	line[0] = '\0';
	if (err != LINDUNG_OK && err != sync->trouble)
		snprintf(line, LD_REPORT_MAX_BYTES,
			 "log %.100s: %.280s; what is in force stays (%llu statements, %s)",
			 sync->origin, why->text, (unsigned long long)result->size, age);
	else if (result->changed || result->added != 0)
		snprintf(line, LD_REPORT_MAX_BYTES,
			 "log %.100s: %llu new statements, %llu in all; %llu entries changed; %s",
			 sync->origin, (unsigned long long)result->added,
			 (unsigned long long)result->size, (unsigned long long)result->names, age);
	else if (err == LINDUNG_OK && sync->trouble != LINDUNG_OK)
		snprintf(line, LD_REPORT_MAX_BYTES, "log %.100s: all is well again, %s",
			 sync->origin, age);
	sync->trouble = err;
}

static void
step(struct sync *sync, struct ld_follow_facts *facts, struct ld_follow_result *result)
{
	char line[LD_REPORT_MAX_BYTES];
	time_t now_s = time(NULL);
	struct ld_report why;
	int err = ld_follow_step(sync->follow, now_s, result, &why);

	sync->fails = err == LINDUNG_OK || result->has_more ? 0 : sync->fails + 1;
	sync->misses = result->has_more ? sync->misses + 1 : 0;
	facts->on = 1;
	facts->size = result->size;
	facts->checkpoint_s = result->checkpoint_s;
	facts->max_age_s = ld_policy_trust(ld_follow_policy(sync->follow))->age_max_s;
	facts->polls++;
	facts->failures += err != LINDUNG_OK;
	facts->updates += result->changed;
	facts->trouble = (uint64_t)-err;
	if (err == LINDUNG_OK)
		facts->checked_s = (uint64_t)now_s;
	line_make(sync, err, result, &why, now_s, line);
	publish(sync, facts, result->changed, line);
}

/* Give or take a tenth, so that many that began together do not stay so. */
static int64_t
jitter(int64_t wait_ms)
{
	uint32_t random;

	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return wait_ms;
	return wait_ms - wait_ms / 10 + (int64_t)((uint64_t)wait_ms / 5 * random >> 32);
}

/* Twice as long each time, and no longer than between two looks: a block that is nowhere to be had
 * must not bring all followers to the server every few seconds for ever. */
static int64_t
again_ms(int64_t first_ms, uint32_t times, int64_t poll_ms)
{
	int64_t wait_ms = first_ms << (times - 1 < DOUBLED_MAX ? times - 1 : DOUBLED_MAX);

	return wait_ms < poll_ms ? wait_ms : poll_ms;
}

static int64_t
wait_find(struct sync *sync, const struct ld_follow_result *result, bool was_hint)
{
	int64_t poll_ms = (int64_t)sync->child->conf.follow_poll_s * 1000, wait_ms = poll_ms;
	int64_t clock_ms;

	if (sync->fails != 0)
		wait_ms = again_ms(FAIL_MIN_MS, sync->fails, poll_ms);
	else if (sync->misses != 0)
		wait_ms = again_ms(MORE_MS, sync->misses, poll_ms);
	wait_ms = jitter(wait_ms);
	if (wait_ms < (int64_t)result->retry_after_s * 1000)
		wait_ms = (int64_t)result->retry_after_s * 1000;
	/* Said to be there, and not there yet: it is on its way. */
	sync->hinted = was_hint ? AGAIN_MAX : sync->hinted;
	if (result->added != 0 || sync->fails != 0)
		sync->hinted = 0;
	if (sync->hinted != 0) {
		sync->hinted--;
		wait_ms = AGAIN_MS;
	}
	if (result->next_s != INT64_MAX) {
		clock_ms = (result->next_s - (int64_t)time(NULL)) * 1000;
		clock_ms = clock_ms < FAIL_MIN_MS ? FAIL_MIN_MS : clock_ms;
		wait_ms = clock_ms < wait_ms ? clock_ms : wait_ms;
	}
	return wait_ms;
}

/* Until the time is over, or there is news; true: news. */
static bool
wait_for(struct sync *sync, int64_t wait_ms)
{
	struct timespec end;
	bool look;

	moves_in(sync, wait_ms);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += wait_ms / 1000;
	end.tv_nsec += wait_ms % 1000 * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&sync->lock);
	while (!sync->look)
		if (pthread_cond_timedwait(&sync->wake, &sync->lock, &end) == ETIMEDOUT)
			break;
	look = sync->look;
	sync->look = false;
	pthread_mutex_unlock(&sync->lock);
	moves(sync);
	return look;
}

/* What can wait, in a quiet time. */
static bool
rest(struct sync *sync, struct ld_follow_facts *facts, int64_t wait_ms)
{
	struct ld_follow_result result;
	struct ld_report why;
	int64_t first_ms = wait_ms < IDLE_MS ? wait_ms : IDLE_MS;

	if (wait_for(sync, first_ms))
		return true;
	if (wait_ms <= IDLE_MS)
		return false;
	if (ld_follow_tidy(sync->follow, time(NULL), &result, &why) == LINDUNG_OK && result.changed)
		publish(sync, facts, true, "");
	return wait_for(sync, wait_ms - first_ms);
}

/* What is in force before anything was fetched, and how old that is. */
static void
restored_tell(struct sync *sync, bool had, struct ld_follow_facts *facts,
	      char line[LD_REPORT_MAX_BYTES])
{
	char age[64];

	line[0] = '\0';
	if (!had)
		return;
	ld_follow_seen(sync->follow, &facts->size, &facts->checkpoint_s);
	facts->max_age_s = ld_policy_trust(ld_follow_policy(sync->follow))->age_max_s;
	age_text(age, facts->checkpoint_s, time(NULL));
	snprintf(line, LD_REPORT_MAX_BYTES,
		 "log %.100s: the list kept of %llu statements is in force, %s", sync->origin,
		 (unsigned long long)facts->size, age);
}

static void *
thread_run(void *ctx)
{
	struct sync *sync = ctx;
	struct ld_follow_facts facts = {.on = 1};
	struct ld_follow_result result;
	int fds[LD_FOLLOW_FILES_MAX];
	struct ld_report why;
	bool hint = false, had;

	/* Until the walls stand. */
	pthread_mutex_lock(&sync->lock);
	pthread_mutex_unlock(&sync->lock);
	/* The last good list is in force before anything is asked. */
	if (ld_follow_restore(sync->follow, &why) != LINDUNG_OK)
		publish(sync, &facts, false, why.text);
	else {
		had = ld_follow_files(sync->follow, fds) != 0;
		restored_tell(sync, had, &facts, why.text);
		publish(sync, &facts, had, why.text);
	}
	for (;;) {
		step(sync, &facts, &result);
		hint = rest(sync, &facts, wait_find(sync, &result, hint));
	}
	return NULL;
}

/* ---- From the parent ------------------------------------------------------------------------ */

/* With all that is read from files outside of its folder. */
static int
follow_open(struct sync *sync, struct ld_report *report)
{
	const struct ld_conf *conf = &sync->child->conf;
	const struct ld_follow_config config = {
		.url = conf->follow_url,
		.policy = conf->follow_policy,
		.popular = conf->follow_popular,
		.keys = conf->follow_keys.items,
		.key_count = conf->follow_keys.count,
		.state = conf->follow_state,
		.ca_file = conf->follow_ca_file,
		.protected = sync->protected.bytes,
		.resolve = ld_finder_find,
		.resolve_ctx = sync->finder,
		.user_agent = "lindung",
		.moves = moves,
		.moves_ctx = sync,
	};
	struct ld_span origin;
	int err = ld_follow_open(&sync->follow, &config, report);

	if (err != LINDUNG_OK)
		return err;
	origin = ld_policy_origin(ld_follow_policy(sync->follow));
	snprintf(sync->origin, sizeof sync->origin, "%.*s", (int)origin.len,
		 (const char *)origin.data);
	return LINDUNG_OK;
}

static bool
follow_came(struct sync *sync, const struct ld_message *message)
{
	struct ld_child *child = sync->child;
	struct ld_report report;
	int err;

	if (sync->follow != NULL || child->conf.follow_state == NULL ||
	    ld_map_fd(&sync->protected, message->fds[0]) != LINDUNG_OK)
		return false;
	err = ld_finder_new(&sync->finder, &child->conf, &report);
	if (err == LINDUNG_OK)
		err = follow_open(sync, &report);
	if (err != LINDUNG_OK) {
		ld_child_fail(child, &report);
		return true;
	}
	child->folder = child->conf.follow_state;
	if (ld_child_enter(child) && (child->walls & LD_WALL_ROOT) != 0)
		ld_follow_moved(sync->follow, "/");
	return true;
}

static bool
start(struct sync *sync)
{
	struct ld_report report;
	bool sealed;

	if (sync->started || sync->follow == NULL || sync->child->status != 0)
		return sync->child->status != 0;
	moves(sync);
	pthread_mutex_lock(&sync->lock);
	sync->started = pthread_create(&sync->thread, NULL, thread_run, sync) == 0;
	sealed = sync->started && ld_child_seal(sync->child);
	if (!sync->started) {
		ld_fail(&report, LINDUNG_ENOMEM, "sync cannot start its thread");
		ld_child_fail(sync->child, &report);
	}
	/* Without them it goes no further. */
	if (!sealed)
		return true;
	pthread_mutex_unlock(&sync->lock);
	ld_child_started(sync->child);
	return true;
}

static bool
message_came(void *ctx, struct ld_message *message)
{
	struct sync *sync = ctx;
	uint8_t octets[4];
	struct ld_writer w = ld_writer(octets, sizeof octets);

	switch ((unsigned)message->type) {
	case LD_MESSAGE_FOLLOW:
		return follow_came(sync, message);
	case LD_MESSAGE_START:
		return start(sync);
	case LD_MESSAGE_LOOK:
		pthread_mutex_lock(&sync->lock);
		sync->look = true;
		pthread_cond_signal(&sync->wake);
		pthread_mutex_unlock(&sync->lock);
		return true;
	case LD_MESSAGE_PING:
		if (sync->started && ld_clock_monotonic_ms() >= atomic_load(&sync->hangs_ms))
			return true;
		ld_writer_bytes(&w, message->body);
		ld_child_tell(sync->child, LD_MESSAGE_PONG, &w);
		return true;
	default:
		return false;
	}
}

int
ld_sync_run(struct ld_child *child)
{
	static struct sync sync;
	pthread_condattr_t attributes;

	sync.child = child;
	child->came = message_came;
	child->ctx = &sync;
	pthread_mutex_init(&sync.lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&sync.wake, &attributes);
	pthread_condattr_destroy(&attributes);
	sync.bell = ld_bell_new(child->loop, hand_over, &sync);
	if (sync.bell == NULL)
		return LD_CHILD_FAILED;
	ld_child_loop(child);
	/* Whatever the other thread does: what is on the disk is whole at any moment. */
	_exit(child->status);
}
