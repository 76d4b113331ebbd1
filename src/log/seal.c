/* Keys for sealing: who can open, and for whom something is sealed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/bech32.h"
#include "log/disk.h"
#include "log/seal_parts.h"
#include "log/secret.h"
#include "log/text.h"

enum { FILE_MAX_BYTES = 64 * 1024 }; /* of keys; age-keygen writes some 200 octets */

static const char recipient_prefix[] = "age";
static const char secret_prefix[] = "AGE-SECRET-KEY-";

_Static_assert(sizeof secret_prefix + 60 <= LD_SEAL_TEXT_MAX, "texts of keys fit");

/* ---- For whom ------------------------------------------------------------------------------- */

int
ld_recipients_new(struct ld_recipients **ret)
{
	struct ld_recipients *set = calloc(1, sizeof *set);

	if (set == NULL)
		return LINDUNG_ENOMEM;
	*ret = set;
	return LINDUNG_OK;
}

/* Into locked memory, in place of one that was there. */
static int
passphrase_keep(struct ld_secret_text **ret, struct ld_span passphrase, struct ld_report *report)
{
	struct ld_secret_text *kept;
	void *memory;

	if (passphrase.len == 0)
		return ld_fail(report, LINDUNG_EINVAL, "the passphrase is empty");
	int err = ld_secret_alloc(&memory, sizeof *kept + passphrase.len, report);
	if (err != LINDUNG_OK)
		return err;
	kept = memory;
	kept->len = passphrase.len;
	memcpy(kept->text, passphrase.data, passphrase.len);
	ld_secret_free(*ret);
	*ret = kept;
	return LINDUNG_OK;
}

int
ld_recipients_passphrase(struct ld_recipients *set, struct ld_span passphrase,
			 struct ld_report *report)
{
	if (set->count != 0)
		return ld_fail(
			report, LINDUNG_EINVAL,
			"a passphrase stands alone: anybody with a key could change the file");
	return passphrase_keep(&set->passphrase, passphrase, report);
}

void
ld_recipients_free(struct ld_recipients *set)
{
	if (set == NULL)
		return;
	ld_secret_free(set->passphrase);
	free(set);
}

/* Agreement with such a key gives the same secret whoever asks. */
static bool
is_weak(const uint8_t key[LD_SEAL_KEY_BYTES])
{
	static const uint8_t scalar[LD_SEAL_KEY_BYTES] = {8};
	uint8_t shared[LD_SEAL_KEY_BYTES];

	return crypto_scalarmult(shared, scalar, key) != 0;
}

int
ld_recipients_add(struct ld_recipients *set, struct ld_span text, struct ld_report *report)
{
	uint8_t key[LD_SEAL_KEY_BYTES];

	if (!ld_bech32_read(key, recipient_prefix, text) || is_weak(key))
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "this is no X25519 recipient of age (\"age1\" and 58 letters and "
			       "digits)");
	if (set->passphrase != NULL)
		return ld_fail(report, LINDUNG_EINVAL, "a passphrase stands alone");
	for (unsigned i = 0; i < set->count; i++) {
		if (memcmp(set->keys[i], key, sizeof key) == 0)
			return LINDUNG_OK;
	}
	if (set->count == LD_SEAL_RECIPIENTS_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "more than %d recipients",
			       LD_SEAL_RECIPIENTS_MAX);
	memcpy(set->keys[set->count++], key, sizeof key);
	return LINDUNG_OK;
}

/* ---- Who can open --------------------------------------------------------------------------- */

int
ld_openers_new(struct ld_openers **ret)
{
	struct ld_openers *set = calloc(1, sizeof *set);
	void *keys;

	if (set == NULL)
		return LINDUNG_ENOMEM;
	/* One place more, in which a new one is put together. */
	int err = ld_secret_alloc(&keys, (LD_SEAL_OPENERS_MAX + 1) * sizeof *set->keys, NULL);
	if (err != LINDUNG_OK) {
		free(set);
		return err;
	}
	set->keys = keys;
	*ret = set;
	return LINDUNG_OK;
}

void
ld_openers_free(struct ld_openers *set)
{
	if (set == NULL)
		return;
	ld_secret_free(set->passphrase);
	ld_secret_free(set->keys);
	free(set);
}

int
ld_openers_passphrase(struct ld_openers *set, struct ld_span passphrase, struct ld_report *report)
{
	return passphrase_keep(&set->passphrase, passphrase, report);
}

size_t
ld_openers_count(const struct ld_openers *set)
{
	return set->count;
}

/* Without a copy elsewhere. */
static void
openers_swap(struct ld_opener *a, struct ld_opener *b)
{
	uint8_t *x = (uint8_t *)a, *y = (uint8_t *)b;

	for (size_t i = 0; i < sizeof *a; i++) {
		uint8_t octet = x[i];

		x[i] = y[i];
		y[i] = octet;
	}
}

