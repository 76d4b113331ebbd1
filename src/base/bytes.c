/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
ld_buffer_init(struct ld_buffer *b, size_t limit)
{
	*b = (struct ld_buffer){.limit = limit};
}

static bool
buffer_grow(struct ld_buffer *b, size_t need)
{
	size_t size = b->size < 256 ? 256 : b->size;

	while (size < need)
		size = size > SIZE_MAX / 2 ? need : size * 2;
	if (size > b->limit)
		size = b->limit;
	uint8_t *data = realloc(b->data, size);
	if (data == NULL)
		return false;
	b->data = data;
	b->size = size;
	return true;
}

uint8_t *
ld_buffer_room(struct ld_buffer *b, size_t len)
{
	if (b->failed || len > b->limit - b->len ||
	    (b->size - b->len < len && !buffer_grow(b, b->len + len))) {
		b->failed = true;
		return NULL;
	}
	uint8_t *room = b->data + b->len;
	b->len += len;
	return room;
}

void
ld_buffer_bytes(struct ld_buffer *b, struct ld_span s)
{
	if (s.len == 0)
		return;
	uint8_t *room = ld_buffer_room(b, s.len);
	if (room != NULL)
		memcpy(room, s.data, s.len);
}

void
ld_buffer_printf(struct ld_buffer *b, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	/* One octet more than is counted, for the NUL that vsnprintf writes. */
	uint8_t *room = len >= 0 ? ld_buffer_room(b, (size_t)len + 1) : NULL;
	if (room != NULL) {
		vsnprintf((char *)room, (size_t)len + 1, format, again);
		b->len--;
	}
	va_end(again);
}

void
ld_buffer_free(struct ld_buffer *b)
{
	size_t limit = b->limit;

	free(b->data);
	ld_buffer_init(b, limit);
}
