/* Proofs for taking away (C2SP tlog-proof): that an entry stands in a log, checked without a
 * network; text, file extension .tlog-proof.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_LOG_TLOG_PROOF_H
#define LD_LOG_TLOG_PROOF_H

#include "log/checkpoint.h"
#include "log/log.h"

enum { LD_TLOG_PROOF_MAX_BYTES = 32 * 1024 };

struct ld_tlog_proof {
	struct ld_span extra; /* base64, as it stands there; {NULL, 0}: none.  Proves nothing */
	uint64_t index;
	struct ld_proof proof;
	struct ld_span checkpoint; /* as it was served */
};

/** Take one apart; it points into `bytes`.  The checkpoint is not looked into.
 * Errors: LINDUNG_ESYNTAX. */
int ld_tlog_proof_parse(struct ld_tlog_proof *ret, struct ld_span bytes, struct ld_report *report);
/** Errors: LINDUNG_ENOMEM (also: the buffer's limit). */
int ld_tlog_proof_format(struct ld_buffer *ret, const struct ld_tlog_proof *proof);
/** The proof of entry `index` of a log, with its checkpoint of now.
 * Errors: LINDUNG_ENOTFOUND, LINDUNG_EDAMAGED, LINDUNG_EIO, LINDUNG_ENOMEM. */
int ld_tlog_proof_make(struct ld_buffer *ret, struct ld_log *log, uint64_t index,
		       struct ld_report *report);
/** Whether it proves that `entry` (a signed note, whole) stands in the log of `trust`; its age does
 * not matter.  `ret` (or NULL): what the checkpoint says.
 * Errors: LINDUNG_ESIGNATURE (the proof, or the log's signature), LINDUNG_EWITNESS,
 * LINDUNG_ESYNTAX. */
int ld_tlog_proof_check(const struct ld_tlog_proof *proof, struct ld_span entry,
			const struct ld_trust *trust, uint64_t now_s, struct ld_trusted *ret,
			struct ld_report *report);

#endif
