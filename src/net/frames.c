/* Messages with a length of two octets before each (RFC 1035 section 4.2.2).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Frames that came whole are handed out from where they were read to; only the rest is kept. */
#include <stdlib.h>

#include "net/speech.h"

enum {
	FRAME_MAX = 2 + LD_SPEECH_MESSAGE_MAX,
	KEPT_MAX = FRAME_MAX + LD_SPEECH_TAKE_MAX,
};

struct frames {
	struct ld_speech_host host;
	struct ld_buffer kept;
};

static void *
frames_new(const struct ld_speech_host *host)
{
	struct frames *f = malloc(sizeof *f);

	if (f == NULL)
		return NULL;
	f->host = *host;
	ld_buffer_init(&f->kept, KEPT_MAX);
	return f;
}

static void
frames_free(void *speech)
{
	struct frames *f = speech;

	ld_buffer_free(&f->kept);
	free(f);
}

/* Hand out whole frames, as long as they are wanted: how many octets they took. */
static size_t
frames_deliver(struct frames *f, struct ld_span octets)
{
	size_t at = 0;

	while (octets.len - at >= 2 && !f->host.full(f->host.ctx)) {
		size_t len = ld_get_be16(octets.data + at);

		if (octets.len - at - 2 < len)
			break;
		f->host.message(f->host.ctx, 0, ld_span(octets.data + at + 2, len),
				(struct ld_span){NULL, 0});
		at += 2 + len;
	}
	return at;
}

static bool
frames_take(void *speech, struct ld_span octets, int64_t now_ms)
{
	struct frames *f = speech;
	struct ld_buffer *kept = &f->kept;
	size_t taken;

	(void)now_ms;
	if (kept->len == 0) {
		taken = frames_deliver(f, octets);
		ld_buffer_bytes(kept, ld_span_from(octets, taken));
		return !kept->failed;
	}
	ld_buffer_bytes(kept, octets);
	if (kept->failed)
		return false;
	taken = frames_deliver(f, ld_buffer_span(kept));
	if (taken == kept->len) {
		ld_buffer_free(kept);
	} else if (taken > 0) {
		memmove(kept->data, kept->data + taken, kept->len - taken);
		kept->len -= taken;
	}
	return true;
}

static bool
frames_give(void *speech, struct ld_buffer *out, bool *ret_more)
{
	(void)speech;
	(void)out;
	*ret_more = false;
	return true; /* an answer goes out when it is given */
}

static bool
frames_answer(void *speech, uint32_t stream, struct ld_span message, uint32_t lifetime_s,
	      struct ld_buffer *out)
{
	struct frames *f = speech;
	uint8_t *room = ld_buffer_room(out, 2 + message.len);

	(void)stream;
	(void)lifetime_s;
	if (room == NULL)
		return false;
	/* One write for the length and the message (RFC 7766 section 8). */
	ld_put_be16(room, (uint16_t)message.len);
	if (message.len != 0)
		memcpy(room + 2, message.data, message.len);
	f->host.done(f->host.ctx);
	return true;
}

static bool
frames_drop(void *speech, uint32_t stream)
{
	(void)speech;
	(void)stream;
	return true;
}

static void
frames_leave(void *speech)
{
	(void)speech; /* there are no words for it */
}

const struct ld_speech_ops ld_speech_frames = {frames_new,    frames_take, frames_give,
					       frames_answer, frames_drop, frames_leave,
					       frames_free};
