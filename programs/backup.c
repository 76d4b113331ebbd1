/* lindung backup: everything of a home in one encrypted file.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lindung/lindung.h>

#include "archive.h"
#include "arguments.h"
#include "backup.h"
#include "base/file.h"
#include "home.h"
#include "interrupt.h"
#include "log/seal.h"
#include "log/statement.h"
#include "passphrase.h"
#include "show.h"
#include "store/store.h"

int backup_main(int argc, char **argv);

enum { DEPTH_MAX = 16 };

#define CHECKPOINT "log/checkpoint" /* goes in first */

enum { OPTION_HOME, OPTION_RECIPIENT, OPTION_PASSPHRASE, OPTION_AT, OPTION_COUNT };

static const struct ld_argument_row rows[OPTION_COUNT] = {
	[OPTION_HOME] = {.name = "home",
			 .value = "DIR",
			 .help = "what to keep; otherwise $LINDUNG_HOME or ~/.config/lindung"},
	[OPTION_RECIPIENT] =
		{.name = "recipient",
		 .letter = 'r',
		 .value = "RECIPIENT",
		 .many = true,
		 .help = "who can open it: an age key (age1...); otherwise a passphrase"},
	[OPTION_PASSPHRASE] = {.name = "passphrase-fd",
			       .value = "FD",
			       .help = "read the passphrase from this descriptor; not from the "
				       "terminal"},
	[OPTION_AT] = {.name = "at",
		       .value = "TIME",
		       .help = "the time that it says it was made; otherwise now"},
};

static const char head[] = "usage: lindung backup [OPTION ...] FILE\n"
			   "\n"
			   "Writes keys, policy, log and queue of a home into one encrypted file, "
			   "an age v1 file of a\n"
			   "tar: \"lindung restore\" reads it, and so do age and tar.\n"
			   "\n";

static const char tail[] =
	"\nKeys in it keep their own passphrases.  What was only fetched (HOME/mirror) is left "
	"out.\n"
	"\n"
	"Exit: 0 done, 1 it failed and there is no file, 2 wrong usage.  See lindung-log(1).\n";

struct backup {
	struct ld_report report;
	struct ld_home home;
	int64_t now_s;
	struct ld_buffer archive;
	uint64_t files;
};

/* ---- What goes in ------------------------------------------------------------------------------
 */

