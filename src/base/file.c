/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
ld_map_fd(struct ld_map *ret, int fd)
{
	struct stat st;
	void *memory = NULL;

	if (fstat(fd, &st) != 0)
		return LINDUNG_EIO;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return LINDUNG_EIO;
	}
	if (st.st_size > 0) {
		memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (memory == MAP_FAILED)
			return LINDUNG_EIO;
	}
	*ret = (struct ld_map){
		.bytes = ld_span(memory, (size_t)st.st_size),
		.device = st.st_dev,
		.inode = st.st_ino,
		.modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
	};
	return LINDUNG_OK;
}

int
ld_map_open(struct ld_map *ret, const char *path)
{
	/* O_NONBLOCK: a named pipe at this path must not hang us; it has no effect on files. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err, saved;

	if (fd < 0)
		return LINDUNG_EIO;
	err = ld_map_fd(ret, fd);
	saved = errno;
	close(fd);
	errno = saved;
	return err;
}

void
ld_map_close(struct ld_map *map)
{
	if (map->bytes.len != 0 && !map->borrowed)
		munmap((void *)(uintptr_t)map->bytes.data, map->bytes.len);
	*map = (struct ld_map){0};
}

int
ld_replace_begin(struct ld_replace *ret, const char *path, struct ld_report *report)
{
	struct ld_replace file = {.fd = -1, .path = strdup(path)};
	mode_t mask;

	if (file.path == NULL || asprintf(&file.temporary, "%s.XXXXXX", path) < 0) {
		free(file.path);
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	}
	file.fd = mkostemp(file.temporary, O_CLOEXEC);
	if (file.fd < 0) {
		int err = ld_fail(report, LINDUNG_EIO, "%s: cannot write beside it: %s", path,
				  strerror(errno));
		free(file.temporary);
		free(file.path);
		return err;
	}
	mask = umask(0);
	umask(mask);
	fchmod(file.fd, 0644 & ~mask);
	*ret = file;
	return LINDUNG_OK;
}

static int
directory_sync(const char *path)
{
	char *copy = strdup(path);
	int fd, err = -1;

	if (copy == NULL)
		return -1;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return -1;
	err = fsync(fd);
	close(fd);
	return err;
}

int
ld_replace_commit(struct ld_replace *file, struct ld_report *report)
{
	int err = LINDUNG_OK;

	if (fsync(file->fd) != 0 || rename(file->temporary, file->path) != 0 ||
	    directory_sync(file->path) != 0)
		err = ld_fail(report, LINDUNG_EIO, "%s: cannot be written: %s", file->path,
			      strerror(errno));
	ld_replace_abandon(file);
	return err;
}

void
ld_replace_abandon(struct ld_replace *file)
{
	if (file->fd < 0)
		return;
	close(file->fd);
	/* After a commit the temporary name is gone, and this fails as it should. */
	unlink(file->temporary);
	free(file->temporary);
	free(file->path);
	*file = (struct ld_replace){.fd = -1};
}

int
ld_write_all(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return LINDUNG_EIO;
		at += n;
		len -= (size_t)n;
	}
	return LINDUNG_OK;
}

int
ld_read_file(const char *path, size_t limit, uint8_t **ret_data, size_t *ret_len,
	     struct ld_report *report)
{
	struct ld_map map;
	uint8_t *data;

	if (ld_map_open(&map, path) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
	if (map.bytes.len > limit) {
		ld_map_close(&map);
		return ld_fail(report, LINDUNG_ELIMIT, "%s: larger than %zu bytes", path, limit);
	}
	data = malloc(map.bytes.len + 1);
	if (data == NULL) {
		ld_map_close(&map);
		return ld_fail(report, LINDUNG_ENOMEM, "%s: not enough memory", path);
	}
	if (map.bytes.len != 0)
		memcpy(data, map.bytes.data, map.bytes.len);
	data[map.bytes.len] = '\0';
	*ret_data = data;
	*ret_len = map.bytes.len;
	ld_map_close(&map);
	return LINDUNG_OK;
}
