/* lindung subscribe: lists of others by URL, fetched and looked at before they are used.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "arguments.h"
#include "home.h"
#include "process/subscription.h"
#include "show.h"

int subscribe_main(int argc, char **argv);

enum { ARENA_BYTES = 64 * 1024 * 1024 };

enum row {
	ROW_UPDATE,
	ROW_DIRECTORY,
	ROW_NOW,
	ROW_ACCEPT,
	ROW_STORE,
	ROW_CA_FILE,
	ROW_JSON,
	ROW_AT
};

static const struct ld_argument_row rows[] = {
	[ROW_UPDATE] = {"update", NULL, "fetch those that are due; otherwise only show them", 'u',
			false, false},
	[ROW_DIRECTORY] = {"directory", "DIR", "where lists and the manifest are kept; needed", 'd',
			   false, false},
	[ROW_NOW] = {"now", NULL, "all of them are due", '\0', false, false},
	[ROW_ACCEPT] = {"accept", "NAME", "take this one, however it grew or shrank", '\0', false,
			false},
	[ROW_STORE] = {"store", "WHERE", "a file, or postgresql://...; otherwise DIR/store.sqlite",
		       '\0', false, false},
	[ROW_CA_FILE] = {"ca-file", "FILE", "authorities for HTTPS; otherwise the system's", '\0',
			 false, false},
	[ROW_JSON] = {"json", NULL, "one JSON object a list", '\0', false, false},
	[ROW_AT] = {"at", "TIME", "the time to go by; otherwise now", '\0', false, false},
};

static const char head[] =
	"usage: lindung subscribe [--update] -d DIR [OPTION ...] FILE\n"
	"\n"
	"Keeps the lists that FILE names (formats/subscriptions.md) in DIR, and writes\n"
	"DIR/lists.yaml for \"lindung compile --manifest\".  What comes is looked at before it is\n"
	"used; the last good one stays until a better one is there, or it expires.\n"
	"\n";
static const char tail[] =
	"\nExit: 0 all are good, 1 it failed, 2 wrong usage, 3 some are not good: the "
	"table says why.\nSee lindung-host(1).\n";

static void
age_write(char *to, size_t size, int64_t then_s, int64_t now_s)
{
	int64_t age_s = now_s - then_s;

	if (then_s == 0)
		snprintf(to, size, "never");
	else if (age_s < 2 * 3600)
		snprintf(to, size, "%lld min", (long long)(age_s / 60));
	else if (age_s < 2 * 86400)
		snprintf(to, size, "%lld h", (long long)(age_s / 3600));
	else
		snprintf(to, size, "%lld d", (long long)(age_s / 86400));
}

static void
print_text(const struct ld_subscription *one, const struct ld_subscription_facts *f, int64_t now_s)
{
	char age[32];

	age_write(age, sizeof age, f->checked_s, now_s);
	printf("%-24s %-14s %12s  %-8s %-8s %s", one->name, one->category,
	       ld_show_number(f->entries).text, age, ld_subscription_state_key(f->state),
	       f->in_force ? "in force" : "not in force");
	if (f->why.text[0] != '\0') {
		fputs(": ", stdout);
		ld_show_text(stdout, ld_span_str(f->why.text));
	}
	putchar('\n');
}

static bool
print_json(const struct ld_subscription *one, const struct ld_subscription_facts *f)
{
	json_t *object = json_pack(
		"{s:s,s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:o}", "name", one->name, "url", one->url,
		"category", one->category, "state", ld_subscription_state_key(f->state), "in_force",
		f->in_force, "entries", (json_int_t)f->entries, "good", (json_int_t)f->good_s,
		"checked", (json_int_t)f->checked_s, "next", (json_int_t)f->next_s, "failures",
		(json_int_t)f->failures, "why", ld_show_json(ld_span_str(f->why.text)));

	return ld_show_object(stdout, object);
}

/* How many are not good; negative: an error. */
static int
show(struct ld_subscriber *x, const struct ld_subscription *all, unsigned count, int64_t now_s,
     bool json, struct ld_report *report)
{
	int bad = 0;

	for (unsigned i = 0; i < count; i++) {
		struct ld_subscription_facts facts;
		int err = ld_subscriber_facts(x, &all[i], now_s, &facts, report);

		if (err != LINDUNG_OK)
			return err;
		bad += facts.state != LD_SUBSCRIPTION_GOOD;
		if (!json)
			print_text(&all[i], &facts, now_s);
		else if (!print_json(&all[i], &facts))
			return ld_fail(report, LINDUNG_EIO, "standard output cannot be written");
	}
	return bad;
}

static int
accept_check(const char *accept, const struct ld_subscription *all, unsigned count,
	     struct ld_report *report)
{
	for (unsigned i = 0; i < count && accept != NULL; i++)
		if (strcmp(all[i].name, accept) == 0)
			return LINDUNG_OK;
	return accept == NULL ? LINDUNG_OK
			      : ld_fail(report, LINDUNG_EINVAL, "--accept: there is no list \"%s\"",
					accept);
}

static int
run(const struct ld_arguments *a, struct ld_arena *arena, struct ld_report *report)
{
	const struct ld_subscriber_options options = {
		.directory = ld_argument(a, ROW_DIRECTORY),
		.store = ld_argument(a, ROW_STORE),
		.ca_file = ld_argument(a, ROW_CA_FILE),
		.all_due = a->counts[ROW_NOW] != 0,
		.accept = ld_argument(a, ROW_ACCEPT),
	};
	bool updates = a->counts[ROW_UPDATE] != 0 || options.accept != NULL;
	const struct ld_subscription *all;
	struct ld_subscriber *x = NULL;
	unsigned count;
	int64_t now_s;
	int err;

	if (a->word_count != 1 || options.directory == NULL)
		return ld_fail(report, LINDUNG_EINVAL,
			       "expected -d DIR and the file that names the lists");
	err = ld_home_time(&now_s, ld_argument(a, ROW_AT), report);
	if (err == LINDUNG_OK)
		err = ld_subscriptions_load(&all, &count, a->words[0], arena, report);
	if (err == LINDUNG_OK)
		err = accept_check(options.accept, all, count, report);
	if (err == LINDUNG_OK)
		err = ld_subscriber_open(&x, &options, report);
	for (unsigned i = 0; updates && i < count && err == LINDUNG_OK; i++)
		err = ld_subscriber_update(x, &all[i], now_s, report);
	if (err == LINDUNG_OK && updates)
		err = ld_subscriber_manifest(x, all, count, now_s, report);
	if (err == LINDUNG_OK)
		err = show(x, all, count, now_s, a->counts[ROW_JSON] != 0, report);
	ld_subscriber_close(x);
	return err;
}

int
subscribe_main(int argc, char **argv)
{
	struct ld_arguments arguments;
	struct ld_report report = {{0}};
	struct ld_arena arena;
	int outcome, status;

	if (!ld_arguments_read(&arguments, rows, sizeof rows / sizeof rows[0], head, tail, argc,
			       argv, &status))
		return status;
	ld_arena_init(&arena, ARENA_BYTES);
	outcome = run(&arguments, &arena, &report);
	ld_arena_clear(&arena);
	if (outcome < 0) {
		fprintf(stderr, "lindung subscribe: %s\n", report.text);
		return outcome == LINDUNG_EINVAL ? 2 : 1;
	}
	if (!ld_show_end("lindung subscribe"))
		return 1;
	return outcome == 0 ? 0 : 3;
}
