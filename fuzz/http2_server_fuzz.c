/* HTTP/2 of a stranger, through our glue: never read outside, every message answered at most once,
 * and what is held bounded.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first octet says how long the pieces are, the second how answers come: at once, late, or not
 * at all.  The client's preface stands before the rest, so that it is frames that are fuzzed. */
#include "fuzz.h"

#include <string.h>

#include "net/speech.h"

enum { WAITING_MAX = 32, OUTPUT_MAX = 256 * 1024 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct peer {
	void *speech;
	struct ld_buffer out;
	uint32_t waiting[WAITING_MAX];
	unsigned waiting_count;
	unsigned how;
	bool broken;
};

static void
answer(struct peer *peer, uint32_t stream)
{
	static const uint8_t octets[3000] = {1, 2, 3};
	size_t len = 1 + stream % sizeof octets;

	if (peer->how % 4 == 3)
		peer->broken |= !ld_speech_http2.drop(peer->speech, stream);
	else
		peer->broken |= !ld_speech_http2.answer(peer->speech, stream, ld_span(octets, len),
							stream, &peer->out);
}

static void
message(void *ctx, uint32_t stream, struct ld_span got, struct ld_span token)
{
	struct peer *peer = ctx;
	uint8_t sum = 0;

	for (size_t i = 0; i < got.len; i++)
		sum ^= got.data[i];
	for (size_t i = 0; i < token.len; i++)
		sum ^= token.data[i];
	if (got.len == 0 || got.len > LD_SPEECH_MESSAGE_MAX || token.len > 64 || stream % 2 == 0)
		__builtin_trap();
	peer->how += sum & 1u;
	if (peer->how % 4 < 2 || peer->waiting_count == WAITING_MAX)
		answer(peer, stream);
	else
		peer->waiting[peer->waiting_count++] = stream;
}

static bool
full(void *ctx)
{
	return ((const struct peer *)ctx)->waiting_count == WAITING_MAX;
}

static void
nothing(void *ctx)
{
	(void)ctx;
}

/* What is to be sent, as if the other side took it all. */
static void
send_all(struct peer *peer)
{
	bool more = true;

	while (more && !peer->broken) {
		peer->broken |= !ld_speech_http2.give(peer->speech, &peer->out, &more);
		if (peer->out.failed || peer->out.len > OUTPUT_MAX)
			__builtin_trap();
		peer->out.len = 0;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer peer = {.how = 0};
	const struct ld_speech_host host = {.message = message,
					    .full = full,
					    .done = nothing,
					    .ended = nothing,
					    .calmed = nothing,
					    .ctx = &peer,
					    .streams_max = WAITING_MAX};
	size_t piece;

	if (size < 2)
		return 0;
	piece = 1 + data[0] * 16u;
	peer.how = data[1];
	ld_buffer_init(&peer.out, OUTPUT_MAX);
	peer.speech = ld_speech_http2.new(&host);
	if (peer.speech == NULL)
		__builtin_trap();
	peer.broken = !ld_speech_http2.take(peer.speech, ld_span(preface, sizeof preface - 1), 0);
	for (size_t at = 2; at < size && !peer.broken; at += piece) {
		struct ld_span octets = ld_span(data + at, size - at < piece ? size - at : piece);

		peer.broken = !ld_speech_http2.take(peer.speech, octets, (int64_t)at);
		send_all(&peer);
		if (peer.waiting_count > 0)
			answer(&peer, peer.waiting[--peer.waiting_count]);
	}
	while (peer.waiting_count > 0)
		answer(&peer, peer.waiting[--peer.waiting_count]);
	ld_speech_http2.leave(peer.speech);
	peer.broken = false;
	send_all(&peer);
	ld_speech_http2.free(peer.speech);
	ld_buffer_free(&peer.out);
	return 0;
}
