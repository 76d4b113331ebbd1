/* lindung list, endorse, dispute, withdraw, allow, appeal, decide, release: make a statement, show
 * it for a last look, sign it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "passphrase.h"
#include "say.h"
#include "quorum/story.h"
#include "show.h"

int list_main(int argc, char **argv);
int endorse_main(int argc, char **argv);
int dispute_main(int argc, char **argv);
int withdraw_main(int argc, char **argv);
int allow_main(int argc, char **argv);
int appeal_main(int argc, char **argv);
int decide_main(int argc, char **argv);
int release_main(int argc, char **argv);

#define ON(action) (1u << LD_STATEMENT_##action)
enum {
	ALL = ~0u >> 1,
	GROUNDED = ON(LIST) | ON(ENDORSE) | ON(DISPUTE) | ON(WITHDRAW) | ON(ALLOW) | ON(DECIDE),
	ENDING = ON(LIST) | ON(ENDORSE) | ON(ALLOW),
	SEEN = ON(LIST) | ON(ENDORSE) | ON(DISPUTE) | ON(ALLOW),
	NOTED = ON(LIST) | ON(ALLOW) | ON(DISPUTE) | ON(DECIDE),
	REASONED = ON(DISPUTE) | ON(DECIDE) | ON(APPEAL),
	TARGETED = ON(ENDORSE) | ON(DISPUTE) | ON(WITHDRAW) | ON(APPEAL) | ON(DECIDE),
	WITH_ENTRIES = ON(LIST) | ON(ALLOW) | ON(ENDORSE) | ON(DISPUTE) | ON(WITHDRAW) | ON(APPEAL),
	SEALABLE = ON(LIST) | ON(ENDORSE) | ON(DISPUTE) | ON(WITHDRAW) | ON(APPEAL),
};

/* X(symbol, long, letter, value, several times, the actions that have it, help) */
#define STATEMENT_OPTIONS(X)                                                                       \
	X(CATEGORY, "category", 'c', "KEY", false, ON(LIST) | ON(ALLOW),                           \
	  "what harm, as in data/categories.yaml")                                                 \
	X(JURISDICTION, "jurisdiction", 'j', "CC", false, GROUNDED,                                \
	  "where the ground holds: a country, as ID, or INT")                                      \
	X(BASIS, "basis", 'b', "TEXT", false, GROUNDED, "the legal or contractual ground")         \
	X(EXPIRES, "expires", 'e', "DAY", false, ENDING,                                           \
	  "until when: it means nothing from the beginning of that day (UTC)")                     \
	X(REASONS, "reasons", 'r', "TEXT", false, REASONED, "why")                                 \
	X(UPHOLD, "uphold", '\0', NULL, false, ON(DECIDE), "the appeal or dispute is right")       \
	X(REJECT, "reject", '\0', NULL, false, ON(DECIDE), "it is not")                            \
	X(EVIDENCE, "evidence", '\0', "TEXT", false, SEEN,                                         \
	  "a reference to what was seen, or its hash; never content")                              \
	X(NOTE, "note", '\0', "TEXT", false, NOTED, "to those whose site it is")                   \
	X(FROM, "from", 'f', "FILE", true, WITH_ENTRIES,                                           \
	  "entries from a list, packed or not; - is standard input")                               \
	X(FORMAT, "format", '\0', "FORMAT", false, WITH_ENTRIES,                                   \
	  "of these files; otherwise found out from the content")                                  \
	X(SEAL, "seal-to", 's', "RECIPIENT", true, SEALABLE,                                       \
	  "only who has this age key (age1...) can read the entries")                              \
	X(KEY, "key", 'k', "NAME", false, ALL,                                                     \
	  "of HOME/keys, or a file; needed if there are more")                                     \
	X(HOME, "home", '\0', "DIR", false, ALL,                                                   \
	  "where your keys are; otherwise $LINDUNG_HOME or ~/.config/lindung")                     \
	X(LOG, "log", '\0', "WHERE", false, ALL, "its directory or URL; otherwise that of HOME")   \
	X(POLICY, "policy", '\0', "FILE", false, ALL, "otherwise HOME/policy")                     \
	X(DRY_RUN, "dry-run", 'n', NULL, false, ALL, "only show it, and what it would change")     \
	X(YES, "yes", 'y', NULL, false, ALL, "do not ask")                                         \
	X(SUBMIT, "submit", '\0', NULL, false, ALL, "hand it in to the log at once")               \
	X(OUTPUT, "output", 'o', "FILE", false, ALL,                                               \
	  "write it there (- is standard output); otherwise ACTION-ID.statement")                  \
	X(PASSPHRASE, "passphrase-fd", '\0', "FD", false, ALL,                                     \
	  "read the key's passphrase from this descriptor, a line; not from the terminal")         \
	X(AT, "at", '\0', "TIME", false, ALL, "the time that it is made, as 2026-11-22T07:00:00Z")

