/* Signed notes (C2SP signed-note): a text, a blank line, and signatures under it.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Parsing allocates nothing: spans point into what was handed over. */
#ifndef LD_LOG_NOTE_H
#define LD_LOG_NOTE_H

#include "base/bytes.h"
#include "log/key.h"

enum {
	LD_NOTE_MAX_BYTES = 65535, /* as an entry of a log */
	LD_NOTE_SIGNATURES_MAX = 64,
	LD_NOTE_KEYS_MAX = 64, /* bits of a set of keys */
};

struct ld_note_signature {
	struct ld_span name;
	uint32_t id;
	struct ld_span base64; /* of four octets of id, and the signature */
};

struct ld_note {
	struct ld_span text; /* with its last LF: what is signed */
	unsigned signature_count;
	struct ld_note_signature signatures[LD_NOTE_SIGNATURES_MAX];
};

/** Take a note apart.  Errors: LINDUNG_ESYNTAX (also: no signature), LINDUNG_ELIMIT, with a
 * report. */
int ld_note_parse(struct ld_note *ret, struct ld_span bytes, struct ld_report *report);

/** Check all signatures by `keys` (at most LD_NOTE_KEYS_MAX); others are ignored.
 * `*ret_keys`: bit i, keys[i] signed.  `times_s` (or NULL): of cosignatures, one each key.
 * Errors: LINDUNG_ESIGNATURE (one of a known key does not verify; or none of a known key). */
int ld_note_verify(const struct ld_note *note, const struct ld_verifier *const *keys, size_t count,
		   uint64_t *ret_keys, uint64_t *times_s, struct ld_report *report);

/** Write text, blank line and the signature of each signer into an empty buffer.  `text` ends with
 * LF.  Errors: LINDUNG_EINVAL, LINDUNG_ENOMEM (also: the buffer's limit). */
int ld_note_sign(struct ld_buffer *ret, struct ld_span text, const struct ld_signer *const *signers,
		 size_t count, uint64_t time_s);
/** Write one more signature line under a note that is there. */
int ld_note_add_signature(struct ld_buffer *note, const struct ld_signer *signer, uint64_t time_s);
/** Write a signature of another note as a line. */
void ld_note_copy_signature(struct ld_buffer *note, const struct ld_note_signature *signature);

#endif
