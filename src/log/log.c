/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/disk.h"
#include "log/log_parts.h"

/* The same report, with the log's path in front of it. */
static int
fail_in(const char *path, struct ld_report *report, int err)
{
	char text[LD_REPORT_MAX_BYTES];

	if (report == NULL)
		return err;
	memcpy(text, report->text, sizeof text);
	return ld_fail(report, err, "%s: %s", path, text);
}

/* ---- Beginning one -------------------------------------------------------------------------- */

static int
write_first(int directory, const struct ld_signer *signer, struct ld_report *report)
{
	struct ld_checkpoint checkpoint = {
		.origin = ld_span_str(ld_signer_verifier(signer)->name),
	};
	struct ld_buffer text, note;
	int err;

	ld_hash_empty(&checkpoint.root);
	ld_buffer_init(&text, LD_CHECKPOINT_MAX_BYTES);
	ld_buffer_init(&note, LD_CHECKPOINT_MAX_BYTES);
	err = ld_checkpoint_format(&text, &checkpoint);
	if (err == LINDUNG_OK)
		err = ld_note_sign(&note, ld_buffer_span(&text), &signer, 1, 0);
	if (err != LINDUNG_OK)
		ld_fail(report, err, "the first checkpoint cannot be signed: %s",
			lindung_strerror(err));
	if (err == LINDUNG_OK)
		err = ld_disk_replace(directory, ".private/" LD_LOG_CHECKPOINT_NEW, directory,
				      "checkpoint", ld_buffer_span(&note), 0644, report);
	ld_buffer_free(&text);
	ld_buffer_free(&note);
	return err;
}

int
ld_log_create(const char *path, const struct ld_signer *signer, struct ld_report *report)
{
	int directory, err;

	if (ld_signer_verifier(signer)->type != LD_KEY_ED25519)
		return ld_fail(report, LINDUNG_EINVAL, "a log signs with an Ed25519 key (0x01)");
	err = ld_disk_make_directory(AT_FDCWD, path, 0755, report);
	if (err == LINDUNG_OK)
		err = ld_disk_open(&directory, AT_FDCWD, path, report);
	if (err != LINDUNG_OK)
		return err;
	/* Nothing but what a creation that was interrupted leaves: ".", ".." and ".private". */
	if (ld_disk_count(directory, "") > 2 + (size_t)ld_disk_exists(directory, ".private")) {
		err = ld_fail(report, LINDUNG_EEXISTS,
			      "%s: is not empty: a log begins in a directory of its own", path);
	} else {
		err = ld_disk_make_directory(directory, ".private", 0700, report);
		if (err == LINDUNG_OK)
			err = ld_disk_make_directory(directory, ".private/" LD_LOG_STAGE, 0700,
						     report);
		if (err == LINDUNG_OK)
			err = write_first(directory, signer, report);
		if (err != LINDUNG_OK)
			fail_in(path, report, err);
	}
	close(directory);
	return err;
}

/* ---- Opening -------------------------------------------------------------------------------- */

int
ld_log_adopt(struct ld_log *log, struct ld_span bytes, struct ld_report *report)
{
	struct ld_buffer checkpoint;
	struct ld_checkpoint now;
	struct ld_note note;
	int err;

	ld_buffer_init(&checkpoint, LD_CHECKPOINT_MAX_BYTES);
	ld_buffer_bytes(&checkpoint, bytes);
	if (checkpoint.failed) {
		ld_buffer_free(&checkpoint);
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	}
	err = ld_note_parse(&note, ld_buffer_span(&checkpoint), report);
	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&now, note.text, report);
	if (err != LINDUNG_OK) {
		ld_buffer_free(&checkpoint);
		return LINDUNG_EDAMAGED;
	}
	ld_buffer_free(&log->checkpoint);
	log->checkpoint = checkpoint;
	log->now = now;
	return LINDUNG_OK;
}

static int
read_checkpoint(struct ld_log *log, struct ld_report *report)
{
	struct ld_buffer bytes;
	int err;

	ld_buffer_init(&bytes, LD_CHECKPOINT_MAX_BYTES);
	err = ld_disk_read(log->directory, "checkpoint", &bytes, report);
	if (err == LINDUNG_ENOTFOUND)
		return ld_fail(report, LINDUNG_EIO, "no log: there is no file 'checkpoint' in it");
	if (err == LINDUNG_ELIMIT)
		return LINDUNG_EDAMAGED;
	if (err == LINDUNG_OK)
		err = ld_log_adopt(log, ld_buffer_span(&bytes), report);
	ld_buffer_free(&bytes);
	return err;
}

