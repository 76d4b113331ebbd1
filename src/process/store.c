/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int
image_read(const struct ld_store *store, const struct ld_files *in_force, struct ld_files *files,
	   struct ld_report *report)
{
	int err = LINDUNG_OK;

	if (in_force->count != 0 && ld_mark_equal(&store->read[0], &in_force->image)) {
		files->fds[0] = fcntl(in_force->fds[0], F_DUPFD_CLOEXEC, 0);
		if (files->fds[0] < 0)
			err = ld_fail(report, LINDUNG_EIO, "%s: too many open files",
				      store->paths[0]);
	} else {
		err = ld_snapshot_take(&files->fds[0], store->paths[0], report);
	}
	if (err != LINDUNG_OK)
		return err;
	files->image = store->read[0];
	files->count = 1;
	return LINDUNG_OK;
}

int
ld_store_read(struct ld_store *store, const struct ld_files *in_force, struct ld_files *ret,
	      struct ld_report *report)
{
	struct ld_files files = {.count = 0};
	int err;

	/* The marks first: what is replaced while it is read is read again. */
	for (unsigned i = 0; i < store->path_count; i++) {
		ld_mark_take(&store->read[i], store->paths[i]);
		store->seen[i] = store->read[i];
	}
	err = image_read(store, in_force, &files, report);
	for (unsigned i = 1; i < store->path_count && err == LINDUNG_OK; i++) {
		err = ld_snapshot_take(&files.fds[files.count], store->paths[i], report);
		if (err == LINDUNG_OK) {
			files.count++;
			files.present |= (uint64_t)1 << (i - 1);
		} else if (err == LINDUNG_ENOTFOUND) {
			err = LINDUNG_OK;
		}
	}
	if (err != LINDUNG_OK) {
		ld_files_close(&files);
		return err;
	}
	*ret = files;
	return LINDUNG_OK;
}

bool
ld_store_changed(struct ld_store *store)
{
	bool changed = false, moving = false;

	for (unsigned i = 0; i < store->path_count; i++) {
		struct ld_mark now;

		ld_mark_take(&now, store->paths[i]);
		changed |= !ld_mark_equal(&now, &store->read[i]);
		moving |= !ld_mark_equal(&now, &store->seen[i]);
		store->seen[i] = now;
	}
	return changed && !moving;
}

void
ld_files_close(struct ld_files *files)
{
	for (unsigned i = 0; i < files->count; i++)
		close(files->fds[i]);
	*files = (struct ld_files){.count = 0};
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
