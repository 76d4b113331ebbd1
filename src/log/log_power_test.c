/* The log when the power goes: what was not flushed is lost, or is there, as the disk likes.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * This program has its own openat(), fsync(), renameat(), mkdirat() and unlinkat(), which write
 * down what was done to the directories and what was flushed.  Before each of these calls, the disk
 * is built anew as it may be after the power went: once with nothing but what was flushed, and some
 * times with more of it by chance; an operation on names takes place whole or not at all, as on a
 * file system with a journal.  The log must open there, with all that was acknowledged. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/file.h"
#include "log/test_trial.h"

enum {
	THINGS_MAX = 1024, /* files and directories */
	CHANGES_MAX = 4096,
	BY_CHANCE = 3, /* disks built with more than what was flushed */
};

/* ---- What is known of the disk -------------------------------------------------------------- */

/* A file or directory, known by its number. */
static struct thing {
	ino_t number;
	bool is_directory;
	uint8_t *flushed; /* a file's content when it was flushed last; NULL: never */
	size_t flushed_len;
} things[THINGS_MAX];
static int thing_count;

/* A name that appeared, went, or both at once, at the same place or another. */
static struct change {
	int from, to; /* directories; -1: none */
	char from_name[96], to_name[96];
	int thing; /* what stands at the new name */
	bool is_flushed;
} changes[CHANGES_MAX];
static int change_count;

static bool watching;
static int disks;

static int
thing_of(const struct stat *st)
{
	for (int i = 0; i < thing_count; i++) {
		if (things[i].number == st->st_ino)
			return i;
	}
	assert_true(thing_count < THINGS_MAX);
	things[thing_count] =
		(struct thing){.number = st->st_ino, .is_directory = S_ISDIR(st->st_mode)};
	return thing_count++;
}

/* The directory of a path and the name in it. */
static int
place_of(int at, const char *path, char name[96])
{
	const char *slash = strrchr(path, '/');
	char directory[256] = ".";
	struct stat st;

	if (slash != NULL)
		snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
	snprintf(name, 96, "%s", slash != NULL ? slash + 1 : path);
	assert_int_equal(fstatat(at, directory, &st, 0), 0);
	return thing_of(&st);
}

static struct change *
change_begin(void)
{
	assert_true(change_count < CHANGES_MAX);
	changes[change_count] = (struct change){.from = -1, .to = -1, .thing = -1};
	return &changes[change_count++];
}

