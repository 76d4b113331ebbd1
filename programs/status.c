/* lindung status: how a log is, and what waits.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "show.h"
#include "tell.h"

int status_main(int argc, char **argv);

enum { DAYS_DEFAULT = 30, DAY_S = 86400 };

enum { OPTION_HOME, OPTION_POLICY, OPTION_DAYS, OPTION_JSON, OPTION_AT, OPTION_COUNT };

static const struct ld_argument_row rows[OPTION_COUNT] = {
	[OPTION_HOME] = {.name = "home",
			 .value = "DIR",
			 .help = "the home; otherwise $LINDUNG_HOME or ~/.config/lindung"},
	[OPTION_POLICY] = {.name = "policy", .value = "FILE", .help = "otherwise HOME/policy"},
	[OPTION_DAYS] = {.name = "days", .value = "N", .help = "how soon is soon; otherwise 30"},
	[OPTION_JSON] = {.name = "json", .help = "print it as one JSON object"},
	[OPTION_AT] = {.name = "at",
		       .value = "TIME",
		       .help = "the time to go by, as 2026-11-22T07:00:00Z; otherwise now"},
};

static const char head[] =
	"usage: lindung status [OPTION ...] [WHERE]\n"
	"\n"
	"Says how the log is: its checkpoint, witnesses and age; who takes part; what waits for\n"
	"whose agreement; disputes and appeals with their clocks; what expires soon.  WHERE is "
	"its\n"
	"directory or URL; otherwise that of HOME.\n"
	"\n";

static const char tail[] = "\nExit: 0 it was told, 1 the log is not sound or cannot be read, 2 "
			   "wrong usage.  See lindung-log(1).\n";

/* ---- Parties
 * --------------------------------------------------------------------------------------- */

static const char *
party_state(const struct ld_story_party *party)
{
	return party->is_valid ? "takes part" : party->is_revoked ? "ended" : "expired";
}

static json_t *
party_json(const struct ld_story_party *party)
{
	char key[LD_KEY_TEXT_MAX];

	ld_verifier_format(party->key, key);
	return json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "party",
			 ld_show_json(party->id), "name", ld_show_json(party->name), "kind",
			 ld_party_kind_key(party->kind), "country", party->country, "state",
			 party_state(party), "since", ld_tell_day(party->since_s).text, "until",
			 ld_tell_day(party->until_s).text, "key", key, "number",
			 (json_int_t)party->added);
}

static int
party_json_print(void *ctx, const struct ld_story_party *party)
{
	(void)ctx;
	return ld_show_object(stdout, party_json(party)) ? LINDUNG_OK : LINDUNG_ENOMEM;
}

static int
party_print(void *ctx, const struct ld_story_party *party)
{
	unsigned *count = ctx;

	++*count;
	fputs("  ", stdout);
	ld_show_text(stdout, party->id);
	fputs(" (", stdout);
	ld_show_text(stdout, party->name);
	printf(", %s, %s) %s, since %s, until %s\n", ld_party_kind_key(party->kind), party->country,
	       party_state(party), ld_tell_day(party->since_s).text,
	       ld_tell_day(party->until_s).text);
	return LINDUNG_OK;
}

int
ld_status_parties(const struct ld_ledger *ledger, bool json, struct ld_report *report)
{
	unsigned count = 0;
	int err = ld_story_parties(ledger->quorum, json ? party_json_print : party_print, &count);

	if (count == 0 && !json)
		puts("  nobody yet");
	return err == LINDUNG_OK ? err : ld_fail(report, err, "%s", lindung_strerror(err));
}

/* ---- What waits, what ends
 * -------------------------------------------------------------------------- */

struct status {
	struct ld_report report;
	struct ld_ledger ledger;
	struct ld_tale tale;
	int64_t soon_s; /* what ends before ends soon */
	bool json;
	json_t *waiting, *disputes, *expiring, *parties; /* arrays */
	unsigned shown;                                  /* under the heading of now */
	bool (*wanted)(const struct status *x, const struct ld_story_said *said);
	json_t *array;
};

static bool
is_waiting(const struct status *x, const struct ld_story_said *said)
{
	uint64_t in_effect = 0, entries = 0;

	if (said->standing != LD_STANDING_COUNTS ||
	    (said->action != LD_STATEMENT_LIST && said->action != LD_STATEMENT_ALLOW))
		return false;
	ld_story_effect(x->ledger.quorum, said->index, &in_effect, &entries);
	return in_effect < entries;
}