enum statement_option {
#define LD_X(symbol, ...) OPTION_##symbol,
	STATEMENT_OPTIONS(LD_X)
#undef LD_X
		OPTION_COUNT
};

static const struct ld_argument_row rows[OPTION_COUNT] = {
#define LD_X(symbol, name_, letter_, value_, many_, actions, help_)                                \
	{.name = name_, .value = value_, .help = help_, .letter = letter_, .many = many_},
	STATEMENT_OPTIONS(LD_X)
#undef LD_X
};

static const unsigned actions_of[OPTION_COUNT] = {
#define LD_X(symbol, name_, letter_, value_, many_, actions, help_) actions,
	STATEMENT_OPTIONS(LD_X)
#undef LD_X
};

static const char *const heads[LD_STATEMENT_ACTION_COUNT] = {
	[LD_STATEMENT_LIST] =
		"usage: lindung list -c KEY -j CC -b TEXT -e DAY [OPTION ...] ENTRY ...\n"
		"       lindung list -c KEY -j CC -b TEXT -e DAY [OPTION ...] -f FILE\n"
		"\nSays that these websites harm children in this way.\n\n",
	[LD_STATEMENT_ENDORSE] = "usage: lindung endorse -j CC -b TEXT -e DAY [OPTION ...] ID "
				 "[ENTRY ...]\n"
				 "\nAgrees with a statement, or with these entries of it.\n\n",
	[LD_STATEMENT_DISPUTE] =
		"usage: lindung dispute -j CC -b TEXT -r TEXT [OPTION ...] ID [ENTRY ...]\n"
		"\nSays that a statement is wrong, or that these entries of it are.\n\n",
	[LD_STATEMENT_WITHDRAW] =
		"usage: lindung withdraw -j CC -b TEXT [OPTION ...] ID [ENTRY ...]\n"
		"\nTakes back a statement of one's own, or these entries of it.\n\n",
	[LD_STATEMENT_ALLOW] =
		"usage: lindung allow -c KEY -j CC -b TEXT -e DAY [OPTION ...] ENTRY ...\n"
		"\nSays that these websites are not of this category.\n\n",
	[LD_STATEMENT_APPEAL] =
		"usage: lindung appeal -r TEXT [OPTION ...] ID [ENTRY ...]\n"
		"\nEnters the objection of a site's owner or a reader.  For the log's operator.\n"
		"It says the day alone, and nothing about who objects.\n\n",
	[LD_STATEMENT_DECIDE] =
		"usage: lindung decide --uphold|--reject -j CC -b TEXT -r TEXT [OPTION ...] ID\n"
		"\nAnswers an appeal or a dispute.\n\n",
	[LD_STATEMENT_RELEASE] = "usage: lindung release [OPTION ...] FILE\n"
				 "\nPublishes a file by its hash.\n\n",
};

