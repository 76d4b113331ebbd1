/* lindung party: who takes part.  Root keys sign: several holders one after another, where they do
 * not sit together.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "log/parcel.h"
#include "passphrase.h"
#include "say.h"
#include "show.h"
#include "status.h"

int party_main(int argc, char **argv);

enum party_command { PARTY_ADD, PARTY_REVOKE, PARTY_SIGN, PARTY_LIST, PARTY_COMMAND_COUNT };

static const char *const command_names[PARTY_COMMAND_COUNT] = {"add", "revoke", "sign", "list"};

/* X(symbol, long, letter, value, several times, help) */
#define PARTY_OPTIONS(X)                                                                           \
	X(NAME, "name", '\0', "TEXT", false, "add: its name, as people know it")                   \
	X(KIND, "kind", '\0', "KIND", false,                                                       \
	  "add: ministry, hotline, police, ngo, school, isp, academic, company or family")         \
	X(COUNTRY, "country", '\0', "CC", false, "add: where it sits, as ID, or INT")              \
	X(PARTY_KEY, "party-key", '\0', "VKEY", false,                                             \
	  "add: its verifier key, which \"lindung key show\" prints")                              \
	X(EXPIRES, "expires", 'e', "DAY", false, "add: until when it is a party (UTC)")            \
	X(FROM, "from", '\0', "TIME", false,                                                       \
	  "revoke: from when its statements mean nothing; otherwise from now")                     \
	X(JURISDICTION, "jurisdiction", 'j', "CC", false,                                          \
	  "where the ground holds: a country, or INT")                                             \
	X(BASIS, "basis", 'b', "TEXT", false, "the legal or contractual ground")                   \
	X(KEY, "key", 'k', "NAME", true,                                                           \
	  "a root key, of HOME/keys or a file; several times: each signs")                         \
	X(HOME, "home", '\0', "DIR", false,                                                        \
	  "where your keys are; otherwise $LINDUNG_HOME or ~/.config/lindung")                     \
	X(LOG, "log", '\0', "WHERE", false, "its directory or URL; otherwise that of HOME")        \
	X(POLICY, "policy", '\0', "FILE", false, "otherwise HOME/policy")                          \
	X(DRY_RUN, "dry-run", 'n', NULL, false, "only show it, and what it would change")          \
	X(YES, "yes", 'y', NULL, false, "do not ask")                                              \
	X(SUBMIT, "submit", '\0', NULL, false, "hand it in to the log at once")                    \
	X(OUTPUT, "output", 'o', "FILE", false,                                                    \
	  "write it there (- is standard output); otherwise ACTION-ID.statement")                  \
	X(JSON, "json", '\0', NULL, false, "list: as one JSON object a line")                      \
	X(PASSPHRASE, "passphrase-fd", '\0', "FD", false,                                          \
	  "read the keys' passphrases from this descriptor, a line each; not from the terminal")   \
	X(AT, "at", '\0', "TIME", false,                                                           \
	  "the time to go by, as 2026-11-22T07:00:00Z; otherwise now")

enum party_option {
#define LD_X(symbol, ...) OPTION_##symbol,
	PARTY_OPTIONS(LD_X)
#undef LD_X
		OPTION_COUNT
};

static const struct ld_argument_row rows[OPTION_COUNT] = {
#define LD_X(symbol, name_, letter_, value_, many_, help_)                                         \
	{.name = name_, .value = value_, .help = help_, .letter = letter_, .many = many_},
	PARTY_OPTIONS(LD_X)
#undef LD_X
};

static const char head[] =
	"usage: lindung party add --name TEXT --kind KIND --country CC --party-key VKEY\n"
	"                         -j CC -b TEXT -e DAY [OPTION ...]\n"
	"       lindung party revoke -j CC -b TEXT [--from TIME] [OPTION ...] ID\n"
	"       lindung party sign [OPTION ...] FILE\n"
	"       lindung party list [OPTION ...] [WHERE]\n"
	"\n"
	"Takes a party in, or gives it a new key; ends a party; adds a root key's signature to a\n"
	"statement that others began; lists who takes part.\n"
	"\n";

