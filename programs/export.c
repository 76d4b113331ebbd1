/* lindung export: what is in effect, as a file for another program.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "base/file.h"
#include "data.h"
#include "interrupt.h"
#include "ledger.h"
#include "name/psl.h"
#include "open.h"
#include "process/effective.h"
#include "show.h"
#include "written.h"

int export_main(int argc, char **argv);

enum {
	ARENA_BYTES = 64 * 1024 * 1024,
	MEMORY_BYTES = 256 * 1024 * 1024,
	STATE_MAX_BYTES = 64 * 1024,
	PATH_BYTES = 4096,
	DAY_S = 86400,
};

enum row {
	ROW_FORMAT,
	ROW_CATEGORY,
	ROW_OUTPUT,
	ROW_STATE,
	ROW_HOME,
	ROW_LOG,
	ROW_POLICY,
	ROW_AT,
	ROW_CUT,
	ROW_ORIGIN,
	ROW_SINK
};

static const struct ld_argument_row rows[] = {
	[ROW_FORMAT] = {"format", "FORMAT", "as lindung(1) lists them; needed", 'f', false, false},
	[ROW_CATEGORY] = {"category", "KEY", "what harm; several times; otherwise all", 'c', true,
			  false},
	[ROW_OUTPUT] = {"output", "FILE", "write it there; otherwise to standard output", 'o',
			false, false},
	[ROW_STATE] = {"state", "DIR", "what a follower of a log has in force", 's', false, false},
	[ROW_HOME] = {"home", "DIR", "otherwise $LINDUNG_HOME or ~/.config/lindung", '\0', false,
		      false},
	[ROW_LOG] = {"log", "WHERE", "the log's directory or URL; otherwise that of HOME", '\0',
		     false, false},
	[ROW_POLICY] = {"policy", "FILE", "otherwise HOME/policy", '\0', false, false},
	[ROW_AT] = {"at", "TIME", "the time to go by; otherwise now", '\0', false, false},
	[ROW_CUT] = {"cut", NULL, "write as many as the target takes; otherwise too many fail",
		     '\0', false, false},
	[ROW_ORIGIN] = {"rpz-origin", "NAME", "name of the zone; otherwise rpz.lindung.", '\0',
			false, false},
	[ROW_SINK] = {"sink", "ADDRESS", "of the format hosts; otherwise 0.0.0.0", '\0', false,
		      false},
};

static const char head[] =
	"usage: lindung export -f FORMAT [OPTION ...] [IMAGE [OVERLAY ...]]\n"
	"\n"
	"Writes what is in effect for programs that read other formats: from an image, from what "
	"a\n"
	"follower has in force (--state), or from a log, weighed by a policy.  The header says "
	"which\n"
	"log, and at which checkpoint.  Sealed entries are left out, and counted.\n"
	"\n";
static const char tail[] =
	"\nExit: 0 done, 1 it failed and nothing was written, 2 wrong usage.  See "
	"lindung-host(1).\n";

struct request {
	struct ld_arguments arguments;
	struct ld_arena arena;
	struct ld_report report;
	struct ld_home home;
	struct ld_psl *suffixes;
	struct lindung *list;
	struct ld_export_file file;
	char origin[LD_EFFECTIVE_ORIGIN_MAX], titles[1024];
	char temporary[PATH_BYTES]; /* an image that is made for this; "": none */
};

/* ---- Where the list comes from -------------------------------------------------------------- */

/* The value of the line of `text` that begins with "KEY "; empty: there is none. */
static struct ld_span
line_value(struct ld_span text, const char *key)
{
	struct ld_span begin = ld_span_str(key);

	while (text.len > 0) {
		struct ld_span line = ld_span_first(text, ld_span_find(text, '\n'));

		if (ld_span_starts(line, begin))
			return ld_span_from(line, begin.len);
		text = ld_span_from(text, line.len + 1);
	}
	return (struct ld_span){NULL, 0};
}

/* "NAME HASH" of an image in the state's directory. */
static const char *
image_path(struct request *r, const char *directory, struct ld_span value)
{
	struct ld_span name = ld_span_first(value, ld_span_find(value, ' '));
	char path[PATH_BYTES];
	int len = snprintf(path, sizeof path, "%s/%.*s", directory, (int)name.len,
			   (const char *)name.data);

	if (name.len == 0 || ld_span_has_any(name, "/") || len >= (int)sizeof path)
		return NULL;
	return (const char *)ld_arena_copy(&r->arena, ld_span(path, (size_t)len)).data;
}

