/* SPDX-License-Identifier: BSD-2-Clause */
#include "written.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "show.h"

enum { TEXT_MAX_BYTES = 4096 };

static void
summary_write(struct ld_buffer *out, const struct ld_export_outcome *outcome, const char *format)
{
	const struct ld_write_summary *s = &outcome->summary;
	const struct {
		uint64_t count;
		const char *what;
	} rows[] = {
		{s->no_url, "parts of sites by URL, left out"},
		{s->no_self, "names without their subdomains, left out"},
		{s->no_below, "subdomains without the name itself, left out"},
		{s->no_tree, "domains with their subdomains, left out"},
		{s->no_allow, "exceptions, left out"},
		{s->no_rewrite, "rewrites, left out"},
		{s->past_limit, "past what the target takes, left out"},
		{s->no_important, "written, but not as important"},
		{s->between, "records added for names between two listed ones"},
		{outcome->sealed, "sealed, left out"},
	};

	ld_buffer_printf(out, "%s: %s of %s entries written\n", format,
			 ld_show_number(s->written).text, ld_show_number(s->read).text);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].count != 0)
			ld_buffer_printf(out, "%12s  %s\n", ld_show_number(rows[i].count).text,
					 rows[i].what);
}

/* Formats that have no place for a comment. */
static bool
needs_note(enum ld_list_format format)
{
	return format == LD_LIST_CHROMIUM || format == LD_LIST_FIREFOX || format == LD_LIST_APPLE;
}

static int
note_write(const char *output, enum ld_list_format format, struct ld_span summary,
	   struct ld_report *report)
{
	struct ld_replace file = {.fd = -1};
	char *path;
	int err;

	if (asprintf(&path, "%s.note.txt", output) < 0)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	err = ld_replace_begin(&file, path, report);
	if (err == LINDUNG_OK) {
		const char *limits = ld_list_format_limits(format);

		err = ld_write_all(file.fd, summary.data, summary.len);
		if (err == LINDUNG_OK)
			err = ld_write_all(file.fd, limits, strlen(limits));
		if (err == LINDUNG_OK)
			err = ld_write_all(file.fd, "\n", 1);
		if (err != LINDUNG_OK)
			ld_fail(report, err, "%s: cannot be written: %s", path, strerror(errno));
	}
	if (err == LINDUNG_OK)
		err = ld_replace_commit(&file, report);
	ld_replace_abandon(&file);
	free(path);
	return err;
}

int
ld_written_tell(const struct ld_export_outcome *outcome, enum ld_list_format format,
		const char *output, struct ld_report *report)
{
	struct ld_buffer text;
	int err = LINDUNG_OK;

	ld_buffer_init(&text, TEXT_MAX_BYTES);
	summary_write(&text, outcome, ld_list_format_key(format));
	if (format != LD_LIST_LINDUNG && !text.failed)
		fwrite(text.data, 1, text.len, stderr);
	if (output != NULL && needs_note(format))
		err = note_write(output, format, ld_buffer_span(&text), report);
	ld_buffer_free(&text);
	return err;
}

uint32_t
ld_written_serial(const char *date)
{
	unsigned year, month, day;

	if (sscanf(date, "%4u-%2u-%2u", &year, &month, &day) != 3 || year > 4293)
		return 1;
	return ((year * 100 + month) * 100 + day) * 100;
}
