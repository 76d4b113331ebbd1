/* SPDX-License-Identifier: BSD-2-Clause */
#include "open.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
ld_files_overlay(struct ld_files *files, const char *path, struct ld_report *report)
{
	if (files->overlays == LINDUNG_OVERLAY_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "more than %d overlays",
			       LINDUNG_OVERLAY_MAX);
	files->paths[++files->overlays] = path;
	return LINDUNG_OK;
}

static int
open_fail(struct ld_report *report, int err, const char *path)
{
	if (err == LINDUNG_EIO)
		return ld_fail(report, err, "%s: %s", path, strerror(errno));
	if (err == LINDUNG_EFORMAT)
		return ld_fail(report, err,
			       "%s: this is not an image: \"lindung compile\" makes one of lists",
			       path);
	return ld_fail(report, err, "%s: %s", path, lindung_strerror(err));
}

int
ld_files_open(struct lindung **ret, const struct ld_files *files, unsigned flags,
	      struct ld_report *report)
{
	struct lindung *list;
	int err = lindung_open(&list, files->paths[0], flags);

	if (err != LINDUNG_OK)
		return open_fail(report, err, files->paths[0]);
	for (unsigned i = 1; i <= files->overlays; i++) {
		err = lindung_overlay(list, files->paths[i], flags);
		if (err != LINDUNG_OK) {
			open_fail(report, err, files->paths[i]);
			lindung_close(list);
			return err;
		}
	}
	*ret = list;
	return LINDUNG_OK;
}

static int
category_fail(const struct lindung *list, const char *key, size_t len, struct ld_report *report)
{
	struct ld_report has = {{0}};
	size_t at = 0;

	for (unsigned i = 0; i < lindung_category_count(list) && at < sizeof has.text; i++) {
		struct lindung_text text = lindung_category_key(list, i);

		at += (size_t)snprintf(has.text + at, sizeof has.text - at, "%s%.*s",
				       i != 0 ? ", " : "", (int)text.len, text.data);
	}
	return ld_fail(report, LINDUNG_ENOTFOUND, "the list has no category \"%.*s\"; it has: %s",
		       (int)len, key, has.text);
}

int
ld_categories_read(uint64_t *ret, const struct lindung *list, const char *keys,
		   struct ld_report *report)
{
	uint64_t set = keys == NULL ? LINDUNG_ALL : 0;

	while (keys != NULL) {
		size_t len = strcspn(keys, ",");
		int number = lindung_category_find(list, keys, len);

		if (number < 0)
			return category_fail(list, keys, len, report);
		set |= UINT64_C(1) << number;
		keys = keys[len] == ',' ? keys + len + 1 : NULL;
	}
	*ret = set;
	return LINDUNG_OK;
}

uint32_t
ld_list_day(const struct lindung *list)
{
	struct lindung_facts facts;
	uint32_t day = 0;

	for (unsigned i = 0; lindung_facts(list, i, &facts) == LINDUNG_OK; i++)
		if (facts.date_day > day)
			day = facts.date_day;
	return day;
}
