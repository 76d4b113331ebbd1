/* Reading and writing bounded memory: cursors whose error sticks, and a buffer that grows.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A reader or writer that was asked for more than there is sets `failed`, yields zeros (or writes
 * nothing) from then on, and is checked once at the end: a parser is written straight down. */
#ifndef LD_BASE_BYTES_H
#define LD_BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/span.h"

/* Through memcpy(), which compilers make one load or store of: put together octet by octet, a store
 * of what was just computed becomes twenty instructions (GCC 12). */

static inline uint16_t
ld_get_be16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return be16toh(v);
}

static inline uint32_t
ld_get_be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return be32toh(v);
}

static inline uint64_t
ld_get_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return be64toh(v);
}

static inline void
ld_put_be64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof v);
}

static inline void
ld_put_be16(uint8_t *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof v);
}

static inline void
ld_put_be32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof v);
}

static inline uint16_t
ld_get_le16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return le16toh(v);
}

static inline uint32_t
ld_get_le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

static inline uint64_t
ld_get_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return le64toh(v);
}

static inline void
ld_put_le16(uint8_t *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof v);
}

static inline void
ld_put_le32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof v);
}

static inline void
ld_put_le64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof v);
}

/** Reads a span from front to back. */
struct ld_reader {
	struct ld_span data;
	size_t at;
	bool failed;
};

static inline struct ld_reader
ld_reader(struct ld_span data)
{
	return (struct ld_reader){.data = data};
}

static inline size_t
ld_reader_left(const struct ld_reader *r)
{
	return r->failed ? 0 : r->data.len - r->at;
}

/** The next `len` octets; the empty span, and `failed`, if there are fewer. */
static inline struct ld_span
ld_reader_take(struct ld_reader *r, size_t len)
{
	if (r->failed || len > r->data.len - r->at) {
		r->failed = true;
		return (struct ld_span){NULL, 0};
	}
	struct ld_span taken = {r->data.data + r->at, len};
	r->at += len;
	return taken;
}

static inline uint8_t
ld_reader_u8(struct ld_reader *r)
{
	struct ld_span s = ld_reader_take(r, 1);

	return s.len == 1 ? s.data[0] : 0;
}

static inline uint16_t
ld_reader_be16(struct ld_reader *r)
{
	struct ld_span s = ld_reader_take(r, 2);

	return s.len == 2 ? ld_get_be16(s.data) : 0;
}

static inline uint32_t
ld_reader_be32(struct ld_reader *r)
{
	struct ld_span s = ld_reader_take(r, 4);

	return s.len == 4 ? ld_get_be32(s.data) : 0;
}

/** Writes into memory of a fixed size. */
struct ld_writer {
	uint8_t *data;
	size_t size;
	size_t len;
	bool failed;
};

static inline struct ld_writer
ld_writer(void *data, size_t size)
{
	return (struct ld_writer){.data = data, .size = size};
}

/** Room for `len` octets that the caller fills; NULL, and `failed`, if there is not so much. */
static inline uint8_t *
ld_writer_room(struct ld_writer *w, size_t len)
{
	if (w->failed || len > w->size - w->len) {
		w->failed = true;
		return NULL;
	}
	uint8_t *room = w->data + w->len;
	w->len += len;
	return room;
}

static inline void
ld_writer_bytes(struct ld_writer *w, struct ld_span s)
{
	uint8_t *room = ld_writer_room(w, s.len);

	if (room != NULL && s.len != 0)
		memcpy(room, s.data, s.len);
}

static inline void
ld_writer_u8(struct ld_writer *w, uint8_t v)
{
	uint8_t *room = ld_writer_room(w, 1);

	if (room != NULL)
		*room = v;
}

static inline void
ld_writer_be16(struct ld_writer *w, uint16_t v)
{
	uint8_t *room = ld_writer_room(w, 2);

	if (room != NULL)
		ld_put_be16(room, v);
}

static inline void
ld_writer_be32(struct ld_writer *w, uint32_t v)
{
	uint8_t *room = ld_writer_room(w, 4);

	if (room != NULL)
		ld_put_be32(room, v);
}

/** Memory that grows.  `failed` (no memory, or past the limit) sticks like a writer's. */
struct ld_buffer {
	uint8_t *data;
	size_t len;
	size_t size;
	size_t limit;
	bool failed;
};

/** An empty buffer that refuses to grow past `limit` bytes. */
void ld_buffer_init(struct ld_buffer *b, size_t limit);
/** Room for `len` more octets behind what is there (counted at once); NULL if it failed. */
uint8_t *ld_buffer_room(struct ld_buffer *b, size_t len);
void ld_buffer_bytes(struct ld_buffer *b, struct ld_span s);
void ld_buffer_printf(struct ld_buffer *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** Free the memory; the buffer is empty, its limit kept. */
void ld_buffer_free(struct ld_buffer *b);

static inline struct ld_span
ld_buffer_span(const struct ld_buffer *b)
{
	return (struct ld_span){b->data, b->len};
}

#endif
