/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/key.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "log/secret.h"
#include "log/signer.h"
#include "log/text.h"

_Static_assert(LD_KEY_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519");
_Static_assert(LD_KEY_SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");

enum { COSIGNATURE_TIME_BYTES = 8 };

bool
ld_key_name_is_valid(struct ld_span name)
{
	return name.len != 0 && name.len <= LD_KEY_NAME_MAX && ld_text_is_utf8(name) &&
	       !ld_text_has_control(name, 0) && !ld_text_has_space(name) &&
	       !ld_span_has_any(name, "+");
}

uint32_t
ld_verifier_id(const struct ld_verifier *key)
{
	crypto_hash_sha256_state state;
	uint8_t between[2] = {'\n', key->type}, hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)key->name, strlen(key->name));
	crypto_hash_sha256_update(&state, between, sizeof between);
	crypto_hash_sha256_update(&state, key->key, sizeof key->key);
	crypto_hash_sha256_final(&state, hash);
	return ld_get_be32(hash);
}

int
ld_verifier_parse(struct ld_verifier *ret, struct ld_span text, struct ld_report *report)
{
	struct ld_verifier key = {0};
	uint8_t id[4], decoded[1 + LD_KEY_PUBLIC_BYTES];
	struct ld_span name, rest;
	size_t len;

	if (sodium_init() < 0)
		return ld_fail(report, LINDUNG_EINTERNAL, "libsodium does not start");
	name = ld_span_first(text, ld_span_find(text, '+'));
	rest = ld_span_from(text, name.len + 1);
	if (name.len == text.len || rest.len < 10 || rest.data[8] != '+')
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "this is no verifier key: it reads NAME+HASH+KEY");
	if (!ld_key_name_is_valid(name))
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "the name of a key is UTF-8 without blanks, at most %d octets",
			       LD_KEY_NAME_MAX);
	memcpy(key.name, name.data, name.len);
	if (!ld_text_from_hex(id, sizeof id, ld_span_first(rest, 8)) ||
	    !ld_text_from_base64(decoded, sizeof decoded, &len, ld_span_from(rest, 9)) ||
	    len != sizeof decoded)
		return ld_fail(report, LINDUNG_ESYNTAX, "key %s: not the text of an Ed25519 key",
			       key.name);
	key.type = decoded[0];
	memcpy(key.key, decoded + 1, sizeof key.key);
	key.id = ld_verifier_id(&key);
	if (key.type != LD_KEY_ED25519 && key.type != LD_KEY_COSIGNATURE)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "key %s: of type 0x%02x; this version knows Ed25519 (0x01) and its "
			       "cosignatures (0x04)",
			       key.name, key.type);
	if (key.id != ld_get_be32(id))
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "key %s: its hash does not fit; it was changed or cut on its way",
			       key.name);
	if (!crypto_core_ed25519_is_valid_point(key.key))
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "key %s: no point of Ed25519's prime-order group", key.name);
	*ret = key;
	return LINDUNG_OK;
}

size_t
ld_verifier_format(const struct ld_verifier *key, char *text)
{
	uint8_t bytes[1 + LD_KEY_PUBLIC_BYTES];
	char base64[sodium_base64_ENCODED_LEN(sizeof bytes, sodium_base64_VARIANT_ORIGINAL)];

	bytes[0] = key->type;
	memcpy(bytes + 1, key->key, sizeof key->key);
	sodium_bin2base64(base64, sizeof base64, bytes, sizeof bytes,
			  sodium_base64_VARIANT_ORIGINAL);
	return (size_t)snprintf(text, LD_KEY_TEXT_MAX, "%s+%08x+%s", key->name, key->id, base64);
}

/* ---- Signers -------------------------------------------------------------------------------- */