int
ld_openers_add(struct ld_openers *set, struct ld_span text, struct ld_report *report)
{
	struct ld_opener *new = &set->keys[set->count];

	if (!ld_bech32_read(new->secret, secret_prefix, text) ||
	    crypto_scalarmult_base(new->public, new->secret) != 0)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "this is no X25519 secret key of age (\"AGE-SECRET-KEY-1\" and 58 "
			       "letters and digits)");
	unsigned at = 0;
	while (at < set->count && memcmp(set->keys[at].public, new->public, sizeof new->public) < 0)
		at++;
	if (at < set->count && memcmp(set->keys[at].public, new->public, sizeof new->public) == 0)
		return LINDUNG_OK;
	if (set->count == LD_SEAL_OPENERS_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "more than %d secret keys",
			       LD_SEAL_OPENERS_MAX);
	for (unsigned i = set->count++; i > at; i--)
		openers_swap(&set->keys[i], &set->keys[i - 1]);
	return LINDUNG_OK;
}

/* All of the file into locked memory. */
static int
file_read(uint8_t *memory, size_t *ret_len, const char *path, struct ld_report *report)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;
	ssize_t n = fd >= 0 ? 1 : -1;

	while (n > 0 && len <= FILE_MAX_BYTES) {
		n = read(fd, memory + len, FILE_MAX_BYTES + 1 - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	int error = errno;
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return ld_fail(report, LINDUNG_EIO, "%s: cannot read it: %s", path,
			       strerror(error));
	if (len > FILE_MAX_BYTES)
		return ld_fail(report, LINDUNG_ELIMIT,
			       "%s: no file of keys has more than %d octets", path, FILE_MAX_BYTES);
	*ret_len = len;
	return LINDUNG_OK;
}

static int
lines_add(struct ld_openers *set, struct ld_span rest, const char *path, struct ld_report *report)
{
	struct ld_report why;
	unsigned number = 0;
	bool found = false;

	while (rest.len != 0) {
		size_t end = ld_span_find(rest, '\n');
		struct ld_span line = ld_span_trim(ld_span_first(rest, end));

		number++;
		rest = ld_span_from(rest, end + 1);
		if (line.len == 0 || line.data[0] == '#')
			continue;
		int err = ld_openers_add(set, line, &why);
		if (err != LINDUNG_OK)
			return ld_fail(report, err, "%s: line %u: %s", path, number, why.text);
		found = true;
	}
	return found ? LINDUNG_OK
		     : ld_fail(report, LINDUNG_ESYNTAX, "%s: there is no key in it", path);
}

int
ld_openers_add_file(struct ld_openers *set, const char *path, struct ld_report *report)
{
	void *memory;
	size_t len = 0;
	int err = ld_secret_alloc(&memory, FILE_MAX_BYTES + 1, report);

	if (err != LINDUNG_OK)
		return err;
	err = file_read(memory, &len, path, report);
	if (err == LINDUNG_OK)
		err = lines_add(set, ld_span(memory, len), path, report);
	ld_secret_free(memory);
	return err;
}

void
ld_openers_recipient(const struct ld_openers *set, size_t i, char *ret)
{
	LD_ASSERT(i < set->count);
	ld_bech32_write(ret, recipient_prefix, set->keys[i].public);
}

void
ld_openers_derive(const struct ld_openers *set, struct ld_span context, uint8_t ret[16])
{
	static const char purpose[] = "lindung openers 1\n";
	crypto_generichash_state state;
	uint8_t count[4];

	ld_put_be32(count, set->count);
	crypto_generichash_init(&state, NULL, 0, 16);
	crypto_generichash_update(&state, (const uint8_t *)purpose, sizeof purpose - 1);
	crypto_generichash_update(&state, count, sizeof count);
	for (unsigned i = 0; i < set->count; i++)
		crypto_generichash_update(&state, set->keys[i].secret, LD_SEAL_KEY_BYTES);
	crypto_generichash_update(&state, context.data, context.len);
	crypto_generichash_final(&state, ret, 16);
	sodium_memzero(&state, sizeof state);
}

/* ---- New keys ------------------------------------------------------------------------------- */

void
ld_seal_generate(char *ret_secret, char *ret_recipient)
{
	uint8_t secret[LD_SEAL_KEY_BYTES], public[LD_SEAL_KEY_BYTES];

	LD_ASSERT(sodium_init() >= 0);
	randombytes_buf(secret, sizeof secret);
	crypto_scalarmult_base(public, secret);
	ld_bech32_write(ret_secret, secret_prefix, secret);
	ld_bech32_write(ret_recipient, recipient_prefix, public);
	sodium_memzero(secret, sizeof secret);
}

int
ld_seal_generate_file(const char *path, char *ret_recipient, struct ld_report *report)
{
	struct lines {
		char secret[LD_SEAL_TEXT_MAX];
		char text[3 * LD_SEAL_TEXT_MAX];
	} * lines;
	char recipient[LD_SEAL_TEXT_MAX];
	void *memory;
	int err = ld_secret_alloc(&memory, sizeof *lines, report);

	if (err != LINDUNG_OK)
		return err;
	lines = memory;
	ld_seal_generate(lines->secret, recipient);
	int len = snprintf(lines->text, sizeof lines->text, "# public key: %s\n%s\n", recipient,
			   lines->secret);
	err = ld_disk_write_new(path, ld_span(lines->text, (size_t)len), report);
	if (err == LINDUNG_OK)
		memcpy(ret_recipient, recipient, sizeof recipient);
	ld_secret_free(memory);
	return err;
}
