/* lindung audit: verify all of a log anew, from its first statement, and report in plain words.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lindung/lindung.h>

#include "arguments.h"
#include "show.h"
#include "tell.h"

int audit_main(int argc, char **argv);

enum { FAULTS_MAX = 1000 };

enum { OPTION_HOME, OPTION_POLICY, OPTION_JSON, OPTION_AT, OPTION_COUNT };

static const struct ld_argument_row rows[OPTION_COUNT] = {
	[OPTION_HOME] = {.name = "home",
			 .value = "DIR",
			 .help = "the home; otherwise $LINDUNG_HOME or ~/.config/lindung"},
	[OPTION_POLICY] = {.name = "policy", .value = "FILE", .help = "otherwise HOME/policy"},
	[OPTION_JSON] = {.name = "json", .help = "one JSON object a line; the last is the outcome"},
	[OPTION_AT] = {.name = "at",
		       .value = "TIME",
		       .help = "the time to go by, as 2026-11-22T07:00:00Z; otherwise now"},
};

static const char head[] =
	"usage: lindung audit [OPTION ...] [WHERE]\n"
	"\n"
	"Reads a log from its first statement and verifies everything anew: each hash, the\n"
	"checkpoint, the witnesses, each signature, each rule, each block.  WHERE is its "
	"directory\n"
	"or URL; otherwise that of HOME.\n"
	"\n";

static const char tail[] =
	"\nExit: 0 no fault was found, 1 one was, or the log cannot be read, 2 wrong usage.\n"
	"See lindung-log(1).\n";

struct audit {
	struct ld_report report;
	struct ld_ledger ledger;
	struct ld_tale tale;
	bool json;
	struct ld_checkpoint checkpoint; /* as it stands in the log, believed or not */
	struct ld_tree tree;
	struct ld_buffer faults; /* a line each */
	uint64_t fault_count, block_count, useless_count;
};

/* ---- Faults
 * ---------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void
fault(struct audit *x, const char *format, ...)
{
	char text[LD_REPORT_MAX_BYTES + 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (x->fault_count++ < FAULTS_MAX)
		ld_buffer_printf(&x->faults, "%s\n", text);
}

/* What no log that keeps to its rules takes in, whatever the policy of who follows it. */
static bool
is_fault_of_log(enum ld_refusal refusal)
{
	return refusal == LD_REFUSAL_SYNTAX || refusal == LD_REFUSAL_OTHER_LOG ||
	       refusal == LD_REFUSAL_SIGNATURE || refusal == LD_REFUSAL_UNKNOWN_PARTY ||
	       refusal == LD_REFUSAL_ROOT_SIGNATURES || refusal == LD_REFUSAL_REPEATED ||
	       refusal == LD_REFUSAL_BACKDATED || refusal == LD_REFUSAL_USED_KEY;
}

/* ---- The log: tree, checkpoint, witnesses
 * ------------------------------------------------------------ */

static int
checkpoint_read(struct audit *x)
{
	struct ld_span bytes = ld_log_checkpoint(x->ledger.log);
	struct ld_note note;
	struct ld_report why = {{0}};
	int err = ld_note_parse(&note, bytes, &x->report);

	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&x->checkpoint, note.text, &x->report);
	if (err != LINDUNG_OK)
		return err;
	if (ld_checkpoint_check(&x->ledger.trusted, bytes, ld_policy_trust(x->ledger.policy),
				(uint64_t)x->ledger.now_s, &why) != LINDUNG_OK)
		fault(x, "The checkpoint is not to be believed: %s.", why.text);
	return LINDUNG_OK;
}

static void
root_check(struct audit *x)
{
	struct ld_hash root;

	ld_tree_root_now(&x->tree, &root);
	if (x->tree.size != x->checkpoint.size)
		fault(x, "Only %" PRIu64 " of the %" PRIu64 " statements can be read.",
		      x->tree.size, x->checkpoint.size);
	else if (!ld_hash_equal(&root, &x->checkpoint.root))
		fault(x,
		      "The statements do not give the root that the checkpoint says: one of them "
		      "was changed.");
}

