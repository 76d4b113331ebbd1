/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 512 };

/* The header of a file as POSIX has it (pax, "ustar Interchange Format"). */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

/* Sum of all octets, those of the sum itself taken as blanks. */
static unsigned
header_sum(const struct header *h)
{
	struct header copy = *h;
	const uint8_t *octets = (const uint8_t *)&copy;
	unsigned sum = 0;

	memset(copy.checksum, ' ', sizeof copy.checksum);
	for (size_t i = 0; i < sizeof copy; i++)
		sum += octets[i];
	return sum;
}

/* Cut a name in two where it is too long for one field. */
static bool
name_put(struct header *h, const char *name)
{
	size_t len = strlen(name), at;

	if (len <= sizeof h->name) {
		memcpy(h->name, name, len);
		return true;
	}
	at = len - sizeof h->name - 1;
	while (name[at] != '\0' && name[at] != '/')
		at++;
	if (name[at] != '/' || at > sizeof h->prefix || len - at - 1 == 0)
		return false;
	memcpy(h->prefix, name, at);
	memcpy(h->name, name + at + 1, len - at - 1);
	return true;
}

int
ld_archive_add(struct ld_buffer *to, const char *name, mode_t mode, int64_t time_s,
	       struct ld_span bytes, struct ld_report *report)
{
	static const uint8_t zeros[BLOCK];
	struct header h = {.type = '0'};

	if (!name_put(&h, name) || bytes.len >= UINT64_C(1) << 33)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "%s: its name or the file is too long for a backup", name);
	memcpy(h.magic, "ustar", sizeof h.magic);
	memcpy(h.version, "00", sizeof h.version);
	snprintf(h.mode, sizeof h.mode, "%07o", (unsigned)mode & 0777);
	snprintf(h.uid, sizeof h.uid, "%07o", 0);
	snprintf(h.gid, sizeof h.gid, "%07o", 0);
	snprintf(h.size, sizeof h.size, "%011llo", (unsigned long long)bytes.len);
	snprintf(h.mtime, sizeof h.mtime, "%011llo", (unsigned long long)time_s & 077777777777ULL);
	snprintf(h.checksum, sizeof h.checksum, "%06o", header_sum(&h));
	h.checksum[7] = ' ';
	ld_buffer_bytes(to, ld_span(&h, sizeof h));
	ld_buffer_bytes(to, bytes);
	if (bytes.len % BLOCK != 0)
		ld_buffer_bytes(to, ld_span(zeros, BLOCK - bytes.len % BLOCK));
	return LINDUNG_OK;
}

void
ld_archive_end(struct ld_buffer *to)
{
	static const uint8_t zeros[2 * BLOCK];

	ld_buffer_bytes(to, ld_span(zeros, sizeof zeros));
}

/* ---- Reading --------------------------------------------------------------------------------- */

static bool
octal_read(uint64_t *ret, const char *field, size_t size)
{
	uint64_t n = 0;
	size_t i = 0;

	while (i < size && field[i] >= '0' && field[i] <= '7')
		n = n << 3 | (uint64_t)(field[i++] - '0');
	*ret = n;
	return i > 0 && (i == size || field[i] == '\0' || field[i] == ' ');
}

/* Only what stays below the folder it is unpacked in. */
static bool
name_is_good(const char *name)
{
	if (*name == '\0' || *name == '/')
		return false;
	for (const char *part = name; part != NULL; part = strchr(part, '/')) {
		size_t len;

		part += *part == '/';
		len = strcspn(part, "/");
		if (len == 0 || (len == 1 && part[0] == '.') ||
		    (len == 2 && part[0] == '.' && part[1] == '.'))
			return false;
	}
	return true;
}

static bool
name_get(char name[LD_ARCHIVE_NAME_MAX + 2], const struct header *h)
{
	size_t prefix = strnlen(h->prefix, sizeof h->prefix);

	snprintf(name, LD_ARCHIVE_NAME_MAX + 2, "%.*s%s%.*s", (int)prefix, h->prefix,
		 prefix != 0 ? "/" : "", (int)strnlen(h->name, sizeof h->name), h->name);
	return name_is_good(name);
}

static bool
is_empty(struct ld_span block)
{
	for (size_t i = 0; i < block.len; i++)
		if (block.data[i] != 0)
			return false;
	return true;
}

int
ld_archive_each(struct ld_span archive, ld_archive_file *file, void *ctx, struct ld_report *report)
{
	struct ld_reader r = ld_reader(archive);
	char name[LD_ARCHIVE_NAME_MAX + 2];
	uint64_t size = 0, mode = 0, sum = 0;
	int err = LINDUNG_OK;

	for (uint64_t count = 0; err == LINDUNG_OK; count++) {
		struct ld_span block = ld_reader_take(&r, BLOCK), bytes;
		struct header h;

		if (r.failed)
			return ld_fail(report, LINDUNG_EDAMAGED, "the backup is cut");
		if (is_empty(block))
			break;
		memcpy(&h, block.data, sizeof h);
		if (count == LD_ARCHIVE_FILES_MAX)
			return ld_fail(report, LINDUNG_ELIMIT, "more than %d files",
				       LD_ARCHIVE_FILES_MAX);
		if (memcmp(h.magic, "ustar", sizeof h.magic) != 0 || h.type != '0' ||
		    !octal_read(&size, h.size, sizeof h.size) ||
		    !octal_read(&mode, h.mode, sizeof h.mode) ||
		    !octal_read(&sum, h.checksum, sizeof h.checksum) || sum != header_sum(&h) ||
		    !name_get(name, &h))
			return ld_fail(report, LINDUNG_EDAMAGED,
				       "file %llu of the backup is none that a backup has",
				       (unsigned long long)count + 1);
		bytes = ld_reader_take(&r, size);
		ld_reader_take(&r, (BLOCK - size % BLOCK) % BLOCK);
		if (r.failed)
			return ld_fail(report, LINDUNG_EDAMAGED, "%s: the backup is cut", name);
		err = file(ctx, name, (mode_t)mode, bytes);
	}
	return err;
}
