/* The age v1 file (C2SP age): header, its MAC, and the payload in chunks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <sodium.h>

#include "log/seal_parts.h"
#include "log/secret.h"
#include "log/text.h"

enum {
	FILE_KEY_BYTES = LD_SEAL_FILE_KEY_BYTES,
	KEY_BYTES = 32, /* of everything derived */
	TAG_BYTES = crypto_aead_chacha20poly1305_ietf_ABYTES,
	NONCE_BYTES = crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
	BODY_BYTES = FILE_KEY_BYTES + TAG_BYTES,
	BASE64_32 = 43, /* digits of 32 octets, without padding */
	LINE_FULL = 64, /* base64 digits of a line that another follows */
	LINE_FULL_BYTES = 48,
	PAYLOAD_NONCE_BYTES = 16,
	CHUNK_BYTES = 64 * 1024,
	CHUNK_SEALED_BYTES = CHUNK_BYTES + TAG_BYTES,
};

static const char version_line[] = "age-encryption.org/v1";
static const char x25519_info[] = "age-encryption.org/v1/X25519";

/* Everything secret in between: in locked memory. */
struct work {
	uint8_t file_key[FILE_KEY_BYTES];
	uint8_t shared[KEY_BYTES];
	uint8_t ephemeral[KEY_BYTES];
	uint8_t extracted[KEY_BYTES];
	uint8_t derived[KEY_BYTES];
	crypto_auth_hmacsha256_state hmac;
};

static int
work_new(struct work **ret, struct ld_report *report)
{
	void *memory;
	int err = ld_secret_alloc(&memory, sizeof **ret, report);

	if (err == LINDUNG_OK)
		*ret = memory;
	return err;
}

/* ---- Keys ----------------------------------------------------------------------------------- */

static void
hmac(struct work *w, uint8_t ret[KEY_BYTES], struct ld_span key, struct ld_span a, struct ld_span b)
{
	crypto_auth_hmacsha256_init(&w->hmac, key.data, key.len);
	crypto_auth_hmacsha256_update(&w->hmac, a.data, a.len);
	crypto_auth_hmacsha256_update(&w->hmac, b.data, b.len);
	crypto_auth_hmacsha256_final(&w->hmac, ret);
}

/* HKDF-SHA-256 (RFC 5869) of 32 octets, into w->derived. */
static void
derive(struct work *w, struct ld_span secret, struct ld_span salt, struct ld_span info)
{
	static const uint8_t first_block[1] = {1};

	hmac(w, w->extracted, salt, secret, LD_SPAN(""));
	hmac(w, w->derived, ld_span(w->extracted, KEY_BYTES), info, ld_span(first_block, 1));
}

/* The key that wraps the file's: of w->shared, the ephemeral share and the recipient. */
static void
derive_wrap(struct work *w, const uint8_t share[KEY_BYTES], const uint8_t recipient[KEY_BYTES])
{
	uint8_t salt[2 * KEY_BYTES];

	memcpy(salt, share, KEY_BYTES);
	memcpy(salt + KEY_BYTES, recipient, KEY_BYTES);
	derive(w, ld_span(w->shared, KEY_BYTES), ld_span(salt, sizeof salt),
	       ld_span_str(x25519_info));
}

static void
header_mac(struct work *w, uint8_t ret[KEY_BYTES], struct ld_span header)
{
	derive(w, ld_span(w->file_key, FILE_KEY_BYTES), LD_SPAN(""), LD_SPAN("header"));
	hmac(w, ret, ld_span(w->derived, KEY_BYTES), header, LD_SPAN(""));
}

static void
chunk_nonce(uint8_t nonce[NONCE_BYTES], uint64_t number, bool is_last)
{
	memset(nonce, 0, NONCE_BYTES);
	for (unsigned i = 0; i < 8; i++)
		nonce[NONCE_BYTES - 2 - i] = (uint8_t)(number >> 8 * i);
	nonce[NONCE_BYTES - 1] = is_last;
}

/* ---- Sealing -------------------------------------------------------------------------------- */