/* ---- Statements
 * ----------------------------------------------------------------------------------------- */

/* A block that is missing or damaged is a fault, and does not end the audit. */
static int
block_get(void *ctx, const uint8_t hash[32], struct ld_buffer *ret, struct ld_report *report)
{
	struct audit *x = ctx;
	int err = ld_log_get_block(x->ledger.log, hash, ret, report);

	return err == LINDUNG_OK ? err : LINDUNG_ENOTFOUND;
}

/* Whoever can open it, and whatever the policy makes of it. */
static void
block_check(struct audit *x, uint64_t index)
{
	const struct ld_statement *statement = &x->tale.statement;
	struct ld_report why = {{0}};
	struct ld_buffer block;

	if (!x->tale.is_readable ||
	    (statement->entries != LD_ENTRIES_BLOCK && statement->entries != LD_ENTRIES_SEALED))
		return;
	ld_buffer_init(&block, LD_BLOCK_STORED_MAX_BYTES);
	if (ld_log_get_block(x->ledger.log, statement->block_hash, &block, &why) == LINDUNG_OK)
		x->block_count++;
	else
		fault(x,
		      "No. %" PRIu64 ": its block is missing or not the one that was signed: %s.",
		      index, why.text);
	ld_buffer_free(&block);
}

static int
statement_add(struct audit *x, uint64_t index)
{
	const struct ld_block_source blocks = {.ctx = x, .block = block_get};
	struct ld_story_said said;
	struct ld_report why = {{0}};
	struct ld_hash leaf;
	int err = ld_tale_read(&x->tale, x->ledger.log, index, &why);

	if (err != LINDUNG_OK) {
		fault(x, "No. %" PRIu64 " cannot be read: %s.", index, why.text);
		return err;
	}
	block_check(x, index);
	ld_hash_leaf(&leaf, ld_buffer_span(&x->tale.bytes));
	ld_tree_append(&x->tree, &leaf);
	err = ld_quorum_add(x->ledger.quorum, index, ld_buffer_span(&x->tale.bytes), &blocks);
	if (err == LINDUNG_OK)
		err = ld_story_statement(x->ledger.quorum, index, &said);
	if (err != LINDUNG_OK)
		return ld_fail(&x->report, err, "No. %" PRIu64 ": %s", index,
			       lindung_strerror(err));
	if (said.refusal == LD_REFUSAL_NONE)
		return LINDUNG_OK;
	x->useless_count++;
	if (is_fault_of_log(said.refusal))
		fault(x, "No. %" PRIu64 " should not stand in the log: %s.", index,
		      ld_refusal_text(said.refusal));
	return LINDUNG_OK;
}

static void
file_fault(void *ctx, const char *path, const char *what)
{
	fault(ctx, "The file %s %s.", path, what);
}

static int
statements_read(struct audit *x)
{
	int err = LINDUNG_OK, fatal;
	int64_t next_s;

	for (uint64_t i = 0; err == LINDUNG_OK && i < x->checkpoint.size; i++)
		err = statement_add(x, i);
	fatal = x->report.text[0] != '\0' ? err : LINDUNG_OK;
	root_check(x);
	if (fatal == LINDUNG_OK)
		fatal = ld_log_check_files(x->ledger.log, file_fault, x, &x->report);
	if (fatal == LINDUNG_OK)
		fatal = ld_quorum_settle(x->ledger.quorum, x->ledger.now_s, NULL, NULL, &next_s);
	return fatal;
}

/* ---- The report
 * ------------------------------------------------------------------------------------------- */

