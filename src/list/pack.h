/* Packing of whole texts with zstd, one frame each.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Unpacked is only what says its size beforehand; memory is bounded by the caller's limit. */
#ifndef LD_LIST_PACK_H
#define LD_LIST_PACK_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/span.h"

enum { LD_PACK_WINDOW_MAX_BYTES = 8 * 1024 * 1024 };

/** Append `plain`, packed, to `ret`.  Errors: LINDUNG_ENOMEM, LINDUNG_ELIMIT (the buffer's). */
int ld_pack(struct ld_buffer *ret, struct ld_span plain);

/** Unpack one frame, with its content size, of a window of at most LD_PACK_WINDOW_MAX_BYTES, and
 * nothing behind it, into malloc()ed memory, the caller's to free.
 * Errors, with a report: LINDUNG_EDAMAGED (no such frame), LINDUNG_ELIMIT (past `limit_bytes`, or
 * the window), LINDUNG_ENOMEM. */
int ld_pack_open(uint8_t **ret, size_t *ret_len, struct ld_span packed, size_t limit_bytes,
		 struct ld_report *report);

#endif
