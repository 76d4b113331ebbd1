/* SPDX-License-Identifier: BSD-2-Clause */
#include "list/pack.h"

#include <stdlib.h>

#include <zstd.h>
#include <zstd_errors.h>

enum {
	LEVEL = 9,
	WINDOW_LOG = 23,
};

static int
compress(ZSTD_CCtx *zstd, struct ld_buffer *ret, struct ld_span plain)
{
	size_t bound = ZSTD_compressBound(plain.len), start = ret->len;
	uint8_t *room = ld_buffer_room(ret, bound);

	if (room == NULL)
		return start > ret->limit || bound > ret->limit - start ? LINDUNG_ELIMIT
									: LINDUNG_ENOMEM;
	if (ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, WINDOW_LOG)))
		return LINDUNG_EINTERNAL;
	size_t len = ZSTD_compress2(zstd, room, bound, plain.data, plain.len);
	if (ZSTD_isError(len)) {
		ret->len = start;
		return LINDUNG_ENOMEM; /* with room for any output nothing else is left */
	}
	ret->len = start + len;
	return LINDUNG_OK;
}

int
ld_pack(struct ld_buffer *ret, struct ld_span plain)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	if (zstd == NULL)
		return LINDUNG_ENOMEM;
	int err = compress(zstd, ret, plain);
	ZSTD_freeCCtx(zstd);
	return err;
}

/* Of the window that a frame asks for (RFC 8878 section 3.1.1.1); UINT64_MAX if this is no frame.
 */
static uint64_t
window_bytes(struct ld_span packed, uint64_t content_bytes)
{
	enum { MAGIC = 0xfd2fb528, SINGLE_SEGMENT = 0x20, DICTIONARY = 0x03 };

	if (packed.len < 6 || ld_get_le32(packed.data) != MAGIC ||
	    (packed.data[4] & DICTIONARY) != 0)
		return UINT64_MAX;
	if ((packed.data[4] & SINGLE_SEGMENT) != 0)
		return content_bytes;
	uint64_t base = UINT64_C(1) << (10 + (packed.data[5] >> 3));
	return base + base / 8 * (packed.data[5] & 7);
}

int
ld_pack_open(uint8_t **ret, size_t *ret_len, struct ld_span packed, size_t limit_bytes,
	     struct ld_report *report)
{
	uint64_t size = ZSTD_getFrameContentSize(packed.data, packed.len);

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
	    window_bytes(packed, 0) == UINT64_MAX ||
	    ZSTD_findFrameCompressedSize(packed.data, packed.len) != packed.len)
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "not one whole zstd frame that says its size");
	if (size > limit_bytes)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "unpacks to %llu octets; %zu is the most here",
			       (unsigned long long)size, limit_bytes);
	if (window_bytes(packed, size) > LD_PACK_WINDOW_MAX_BYTES)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "packed with a window past 8 MiB: pack it with a smaller one");
	uint8_t *plain = malloc(size != 0 ? size : 1);
	if (plain == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory to unpack it");
	size_t len = ZSTD_decompress(plain, size, packed.data, packed.len);
	if (ZSTD_isError(len) || len != size) {
		bool no_memory =
			ZSTD_isError(len) && ZSTD_getErrorCode(len) == ZSTD_error_memory_allocation;

		free(plain);
		return no_memory ? ld_fail(report, LINDUNG_ENOMEM, "not enough memory to unpack it")
				 : ld_fail(report, LINDUNG_EDAMAGED, "damaged: does not unpack");
	}
	*ret = plain;
	*ret_len = len;
	return LINDUNG_OK;
}
