/* What the two halves of sealing share: sets of keys (seal.c) and the file (seal_file.c).
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_LOG_SEAL_PARTS_H
#define LD_LOG_SEAL_PARTS_H

#include "log/seal.h"

enum {
	LD_SEAL_KEY_BYTES = 32,
};

struct ld_recipients {
	unsigned count;
	uint8_t keys[LD_SEAL_RECIPIENTS_MAX][LD_SEAL_KEY_BYTES];
};

/** A secret key, and the public one that belongs to it. */
struct ld_opener {
	uint8_t secret[LD_SEAL_KEY_BYTES];
	uint8_t public[LD_SEAL_KEY_BYTES];
};

struct ld_openers {
	unsigned count;
	/* In locked memory; in the order of their public keys. */
	struct ld_opener *keys;
};

#endif
