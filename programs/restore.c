/* lindung restore: a home again, from what lindung backup wrote.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "arguments.h"
#include "backup.h"
#include "base/file.h"
#include "home.h"
#include "log/log.h"
#include "log/seal.h"
#include "passphrase.h"
#include "show.h"

int restore_main(int argc, char **argv);

enum { OPTION_HOME, OPTION_IDENTITY, OPTION_PASSPHRASE, OPTION_COUNT };

static const struct ld_argument_row rows[OPTION_COUNT] = {
	[OPTION_HOME] = {.name = "home",
			 .value = "DIR",
			 .help = "where it comes to stand, a directory that does not exist yet; "
				 "otherwise $LINDUNG_HOME or ~/.config/lindung"},
	[OPTION_IDENTITY] = {.name = "identity",
			     .letter = 'i',
			     .value = "FILE",
			     .help = "the secret age key, for a backup made for a recipient"},
	[OPTION_PASSPHRASE] = {.name = "passphrase-fd",
			       .value = "FD",
			       .help = "read the passphrase from this descriptor; not from the "
				       "terminal"},
};

static const char head[] = "usage: lindung restore [OPTION ...] FILE\n"
			   "\n"
			   "Makes a home again from a backup, and checks what is in it: that "
			   "nothing was changed, and\n"
			   "that the log is whole.\n"
			   "\n";

static const char tail[] =
	"\nExit: 0 done, 1 it failed and nothing is there, 2 wrong usage.  See lindung-log(1).\n";

struct restore {
	struct ld_report report;
	char *temporary; /* where it is unpacked, beside its place */
	struct ld_home home;
	bool has_head;
	char made[LD_BACKUP_HEAD_MAX]; /* what its first file says to people */
	uint64_t files;
	bool has_log, has_witness;
	uint64_t log_size;
};

/* ---- Decrypted
 * ----------------------------------------------------------------------------------- */

static int
backup_open(struct ld_buffer *ret, struct ld_span sealed, const struct ld_arguments *arguments,
	    struct ld_report *report)
{
	const char *identity = ld_argument(arguments, OPTION_IDENTITY);
	const char *fd_text = ld_argument(arguments, OPTION_PASSPHRASE);
	struct ld_passphrase *passphrase = NULL;
	struct ld_openers *openers;
	int fd = LD_PASSPHRASE_TERMINAL, err = ld_openers_new(&openers);
	bool asks = ld_seal_is_for_passphrase(sealed);

	if (err != LINDUNG_OK)
		return ld_fail(report, err, "memory for keys cannot be had, or not be locked");
	if (!asks && identity == NULL)
		err = ld_fail(report, LINDUNG_EINVAL,
			      "this backup was made for a recipient: -i FILE names the secret age "
			      "key");
	if (err == LINDUNG_OK && fd_text != NULL)
		err = ld_passphrase_fd_read(&fd, fd_text, report);
	if (err == LINDUNG_OK && asks)
		err = ld_passphrase_ask(&passphrase, fd, "Passphrase of the backup", report);
	if (err == LINDUNG_OK)
		err = asks ? ld_openers_passphrase(openers, ld_passphrase_text(passphrase), report)
			   : ld_openers_add_file(openers, identity, report);
	ld_passphrase_free(passphrase);
	if (err == LINDUNG_OK)
		err = ld_unseal_buffer(ret, sealed, openers, report);
	ld_openers_free(openers);
	return err;
}

/* ---- Unpacked
 * ------------------------------------------------------------------------------------- */

static int
head_read(struct restore *x, const char *name, struct ld_span bytes)
{
	if (strcmp(name, LD_BACKUP_NAME) != 0 || !ld_span_starts(bytes, LD_SPAN("lindung backup ")))
		return ld_fail(&x->report, LINDUNG_EFORMAT,
			       "it opens, but is no backup of a home: it begins with \"%s\"", name);
	if (!ld_span_starts(bytes, LD_SPAN(LD_BACKUP_HEAD)))
		return ld_fail(&x->report, LINDUNG_EVERSION,
			       "it was made by a newer lindung: restore it with that one");
	bytes = ld_span_from(bytes, strlen(LD_BACKUP_HEAD));
	snprintf(x->made, sizeof x->made, "%.*s", (int)ld_span_find(bytes, '\n'),
		 (const char *)bytes.data);
	x->has_head = true;
	return LINDUNG_OK;
}

