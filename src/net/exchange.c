/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/exchange.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { MESSAGE_MAX = 65535, HEAD_BYTES = 2 };

struct ld_exchange {
	int fd;
	unsigned step_ms;
	int64_t until_ms; /* the step at hand ends */
	char who[LD_ADDRESS_TEXT_MAX];
	uint8_t message[HEAD_BYTES + MESSAGE_MAX];
};

static int
net_failed(const struct ld_exchange *x, struct ld_report *report)
{
	return ld_fail(report, LINDUNG_ENET, "%s: %s", x->who, strerror(errno));
}

/* Until the socket is ready, or the step has taken too long. */
static int
await(const struct ld_exchange *x, short events, struct ld_report *report)
{
	struct pollfd poll_fd = {.fd = x->fd, .events = events};

	for (;;) {
		int64_t left_ms = x->until_ms - ld_clock_monotonic_ms();
		int ready = left_ms > 0 ? poll(&poll_fd, 1, (int)left_ms) : 0;

		if (ready > 0)
			return LINDUNG_OK;
		if (ready == 0)
			return ld_fail(report, LINDUNG_ETIMEOUT, "%s: no answer in %u ms", x->who,
				       x->step_ms);
		if (errno != EINTR)
			return net_failed(x, report);
	}
}

static void
step_begin(struct ld_exchange *x)
{
	x->until_ms = ld_clock_monotonic_ms() + x->step_ms;
}

static int
connect_await(struct ld_exchange *x, const struct ld_address *address, struct ld_report *report)
{
	int failed = 0, err;
	socklen_t len = sizeof failed;

	if (connect(x->fd, &address->any, address->len) == 0)
		return LINDUNG_OK;
	if (errno != EINPROGRESS)
		return net_failed(x, report);
	err = await(x, POLLOUT, report);
	if (err != LINDUNG_OK)
		return err;
	if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &failed, &len) == 0 && failed == 0)
		return LINDUNG_OK;
	errno = failed;
	return net_failed(x, report);
}

int
ld_exchange_open(struct ld_exchange **ret, const struct ld_address *address, unsigned step_ms,
		 struct ld_report *report)
{
	struct ld_exchange *x = malloc(sizeof *x);
	int err;

	if (x == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory for a connection");
	x->step_ms = step_ms;
	ld_address_to_text(address, x->who);
	step_begin(x);
	x->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	err = x->fd >= 0 ? connect_await(x, address, report) : net_failed(x, report);
	if (err != LINDUNG_OK) {
		ld_exchange_close(x);
		return err;
	}
	*ret = x;
	return LINDUNG_OK;
}

void
ld_exchange_close(struct ld_exchange *x)
{
	if (x == NULL)
		return;
	if (x->fd >= 0)
		close(x->fd);
	free(x);
}

int
ld_exchange_send(struct ld_exchange *x, struct ld_span message, struct ld_report *report)
{
	size_t sent = 0, len = HEAD_BYTES + message.len;
	int err = LINDUNG_OK;

	LD_ASSERT(message.len <= MESSAGE_MAX);
	ld_put_be16(x->message, (uint16_t)message.len);
	memcpy(x->message + HEAD_BYTES, message.data, message.len);
	step_begin(x);
	while (sent < len && err == LINDUNG_OK) {
		ssize_t n = send(x->fd, x->message + sent, len - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			err = await(x, POLLOUT, report);
		else if (errno != EINTR)
			err = net_failed(x, report);
	}
	return err;
}

static int
octets_receive(struct ld_exchange *x, size_t at, size_t len, struct ld_report *report)
{
	int err = LINDUNG_OK;

	while (len > 0 && err == LINDUNG_OK) {
		ssize_t n = recv(x->fd, x->message + at, len, 0);

		if (n > 0) {
			at += (size_t)n;
			len -= (size_t)n;
		} else if (n == 0) {
			err = ld_fail(report, LINDUNG_ENET, "%s: it closed the connection", x->who);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			err = await(x, POLLIN, report);
		} else if (errno != EINTR) {
			err = net_failed(x, report);
		}
	}
	return err;
}

int
ld_exchange_receive(struct ld_exchange *x, struct ld_span *ret, struct ld_report *report)
{
	size_t len;
	int err;

	step_begin(x);
	err = octets_receive(x, 0, HEAD_BYTES, report);
	if (err != LINDUNG_OK)
		return err;
	len = ld_get_be16(x->message);
	err = octets_receive(x, HEAD_BYTES, len, report);
	if (err == LINDUNG_OK)
		*ret = ld_span(x->message + HEAD_BYTES, len);
	return err;
}
