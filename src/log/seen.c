/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/seen.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/disk.h"
#include "log/text.h"

struct ld_seen {
	const struct ld_trust *trust;
	int directory;
	struct ld_buffer bytes; /* what was kept last; empty: nothing */
	struct ld_trusted seen; /* points into it */
};

/* What was kept is believed for its log's signature alone: it is a memory of what was seen, and
 * stays one when the policy asks for other witnesses later. */
static int
adopt(struct ld_seen *memory, struct ld_buffer *bytes, struct ld_report *report)
{
	struct ld_trust trust = *memory->trust;
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
	ld_buffer_free(&memory->bytes);
	memory->bytes = *bytes;
	memory->seen = seen;
	return LINDUNG_OK;
}

int
ld_seen_open(struct ld_seen **ret, const char *directory, const struct ld_trust *trust,
	     struct ld_report *report)
{
	struct ld_seen *memory = calloc(1, sizeof *memory);
	struct ld_report inner = {.text = ""};
	struct ld_buffer bytes;
	int err;

	if (memory == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	memory->trust = trust;
	memory->directory = -1;
	ld_buffer_init(&bytes, LD_CHECKPOINT_MAX_BYTES);
	err = ld_disk_make_directory(AT_FDCWD, directory, 0755, &inner);
	if (err == LINDUNG_OK)
		err = ld_disk_open(&memory->directory, AT_FDCWD, directory, &inner);
	if (err == LINDUNG_OK)
		err = ld_disk_read(memory->directory, "checkpoint", &bytes, &inner);
	if (err == LINDUNG_OK)
		err = adopt(memory, &bytes, &inner);
	if (err == LINDUNG_OK || err == LINDUNG_ENOTFOUND) {
		*ret = memory;
		return LINDUNG_OK;
	}
	ld_buffer_free(&bytes);
	ld_seen_close(memory);
	if (err == LINDUNG_ESYNTAX || err == LINDUNG_ELIMIT)
		err = LINDUNG_EDAMAGED;
	return ld_fail(report, err, "%s: what was seen of the log: %s", directory, inner.text);
}

void
ld_seen_close(struct ld_seen *memory)
{
	if (memory == NULL)
		return;
	if (memory->directory >= 0)
		close(memory->directory);
	ld_buffer_free(&memory->bytes);
	free(memory);
}

const struct ld_trusted *
ld_seen_last(const struct ld_seen *memory)
{
	return memory->bytes.len != 0 ? &memory->seen : NULL;
}

struct ld_span
ld_seen_checkpoint(const struct ld_seen *memory)
{
	return ld_buffer_span(&memory->bytes);
}

/* Both checkpoints, signed by the log: what convicts it.  As well as it can be done: that a fork
 * was seen is told whether or not there is room for the file. */
static void
write_evidence(struct ld_seen *memory, struct ld_span bytes)
{
	char name[5 + 2 * LD_HASH_BYTES + 1] = "fork-";
	struct ld_buffer both;
	struct ld_hash hash;

	ld_hash_of(&hash, bytes);
	ld_text_to_hex(name + 5, ld_span(hash.bytes, LD_HASH_BYTES));
	if (ld_disk_exists(memory->directory, name) ||
	    ld_disk_count(memory->directory, "fork-") >= LD_SEEN_FORKS_MAX)
		return;
	ld_buffer_init(&both, 2 * LD_CHECKPOINT_MAX_BYTES + 1);
	ld_buffer_bytes(&both, ld_buffer_span(&memory->bytes));
	ld_buffer_bytes(&both, LD_SPAN("\n"));
	ld_buffer_bytes(&both, bytes);
	if (!both.failed)
		ld_disk_replace(memory->directory, ".fork.new", memory->directory, name,
				ld_buffer_span(&both), 0644, NULL);
	ld_buffer_free(&both);
}

int
ld_seen_check(struct ld_seen *memory, struct ld_span bytes, uint64_t now_s, struct ld_trusted *ret,
	      struct ld_report *report)
{
	const struct ld_checkpoint *seen = &memory->seen.checkpoint;
	struct ld_trusted trusted;
	int err = ld_checkpoint_check(&trusted, bytes, memory->trust, now_s, report);

	if (err != LINDUNG_OK)
		return err;
	if (memory->bytes.len != 0 && trusted.checkpoint.size <= seen->size) {
		const struct ld_proof none = {.count = 0};

		err = ld_checkpoint_follows(seen, &trusted.checkpoint, &none, report);
		if (err == LINDUNG_EFORK)
			write_evidence(memory, bytes);
		if (err != LINDUNG_OK)
			return err;
	}
	*ret = trusted;
	return LINDUNG_OK;
}

int
ld_seen_prove(struct ld_seen *memory, struct ld_span bytes, const struct ld_tile_source *mirror,
	      struct ld_report *report)
{
	const struct ld_checkpoint *seen = &memory->seen.checkpoint;
	struct ld_checkpoint now;
	struct ld_proof proof;
	struct ld_hash before;
	struct ld_note note;
	int err = ld_note_parse(&note, bytes, report);

	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&now, note.text, report);
	if (err != LINDUNG_OK)
		return err;
	if (memory->bytes.len == 0 || seen->size == 0)
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
		write_evidence(memory, bytes);
		return ld_fail(report, LINDUNG_EFORK,
			       "the log's %" PRIu64 " statements do not continue the %" PRIu64
			       " seen before: it shows two histories",
			       now.size, seen->size);
	}
	return LINDUNG_OK;
}

int
ld_seen_keep(struct ld_seen *memory, struct ld_span bytes, struct ld_report *report)
{
	struct ld_buffer copy;
	uint64_t size = memory->bytes.len != 0 ? memory->seen.checkpoint.size : 0;
	struct ld_checkpoint now;
	struct ld_note note;
	int err;

	if (ld_span_equal(bytes, ld_buffer_span(&memory->bytes)))
		return LINDUNG_OK;
	ld_buffer_init(&copy, LD_CHECKPOINT_MAX_BYTES);
	ld_buffer_bytes(&copy, bytes);
	err = copy.failed ? LINDUNG_ENOMEM : ld_note_parse(&note, ld_buffer_span(&copy), report);
	if (err == LINDUNG_OK)
		err = ld_checkpoint_parse(&now, note.text, report);
	if (err == LINDUNG_OK && now.size < size)
		err = ld_fail(report, LINDUNG_EROLLBACK, "a smaller tree than the one seen before");
	if (err == LINDUNG_OK)
		err = ld_disk_replace(memory->directory, ".checkpoint.new", memory->directory,
				      "checkpoint", bytes, 0644, report);
	if (err == LINDUNG_OK)
		err = adopt(memory, &copy, report);
	if (err != LINDUNG_OK)
		ld_buffer_free(&copy);
	return err;
}