static void
head_print(const struct audit *x)
{
	const struct ld_trust *trust = ld_policy_trust(x->ledger.policy);
	const struct ld_trusted *trusted = &x->ledger.trusted;
	uint8_t policy[32];
	char root[2 * LD_HASH_BYTES + 1], hash[65];

	ld_policy_hash(x->ledger.policy, policy);
	for (int i = 0; i < 32; i++) {
		snprintf(root + 2 * i, 3, "%02x", x->checkpoint.root.bytes[i]);
		snprintf(hash + 2 * i, 3, "%02x", policy[i]);
	}
	printf("Audit of the log %.*s\n\nAs of %s, by lindung %s and the policy with the "
	       "hash\n%s.\n\n",
	       (int)x->checkpoint.origin.len, (const char *)x->checkpoint.origin.data,
	       ld_tell_time(x->ledger.now_s).text, lindung_version(), hash);
	printf("1. The log\n\nIt says that it has %s statements, and that the root of their hashes "
	       "is\n%s.\n",
	       ld_show_number(x->checkpoint.size).text, root);
	printf("%s statements were read, from the first on, and hashed anew.\n",
	       ld_show_number(x->tree.size).text);
	printf("%s blocks of entries were read, and their hashes compared with what was signed.\n",
	       ld_show_number(x->block_count).text);
	for (unsigned i = 0; i < trust->witness_count; i++)
		printf("The witness %s has %ssigned it.\n", trust->witnesses[i].name,
		       (trusted->witnesses >> i & 1) != 0 ? "" : "not ");
	if (trust->witness_count == 0)
		puts("The policy names no witness: that everybody is shown the same log, only "
		     "comparing checkpoints tells.");
}

static int
party_print(void *ctx, const struct ld_story_party *party)
{
	unsigned *count = ctx;

	++*count;
	fputs("- ", stdout);
	ld_show_text(stdout, party->id);
	fputs(" (", stdout);
	ld_show_text(stdout, party->name);
	printf(", %s, %s), taken in by No. %" PRIu64 "; %s %s.\n", ld_party_kind_key(party->kind),
	       party->country, party->added,
	       party->is_valid     ? "takes part until"
	       : party->is_revoked ? "its key is revoked; would have taken part until"
				   : "took part until",
	       ld_tell_day(party->until_s).text);
	return LINDUNG_OK;
}

static int
said_print(void *ctx, const struct ld_story_said *said)
{
	struct audit *x = ctx;
	uint64_t in_effect = 0, entries = 0;
	int err = ld_tale_read(&x->tale, x->ledger.log, said->index, &x->report);

	if (err != LINDUNG_OK)
		return err;
	if (said->standing == LD_STANDING_BROKEN)
		fault(x, "No. %" PRIu64 ": %s.", said->index, ld_standing_text(said->standing));
	ld_story_effect(x->ledger.quorum, said->index, &in_effect, &entries);
	if (x->json) {
		json_t *object = ld_tell_json(said, &x->tale);

		if (object != NULL && entries != 0)
			json_object_set_new(object, "in-effect",
					    json_integer((json_int_t)in_effect));
		return ld_show_object(stdout, object) ? LINDUNG_OK : LINDUNG_ENOMEM;
	}
	ld_tell_said(stdout, x->ledger.quorum, said, &x->tale, 0);
	fputs("    ", stdout);
	if (said->refusal == LD_REFUSAL_NONE)
		fputs("Signed by whom it names. ", stdout);
	ld_tell_standing(stdout, said);
	if (entries != 0 &&
	    (said->action == LD_STATEMENT_LIST || said->action == LD_STATEMENT_ALLOW))
		printf("; in effect: %s of %s", ld_show_number(in_effect).text,
		       ld_show_number(entries).text);
	puts(".");
	return LINDUNG_OK;
}

static void
outcome_print(const struct audit *x)
{
	struct ld_span rest = ld_buffer_span(&x->faults);

	puts("\n4. What was found\n");
	if (x->fault_count == 0)
		printf("No fault. Every statement, every signature, every block and every hash is "
		       "what it should be%s.\n",
		       x->useless_count != 0
			       ? "; statements that mean nothing by this policy say so "
				 "above"
			       : "");
	else
		printf("%s fault%s:\n", ld_show_number(x->fault_count).text,
		       x->fault_count == 1 ? "" : "s");
	while (rest.len != 0) {
		size_t end = ld_span_find(rest, '\n');

		fputs("- ", stdout);
		ld_show_text(stdout, ld_span_first(rest, end));
		putchar('\n');
		rest = ld_span_from(rest, end + 1);
	}
	if (x->fault_count > FAULTS_MAX)
		printf("... and %s more\n", ld_show_number(x->fault_count - FAULTS_MAX).text);
}