/* Of a home, only the public part of the log is for others. */
static bool
is_public(const char *name)
{
	return (strcmp(name, "log") == 0 || strncmp(name, "log/", 4) == 0) &&
	       strcmp(name, "log/.private") != 0 && strncmp(name, "log/.private/", 13) != 0;
}

/* Every folder that the file stands in. */
static int
way_make(struct restore *x, char *path)
{
	char *below = path + strlen(x->temporary) + 1;

	for (char *slash = below; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		if (mkdir(path, is_public(below) ? 0755 : 0700) != 0 && errno != EEXIST)
			return ld_fail(&x->report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
		*slash = '/';
	}
	return LINDUNG_OK;
}

static int
file_restore(void *ctx, const char *name, mode_t mode, struct ld_span bytes)
{
	struct restore *x = ctx;
	char *path;
	int fd, err;

	if (!x->has_head)
		return head_read(x, name, bytes);
	if (asprintf(&path, "%s/%s", x->temporary, name) < 0)
		return ld_fail(&x->report, LINDUNG_ENOMEM, "not enough memory");
	err = way_make(x, path);
	fd = err == LINDUNG_OK
		     ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0755)
		     : -1;
	if (err == LINDUNG_OK &&
	    (fd < 0 || ld_write_all(fd, bytes.data, bytes.len) != LINDUNG_OK || fsync(fd) != 0))
		err = ld_fail(&x->report, LINDUNG_EIO, "%s: %s", name, strerror(errno));
	if (fd >= 0 && close(fd) != 0 && err == LINDUNG_OK)
		err = ld_fail(&x->report, LINDUNG_EIO, "%s: %s", name, strerror(errno));
	free(path);
	x->files++;
	x->has_witness = x->has_witness || strncmp(name, "witness/", 8) == 0;
	return err;
}

/* ---- Checked
 * --------------------------------------------------------------------------------------- */

/* The whole tree, from every entry: what stands in the tiles is what the checkpoint says. */
static int
log_check(struct restore *x)
{
	struct ld_checkpoint checkpoint;
	struct ld_tree tree = {.size = 0};
	struct ld_hash leaf, root;
	struct ld_buffer entry;
	struct ld_note note;
	struct ld_log *log;
	int err;

	if (!ld_home_holds_log(x->temporary))
		return LINDUNG_OK;
	x->has_log = true;
	/* An empty folder is in no archive; who writes to the log needs it. */
	mkdir(ld_home_path(&x->home, "log/.private"), 0700);
	err = ld_log_open(&log, ld_home_path(&x->home, "log"), NULL, &x->report);
	if (err != LINDUNG_OK)
		return err;
	ld_buffer_init(&entry, LD_ENTRY_MAX_BYTES);
	err = ld_note_parse(&note, ld_log_checkpoint(log), &x->report);
	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&checkpoint, note.text, &x->report);
	for (uint64_t i = 0; err == LINDUNG_OK && i < checkpoint.size; i++) {
		entry.len = 0;
		err = ld_log_entry(log, i, &entry, &x->report);
		if (err == LINDUNG_OK) {
			ld_hash_leaf(&leaf, ld_buffer_span(&entry));
			ld_tree_append(&tree, &leaf);
		}
	}
	ld_tree_root_now(&tree, &root);
	if (err == LINDUNG_OK && !ld_hash_equal(&root, &checkpoint.root))
		err = ld_fail(&x->report, LINDUNG_EDAMAGED,
			      "the log in it is not what its checkpoint says");
	x->log_size = tree.size;
	ld_buffer_free(&entry);
	ld_log_close(log);
	return err;
}

/* All or nothing, beside its place first. */
static int
place_fill(struct restore *x, struct ld_span archive, const char *place)
{
	int err = ld_archive_each(archive, file_restore, x, &x->report);

	if (err == LINDUNG_OK && !x->has_head)
		err = ld_fail(&x->report, LINDUNG_EFORMAT, "it opens, and is empty");
	if (err == LINDUNG_OK)
		err = log_check(x);
	if (x->has_log)
		chmod(x->temporary, 0755); /* a web server reaches log/ */
	if (err == LINDUNG_OK &&
	    renameat2(AT_FDCWD, x->temporary, AT_FDCWD, place, RENAME_NOREPLACE) != 0)
		err = ld_fail(&x->report, errno == EEXIST ? LINDUNG_EEXISTS : LINDUNG_EIO, "%s: %s",
			      place, strerror(errno));
	return err;
}

