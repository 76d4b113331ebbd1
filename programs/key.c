/* lindung key: keys that sign, and keys that open what is sealed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "base/file.h"
#include "home.h"
#include "log/disk.h"
#include "log/key_file.h"
#include "log/seal.h"
#include "passphrase.h"
#include "show.h"

int key_main(int argc, char **argv);

enum {
	OPTION_AGE,
	OPTION_WITNESS,
	OPTION_OUTPUT,
	OPTION_HOME,
	OPTION_BARE,
	OPTION_PASSPHRASE,
	OPTION_COUNT
};

static const struct ld_argument_row rows[OPTION_COUNT] = {
	[OPTION_AGE] = {"age", NULL, "a key that opens what is sealed, instead of one that signs",
			'\0', false, false},
	[OPTION_WITNESS] = {"witness", NULL, "new: a key that cosigns checkpoints", '\0', false,
			    false},
	[OPTION_OUTPUT] = {"output", "FILE",
			   "new: where it is written; otherwise HOME/keys/NAME.key, or .age", 'o',
			   false, false},
	[OPTION_HOME] = {"home", "DIR", "where the keys are; see lindung-log(1)", '\0', false,
			 false},
	[OPTION_BARE] = {"bare", NULL, "new, passphrase: do not encrypt it", '\0', false, false},
	[OPTION_PASSPHRASE] = {"passphrase-fd", "FD",
			       "read passphrases from this descriptor, a line each: the old "
			       "one, then the new one",
			       '\0', false, false},
};

static const char head[] =
	"usage: lindung key new [OPTION ...] NAME\n"
	"       lindung key show [OPTION ...] [NAME | FILE]\n"
	"       lindung key passphrase [OPTION ...] [NAME | FILE]\n"
	"\n"
	"new makes a key and prints what others need of it: the verifier key of a key that signs\n"
	"(NAME is the party's id, or the log's origin), the recipient of one that opens (--age).\n"
	"show prints that again. passphrase gives a key that signs another passphrase.\n"
	"\n";

static const char tail[] =
	"\n"
	"The file of a key that signs is encrypted with a passphrase, which is asked for on the\n"
	"terminal. That of --age is not: age reads it, too, and whoever can read it can open\n"
	"what is sealed for it.\n"
	"\n"
	"Exit: 0 done, 1 it failed, 2 wrong usage.  See lindung-log(1).\n";

struct key {
	struct ld_report report;
	struct ld_arguments arguments;
	struct ld_home home;
	const char *name; /* or NULL */
	int passphrase_fd;
};

static bool
has(const struct key *k, size_t option)
{
	return k->arguments.counts[option] != 0;
}

static const char *
ending(const struct key *k)
{
	return has(k, OPTION_AGE) ? ".age" : ".key";
}

static void
verifier_print(const struct ld_verifier *verifier)
{
	char text[LD_KEY_TEXT_MAX];

	ld_verifier_format(verifier, text);
	printf("%s\n", text);
}

/* A passphrase for a file that is written; NULL: none. */
static int
passphrase_choose(struct ld_passphrase **ret, struct key *k, const char *path)
{
	struct ld_report prompt;

	*ret = NULL;
	if (has(k, OPTION_BARE))
		return LINDUNG_OK;
	snprintf(prompt.text, sizeof prompt.text, "New passphrase of %s (empty: none)", path);
	return ld_passphrase_choose(ret, k->passphrase_fd, prompt.text, &k->report);
}

/* ---- new ------------------------------------------------------------------------------------ */

