/* lindung recheck: which listed names still exist.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "conf/conf.h"
#include "home.h"
#include "open.h"
#include "process/asker.h"
#include "process/recheck.h"
#include "show.h"

int recheck_main(int argc, char **argv);

enum {
	ARENA_BYTES = 16 * 1024 * 1024,
	RATE = 20,
	MOST = 10000,
	TIMES = 3,
	DAYS = 7,
	DAY_S = 86400,
	TIMEOUT_MS = 5000
};

enum row {
	ROW_STORE,
	ROW_OUTPUT,
	ROW_CONFIG,
	ROW_SERVER,
	ROW_RATE,
	ROW_MOST,
	ROW_TIMES,
	ROW_DAYS,
	ROW_JSON,
	ROW_AT
};

static const struct ld_argument_row rows[] = {
	[ROW_STORE] = {"store", "WHERE", "what is remembered: a file, or postgresql://...; needed",
		       's', false, false},
	[ROW_OUTPUT] = {"output", "FILE", "write the dormant names there, as changes to a list",
			'o', false, false},
	[ROW_CONFIG] = {"config", "FILE", "ask as this configuration of lindung serve does", 'c',
			false, false},
	[ROW_SERVER] = {"server", "SERVER",
			"ask this one, as upstream.servers has it; several times", '\0', true,
			false},
	[ROW_RATE] = {"rate", "N", "questions a second; otherwise 20", '\0', false, false},
	[ROW_MOST] = {"most", "N", "names of one run; otherwise 10000", '\0', false, false},
	[ROW_TIMES] = {"times", "N", "so often gone: dormant; otherwise 3 ...", '\0', false, false},
	[ROW_DAYS] = {"days", "N", "... over so many days; otherwise 7", '\0', false, false},
	[ROW_JSON] = {"json", NULL, "the summary as JSON", '\0', false, false},
	[ROW_AT] = {"at", "TIME", "the time to go by; otherwise now", '\0', false, false},
};

static const char head[] =
	"usage: lindung recheck -s STORE -o FILE [OPTION ...] IMAGE [OVERLAY ...]\n"
	"\n"
	"Asks for names that the image closes, some at a time and slowly.  One that does not "
	"exist,\n"
	"again and again over days, becomes dormant; it is asked for on, and comes back when it\n"
	"answers.  \"lindung compile --overlay -o dormant.image FILE\" makes an overlay of them.\n"
	"\n";
static const char tail[] = "\nExit: 0 done, 1 it failed, 2 wrong usage.  See lindung-host(1).\n";

static int
number_read(unsigned *ret, const struct ld_arguments *a, enum row row, unsigned least,
	    unsigned most, struct ld_report *report)
{
	const char *text = ld_argument(a, row);
	unsigned long n;
	char *end;

	if (text == NULL)
		return LINDUNG_OK;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || n < least || n > most)
		return ld_fail(report, LINDUNG_EINVAL, "--%s: expected %u to %u, not %s",
			       rows[row].name, least, most, text);
	*ret = (unsigned)n;
	return LINDUNG_OK;
}

static int
upstream_read(struct ld_upstream_config *ret, const struct ld_arguments *a, struct ld_conf *conf,
	      struct ld_arena *arena, struct ld_report *report)
{
	const char *path = ld_argument(a, ROW_CONFIG);
	int err;

	if (a->counts[ROW_SERVER] != 0) {
		*ret = (struct ld_upstream_config){.forward = true,
						   .servers = a->values[ROW_SERVER],
						   .server_count = a->counts[ROW_SERVER],
						   .timeout_ms = TIMEOUT_MS};
		return a->counts[ROW_SERVER] <= LD_UPSTREAM_SERVERS_MAX
			       ? LINDUNG_OK
			       : ld_fail(report, LINDUNG_ELIMIT, "--server: at most %d",
					 LD_UPSTREAM_SERVERS_MAX);
	}
	err = ld_conf_load(conf, path, arena, report);
	if (err != LINDUNG_OK)
		return err;
	*ret = ld_asker_config(conf);
	return LINDUNG_OK;
}

static int
options_read(struct ld_recheck_options *ret, const struct ld_arguments *a, struct ld_report *report)
{
	unsigned days = DAYS;
	int err;

	*ret = (struct ld_recheck_options){
		.store = ld_argument(a, ROW_STORE), .rate = RATE, .most = MOST, .times = TIMES};
	if (ret->store == NULL || a->word_count == 0)
		return ld_fail(report, LINDUNG_EINVAL, "expected -s STORE and an image");
	err = number_read(&ret->rate, a, ROW_RATE, 1, LD_RECHECK_RATE_MAX, report);
	if (err == LINDUNG_OK)
		err = number_read(&ret->most, a, ROW_MOST, 1, LD_RECHECK_DUE_MAX, report);
	if (err == LINDUNG_OK)
		err = number_read(&ret->times, a, ROW_TIMES, 2, 100, report);
	if (err == LINDUNG_OK)
		err = number_read(&days, a, ROW_DAYS, 1, 365, report);
	ret->after_s = (int64_t)days * DAY_S;
	return err;
}

static int
outcome_print(const struct ld_recheck_outcome *o, bool json, struct ld_report *report)
{
	if (json) {
		json_t *object = json_pack(
			"{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "names", (json_int_t)o->names,
			"asked", (json_int_t)o->asked, "alive", (json_int_t)o->alive, "gone",
			(json_int_t)o->gone, "unanswered", (json_int_t)o->unanswered, "slept",
			(json_int_t)o->slept, "woke", (json_int_t)o->woke, "dormant",
			(json_int_t)o->dormant, "due", (json_int_t)o->due);

		return ld_show_object(stdout, object)
			       ? LINDUNG_OK
			       : ld_fail(report, LINDUNG_EIO, "standard output cannot be written");
	}
	printf("%s of %s names asked for: %s exist, %s do not, %s were not answered\n",
	       ld_show_number(o->asked).text, ld_show_number(o->names).text,
	       ld_show_number(o->alive).text, ld_show_number(o->gone).text,
	       ld_show_number(o->unanswered).text);
	printf("%s became dormant, %s came back: %s are dormant; %s are due\n",
	       ld_show_number(o->slept).text, ld_show_number(o->woke).text,
	       ld_show_number(o->dormant).text, ld_show_number(o->due).text);
	return LINDUNG_OK;
}

static int
run(const struct ld_arguments *a, struct ld_arena *arena, struct ld_report *report)
{
	const char *output = ld_argument(a, ROW_OUTPUT);
	struct ld_recheck_outcome outcome;
	struct ld_recheck_options options;
	struct ld_recheck *recheck = NULL;
	struct ld_files files = {0};
	struct lindung *list = NULL;
	struct ld_conf conf;
	int64_t now_s;
	int err = options_read(&options, a, report);

	if (err == LINDUNG_OK)
		err = ld_home_time(&now_s, ld_argument(a, ROW_AT), report);
	if (err == LINDUNG_OK)
		err = upstream_read(&options.upstream, a, &conf, arena, report);
	files.paths[0] = a->word_count != 0 ? a->words[0] : NULL;
	for (int i = 1; i < a->word_count && err == LINDUNG_OK; i++)
		err = ld_files_overlay(&files, a->words[i], report);
	if (err == LINDUNG_OK)
		err = ld_files_open(&list, &files, 0, report);
	if (err == LINDUNG_OK)
		err = ld_recheck_open(&recheck, &options, report);
	if (err == LINDUNG_OK)
		err = ld_recheck_names(recheck, list, report);
	if (err == LINDUNG_OK)
		err = ld_recheck_run(recheck, now_s, &outcome, report);
	if (err == LINDUNG_OK && output != NULL)
		err = ld_recheck_write(recheck, output, report);
	if (err == LINDUNG_OK)
		err = outcome_print(&outcome, a->counts[ROW_JSON] != 0, report);
	ld_recheck_close(recheck);
	lindung_close(list);
	return err;
}

int
recheck_main(int argc, char **argv)
{
	struct ld_arguments arguments;
	struct ld_report report = {{0}};
	struct ld_arena arena;
	int err, status;

	if (!ld_arguments_read(&arguments, rows, sizeof rows / sizeof rows[0], head, tail, argc,
			       argv, &status))
		return status;
	ld_arena_init(&arena, ARENA_BYTES);
	err = run(&arguments, &arena, &report);
	ld_arena_clear(&arena);
	return ld_arguments_end("recheck", err, &report);
}
