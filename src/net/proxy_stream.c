/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/proxy_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/error.h"
#include "net/loop.h"
#include "net/proxy.h"

struct proxied {
	struct ld_stream stream; /* first: this is one */
	ld_proxy_met *met;
	void *ctx;
	struct ld_stream *inner; /* NULL: the header is not whole */
	size_t len;
	uint8_t header[LD_PROXY_MAX_BYTES];
};

static struct proxied *
proxied_of(struct ld_stream *stream)
{
	return (struct proxied *)stream;
}

/* What is seen of the stream from outside is that of the one within. */
static void
mirror(struct proxied *p)
{
	p->stream.read_waits = p->inner->read_waits;
	p->stream.write_waits = p->inner->write_waits;
	p->stream.greeting = p->inner->greeting;
	p->stream.resumed = p->inner->resumed;
}

/* As much as the header still needs: how many octets came, or as ld_stream_ops says. */
static ssize_t
header_receive(struct proxied *p, size_t needed)
{
	ssize_t n;

	do
		n = recv(p->stream.fd, p->header + p->len, needed - p->len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return LD_STREAM_ENDED;
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? LD_STREAM_AGAIN : LD_STREAM_FAILED;
	p->len += (size_t)n;
	return n;
}

/* LD_STREAM_AGAIN with an inner stream: the header is whole. */
static ssize_t
header_read(struct proxied *p)
{
	struct ld_proxy proxy = {.len = 0};

	for (;;) {
		enum ld_proxy_step step = ld_proxy_read(&proxy, ld_span(p->header, p->len));
		ssize_t n;

		if (step == LD_PROXY_BAD)
			return LD_STREAM_FAILED;
		if (step == LD_PROXY_TAKEN)
			break;
		n = header_receive(p, proxy.len);
		if (n <= 0)
			return n;
	}
	p->inner = p->met(p->ctx, proxy.local ? NULL : &proxy.from);
	if (p->inner == NULL)
		return LD_STREAM_FAILED;
	mirror(p);
	return LD_STREAM_AGAIN;
}

static ssize_t
proxied_read(struct ld_stream *stream, void *data, size_t len)
{
	struct proxied *p = proxied_of(stream);
	ssize_t n;

	if (p->inner == NULL) {
		n = header_read(p);
		if (p->inner == NULL)
			return n;
	}
	n = p->inner->ops->read(p->inner, data, len);
	mirror(p);
	return n;
}

static ssize_t
proxied_write(struct ld_stream *stream, const void *data, size_t len)
{
	struct proxied *p = proxied_of(stream);
	ssize_t n;

	if (p->inner == NULL)
		return LD_STREAM_AGAIN;
	n = p->inner->ops->write(p->inner, data, len);
	mirror(p);
	return n;
}

static bool
proxied_pending(const struct ld_stream *stream)
{
	const struct ld_stream *inner = ((const struct proxied *)stream)->inner;

	return inner != NULL && inner->ops->pending(inner);
}

static void
proxied_leave(struct ld_stream *stream)
{
	struct ld_stream *inner = proxied_of(stream)->inner;

	if (inner != NULL)
		inner->ops->leave(inner);
}

static void
proxied_free(struct ld_stream *stream)
{
	ld_stream_free(proxied_of(stream)->inner);
	free(stream);
}

struct ld_stream *
ld_stream_proxied(int fd, ld_proxy_met *met, void *ctx)
{
	static const struct ld_stream_ops ops = {proxied_read, proxied_write, proxied_pending,
						 proxied_leave, proxied_free};
	struct proxied *p = malloc(sizeof *p);

	if (p == NULL)
		return NULL;
	p->stream = (struct ld_stream){.ops = &ops,
				       .fd = fd,
				       .read_waits = LD_READABLE,
				       .write_waits = LD_WRITABLE,
				       .greeting = true};
	p->met = met;
	p->ctx = ctx;
	p->inner = NULL;
	p->len = 0;
	return &p->stream;
}
