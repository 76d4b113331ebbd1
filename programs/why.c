/* lindung why: all that the log says of a name or URL.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "entries.h"
#include "list/canonical.h"
#include "name/idna.h"
#include "name/url.h"
#include "show.h"
#include "tell.h"

int why_main(int argc, char **argv);

enum { TEXT_MAX_BYTES = 64 * 1024 * 1024, CATEGORIES_MAX = 64 };

enum {
	OPTION_HOME,
	OPTION_LOG,
	OPTION_POLICY,
	OPTION_SEALED,
	OPTION_JSON,
	OPTION_AT,
	OPTION_COUNT
};

static const struct ld_argument_row rows[OPTION_COUNT] = {
	[OPTION_HOME] = {.name = "home",
			 .value = "DIR",
			 .help = "the home; otherwise $LINDUNG_HOME or ~/.config/lindung"},
	[OPTION_LOG] = {.name = "log",
			.value = "WHERE",
			.help = "its directory or URL; otherwise that of HOME"},
	[OPTION_POLICY] = {.name = "policy", .value = "FILE", .help = "otherwise HOME/policy"},
	[OPTION_SEALED] = {.name = "sealed",
			   .help = "open sealed statements with the keys of HOME, too"},
	[OPTION_JSON] = {.name = "json", .help = "one JSON object a line"},
	[OPTION_AT] = {.name = "at",
		       .value = "TIME",
		       .help = "as it was, or will be, then: 2026-11-22T07:00:00Z; otherwise now"},
};

static const char head[] = "usage: lindung why [OPTION ...] NAME|URL\n"
			   "\n"
			   "Tells who listed a website, when and on what ground, who endorsed or "
			   "disputed it, when it\n"
			   "ends, whether it is in effect, and what would change that.\n"
			   "\n";

static const char tail[] = "\nExit: 0 it was told, 1 it could not be, 2 wrong usage.  See "
			   "lindung-log(1).\n";

/* What a category comes to: the longest entry in effect decides. */
struct outcome {
	char category[33];
	size_t labels_len, path_len;
	bool is_closed;
};

struct why {
	struct ld_report report;
	struct ld_ledger ledger;
	struct ld_tale tale;
	struct ld_url url;
	struct ld_span host, path;
	bool json, is_protected;
	FILE *out; /* memory: the outcome is said first */
	char *text;
	size_t text_len;
	struct outcome outcomes[CATEGORIES_MAX];
	size_t outcome_count;
	uint64_t said_count;
	char takes[4096]; /* of the entry that is told */
};

/* ---- What the story tells ----------------------------------------------------------------------
 */

static void
outcome_note(struct why *x, const struct ld_effective *effective)
{
	const struct ld_entry *entry = &effective->entry;
	struct outcome *found = NULL;

	if (entry->action != LD_ACTION_BLOCK && entry->action != LD_ACTION_ALLOW)
		return;
	for (size_t i = 0; i < x->outcome_count; i++)
		if (ld_span_equal(ld_span_str(x->outcomes[i].category), entry->category))
			found = &x->outcomes[i];
	if (found == NULL && x->outcome_count < CATEGORIES_MAX &&
	    entry->category.len < sizeof found->category) {
		found = &x->outcomes[x->outcome_count++];
		memcpy(found->category, entry->category.data, entry->category.len);
	} else if (found == NULL || entry->host.len < found->labels_len ||
		   (entry->host.len == found->labels_len && entry->path.len < found->path_len)) {
		return;
	}
	found->labels_len = entry->host.len;
	found->path_len = entry->path.len;
	found->is_closed = entry->action == LD_ACTION_BLOCK;
}

static void
entry_text(struct ld_buffer *text, const struct ld_effective *effective)
{
	ld_buffer_init(text, LD_ENTRY_TEXT_MAX_BYTES);
	if (effective->is_sealed)
		ld_buffer_bytes(text, LD_SPAN("a sealed entry"));
	else
		ld_entry_write(text, &effective->entry);
}

