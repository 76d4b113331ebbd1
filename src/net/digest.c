/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/digest.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

struct ld_digest {
	const EVP_MD *hash; /* NULL: HMAC */
	EVP_MD_CTX *plain;
	EVP_MAC_CTX *keyed;
	bool failed;
};

static bool
keyed_make(struct ld_digest *d, struct ld_span key)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	if (mac != NULL)
		d->keyed = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	return d->keyed != NULL && EVP_MAC_init(d->keyed, key.data, key.len, params) == 1;
}

int
ld_digest_new(struct ld_digest **ret, enum ld_digest_kind kind, struct ld_span key)
{
	struct ld_digest *d = calloc(1, sizeof *d);
	bool made;

	if (d == NULL)
		return LINDUNG_ENOMEM;
	if (kind == LD_DIGEST_HMAC_SHA256) {
		made = keyed_make(d, key);
	} else {
		d->hash = kind == LD_DIGEST_SHA256   ? EVP_sha256()
			  : kind == LD_DIGEST_SHA384 ? EVP_sha384()
						     : EVP_sha512();
		d->plain = EVP_MD_CTX_new();
		made = d->plain != NULL;
	}
	if (!made) {
		ld_digest_free(d);
		return LINDUNG_ENOMEM;
	}
	*ret = d;
	return LINDUNG_OK;
}

void
ld_digest_free(struct ld_digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->plain);
	EVP_MAC_CTX_free(d->keyed);
	free(d);
}

void
ld_digest_begin(struct ld_digest *d)
{
	/* Without a key: the one that it has. */
	d->failed = (d->hash != NULL ? EVP_DigestInit_ex(d->plain, d->hash, NULL)
				     : EVP_MAC_init(d->keyed, NULL, 0, NULL)) != 1;
}

void
ld_digest_add(struct ld_digest *d, struct ld_span octets)
{
	if (d->failed || octets.len == 0)
		return;
	d->failed = (d->hash != NULL ? EVP_DigestUpdate(d->plain, octets.data, octets.len)
				     : EVP_MAC_update(d->keyed, octets.data, octets.len)) != 1;
}

int
ld_digest_end(struct ld_digest *d, uint8_t *ret)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	size_t mac_len = 0;

	if (!d->failed && d->hash != NULL)
		d->failed = EVP_DigestFinal_ex(d->plain, digest, &len) != 1;
	else if (!d->failed)
		d->failed = EVP_MAC_final(d->keyed, digest, &mac_len, sizeof digest) != 1;
	if (d->failed)
		return LINDUNG_ENOMEM;
	memcpy(ret, digest, d->hash != NULL ? len : mac_len);
	return LINDUNG_OK;
}

bool
ld_digest_same(struct ld_span a, struct ld_span b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}
