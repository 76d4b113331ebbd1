/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/checkpoint.h"

#include <inttypes.h>

#include "log/text.h"

int
ld_checkpoint_parse(struct ld_checkpoint *ret, struct ld_span text, struct ld_report *report)
{
	struct ld_checkpoint checkpoint;
	struct ld_span rest = text, origin, size, root, line;
	size_t len;

	if (text.len > LD_CHECKPOINT_MAX_BYTES || !ld_text_line(&rest, &origin) ||
	    !ld_text_line(&rest, &size) || !ld_text_line(&rest, &root) || origin.len == 0)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "not a checkpoint: its lines are origin, size and root");
	checkpoint.origin = origin;
	if (!ld_text_number(&checkpoint.size, size))
		return ld_fail(report, LINDUNG_ESYNTAX, "not a checkpoint: its size is no number");
	if (!ld_text_from_base64(checkpoint.root.bytes, LD_HASH_BYTES, &len, root) ||
	    len != LD_HASH_BYTES)
		return ld_fail(report, LINDUNG_ESYNTAX, "not a checkpoint: its root is no hash");
	while (rest.len != 0) {
		if (!ld_text_line(&rest, &line) || line.len == 0)
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "not a checkpoint: an empty line in its text");
	}
	*ret = checkpoint;
	return LINDUNG_OK;
}