static int
entry_json(struct why *x, const struct ld_story_entry *e, struct ld_span entry)
{
	json_t *object =
		json_pack("{s:o, s:o, s:s, s:b, s:o}", "entry", ld_show_json(entry), "category",
			  ld_show_json(e->effective.entry.category), "effect",
			  e->effective.entry.action == LD_ACTION_BLOCK   ? "block"
			  : e->effective.entry.action == LD_ACTION_ALLOW ? "allow"
									 : "none",
			  "sealed", e->effective.is_sealed, "takes", ld_show_json(e->takes));

	if (object != NULL && e->ends_s != INT64_MAX)
		json_object_set_new(object, "ends", json_string(ld_tell_day(e->ends_s).text));
	return ld_show_object(x->out, object) ? LINDUNG_OK : LINDUNG_ENOMEM;
}

/* What it takes, from the entry before: told behind its statements. */
static void
takes_flush(struct why *x)
{
	struct ld_span rest = ld_span_str(x->takes);

	while (rest.len != 0) {
		size_t end = ld_span_find(rest, '\n');

		fputs("  What decides: ", x->out);
		ld_show_text(x->out, ld_span_first(rest, end));
		putc('\n', x->out);
		rest = ld_span_from(rest, end + 1);
	}
	*x->takes = '\0';
}

static int
on_entry(void *ctx, const struct ld_story_entry *e)
{
	struct why *x = ctx;
	uint8_t action = e->effective.entry.action;
	struct ld_buffer entry;
	int err = LINDUNG_OK;

	entry_text(&entry, &e->effective);
	outcome_note(x, &e->effective);
	if (x->json) {
		err = entry_json(x, e, ld_buffer_span(&entry));
	} else {
		takes_flush(x);
		putc('\n', x->out);
		ld_show_text(x->out, ld_buffer_span(&entry));
		fputs(" in the category ", x->out);
		ld_show_text(x->out, e->effective.entry.category);
		fprintf(x->out, " is %s",
			action == LD_ACTION_BLOCK   ? "closed"
			: action == LD_ACTION_ALLOW ? "opened"
						    : "not in effect");
		if (action != LD_ACTION_REMOVE && e->ends_s != INT64_MAX)
			fprintf(x->out, ", until %s at least", ld_tell_day(e->ends_s).text);
		fputs(".\n", x->out);
		snprintf(x->takes, sizeof x->takes, "%.*s", (int)e->takes.len,
			 (const char *)e->takes.data);
	}
	ld_buffer_free(&entry);
	return err;
}

static int
on_said(void *ctx, const struct ld_story_said *said)
{
	struct why *x = ctx;
	int err = ld_tale_read(&x->tale, x->ledger.log, said->index, &x->report);

	if (err != LINDUNG_OK)
		return err;
	x->said_count++;
	if (x->json)
		return ld_show_object(x->out, ld_tell_json(said, &x->tale)) ? LINDUNG_OK
									    : LINDUNG_ENOMEM;
	ld_tell_said(x->out, x->ledger.quorum, said, &x->tale, 2);
	fputs("      ", x->out);
	ld_tell_standing(x->out, said);
	fputs(".\n", x->out);
	return LINDUNG_OK;
}

/* ---- The outcome, first -------------------------------------------------------------------------
 */

static bool
is_closed(const struct why *x)
{
	bool closed = false;

	for (size_t i = 0; i < x->outcome_count; i++)
		closed = closed || x->outcomes[i].is_closed;
	return closed && !x->is_protected;
}

static int
outcome_json(const struct why *x)
{
	json_t *closed = json_array();

	for (size_t i = 0; i < x->outcome_count; i++)
		if (x->outcomes[i].is_closed)
			json_array_append_new(closed, json_string(x->outcomes[i].category));
	return ld_show_object(stdout, json_pack("{s:o, s:b, s:b, s:o}", "name",
						ld_show_json(x->host), "closed", is_closed(x),
						"protected", x->is_protected, "categories", closed))
		       ? LINDUNG_OK
		       : LINDUNG_ENOMEM;
}

static void
outcome_print(const struct why *x)
{
	bool first = true;

	printf("%s: ", is_closed(x) ? "Closed" : "Open");
	ld_show_text(stdout, x->host);
	ld_show_text(stdout, x->path);
	for (size_t i = 0; i < x->outcome_count; i++) {
		if (!x->outcomes[i].is_closed)
			continue;
		printf("%s%s", first ? ", in " : ", ", x->outcomes[i].category);
		first = false;
	}
	if (x->is_protected)
		fputs(". It is protected: nothing that is said of it closes it", stdout);
	else if (x->said_count == 0)
		fputs(". The log says nothing of it", stdout);
	printf(".\nAs of %s, with %s statements in the log.\n", ld_tell_time(x->ledger.now_s).text,
	       ld_show_number(ld_quorum_size(x->ledger.quorum)).text);
}

