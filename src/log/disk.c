/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "log/text.h"

enum { PATH_MAX_BYTES = 4096 };

static int
fail(struct ld_report *report, const char *path)
{
	return ld_fail(report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
}

int
ld_disk_open(int *ret_fd, int at, const char *path, struct ld_report *report)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(report, path);
	*ret_fd = fd;
	return LINDUNG_OK;
}

/* The directory of a file, "." where it has none. */
static int
directory_of(char *ret, const char *file, struct ld_report *report)
{
	const char *slash = strrchr(file, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - file);

	if (len >= PATH_MAX_BYTES)
		return ld_fail(report, LINDUNG_EINVAL, "%.60s...: too long a path", file);
	if (len == 0) {
		memcpy(ret, slash == NULL ? "." : "/", 2);
	} else {
		memcpy(ret, file, len);
		ret[len] = '\0';
	}
	return LINDUNG_OK;
}

static int
sync_directory(int at, const char *path, struct ld_report *report)
{
	int fd = -1, err = ld_disk_open(&fd, at, path, report);

	if (err != LINDUNG_OK)
		return err;
	if (fsync(fd) != 0)
		err = fail(report, path);
	close(fd);
	return err;
}

int
ld_disk_sync_parent(int at, const char *file, struct ld_report *report)
{
	char directory[PATH_MAX_BYTES];
	int err = directory_of(directory, file, report);

	return err == LINDUNG_OK ? sync_directory(at, directory, report) : err;
}

int
ld_disk_sync_way(int at, const char *file, struct ld_report *report)
{
	char path[PATH_MAX_BYTES];
	int err = directory_of(path, file, report);

	while (err == LINDUNG_OK && strchr(path, '/') != NULL) {
		err = sync_directory(at, path, report);
		*strrchr(path, '/') = '\0';
	}
	if (err == LINDUNG_OK && strcmp(path, ".") != 0)
		err = sync_directory(at, path, report);
	return err == LINDUNG_OK ? sync_directory(at, ".", report) : err;
}

int
ld_disk_make_directory(int at, const char *path, mode_t mode, struct ld_report *report)
{
	if (mkdirat(at, path, mode) != 0) {
		if (errno == EEXIST)
			return LINDUNG_OK;
		return fail(report, path);
	}
	return ld_disk_sync_parent(at, path, report);
}

int
ld_disk_make_way(int at, const char *file, mode_t mode, struct ld_report *report)
{
	char path[PATH_MAX_BYTES];
	int err = directory_of(path, file, report);

	if (err != LINDUNG_OK)
		return err;
	for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		err = ld_disk_make_directory(at, path, mode, report);
		*slash = '/';
		if (err != LINDUNG_OK)
			return err;
	}
	return ld_disk_make_directory(at, path, mode, report);
}

int
ld_disk_write(int at, const char *path, struct ld_span bytes, mode_t mode, struct ld_report *report)
{
	int fd = openat(at, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	int err = LINDUNG_OK;

	if (fd < 0)
		return fail(report, path);
	if (ld_write_all(fd, bytes.data, bytes.len) != LINDUNG_OK || fsync(fd) != 0) {
		err = fail(report, path);
		unlinkat(at, path, 0);
	}
	close(fd);
	return err;
}

int
ld_disk_move(int from_at, const char *from, int to_at, const char *to, struct ld_report *report)
{
	return renameat(from_at, from, to_at, to) == 0 ? LINDUNG_OK : fail(report, to);
}

int
ld_disk_replace(int temporary_at, const char *temporary, int at, const char *path,
		struct ld_span bytes, mode_t mode, struct ld_report *report)
{
	int err = ld_disk_write(temporary_at, temporary, bytes, mode, report);

	if (err != LINDUNG_OK)
		return err;
	err = ld_disk_move(temporary_at, temporary, at, path, report);
	if (err != LINDUNG_OK) {
		unlinkat(temporary_at, temporary, 0);
		return err;
	}
	return ld_disk_sync_parent(at, path, report);
}

static int
read_all(int fd, const char *path, size_t size, struct ld_buffer *ret, struct ld_report *report)
{
	uint8_t *room = ld_buffer_room(ret, size);
	size_t have = 0;

	if (room == NULL && size != 0)
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	while (have < size) {
		ssize_t n = read(fd, room + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(report, path);
		if (n == 0)
			return ld_fail(report, LINDUNG_EIO, "%s: shrank while it was read", path);
		have += (size_t)n;
	}
	return LINDUNG_OK;
}

int
ld_disk_read(int at, const char *path, struct ld_buffer *ret, struct ld_report *report)
{
	/* O_NONBLOCK: a named pipe at this path must not hang us; it has no effect on files. */
	int fd = openat(at, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ld_fail(report, LINDUNG_ENOTFOUND, "%s: %s", path, strerror(errno));
	if (fd < 0)
		return fail(report, path);
	if (fstat(fd, &st) != 0) {
		err = fail(report, path);
	} else if (!S_ISREG(st.st_mode)) {
		err = ld_fail(report, LINDUNG_EIO, "%s: not a regular file", path);
	} else if ((uint64_t)st.st_size > ret->limit) {
		err = ld_fail(report, LINDUNG_ELIMIT, "%s: larger than %zu bytes", path,
			      ret->limit);
	} else {
		err = read_all(fd, path, (size_t)st.st_size, ret, report);
		if (err != LINDUNG_OK)
			ld_buffer_free(ret);
	}
	close(fd);
	return err;
}

bool
ld_disk_exists(int at, const char *path)
{
	return faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static DIR *
names_of(int at, const char *path)
{
	int again = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again >= 0 ? fdopendir(again) : NULL;

	if (dir == NULL && again >= 0)
		close(again);
	return dir;
}

size_t
ld_disk_count(int at, const char *prefix)
{
	DIR *dir = names_of(at, ".");
	struct dirent *entry;
	size_t count = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(dir);
	return count;
}

uint64_t
ld_disk_largest(int at, const char *path)
{
	DIR *dir = names_of(at, path);
	struct dirent *entry;
	uint64_t largest = 0, n;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (ld_text_number(&n, ld_span_str(entry->d_name)) && n > largest)
			largest = n;
	}
	closedir(dir);
	return largest;
}

void
ld_disk_clear(int at)
{
	DIR *dir = names_of(at, ".");
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			unlinkat(at, entry->d_name, 0);
	}
	closedir(dir);
}

int
ld_disk_write_new(const char *path, struct ld_span bytes, struct ld_report *report)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int err = LINDUNG_OK;

	if (fd < 0)
		return errno == EEXIST
			       ? ld_fail(report, LINDUNG_EEXISTS,
					 "%s: is there already, and no key is written over", path)
			       : ld_fail(report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
	if (ld_write_all(fd, bytes.data, bytes.len) != LINDUNG_OK || fsync(fd) != 0) {
		err = ld_fail(report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
		unlink(path);
	}
	close(fd);
	return err == LINDUNG_OK ? ld_disk_sync_parent(AT_FDCWD, path, report) : err;
}
