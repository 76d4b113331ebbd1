/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Nobody changes it any more. */
enum { SEALS = F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW };

static int64_t
time_ns(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
ld_mark_take(struct ld_mark *ret, const char *path)
{
	struct stat st;

	*ret = (struct ld_mark){0};
	if (stat(path, &st) != 0)
		return;
	*ret = (struct ld_mark){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = (uint64_t)st.st_size,
		.modified_ns = time_ns(st.st_mtim),
		.changed_ns = time_ns(st.st_ctim),
	};
}

bool
ld_mark_equal(const struct ld_mark *a, const struct ld_mark *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

void
ld_watched_read(struct ld_watched *files, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		ld_mark_take(&files[i].read, files[i].path);
		files[i].seen = files[i].read;
	}
}

bool
ld_watched_changed(struct ld_watched *files, unsigned count)
{
	bool changed = false, moving = false;

	for (unsigned i = 0; i < count; i++) {
		struct ld_mark now;

		ld_mark_take(&now, files[i].path);
		changed |= !ld_mark_equal(&now, &files[i].read);
		moving |= !ld_mark_equal(&now, &files[i].seen);
		files[i].seen = now;
	}
	return changed && !moving;
}

/* Copy to the end of the file, wherever that is by then. */
static int
copy_all(int to, int from)
{
	ssize_t n;

	do
		n = sendfile(to, from, NULL, 1 << 30);
	while (n > 0 || (n < 0 && errno == EINTR));
	return (int)n;
}

int
ld_snapshot_take(int *ret_fd, const char *path, struct ld_report *report)
{
	/* O_NONBLOCK: a named pipe at this path must not hang us. */
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), memory = -1;
	struct stat st;

	if (file < 0)
		return ld_fail(report, errno == ENOENT ? LINDUNG_ENOTFOUND : LINDUNG_EIO, "%s: %s",
			       path, strerror(errno));
	if (fstat(file, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(file);
		return ld_fail(report, LINDUNG_EIO, "%s: not a regular file", path);
	}
	memory = memfd_create("lindung-list", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory < 0 || copy_all(memory, file) != 0 || fcntl(memory, F_ADD_SEALS, SEALS) != 0) {
		int err = ld_fail(report, LINDUNG_EIO, "%s: cannot be read into memory: %s", path,
				  strerror(errno));

		close(file);
		if (memory >= 0)
			close(memory);
		return err;
	}
	close(file);
	*ret_fd = memory;
	return LINDUNG_OK;
}

int
ld_snapshot_of(int *ret_fd, struct ld_span bytes, struct ld_report *report)
{
	int memory = memfd_create("lindung", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (memory < 0 || ld_write_all(memory, bytes.data, bytes.len) != LINDUNG_OK ||
	    fcntl(memory, F_ADD_SEALS, SEALS) != 0) {
		int err =
			ld_fail(report, LINDUNG_EIO, "cannot write to memory: %s", strerror(errno));

		if (memory >= 0)
			close(memory);
		return err;
	}
	*ret_fd = memory;
	return LINDUNG_OK;
}