static const char tail[] =
	"\nThe policy says how many root keys must sign.  With fewer the file is begun: the next "
	"one\n"
	"adds a signature with \"lindung party sign FILE\".\n"
	"\n"
	"Exit: 0 done, 1 it failed and nothing was said, 2 wrong usage.  See lindung-log(1).\n";

struct party {
	struct ld_say say;
	struct ld_arguments arguments;
};

static const char *
value(const struct party *x, enum party_option option)
{
	return ld_argument(&x->arguments, option);
}

static int
say_begin(struct party *x)
{
	const struct ld_ledger_options options = {.log = value(x, OPTION_LOG),
						  .policy = value(x, OPTION_POLICY),
						  .now_s = x->say.now_s};

	return ld_say_begin(&x->say, "party", value(x, OPTION_HOME), &options);
}

static int
signers_open(struct party *x)
{
	unsigned count = x->arguments.counts[OPTION_KEY];
	int err = LINDUNG_OK;

	if (count == 0)
		return ld_fail(&x->say.report, LINDUNG_EINVAL,
			       "which root key? -k root-1; several times, where you hold several");
	for (unsigned i = 0; err == LINDUNG_OK && i < count; i++)
		err = ld_say_signer(&x->say, x->arguments.values[OPTION_KEY][i]);
	return err;
}

/* ---- add and revoke -------------------------------------------------------------------------- */

static int
needs_check(struct party *x, bool add)
{
	static const struct {
		enum party_option option;
		bool add_only;
		const char *question;
	} needs[] = {
		{OPTION_PARTY_KEY, true,
		 "which key? --party-key VKEY, which \"lindung key show\" prints for the party"},
		{OPTION_NAME, true, "what is its name? --name TEXT"},
		{OPTION_KIND, true, "of what kind is it? --kind KIND"},
		{OPTION_COUNTRY, true, "where does it sit? --country CC"},
		{OPTION_EXPIRES, true, "until when? -e DAY, at most ten years from now"},
		{OPTION_JURISDICTION, false, "where does the ground hold? -j CC, or -j INT"},
		{OPTION_BASIS, false, "on what ground? -b TEXT"},
	};

	for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
		if ((add || !needs[i].add_only) && value(x, needs[i].option) == NULL)
			return ld_fail(&x->say.report, LINDUNG_EINVAL, "%s", needs[i].question);
	if (x->arguments.word_count != (add ? 1 : 2))
		return ld_fail(&x->say.report, LINDUNG_EINVAL,
			       add ? "unexpected: %s (its id is the name in its key)"
				   : "which party? Name its id, and nothing else",
			       x->arguments.words[x->arguments.word_count - 1]);
	return LINDUNG_OK;
}

static int
add_fill(struct party *x)
{
	struct ld_statement *s = &x->say.statement;
	int kind = ld_party_kind_find(ld_span_str(value(x, OPTION_KIND)));
	int err =
		ld_verifier_parse(&s->key, ld_span_str(value(x, OPTION_PARTY_KEY)), &x->say.report);

	if (err != LINDUNG_OK)
		return err;
	if (kind < 0)
		return ld_fail(&x->say.report, LINDUNG_EINVAL,
			       "--kind: there is no kind \"%s\"; --help names them",
			       value(x, OPTION_KIND));
	if (ld_statement_time_parse(&s->expires_s, ld_span_str(value(x, OPTION_EXPIRES)), true) !=
	    LINDUNG_OK)
		return ld_fail(&x->say.report, LINDUNG_EINVAL,
			       "-e: expected a day as 2027-11-22, not %s",
			       value(x, OPTION_EXPIRES));
	s->kind = (enum ld_party_kind)kind;
	s->subject = ld_span_str(s->key.name);
	s->name = ld_span_str(value(x, OPTION_NAME));
	s->country = ld_span_str(value(x, OPTION_COUNTRY));
	return LINDUNG_OK;
}

static int
revoke_fill(struct party *x)
{
	struct ld_statement *s = &x->say.statement;
	const char *from = value(x, OPTION_FROM);

	s->subject = ld_span_str(x->arguments.words[1]);
	s->from_s = x->say.now_s;
	if (from != NULL &&
	    ld_statement_time_parse(&s->from_s, ld_span_str(from), false) != LINDUNG_OK)
		return ld_fail(&x->say.report, LINDUNG_EINVAL,
			       "--from: expected a time (UTC) as 2026-11-22T07:00:00Z, not %s",
			       from);
	return LINDUNG_OK;
}

