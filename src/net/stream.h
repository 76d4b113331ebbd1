/* A connection's octets, whatever carries them: TCP as it is, or TLS (net/tls.h).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Never blocks.  One thread's alone.  The descriptor stays its owner's, and is closed after the
 * stream is freed. */
#ifndef LD_NET_STREAM_H
#define LD_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** What a read or a write gives, if not how many octets. */
enum {
	LD_STREAM_AGAIN = 0,   /* nothing now: wait for what `read_waits` or `write_waits` says */
	LD_STREAM_ENDED = -1,  /* the peer sends no more */
	LD_STREAM_FAILED = -2, /* of no more use */
};

struct ld_stream;

struct ld_stream_ops {
	ssize_t (*read)(struct ld_stream *stream, void *data, size_t len);
	/* What was refused with LD_STREAM_AGAIN is offered again, first, in the next write. */
	ssize_t (*write)(struct ld_stream *stream, const void *data, size_t len);
	/* There is more to read than the descriptor shows. */
	bool (*pending)(const struct ld_stream *stream);
	/* Tell the peer that nothing follows. */
	void (*leave)(struct ld_stream *stream);
	void (*free)(struct ld_stream *stream);
};

struct ld_stream {
	const struct ld_stream_ops *ops;
	int fd;
	unsigned read_waits, write_waits; /* LD_READABLE, LD_WRITABLE (net/loop.h) */
	bool greeting;                    /* hands are being shaken: reading goes on with it */
	bool resumed;                     /* ... and were shaken before: a session was resumed */
};

/** TCP as it is.  NULL without memory. */
struct ld_stream *ld_stream_plain(int fd);
/** NULL is a no-op. */
void ld_stream_free(struct ld_stream *stream);

#endif
