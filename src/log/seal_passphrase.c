/* The recipient of age v1 that is a passphrase (C2SP age: scrypt), as "age -p" writes it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <sodium.h>

#include "log/seal_parts.h"
#include "log/text.h"

enum {
	SALT_BYTES = 16,
	SALT_BASE64 = 22,
	KEY_BYTES = 32,
	BODY_BYTES = LD_SEAL_FILE_KEY_BYTES + crypto_aead_chacha20poly1305_ietf_ABYTES,
	BODY_BASE64 = 43,
	WORK = 18,     /* 2^18 rounds of 8 blocks, one lane: 256 MiB, about a second; age's own */
	WORK_MAX = 20, /* what a file may ask for: 1 GiB */
	BLOCKS = 8,
};

static const char label[] = "age-encryption.org/v1/scrypt";

static int
derive(uint8_t key[KEY_BYTES], const struct ld_secret_text *passphrase,
       const uint8_t salt[SALT_BYTES], unsigned work)
{
	uint8_t labelled[sizeof label - 1 + SALT_BYTES];

	memcpy(labelled, label, sizeof label - 1);
	memcpy(labelled + sizeof label - 1, salt, SALT_BYTES);
	return crypto_pwhash_scryptsalsa208sha256_ll(passphrase->text, passphrase->len, labelled,
						     sizeof labelled, UINT64_C(1) << work, BLOCKS,
						     1, key, KEY_BYTES) == 0
		       ? LINDUNG_OK
		       : LINDUNG_ENOMEM;
}

int
ld_seal_passphrase_put(struct ld_buffer *ret, const uint8_t file_key[LD_SEAL_FILE_KEY_BYTES],
		       const struct ld_secret_text *passphrase)
{
	static const uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
	uint8_t salt[SALT_BYTES], key[KEY_BYTES], body[BODY_BYTES];
	char salt_text[SALT_BASE64 + 1], body_text[BODY_BASE64 + 1];

	randombytes_buf(salt, sizeof salt);
	int err = derive(key, passphrase, salt, WORK);
	if (err == LINDUNG_OK) {
		crypto_aead_chacha20poly1305_ietf_encrypt(
			body, NULL, file_key, LD_SEAL_FILE_KEY_BYTES, NULL, 0, NULL, nonce, key);
		sodium_bin2base64(salt_text, sizeof salt_text, salt, sizeof salt,
				  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
		sodium_bin2base64(body_text, sizeof body_text, body, sizeof body,
				  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
		ld_buffer_printf(ret, "-> scrypt %s %d\n%s\n", salt_text, WORK, body_text);
	}
	sodium_memzero(key, sizeof key);
	return err;
}

/* Canonical base64 without padding, of exactly `size` octets. */
static bool
from_base64(uint8_t *ret, size_t size, struct ld_span text)
{
	size_t len;

	return ld_text_from_bare_base64(ret, size, &len, text) && len == size;
}

int
ld_seal_passphrase_take(uint8_t file_key[LD_SEAL_FILE_KEY_BYTES], struct ld_span arguments,
			struct ld_span body, const struct ld_secret_text *passphrase,
			struct ld_report *report)
{
	static const uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
	struct ld_span rest = ld_span_from(arguments, 1);
	struct ld_span salt_text = ld_span_first(rest, ld_span_find(rest, ' '));
	uint8_t salt[SALT_BYTES], key[KEY_BYTES], sealed[BODY_BYTES];
	uint64_t work;
	bool opens;

	if (!from_base64(salt, sizeof salt, salt_text) ||
	    !ld_text_number(&work, ld_span_from(rest, salt_text.len + 1)) || work == 0 ||
	    !from_base64(sealed, sizeof sealed, body))
		return ld_fail(report, LINDUNG_EFORMAT,
			       "not a file of age v1: the lines of its passphrase are malformed");
	if (work > WORK_MAX)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "its passphrase takes 2^%llu rounds; at most 2^%d are done",
			       (unsigned long long)work, WORK_MAX);
	if (derive(key, passphrase, salt, (unsigned)work) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_ENOMEM,
			       "not enough memory for the passphrase: it takes %u MiB",
			       1u << ((unsigned)work > 10 ? (unsigned)work - 10 : 0));
	opens = crypto_aead_chacha20poly1305_ietf_decrypt(file_key, NULL, NULL, sealed,
							  sizeof sealed, NULL, 0, nonce, key) == 0;
	sodium_memzero(key, sizeof key);
	return opens ? LINDUNG_OK
		     : ld_fail(report, LINDUNG_EPASSPHRASE, "the passphrase does not open it");
}
