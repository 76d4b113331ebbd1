/* Keys: who signs, and how a signature is checked.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A verifier key is public: text of C2SP signed-note, "name+hash+base64".  A signer is secret: it
 * lives in locked memory, and on the disk in a file of `formats/key.md`, encrypted with a key made
 * from a passphrase by Argon2id (or bare, where the operator says so).
 *
 * Ed25519 by libsodium: strict (S below the order, A and R canonical and of large order, no
 * cofactor).  Threads: immutable once made. */
#ifndef LD_LOG_KEY_H
#define LD_LOG_KEY_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/span.h"

enum {
	LD_KEY_NAME_MAX = 128, /* octets; no blank, no '+', UTF-8 */
	LD_KEY_PUBLIC_BYTES = 32,
	LD_KEY_SIGNATURE_BYTES = 64,
	LD_KEY_TEXT_MAX = LD_KEY_NAME_MAX + 1 + 8 + 1 + 44 + 1,
	LD_KEY_PASSPHRASE_MAX = 1024, /* octets */
};

/** What a signature is made of: the octet of signed-note. */
enum ld_key_type {
	LD_KEY_ED25519 = 0x01,     /* over the text */
	LD_KEY_COSIGNATURE = 0x04, /* over "cosignature/v1\ntime T\n" and the text */
};

struct ld_verifier {
	char name[LD_KEY_NAME_MAX + 1];
	uint8_t type; /* enum ld_key_type */
	uint32_t id;  /* SHA-256(name, 0x0A, type, key), the first four octets, big-endian */
	uint8_t key[LD_KEY_PUBLIC_BYTES];
};

/** UTF-8 without blanks, controls and '+', 1 to LD_KEY_NAME_MAX octets. */
bool ld_key_name_is_valid(struct ld_span name);
/** Read "name+hash+base64"; the hash must fit, the key lie in the prime-order group (under one of
 * small order, one signature fits many texts).  Errors: LINDUNG_ESYNTAX with a report. */
int ld_verifier_parse(struct ld_verifier *ret, struct ld_span text, struct ld_report *report);
/** The id that its name, type and key make. */
uint32_t ld_verifier_id(const struct ld_verifier *key);
/** Write it, terminated; `text` has LD_KEY_TEXT_MAX octets.  Returns its length. */
size_t ld_verifier_format(const struct ld_verifier *key, char *text);

struct ld_signer;

/** A new key, of random. Errors: LINDUNG_EINVAL (the name), LINDUNG_ENOMEM (also: memory cannot be
 * locked). */
int ld_signer_generate(struct ld_signer **ret, const char *name, enum ld_key_type type,
		       struct ld_report *report);
/** The key of a seed: for tests and examples that must come out alike. */
int ld_signer_from_seed(struct ld_signer **ret, const char *name, enum ld_key_type type,
			const uint8_t seed[32], struct ld_report *report);
/** Read a key file.  `passphrase` (empty: none) opens one that is encrypted.
 * Errors: LINDUNG_EIO, LINDUNG_EFORMAT, LINDUNG_EPASSPHRASE, LINDUNG_ENOMEM. */
int ld_signer_open(struct ld_signer **ret, const char *path, struct ld_span passphrase,
		   struct ld_report *report);
/** Whether the file at `path` needs a passphrase.  Errors: LINDUNG_EIO, LINDUNG_EFORMAT. */
int ld_signer_is_encrypted(bool *ret, const char *path, struct ld_report *report);
/** Write it to a new file, mode 0600; an empty passphrase writes it bare.
 * Errors: LINDUNG_EEXISTS, LINDUNG_EIO, LINDUNG_ENOMEM. */
int ld_signer_save(const struct ld_signer *signer, const char *path, struct ld_span passphrase,
		   struct ld_report *report);
const struct ld_verifier *ld_signer_verifier(const struct ld_signer *signer);
/** Sign `text` as the key's type says (a cosignature with `time_s`, else 0). Writes the octets of
 * the signature (a cosignature: 8 of the time before them) and their number.
 * Errors: LINDUNG_ENOMEM. */
int ld_signer_sign(const struct ld_signer *signer, struct ld_span text, uint64_t time_s,
		   uint8_t ret[8 + LD_KEY_SIGNATURE_BYTES], size_t *ret_len);
/** Wipe and free.  NULL is a no-op. */
void ld_signer_free(struct ld_signer *signer);

/** Check a signature as it stands in a note (without the four octets of the key's id).
 * `ret_time_s` (or NULL): when a cosignature was made, else 0. */
bool ld_verifier_check(const struct ld_verifier *key, struct ld_span text, struct ld_span signature,
		       uint64_t *ret_time_s);

#endif
