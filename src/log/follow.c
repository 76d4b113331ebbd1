/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/follow.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/disk.h"
#include "log/text.h"

struct ld_follow {
	const struct ld_trust *trust;
	int directory;
	struct ld_buffer bytes; /* what was kept last; empty: nothing */
	struct ld_trusted seen; /* points into it */
};

/* What was kept is believed for its log's signature alone: it is a memory of what was seen, and
 * stays one when the policy asks for other witnesses later. */
static int
adopt(struct ld_follow *follow, struct ld_buffer *bytes, struct ld_report *report)
{
	struct ld_trust trust = *follow->trust;
	struct ld_trusted seen;
	int err;

	trust.age_max_s = 0;
	err = ld_checkpoint_check(&seen, ld_buffer_span(bytes), &trust, INT64_MAX, report);
	if (err == LINDUNG_EWITNESS) {
		trust.suffices = NULL;
		err = ld_checkpoint_check(&seen, ld_buffer_span(bytes), &trust, INT64_MAX, report);
	}
	if (err != LINDUNG_OK)
		return err;
	ld_buffer_free(&follow->bytes);
	follow->bytes = *bytes;
	follow->seen = seen;
	return LINDUNG_OK;
}

int
ld_follow_open(struct ld_follow **ret, const char *directory, const struct ld_trust *trust,
	       struct ld_report *report)
{
	struct ld_follow *follow = calloc(1, sizeof *follow);
	struct ld_report inner = {.text = ""};
	struct ld_buffer bytes;
	int err;

	if (follow == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	follow->trust = trust;
	follow->directory = -1;
	ld_buffer_init(&bytes, LD_CHECKPOINT_MAX_BYTES);
	err = ld_disk_make_directory(AT_FDCWD, directory, 0755, &inner);
	if (err == LINDUNG_OK)
		err = ld_disk_open(&follow->directory, AT_FDCWD, directory, &inner);
	if (err == LINDUNG_OK)
		err = ld_disk_read(follow->directory, "checkpoint", &bytes, &inner);
	if (err == LINDUNG_OK)
		err = adopt(follow, &bytes, &inner);
	if (err == LINDUNG_OK || err == LINDUNG_ENOTFOUND) {
		*ret = follow;
		return LINDUNG_OK;
	}
	ld_buffer_free(&bytes);
	ld_follow_close(follow);
	if (err == LINDUNG_ESYNTAX || err == LINDUNG_ELIMIT)
		err = LINDUNG_EDAMAGED;
	return ld_fail(report, err, "%s: what was seen of the log: %s", directory, inner.text);
}

void
ld_follow_close(struct ld_follow *follow)
{
	if (follow == NULL)
		return;
	if (follow->directory >= 0)
		close(follow->directory);
	ld_buffer_free(&follow->bytes);
	free(follow);
}

const struct ld_trusted *
ld_follow_seen(const struct ld_follow *follow)
{
	return follow->bytes.len != 0 ? &follow->seen : NULL;
}

struct ld_span
ld_follow_checkpoint(const struct ld_follow *follow)
{
	return ld_buffer_span(&follow->bytes);
}

/* Both checkpoints, signed by the log: what convicts it.  As well as it can be done: that a fork
 * was seen is told whether or not there is room for the file. */
static void
write_evidence(struct ld_follow *follow, struct ld_span bytes)
{
	char name[5 + 2 * LD_HASH_BYTES + 1] = "fork-";
	struct ld_buffer both;
	struct ld_hash hash;

	ld_hash_of(&hash, bytes);
	ld_text_to_hex(name + 5, ld_span(hash.bytes, LD_HASH_BYTES));
	if (ld_disk_exists(follow->directory, name) ||
	    ld_disk_count(follow->directory, "fork-") >= LD_FOLLOW_FORKS_MAX)
		return;
	ld_buffer_init(&both, 2 * LD_CHECKPOINT_MAX_BYTES + 1);
	ld_buffer_bytes(&both, ld_buffer_span(&follow->bytes));
	ld_buffer_bytes(&both, LD_SPAN("\n"));
	ld_buffer_bytes(&both, bytes);
	if (!both.failed)
		ld_disk_replace(follow->directory, ".fork.new", follow->directory, name,
				ld_buffer_span(&both), 0644, NULL);
	ld_buffer_free(&both);
}

int
ld_follow_check(struct ld_follow *follow, struct ld_span bytes, uint64_t now_s,
		struct ld_trusted *ret, struct ld_report *report)
{
	const struct ld_checkpoint *seen = &follow->seen.checkpoint;
	struct ld_trusted trusted;
	int err = ld_checkpoint_check(&trusted, bytes, follow->trust, now_s, report);