static int
place_make(struct restore *x, const char *place)
{
	const char *slash = strrchr(place, '/');

	/* ~/.config may be missing on a new account. */
	if (slash != NULL && slash != place) {
		char *folder = strndup(place, (size_t)(slash - place));

		if (folder != NULL && mkdir(folder, 0700) != 0 && errno != EEXIST) {
			ld_fail(&x->report, LINDUNG_EIO, "%s: %s", folder, strerror(errno));
			free(folder);
			return LINDUNG_EIO;
		}
		free(folder);
	}
	if (asprintf(&x->temporary, "%s.XXXXXX", place) < 0) {
		x->temporary = NULL;
		return ld_fail(&x->report, LINDUNG_ENOMEM, "not enough memory");
	}
	if (mkdtemp(x->temporary) == NULL)
		return ld_fail(&x->report, LINDUNG_EIO, "%s: cannot be made: %s", place,
			       strerror(errno));
	return ld_home_find(&x->home, x->temporary, &x->report);
}

static int
unpack(struct restore *x, struct ld_span archive, const char *place)
{
	sigset_t deadly, before;
	int err;

	sigemptyset(&deadly);
	sigaddset(&deadly, SIGINT);
	sigaddset(&deadly, SIGTERM);
	sigaddset(&deadly, SIGHUP);
	sigprocmask(SIG_BLOCK, &deadly, &before);
	err = place_make(x, place);
	if (err == LINDUNG_OK)
		err = place_fill(x, archive, place);
	if (err != LINDUNG_OK)
		ld_home_discard(x->temporary);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

static void
outcome_print(const struct restore *x, const char *place)
{
	printf("%s: %s files, %s\n", place, ld_show_number(x->files).text, x->made);
	if (x->has_witness)
		puts("It was a witness.  If it has signed anything after this backup, make it a "
		     "new key: one that forgets\nwhat it has signed may sign a fork.");
	if (x->has_log)
		printf("The log in it has %s statements.  If it went on after this backup, get "
		       "what "
		       "is newer from a\nmirror before anything is appended: a log that says two "
		       "different things is a fork, and every\nfollower will refuse it.\n",
		       ld_show_number(x->log_size).text);
}

static int
restore(struct restore *x, const struct ld_arguments *arguments)
{
	const char *path = arguments->word_count == 1 ? arguments->words[0] : NULL;
	struct ld_buffer opened;
	struct ld_home home;
	struct ld_map map;
	int err;

	if (path == NULL)
		return ld_fail(&x->report, LINDUNG_EINVAL, "from which file? Name one");
	ld_buffer_init(&opened, LD_BACKUP_MAX_BYTES);
	err = ld_home_find(&home, ld_argument(arguments, OPTION_HOME), &x->report);
	if (err != LINDUNG_OK)
		return err;
	if (access(home.path, F_OK) == 0)
		err = ld_fail(&x->report, LINDUNG_EEXISTS,
			      "%s: it is there already, and is left alone; --home DIR names a "
			      "directory that does not exist",
			      home.path);
	else if (ld_map_open(&map, path) != LINDUNG_OK)
		err = ld_fail(&x->report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
	if (err == LINDUNG_OK) {
		err = backup_open(&opened, map.bytes, arguments, &x->report);
		ld_map_close(&map);
	}
	if (err == LINDUNG_OK)
		err = unpack(x, ld_buffer_span(&opened), home.path);
	if (err == LINDUNG_OK)
		outcome_print(x, home.path);
	if (opened.data != NULL)
		explicit_bzero(opened.data, opened.len);
	ld_buffer_free(&opened);
	ld_home_free(&home);
	return err;
}

int
restore_main(int argc, char **argv)
{
	struct restore x = {.files = 0};
	struct ld_arguments arguments;
	int err, status;

	if (!ld_arguments_read(&arguments, rows, OPTION_COUNT, head, tail, argc, argv, &status))
		return status;
	err = restore(&x, &arguments);
	ld_home_free(&x.home);
	free(x.temporary);
	return ld_arguments_end("restore", err, &x.report);
}
