/* SPDX-License-Identifier: BSD-2-Clause */
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "hand_in.h"
#include "log/parcel.h"
#include "show.h"

void
ld_say_complain(const struct ld_say *say)
{
	fprintf(stderr, "lindung %s: %s\n", say->command, say->report.text);
}

int
ld_say_begin(struct ld_say *say, const char *command, const char *home,
	     const struct ld_ledger_options *options)
{
	int err;

	say->command = command;
	ld_buffer_init(&say->inline_entries, LD_NOTE_MAX_BYTES);
	ld_buffer_init(&say->block, LD_BLOCK_STORED_MAX_BYTES);
	ld_buffer_init(&say->text, LD_NOTE_MAX_BYTES);
	ld_buffer_init(&say->note, LD_NOTE_MAX_BYTES);
	say->statement.expires_s = INT64_MAX;
	say->now_s = options->now_s;
	err = ld_home_find(&say->home, home, &say->report);
	if (err == LINDUNG_OK)
		err = ld_ledger_policy(&say->ledger, &say->home, options, &say->report);
	if (err != LINDUNG_OK)
		return err;
	/* Who signs on a machine without a network does so all the same, and sees less. */
	say->has_log =
		ld_ledger_read(&say->ledger, &say->home, options, &say->no_log) == LINDUNG_OK;
	say->statement.log = ld_policy_origin(say->ledger.policy);
	say->statement.time_s = say->now_s;
	return LINDUNG_OK;
}

int
ld_say_signer(struct ld_say *say, const char *name)
{
	struct ld_signer **signer = &say->signers[say->signer_count];
	const char *path;
	int err;

	if (say->signer_count == LD_SAY_SIGNERS_MAX)
		return ld_fail(&say->report, LINDUNG_ELIMIT, "more than %d keys at once",
			       LD_SAY_SIGNERS_MAX);
	err = ld_home_key(&path, &say->home, name, ".key", &say->report);
	if (err == LINDUNG_OK)
		err = ld_home_signer(signer, path, say->passphrase_fd, &say->report);
	if (err == LINDUNG_OK)
		say->signer_count++;
	return err;
}

void
ld_say_end(struct ld_say *say)
{
	for (unsigned i = 0; i < say->signer_count; i++)
		ld_signer_free(say->signers[i]);
	ld_ledger_close(&say->ledger);
	ld_entries_free(&say->entries);
	ld_buffer_free(&say->inline_entries);
	ld_buffer_free(&say->block);
	ld_buffer_free(&say->text);
	ld_buffer_free(&say->note);
	ld_home_free(&say->home);
}

/* ---- The end: sign, show, ask, write ------------------------------------------------------- */

static int
statement_sign(struct ld_say *say)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t id[LD_STATEMENT_ID_BYTES];
	int err = ld_statement_format(&say->text, &say->statement, &say->report);

	if (err != LINDUNG_OK)
		return err;
	ld_statement_id(id, ld_buffer_span(&say->text));
	for (size_t i = 0; i < sizeof id; i++) {
		say->id[2 * i] = digits[id[i] >> 4];
		say->id[2 * i + 1] = digits[id[i] & 0xf];
	}
	err = ld_note_sign(&say->note, ld_buffer_span(&say->text),
			   (const struct ld_signer *const *)say->signers, say->signer_count, 0);
	return err == LINDUNG_OK
		       ? err
		       : ld_fail(&say->report, err, "cannot sign: %s", lindung_strerror(err));
}

static int
parcel_write(struct ld_say *say, const char *path)
{
	struct ld_replace file;
	int err;

	if (strcmp(path, "-") == 0) {
		fwrite(say->note.data, 1, say->note.len, stdout);
		fwrite(say->block.data, 1, say->block.len, stdout);
		return ld_show_end("lindung") ? LINDUNG_OK
					      : ld_fail(&say->report, LINDUNG_EIO, "not written");
	}
	if (access(path, F_OK) == 0)
		return ld_fail(&say->report, LINDUNG_EEXISTS,
			       "%s: it is there already, and is left alone: another name after -o?",
			       path);
	err = ld_replace_begin(&file, path, &say->report);
	if (err != LINDUNG_OK)
		return err;
	if (ld_write_all(file.fd, say->note.data, say->note.len) != LINDUNG_OK ||
	    ld_write_all(file.fd, say->block.data, say->block.len) != LINDUNG_OK) {
		err = ld_fail(&say->report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
		ld_replace_abandon(&file);
		return err;
	}
	return ld_replace_commit(&file, &say->report);
}

static int
parcel_submit(struct ld_say *say)
{
	const struct ld_hand_in_options options = {
		.now_s = say->now_s, .passphrase_fd = say->passphrase_fd, .policy = NULL};
	struct ld_buffer bytes;
	struct ld_parcel parcel;
	struct ld_hand_in *hand_in;
	uint64_t index;
	int err = ld_hand_in_open(&hand_in, &say->home, say->ledger.where, &options, &say->report);

	if (err != LINDUNG_OK)
		return err;
	ld_buffer_init(&bytes, LD_PARCEL_MAX_BYTES);
	ld_buffer_bytes(&bytes, ld_buffer_span(&say->note));
	ld_buffer_bytes(&bytes, ld_buffer_span(&say->block));
	err = bytes.failed ? ld_fail(&say->report, LINDUNG_ENOMEM, "not enough memory")
			   : ld_parcel_split(&parcel, ld_buffer_span(&bytes), &say->report);
	if (err == LINDUNG_OK)
		err = ld_hand_in_give(hand_in, &parcel, &index, &say->report);
	ld_buffer_free(&bytes);
	ld_hand_in_close(hand_in);
	if (err == LINDUNG_OK && index == UINT64_MAX)
		puts("The host has received it, and will put it into the log.");
	else if (err == LINDUNG_OK)
		printf("Number %s in the log %.*s.\n", ld_show_number(index).text,
		       (int)say->statement.log.len, (const char *)say->statement.log.data);
	return err;
}

static int
hand_over(struct ld_say *say, const struct ld_say_finish *how)
{
	char name[64];
	const char *path = how->output != NULL ? how->output : name;
	int err;

	if (how->submit)
		return parcel_submit(say);
	snprintf(name, sizeof name, "%s-%.*s.statement",
		 ld_statement_action_key(say->statement.action), LD_STATEMENT_ID_SHOWN, say->id);
	err = parcel_write(say, path);
	if (err == LINDUNG_OK && strcmp(path, "-") != 0)
		printf("Written to %s.  It counts once the log has it: lindung submit %s\n", path,
		       path);
	return err;
}

int
ld_say_finish(struct ld_say *say, const struct ld_say_finish *how)
{
	int err = statement_sign(say);

	if (err == LINDUNG_OK &&
	    (how->dry_run || !how->yes || how->output == NULL || strcmp(how->output, "-") != 0))
		ld_say_look(say);
	fflush(stdout);
	if (err == LINDUNG_OK && how->dry_run) {
		puts("Nothing was written or handed in (--dry-run).");
		return ld_show_end("lindung") ? 0 : 1;
	}
	if (err == LINDUNG_OK && !how->yes &&
	    !ld_home_confirm(how->submit ? "Hand it in?" : "Keep this signed statement?"))
		err = ld_fail(
			&say->report, LINDUNG_EDENIED,
			"nothing was written: not confirmed (without a terminal, --yes does)");
	if (err == LINDUNG_OK)
		err = hand_over(say, how);
	if (err != LINDUNG_OK)
		ld_say_complain(say);
	return err == LINDUNG_OK && ld_show_end("lindung") ? 0 : 1;
}