static bool
is_disputing(const struct status *x, const struct ld_story_said *said)
{
	(void)x;
	return (said->action == LD_STATEMENT_DISPUTE || said->action == LD_STATEMENT_APPEAL) &&
	       (said->standing == LD_STANDING_PENDING || said->standing == LD_STANDING_SHOWN ||
		said->standing == LD_STANDING_OVERDUE);
}

static bool
is_ending(const struct status *x, const struct ld_story_said *said)
{
	return said->standing == LD_STANDING_COUNTS && said->until_s < x->soon_s;
}

static void
said_print(struct status *x, const struct ld_story_said *said)
{
	uint64_t in_effect = 0, entries = 0;

	ld_tell_said(stdout, x->ledger.quorum, said, &x->tale, 2);
	if (x->wanted == is_waiting) {
		struct ld_missing missing;
		struct ld_buffer block;

		ld_story_effect(x->ledger.quorum, said->index, &in_effect, &entries);
		printf("      In effect: %s of %s\n", ld_show_number(in_effect).text,
		       ld_show_number(entries).text);
		ld_buffer_init(&block, LD_BLOCK_STORED_MAX_BYTES);
		if (x->tale.statement.entries == LD_ENTRIES_BLOCK)
			(void)ld_log_get_block(x->ledger.log, x->tale.statement.block_hash, &block,
					       NULL);
		if (ld_missing_find(&missing, x->ledger.quorum, &x->tale.statement,
				    ld_buffer_span(&block)))
			ld_missing_print(&missing, 6);
		ld_buffer_free(&block);
		return;
	}
	fputs("      ", stdout);
	ld_tell_standing(stdout, said);
	fputs(".\n", stdout);
}

static int
said_look(void *ctx, const struct ld_story_said *said)
{
	struct status *x = ctx;
	uint64_t in_effect = 0, entries = 0;
	int err;

	if (!x->wanted(x, said))
		return LINDUNG_OK;
	err = ld_tale_read(&x->tale, x->ledger.log, said->index, &x->report);
	if (err != LINDUNG_OK)
		return err;
	x->shown++;
	if (!x->json) {
		said_print(x, said);
		return LINDUNG_OK;
	}
	json_t *object = ld_tell_json(said, &x->tale);
	ld_story_effect(x->ledger.quorum, said->index, &in_effect, &entries);
	if (object != NULL && entries != 0)
		json_object_set_new(object, "in-effect", json_integer((json_int_t)in_effect));
	if (object != NULL && is_disputing(x, said) && said->overdue_s != INT64_MAX)
		json_object_set_new(object, "suspends",
				    json_string(ld_tell_day(said->overdue_s).text));
	return json_array_append_new(x->array, object) == 0 ? LINDUNG_OK : LINDUNG_ENOMEM;
}

static int
part(struct status *x, const char *heading, json_t *array,
     bool (*wanted)(const struct status *x, const struct ld_story_said *said))
{
	int err;

	x->wanted = wanted;
	x->array = array;
	x->shown = 0;
	if (!x->json)
		printf("\n%s\n", heading);
	err = ld_story_statements(x->ledger.quorum, 0, said_look, x);
	if (!x->json && err == LINDUNG_OK && x->shown == 0)
		puts("  nothing");
	return err;
}

/* ---- The whole
 * ---------------------------------------------------------------------------------------- */

static void
log_print(const struct status *x)
{
	const struct ld_trusted *trusted = &x->ledger.trusted;
	const struct ld_trust *trust = ld_policy_trust(x->ledger.policy);
	int64_t age_s = x->ledger.now_s - (int64_t)trusted->time_s;

	printf("The log %.*s has %s statements; %s entries are in effect at %s.\n",
	       (int)trusted->checkpoint.origin.len, (const char *)trusted->checkpoint.origin.data,
	       ld_show_number(trusted->checkpoint.size).text,
	       ld_show_number(x->ledger.effective).text, ld_tell_time(x->ledger.now_s).text);
	if (trust->witness_count == 0) {
		puts("No witness watches it: nobody but the log itself says that all see the "
		     "same.");
		return;
	}
	fputs("Witnesses:", stdout);
	for (unsigned i = 0; i < trust->witness_count; i++)
		printf("%s %s %s", i != 0 ? "," : "", trust->witnesses[i].name,
		       (trusted->witnesses >> i & 1) != 0 ? "has signed" : "has not signed");
	puts(".");
	if (trusted->time_s != 0)
		printf("It was last seen by enough of them on %s, %" PRId64 " hours ago.\n",
		       ld_tell_time((int64_t)trusted->time_s).text, age_s / 3600);
}

