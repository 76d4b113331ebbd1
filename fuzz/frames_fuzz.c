/* Messages with a length before each: cut into any pieces, with pauses, they come out whole and in
 * order, and nothing else does.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first octet says how long the pieces are, the second how many messages may wait. */
#include "fuzz.h"

#include "net/speech.h"

struct peer {
	struct ld_span rest; /* of what was sent: not yet come out */
	unsigned waiting, waiting_max;
};

static void
message(void *ctx, uint32_t stream, struct ld_span got, struct ld_span token)
{
	struct peer *peer = ctx;
	size_t len = peer->rest.len >= 2 ? ld_get_be16(peer->rest.data) : 0;

	if (stream != 0 || token.len != 0 || peer->rest.len < 2 + len ||
	    !ld_span_equal(got, ld_span(peer->rest.data + 2, len)) ||
	    peer->waiting >= peer->waiting_max)
		__builtin_trap();
	peer->rest = ld_span_from(peer->rest, 2 + len);
	peer->waiting++;
}

static bool
full(void *ctx)
{
	const struct peer *peer = ctx;

	return peer->waiting >= peer->waiting_max;
}

static void
nothing(void *ctx)
{
	(void)ctx;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer peer = {.waiting_max = 1};
	const struct ld_speech_host host = {.message = message,
					    .full = full,
					    .done = nothing,
					    .ended = nothing,
					    .calmed = nothing,
					    .ctx = &peer};
	const struct ld_speech_ops *ops = &ld_speech_frames;
	size_t piece;
	void *speech;

	if (size < 2)
		return 0;
	piece = 1 + data[0] * 64u;
	peer.waiting_max = 1 + data[1] % 8u;
	peer.rest = ld_span(data + 2, size - 2);
	speech = ops->new (&host);
	if (speech == NULL)
		__builtin_trap();
	for (size_t at = 2; at < size; at += piece) {
		struct ld_span octets = ld_span(data + at, size - at < piece ? size - at : piece);

		if (!ops->take(speech, octets, 0))
			__builtin_trap();
		/* As a connection does: no more while they wait, and what was kept first. */
		while (peer.waiting > 0) {
			peer.waiting = 0;
			if (!ops->take(speech, (struct ld_span){NULL, 0}, 0))
				__builtin_trap();
		}
	}
	/* What is left is less than a message. */
	if (peer.rest.len >= 2 && peer.rest.len - 2 >= ld_get_be16(peer.rest.data))
		__builtin_trap();
	ops->free(speech);
	return 0;
}