int
ld_signer_from_seed(struct ld_signer **ret, const char *name, enum ld_key_type type,
		    const uint8_t seed[32], struct ld_report *report)
{
	struct ld_signer *signer;
	void *secret;
	int err;

	if (!ld_key_name_is_valid(ld_span_str(name)))
		return ld_fail(report, LINDUNG_EINVAL,
			       "the name of a key is UTF-8 without blanks and '+', 1 to %d octets",
			       LD_KEY_NAME_MAX);
	err = ld_secret_alloc(&secret, sizeof signer->secret[0], report);
	if (err != LINDUNG_OK)
		return err;
	signer = calloc(1, sizeof *signer);
	if (signer == NULL) {
		ld_secret_free(secret);
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	}
	signer->secret = secret;
	memcpy(signer->secret->seed, seed, sizeof signer->secret->seed);
	crypto_sign_seed_keypair(signer->verifier.key, signer->secret->key, seed);
	memcpy(signer->verifier.name, name, strlen(name) + 1);
	signer->verifier.type = (uint8_t)type;
	signer->verifier.id = ld_verifier_id(&signer->verifier);
	*ret = signer;
	return LINDUNG_OK;
}

int
ld_signer_generate(struct ld_signer **ret, const char *name, enum ld_key_type type,
		   struct ld_report *report)
{
	void *seed;
	int err = ld_secret_alloc(&seed, crypto_sign_SEEDBYTES, report);

	if (err != LINDUNG_OK)
		return err;
	randombytes_buf(seed, crypto_sign_SEEDBYTES);
	err = ld_signer_from_seed(ret, name, type, seed, report);
	ld_secret_free(seed);
	return err;
}

const struct ld_verifier *
ld_signer_verifier(const struct ld_signer *signer)
{
	return &signer->verifier;
}

void
ld_signer_free(struct ld_signer *signer)
{
	if (signer == NULL)
		return;
	ld_secret_free(signer->secret);
	free(signer);
}

/* ---- Signatures ----------------------------------------------------------------------------- */

/* What a cosignature is over, into malloc()ed memory. */
static uint8_t *
cosigned(struct ld_span text, uint64_t time_s, size_t *ret_len)
{
	char head[64];
	int len = snprintf(head, sizeof head, "cosignature/v1\ntime %llu\n",
			   (unsigned long long)time_s);
	uint8_t *message = malloc((size_t)len + text.len);

	if (message == NULL)
		return NULL;
	memcpy(message, head, (size_t)len);
	if (text.len != 0)
		memcpy(message + len, text.data, text.len);
	*ret_len = (size_t)len + text.len;
	return message;
}

int
ld_signer_sign(const struct ld_signer *signer, struct ld_span text, uint64_t time_s,
	       uint8_t ret[8 + LD_KEY_SIGNATURE_BYTES], size_t *ret_len)
{
	uint8_t *message;
	size_t len;

	if (signer->verifier.type == LD_KEY_ED25519) {
		crypto_sign_detached(ret, NULL, text.data, text.len, signer->secret->key);
		*ret_len = LD_KEY_SIGNATURE_BYTES;
		return LINDUNG_OK;
	}
	message = cosigned(text, time_s, &len);
	if (message == NULL)
		return LINDUNG_ENOMEM;
	ld_put_be64(ret, time_s);
	crypto_sign_detached(ret + COSIGNATURE_TIME_BYTES, NULL, message, len, signer->secret->key);
	free(message);
	*ret_len = COSIGNATURE_TIME_BYTES + LD_KEY_SIGNATURE_BYTES;
	return LINDUNG_OK;
}

bool
ld_verifier_check(const struct ld_verifier *key, struct ld_span text, struct ld_span signature,
		  uint64_t *ret_time_s)
{
	uint64_t time_s = 0;
	uint8_t *message = NULL;
	size_t len;
	bool good;

	if (key->type == LD_KEY_COSIGNATURE) {
		if (signature.len != COSIGNATURE_TIME_BYTES + LD_KEY_SIGNATURE_BYTES)
			return false;
		time_s = ld_get_be64(signature.data);
		if (time_s > INT64_MAX)
			return false;
		signature = ld_span_from(signature, COSIGNATURE_TIME_BYTES);
		message = cosigned(text, time_s, &len);
		if (message == NULL)
			return false;
		text = ld_span(message, len);
	} else if (key->type != LD_KEY_ED25519 || signature.len != LD_KEY_SIGNATURE_BYTES) {
		return false;
	}
	good = crypto_sign_verify_detached(signature.data, text.data, text.len, key->key) == 0;
	free(message);
	if (good && ret_time_s != NULL)
		*ret_time_s = time_s;
	return good;
}
