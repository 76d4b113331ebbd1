/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"

enum {
	PACKETS_A_TURN = 16, /* then the others on the loop have theirs */
	SOCKET_BYTES = 1 << 20,
};

/* A packet that the other side has no room for yet. */
struct packet {
	STAILQ_ENTRY(packet) link;
	size_t len;
	unsigned fd_count;
	int fds[LD_MESSAGE_FDS_MAX]; /* copies of our own */
	uint8_t octets[];
};

struct ld_channel {
	struct ld_channel_config config;
	int fd;
	struct ld_watch *watch;
	struct ld_timer *flush;
	bool flush_set;
	bool over;
	STAILQ_HEAD(, packet) waiting;
	size_t waiting_bytes;
	size_t out_len;
	uint8_t out[LD_PACKET_MAX]; /* the packet of this turn */
	uint8_t in[LD_PACKET_MAX];
};

int
ld_channel_pair(int ret[2])
{
	int size = SOCKET_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) != 0)
		return LINDUNG_EIO;
	/* As large as net.core.wmem_max lets it be. */
	for (unsigned i = 0; i < 2; i++)
		(void)setsockopt(ret[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return LINDUNG_OK;
}

/* ---- Out ---------------------------------------------------------------------------------- */

static void
packet_free(struct packet *packet)
{
	for (unsigned i = 0; i < packet->fd_count; i++)
		close(packet->fds[i]);
	free(packet);
}

static void
channel_end(struct ld_channel *channel, bool violation)
{
	if (channel->over)
		return;
	channel->over = true;
	ld_watch_set(channel->watch, 0);
	channel->config.ended(channel->config.ctx, violation);
}

/* The octets sent; 0: no room now; negative: the other side is gone. */
static int
packet_send(const struct ld_channel *channel, const void *octets, size_t len, const int *fds,
	    unsigned fd_count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * LD_MESSAGE_FDS_MAX)];
	} control = {0};
	struct iovec part = {(void *)(uintptr_t)octets, len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (fd_count != 0) {
		struct cmsghdr *cmsg;

		message.msg_control = control.room;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * fd_count);
	}
	do
		sent = sendmsg(channel->fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return (int)sent;
	return errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS ? 0 : -1;
}

static int
packet_wait(struct ld_channel *channel, const void *octets, size_t len, const int *fds,
	    unsigned fd_count)
{
	struct packet *packet = malloc(sizeof *packet + len);

	if (packet == NULL)
		return LINDUNG_ENOMEM;
	packet->len = len;
	packet->fd_count = 0;
	memcpy(packet->octets, octets, len);
	for (; packet->fd_count < fd_count; packet->fd_count++) {
		int copy = dup(fds[packet->fd_count]);

		if (copy < 0) {
			packet_free(packet);
			return LINDUNG_ENOMEM;
		}
		packet->fds[packet->fd_count] = copy;
	}
	STAILQ_INSERT_TAIL(&channel->waiting, packet, link);
	channel->waiting_bytes += len;
	ld_watch_set(channel->watch, LD_READABLE | LD_WRITABLE);
	return LINDUNG_OK;
}

/* A send that fails is not told from here: the channel's end will be read soon. */
static int
packet_out(struct ld_channel *channel, const void *octets, size_t len, const int *fds,
	   unsigned fd_count)
{
	int sent = 0;

	if (STAILQ_EMPTY(&channel->waiting))
		sent = packet_send(channel, octets, len, fds, fd_count);
	if (sent < 0)
		return LINDUNG_ENET;
	return sent > 0 ? LINDUNG_OK : packet_wait(channel, octets, len, fds, fd_count);
}

void
ld_channel_flush(struct ld_channel *channel)
{
	if (channel->out_len == 0 || channel->over)
		return;
	/* What is lost for want of memory is lost as if the other side were gone. */
	(void)packet_out(channel, channel->out, channel->out_len, NULL, 0);
	channel->out_len = 0;
}

static void
flush_due(void *ctx)
{
	struct ld_channel *channel = ctx;

	channel->flush_set = false;
	ld_channel_flush(channel);
}

static int
send_check(const struct ld_channel *channel, size_t len)
{
	if (channel->over)
		return LINDUNG_ENET;
	return channel->waiting_bytes + len > channel->config.queue_max ? LINDUNG_ELIMIT
									: LINDUNG_OK;
}

int
ld_channel_send(struct ld_channel *channel, enum ld_message_type type, struct ld_span head,
		struct ld_span tail)
{
	size_t len = LD_MESSAGE_HEADER_BYTES + head.len + tail.len;
	int err = send_check(channel, len);
	struct ld_writer w;

	if (err != LINDUNG_OK)
		return err;
	if (channel->out_len + len > sizeof channel->out)
		ld_channel_flush(channel);
	w = ld_writer(channel->out + channel->out_len, sizeof channel->out - channel->out_len);
	ld_message_header(&w, type, head.len + tail.len);
	ld_writer_bytes(&w, head);
	ld_writer_bytes(&w, tail);
	LD_ASSERT(!w.failed);
	channel->out_len += w.len;
	if (!channel->flush_set)
		ld_timer_set(channel->flush, 0);
	channel->flush_set = true;
	return LINDUNG_OK;
}

