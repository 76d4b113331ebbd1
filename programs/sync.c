/* lindung sync: keep up with a log, and write what follows from it as an image.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "process/follow.h"

#include "arguments.h"
#include "data.h"
#include "home.h"

int sync_main(int argc, char **argv);

enum {
	ARENA_BYTES = 64 * 1024 * 1024,
	WATCH_MAX_S = 86400,
};

enum {
	OPTION_POLICY,
	OPTION_STATE,
	OPTION_OUTPUT,
	OPTION_KEY,
	OPTION_CA,
	OPTION_WATCH,
	OPTION_AT,
	OPTION_JSON,
	OPTION_COUNT
};

static const struct ld_argument_row rows[OPTION_COUNT] = {
	[OPTION_POLICY] = {"policy", "FILE", "which log it is, and whom to believe", 'p', false,
			   false},
	[OPTION_STATE] = {"state", "DIR",
			  "where what was verified is kept; the next time only what is new "
			  "is fetched",
			  's', false, false},
	[OPTION_OUTPUT] = {"output", "IMAGE", "write the effective list there when it has changed",
			   'o', false, false},
	[OPTION_KEY] = {"key", "FILE", "secret age keys that open sealed statements", 'k', true,
			false},
	[OPTION_CA] = {"ca-file", "FILE",
		       "certificates to check the server with, in PEM; otherwise "
		       "the system's",
		       '\0', false, false},
	[OPTION_WATCH] = {"watch", "SECONDS", "look again so often, until it is ended", 'w', false,
			  false},
	[OPTION_AT] = {"at", "TIME", "the time to go by; otherwise now", '\0', false, false},
	[OPTION_JSON] = {"json", NULL, "tell what came of it as one JSON object a line", '\0',
			 false, false},
};

static const char head[] =
	"usage: lindung sync -p FILE -s DIR [OPTION ...] URL\n"
	"\n"
	"Fetches what is new in the log at URL, verifies it, and works out which entries are in\n"
	"effect by the policy.  The same log, policy, time and keys give the same image, octet "
	"for\n"
	"octet.  lindung serve does this by itself (follow.url).\n"
	"\n";

static const char tail[] = "\nExit: 0 done, 1 it failed and what was there stays, 2 wrong usage.\n"
			   "See lindung(1).\n";

/* What came of one look. */
static int
tell(const struct ld_arguments *arguments, const char *url, int err,
     const struct ld_follow_result *result, const struct ld_report *report)
{
	if (ld_argument(arguments, OPTION_JSON) != NULL) {
		json_t *line =
			json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:I, s:I}", "log", url,
				  "outcome", err == LINDUNG_OK ? "ok" : lindung_strerror(err),
				  "report", err == LINDUNG_OK ? "" : report->text, "statements",
				  (json_int_t)result->size, "new", (json_int_t)result->added,
				  "changed", (json_int_t)result->names, "checkpoint_time",
				  (json_int_t)result->checkpoint_s, "updated", (int)result->changed,
				  "requests", (json_int_t)result->requests, "bytes",
				  (json_int_t)result->bytes);

		if (line == NULL || json_dumpf(line, stdout, JSON_COMPACT) != 0)
			return LINDUNG_EIO;
		json_decref(line);
		putchar('\n');
	} else if (err == LINDUNG_OK) {
		printf("%s: %" PRIu64 " statements, %" PRIu64 " of them new; %" PRIu64
		       " entries changed\n",
		       url, result->size, result->added, result->names);
	}
	return fflush(stdout) == 0 ? err : LINDUNG_EIO;
}

static int
look(struct ld_follow *follow, const struct ld_arguments *arguments, const char *url,
     struct ld_follow_result *result, struct ld_report *report)
{
	const char *output = ld_argument(arguments, OPTION_OUTPUT);
	int64_t now_s;
	int err = ld_home_time(&now_s, ld_argument(arguments, OPTION_AT), report), wrote;

	*result = (struct ld_follow_result){.size = 0};
	if (err == LINDUNG_OK)
		err = ld_follow_step(follow, (time_t)now_s, result, report);
	if (output != NULL && result->changed) {
		struct ld_report why;

		wrote = ld_follow_export(follow, output, &why);
		if (err == LINDUNG_OK && wrote != LINDUNG_OK) {
			err = wrote;
			*report = why;
		}
	}
	return tell(arguments, url, err, result, report);
}

static void
pause_for(unsigned wait_s, const struct ld_follow_result *result)
{
	uint32_t random = 0;
	uint64_t wait_ms = (uint64_t)wait_s * 1000;
	struct timespec wait;

	if (result->retry_after_s > wait_s)
		wait_ms = (uint64_t)result->retry_after_s * 1000;
	if (getrandom(&random, sizeof random, 0) == sizeof random)
		wait_ms += wait_ms / 5 * random / UINT32_MAX;
	wait = (struct timespec){.tv_sec = (time_t)(wait_ms / 1000),
				 .tv_nsec = (long)(wait_ms % 1000) * 1000000};
	(void)nanosleep(&wait, NULL);
}

static int
run(const struct ld_arguments *arguments, struct ld_arena *arena, struct ld_report *report)
{
	const char *watch = ld_argument(arguments, OPTION_WATCH), *url = arguments->words[0];
	unsigned long wait_s = watch != NULL ? strtoul(watch, NULL, 10) : 0;
	struct ld_follow_config config = {
		.url = url,
		.policy = ld_argument(arguments, OPTION_POLICY),
		.popular = ld_data_path("popular.txt", arena),
		.keys = arguments->values[OPTION_KEY],
		.key_count = arguments->counts[OPTION_KEY],
		.state = ld_argument(arguments, OPTION_STATE),
		.ca_file = ld_argument(arguments, OPTION_CA),
	};
	struct ld_follow_result result;
	struct ld_follow *follow = NULL;
	int err;

	if (config.policy == NULL || config.state == NULL || !ld_home_is_url(url))
		return ld_fail(report, LINDUNG_EINVAL, "it takes -p FILE, -s DIR and a URL");
	if (watch != NULL && (wait_s == 0 || wait_s > WATCH_MAX_S))
		return ld_fail(report, LINDUNG_EINVAL, "--watch: expected 1 to %d seconds, got %s",
			       WATCH_MAX_S, watch);
	err = ld_data_protected_text(&config.protected, arena, report);
	if (err == LINDUNG_OK)
		err = ld_follow_open(&follow, &config, report);
	if (err == LINDUNG_OK)
		err = ld_follow_restore(follow, report);
	if (err == LINDUNG_OK)
		err = look(follow, arguments, url, &result, report);
	while (follow != NULL && watch != NULL) {
		if (err != LINDUNG_OK)
			fprintf(stderr, "lindung sync: %s\n", report->text);
		pause_for((unsigned)wait_s, &result);
		err = look(follow, arguments, url, &result, report);
	}
	ld_follow_free(follow);
	return err;
}

int
sync_main(int argc, char **argv)
{
	struct ld_report report = {{0}};
	struct ld_arguments arguments;
	struct ld_arena arena;
	int err, status;

	if (!ld_arguments_read(&arguments, rows, OPTION_COUNT, head, tail, argc, argv, &status))
		return status;
	if (arguments.word_count != 1) {
		fprintf(stderr, "lindung sync: expected one URL; see lindung sync --help\n");
		return LD_EXIT_USAGE;
	}
	ld_arena_init(&arena, ARENA_BYTES);
	err = run(&arguments, &arena, &report);
	ld_arena_clear(&arena);
	return ld_arguments_end("sync", err, &report);
}
