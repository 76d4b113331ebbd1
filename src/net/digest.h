/* Digests over octets that come in parts: SHA-2, and HMAC with SHA-256 (OpenSSL's EVP).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One thread's at a time.  What fails inside (memory) sticks, and is told by ld_digest_end(). */
#ifndef LD_NET_DIGEST_H
#define LD_NET_DIGEST_H

#include "base/error.h"
#include "base/span.h"

enum ld_digest_kind { LD_DIGEST_SHA256, LD_DIGEST_SHA384, LD_DIGEST_SHA512, LD_DIGEST_HMAC_SHA256 };

enum {
	LD_DIGEST_SHA256_BYTES = 32,
	LD_DIGEST_SHA384_BYTES = 48,
	LD_DIGEST_SHA512_BYTES = 64,
	LD_DIGEST_MAX_BYTES = 64,
};

struct ld_digest;

/** Ready to begin; `key` for HMAC, which keeps a copy.  Errors: LINDUNG_ENOMEM. */
int ld_digest_new(struct ld_digest **ret, enum ld_digest_kind kind, struct ld_span key);
/** NULL is a no-op. */
void ld_digest_free(struct ld_digest *digest);

/** Begin, or begin anew. */
void ld_digest_begin(struct ld_digest *digest);
void ld_digest_add(struct ld_digest *digest, struct ld_span octets);
/** The digest of all octets since ld_digest_begin(); as many octets as its kind has.
 * Errors: LINDUNG_ENOMEM. */
int ld_digest_end(struct ld_digest *digest, uint8_t *ret);

/** Equal, in a time that tells nothing of where they differ. */
bool ld_digest_same(struct ld_span a, struct ld_span b);

#endif
