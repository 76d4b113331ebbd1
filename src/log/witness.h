/* A witness (C2SP tlog-witness, tlog-cosignature): it signs a log's checkpoint only where that
 * continues the last one it has signed, so that nobody can be shown another history.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * No network: who serves HTTP hands the body of a request over and sends what comes back.  What it
 * has signed last of a log is DIR/HEX/checkpoint (HEX: SHA-256 of the origin), on the disk before
 * the signature is given away; that file is what a monitor may fetch as it is.
 * DIR is one process's (locked), a struct ld_witness one thread's.  A DIR that is put back from an
 * old backup makes a witness that may sign a fork: begin with a new key instead. */
#ifndef LD_LOG_WITNESS_H
#define LD_LOG_WITNESS_H

#include "log/checkpoint.h"

enum {
	LD_WITNESS_LOGS_MAX = 64,
	LD_WITNESS_PROOF_MAX = 63, /* lines of a request */
	LD_WITNESS_REQUEST_MAX_BYTES = LD_CHECKPOINT_MAX_BYTES + 4096,
	LD_WITNESS_ANSWER_MAX_BYTES = 1024,
	LD_WITNESS_AGAIN_S = 5, /* the same checkpoint in this time gets the same signature */
};

struct ld_witness;

/** `signer`: of type LD_KEY_COSIGNATURE; must outlive it.  The directory is made where it is not
 * there.  Errors: LINDUNG_EIO, LINDUNG_EBUSY, LINDUNG_EINVAL (the key's type). */
int ld_witness_open(struct ld_witness **ret, const char *directory, const struct ld_signer *signer,
		    struct ld_report *report);
void ld_witness_close(struct ld_witness *witness);
/** Serve the log with this key; its name is the origin.  Errors: LINDUNG_ELIMIT, LINDUNG_EEXISTS,
 * LINDUNG_EIO, LINDUNG_EDAMAGED (what was signed last cannot be read: never begun anew). */
int ld_witness_add_log(struct ld_witness *witness, const struct ld_verifier *log,
		       struct ld_report *report);

/** What an answer has beside its body. */
struct ld_witness_answer {
	int status; /* 200, 400, 403, 404, 409, 422; 500: the disk failed */
	const char *content_type;
};

/** Judge the body of POST add-checkpoint, sign, keep.  The body of the answer goes into `ret_body`
 * (empty; LD_WITNESS_ANSWER_MAX_BYTES are enough): signature lines for 200, the size for 409, else
 * one line that says why. */
struct ld_witness_answer ld_witness_add_checkpoint(struct ld_witness *witness,
						   struct ld_span request, uint64_t now_s,
						   struct ld_buffer *ret_body);
/** What it has signed last of the log with that origin hash (64 hex digits): GET HEX/checkpoint.
 * The span is valid until the next call.  Errors: LINDUNG_ENOTFOUND. */
int ld_witness_checkpoint(const struct ld_witness *witness, struct ld_span origin_hash,
			  struct ld_span *ret);

/* ---- The other side: who asks a witness */

/** The body of a request.  Errors: LINDUNG_ENOMEM. */
int ld_witness_request(struct ld_buffer *ret, uint64_t old_size, const struct ld_proof *proof,
		       struct ld_span checkpoint);
/** Take the signature of this witness out of the body of its answer and put it under `note`.
 * Errors: LINDUNG_EWITNESS (there is none, or it is wrong), LINDUNG_ENOMEM. */
int ld_witness_take(struct ld_buffer *note, struct ld_span answer,
		    const struct ld_verifier *witness, struct ld_report *report);

#endif
