/* File to text: gzip, zstd, byte order marks, UTF-16.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "list/unpack.h"

enum {
	RAW_BYTES = 64 * 1024,
	PLAIN_BYTES = 64 * 1024, /* unpacked UTF-16 that waits to be converted */
	WINDOW_LOG_MAX = 23,
	/* 50 million names; a packed file of some KB could go on for hours. */
	UNPACKED_MAX_BYTES = 1 << 30,
};

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };
enum encoding { ENCODING_UNKNOWN, ENCODING_BYTES, ENCODING_UTF16LE, ENCODING_UTF16BE };

struct ld_unpack {
	int fd;
	char *name;
	uint64_t size_bytes;
	uint64_t consumed_bytes;
	uint64_t unpacked_bytes; /* 0 of a file that is not packed */
	enum packing packing;
	enum encoding encoding;
	bool at_end;    /* of the file */
	bool within;    /* a packed member has begun and not ended */
	bool plain_end; /* nothing more comes unpacked */
	size_t raw_at, raw_len;
	size_t plain_at, plain_len;
	uint16_t surrogate; /* the first half of a pair, 0 for none */
	z_stream zlib;
	ZSTD_DCtx *zstd;
	uint8_t raw[RAW_BYTES];
	uint8_t plain[PLAIN_BYTES];
};

/* ---- The file ------------------------------------------------------------------------------- */

/* Fill raw[] behind what is left in it, until `least` bytes are there or the file ends. */
static int
raw_fill(struct ld_unpack *u, size_t least, struct ld_report *report)
{
	size_t left = u->raw_len - u->raw_at;

	memmove(u->raw, u->raw + u->raw_at, left);
	u->raw_at = 0;
	u->raw_len = left;
	while (u->raw_len < least && !u->at_end) {
		ssize_t n = read(u->fd, u->raw + u->raw_len, sizeof(u->raw) - u->raw_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ld_fail(report, LINDUNG_EIO, "%s: cannot read it: %s", u->name,
				       strerror(errno));
		if (n == 0)
			u->at_end = true;
		u->raw_len += (size_t)n;
		u->consumed_bytes += (size_t)n;
	}
	return LINDUNG_OK;
}

static int
start_unpacking(struct ld_unpack *u, struct ld_report *report)
{
	static const uint8_t gzip_magic[2] = {0x1f, 0x8b};
	static const uint8_t zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};

	int err = raw_fill(u, sizeof(zstd_magic), report);
	if (err != LINDUNG_OK)
		return err;
	if (u->raw_len >= 2 && memcmp(u->raw, gzip_magic, 2) == 0) {
		if (inflateInit2(&u->zlib, 15 + 16) != Z_OK)
			return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", u->name);
		u->packing = PACKING_GZIP;
		u->within = true;
	} else if (u->raw_len >= 4 && memcmp(u->raw, zstd_magic, 4) == 0) {
		u->zstd = ZSTD_createDCtx();
		if (u->zstd == NULL)
			return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", u->name);
		ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
		u->packing = PACKING_ZSTD;
		u->within = true;
	}
	return LINDUNG_OK;
}

int
ld_unpack_open(struct ld_unpack **ret, const char *path, struct ld_report *report)
{
	struct stat st;
	struct ld_unpack *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	bool is_stdin = strcmp(path, "-") == 0;
	u->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	u->name = strdup(is_stdin ? "standard input" : path);
	int err = LINDUNG_OK;
	if (u->name == NULL)
		err = ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	else if (u->fd < 0 || fstat(u->fd, &st) != 0)
		err = ld_fail(report, LINDUNG_EIO, "%s: cannot open it: %s", path, strerror(errno));
	if (err == LINDUNG_OK) {
		u->size_bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		err = start_unpacking(u, report);
	}
	if (err != LINDUNG_OK) {
		ld_unpack_close(u);
		return err;
	}
	*ret = u;
	return LINDUNG_OK;
}

void
ld_unpack_close(struct ld_unpack *u)
{
	if (u == NULL)
		return;
	if (u->packing == PACKING_GZIP)
		inflateEnd(&u->zlib);
	ZSTD_freeDCtx(u->zstd);
	if (u->fd > STDIN_FILENO)
		close(u->fd);
	free(u->name);
	free(u);
}

uint64_t
ld_unpack_size_bytes(const struct ld_unpack *u)
{
	return u->size_bytes;
}

uint64_t
ld_unpack_consumed_bytes(const struct ld_unpack *u)
{
	return u->consumed_bytes - (u->raw_len - u->raw_at);
}

/* ---- Unpacking ------------------------------------------------------------------------------ */

static int
damaged(const struct ld_unpack *u, const char *packing, const char *what, struct ld_report *report)
{
	return ld_fail(report, LINDUNG_EDAMAGED,
		       "%s: the %s data is damaged near byte %llu: %s; fetch the file again",
		       u->name, packing, (unsigned long long)ld_unpack_consumed_bytes(u), what);
}