static void
appeared(int at, const char *path)
{
	struct change *change = change_begin();
	struct stat st;

	change->to = place_of(at, path, change->to_name);
	assert_int_equal(fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	change->thing = thing_of(&st);
}

static void
flushed(int fd)
{
	struct stat st;
	int thing;

	assert_int_equal(fstat(fd, &st), 0);
	thing = thing_of(&st);
	if (S_ISDIR(st.st_mode)) {
		for (int i = 0; i < change_count; i++) {
			if (changes[i].from == thing || changes[i].to == thing)
				changes[i].is_flushed = true;
		}
		return;
	}
	char path[64];
	int again;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	again = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	assert_true(again >= 0);
	free(things[thing].flushed);
	things[thing].flushed_len = (size_t)st.st_size;
	things[thing].flushed = malloc((size_t)st.st_size + 1);
	assert_non_null(things[thing].flushed);
	assert_int_equal(read(again, things[thing].flushed, (size_t)st.st_size), st.st_size);
	close(again);
}

/* ---- A disk after the power went ------------------------------------------------------------ */

/* Names that stand there. */
static struct entry {
	int directory, thing; /* thing -1: gone */
	const char *name;
} entries[CHANGES_MAX];
static int entry_count;

static void
set_entry(int directory, const char *name, int thing)
{
	for (int i = 0; i < entry_count; i++) {
		if (entries[i].directory == directory && strcmp(entries[i].name, name) == 0) {
			entries[i].thing = thing;
			return;
		}
	}
	entries[entry_count++] = (struct entry){directory, thing, name};
}

static void
build_directory(int directory, const char *path, int depth)
{
	assert_true(depth < 12);
	assert_int_equal(syscall(SYS_mkdirat, AT_FDCWD, path, 0755), 0);
	for (int i = 0; i < entry_count; i++) {
		const struct thing *thing;
		char inside[512];

		if (entries[i].directory != directory || entries[i].thing < 0)
			continue;
		thing = &things[entries[i].thing];
		snprintf(inside, sizeof inside, "%s/%s", path, entries[i].name);
		if (thing->is_directory) {
			build_directory(entries[i].thing, inside, depth + 1);
			continue;
		}
		int fd = (int)syscall(SYS_openat, AT_FDCWD, inside, O_WRONLY | O_CREAT | O_TRUNC,
				      0644);
		assert_true(fd >= 0);
		assert_int_equal(ld_write_all(fd, thing->flushed, thing->flushed_len), LINDUNG_OK);
		close(fd);
	}
}

static void
check_disk(bool by_chance)
{
	static struct trial before;
	char path[TRIAL_PATH_MAX];

	entry_count = 0;
	for (int i = 0; i < change_count; i++) {
		const struct change *c = &changes[i];

		if (!c->is_flushed && !(by_chance && rand() % 2 == 0))
			continue;
		if (c->from >= 0)
			set_entry(c->from, c->from_name, -1);
		if (c->to >= 0)
			set_entry(c->to, c->to_name, c->thing);
	}
	memcpy(path, trial_path, sizeof path);
	before = *trial;
	assert_true(strlen(path) + 6 < sizeof trial_path);
	strcat(trial_path, "-after");
	build_directory(0, trial_path, 0);
	trial_check();
	trial_remove(trial_path);
	memcpy(trial_path, path, sizeof path);
	*trial = before;
	disks++;
}

static void
power_goes(void)
{
	int saved = errno;

	if (!watching)
		return;
	watching = false;
	check_disk(false);
	for (int i = 0; i < BY_CHANCE; i++)
		check_disk(true);
	watching = true;
	errno = saved;
}

/* ---- The calls ------------------------------------------------------------------------------ */

int
openat(int at, const char *path, int flags, ...)
{
	bool is_new = false;
	mode_t mode = 0;
	int fd;

	if ((flags & O_CREAT) != 0) {
		va_list arguments;

		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		va_end(arguments);
		power_goes();
		is_new = watching && faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	}
	fd = (int)syscall(SYS_openat, at, path, flags, mode);
	if (fd >= 0 && is_new)
		appeared(at, path);
	return fd;
}

int
fsync(int fd)
{
	int result;

	power_goes();
	result = (int)syscall(SYS_fsync, fd);
	if (result == 0 && watching)
		flushed(fd);
	return result;
}

int
mkdirat(int at, const char *path, mode_t mode)
{
	int result;

	power_goes();
	result = (int)syscall(SYS_mkdirat, at, path, mode);
	if (result == 0 && watching)
		appeared(at, path);
	return result;
}

int
renameat(int from_at, const char *from, int to_at, const char *to)
{
	struct change change = {.from = -1};
	int result;

	power_goes();
	if (watching)
		change.from = place_of(from_at, from, change.from_name);
	result = (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0);
	if (result == 0 && watching) {
		appeared(to_at, to);
		changes[change_count - 1].from = change.from;
		memcpy(changes[change_count - 1].from_name, change.from_name,
		       sizeof change.from_name);
	}
	return result;
}

int
unlinkat(int at, const char *path, int flags)
{
	struct change change = {.from = -1, .to = -1, .thing = -1};
	int result;

	power_goes();
	if (watching)
		change.from = place_of(at, path, change.from_name);
	result = (int)syscall(SYS_unlinkat, at, path, flags);
	if (result == 0 && watching)
		*change_begin() = change;
	return result;
}

/* ---- Tests ---------------------------------------------------------------------------------- */

/* All that stands below a directory, flushed. */
static void
take_stock(const char *path)
{
	char command[256], line[512];
	FILE *names;

	snprintf(command, sizeof command, "find %s -mindepth 1", path);
	names = popen(command, "r");
	assert_non_null(names);
	while (fgets(line, sizeof line, names) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		appeared(AT_FDCWD, line);
		changes[change_count - 1].is_flushed = true;
		if (!things[changes[change_count - 1].thing].is_directory) {
			int fd = open(line, O_RDONLY | O_CLOEXEC);

			assert_true(fd >= 0);
			flushed(fd);
			close(fd);
		}
	}
	assert_int_equal(pclose(names), 0);
}

static void
test_power_goes(void **state)
{
	struct stat st;

	(void)state;
	trial_begin();
	assert_int_equal(stat(trial_path, &st), 0);
	assert_int_equal(thing_of(&st), 0);
	take_stock(trial_path);
	srand(1);
	watching = true;
	trial_work();
	power_goes();
	watching = false;
	assert_int_equal(trial->acknowledged, TRIAL_BEGUN_WITH + 5);
	/* Fewer would mean that the calls went past us. */
	assert_true(disks > 200);
	print_message("%d disks\n", disks);
	for (int i = 0; i < thing_count; i++)
		free(things[i].flushed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_goes),
	};

	return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