static int
place_find(struct key *k, const char **ret)
{
	const char *path = ld_argument(&k->arguments, OPTION_OUTPUT);

	if (path == NULL && (strchr(k->name, '/') != NULL || k->name[0] == '.'))
		return ld_fail(&k->report, LINDUNG_EINVAL,
			       "%s is no name of a file: say where it is written with --output",
			       k->name);
	if (path == NULL) {
		int err = ld_home_make(&k->home, &k->report);

		if (err != LINDUNG_OK)
			return err;
		path = ld_home_path(&k->home, "keys/%s%s", k->name, ending(k));
	}
	if (path == NULL)
		return ld_fail(&k->report, LINDUNG_ENOMEM, "not enough memory");
	/* Asked for a passphrase, people want it to be for something. */
	if (access(path, F_OK) == 0)
		return ld_fail(&k->report, LINDUNG_EEXISTS,
			       "%s: is there already, and no key is written over", path);
	*ret = path;
	return LINDUNG_OK;
}

static int
age_new(struct key *k, const char *path)
{
	char recipient[LD_SEAL_TEXT_MAX];
	int err = ld_seal_generate_file(path, recipient, &k->report);

	if (err != LINDUNG_OK)
		return err;
	printf("%s\n", recipient);
	fprintf(stderr, "%s: opens what is sealed for the recipient above\n", path);
	return LINDUNG_OK;
}

static int
signer_new(struct key *k, const char *path)
{
	struct ld_passphrase *passphrase = NULL;
	struct ld_signer *signer = NULL;
	int err = ld_signer_generate(&signer, k->name,
				     has(k, OPTION_WITNESS) ? LD_KEY_COSIGNATURE : LD_KEY_ED25519,
				     &k->report);

	if (err == LINDUNG_OK)
		err = passphrase_choose(&passphrase, k, path);
	if (err == LINDUNG_OK)
		err = ld_signer_save(signer, path, ld_passphrase_text(passphrase), &k->report);
	if (err == LINDUNG_OK) {
		verifier_print(ld_signer_verifier(signer));
		fprintf(stderr, "%s: %s; the verifier key above is for others\n", path,
			ld_passphrase_text(passphrase).len != 0 ? "encrypted" : "not encrypted");
	}
	ld_passphrase_free(passphrase);
	ld_signer_free(signer);
	return err;
}

static int
key_new(struct key *k)
{
	const char *path = NULL;
	int err = place_find(k, &path);

	if (err != LINDUNG_OK)
		return err;
	return has(k, OPTION_AGE) ? age_new(k, path) : signer_new(k, path);
}

/* ---- show ----------------------------------------------------------------------------------- */

static int
age_show(struct key *k, const char *path)
{
	struct ld_openers *openers;
	char recipient[LD_SEAL_TEXT_MAX];

	if (ld_openers_new(&openers) != LINDUNG_OK)
		return ld_fail(&k->report, LINDUNG_ENOMEM, "memory for keys cannot be locked");
	int err = ld_openers_add_file(openers, path, &k->report);
	for (size_t i = 0; err == LINDUNG_OK && i < ld_openers_count(openers); i++) {
		ld_openers_recipient(openers, i, recipient);
		printf("%s\n", recipient);
	}
	ld_openers_free(openers);
	return err;
}

/* What is public of it stands in the clear: no passphrase is needed. */
static int
signer_show(struct key *k, const char *path)
{
	struct ld_key_file file;
	uint8_t *data;
	size_t len;
	int err = ld_read_file(path, LD_KEY_FILE_MAX_BYTES, &data, &len, &k->report);

	if (err != LINDUNG_OK)
		return err;
	err = ld_key_file_parse(&file, ld_span(data, len), &k->report);
	if (err == LINDUNG_OK)
		verifier_print(&file.verifier);
	explicit_bzero(&file, sizeof file);
	explicit_bzero(data, len);
	free(data);
	return err;
}

static int
key_show(struct key *k)
{
	const char *path;
	int err = ld_home_key(&path, &k->home, k->name, ending(k), &k->report);

	if (err != LINDUNG_OK)
		return err;
	return has(k, OPTION_AGE) ? age_show(k, path) : signer_show(k, path);
}

/* ---- passphrase ----------------------------------------------------------------------------- */

/* Written beside it, then put in its place: at no moment there is none. */
static int
signer_replace(struct key *k, const char *path, const struct ld_signer *signer,
	       struct ld_span passphrase)
{
	char *beside;
	int err = LINDUNG_OK;

