/* What a signer is made of: for key.c and key_file.c alone.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_LOG_SIGNER_H
#define LD_LOG_SIGNER_H

#include <sodium.h>

#include "log/key.h"

struct ld_signer {
	struct ld_verifier verifier;
	struct { /* in memory of ld_secret_alloc() */
		uint8_t seed[crypto_sign_SEEDBYTES];
		uint8_t key[crypto_sign_SECRETKEYBYTES];
	} * secret;
};

#endif
