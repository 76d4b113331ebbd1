/* The bytes of a file as its text is meant: unpacked, and UTF-8 if they were UTF-16.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * gzip and zstd are recognised by their first bytes.  One thread; memory is bounded: the buffers
 * below and zstd's window, at most 8 MiB (what RFC 8878 asks of every decoder). */
#ifndef LD_LIST_UNPACK_H
#define LD_LIST_UNPACK_H

#include "base/error.h"
#include "base/span.h"

enum {
	LD_UNPACK_LEAST_BYTES = 64, /* to ask for at once */
};

struct ld_unpack;

/** Errors: LINDUNG_EIO, LINDUNG_ENOMEM. "-" is standard input. */
int ld_unpack_open(struct ld_unpack **ret, const char *path, struct ld_report *report);
/** Up to `size` bytes of text; fewer do not mean the end, none do.
 * Errors: LINDUNG_EIO, LINDUNG_EDAMAGED, LINDUNG_ELIMIT, LINDUNG_ENOMEM. */
int ld_unpack_read(struct ld_unpack *u, uint8_t *data, size_t size, size_t *ret_len,
		   struct ld_report *report);
uint64_t ld_unpack_size_bytes(const struct ld_unpack *u);
uint64_t ld_unpack_consumed_bytes(const struct ld_unpack *u);
void ld_unpack_close(struct ld_unpack *u);

#endif