static const char tail[] =
	"\nAn ENTRY is a domain with its subdomains, \"=host\" for one name alone, \"*.domain\" "
	"for its\n"
	"subdomains alone, or \"host/path\".  An ID is what the log shows: 8 or more of its "
	"digits.\n"
	"\n"
	"Exit: 0 done, 1 it failed and nothing was said, 2 wrong usage.  See lindung-log(1).\n";

/* ---- The command line to a statement -------------------------------------------------------- */

struct making {
	struct ld_say say;
	struct ld_arguments arguments;
	enum ld_statement_action action;
	char **entries;
	int entry_count;
};

static const char *
value(const struct making *x, enum statement_option option)
{
	return ld_argument(&x->arguments, option);
}

/* What must be there, before anybody types a passphrase. */
static int
needs_check(struct making *x)
{
	static const struct {
		enum statement_option option;
		unsigned actions;
		const char *question;
	} needs[] = {
		{OPTION_CATEGORY, ON(LIST) | ON(ALLOW), "what harm? -c KEY, as \"-c gambling\""},
		{OPTION_JURISDICTION, GROUNDED, "where does the ground hold? -j CC, as \"-j ID\""},
		{OPTION_BASIS, GROUNDED, "on what ground? -b TEXT, a law or a contract"},
		{OPTION_EXPIRES, ENDING, "until when? -e DAY, at most ten years from now"},
		{OPTION_REASONS, REASONED, "why? -r TEXT"},
	};
	bool uphold = value(x, OPTION_UPHOLD) != NULL, reject = value(x, OPTION_REJECT) != NULL;
	bool bare = x->entry_count == 0 && x->arguments.counts[OPTION_FROM] == 0;

	for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
		if ((needs[i].actions >> x->action & 1) != 0 && value(x, needs[i].option) == NULL)
			return ld_fail(&x->say.report, LINDUNG_EINVAL, "%s", needs[i].question);
	if ((TARGETED >> x->action & 1) != 0 && x->arguments.word_count == 0)
		return ld_fail(&x->say.report, LINDUNG_EINVAL,
			       "which statement? Its id comes first");
	if (x->action == LD_STATEMENT_DECIDE && uphold == reject)
		return ld_fail(&x->say.report, LINDUNG_EINVAL, "is it right? --uphold or --reject");
	if (x->action == LD_STATEMENT_RELEASE && x->arguments.word_count != 1)
		return ld_fail(&x->say.report, LINDUNG_EINVAL, "which file? Name one");
	if ((WITH_ENTRIES & ~TARGETED & 1u << x->action) != 0 && bare)
		return ld_fail(&x->say.report, LINDUNG_EINVAL,
			       "which websites? Name them, or a file with -f");
	if (x->action == LD_STATEMENT_DECIDE && x->entry_count != 0)
		return ld_fail(&x->say.report, LINDUNG_EINVAL, "unexpected: %s", x->entries[0]);
	return LINDUNG_OK;
}

static int
release_fill(struct making *x)
{
	const char *path = x->arguments.words[0];
	struct ld_hash hash;
	struct ld_map map;

	if (ld_map_open(&map, path) != LINDUNG_OK)
		return ld_fail(&x->say.report, LINDUNG_EIO, "%s: it cannot be read", path);
	ld_hash_of(&hash, map.bytes);
	memcpy(x->say.statement.data_hash, hash.bytes, sizeof hash.bytes);
	x->say.statement.data_bytes = map.bytes.len;
	ld_map_close(&map);
	return LINDUNG_OK;
}

static int
target_fill(struct making *x)
{
	struct ld_say *say = &x->say;
	struct ld_statement *s = &say->statement;
	struct ld_span id = ld_span_str(x->arguments.words[0]);
	struct ld_story_said said;
	uint64_t index;
	int err;

	s->has_target = true;
	if (!say->has_log) {
		say->report = say->no_log;
		return LINDUNG_EIO;
	}
	err = ld_story_find(say->ledger.quorum, id, &index, &say->report);
	if (err == LINDUNG_OK)
		err = ld_story_statement(say->ledger.quorum, index, &said);
	if (err == LINDUNG_OK)
		memcpy(s->target, said.id, sizeof s->target);
	return err;
}