	if (err != LINDUNG_OK)
		return err;
	if (follow->bytes.len != 0 && trusted.checkpoint.size <= seen->size) {
		const struct ld_proof none = {.count = 0};

		err = ld_checkpoint_follows(seen, &trusted.checkpoint, &none, report);
		if (err == LINDUNG_EFORK)
			write_evidence(follow, bytes);
		if (err != LINDUNG_OK)
			return err;
	}
	*ret = trusted;
	return LINDUNG_OK;
}

int
ld_follow_prove(struct ld_follow *follow, struct ld_span bytes, const struct ld_tile_source *mirror,
		struct ld_report *report)
{
	const struct ld_checkpoint *seen = &follow->seen.checkpoint;
	struct ld_checkpoint now;
	struct ld_proof proof;
	struct ld_hash before;
	struct ld_note note;
	int err = ld_note_parse(&note, bytes, report);

	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&now, note.text, report);
	if (err != LINDUNG_OK)
		return err;
	if (follow->bytes.len == 0 || seen->size == 0)
		return LINDUNG_OK;
	if (now.size <= seen->size) {
		proof.count = 0;
		return ld_checkpoint_follows(seen, &now, &proof, report);
	}
	/* The root that the mirror's tree had at the size that was seen; the proof then shows that
	 * it is that of the new tree's beginning.  Only what is shown so can convict the log. */
	err = ld_tree_root(&before, seen->size, mirror);
	if (err == LINDUNG_OK)
		err = ld_tree_prove_consistency(&proof, seen->size, now.size, mirror);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "the mirror's tiles cannot be had: %s",
			       lindung_strerror(err));
	if (ld_proof_check_consistency(&proof, seen->size, now.size, &before, &now.root) !=
	    LINDUNG_OK)
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "the mirror's tiles are not of the tree that its checkpoint names");
	if (!ld_hash_equal(&before, &seen->root)) {
		write_evidence(follow, bytes);
		return ld_fail(report, LINDUNG_EFORK,
			       "the log's %" PRIu64 " statements do not continue the %" PRIu64
			       " seen before: it shows two histories",
			       now.size, seen->size);
	}
	return LINDUNG_OK;
}

int
ld_follow_keep(struct ld_follow *follow, struct ld_span bytes, struct ld_report *report)
{
	struct ld_buffer copy;
	uint64_t size = follow->bytes.len != 0 ? follow->seen.checkpoint.size : 0;
	struct ld_checkpoint now;
	struct ld_note note;
	int err;

	if (ld_span_equal(bytes, ld_buffer_span(&follow->bytes)))
		return LINDUNG_OK;
	ld_buffer_init(&copy, LD_CHECKPOINT_MAX_BYTES);
	ld_buffer_bytes(&copy, bytes);
	err = copy.failed ? LINDUNG_ENOMEM : ld_note_parse(&note, ld_buffer_span(&copy), report);
	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&now, note.text, report);
	if (err == LINDUNG_OK && now.size < size)
		err = ld_fail(report, LINDUNG_EROLLBACK, "a smaller tree than the one seen before");
	if (err == LINDUNG_OK)
		err = ld_disk_replace(follow->directory, ".checkpoint.new", follow->directory,
				      "checkpoint", bytes, 0644, report);
	if (err == LINDUNG_OK)
		err = adopt(follow, &copy, report);
	if (err != LINDUNG_OK)
		ld_buffer_free(&copy);
	return err;
}
