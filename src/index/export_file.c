/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/export_file.h"

#include <stdio.h>
#include <time.h>

#include "index/export.h"

/* ---- Entries of some categories, as they stand ---------------------------------------------- */

struct chosen {
	const struct lindung *list;
	uint64_t active;
	struct ld_list_source all;
};

static int
chosen_rewind(void *ctx)
{
	const struct chosen *c = ctx;

	return c->all.rewind(c->all.ctx);
}

static int
chosen_next(void *ctx, struct ld_entry *ret)
{
	const struct chosen *c = ctx;
	struct ld_entry entry;
	int err, number = -1;

	do {
		err = c->all.next(c->all.ctx, &entry);
		if (err != LINDUNG_OK)
			return err;
		number = lindung_category_find(c->list, (const char *)entry.category.data,
					       entry.category.len);
		/* One without a number is of every category. */
	} while (number >= 0 && (c->active >> number & 1) == 0);
	*ret = entry;
	return LINDUNG_OK;
}

/* The newest layer's day as "2026-11-22"; false: none has one. */
static bool
day_write(const struct lindung *list, char *text, size_t size)
{
	struct lindung_facts facts;
	uint32_t day = 0;
	struct tm tm;
	time_t at;

	for (unsigned i = 0; lindung_facts(list, i, &facts) == LINDUNG_OK; i++)
		day = facts.date_day > day ? facts.date_day : day;
	at = (time_t)day * 86400;
	return day != 0 && gmtime_r(&at, &tm) != NULL && strftime(text, size, "%Y-%m-%d", &tm) != 0;
}

int
ld_export_file(int fd, const struct lindung *list, const struct ld_export_file *file,
	       struct ld_export_outcome *ret, struct ld_report *report)
{
	bool effective = file->format != LD_LIST_LINDUNG;
	char title[LD_EXPORT_ORIGIN_MAX + 256], day[32];
	struct ld_write_options options = file->options;
	struct chosen chosen = {.list = list, .active = file->active};
	struct ld_export *export;
	struct ld_list_source source;
	int err = ld_export_new(&export, list, effective, file->active);

	if (err != LINDUNG_OK)
		return ld_fail(report, err, "%s", lindung_strerror(err));
	source = chosen.all = ld_export_source(export);
	if (!effective)
		source = (struct ld_list_source){&chosen, chosen_rewind, chosen_next};
	ret->sealed = options.sealed = ld_export_sealed(list);
	snprintf(title, sizeof title, "Lindung: %s%s%s",
		 file->titles != NULL ? file->titles : "all", file->origin != NULL ? "; " : "",
		 file->origin != NULL ? file->origin : "");
	if (options.date == NULL && day_write(list, day, sizeof day))
		options.date = day;
	if (options.title == NULL && file->titles != NULL)
		options.title = title;
	err = ld_list_write(fd, file->format, &source, &options, &ret->summary, report);
	ld_export_free(export);
	return err;
}
