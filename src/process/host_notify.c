/* Telling followers that there is news: DNS NOTIFY (RFC 1996), sent again until it is taken.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Followers poll all the same: what is lost costs time, and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "process/host_parts.h"
#include "wire/notify.h"

enum { TRIES = 5, FIRST_MS = 250, READ_AT_ONCE = 64 };

struct target {
	struct ld_address address;
	bool waits; /* for its answer */
};

struct host_notify {
	struct ld_name zone;
	int fds[2]; /* IPv4, IPv6; -1: not needed */
	struct ld_watch *watches[2];
	struct ld_timer *timer;
	uint16_t id;
	unsigned tries, count;
	struct target targets[];
};

static void
send_all(struct host_notify *n)
{
	uint8_t octets[LD_NOTIFY_MAX_BYTES];
	struct ld_writer w = ld_writer(octets, sizeof octets);
	bool any = false;

	ld_notify_write(&w, n->id, &n->zone);
	for (unsigned i = 0; i < n->count; i++) {
		const struct ld_address *to = &n->targets[i].address;

		if (!n->targets[i].waits)
			continue;
		any = true;
		(void)sendto(n->fds[to->any.sa_family == AF_INET6], octets, w.len,
			     MSG_DONTWAIT | MSG_NOSIGNAL, &to->any, to->len);
	}
	n->tries++;
	if (any && n->tries < TRIES)
		ld_timer_set(n->timer, FIRST_MS << (2 * (n->tries - 1)));
}

static void
timer_fired(void *ctx)
{
	send_all(ctx);
}

static void
answer_came(void *ctx, int fd, unsigned what)
{
	struct host_notify *n = ctx;

	(void)what;
	for (unsigned turn = 0; turn < READ_AT_ONCE; turn++) {
		struct ld_address from = {.len = sizeof from.v6};
		uint8_t octets[512];
		ssize_t len =
			recvfrom(fd, octets, sizeof octets, MSG_DONTWAIT, &from.any, &from.len);

		if (len < 0)
			return;
		if (!ld_notify_taken(ld_span(octets, (size_t)len), n->id, &n->zone))
			continue;
		for (unsigned i = 0; i < n->count; i++)
			if (ld_address_same(&from, &n->targets[i].address))
				n->targets[i].waits = false;
	}
}

void
host_notify_send(struct host_notify *notify)
{
	if (notify == NULL || notify->count == 0)
		return;
	if (getrandom(&notify->id, sizeof notify->id, 0) != sizeof notify->id)
		notify->id++;
	notify->tries = 0;
	for (unsigned i = 0; i < notify->count; i++)
		notify->targets[i].waits = true;
	send_all(notify);
}

static int
socket_open(struct host_notify *n, struct event_base *loop, bool v6)
{
	if (n->fds[v6] >= 0)
		return LINDUNG_OK;
	n->fds[v6] = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fds[v6] < 0)
		return LINDUNG_ENET;
	n->watches[v6] = ld_watch_new(loop, n->fds[v6], answer_came, n);
	if (n->watches[v6] == NULL)
		return LINDUNG_ENOMEM;
	ld_watch_set(n->watches[v6], LD_READABLE);
	return LINDUNG_OK;
}

int
host_notify_new(struct host_notify **ret, struct event_base *loop, const struct ld_address *targets,
		unsigned count, struct ld_span origin, struct ld_report *report)
{
	struct host_notify *n = calloc(1, sizeof *n + count * sizeof n->targets[0]);
	int err = LINDUNG_OK;

	if (n == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	n->fds[0] = n->fds[1] = -1;
	n->count = count;
	if (count != 0)
		err = ld_notify_zone(&n->zone, origin);
	for (unsigned i = 0; i < count && err == LINDUNG_OK; i++) {
		n->targets[i].address = targets[i];
		err = socket_open(n, loop, targets[i].any.sa_family == AF_INET6);
	}
	n->timer = ld_timer_new(loop, timer_fired, n);
	if (err == LINDUNG_OK && n->timer == NULL)
		err = LINDUNG_ENOMEM;
	if (err != LINDUNG_OK) {
		host_notify_free(n);
		return ld_fail(report, err, "NOTIFY cannot be sent: %s", lindung_strerror(err));
	}
	*ret = n;
	return LINDUNG_OK;
}

void
host_notify_free(struct host_notify *notify)
{
	if (notify == NULL)
		return;
	ld_timer_free(notify->timer);
	for (unsigned i = 0; i < 2; i++) {
		ld_watch_free(notify->watches[i]);
		if (notify->fds[i] >= 0)
			close(notify->fds[i]);
	}
	free(notify);
}