	if (asprintf(&beside, "%s.new", path) < 0)
		return ld_fail(&k->report, LINDUNG_ENOMEM, "not enough memory");
	/* One that was broken off left nothing that is not in the file itself. */
	unlink(beside);
	err = ld_signer_save(signer, beside, passphrase, &k->report);
	if (err == LINDUNG_OK && rename(beside, path) != 0) {
		err = ld_fail(&k->report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
		unlink(beside);
	}
	if (err == LINDUNG_OK)
		err = ld_disk_sync_parent(AT_FDCWD, path, &k->report);
	free(beside);
	return err;
}

static int
key_passphrase(struct key *k)
{
	struct ld_passphrase *passphrase = NULL;
	struct ld_signer *signer = NULL;
	const char *path;
	int err = ld_home_key(&path, &k->home, k->name, ".key", &k->report);

	if (err == LINDUNG_OK)
		err = ld_home_signer(&signer, path, k->passphrase_fd, &k->report);
	if (err == LINDUNG_OK)
		err = passphrase_choose(&passphrase, k, path);
	if (err == LINDUNG_OK)
		err = signer_replace(k, path, signer, ld_passphrase_text(passphrase));
	if (err == LINDUNG_OK)
		fprintf(stderr, "%s: now %s; copies of the old file open with the old one\n", path,
			ld_passphrase_text(passphrase).len != 0 ? "encrypted anew"
								: "not encrypted");
	ld_passphrase_free(passphrase);
	ld_signer_free(signer);
	return err;
}

/* ---- The command line ------------------------------------------------------------------------ */

static const struct {
	const char *word;
	int (*run)(struct key *k);
	bool needs_name;
} deeds[] = {
	{"new", key_new, true},
	{"show", key_show, false},
	{"passphrase", key_passphrase, false},
};

enum { DEEDS = sizeof deeds / sizeof deeds[0] };

static int
wrong(const char *what)
{
	fprintf(stderr, "lindung key: %s (lindung key --help tells more)\n", what);
	return LD_EXIT_USAGE;
}

static int
run(struct key *k, size_t deed)
{
	const char *fd = ld_argument(&k->arguments, OPTION_PASSPHRASE);
	int err = LINDUNG_OK;

	k->passphrase_fd = LD_PASSPHRASE_TERMINAL;
	if (fd != NULL)
		err = ld_passphrase_fd_read(&k->passphrase_fd, fd, &k->report);
	if (err == LINDUNG_OK)
		err = ld_home_find(&k->home, ld_argument(&k->arguments, OPTION_HOME), &k->report);
	if (err == LINDUNG_OK) {
		err = deeds[deed].run(k);
		ld_home_free(&k->home);
	}
	if (err != LINDUNG_OK) {
		fprintf(stderr, "lindung key: %s\n", k->report.text);
		return 1;
	}
	return ld_show_end("lindung key") ? 0 : 1;
}

int
key_main(int argc, char **argv)
{
	struct key k = {0};
	size_t deed = 0;
	int status;

	if (!ld_arguments_read(&k.arguments, rows, OPTION_COUNT, head, tail, argc, argv, &status))
		return status;
	if (k.arguments.word_count == 0)
		return wrong("expected new, show or passphrase");
	while (deed < DEEDS && strcmp(k.arguments.words[0], deeds[deed].word) != 0)
		deed++;
	if (deed == DEEDS)
		return wrong("expected new, show or passphrase");
	if (k.arguments.word_count > 2)
		return wrong("one key at a time");
	k.name = k.arguments.word_count == 2 ? k.arguments.words[1] : NULL;
	if (k.name == NULL && deeds[deed].needs_name)
		return wrong("new: whose key is it? Give a name");
	if (has(&k, OPTION_AGE) && deeds[deed].run == key_passphrase)
		return wrong("passphrase: a key of age is not encrypted here");
	return run(&k, deed);
}
