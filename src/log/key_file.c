/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/key_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/file.h"
#include "log/disk.h"
#include "log/secret.h"
#include "log/signer.h"
#include "log/text.h"

_Static_assert(LD_KEY_SEED_BYTES == crypto_sign_SEEDBYTES, "seed");
_Static_assert(LD_KEY_SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES, "salt");
_Static_assert(LD_KEY_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(LD_KEY_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

/* What we ask for: 3 passes over 256 MiB, as libsodium has it for what is kept long. */
enum { PASSES = 3, MEMORY_KIB = 256 * 1024 };

#define FIRST_LINE "lindung key 1"

/* ---- Text ----------------------------------------------------------------------------------- */

void
ld_key_file_head(struct ld_buffer *ret, const struct ld_key_file *file)
{
	char key[LD_KEY_TEXT_MAX];

	ld_verifier_format(&file->verifier, key);
	ld_buffer_printf(ret, FIRST_LINE "\nkey: %s\n", key);
	if (!file->is_encrypted) {
		ld_buffer_printf(ret, "encryption: none\n");
		return;
	}
	ld_buffer_printf(ret,
			 "encryption: argon2id-xchacha20poly1305\npasses: %u\nmemory-kib: %u\n"
			 "salt: ",
			 file->passes, file->memory_kib);
	ld_text_to_base64(ret, ld_span(file->salt, sizeof file->salt));
	ld_buffer_printf(ret, "\n");
}

/* "KEY: VALUE". */
static bool
field(struct ld_span *rest, struct ld_span key, struct ld_span *ret_value)
{
	struct ld_span line;

	if (!ld_text_line(rest, &line) || !ld_span_starts(line, key))
		return false;
	line = ld_span_from(line, key.len);
	if (!ld_span_starts(line, LD_SPAN(": ")))
		return false;
	*ret_value = ld_span_from(line, 2);
	return true;
}

static int
parse_costs(struct ld_key_file *file, struct ld_span *rest, struct ld_report *report)
{
	struct ld_span passes, memory, salt;
	uint64_t p, m;
	size_t len;

	if (!field(rest, LD_SPAN("passes"), &passes) || !ld_text_number(&p, passes) || p == 0 ||
	    !field(rest, LD_SPAN("memory-kib"), &memory) || !ld_text_number(&m, memory) ||
	    m < LD_KEY_MEMORY_MIN_KIB || !field(rest, LD_SPAN("salt"), &salt) ||
	    !ld_text_from_base64(file->salt, sizeof file->salt, &len, salt) ||
	    len != sizeof file->salt)
		return ld_fail(report, LINDUNG_EFORMAT,
			       "the key file is damaged: passes, memory-kib or salt");
	if (p > LD_KEY_PASSES_MAX || m > LD_KEY_MEMORY_MAX_KIB)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "the key file asks for %llu passes over %llu KiB of memory; at most "
			       "%d over %d are done",
			       (unsigned long long)p, (unsigned long long)m, LD_KEY_PASSES_MAX,
			       LD_KEY_MEMORY_MAX_KIB);
	file->passes = (uint32_t)p;
	file->memory_kib = (uint32_t)m;
	return LINDUNG_OK;
}

int
ld_key_file_parse(struct ld_key_file *ret, struct ld_span bytes, struct ld_report *report)
{
	struct ld_key_file file = {.passes = 0};
	struct ld_span rest = bytes, line, value;
	size_t expected;
	int err;

	if (!ld_text_line(&rest, &line) || !ld_span_starts(line, LD_SPAN("lindung key ")))
		return ld_fail(report, LINDUNG_EFORMAT, "this is no key file");
	if (!ld_span_equal(line, LD_SPAN(FIRST_LINE)))
		return ld_fail(report, LINDUNG_EVERSION,
			       "the key file is of a later version than this program");
	if (bytes.len > LD_KEY_FILE_MAX_BYTES)
		return ld_fail(report, LINDUNG_EFORMAT, "the key file is longer than %d bytes",
			       LD_KEY_FILE_MAX_BYTES);
	if (!field(&rest, LD_SPAN("key"), &value))
		return ld_fail(report, LINDUNG_EFORMAT, "the key file is damaged: no key");
	if (ld_verifier_parse(&file.verifier, value, report) != LINDUNG_OK)
		return LINDUNG_EFORMAT;
	if (!field(&rest, LD_SPAN("encryption"), &value))
		return ld_fail(report, LINDUNG_EFORMAT, "the key file is damaged: no encryption");
	file.is_encrypted = ld_span_equal(value, LD_SPAN("argon2id-xchacha20poly1305"));
	if (!file.is_encrypted && !ld_span_equal(value, LD_SPAN("none")))
		return ld_fail(report, LINDUNG_EFORMAT,
			       "the key file is damaged: an encryption that is not known");
	err = file.is_encrypted ? parse_costs(&file, &rest, report) : LINDUNG_OK;
	if (err != LINDUNG_OK)
		return err;
	file.head = ld_span_first(bytes, bytes.len - rest.len);
	expected = file.is_encrypted ? sizeof file.secret : LD_KEY_SEED_BYTES;
	if (!field(&rest, LD_SPAN("secret"), &value) || rest.len != 0 ||
	    !ld_text_from_base64(file.secret, sizeof file.secret, &file.secret_len, value) ||
	    file.secret_len != expected) {
		sodium_memzero(&file, sizeof file);
		return ld_fail(report, LINDUNG_EFORMAT, "the key file is damaged: its secret");
	}
	*ret = file;
	sodium_memzero(file.secret, sizeof file.secret);
	return LINDUNG_OK;
}

/* ---- Passphrases ---------------------------------------------------------------------------- */

/* The key that the seed is encrypted with, in memory of ld_secret_alloc(). */
static int
derive(void **ret, const struct ld_key_file *file, struct ld_span passphrase,
       struct ld_report *report)
{
	void *key = NULL;
	int err = ld_secret_alloc(&key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES, report);

	if (err != LINDUNG_OK)
		return err;
	if (crypto_pwhash_argon2id(key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
				   (const char *)passphrase.data, passphrase.len, file->salt,
				   file->passes, (size_t)file->memory_kib * 1024,
				   crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
		ld_secret_free(key);
		return ld_fail(report, LINDUNG_ENOMEM,
			       "not enough memory for the passphrase: the key file asks for %u MiB",
			       file->memory_kib / 1024);
	}
	*ret = key;
	return LINDUNG_OK;
}

/* The seed of a file, in memory of ld_secret_alloc(). */
static int
open_seed(void **ret, const struct ld_key_file *file, struct ld_span passphrase,
	  struct ld_report *report)
{
	void *seed = NULL, *key = NULL;
	int err = ld_secret_alloc(&seed, LD_KEY_SEED_BYTES, report);

	if (err != LINDUNG_OK)
		return err;
	if (!file->is_encrypted) {
		memcpy(seed, file->secret, LD_KEY_SEED_BYTES);
		*ret = seed;
		return LINDUNG_OK;
	}
	if (passphrase.len == 0 || passphrase.len > LD_KEY_PASSPHRASE_MAX) {
		ld_secret_free(seed);
		return ld_fail(report, LINDUNG_EPASSPHRASE, "the key needs its passphrase");
	}
	err = derive(&key, file, passphrase, report);
	if (err != LINDUNG_OK) {
		ld_secret_free(seed);
		return err;
	}
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    seed, NULL, NULL, file->secret + LD_KEY_NONCE_BYTES,
		    LD_KEY_SEED_BYTES + LD_KEY_TAG_BYTES, file->head.data, file->head.len,
		    file->secret, key) != 0)
		err = ld_fail(report, LINDUNG_EPASSPHRASE,
			      "the passphrase does not open the key (or the file was changed)");
	ld_secret_free(key);
	if (err != LINDUNG_OK)
		ld_secret_free(seed);
	else
		*ret = seed;
	return err;
}