int
ld_channel_send_fds(struct ld_channel *channel, enum ld_message_type type, struct ld_span body,
		    const int *fds, unsigned fd_count)
{
	uint8_t octets[LD_MESSAGE_HEADER_BYTES + LD_MESSAGE_FDS_BODY_MAX];
	struct ld_writer w = ld_writer(octets, sizeof octets);
	int err = send_check(channel, sizeof octets);

	if (err != LINDUNG_OK)
		return err;
	LD_ASSERT(fd_count <= LD_MESSAGE_FDS_MAX);
	ld_message_header(&w, type, body.len);
	ld_writer_bytes(&w, body);
	LD_ASSERT(!w.failed);
	ld_channel_flush(channel);
	return packet_out(channel, octets, w.len, fds, fd_count);
}

/* ---- In ----------------------------------------------------------------------------------- */

/* The octets of the next packet, 0 at the end, -1 when there is none, -2 for a violation. */
static ssize_t
packet_receive(struct ld_channel *channel, int fds[LD_MESSAGE_FDS_MAX], unsigned *ret_count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * LD_MESSAGE_FDS_MAX)];
	} control;
	struct iovec part = {channel->in, sizeof channel->in};
	/* Without the octets that fill up the room: one more descriptor would fit into them. */
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.room,
				 .msg_controllen = CMSG_LEN(sizeof(int) * LD_MESSAGE_FDS_MAX)};
	ssize_t n;

	*ret_count = 0;
	do
		n = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -1 : 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		*ret_count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), *ret_count * sizeof(int));
	}
	return (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? -2 : n;
}

static bool
packet_came(struct ld_channel *channel, size_t len, int *fds, unsigned fd_count)
{
	struct ld_reader packet = ld_reader(ld_span(channel->in, len));
	struct ld_message message = {.fds = fds, .fd_count = fd_count};

	while (ld_message_next(&packet, channel->config.other, channel->config.self, fd_count,
			       &message))
		if (!channel->config.came(channel->config.ctx, &message))
			return false;
	return !packet.failed;
}

/* False: it is over, and perhaps freed. */
static bool
channel_read(struct ld_channel *channel)
{
	int fds[LD_MESSAGE_FDS_MAX];

	for (unsigned i = 0; i < PACKETS_A_TURN; i++) {
		unsigned fd_count;
		ssize_t n = packet_receive(channel, fds, &fd_count);
		bool good = n > 0 && packet_came(channel, (size_t)n, fds, fd_count);

		for (unsigned f = 0; f < fd_count; f++)
			if (fds[f] >= 0)
				close(fds[f]);
		if (n == -1)
			return true;
		if (!good) {
			channel_end(channel, n != 0);
			return false;
		}
	}
	return true;
}

static void
channel_write(struct ld_channel *channel)
{
	struct packet *packet;

	while ((packet = STAILQ_FIRST(&channel->waiting)) != NULL) {
		if (packet_send(channel, packet->octets, packet->len, packet->fds,
				packet->fd_count) == 0)
			return;
		STAILQ_REMOVE_HEAD(&channel->waiting, link);
		channel->waiting_bytes -= packet->len;
		packet_free(packet);
	}
	ld_watch_set(channel->watch, LD_READABLE);
}

static void
channel_ready(void *ctx, int fd, unsigned what)
{
	struct ld_channel *channel = ctx;

	(void)fd;
	if ((what & LD_READABLE) != 0 && !channel_read(channel))
		return;
	if ((what & LD_WRITABLE) != 0)
		channel_write(channel);
}

void
ld_channel_receive(struct ld_channel *channel)
{
	if (!channel->over)
		(void)channel_read(channel);
}

/* ---- Life --------------------------------------------------------------------------------- */

int
ld_channel_new(struct ld_channel **ret, struct event_base *loop, int fd,
	       const struct ld_channel_config *config)
{
	struct ld_channel *channel = malloc(sizeof *channel);

	if (channel == NULL) {
		close(fd);
		return LINDUNG_ENOMEM;
	}
	memset(channel, 0, offsetof(struct ld_channel, out));
	channel->config = *config;
	channel->fd = fd;
	STAILQ_INIT(&channel->waiting);
	channel->watch = ld_watch_new(loop, fd, channel_ready, channel);
	channel->flush = ld_timer_new(loop, flush_due, channel);
	if (channel->watch == NULL || channel->flush == NULL) {
		ld_channel_free(channel);
		return LINDUNG_ENOMEM;
	}
	ld_watch_set(channel->watch, LD_READABLE);
	*ret = channel;
	return LINDUNG_OK;
}

void
ld_channel_free(struct ld_channel *channel)
{
	struct packet *packet;

	if (channel == NULL)
		return;
	ld_watch_free(channel->watch);
	ld_timer_free(channel->flush);
	while ((packet = STAILQ_FIRST(&channel->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&channel->waiting, link);
		packet_free(packet);
	}
	close(channel->fd);
	free(channel);
}