static int
step_none(struct ld_unpack *u, uint8_t *data, size_t size, size_t *ret_len)
{
	size_t n = u->raw_len - u->raw_at < size ? u->raw_len - u->raw_at : size;

	memcpy(data, u->raw + u->raw_at, n);
	u->raw_at += n;
	*ret_len = n;
	return LINDUNG_OK;
}

/* Behind a gzip member: another one, zeros that fill up a block, or the end. */
static int
gzip_next_member(struct ld_unpack *u, struct ld_report *report)
{
	int err = raw_fill(u, 2, report);

	while (err == LINDUNG_OK && u->raw_len != 0 && u->raw[u->raw_at] == 0) {
		while (u->raw_at < u->raw_len && u->raw[u->raw_at] == 0)
			u->raw_at++;
		err = raw_fill(u, 2, report);
	}
	if (err != LINDUNG_OK || u->raw_len == 0)
		return err;
	if (u->raw_len < 2 || u->raw[0] != 0x1f || u->raw[1] != 0x8b)
		return damaged(u, "gzip", "there is something else behind its end", report);
	inflateReset(&u->zlib);
	u->within = true;
	return LINDUNG_OK;
}

static int
step_gzip(struct ld_unpack *u, uint8_t *data, size_t size, size_t *ret_len,
	  struct ld_report *report)
{
	if (!u->within) {
		int err = gzip_next_member(u, report);
		if (err != LINDUNG_OK || !u->within)
			return err;
	}
	u->zlib.next_in = u->raw + u->raw_at;
	u->zlib.avail_in = (uInt)(u->raw_len - u->raw_at);
	u->zlib.next_out = data;
	u->zlib.avail_out = (uInt)size;
	int status = inflate(&u->zlib, Z_NO_FLUSH);
	u->raw_at = u->raw_len - u->zlib.avail_in;
	*ret_len = size - u->zlib.avail_out;
	if (status == Z_STREAM_END)
		u->within = false;
	else if (status == Z_MEM_ERROR)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", u->name);
	else if (status != Z_OK && status != Z_BUF_ERROR)
		return damaged(u, "gzip", u->zlib.msg != NULL ? u->zlib.msg : "bad data", report);
	return LINDUNG_OK;
}

static int
step_zstd(struct ld_unpack *u, uint8_t *data, size_t size, size_t *ret_len,
	  struct ld_report *report)
{
	ZSTD_inBuffer in = {u->raw, u->raw_len, u->raw_at};
	ZSTD_outBuffer out = {data, size, 0};

	size_t status = ZSTD_decompressStream(u->zstd, &out, &in);
	u->raw_at = in.pos;
	*ret_len = out.pos;
	if (ZSTD_isError(status)) {
		if (ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge)
			return ld_fail(
				report, LINDUNG_ELIMIT,
				"%s: unpacking it takes a window of more than 8 MiB; pack it "
				"again without --ultra and --long",
				u->name);
		return damaged(u, "zstd", ZSTD_getErrorName(status), report);
	}
	/* After a frame's end 0 is returned until the next one begins. */
	u->within = status != 0;
	return LINDUNG_OK;
}

/* Unpack into `data` until it is full or there is no more. */
static int
unpack_bytes(struct ld_unpack *u, uint8_t *data, size_t size, size_t *ret_len,
	     struct ld_report *report)
{
	size_t len = 0;

	while (len < size && !u->plain_end) {
		size_t step = 0;
		int err = LINDUNG_OK;

		if (u->raw_at == u->raw_len)
			err = raw_fill(u, 1, report);
		bool drained = u->raw_at == u->raw_len;
		if (err == LINDUNG_OK && u->packing == PACKING_NONE)
			err = step_none(u, data + len, size - len, &step);
		else if (err == LINDUNG_OK && u->packing == PACKING_GZIP)
			err = step_gzip(u, data + len, size - len, &step, report);
		else if (err == LINDUNG_OK && (!drained || u->within))
			err = step_zstd(u, data + len, size - len, &step, report);
		if (err != LINDUNG_OK)
			return err;
		len += step;
		u->unpacked_bytes += u->packing != PACKING_NONE ? step : 0;
		if (u->unpacked_bytes > UNPACKED_MAX_BYTES)
			return ld_fail(report, LINDUNG_ELIMIT,
				       "%s: more than 1 GiB comes out of it; if that is right, "
				       "unpack it first",
				       u->name);
		/* Packed data that is cut: nothing to read, and nothing came out either. */
		if (drained && step == 0) {
			if (u->within)
				return damaged(u, u->packing == PACKING_GZIP ? "gzip" : "zstd",
					       "it is cut off", report);
			u->plain_end = true;
		}
	}
	*ret_len = len;
	return LINDUNG_OK;
}

/* ---- Encodings ------------------------------------------------------------------------------ */

/* UTF-16 without a mark: text in it is full of NULs, nearly all in every second place. */
static enum encoding
guess_encoding(struct ld_span text)
{
	size_t zeros[2] = {0, 0};
	size_t pairs = text.len / 2 < 256 ? text.len / 2 : 256;

	for (size_t i = 0; i < 2 * pairs; i++)
		zeros[i & 1] += text.data[i] == 0;
	if (pairs >= 4 && zeros[0] * 8 < pairs && zeros[1] * 4 >= pairs * 3)
		return ENCODING_UTF16LE;
	if (pairs >= 4 && zeros[1] * 8 < pairs && zeros[0] * 4 >= pairs * 3)
		return ENCODING_UTF16BE;
	return ENCODING_BYTES;
}

