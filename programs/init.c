/* lindung init: begin a log, with its keys and a policy.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "base/file.h"
#include "data.h"
#include "home.h"
#include "log/log.h"
#include "passphrase.h"
#include "quorum/policy.h"
#include "show.h"

int init_main(int argc, char **argv);

enum {
	ROOTS_DEFAULT = 3,
	OF_DEFAULT = 2,
	POLICY_MAX_BYTES = 1024 * 1024,
	KEY_FILE_MAX_BYTES = 64 * 1024,
};

enum {
	OPTION_ORIGIN,
	OPTION_ROOTS,
	OPTION_OF,
	OPTION_ROOT,
	OPTION_OPERATOR,
	OPTION_LOG_KEY,
	OPTION_POLICY,
	OPTION_BARE,
	OPTION_PASSPHRASE,
	OPTION_COUNT
};

static const struct ld_argument_row rows[OPTION_COUNT] = {
	[OPTION_ORIGIN] = {"origin", "NAME",
			   "its name for ever, a URL without https://, as "
			   "log.hotline.example",
			   'o', false, false},
	[OPTION_ROOTS] = {"roots", "N", "make so many root keys; otherwise 3", '\0', false, false},
	[OPTION_OF] = {"needed", "K", "so many of them sign who takes part; otherwise 2", '\0',
		       false, false},
	[OPTION_ROOT] = {"root", "VKEY",
			 "the verifier key of a root key that somebody else has "
			 "made; several times. Then none is made here",
			 '\0', true, false},
	[OPTION_OPERATOR] = {"operator", "PARTY", "the party that may enter appeals", '\0', false,
			     false},
	[OPTION_LOG_KEY] = {"log-key", "FILE",
			    "a key that is there already, of the name of the log; "
			    "otherwise one is made",
			    '\0', false, false},
	[OPTION_POLICY] = {"policy", "FILE",
			   "categories and groups to begin with; otherwise "
			   "policy/default.policy of the data folder",
			   '\0', false, false},
	[OPTION_BARE] = {"bare", NULL, "keys without a passphrase, for trying things out", '\0',
			 false, false},
	[OPTION_PASSPHRASE] = {"passphrase-fd", "FD",
			       "read the passphrases from this descriptor, a "
			       "line each: of the log key, then of the root keys",
			       '\0', false, false},
};

static const char head[] =
	"usage: lindung init --origin NAME [OPTION ...] DIR\n"
	"\n"
	"Begins a log in a new directory: DIR/log for any web server, DIR/keys, DIR/policy for\n"
	"those who follow it.\n"
	"\n";

static const char tail[] =
	"\nExit: 0 done, 1 it failed and nothing is there, 2 wrong usage.  See lindung-log(1).\n";

struct key {
	char file[32];
	struct ld_signer *signer;
	struct ld_passphrase *passphrase; /* NULL: none */
};

struct init {
	struct ld_report report;
	struct ld_arguments arguments;
	char *directory;     /* as it was named, without slashes at its end */
	char *temporary;     /* where it is made */
	struct ld_home home; /* at the temporary place */
	int passphrase_fd;
	unsigned long roots, needed;
	struct key log, root_signers[LD_POLICY_ROOTS_MAX];
	struct ld_verifier root_keys[LD_POLICY_ROOTS_MAX];
};

static const char *
value(const struct init *x, size_t option)
{
	return ld_argument(&x->arguments, option);
}

static int
number_read(unsigned long *ret, const char *text, unsigned long otherwise, const char *option,
	    struct ld_report *report)
{
	char *end;

	*ret = text != NULL ? strtoul(text, &end, 10) : otherwise;
	if (text != NULL &&
	    (end == text || *end != '\0' || *ret == 0 || *ret > LD_POLICY_ROOTS_MAX))
		return ld_fail(report, LINDUNG_EINVAL, "%s: expected a number, 1 to %d, not %s",
			       option, LD_POLICY_ROOTS_MAX, text);
	return LINDUNG_OK;
}