static int
fields_fill(struct making *x)
{
	struct ld_statement *s = &x->say.statement;
	const char *expires = value(x, OPTION_EXPIRES);

	s->action = x->action;
	s->party = ld_span_str(ld_signer_verifier(x->say.signers[0])->name);
	s->category = ld_span_str(value(x, OPTION_CATEGORY));
	s->jurisdiction = ld_span_str(value(x, OPTION_JURISDICTION));
	s->basis = ld_span_str(value(x, OPTION_BASIS));
	s->reasons = ld_span_str(value(x, OPTION_REASONS));
	s->evidence = ld_span_str(value(x, OPTION_EVIDENCE));
	s->note = ld_span_str(value(x, OPTION_NOTE));
	s->upholds = value(x, OPTION_UPHOLD) != NULL;
	if (x->action == LD_STATEMENT_APPEAL)
		s->time_s -= s->time_s % 86400; /* the day alone */
	if (expires != NULL &&
	    ld_statement_time_parse(&s->expires_s, ld_span_str(expires), true) != LINDUNG_OK)
		return ld_fail(&x->say.report, LINDUNG_EINVAL,
			       "-e: expected a day as 2027-11-22, not %s", expires);
	if (x->action == LD_STATEMENT_RELEASE)
		return release_fill(x);
	return (TARGETED >> x->action & 1) != 0 ? target_fill(x) : LINDUNG_OK;
}

static int
recipients_read(struct ld_recipients **ret, struct making *x)
{
	struct ld_recipients *set;
	unsigned count = x->arguments.counts[OPTION_SEAL];
	int err = LINDUNG_OK;

	x->say.recipient_count = count;
	if (count == 0)
		return LINDUNG_OK;
	if (ld_recipients_new(&set) != LINDUNG_OK)
		return ld_fail(&x->say.report, LINDUNG_ENOMEM, "not enough memory");
	for (unsigned i = 0; err == LINDUNG_OK && i < count; i++)
		err = ld_recipients_add(set, ld_span_str(x->arguments.values[OPTION_SEAL][i]),
					&x->say.report);
	if (err == LINDUNG_OK)
		*ret = set;
	else
		ld_recipients_free(set);
	return err;
}

static int
entries_fill(struct making *x)
{
	struct ld_say *say = &x->say;
	struct ld_recipients *recipients = NULL;
	int err = ld_entries_init(&say->entries, &say->report);

	say->entries.opens = x->action != LD_STATEMENT_LIST;
	for (int i = 0; err == LINDUNG_OK && i < x->entry_count; i++)
		err = ld_entries_word(&say->entries, x->entries[i], &say->report);
	for (unsigned i = 0; err == LINDUNG_OK && i < x->arguments.counts[OPTION_FROM]; i++)
		err = ld_entries_file(&say->entries, x->arguments.values[OPTION_FROM][i],
				      value(x, OPTION_FORMAT), &say->report);
	if (err == LINDUNG_OK && say->entries.count == 0 &&
	    (x->entry_count != 0 || x->arguments.counts[OPTION_FROM] != 0))
		err = ld_fail(&say->report, LINDUNG_ENAME,
			      "there is no entry in what was given that a list can have");
	if (err == LINDUNG_OK)
		err = recipients_read(&recipients, x);
	if (err == LINDUNG_OK && say->entries.count != 0)
		err = ld_block_make(&say->statement, ld_buffer_span(&say->entries.lines),
				    recipients, &say->inline_entries, &say->block, &say->report);
	ld_recipients_free(recipients);
	return err;
}