/* ---- All of it
 * ------------------------------------------------------------------------------------ */

static int
asked_read(struct why *x, const char *asked)
{
	struct ld_span text = ld_span_str(asked);
	int err;

	if (strchr(asked, '/') == NULL) {
		err = ld_idna_to_host(x->url.host, &x->url.host_len, text);
	} else {
		err = ld_url_canonical(&x->url, text);
		if (err == LINDUNG_OK)
			x->path = ld_span(x->url.text, x->url.text_len);
	}
	x->host = ld_span(x->url.host, x->url.host_len);
	return err == LINDUNG_OK ? err
				 : ld_fail(&x->report, LINDUNG_EINVAL, "%s: %s", asked,
					   lindung_strerror(err));
}

static int
protection_check(struct why *x)
{
	const struct ld_entry self = {
		.action = LD_ACTION_BLOCK, .scope = LD_SCOPE_SELF, .host = x->host};
	struct ld_entries entries;
	int err = ld_entries_init(&entries, &x->report);

	if (err == LINDUNG_OK)
		x->is_protected =
			ld_admission_check(entries.admission, &self) == LD_REJECT_PROTECTED;
	ld_entries_free(&entries);
	return err;
}

static int
tell(struct why *x, bool sealed)
{
	const struct ld_story_teller teller = {.ctx = x, .entry = on_entry, .said = on_said};
	int err;

	x->out = open_memstream(&x->text, &x->text_len);
	if (x->out == NULL)
		return ld_fail(&x->report, LINDUNG_ENOMEM, "not enough memory");
	err = ld_story_why(x->ledger.quorum, x->host, x->path, sealed, &teller);
	if (!x->json)
		takes_flush(x);
	if (fclose(x->out) != 0 && err == LINDUNG_OK)
		err = LINDUNG_ENOMEM;
	if (err != LINDUNG_OK)
		return x->report.text[0] != '\0'
			       ? err
			       : ld_fail(&x->report, err, "%s", lindung_strerror(err));
	if (x->json)
		err = outcome_json(x);
	else
		outcome_print(x);
	fwrite(x->text, 1, x->text_len, stdout);
	return err;
}

static int
why(struct why *x, const struct ld_arguments *arguments)
{
	struct ld_ledger_options options = {.log = ld_argument(arguments, OPTION_LOG),
					    .policy = ld_argument(arguments, OPTION_POLICY),
					    .sealed =
						    ld_argument(arguments, OPTION_SEALED) != NULL};
	struct ld_home home;
	int err;

	if (arguments->word_count != 1)
		return ld_fail(&x->report, LINDUNG_EINVAL, "which website? Name one");
	err = asked_read(x, arguments->words[0]);
	if (err == LINDUNG_OK)
		err = ld_home_time(&options.now_s, ld_argument(arguments, OPTION_AT), &x->report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_home_find_for(&home, ld_argument(arguments, OPTION_HOME), options.log, &x->report);
	if (err != LINDUNG_OK)
		return err;
	err = protection_check(x);
	if (err == LINDUNG_OK)
		err = ld_ledger_policy(&x->ledger, &home, &options, &x->report);
	if (err == LINDUNG_OK)
		err = ld_ledger_read(&x->ledger, &home, &options, &x->report);
	if (err == LINDUNG_OK)
		err = tell(x, options.sealed);
	ld_ledger_close(&x->ledger);
	ld_home_free(&home);
	return err;
}

int
why_main(int argc, char **argv)
{
	struct why x = {.json = false};
	struct ld_arguments arguments;
	int err, status;

	if (!ld_arguments_read(&arguments, rows, OPTION_COUNT, head, tail, argc, argv, &status))
		return status;
	x.json = ld_argument(&arguments, OPTION_JSON) != NULL;
	ld_tale_init(&x.tale);
	err = why(&x, &arguments);
	ld_tale_free(&x.tale);
	free(x.text);
	return ld_arguments_end("why", err, &x.report);
}