/* Everything that can be wrong with the command line, before a key is made. */
static int
arguments_check(struct init *x)
{
	const unsigned given = x->arguments.counts[OPTION_ROOT];
	struct ld_report *report = &x->report;
	int err = LINDUNG_OK;

	if (x->arguments.word_count != 1)
		return ld_fail(report, LINDUNG_EINVAL, "which directory? Name one");
	if (value(x, OPTION_ORIGIN) == NULL)
		return ld_fail(report, LINDUNG_EINVAL,
			       "what is the log called? --origin NAME, as log.hotline.example");
	if (given != 0 && value(x, OPTION_ROOTS) != NULL)
		return ld_fail(report, LINDUNG_EINVAL,
			       "--roots makes keys, --root names keys that "
			       "are there: one of the two");
	if (given > LD_POLICY_ROOTS_MAX)
		return ld_fail(report, LINDUNG_EINVAL, "--root: at most %d", LD_POLICY_ROOTS_MAX);
	err = number_read(&x->roots, value(x, OPTION_ROOTS), given != 0 ? given : ROOTS_DEFAULT,
			  "--roots", report);
	if (err == LINDUNG_OK)
		err = number_read(&x->needed, value(x, OPTION_OF),
				  x->roots < OF_DEFAULT ? x->roots : OF_DEFAULT, "--needed",
				  report);
	if (err == LINDUNG_OK && x->needed > x->roots)
		err = ld_fail(report, LINDUNG_EINVAL, "--needed %lu: there are only %lu root keys",
			      x->needed, x->roots);
	for (unsigned i = 0; err == LINDUNG_OK && i < given; i++)
		err = ld_verifier_parse(&x->root_keys[i],
					ld_span_str(x->arguments.values[OPTION_ROOT][i]), report);
	if (err == LINDUNG_OK && value(x, OPTION_PASSPHRASE) != NULL)
		err = ld_passphrase_fd_read(&x->passphrase_fd, value(x, OPTION_PASSPHRASE), report);
	return err == LINDUNG_OK ? err : LINDUNG_EINVAL;
}

static int
file_write(struct init *x, const char *path, struct ld_span bytes, mode_t mode)
{
	int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) : -1, err;

	err = fd >= 0 ? ld_write_all(fd, bytes.data, bytes.len) : LINDUNG_EIO;
	if (fd >= 0 && (fsync(fd) != 0 || close(fd) != 0))
		err = LINDUNG_EIO;
	return err == LINDUNG_OK ? err
				 : ld_fail(&x->report, err, "%s: cannot be written: %s", path,
					   strerror(errno));
}

/* ---- Keys ----------------------------------------------------------------------------------- */

/* A new key, in memory: nothing is on the disk before the last passphrase is chosen. */
static int
key_make(struct init *x, struct key *key, const char *name)
{
	char prompt[128];
	int err = LINDUNG_OK;

	snprintf(prompt, sizeof prompt, "New passphrase for keys/%s.key", key->file);
	if (value(x, OPTION_BARE) == NULL)
		err = ld_passphrase_choose(&key->passphrase, x->passphrase_fd, prompt, &x->report);
	return err == LINDUNG_OK
		       ? ld_signer_generate(&key->signer, name, LD_KEY_ED25519, &x->report)
		       : err;
}

static int
log_key_take(struct init *x)
{
	const char *path = value(x, OPTION_LOG_KEY), *origin = value(x, OPTION_ORIGIN);
	int err;

	snprintf(x->log.file, sizeof x->log.file, "log");
	if (path == NULL)
		return key_make(x, &x->log, origin);
	err = ld_home_signer(&x->log.signer, path, x->passphrase_fd, &x->report);
	if (err == LINDUNG_OK && strcmp(ld_signer_verifier(x->log.signer)->name, origin) != 0)
		return ld_fail(&x->report, LINDUNG_EINVAL,
			       "%s: its name is %s; that of a log's key is its origin, %s", path,
			       ld_signer_verifier(x->log.signer)->name, origin);
	return err;
}

