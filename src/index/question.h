/* The name that is asked about, in the form that a search wants.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Libc only (part of liblindung).  Lives on the stack of one look-up. */
#ifndef LD_INDEX_QUESTION_H
#define LD_INDEX_QUESTION_H

#include "index/image.h"
#include "name/name.h"

enum { LD_LABEL_SLACK = 16 }; /* ld_key_hash_label() may read so far past a label */

struct ld_question {
	unsigned labels;
	uint8_t start[LD_NAME_LABELS_MAX + 1]; /* of each label in text, the last one first */
	uint8_t len[LD_NAME_LABELS_MAX + 1];
	uint8_t text[LD_NAME_WIRE_MAX + LD_LABEL_SLACK]; /* labels in lower case, somewhere in it */
	uint64_t hashes[LD_NAME_LABELS_MAX + 1];         /* of the name with so many labels */
	bool odd;     /* there may be a separator within a label */
	bool has_key; /* what follows is made when the filter first says "perhaps" */
	uint8_t key[LD_NAME_WIRE_MAX + LD_LABEL_SLACK];
	uint16_t key_len[LD_NAME_LABELS_MAX + 1]; /* of the key with so many labels */
};

/** From ASCII text or from wire form.  Errors: as lindung_lookup_name() and _wire(). */
int ld_question_from_text(struct ld_question *q, const char *name, size_t len);
int ld_question_from_wire(struct ld_question *q, const uint8_t *wire, size_t len);

/** The key of the parent with so many labels; LD_KEY_SLACK octets behind it are readable. */
struct ld_span ld_question_key(struct ld_question *q, unsigned labels);

#endif