static void
put_base64(struct ld_buffer *ret, const uint8_t bytes[KEY_BYTES])
{
	char text[BASE64_32 + 1];

	sodium_bin2base64(text, sizeof text, bytes, KEY_BYTES,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	ld_buffer_printf(ret, "%s", text);
}

static int
put_stanza(struct ld_buffer *ret, struct work *w, const uint8_t recipient[KEY_BYTES])
{
	static const uint8_t nonce[NONCE_BYTES];
	uint8_t share[KEY_BYTES], body[BODY_BYTES];

	randombytes_buf(w->ephemeral, sizeof w->ephemeral);
	crypto_scalarmult_base(share, w->ephemeral);
	if (crypto_scalarmult(w->shared, w->ephemeral, recipient) != 0)
		return LINDUNG_EINVAL;
	derive_wrap(w, share, recipient);
	crypto_aead_chacha20poly1305_ietf_encrypt(body, NULL, w->file_key, FILE_KEY_BYTES, NULL, 0,
						  NULL, nonce, w->derived);
	ld_buffer_printf(ret, "-> X25519 ");
	put_base64(ret, share);
	ld_buffer_printf(ret, "\n");
	put_base64(ret, body);
	ld_buffer_printf(ret, "\n");
	return LINDUNG_OK;
}

static int
put_header(struct ld_buffer *ret, struct work *w, const struct ld_recipients *recipients)
{
	uint8_t mac[KEY_BYTES];
	size_t start = ret->len;
	int err = LINDUNG_OK;

	ld_buffer_printf(ret, "%s\n", version_line);
	if (recipients->passphrase != NULL)
		err = ld_seal_passphrase_put(ret, w->file_key, recipients->passphrase);
	for (unsigned i = 0; i < recipients->count && err == LINDUNG_OK; i++)
		err = put_stanza(ret, w, recipients->keys[i]);
	if (err != LINDUNG_OK)
		return err;
	ld_buffer_printf(ret, "---");
	if (ret->failed)
		return LINDUNG_ENOMEM;
	header_mac(w, mac, ld_span_from(ld_buffer_span(ret), start));
	ld_buffer_printf(ret, " ");
	put_base64(ret, mac);
	ld_buffer_printf(ret, "\n");
	return LINDUNG_OK;
}

static int
put_payload(struct ld_buffer *ret, struct work *w, struct ld_span plain)
{
	size_t chunks = plain.len == 0 ? 1 : (plain.len + CHUNK_BYTES - 1) / CHUNK_BYTES;
	uint8_t *room = ld_buffer_room(ret, PAYLOAD_NONCE_BYTES + plain.len + chunks * TAG_BYTES);

	if (room == NULL)
		return LINDUNG_ENOMEM;
	randombytes_buf(room, PAYLOAD_NONCE_BYTES);
	derive(w, ld_span(w->file_key, FILE_KEY_BYTES), ld_span(room, PAYLOAD_NONCE_BYTES),
	       LD_SPAN("payload"));
	room += PAYLOAD_NONCE_BYTES;
	for (size_t i = 0; i < chunks; i++) {
		struct ld_span chunk = ld_span_first(plain, CHUNK_BYTES);
		uint8_t nonce[NONCE_BYTES];

		chunk_nonce(nonce, i, i + 1 == chunks);
		crypto_aead_chacha20poly1305_ietf_encrypt(room, NULL, chunk.data, chunk.len, NULL,
							  0, NULL, nonce, w->derived);
		room += chunk.len + TAG_BYTES;
		plain = ld_span_from(plain, chunk.len);
	}
	return LINDUNG_OK;
}

int
ld_seal(struct ld_buffer *ret, struct ld_span plain, const struct ld_recipients *recipients)
{
	struct work *w;
	size_t start = ret->len;

	if (recipients->count == 0 && recipients->passphrase == NULL)
		return LINDUNG_EINVAL;
	int err = work_new(&w, NULL);
	if (err != LINDUNG_OK)
		return err;
	randombytes_buf(w->file_key, sizeof w->file_key);
	err = put_header(ret, w, recipients);
	if (err == LINDUNG_OK)
		err = put_payload(ret, w, plain);
	if (err != LINDUNG_OK)
		ret->len = start;
	ld_secret_free(w);
	return err;
}

/* ---- The header, read ----------------------------------------------------------------------- */

struct header {
	struct ld_span stanzas; /* with the LF of the last */
	struct ld_span signed_part;
	uint8_t mac[KEY_BYTES];
	struct ld_span payload;
};

static bool
from_base64_32(uint8_t ret[KEY_BYTES], struct ld_span text)
{
	size_t len;

	return text.len == BASE64_32 && ld_text_from_bare_base64(ret, KEY_BYTES, &len, text) &&
	       len == KEY_BYTES;
}

struct stanza {
	struct ld_span arguments; /* behind the first, with its blank */
	struct ld_span type;
	struct ld_span last_line;
	bool is_one_line;
};

static bool
arguments_are_well_formed(struct ld_span rest)
{
	bool behind_blank = true;

	for (size_t i = 0; i < rest.len; i++) {
		if (rest.data[i] == ' ' ? behind_blank : rest.data[i] < '!' || rest.data[i] > '~')
			return false;
		behind_blank = rest.data[i] == ' ';
	}
	return !behind_blank;
}

/* The next stanza; false: what stands there is none. */
static bool
stanza_next(struct stanza *ret, struct ld_span *rest)
{
	uint8_t octets[LINE_FULL_BYTES];
	struct ld_span line;
	size_t len;

	if (!ld_text_line(rest, &line) || !ld_span_starts(line, LD_SPAN("-> ")))
		return false;
	line = ld_span_from(line, 3);
	if (!arguments_are_well_formed(line))
		return false;
	size_t blank = ld_span_find(line, ' ');
	ret->type = ld_span_first(line, blank);
	ret->arguments = ld_span_from(line, blank);
	ret->is_one_line = true;
	for (;;) {
		if (!ld_text_line(rest, &line) || line.len > LINE_FULL ||
		    !ld_text_from_bare_base64(octets, sizeof octets, &len, line))
			return false;
		if (line.len < LINE_FULL)
			break;
		ret->is_one_line = false;
	}
	ret->last_line = line;
	return true;
}

static int
header_fail(struct ld_report *report, const char *what)
{
	return ld_fail(report, LINDUNG_EFORMAT, "not a file of age v1: %s", what);
}

/* Take the header apart.  Stanzas are well-formed; what they say is looked at later. */
static int
header_read(struct header *ret, struct ld_span sealed, struct ld_report *report)
{
	struct ld_span rest = ld_span_first(sealed, LD_SEAL_HEADER_MAX_BYTES), line, before;
	struct stanza stanza;
	unsigned count = 0;

	if (!ld_text_line(&rest, &line) || !ld_span_equal(line, ld_span_str(version_line)))
		return header_fail(report, "its first line is another");
	ret->stanzas = rest;
	for (before = rest; ld_span_starts(rest, LD_SPAN("->")); before = rest, count++) {
		if (!stanza_next(&stanza, &rest))
			return header_fail(report, "a recipient's lines are malformed, or the "
						   "header has more than 16 KiB");
	}
	if (count == 0)
		return header_fail(report, "it is for no recipient");
	ret->stanzas.len = (size_t)(before.data - ret->stanzas.data);
	if (!ld_text_line(&rest, &line) || !ld_span_starts(line, LD_SPAN("--- ")) ||
	    !from_base64_32(ret->mac, ld_span_from(line, 4)))
		return header_fail(report, "the header's last line is malformed, or the header has "
					   "more than 16 KiB");
	ret->signed_part = ld_span(sealed.data, (size_t)(line.data + 3 - sealed.data));
	ret->payload = ld_span_from(sealed, (size_t)(rest.data - sealed.data));
	return LINDUNG_OK;
}

/* ---- Opening -------------------------------------------------------------------------------- */

/* Try one key on one stanza.  False: it is for another; the file's key is in `w` otherwise.
 * `*ret_weak`: the sender made a share that agrees with anybody. */
static bool
unwrap(struct work *w, const struct ld_opener *opener, const uint8_t share[KEY_BYTES],
       const uint8_t body[BODY_BYTES], bool *ret_weak)
{
	static const uint8_t nonce[NONCE_BYTES];

	if (crypto_scalarmult(w->shared, opener->secret, share) != 0) {
		*ret_weak = true;
		return false;
	}
	derive_wrap(w, share, opener->public);
	return crypto_aead_chacha20poly1305_ietf_decrypt(w->file_key, NULL, NULL, body, BODY_BYTES,
							 NULL, 0, nonce, w->derived) == 0;
}

/* The file's key, out of the stanzas of X25519; others are passed over. */
static int
file_key_find(struct work *w, const struct header *header, const struct ld_openers *openers,
	      struct ld_report *report)
{
	struct ld_span rest = header->stanzas;
	struct stanza stanza, scrypt = {.is_one_line = false};
	bool found = false, weak = false, passphrase = false;
	unsigned count = 0;

	for (; rest.len != 0; count++) {
		uint8_t share[KEY_BYTES], body[BODY_BYTES];

		LD_ASSERT(stanza_next(&stanza, &rest));
		if (ld_span_equal(stanza.type, LD_SPAN("scrypt"))) {
			passphrase = true;
			scrypt = stanza;
		}
		if (!ld_span_equal(stanza.type, LD_SPAN("X25519")))
			continue;
		if (!from_base64_32(share, ld_span_from(stanza.arguments, 1)) ||
		    !stanza.is_one_line || !from_base64_32(body, stanza.last_line))
			return header_fail(report, "a recipient of X25519 is malformed");
		for (unsigned i = 0; openers != NULL && i < openers->count && !found; i++)
			found = unwrap(w, &openers->keys[i], share, body, &weak);
	}
	if (weak)
		return header_fail(report, "a recipient's share is a weak point");
	if (passphrase && count > 1)
		return header_fail(report, "a passphrase beside other recipients");
	if (passphrase && openers != NULL && openers->passphrase != NULL)
		return ld_seal_passphrase_take(w->file_key, scrypt.arguments,
					       scrypt.is_one_line ? scrypt.last_line : LD_SPAN(""),
					       openers->passphrase, report);
	return found ? LINDUNG_OK
		     : ld_fail(report, LINDUNG_EDENIED, "none of the keys here opens it");
}

/* Octets of the plain text; false: no payload has this length. */
static bool
payload_plain_bytes(struct ld_span payload, size_t *ret)
{
	if (payload.len < PAYLOAD_NONCE_BYTES + TAG_BYTES)
		return false;
	size_t len = payload.len - PAYLOAD_NONCE_BYTES;
	size_t whole = len / CHUNK_SEALED_BYTES, last = len % CHUNK_SEALED_BYTES;
	if (last == 0) {
		*ret = whole * CHUNK_BYTES;
		return true;
	}
	/* Only of an empty text the last chunk is empty. */
	if (last < TAG_BYTES || (last == TAG_BYTES && whole != 0))
		return false;
	*ret = whole * CHUNK_BYTES + last - TAG_BYTES;
	return true;
}

static bool
payload_open(struct work *w, uint8_t *plain, struct ld_span payload)
{
	derive(w, ld_span(w->file_key, FILE_KEY_BYTES), ld_span_first(payload, PAYLOAD_NONCE_BYTES),
	       LD_SPAN("payload"));
	payload = ld_span_from(payload, PAYLOAD_NONCE_BYTES);
	for (uint64_t i = 0; payload.len != 0; i++) {
		struct ld_span chunk = ld_span_first(payload, CHUNK_SEALED_BYTES);
		uint8_t nonce[NONCE_BYTES];

		payload = ld_span_from(payload, chunk.len);
		chunk_nonce(nonce, i, payload.len == 0);
		if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, chunk.data,
							      chunk.len, NULL, 0, nonce,
							      w->derived) != 0)
			return false;
		plain += chunk.len - TAG_BYTES;
	}
	return true;
}