/* Find out the encoding from the first bytes, which stay in plain[] less a mark. */
static int
start_text(struct ld_unpack *u, struct ld_report *report)
{
	int err = unpack_bytes(u, u->plain, sizeof(u->plain), &u->plain_len, report);

	if (err != LINDUNG_OK)
		return err;
	const uint8_t *b = u->plain;
	if (u->plain_len >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf) {
		u->plain_at = 3;
		u->encoding = ENCODING_BYTES;
	} else if (u->plain_len >= 2 && b[0] == 0xff && b[1] == 0xfe) {
		u->plain_at = 2;
		u->encoding = ENCODING_UTF16LE;
	} else if (u->plain_len >= 2 && b[0] == 0xfe && b[1] == 0xff) {
		u->plain_at = 2;
		u->encoding = ENCODING_UTF16BE;
	} else {
		u->encoding = guess_encoding(ld_span(u->plain, u->plain_len));
	}
	return LINDUNG_OK;
}

static size_t
put_utf8(uint8_t *out, uint32_t code)
{
	if (code < 0x80) {
		out[0] = (uint8_t)code;
		return 1;
	}
	size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = len - 1; i > 0; i--, code >>= 6)
		out[i] = (uint8_t)(0x80 | (code & 0x3f));
	out[0] = (uint8_t)(0xf00 >> len | code);
	return len;
}

/* One unit more of UTF-16.  Halves of pairs that stand alone become U+FFFD. */
static size_t
put_unit(struct ld_unpack *u, uint8_t *out, uint16_t unit)
{
	size_t len = 0;
	bool is_high = unit >= 0xd800 && unit < 0xdc00;
	bool is_low = unit >= 0xdc00 && unit < 0xe000;

	if (is_low && u->surrogate != 0) {
		uint32_t code = 0x10000 + ((u->surrogate & 0x3ffu) << 10) + (unit & 0x3ffu);
		u->surrogate = 0;
		return put_utf8(out, code);
	}
	if (u->surrogate != 0)
		len = put_utf8(out, 0xfffd);
	u->surrogate = is_high ? unit : 0;
	if (!is_high)
		len += put_utf8(out + len, is_low ? 0xfffd : unit);
	return len;
}

/* Convert what is in plain[]; a half unit at the very end becomes U+FFFD. */
static size_t
convert_utf16(struct ld_unpack *u, uint8_t *data, size_t size)
{
	size_t len = 0;
	size_t big = u->encoding == ENCODING_UTF16BE;

	while (size - len >= 8 && u->plain_len - u->plain_at >= 2) {
		const uint8_t *b = u->plain + u->plain_at;

		len += put_unit(u, data + len, (uint16_t)(b[1 - big] << 8 | b[big]));
		u->plain_at += 2;
	}
	bool cut = u->surrogate != 0 || u->plain_len - u->plain_at == 1;
	if (u->plain_end && cut && u->plain_len - u->plain_at <= 1 && size - len >= 4) {
		len += put_utf8(data + len, 0xfffd);
		u->plain_at = u->plain_len;
		u->surrogate = 0;
	}
	return len;
}

static int
read_utf16(struct ld_unpack *u, uint8_t *data, size_t size, size_t *ret_len,
	   struct ld_report *report)
{
	size_t len = 0;

	for (;;) {
		size_t step = convert_utf16(u, data + len, size - len);
		size_t left = u->plain_len - u->plain_at;
		size_t more = 0;

		len += step;
		if (size - len < 8 || (step == 0 && u->plain_end))
			break;
		memmove(u->plain, u->plain + u->plain_at, left);
		u->plain_at = 0;
		int err = unpack_bytes(u, u->plain + left, sizeof(u->plain) - left, &more, report);
		if (err != LINDUNG_OK)
			return err;
		u->plain_len = left + more;
	}
	*ret_len = len;
	return LINDUNG_OK;
}

int
ld_unpack_read(struct ld_unpack *u, uint8_t *data, size_t size, size_t *ret_len,
	       struct ld_report *report)
{
	size_t more = 0;

	if (u->encoding == ENCODING_UNKNOWN) {
		int err = start_text(u, report);
		if (err != LINDUNG_OK)
			return err;
	}
	if (u->encoding != ENCODING_BYTES)
		return read_utf16(u, data, size, ret_len, report);
	size_t len = u->plain_len - u->plain_at < size ? u->plain_len - u->plain_at : size;
	memcpy(data, u->plain + u->plain_at, len);
	u->plain_at += len;
	if (len < size) {
		int err = unpack_bytes(u, data + len, size - len, &more, report);
		if (err != LINDUNG_OK)
			return err;
	}
	*ret_len = len + more;
	return LINDUNG_OK;
}
