/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/loop.h"

static ssize_t
plain_read(struct ld_stream *stream, void *data, size_t len)
{
	ssize_t n;

	do
		n = recv(stream->fd, data, len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	if (n == 0)
		return LD_STREAM_ENDED;
	return errno == EAGAIN || errno == EWOULDBLOCK ? LD_STREAM_AGAIN : LD_STREAM_FAILED;
}

static ssize_t
plain_write(struct ld_stream *stream, const void *data, size_t len)
{
	ssize_t n;

	do
		n = send(stream->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? LD_STREAM_AGAIN
								  : LD_STREAM_FAILED;
}

static bool
plain_pending(const struct ld_stream *stream)
{
	(void)stream;
	return false;
}

static void
plain_leave(struct ld_stream *stream)
{
	(void)stream; /* the end of TCP says it */
}

static void
plain_free(struct ld_stream *stream)
{
	free(stream);
}

struct ld_stream *
ld_stream_plain(int fd)
{
	static const struct ld_stream_ops ops = {plain_read, plain_write, plain_pending,
						 plain_leave, plain_free};
	struct ld_stream *stream = malloc(sizeof *stream);

	if (stream != NULL)
		*stream = (struct ld_stream){.ops = &ops,
					     .fd = fd,
					     .read_waits = LD_READABLE,
					     .write_waits = LD_WRITABLE};
	return stream;
}

void
ld_stream_free(struct ld_stream *stream)
{
	if (stream != NULL)
		stream->ops->free(stream);
}
