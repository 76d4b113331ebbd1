/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/tlog_proof.h"

#include <inttypes.h>

#include "log/proof_text.h"
#include "log/text.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

/* Base64 of any length; nothing is kept of it. */
static bool
is_base64(struct ld_span text)
{
	uint8_t piece[48];
	size_t len;

	while (text.len > 64) {
		if (!ld_text_from_base64(piece, sizeof piece, &len, ld_span_first(text, 64)) ||
		    len != sizeof piece)
			return false;
		text = ld_span_from(text, 64);
	}
	return ld_text_from_base64(piece, sizeof piece, &len, text);
}

int
ld_tlog_proof_parse(struct ld_tlog_proof *ret, struct ld_span bytes, struct ld_report *report)
{
	struct ld_tlog_proof proof = {.index = 0};
	struct ld_span rest = bytes, line;

	if (bytes.len > LD_TLOG_PROOF_MAX_BYTES || !ld_text_line(&rest, &line) ||
	    !ld_span_equal(line, LD_SPAN(FIRST_LINE)))
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "no proof: its first line is not " FIRST_LINE);
	if (!ld_text_line(&rest, &line))
		return ld_fail(report, LINDUNG_ESYNTAX, "a proof that is cut");
	if (ld_span_starts(line, LD_SPAN("extra "))) {
		proof.extra = ld_span_from(line, 6);
		if (proof.extra.len == 0 || !is_base64(proof.extra) || !ld_text_line(&rest, &line))
			return ld_fail(report, LINDUNG_ESYNTAX,
				       "a proof whose extra data are no base64");
	}
	if (!ld_span_starts(line, LD_SPAN("index ")) ||
	    !ld_text_number(&proof.index, ld_span_from(line, 6)))
		return ld_fail(report, LINDUNG_ESYNTAX, "a proof without an index");
	if (ld_proof_read_lines(&rest, &proof.proof, LD_PROOF_HASHES_MAX) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "a proof with a line that is no hash, or without an empty line");
	if (rest.len == 0)
		return ld_fail(report, LINDUNG_ESYNTAX, "a proof without a checkpoint");
	proof.checkpoint = rest;
	*ret = proof;
	return LINDUNG_OK;
}

int
ld_tlog_proof_format(struct ld_buffer *ret, const struct ld_tlog_proof *proof)
{
	ld_buffer_bytes(ret, LD_SPAN(FIRST_LINE "\n"));
	if (proof->extra.len != 0) {
		ld_buffer_bytes(ret, LD_SPAN("extra "));
		ld_buffer_bytes(ret, proof->extra);
		ld_buffer_bytes(ret, LD_SPAN("\n"));
	}
	ld_buffer_printf(ret, "index %" PRIu64 "\n", proof->index);
	ld_proof_write_lines(ret, &proof->proof);
	ld_buffer_bytes(ret, proof->checkpoint);
	return ret->failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

int
ld_tlog_proof_make(struct ld_buffer *ret, struct ld_log *log, uint64_t index,
		   struct ld_report *report)
{
	struct ld_tile_source source = ld_log_tiles(log);
	struct ld_tlog_proof proof = {.index = index, .checkpoint = ld_log_checkpoint(log)};
	int err;

	if (index >= ld_log_size(log))
		return ld_fail(report, LINDUNG_ENOTFOUND, "the log has %" PRIu64 " entries",
			       ld_log_size(log));
	err = ld_tree_prove_inclusion(&proof.proof, index, ld_log_size(log), &source);
	if (err == LINDUNG_OK)
		err = ld_tlog_proof_format(ret, &proof);
	if (err != LINDUNG_OK)
		return ld_fail(report, err, "the proof cannot be made: %s", lindung_strerror(err));
	return LINDUNG_OK;
}

int
ld_tlog_proof_check(const struct ld_tlog_proof *proof, struct ld_span entry,
		    const struct ld_trust *trust, uint64_t now_s, struct ld_trusted *ret,
		    struct ld_report *report)
{
	struct ld_trust ageless = *trust;
	struct ld_trusted trusted;
	struct ld_hash leaf;
	int err;

	ageless.age_max_s = 0;
	err = ld_checkpoint_check(&trusted, proof->checkpoint, &ageless, now_s, report);
	if (err != LINDUNG_OK)
		return err;
	ld_hash_leaf(&leaf, entry);
	if (ld_proof_check_inclusion(&proof->proof, proof->index, trusted.checkpoint.size, &leaf,
				     &trusted.checkpoint.root) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ESIGNATURE,
			       "the proof does not lead from this statement to the checkpoint");
	if (ret != NULL)
		*ret = trusted;
	return LINDUNG_OK;
}
