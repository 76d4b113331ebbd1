/* The text of a key file (formats/key.md), taken apart and put together; no passphrase yet.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_LOG_KEY_FILE_H
#define LD_LOG_KEY_FILE_H

#include "log/key.h"

enum {
	LD_KEY_FILE_MAX_BYTES = 4096,
	LD_KEY_SEED_BYTES = 32,
	LD_KEY_SALT_BYTES = 16,
	LD_KEY_NONCE_BYTES = 24,
	LD_KEY_TAG_BYTES = 16,
	/* What a file may ask of who reads it. */
	LD_KEY_PASSES_MAX = 16,
	LD_KEY_MEMORY_MAX_KIB = 1024 * 1024,
	LD_KEY_MEMORY_MIN_KIB = 8,
};

struct ld_key_file {
	struct ld_verifier verifier;
	bool is_encrypted;
	uint32_t passes;
	uint32_t memory_kib;
	uint8_t salt[LD_KEY_SALT_BYTES];
	/** Encrypted: nonce, and the seed with its tag.  Bare: the seed. */
	uint8_t secret[LD_KEY_NONCE_BYTES + LD_KEY_SEED_BYTES + LD_KEY_TAG_BYTES];
	size_t secret_len;
	struct ld_span head; /* the lines before the secret: authenticated with it */
};

/** Take a file apart; `head` points into `bytes`.  Errors: LINDUNG_EFORMAT, LINDUNG_EVERSION,
 * LINDUNG_ELIMIT (it asks for too much). */
int ld_key_file_parse(struct ld_key_file *ret, struct ld_span bytes, struct ld_report *report);
/** The lines before the secret. */
void ld_key_file_head(struct ld_buffer *ret, const struct ld_key_file *file);

#endif