static int
outcome_json(const struct audit *x)
{
	struct ld_span rest = ld_buffer_span(&x->faults);
	json_t *faults = json_array();

	while (rest.len != 0) {
		size_t end = ld_span_find(rest, '\n');

		json_array_append_new(faults, ld_show_json(ld_span_first(rest, end)));
		rest = ld_span_from(rest, end + 1);
	}
	return ld_show_object(stdout, json_pack("{s:o, s:I, s:I, s:b, s:o}", "log",
						ld_show_json(x->checkpoint.origin), "statements",
						(json_int_t)x->tree.size, "blocks",
						(json_int_t)x->block_count, "sound",
						x->fault_count == 0, "faults", faults))
		       ? LINDUNG_OK
		       : LINDUNG_ENOMEM;
}

static int
report_print(struct audit *x)
{
	unsigned parties = 0;
	int err = LINDUNG_OK;

	if (!x->json) {
		head_print(x);
		puts("\n2. Who takes part\n");
		err = ld_story_parties(x->ledger.quorum, party_print, &parties);
		if (parties == 0)
			puts("Nobody yet.");
		puts("\n3. What was said, in order\n");
	}
	if (err == LINDUNG_OK)
		err = ld_story_statements(x->ledger.quorum, 0, said_print, x);
	if (err == LINDUNG_OK && x->json)
		err = outcome_json(x);
	if (!x->json)
		outcome_print(x);
	return err;
}

/* ---- The command line
 * --------------------------------------------------------------------------------------- */

static int
audit(struct audit *x, const struct ld_arguments *arguments)
{
	struct ld_ledger_options options = {.policy = ld_argument(arguments, OPTION_POLICY),
					    .log = arguments->word_count == 1 ? arguments->words[0]
									      : NULL};
	struct ld_home home;
	int err;

	if (arguments->word_count > 1)
		return ld_fail(&x->report, LINDUNG_EINVAL, "unexpected: %s", arguments->words[1]);
	err = ld_home_time(&options.now_s, ld_argument(arguments, OPTION_AT), &x->report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_home_find_for(&home, ld_argument(arguments, OPTION_HOME), options.log, &x->report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_ledger_policy(&x->ledger, &home, &options, &x->report);
	if (err == LINDUNG_OK)
		err = ld_ledger_open(&x->ledger, &home, &options, &x->report);
	if (err == LINDUNG_OK)
		err = checkpoint_read(x);
	if (err == LINDUNG_OK)
		err = statements_read(x);
	if (err == LINDUNG_OK)
		err = report_print(x);
	if (err != LINDUNG_OK && x->report.text[0] == '\0')
		ld_fail(&x->report, err, "%s", lindung_strerror(err));
	ld_ledger_close(&x->ledger);
	ld_home_free(&home);
	return err;
}

int
audit_main(int argc, char **argv)
{
	struct audit x = {.json = false};
	struct ld_arguments arguments;
	int err, status;

	if (!ld_arguments_read(&arguments, rows, OPTION_COUNT, head, tail, argc, argv, &status))
		return status;
	x.json = ld_argument(&arguments, OPTION_JSON) != NULL;
	ld_buffer_init(&x.faults, (size_t)FAULTS_MAX * (LD_REPORT_MAX_BYTES + 64));
	ld_tale_init(&x.tale);
	err = audit(&x, &arguments);
	ld_tale_free(&x.tale);
	ld_buffer_free(&x.faults);
	status = ld_arguments_end("audit", err, &x.report);
	return status == 0 && x.fault_count != 0 ? LD_EXIT_FAILED : status;
}