static int
root_keys_make(struct init *x)
{
	char name[LD_KEY_NAME_MAX + 1];
	int err = LINDUNG_OK;

	for (unsigned long i = 0; err == LINDUNG_OK && i < x->roots; i++) {
		struct key *key = &x->root_signers[i];

		snprintf(key->file, sizeof key->file, "root-%lu", i + 1);
		if ((size_t)snprintf(name, sizeof name, "%s/%s", value(x, OPTION_ORIGIN),
				     key->file) >= sizeof name)
			return ld_fail(&x->report, LINDUNG_EINVAL, "--origin: it is too long");
		err = key_make(x, key, name);
		if (err == LINDUNG_OK)
			x->root_keys[i] = *ld_signer_verifier(key->signer);
	}
	return err;
}

static int
key_save(struct init *x, const struct key *key)
{
	const char *path = ld_home_path(&x->home, "keys/%s.key", key->file);

	if (path == NULL)
		return ld_fail(&x->report, LINDUNG_ENOMEM, "not enough memory");
	return ld_signer_save(key->signer, path, ld_passphrase_text(key->passphrase), &x->report);
}

/* A key that was there already is copied as it is, with the passphrase that it has. */
static int
log_key_copy(struct init *x)
{
	const char *path = value(x, OPTION_LOG_KEY), *to = ld_home_path(&x->home, "keys/log.key");
	uint8_t *data;
	size_t len;
	int err = ld_read_file(path, KEY_FILE_MAX_BYTES, &data, &len, &x->report);

	if (err != LINDUNG_OK)
		return err;
	err = file_write(x, to, ld_span(data, len), 0600);
	explicit_bzero(data, len);
	free(data);
	return err;
}

static int
keys_save(struct init *x)
{
	int err = value(x, OPTION_LOG_KEY) != NULL ? log_key_copy(x) : key_save(x, &x->log);

	for (unsigned long i = 0; err == LINDUNG_OK && i < x->roots; i++)
		if (x->root_signers[i].signer != NULL)
			err = key_save(x, &x->root_signers[i]);
	return err;
}

static void
key_free(struct key *key)
{
	ld_signer_free(key->signer);
	ld_passphrase_free(key->passphrase);
}

/* ---- The policy ------------------------------------------------------------------------------ */

static bool
line_says(struct ld_span line, const char *word)
{
	size_t len = strlen(word);

	line = ld_span_trim(line);
	return ld_span_starts(line, ld_span_str(word)) &&
	       (line.len == len || line.data[len] == ' ' || line.data[len] == '\t');
}

/* Whether the line sets what init itself says: the rest of the file follows as it is. */
static bool
is_ours(const struct init *x, struct ld_span line)
{
	return line_says(line, "lindung") || line_says(line, "log") || line_says(line, "root") ||
	       (line_says(line, "operator") && value(x, OPTION_OPERATOR) != NULL);
}

static void
policy_head(const struct init *x, struct ld_buffer *text)
{
	char key[LD_KEY_TEXT_MAX];

	ld_verifier_format(ld_signer_verifier(x->log.signer), key);
	ld_buffer_printf(
		text,
		"lindung policy 1\n"
		"# What it takes until a statement takes effect.  For everybody who follows "
		"the log;\n"
		"# lindung check-policy checks it.\n"
		"log %s\n"
		"root %lu",
		key, x->needed);
	for (unsigned long i = 0; i < x->roots; i++) {
		ld_verifier_format(&x->root_keys[i], key);
		ld_buffer_printf(text, " %s", key);
	}
	ld_buffer_bytes(text, LD_SPAN("\n"));
	if (value(x, OPTION_OPERATOR) != NULL)
		ld_buffer_printf(text, "operator %s\n", value(x, OPTION_OPERATOR));
}

static bool
has_quorum(struct ld_span text)
{
	while (text.len != 0) {
		if (line_says(ld_span_first(text, ld_span_find(text, '\n')), "quorum"))
			return true;
		text = ld_span_from(text, ld_span_find(text, '\n') + 1);
	}
	return false;
}