static int
party_append(void *ctx, const struct ld_story_party *party)
{
	return json_array_append_new(ctx, party_json(party)) == 0 ? LINDUNG_OK : LINDUNG_ENOMEM;
}

static int
status_json(struct status *x)
{
	const struct ld_trusted *trusted = &x->ledger.trusted;
	const struct ld_trust *trust = ld_policy_trust(x->ledger.policy);
	json_t *witnesses = json_array();

	for (unsigned i = 0; i < trust->witness_count; i++)
		json_array_append_new(witnesses,
				      json_pack("{s:s, s:b}", "witness", trust->witnesses[i].name,
						"signed", (int)(trusted->witnesses >> i & 1)));
	return ld_show_object(stdout,
			      json_pack("{s:o, s:I, s:I, s:s, s:o, s:I, s:O, s:O, s:O, s:O}", "log",
					ld_show_json(trusted->checkpoint.origin), "statements",
					(json_int_t)trusted->checkpoint.size, "in-effect",
					(json_int_t)x->ledger.effective, "time",
					ld_tell_time(x->ledger.now_s).text, "witnesses", witnesses,
					"seen-s", (json_int_t)trusted->time_s, "parties",
					x->parties, "waiting", x->waiting, "disputes", x->disputes,
					"expiring", x->expiring))
		       ? LINDUNG_OK
		       : LINDUNG_ENOMEM;
}

static int
status_tell(struct status *x)
{
	int err = LINDUNG_OK;

	if (x->json) {
		err = ld_story_parties(x->ledger.quorum, party_append, x->parties);
	} else {
		log_print(x);
		puts("\nWho takes part");
		err = ld_status_parties(&x->ledger, false, &x->report);
	}
	if (err == LINDUNG_OK)
		err = part(x, "What waits for agreement", x->waiting, is_waiting);
	if (err == LINDUNG_OK)
		err = part(x, "Disputes and appeals that nobody has decided", x->disputes,
			   is_disputing);
	if (err == LINDUNG_OK)
		err = part(x, "What expires soon", x->expiring, is_ending);
	if (err == LINDUNG_OK && x->json)
		err = status_json(x);
	if (err != LINDUNG_OK && x->report.text[0] == '\0')
		ld_fail(&x->report, err, "%s", lindung_strerror(err));
	return err;
}

static int
status(struct status *x, const struct ld_arguments *arguments)
{
	struct ld_ledger_options options = {.policy = ld_argument(arguments, OPTION_POLICY),
					    .log = arguments->word_count == 1 ? arguments->words[0]
									      : NULL};
	const char *days_text = ld_argument(arguments, OPTION_DAYS);
	long days = DAYS_DEFAULT;
	struct ld_home home;
	char *end;
	int err;

	if (arguments->word_count > 1)
		return ld_fail(&x->report, LINDUNG_EINVAL, "unexpected: %s", arguments->words[1]);
	if (days_text != NULL)
		days = strtol(days_text, &end, 10);
	if (days_text != NULL && (end == days_text || *end != '\0' || days < 0 || days > 3653))
		return ld_fail(&x->report, LINDUNG_EINVAL,
			       "--days: expected a number, 0 to 3653, not %s", days_text);
	err = ld_home_time(&options.now_s, ld_argument(arguments, OPTION_AT), &x->report);
	if (err != LINDUNG_OK)
		return err;
	x->soon_s = options.now_s + days * DAY_S;
	err = ld_home_find_for(&home, ld_argument(arguments, OPTION_HOME), options.log, &x->report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_ledger_policy(&x->ledger, &home, &options, &x->report);
	if (err == LINDUNG_OK)
		err = ld_ledger_read(&x->ledger, &home, &options, &x->report);
	if (err == LINDUNG_OK)
		err = status_tell(x);
	ld_ledger_close(&x->ledger);
	ld_home_free(&home);
	return err;
}

int
status_main(int argc, char **argv)
{
	struct status x = {.json = false};
	struct ld_arguments arguments;
	int err, outcome;

	if (!ld_arguments_read(&arguments, rows, OPTION_COUNT, head, tail, argc, argv, &outcome))
		return outcome;
	x.json = ld_argument(&arguments, OPTION_JSON) != NULL;
	x.waiting = json_array();
	x.disputes = json_array();
	x.expiring = json_array();
	x.parties = json_array();
	ld_tale_init(&x.tale);
	err = status(&x, &arguments);
	ld_tale_free(&x.tale);
	json_decref(x.waiting);
	json_decref(x.disputes);
	json_decref(x.expiring);
	json_decref(x.parties);
	return ld_arguments_end("status", err, &x.report);
}
