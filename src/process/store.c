/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* One more, that is in memory already. */
static int
file_share(struct ld_file_set *files, int fd, const char *path, struct ld_report *report)
{
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return ld_fail(report, LINDUNG_EIO, "%s: too many open files", path);
	files->fds[files->count++] = fd;
	return LINDUNG_OK;
}

static int
image_read(const struct ld_store *store, const struct ld_file_set *in_force,
	   struct ld_file_set *files, struct ld_report *report)
{
	const char *path = store->files[0].path;
	int err;

	if (in_force->count > in_force->followed &&
	    ld_mark_equal(&store->files[0].read, &in_force->image)) {
		err = file_share(files, in_force->fds[in_force->followed], path, report);
	} else {
		err = ld_snapshot_take(&files->fds[files->count], path, report);
		files->count += err == LINDUNG_OK;
	}
	files->image = store->files[0].read;
	return err;
}

int
ld_store_read(struct ld_store *store, const struct ld_file_set *followed,
	      const struct ld_file_set *in_force, struct ld_file_set *ret, struct ld_report *report)
{
	struct ld_file_set files = {.count = 0};
	int err = LINDUNG_OK;

	if (followed->count + store->count > LD_MESSAGE_FDS_MAX)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "list.overlays: too many beside the log that is followed");
	ld_watched_read(store->files, store->count);
	for (unsigned i = 0; i < followed->count && err == LINDUNG_OK; i++)
		err = file_share(&files, followed->fds[i], "the list of the log", report);
	files.followed = files.count;
	if (err == LINDUNG_OK && store->has_image)
		err = image_read(store, in_force, &files, report);
	for (unsigned i = store->has_image; i < store->count && err == LINDUNG_OK; i++) {
		err = ld_snapshot_take(&files.fds[files.count], store->files[i].path, report);
		if (err == LINDUNG_OK) {
			files.count++;
			files.present |= (uint64_t)1 << (i - store->has_image);
		} else if (err == LINDUNG_ENOTFOUND) {
			err = LINDUNG_OK;
		}
	}
	if (err != LINDUNG_OK) {
		ld_file_set_close(&files);
		return err;
	}
	*ret = files;
	return LINDUNG_OK;
}

bool
ld_store_changed(struct ld_store *store)
{
	return ld_watched_changed(store->files, store->count);
}

void
ld_file_set_close(struct ld_file_set *files)
{
	for (unsigned i = 0; i < files->count; i++)
		close(files->fds[i]);
	*files = (struct ld_file_set){.count = 0};
}

/* "1,234,567" */
static void
number_text(uint64_t number, char text[32])
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number), out = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[out++] = ',';
		text[out++] = digits[i];
	}
	text[out] = '\0';
}

void
ld_facts_describe(const struct ld_list_facts *facts, struct ld_report *ret)
{
	time_t date = (time_t)facts->date_day * 86400;
	char names[32], day[32] = "", overlays[48] = "";
	struct tm tm;

	number_text(facts->entries, names);
	if (facts->date_day != 0 && gmtime_r(&date, &tm) != NULL)
		strftime(day, sizeof day, ", of %Y-%m-%d", &tm);
	if (facts->overlays != 0)
		snprintf(overlays, sizeof overlays, ", with %llu overlay%s",
			 (unsigned long long)facts->overlays, facts->overlays == 1 ? "" : "s");
	snprintf(ret->text, sizeof ret->text, "%s names in %llu categories, %.1f MB%s%s", names,
		 (unsigned long long)facts->categories, (double)facts->bytes / 1e6, day, overlays);
}