static struct ld_say_finish
finish_how(const struct party *x)
{
	return (struct ld_say_finish){.dry_run = value(x, OPTION_DRY_RUN) != NULL,
				      .yes = value(x, OPTION_YES) != NULL,
				      .submit = value(x, OPTION_SUBMIT) != NULL,
				      .output = value(x, OPTION_OUTPUT)};
}

static int
statement_run(struct party *x, bool add)
{
	const struct ld_say_finish how = finish_how(x);
	struct ld_statement *s = &x->say.statement;
	int err = needs_check(x, add);

	if (err != LINDUNG_OK) {
		ld_say_complain(&x->say);
		return LD_EXIT_USAGE;
	}
	err = say_begin(x);
	if (err == LINDUNG_OK)
		err = signers_open(x);
	s->action = add ? LD_STATEMENT_PARTY_ADD : LD_STATEMENT_PARTY_REVOKE;
	s->party = LD_SPAN("root");
	s->jurisdiction = ld_span_str(value(x, OPTION_JURISDICTION));
	s->basis = ld_span_str(value(x, OPTION_BASIS));
	if (err == LINDUNG_OK)
		err = add ? add_fill(x) : revoke_fill(x);
	if (err == LINDUNG_OK)
		return ld_say_finish(&x->say, &how);
	ld_say_complain(&x->say);
	return 1;
}

/* ---- sign ---------------------------------------------------------------------------------------
 */