/* One writer at a time. */
static int
lock_for_writing(struct ld_log *log, struct ld_report *report)
{
	int err;

	if (ld_signer_verifier(log->signer)->type != LD_KEY_ED25519)
		return ld_fail(report, LINDUNG_EINVAL, "a log signs with an Ed25519 key (0x01)");
	err = ld_disk_open(&log->private, log->directory, ".private", report);
	if (err != LINDUNG_OK)
		return err;
	log->lock =
		openat(log->private, LD_LOG_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (log->lock < 0)
		return ld_fail(report, LINDUNG_EIO, ".private/" LD_LOG_LOCK ": %s",
			       strerror(errno));
	if (flock(log->lock, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK
			       ? ld_fail(report, LINDUNG_EBUSY, "another process writes this log")
			       : ld_fail(report, LINDUNG_EIO, ".private/" LD_LOG_LOCK ": %s",
					 strerror(errno));
	err = ld_disk_make_directory(log->private, LD_LOG_STAGE, 0700, report);
	if (err != LINDUNG_OK)
		return err;
	return ld_disk_open(&log->stage, log->private, LD_LOG_STAGE, report);
}

/* What the writer goes on from: its own signature, and the tree's edge as it is on the disk. */
static int
check_edge(struct ld_log *log, struct ld_report *report)
{
	const struct ld_verifier *key = ld_signer_verifier(log->signer);
	struct ld_tile_source source = ld_log_tiles(log);
	struct ld_note note;
	struct ld_hash root;
	uint64_t keys;
	int err;

	err = ld_note_parse(&note, ld_buffer_span(&log->checkpoint), report);
	if (err == LINDUNG_OK)
		err = ld_note_verify(&note, &key, 1, &keys, NULL, report);
	if (err != LINDUNG_OK)
		return err;
	if (!ld_span_equal(log->now.origin, ld_span_str(key->name)))
		return ld_fail(report, LINDUNG_ESIGNATURE, "the log of another key than %s",
			       key->name);
	err = ld_tree_load(&log->tree, log->now.size, &source);
	if (err != LINDUNG_OK)
		return ld_fail(report, err == LINDUNG_EIO ? LINDUNG_EIO : LINDUNG_EDAMAGED,
			       "its tiles cannot be read: %s", lindung_strerror(err));
	ld_tree_root_now(&log->tree, &root);
	if (!ld_hash_equal(&root, &log->now.root))
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "its tiles are not those of its checkpoint: restore them from a "
			       "mirror or a backup");
	if (log->now.size == 0)
		return LINDUNG_OK;
	return ld_log_load_bundle(log, (log->now.size - 1) / LD_TILE_WIDTH, &log->now, report);
}

/* Such files are there only because a larger tree was signed: then the checkpoint, or what is
 * pending, is an old one, and to go on from it would be a fork. */
int
ld_log_check_newest(struct ld_log *log, struct ld_report *report)
{
	const uint64_t size = log->pending.is_there ? log->pending.checkpoint.size : log->now.size;
	const struct ld_tile full = {
		.level = LD_TILE_ENTRIES,
		.number = size / LD_TILE_WIDTH,
		.width = LD_TILE_WIDTH,
	};
	char path[LD_TILE_PATH_MAX + 2];
	size_t len = ld_tile_path(&full, path);
	bool is_newest = !ld_disk_exists(log->directory, path);

	memcpy(path + len, ".p", 3);
	if (is_newest && ld_disk_largest(log->directory, path) <= size % LD_TILE_WIDTH)
		return LINDUNG_OK;
	return ld_fail(report, LINDUNG_EDAMAGED,
		       "the checkpoint is older than what was signed (there are entries behind its "
		       "%" PRIu64 "): to go on from it would be a fork; put the newest checkpoint "
		       "there, from a mirror",
		       size);
}

int
ld_log_open(struct ld_log **ret, const char *path, const struct ld_signer *signer,
	    struct ld_report *report)
{
	struct ld_log *log = calloc(1, sizeof *log);
	int err;

	if (log == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	*log = (struct ld_log){
		.directory = -1, .private = -1, .stage = -1, .lock = -1, .signer = signer};
	log->path = strdup(path);
	if (log->path == NULL) {
		ld_log_close(log);
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	}
	err = ld_disk_open(&log->directory, AT_FDCWD, path, report);
	if (err != LINDUNG_OK) {
		ld_log_close(log);
		return err;
	}
	if (signer != NULL)
		err = lock_for_writing(log, report);
	if (err == LINDUNG_OK)
		err = read_checkpoint(log, report);
	if (err == LINDUNG_OK && signer != NULL)
		err = check_edge(log, report);
	if (err == LINDUNG_OK && signer != NULL)
		err = ld_log_recover(log, report);
	if (err == LINDUNG_OK && signer != NULL && !log->pending.is_there)
		err = ld_log_check_newest(log, report);
	if (err != LINDUNG_OK) {
		fail_in(path, report, err);
		ld_log_close(log);
		return err;
	}
	*ret = log;
	return LINDUNG_OK;
}

void
ld_log_close(struct ld_log *log)
{
	if (log == NULL)
		return;
	/* The lock goes with its descriptor, and goes last. */
	const int fds[] = {log->stage, log->private, log->directory, log->lock};

	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	ld_buffer_free(&log->checkpoint);
	ld_buffer_free(&log->pending.note);
	ld_buffer_free(&log->bundle_bytes);
	free(log->path);
	free(log);
}

struct ld_span
ld_log_checkpoint(const struct ld_log *log)
{
	return ld_buffer_span(&log->checkpoint);
}

uint64_t
ld_log_size(const struct ld_log *log)
{
	return log->now.size;
}

void
ld_log_set_witness(struct ld_log *log, ld_log_witness *witness, void *ctx)
{
	log->witness = witness;
	log->witness_ctx = ctx;
}