static int
seal_seed(struct ld_key_file *file, const uint8_t *seed, struct ld_span passphrase,
	  struct ld_span head, struct ld_report *report)
{
	unsigned long long len;
	void *key = NULL;
	int err;

	if (!file->is_encrypted) {
		memcpy(file->secret, seed, LD_KEY_SEED_BYTES);
		file->secret_len = LD_KEY_SEED_BYTES;
		return LINDUNG_OK;
	}
	err = derive(&key, file, passphrase, report);
	if (err != LINDUNG_OK)
		return err;
	randombytes_buf(file->secret, LD_KEY_NONCE_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(file->secret + LD_KEY_NONCE_BYTES, &len, seed,
						   LD_KEY_SEED_BYTES, head.data, head.len, NULL,
						   file->secret, key);
	file->secret_len = LD_KEY_NONCE_BYTES + (size_t)len;
	ld_secret_free(key);
	return LINDUNG_OK;
}

/* ---- Files ---------------------------------------------------------------------------------- */

/* `*ret_memory` holds what `head` points into: wipe and free it. */
static int
read_file(struct ld_key_file *ret, struct ld_buffer *ret_memory, const char *path,
	  struct ld_report *report)
{
	struct ld_report inner = {.text = ""};
	int err;

	ld_buffer_init(ret_memory, LD_KEY_FILE_MAX_BYTES);
	err = ld_disk_read(AT_FDCWD, path, ret_memory, report);
	if (err == LINDUNG_ENOTFOUND)
		return LINDUNG_EIO;
	if (err == LINDUNG_ELIMIT)
		return ld_fail(report, LINDUNG_EFORMAT, "%s: this is no key file", path);
	if (err != LINDUNG_OK)
		return err;
	err = ld_key_file_parse(ret, ld_buffer_span(ret_memory), &inner);
	if (err != LINDUNG_OK)
		ld_fail(report, err, "%s: %s", path, inner.text);
	return err;
}

static void
wipe(struct ld_key_file *file, struct ld_buffer *memory)
{
	sodium_memzero(file, sizeof *file);
	if (memory->data != NULL)
		sodium_memzero(memory->data, memory->size);
	ld_buffer_free(memory);
}

int
ld_signer_open(struct ld_signer **ret, const char *path, struct ld_span passphrase,
	       struct ld_report *report)
{
	struct ld_report inner = {.text = ""};
	struct ld_key_file file = {.passes = 0};
	struct ld_signer *signer = NULL;
	struct ld_buffer memory;
	void *seed = NULL;
	int err = read_file(&file, &memory, path, report);