/* Room for `len` octets of plain text, locked or in the caller's buffer. */
struct place {
	struct ld_opened *opened;
	struct ld_buffer *buffer; /* or NULL */
};

static int
payload_read(const struct place *place, struct work *w, struct ld_span payload,
	     struct ld_report *report)
{
	void *memory = NULL;
	uint8_t *room;
	size_t len;
	int err = LINDUNG_OK;

	if (!payload_plain_bytes(payload, &len))
		return ld_fail(report, LINDUNG_EDAMAGED, "the sealed file is cut");
	if (place->buffer == NULL)
		err = ld_secret_alloc(&memory, len != 0 ? len : 1, report);
	if (err != LINDUNG_OK)
		return err;
	room = place->buffer != NULL ? ld_buffer_room(place->buffer, len) : memory;
	if (room == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	if (!payload_open(w, room, payload)) {
		ld_secret_free(memory);
		if (place->buffer != NULL)
			ld_buffer_free(place->buffer);
		return ld_fail(report, LINDUNG_EDAMAGED, "the sealed file is cut or was changed");
	}
	if (memory != NULL) {
		place->opened->bytes = ld_span(memory, len);
		place->opened->memory = memory;
		place->opened->memory_bytes = len;
	}
	return LINDUNG_OK;
}

static int
unseal(const struct place *place, struct ld_span sealed, const struct ld_openers *openers,
       struct ld_report *report)
{
	struct header header;
	uint8_t mac[KEY_BYTES];
	struct work *w;
	int err = header_read(&header, sealed, report);