int
ld_checkpoint_format(struct ld_buffer *ret, const struct ld_checkpoint *checkpoint)
{
	ld_buffer_bytes(ret, checkpoint->origin);
	ld_buffer_printf(ret, "\n%" PRIu64 "\n", checkpoint->size);
	ld_text_to_base64(ret, ld_span(checkpoint->root.bytes, LD_HASH_BYTES));
	ld_buffer_bytes(ret, LD_SPAN("\n"));
	return ret->failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

static bool
enough(const struct ld_trust *trust, uint64_t witnesses)
{
	return trust->suffices == NULL || trust->suffices(trust->ctx, witnesses);
}

/* The latest time such that those who have seen it then, or later, suffice. */
static uint64_t
quorum_time(const struct ld_trust *trust, uint64_t witnesses, const uint64_t *times_s)
{
	uint64_t latest = 0;

	for (unsigned i = 0; i < trust->witness_count; i++) {
		uint64_t as_late = 0;

		if ((witnesses >> i & 1) == 0 || times_s[i] <= latest)
			continue;
		for (unsigned j = 0; j < trust->witness_count; j++) {
			if ((witnesses >> j & 1) != 0 && times_s[j] >= times_s[i])
				as_late |= UINT64_C(1) << j;
		}
		if (enough(trust, as_late))
			latest = times_s[i];
	}
	return latest;
}

/* Who of the witnesses has signed, their clocks allowed for; `times_s`: one each. */
static int
witnessed(const struct ld_note *note, const struct ld_trust *trust, uint64_t now_s,
	  uint64_t *ret_witnesses, uint64_t *times_s, unsigned *ret_ahead, struct ld_report *report)
{
	/* The log's own key first. */
	const struct ld_verifier *keys[LD_NOTE_KEYS_MAX] = {&trust->log};
	uint64_t signed_by, times[LD_NOTE_KEYS_MAX], witnesses = 0;
	int err;

	LD_ASSERT(trust->witness_count < LD_NOTE_KEYS_MAX);
	for (unsigned i = 0; i < trust->witness_count; i++)
		keys[1 + i] = &trust->witnesses[i];
	err = ld_note_verify(note, keys, 1 + trust->witness_count, &signed_by, times, report);
	if (err != LINDUNG_OK)
		return err;
	if ((signed_by & 1) == 0)
		return ld_fail(report, LINDUNG_ESIGNATURE,
			       "the checkpoint is not signed by the log %s", trust->log.name);
	for (unsigned i = 0; i < trust->witness_count; i++) {
		times_s[i] = times[1 + i];
		if ((signed_by >> (1 + i) & 1) == 0)
			continue;
		if (times_s[i] > now_s + LD_WITNESS_AHEAD_MAX_S)
			++*ret_ahead;
		else
			witnesses |= UINT64_C(1) << i;
	}
	*ret_witnesses = witnesses;
	return LINDUNG_OK;
}

int
ld_checkpoint_check(struct ld_trusted *ret, struct ld_span bytes, const struct ld_trust *trust,
		    uint64_t now_s, struct ld_report *report)
{
	struct ld_trusted trusted = {.time_s = 0};
	struct ld_note note;
	uint64_t times_s[LD_NOTE_KEYS_MAX];
	unsigned ahead = 0;
	int err;

	if (bytes.len > LD_CHECKPOINT_MAX_BYTES)
		return ld_fail(report, LINDUNG_ESYNTAX, "a checkpoint of more than %d bytes",
			       LD_CHECKPOINT_MAX_BYTES);
	err = ld_note_parse(&note, bytes, report);
	if (err != LINDUNG_OK)
		return err == LINDUNG_ELIMIT ? LINDUNG_ESYNTAX : err;
	err = witnessed(&note, trust, now_s, &trusted.witnesses, times_s, &ahead, report);
	if (err != LINDUNG_OK)
		return err;
	err = ld_checkpoint_parse(&trusted.checkpoint, note.text, report);
	if (err != LINDUNG_OK)
		return err;
	if (!ld_span_equal(trusted.checkpoint.origin, ld_span_str(trust->log.name)))
		return ld_fail(report, LINDUNG_ESIGNATURE,
			       "the checkpoint is that of another log than %s", trust->log.name);
	if (!enough(trust, trusted.witnesses))
		return ld_fail(report, LINDUNG_EWITNESS,
			       ahead == 0 ? "%d witnesses have signed the checkpoint: too few"
					  : "%d witnesses have signed the checkpoint: too few; %u "
					    "more say that they did in the future: is the clock "
					    "right?",
			       __builtin_popcountll(trusted.witnesses), ahead);
	if (enough(trust, 0)) {
		*ret = trusted;
		return LINDUNG_OK;
	}
	trusted.time_s = quorum_time(trust, trusted.witnesses, times_s);
	if (trust->age_max_s != 0 && trusted.time_s + trust->age_max_s < now_s)
		return ld_fail(report, LINDUNG_EFROZEN,
			       "the witnesses have seen this checkpoint last %" PRIu64
			       " hours ago, and at most %u are allowed: the mirror is stale, or "
			       "news are withheld",
			       (now_s - trusted.time_s) / 3600, trust->age_max_s / 3600);
	*ret = trusted;
	return LINDUNG_OK;
}

int
ld_checkpoint_follows(const struct ld_checkpoint *seen, const struct ld_checkpoint *now,
		      const struct ld_proof *proof, struct ld_report *report)
{
	if (!ld_span_equal(seen->origin, now->origin))
		return ld_fail(report, LINDUNG_EFORK, "the checkpoint is that of another log");
	if (now->size < seen->size)
		return ld_fail(report, LINDUNG_EROLLBACK,
			       "the log shows %" PRIu64 " statements, and had %" PRIu64
			       " before: a stale mirror, or a log rolled back",
			       now->size, seen->size);
	if (now->size == seen->size && !ld_hash_equal(&now->root, &seen->root))
		return ld_fail(report, LINDUNG_EFORK,
			       "two different trees of %" PRIu64
			       " statements, both signed by the log: it shows two histories",
			       now->size);
	if (now->size != seen->size &&
	    ld_proof_check_consistency(proof, seen->size, now->size, &seen->root, &now->root) !=
		    LINDUNG_OK)
		return ld_fail(report, LINDUNG_EFORK,
			       "the log's %" PRIu64 " statements do not continue the %" PRIu64
			       " seen before: it shows two histories",
			       now->size, seen->size);
	return LINDUNG_OK;
}

int
ld_checkpoint_continues(const struct ld_checkpoint *seen, const struct ld_checkpoint *now,
			const struct ld_tile_source *mirror, struct ld_report *report)
{
	struct ld_proof proof = {.count = 0};
	struct ld_checkpoint before = *seen;
	int err;

	if (seen->size == 0 || now->size <= seen->size)
		return ld_checkpoint_follows(seen, now, &proof, report);
	/* The root that the mirror's tree had at the size that was seen.  If a proof leads from it
	 * to the new root it is that of the new tree's beginning, whoever answered: then, and only
	 * then, it can convict the log. */
	err = ld_tree_root(&before.root, seen->size, mirror);
	if (err == LINDUNG_OK)
		err = ld_tree_prove_consistency(&proof, seen->size, now->size, mirror);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "the mirror's tiles cannot be had: %s",
			       lindung_strerror(err));
	if (ld_proof_check_consistency(&proof, seen->size, now->size, &before.root, &now->root) !=
	    LINDUNG_OK)
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "the mirror's tiles are not of the tree that its checkpoint names");
	return ld_checkpoint_follows(seen, now, &proof, report);
}
