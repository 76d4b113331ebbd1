/* What the two halves of sealing share: sets of keys (seal.c) and the file (seal_file.c).
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_LOG_SEAL_PARTS_H
#define LD_LOG_SEAL_PARTS_H

#include "log/seal.h"

enum {
	LD_SEAL_KEY_BYTES = 32,
	LD_SEAL_FILE_KEY_BYTES = 16,
};

/** A passphrase, in locked memory. */
struct ld_secret_text {
	size_t len;
	uint8_t text[];
};

struct ld_recipients {
	struct ld_secret_text *passphrase; /* or NULL; then there are no keys */
	unsigned count;
	uint8_t keys[LD_SEAL_RECIPIENTS_MAX][LD_SEAL_KEY_BYTES];
};

/** A secret key, and the public one that belongs to it. */
struct ld_opener {
	uint8_t secret[LD_SEAL_KEY_BYTES];
	uint8_t public[LD_SEAL_KEY_BYTES];
};

struct ld_openers {
	struct ld_secret_text *passphrase; /* or NULL */
	unsigned count;
	/* In locked memory; in the order of their public keys. */
	struct ld_opener *keys;
};

/** Write the stanza of a passphrase.  Errors: LINDUNG_ENOMEM (scrypt takes 256 MiB). */
int ld_seal_passphrase_put(struct ld_buffer *ret, const uint8_t file_key[LD_SEAL_FILE_KEY_BYTES],
			   const struct ld_secret_text *passphrase);
/** Open one: `arguments` behind the word scrypt, with their first blank; `body` its only line.
 * Errors: LINDUNG_EFORMAT, LINDUNG_EPASSPHRASE, LINDUNG_ELIMIT (it asks for too much work),
 * LINDUNG_ENOMEM. */
int ld_seal_passphrase_take(uint8_t file_key[LD_SEAL_FILE_KEY_BYTES], struct ld_span arguments,
			    struct ld_span body, const struct ld_secret_text *passphrase,
			    struct ld_report *report);

#endif