static int
policy_write(struct init *x)
{
	const char *from = value(x, OPTION_POLICY);
	struct ld_buffer text;
	uint8_t *data = NULL;
	size_t len = 0;
	int err;

	if (from == NULL)
		from = ld_data_path("policy/default.policy", &x->home.arena);
	if (from == NULL)
		return ld_fail(&x->report, LINDUNG_ENOTFOUND,
			       "policy/default.policy is not in the data folder: LINDUNG_DATA says "
			       "where that is, --policy which file to begin with");
	err = ld_read_file(from, POLICY_MAX_BYTES, &data, &len, &x->report);
	if (err != LINDUNG_OK)
		return err;
	ld_buffer_init(&text, POLICY_MAX_BYTES + 64 * 1024);
	policy_head(x, &text);
	if (!has_quorum(ld_span(data, len)))
		ld_buffer_bytes(
			&text,
			LD_SPAN("# Nobody watches the log yet.  With witnesses it cannot "
				"show one thing to some and\n"
				"# another to others: \"witness NAME VKEY URL\", \"group w 2 "
				"NAME ...\", \"quorum w\".\n"
				"quorum none\n"));
	for (struct ld_span rest = ld_span(data, len); rest.len != 0;) {
		size_t end = ld_span_find(rest, '\n');
		struct ld_span line = ld_span_first(rest, end + 1);

		if (!is_ours(x, line))
			ld_buffer_bytes(&text, line);
		rest = ld_span_from(rest, end + 1);
	}
	free(data);
	err = text.failed ? ld_fail(&x->report, LINDUNG_ENOMEM, "not enough memory")
			  : file_write(x, ld_home_path(&x->home, "policy"), ld_buffer_span(&text),
				       0644);
	ld_buffer_free(&text);
	return err;
}

/* As a follower will read it: a mistake in it shows here, not at the first of them. */
static int
policy_check(struct init *x)
{
	const char *popular = ld_data_path("popular.txt", &x->home.arena);
	struct ld_policy *policy;
	int err = ld_policy_open(&policy, ld_home_path(&x->home, "policy"), popular, &x->report);

	if (err == LINDUNG_OK)
		ld_policy_free(policy);
	return err;
}

/* ---- All of it ---------------------------------------------------------------------------------
 */

static void
next_steps_print(const struct init *x)
{
	const char *dir = x->directory;
	char key[LD_KEY_TEXT_MAX];

	ld_verifier_format(ld_signer_verifier(x->log.signer), key);
	printf("The log %s is in %s; its key is\n  %s\n\nNext:\n", value(x, OPTION_ORIGIN), dir,
	       key);
	if (x->arguments.counts[OPTION_ROOT] == 0)
		printf("1. Give each of %s/keys/root-*.key to another person, and delete it here: "
		       "%lu of "
		       "the %lu decide\n   who takes part, and nobody should have so many.\n",
		       dir, x->needed, x->roots);
	else
		printf("1. %lu of the %lu root keys named decide who takes part.\n", x->needed,
		       x->roots);
	printf("2. Each party makes a key with \"lindung key new ID\" and tells its verifier key. "
	       "Take it in:\n"
	       "     lindung party add --home %s",
	       dir);
	for (unsigned long i = 1; i <= x->needed; i++)
		printf(" -k root-%lu", i);
	printf(" --party-key VKEY ...\n"
	       "3. Look at %s/policy: who must agree, and on what. Hand it out to parties and "
	       "followers;\n"
	       "   a party puts it into its home (~/.config/lindung), beside \"log.url\", a file "
	       "with "
	       "the log's URL.\n"
	       "4. Serve the log: \"lindung host %s\", or any web server that shows %s/log.\n"
	       "5. Keep a copy: \"lindung backup --home %s FILE\".\n",
	       dir, dir, dir, dir);
}

