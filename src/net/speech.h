/* Inside src/net: what a connection speaks, without its sockets and clocks: messages with a length
 * before each (frames.c), or HTTP/2 (http2.c).  Octets in, messages out, and back.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One object a connection, its thread's alone.  The connection (tcp.c) keeps the limits that all
 * speeches share: it hands in no octets while too many messages wait for their answers. */
#ifndef LD_NET_SPEECH_H
#define LD_NET_SPEECH_H

#include "base/bytes.h"

/** The other side of a speech: the connection. */
struct ld_speech_host {
	/* A message came on `stream`; it is answered exactly once by ops->answer or ops->drop, in
	 * this call or later.  The spans are valid during the call. */
	void (*message)(void *ctx, uint32_t stream, struct ld_span message, struct ld_span token);
	/* No more messages now: keep them until the next ops->take. */
	bool (*full)(void *ctx);
	/* An answer is on its way to the peer, as far as the speech is concerned. */
	void (*done)(void *ctx);
	/* The peer has said all. */
	void (*ended)(void *ctx);
	/* The peer is sent away for making work for nothing. */
	void (*calmed)(void *ctx);
	void *ctx;
	unsigned streams_max; /* at a time, where there are streams */
};

struct ld_speech_ops {
	/* NULL without memory. */
	void *(*new)(const struct ld_speech_host *host);
	/* Take octets of the peer; empty: go on with what was kept.  False: the peer broke the
	 * rules or a limit: send what ops->give has left to say, then close. */
	bool (*take)(void *speech, struct ld_span octets, int64_t now_ms);
	/* Put behind `out` what there is to send.  *ret_more: there is more than it had room for.
	 * False as above. */
	bool (*give)(void *speech, struct ld_buffer *out, bool *ret_more);
	/* The answer to a message that came on `stream`; `lifetime_s`: how long others may keep
	 * it.  False: close. */
	bool (*answer)(void *speech, uint32_t stream, struct ld_span message, uint32_t lifetime_s,
		       struct ld_buffer *out);
	/* There is no answer. */
	bool (*drop)(void *speech, uint32_t stream);
	/* Say good-bye with the next ops->give. */
	void (*leave)(void *speech);
	void (*free)(void *speech);
};

extern const struct ld_speech_ops ld_speech_frames;
extern const struct ld_speech_ops ld_speech_http2;

enum {
	LD_SPEECH_MESSAGE_MAX = 65535,
	LD_SPEECH_TAKE_MAX = 16384, /* octets handed to ops->take at a time */
};

#endif