/* Fetched again, locked by another process, or copied in another way. */
static bool
is_left_out(const char *name)
{
	static const char *const names[] = {"mirror",          CHECKPOINT,     "log/.private/lock",
					    "witness/.lock",   "store.sqlite", "store.sqlite-wal",
					    "store.sqlite-shm"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int
file_add(struct backup *x, const char *path, const char *name, const struct stat *st)
{
	uint8_t *data;
	size_t len;
	int err = ld_read_file(path, LD_BACKUP_MAX_BYTES, &data, &len, &x->report);

	/* A log goes on while it is copied: what was staged has its place by now. */
	if (err != LINDUNG_OK)
		return access(path, F_OK) != 0 && errno == ENOENT ? LINDUNG_OK : err;
	err = ld_archive_add(&x->archive, name, st->st_mode, st->st_mtime, ld_span(data, len),
			     &x->report);
	explicit_bzero(data, len);
	free(data);
	x->files++;
	if (err == LINDUNG_OK && x->archive.failed)
		err = ld_fail(&x->report, LINDUNG_ELIMIT,
			      "%s is larger than a backup can be (%s), or than there is memory",
			      x->home.path, ld_show_bytes(LD_BACKUP_MAX_BYTES).text);
	return err;
}

static int folder_add(struct backup *x, const char *name, unsigned depth);

static int
name_add(struct backup *x, const char *name, unsigned depth)
{
	const char *path = ld_home_path(&x->home, "%s", name);
	struct stat st;

	if (path == NULL)
		return ld_fail(&x->report, LINDUNG_ENOMEM, "not enough memory");
	if (lstat(path, &st) != 0)
		return errno == ENOENT
			       ? LINDUNG_OK
			       : ld_fail(&x->report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return folder_add(x, name, depth + 1);
	if (S_ISREG(st.st_mode))
		return file_add(x, path, name, &st);
	fprintf(stderr, "lindung backup: %s: no file, and left out\n", path);
	return LINDUNG_OK;
}

static int
folder_add(struct backup *x, const char *name, unsigned depth)
{
	const char *path = *name != '\0' ? ld_home_path(&x->home, "%s", name) : x->home.path;
	struct dirent **files = NULL;
	int count = path != NULL ? scandir(path, &files, NULL, alphasort) : -1;
	int err = LINDUNG_OK;

	if (count < 0 && errno == ENOENT && depth != 0)
		return LINDUNG_OK;
	if (count < 0)
		return ld_fail(&x->report, LINDUNG_EIO, "%s: %s", path != NULL ? path : name,
			       strerror(errno));
	if (depth > DEPTH_MAX)
		err = ld_fail(&x->report, LINDUNG_ELIMIT, "%s: too many folders in folders", path);
	for (int i = 0; i < count; i++) {
		char *below = NULL;

		if (err == LINDUNG_OK && strcmp(files[i]->d_name, ".") != 0 &&
		    strcmp(files[i]->d_name, "..") != 0) {
			if (asprintf(&below, "%s%s%s", name, *name != '\0' ? "/" : "",
				     files[i]->d_name) < 0)
				err = ld_fail(&x->report, LINDUNG_ENOMEM, "not enough memory");
			else if (!is_left_out(below))
				err = name_add(x, below, depth);
			free(below);
		}
		free(files[i]);
	}
	free(files);
	return err;
}

/* A consistent copy of the database, though another process may write to it. */
static int
store_add(struct backup *x)
{
	const char *path = ld_home_path(&x->home, "store.sqlite");
	const char *copy = ld_home_path(&x->home, "store.sqlite.backup-%ld", (long)getpid());
	struct ld_store *store;
	struct ld_value value = {.type = LD_VALUE_TEXT};
	struct stat st;
	int err;

	if (path == NULL || copy == NULL || lstat(path, &st) != 0)
		return path != NULL && errno == ENOENT
			       ? LINDUNG_OK
			       : ld_fail(&x->report, LINDUNG_EIO, "store.sqlite: %s",
					 strerror(errno));
	value.bytes = ld_span_str(copy);
	err = ld_store_open(&store, path, "backup", NULL, 0, &x->report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_store_run(store, "VACUUM INTO ?1", &value, 1, NULL, NULL, NULL, &x->report);
	ld_store_close(store);
	if (err == LINDUNG_OK)
		err = file_add(x, copy, "store.sqlite", &st);
	unlink(copy);
	return err;
}

/* First what it is; then the checkpoint, so that whatever it speaks of is there when it is read. */
static int
archive_fill(struct backup *x)
{
	char text[LD_BACKUP_HEAD_MAX], when[32];
	int err, len;

	ld_statement_time_format(when, x->now_s, false);
	len = snprintf(text, sizeof text, LD_BACKUP_HEAD "made %s by lindung %s\n", when,
		       lindung_version());
	err = ld_archive_add(&x->archive, LD_BACKUP_NAME, 0644, x->now_s,
			     ld_span(text, (size_t)len), &x->report);
	if (err == LINDUNG_OK)
		err = name_add(x, "log/checkpoint", 0);
	if (err == LINDUNG_OK)
		err = folder_add(x, "", 0);
	if (err == LINDUNG_OK)
		err = store_add(x);
	ld_archive_end(&x->archive);
	if (err == LINDUNG_OK && x->files == 0)
		err = ld_fail(&x->report, LINDUNG_ENOTFOUND, "%s: there is nothing to keep",
			      x->home.path);
	return err;
}

/* ---- Encrypted, and written ---------------------------------------------------------------------
 */

static int
recipients_read(struct ld_recipients **ret, const struct ld_arguments *arguments,
		struct ld_report *report)
{
	unsigned count = arguments->counts[OPTION_RECIPIENT];
	const char *fd_text = ld_argument(arguments, OPTION_PASSPHRASE);
	struct ld_passphrase *passphrase = NULL;
	struct ld_recipients *set;
	int fd = LD_PASSPHRASE_TERMINAL, err = ld_recipients_new(&set);

	if (err != LINDUNG_OK)
		return ld_fail(report, err, "not enough memory");
	for (unsigned i = 0; err == LINDUNG_OK && i < count; i++)
		err = ld_recipients_add(set, ld_span_str(arguments->values[OPTION_RECIPIENT][i]),
					report);
	if (err == LINDUNG_OK && fd_text != NULL)
		err = ld_passphrase_fd_read(&fd, fd_text, report);
	if (err == LINDUNG_OK && count == 0)
		err = ld_passphrase_choose(&passphrase, fd, "New passphrase of the backup", report);
	if (err == LINDUNG_OK && count == 0)
		err = ld_passphrase_text(passphrase).len == 0
			      ? ld_fail(report, LINDUNG_EINVAL,
					"a backup has keys in it, and needs a passphrase, or "
					"recipients (-r)")
			      : ld_recipients_passphrase(set, ld_passphrase_text(passphrase),
							 report);
	ld_passphrase_free(passphrase);
	if (err == LINDUNG_OK)
		*ret = set;
	else
		ld_recipients_free(set);
	return err;
}

static int
sealed_write(struct backup *x, const struct ld_recipients *recipients, const char *path)
{
	struct ld_buffer sealed;
	struct ld_replace file;
	int err;

	ld_buffer_init(&sealed, LD_BACKUP_MAX_BYTES + LD_BACKUP_MAX_BYTES / 1024);
	err = ld_seal(&sealed, ld_buffer_span(&x->archive), recipients);
	if (err != LINDUNG_OK)
		err = ld_fail(&x->report, err, "cannot encrypt: %s", lindung_strerror(err));
	else
		err = ld_interrupt_guard(path, &x->report);
	if (err == LINDUNG_OK)
		err = ld_replace_begin(&file, path, &x->report);
	if (err == LINDUNG_OK) {
		fchmod(file.fd, 0600);
		if (ld_write_all(file.fd, sealed.data, sealed.len) == LINDUNG_OK) {
			err = ld_replace_commit(&file, &x->report);
		} else {
			err = ld_fail(&x->report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
			ld_replace_abandon(&file);
		}
	}
	if (err == LINDUNG_OK)
		printf("%s: %s, %s files of %s\n", path, ld_show_bytes(sealed.len).text,
		       ld_show_number(x->files).text, x->home.path);
	ld_buffer_free(&sealed);
	return err;
}

static int
backup(struct backup *x, const struct ld_arguments *arguments)
{
	struct ld_recipients *recipients = NULL;
	const char *path = arguments->word_count == 1 ? arguments->words[0] : NULL;
	int err = LINDUNG_OK;

	if (path == NULL)
		return ld_fail(&x->report, LINDUNG_EINVAL, "into which file? Name one");
	if (access(path, F_OK) == 0)
		return ld_fail(&x->report, LINDUNG_EEXISTS,
			       "%s: it is there already, and is left alone", path);
	err = ld_home_time(&x->now_s, ld_argument(arguments, OPTION_AT), &x->report);
	if (err == LINDUNG_OK)
		err = ld_home_find(&x->home, ld_argument(arguments, OPTION_HOME), &x->report);
	if (err == LINDUNG_OK && access(x->home.path, R_OK | X_OK) != 0)
		err = ld_fail(&x->report, LINDUNG_ENOTFOUND, "%s: %s; --home DIR names another",
			      x->home.path, strerror(errno));
	if (err == LINDUNG_OK)
		err = recipients_read(&recipients, arguments, &x->report);
	if (err == LINDUNG_OK)
		err = archive_fill(x);
	if (err == LINDUNG_OK)
		err = sealed_write(x, recipients, path);
	ld_recipients_free(recipients);
	return err;
}

int
backup_main(int argc, char **argv)
{
	struct backup x = {.files = 0};
	struct ld_arguments arguments;
	int err, status;

	if (!ld_arguments_read(&arguments, rows, OPTION_COUNT, head, tail, argc, argv, &status))
		return status;
	ld_buffer_init(&x.archive, LD_BACKUP_MAX_BYTES);
	err = backup(&x, &arguments);
	if (x.archive.data != NULL)
		explicit_bzero(x.archive.data, x.archive.len);
	ld_buffer_free(&x.archive);
	ld_home_free(&x.home);
	return ld_arguments_end("backup", err, &x.report);
}