/* What a follower has in force (process/follow.h). */
static int
state_open(struct request *r, const char *directory)
{
	static const char marker[] = "\ncheckpoint\n";
	struct ld_files files = {0};
	const uint8_t *checkpoint;
	struct ld_span text, overlay;
	char path[PATH_BYTES];
	uint8_t *data;
	size_t len;
	int err;

	snprintf(path, sizeof path, "%s/state", directory);
	err = ld_read_file(path, STATE_MAX_BYTES, &data, &len, &r->report);
	if (err != LINDUNG_OK)
		return err;
	checkpoint = memmem(data, len, marker, sizeof marker - 1);
	if (!ld_span_starts(ld_span(data, len), LD_SPAN("lindung follow 1\n")) ||
	    checkpoint == NULL) {
		free(data);
		return ld_fail(&r->report, LINDUNG_EFORMAT, "%s: not the state of a follower",
			       path);
	}
	text = ld_span(data, (size_t)(checkpoint - data));
	files.paths[0] = image_path(r, directory, line_value(text, "base "));
	overlay = line_value(text, "overlay ");
	checkpoint += sizeof marker - 1;
	ld_effective_origin(r->origin, ld_span(checkpoint, len - (size_t)(checkpoint - data)));
	if (files.paths[0] == NULL)
		err = ld_fail(&r->report, LINDUNG_ENOTFOUND, "%s: there is no list in force yet",
			      directory);
	if (err == LINDUNG_OK && overlay.len != 0)
		err = ld_files_overlay(&files, image_path(r, directory, overlay), &r->report);
	if (err == LINDUNG_OK)
		err = ld_files_open(&r->list, &files, 0, &r->report);
	free(data);
	return err;
}

static int
compile_options(struct request *r, struct ld_compile_options *ret, int64_t now_s)
{
	const char *path = ld_data_path("protected.yaml", &r->arena), *folder = getenv("TMPDIR");
	const char *categories = ld_data_path("categories.yaml", &r->arena);
	int err;

	*ret = (struct ld_compile_options){
		.memory_bytes = MEMORY_BYTES,
		.threads = 1,
		.directory = folder != NULL ? folder : "/tmp",
		.date_day = (uint32_t)(now_s / DAY_S),
	};
	if (path == NULL)
		return ld_fail(&r->report, LINDUNG_EIO,
			       "protected.yaml, the names that nothing may close, is not found: "
			       "set LINDUNG_DATA to its folder");
	err = ld_data_protected(&ret->protects, &ret->protect_count, path, &r->arena, &r->report);
	if (err == LINDUNG_OK && categories != NULL)
		err = ld_data_locked(&ret->locked, &ret->locked_count, categories, &r->arena,
				     &r->report);
	if (err == LINDUNG_OK)
		err = ld_psl_open(&r->suffixes, NULL, &r->report);
	ret->suffixes = r->suffixes;
	return err;
}

/* All of a log, weighed anew. */
static int
log_open(struct request *r)
{
	struct ld_ledger_options reading = {
		.log = ld_argument(&r->arguments, ROW_LOG),
		.policy = ld_argument(&r->arguments, ROW_POLICY),
	};
	struct ld_ledger ledger = {0};
	struct ld_compile_options options;
	struct ld_files files = {0};
	int fd, err = ld_home_find_for(&r->home, ld_argument(&r->arguments, ROW_HOME), reading.log,
				       &r->report);

	if (err == LINDUNG_OK)
		err = ld_home_time(&reading.now_s, ld_argument(&r->arguments, ROW_AT), &r->report);
	if (err == LINDUNG_OK)
		err = compile_options(r, &options, reading.now_s);
	if (err == LINDUNG_OK)
		err = ld_ledger_policy(&ledger, &r->home, &reading, &r->report);
	if (err == LINDUNG_OK)
		err = ld_ledger_read(&ledger, &r->home, &reading, &r->report);
	if (err == LINDUNG_OK) {
		snprintf(r->temporary, sizeof r->temporary, "%s/lindung-export-XXXXXX",
			 options.directory);
		fd = mkstemp(r->temporary);
		if (fd < 0)
			err = ld_fail(&r->report, LINDUNG_EIO, "%s: %s", r->temporary,
				      strerror(errno));
		else
			close(fd);
	}
	if (err == LINDUNG_OK) {
		ld_effective_origin(r->origin, ld_log_checkpoint(ledger.log));
		err = ld_effective_compile(ledger.quorum, &options, NULL, NULL, r->temporary,
					   &r->report);
	}
	files.paths[0] = r->temporary;
	if (err == LINDUNG_OK)
		err = ld_files_open(&r->list, &files, 0, &r->report);
	ld_ledger_close(&ledger);
	return err;
}