static int
signature_write(struct party *x, const char *path, const struct ld_buffer *note)
{
	struct ld_replace file;
	int err = ld_replace_begin(&file, path, &x->say.report);

	if (err != LINDUNG_OK)
		return err;
	if (ld_write_all(file.fd, note->data, note->len) == LINDUNG_OK)
		return ld_replace_commit(&file, &x->say.report);
	err = ld_fail(&x->say.report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
	ld_replace_abandon(&file);
	return err;
}

/* Add our signatures to the note; one of a key that signed already is an error. */
static int
signatures_add(struct party *x, const char *path, struct ld_span bytes)
{
	struct ld_say *say = &x->say;
	struct ld_note note;
	int err = ld_note_parse(&note, bytes, &say->report);

	if (err == LINDUNG_OK)
		err = ld_statement_parse(&say->statement, note.text, &say->report);
	ld_buffer_bytes(&say->note, bytes);
	for (unsigned i = 0; err == LINDUNG_OK && i < say->signer_count; i++) {
		const struct ld_verifier *key = ld_signer_verifier(say->signers[i]);

		for (unsigned j = 0; j < note.signature_count; j++)
			if (note.signatures[j].id == key->id &&
			    ld_span_equal(note.signatures[j].name, ld_span_str(key->name)))
				return ld_fail(&say->report, LINDUNG_EEXISTS,
					       "%s: %s has signed it already", path, key->name);
		err = ld_note_add_signature(&say->note, say->signers[i], 0);
		if (err != LINDUNG_OK)
			ld_fail(&say->report, err, "cannot sign: %s", lindung_strerror(err));
	}
	if (err == LINDUNG_OK)
		ld_buffer_bytes(&say->text, note.text);
	return err;
}

static int
sign_run(struct party *x)
{
	struct ld_say *say = &x->say;
	const char *path = x->arguments.word_count == 2 ? x->arguments.words[1] : NULL;
	uint8_t *data = NULL;
	size_t len;
	int err;

	if (path == NULL) {
		fputs("lindung party sign: which file? Name one\n", stderr);
		return LD_EXIT_USAGE;
	}
	err = say_begin(x);
	if (err == LINDUNG_OK)
		err = ld_read_file(path, LD_NOTE_MAX_BYTES, &data, &len, &say->report);
	if (err == LINDUNG_OK)
		err = signers_open(x);
	if (err == LINDUNG_OK)
		err = signatures_add(x, path, ld_span(data, len));
	if (err == LINDUNG_OK) {
		ld_say_look(say);
		fflush(stdout);
		if (value(x, OPTION_DRY_RUN) == NULL && value(x, OPTION_YES) == NULL &&
		    !ld_home_confirm("Sign it, too?"))
			err = ld_fail(&say->report, LINDUNG_EDENIED,
				      "nothing was signed: not confirmed (without a terminal, "
				      "--yes does)");
	}
	if (err == LINDUNG_OK && value(x, OPTION_DRY_RUN) == NULL) {
		err = signature_write(x, path, &say->note);
		if (err == LINDUNG_OK)
			printf("%s is signed, too.\n", path);
	}
	if (err != LINDUNG_OK)
		ld_say_complain(say);
	free(data);
	return err == LINDUNG_OK && ld_show_end("lindung party") ? 0 : 1;
}

/* ---- list, and the command line ----------------------------------------------------------------
 */

/* `lindung party list WHERE`, as it is with status and audit. */
static int
where_take(struct party *x, struct ld_home *ret)
{
	const char *where = x->arguments.word_count > 1 ? x->arguments.words[1] : NULL;

	if (x->arguments.word_count > 2)
		return ld_fail(&x->say.report, LINDUNG_EINVAL, "unexpected: %s",
			       x->arguments.words[2]);
	return ld_home_find_for(ret, value(x, OPTION_HOME),
				where != NULL ? where : value(x, OPTION_LOG), &x->say.report);
}

static int
list_run(struct party *x)
{
	struct ld_ledger_options options = {.log = value(x, OPTION_LOG),
					    .policy = value(x, OPTION_POLICY),
					    .now_s = x->say.now_s};
	struct ld_home home = {.path = NULL};
	int err = where_take(x, &home);

	if (err == LINDUNG_OK && x->arguments.word_count > 1)
		options.log = x->arguments.words[1];
	if (err == LINDUNG_OK)
		err = ld_say_begin(&x->say, "party", home.path, &options);
	ld_home_free(&home);
	if (err == LINDUNG_OK && !x->say.has_log) {
		x->say.report = x->say.no_log;
		err = LINDUNG_EIO;
	}
	if (err == LINDUNG_OK)
		err = ld_status_parties(&x->say.ledger, value(x, OPTION_JSON) != NULL,
					&x->say.report);
	if (err != LINDUNG_OK)
		ld_say_complain(&x->say);
	if (err == LINDUNG_EINVAL)
		return LD_EXIT_USAGE;
	return err == LINDUNG_OK && ld_show_end("lindung party") ? 0 : LD_EXIT_FAILED;
}

static int
command_run(struct party *x, enum party_command command)
{
	switch (command) {
	case PARTY_ADD:
		return statement_run(x, true);
	case PARTY_REVOKE:
		return statement_run(x, false);
	case PARTY_SIGN:
		return sign_run(x);
	case PARTY_LIST:
		return list_run(x);
	case PARTY_COMMAND_COUNT:
	default:
		fputs("lindung party: add, revoke, sign or list?  lindung party --help tells "
		      "more.\n",
		      stderr);
		return LD_EXIT_USAGE;
	}
}

int
party_main(int argc, char **argv)
{
	struct party x = {.say.command = "party", .say.passphrase_fd = LD_PASSPHRASE_TERMINAL};
	enum party_command command = PARTY_ADD;
	int err, status;

	if (!ld_arguments_read(&x.arguments, rows, OPTION_COUNT, head, tail, argc, argv, &status))
		return status;
	while (command != PARTY_COMMAND_COUNT &&
	       (x.arguments.word_count == 0 ||
		strcmp(x.arguments.words[0], command_names[command]) != 0))
		command++;
	err = ld_home_time(&x.say.now_s, value(&x, OPTION_AT), &x.say.report);
	if (err == LINDUNG_OK && value(&x, OPTION_PASSPHRASE) != NULL)
		err = ld_passphrase_fd_read(&x.say.passphrase_fd, value(&x, OPTION_PASSPHRASE),
					    &x.say.report);
	if (err != LINDUNG_OK) {
		ld_say_complain(&x.say);
		return LD_EXIT_USAGE;
	}
	status = command_run(&x, command);
	ld_say_end(&x.say);
	return status;
}