	if (err != LINDUNG_OK) {
		wipe(&file, &memory);
		return err == LINDUNG_ELIMIT || err == LINDUNG_EVERSION ? LINDUNG_EFORMAT : err;
	}
	err = open_seed(&seed, &file, passphrase, &inner);
	if (err == LINDUNG_OK)
		err = ld_signer_from_seed(&signer, file.verifier.name, file.verifier.type, seed,
					  &inner);
	if (err == LINDUNG_OK &&
	    memcmp(signer->verifier.key, file.verifier.key, sizeof file.verifier.key) != 0)
		err = ld_fail(&inner, LINDUNG_EFORMAT,
			      "the key file is damaged: its secret is not that of its key");
	ld_secret_free(seed);
	wipe(&file, &memory);
	if (err != LINDUNG_OK) {
		ld_signer_free(signer);
		return ld_fail(report, err, "%s: %s", path, inner.text);
	}
	*ret = signer;
	return LINDUNG_OK;
}

int
ld_signer_is_encrypted(bool *ret, const char *path, struct ld_report *report)
{
	struct ld_key_file file = {.passes = 0};
	struct ld_buffer memory;
	int err = read_file(&file, &memory, path, report);

	if (err == LINDUNG_OK)
		*ret = file.is_encrypted;
	else if (err == LINDUNG_ELIMIT || err == LINDUNG_EVERSION)
		err = LINDUNG_EFORMAT;
	wipe(&file, &memory);
	return err;
}

int
ld_signer_save(const struct ld_signer *signer, const char *path, struct ld_span passphrase,
	       struct ld_report *report)
{
	struct ld_key_file file = {
		.verifier = signer->verifier,
		.is_encrypted = passphrase.len != 0,
		.passes = PASSES,
		.memory_kib = MEMORY_KIB,
	};
	struct ld_buffer text;
	int err;

	if (passphrase.len > LD_KEY_PASSPHRASE_MAX)
		return ld_fail(report, LINDUNG_EINVAL, "a passphrase of more than %d octets",
			       LD_KEY_PASSPHRASE_MAX);
	randombytes_buf(file.salt, sizeof file.salt);
	ld_buffer_init(&text, LD_KEY_FILE_MAX_BYTES);
	/* All at once: a buffer that moves leaves a copy of the secret behind. */
	ld_buffer_room(&text, LD_KEY_FILE_MAX_BYTES);
	text.len = 0;
	ld_key_file_head(&text, &file);
	err = text.failed ? ld_fail(report, LINDUNG_ENOMEM, "not enough memory") : LINDUNG_OK;
	if (err == LINDUNG_OK)
		err = seal_seed(&file, signer->secret->seed, passphrase, ld_buffer_span(&text),
				report);
	if (err == LINDUNG_OK) {
		ld_buffer_printf(&text, "secret: ");
		ld_text_to_base64(&text, ld_span(file.secret, file.secret_len));
		ld_buffer_printf(&text, "\n");
		err = text.failed ? ld_fail(report, LINDUNG_ENOMEM, "not enough memory")
				  : ld_disk_write_new(path, ld_buffer_span(&text), report);
	}
	wipe(&file, &text);
	return err;
}