static int
list_open(struct request *r)
{
	const char *state = ld_argument(&r->arguments, ROW_STATE);
	struct ld_files files = {0};
	int err = LINDUNG_OK;

	if (state != NULL && r->arguments.word_count != 0)
		return ld_fail(&r->report, LINDUNG_EINVAL, "an image, or --state: not both");
	if (state != NULL)
		return state_open(r, state);
	if (r->arguments.word_count == 0)
		return log_open(r);
	files.paths[0] = r->arguments.words[0];
	for (int i = 1; i < r->arguments.word_count && err == LINDUNG_OK; i++)
		err = ld_files_overlay(&files, r->arguments.words[i], &r->report);
	return err == LINDUNG_OK ? ld_files_open(&r->list, &files, 0, &r->report) : err;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static int
categories_choose(struct request *r)
{
	unsigned count = r->arguments.counts[ROW_CATEGORY];
	size_t len = 0;

	if (count == 0) {
		snprintf(r->titles, sizeof r->titles, "all categories");
		return ld_categories_read(&r->file.active, r->list, NULL, &r->report);
	}
	for (unsigned i = 0; i < count && len < sizeof r->titles; i++)
		len += (size_t)snprintf(r->titles + len, sizeof r->titles - len, "%s%s",
					i != 0 ? "," : "", r->arguments.values[ROW_CATEGORY][i]);
	return len < sizeof r->titles
		       ? ld_categories_read(&r->file.active, r->list, r->titles, &r->report)
		       : ld_fail(&r->report, LINDUNG_ELIMIT, "--category: too many");
}

static int
format_choose(struct request *r)
{
	const char *key = ld_argument(&r->arguments, ROW_FORMAT);
	int format = key != NULL ? ld_list_format_find(key) : -1;

	if (key == NULL)
		return ld_fail(&r->report, LINDUNG_EINVAL, "in which format? Give --format");
	if (format < 0 || !ld_list_format_is_written((enum ld_list_format)format))
		return ld_fail(&r->report, LINDUNG_EINVAL,
			       "--format: no list is written in the format %s; see lindung(1)",
			       key);
	r->file.format = (enum ld_list_format)format;
	return LINDUNG_OK;
}

static int
list_write(struct request *r)
{
	struct ld_number date = ld_show_day(ld_list_day(r->list));
	const char *output = ld_argument(&r->arguments, ROW_OUTPUT);
	struct ld_replace out = {.fd = -1};
	struct ld_export_outcome outcome;
	int err = LINDUNG_OK;

	r->file.titles = r->titles;
	r->file.origin = r->origin[0] != '\0' ? r->origin : NULL;
	r->file.options.rpz_serial = ld_written_serial(date.text);
	r->file.options.rpz_origin = ld_argument(&r->arguments, ROW_ORIGIN);
	r->file.options.sink_address = ld_argument(&r->arguments, ROW_SINK);
	r->file.options.cut = r->arguments.counts[ROW_CUT] != 0;
	if (output != NULL) {
		err = ld_interrupt_guard(output, &r->report);
		if (err == LINDUNG_OK)
			err = ld_replace_begin(&out, output, &r->report);
	}
	if (err == LINDUNG_OK)
		err = ld_export_file(output != NULL ? out.fd : STDOUT_FILENO, r->list, &r->file,
				     &outcome, &r->report);
	if (err == LINDUNG_OK && output != NULL)
		err = ld_replace_commit(&out, &r->report);
	ld_replace_abandon(&out);
	if (err == LINDUNG_OK)
		err = ld_written_tell(&outcome, r->file.format, output, &r->report);
	return err;
}

int
export_main(int argc, char **argv)
{
	struct request r = {.file = {.origin = NULL}};
	int err, status;

	if (!ld_arguments_read(&r.arguments, rows, sizeof rows / sizeof rows[0], head, tail, argc,
			       argv, &status))
		return status;
	ld_arena_init(&r.arena, ARENA_BYTES);
	err = format_choose(&r);
	if (err == LINDUNG_OK)
		err = list_open(&r);
	if (err == LINDUNG_OK)
		err = categories_choose(&r);
	if (err == LINDUNG_OK)
		err = list_write(&r);
	if (r.temporary[0] != '\0')
		unlink(r.temporary);
	lindung_close(r.list);
	ld_psl_close(r.suffixes);
	ld_home_free(&r.home);
	ld_arena_clear(&r.arena);
	return ld_arguments_end("export", err, &r.report);
}