static int
statement_make(struct making *x)
{
	struct ld_say *say = &x->say;
	const struct ld_ledger_options options = {.log = value(x, OPTION_LOG),
						  .policy = value(x, OPTION_POLICY),
						  .now_s = say->now_s,
						  .sealed = true};
	const struct ld_say_finish finish = {.dry_run = value(x, OPTION_DRY_RUN) != NULL,
					     .yes = value(x, OPTION_YES) != NULL,
					     .submit = value(x, OPTION_SUBMIT) != NULL,
					     .output = value(x, OPTION_OUTPUT)};
	int err = ld_say_begin(say, say->command, value(x, OPTION_HOME), &options), status = 1;

	if (err == LINDUNG_OK && finish.submit && !say->has_log && say->ledger.where == NULL) {
		say->report = say->no_log;
		err = LINDUNG_ENOTFOUND;
	}
	if (err == LINDUNG_OK)
		err = ld_say_signer(say, value(x, OPTION_KEY));
	if (err == LINDUNG_OK)
		err = fields_fill(x);
	if (err == LINDUNG_OK && (WITH_ENTRIES >> x->action & 1) != 0)
		err = entries_fill(x);
	if (err != LINDUNG_OK)
		ld_say_complain(say);
	else
		status = ld_say_finish(say, &finish);
	return status;
}

static int
statement_main(enum ld_statement_action action, int argc, char **argv)
{
	struct making x = {.action = action};
	struct ld_argument_row own[OPTION_COUNT];
	bool targeted = (TARGETED >> action & 1) != 0;
	int err, status;

	memcpy(own, rows, sizeof own);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		own[i].hidden = (actions_of[i] >> action & 1) == 0;
	if (!ld_arguments_read(&x.arguments, own, OPTION_COUNT, heads[action], tail, argc, argv,
			       &status))
		return status;
	x.say.command = ld_statement_action_key(action);
	x.say.passphrase_fd = LD_PASSPHRASE_TERMINAL;
	x.entries = x.arguments.words + (targeted && x.arguments.word_count > 0);
	x.entry_count = x.arguments.word_count - (targeted && x.arguments.word_count > 0);
	if (action == LD_STATEMENT_RELEASE)
		x.entry_count = 0;
	err = needs_check(&x);
	if (err == LINDUNG_OK)
		err = ld_home_time(&x.say.now_s, value(&x, OPTION_AT), &x.say.report);
	if (err == LINDUNG_OK && value(&x, OPTION_PASSPHRASE) != NULL)
		err = ld_passphrase_fd_read(&x.say.passphrase_fd, value(&x, OPTION_PASSPHRASE),
					    &x.say.report);
	if (err != LINDUNG_OK) {
		ld_say_complain(&x.say);
		fprintf(stderr, "lindung %s --help tells more.\n", x.say.command);
		return LD_EXIT_USAGE;
	}
	status = statement_make(&x);
	ld_say_end(&x.say);
	return status;
}

int
list_main(int argc, char **argv)
{
	return statement_main(LD_STATEMENT_LIST, argc, argv);
}

int
endorse_main(int argc, char **argv)
{
	return statement_main(LD_STATEMENT_ENDORSE, argc, argv);
}

int
dispute_main(int argc, char **argv)
{
	return statement_main(LD_STATEMENT_DISPUTE, argc, argv);
}

int
withdraw_main(int argc, char **argv)
{
	return statement_main(LD_STATEMENT_WITHDRAW, argc, argv);
}

int
allow_main(int argc, char **argv)
{
	return statement_main(LD_STATEMENT_ALLOW, argc, argv);
}

int
appeal_main(int argc, char **argv)
{
	return statement_main(LD_STATEMENT_APPEAL, argc, argv);
}

int
decide_main(int argc, char **argv)
{
	return statement_main(LD_STATEMENT_DECIDE, argc, argv);
}

int
release_main(int argc, char **argv)
{
	return statement_main(LD_STATEMENT_RELEASE, argc, argv);
}