static int
place_make(struct init *x)
{
	if (asprintf(&x->temporary, "%s.XXXXXX", x->directory) < 0) {
		x->temporary = NULL;
		return ld_fail(&x->report, LINDUNG_ENOMEM, "not enough memory");
	}
	if (mkdtemp(x->temporary) == NULL) {
		int err = ld_fail(&x->report, LINDUNG_EIO, "%s: cannot be made: %s", x->directory,
				  strerror(errno));

		free(x->temporary);
		x->temporary = NULL;
		return err;
	}
	chmod(x->temporary, 0755); /* a web server reaches log/; keys/ is the owner's alone */
	ld_home_free(&x->home);
	return ld_home_find(&x->home, x->temporary, &x->report);
}

/* All or nothing: made beside its place, then put there in one step. */
static int
place_fill(struct init *x)
{
	int err = place_make(x);

	if (err == LINDUNG_OK)
		err = ld_home_make(&x->home, &x->report);
	if (err == LINDUNG_OK)
		err = keys_save(x);
	if (err == LINDUNG_OK)
		err = policy_write(x);
	if (err == LINDUNG_OK)
		err = policy_check(x);
	if (err == LINDUNG_OK)
		err = ld_log_create(ld_home_path(&x->home, "log"), x->log.signer, &x->report);
	/* RENAME_NOREPLACE: an empty directory that came meanwhile is somebody's. */
	if (err == LINDUNG_OK &&
	    renameat2(AT_FDCWD, x->temporary, AT_FDCWD, x->directory, RENAME_NOREPLACE) != 0)
		err = ld_fail(&x->report, errno == EEXIST ? LINDUNG_EEXISTS : LINDUNG_EIO, "%s: %s",
			      x->directory, strerror(errno));
	if (err != LINDUNG_OK)
		ld_home_discard(x->temporary);
	return err;
}

static int
init(struct init *x)
{
	sigset_t deadly, before;
	int err = ld_home_find(&x->home, x->arguments.words[0], &x->report);

	if (err != LINDUNG_OK)
		return err;
	x->directory = strdup(x->home.path);
	if (x->directory == NULL)
		return ld_fail(&x->report, LINDUNG_ENOMEM, "not enough memory");
	if (access(x->directory, F_OK) == 0)
		return ld_fail(
			&x->report, LINDUNG_EEXISTS,
			"%s: it is there already. A log is begun once: name a directory that "
			"does not exist",
			x->directory);
	err = log_key_take(x);
	if (err == LINDUNG_OK && x->arguments.counts[OPTION_ROOT] == 0)
		err = root_keys_make(x);
	if (err != LINDUNG_OK)
		return err;
	/* The seconds that this takes are waited for: no half of it stays behind. */
	sigemptyset(&deadly);
	sigaddset(&deadly, SIGINT);
	sigaddset(&deadly, SIGTERM);
	sigaddset(&deadly, SIGHUP);
	sigprocmask(SIG_BLOCK, &deadly, &before);
	err = place_fill(x);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

int
init_main(int argc, char **argv)
{
	struct init x = {.passphrase_fd = LD_PASSPHRASE_TERMINAL};
	int err, status;

	if (!ld_arguments_read(&x.arguments, rows, OPTION_COUNT, head, tail, argc, argv, &status))
		return status;
	err = arguments_check(&x);
	if (err != LINDUNG_OK) {
		fprintf(stderr, "lindung init: %s\nlindung init --help tells more.\n",
			x.report.text);
		return LD_EXIT_USAGE;
	}
	err = init(&x);
	if (err == LINDUNG_OK)
		next_steps_print(&x);
	else
		fprintf(stderr, "lindung init: %s\n", x.report.text);
	for (size_t i = 0; i < LD_POLICY_ROOTS_MAX; i++)
		key_free(&x.root_signers[i]);
	key_free(&x.log);
	ld_home_free(&x.home);
	free(x.directory);
	free(x.temporary);
	return err == LINDUNG_OK && ld_show_end("lindung init") ? 0 : 1;
}