	if (err != LINDUNG_OK)
		return err;
	err = work_new(&w, report);
	if (err != LINDUNG_OK)
		return err;
	err = file_key_find(w, &header, openers, report);
	if (err == LINDUNG_OK) {
		header_mac(w, mac, header.signed_part);
		if (sodium_memcmp(mac, header.mac, sizeof mac) != 0)
			err = ld_fail(report, LINDUNG_EDAMAGED,
				      "the header of the sealed file was changed");
	}
	if (err == LINDUNG_OK)
		err = payload_read(place, w, header.payload, report);
	ld_secret_free(w);
	return err;
}

int
ld_unseal(struct ld_opened *ret, struct ld_span sealed, const struct ld_openers *openers,
	  struct ld_report *report)
{
	return unseal(&(struct place){.opened = ret}, sealed, openers, report);
}

int
ld_unseal_buffer(struct ld_buffer *ret, struct ld_span sealed, const struct ld_openers *openers,
		 struct ld_report *report)
{
	return unseal(&(struct place){.buffer = ret}, sealed, openers, report);
}

bool
ld_seal_is_for_passphrase(struct ld_span sealed)
{
	struct ld_span rest = sealed, line;

	return ld_text_line(&rest, &line) && ld_text_line(&rest, &line) &&
	       ld_span_starts(line, LD_SPAN("-> scrypt "));
}

void
ld_opened_free(struct ld_opened *opened)
{
	ld_secret_free(opened->memory);
	*opened = (struct ld_opened){0};
}
