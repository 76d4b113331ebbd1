/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/tickets.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "base/clock.h"

enum { NAME_BYTES = 16, CIPHER_KEY_BYTES = 32, MAC_KEY_BYTES = 32 };

/* What SSL_CTX_set_tlsext_ticket_key_evp_cb() wants to be told. */
enum { USE_FAILED = -1, USE_UNKNOWN = 0, USE_WELL = 1, USE_AND_RENEW = 2 };

struct key {
	unsigned char name[NAME_BYTES], cipher[CIPHER_KEY_BYTES], mac[MAC_KEY_BYTES];
};

struct ld_tickets {
	pthread_mutex_t lock;
	struct key now, before;
	int64_t period_ms;
	int64_t made_ms; /* `now` was */
};

static bool
key_make(struct key *key)
{
	return RAND_bytes(key->name, sizeof key->name) == 1 &&
	       RAND_priv_bytes(key->cipher, sizeof key->cipher) == 1 &&
	       RAND_priv_bytes(key->mac, sizeof key->mac) == 1;
}

struct ld_tickets *
ld_tickets_new(unsigned period_s)
{
	struct ld_tickets *tickets = calloc(1, sizeof *tickets);

	if (tickets == NULL)
		return NULL;
	if (!key_make(&tickets->now) || !key_make(&tickets->before)) {
		free(tickets);
		return NULL;
	}
	pthread_mutex_init(&tickets->lock, NULL);
	tickets->period_ms = (int64_t)period_s * 1000;
	tickets->made_ms = ld_clock_monotonic_ms();
	return tickets;
}

void
ld_tickets_free(struct ld_tickets *tickets)
{
	if (tickets == NULL)
		return;
	pthread_mutex_destroy(&tickets->lock);
	OPENSSL_cleanse(tickets, sizeof *tickets);
	free(tickets);
}

/* Forget what is old.  No timer is needed: a key that nobody uses does no harm before someone
 * does.  False without random numbers. */
static bool
rotate(struct ld_tickets *tickets, int64_t now_ms)
{
	int64_t age_ms = now_ms - tickets->made_ms;
	struct key fresh;

	if (age_ms < tickets->period_ms)
		return true;
	if (!key_make(&fresh) || (age_ms >= 2 * tickets->period_ms && !key_make(&tickets->now)))
		return false;
	tickets->before = tickets->now;
	tickets->now = fresh;
	tickets->made_ms = now_ms;
	OPENSSL_cleanse(&fresh, sizeof fresh);
	return true;
}

/* The key to seal with, or the one of that name; USE_... */
static int
key_get(struct ld_tickets *tickets, const unsigned char *name, int64_t now_ms, struct key *ret)
{
	int use = USE_UNKNOWN;

	pthread_mutex_lock(&tickets->lock);
	if (!rotate(tickets, now_ms)) {
		use = USE_FAILED;
	} else if (name == NULL || memcmp(name, tickets->now.name, NAME_BYTES) == 0) {
		*ret = tickets->now;
		use = USE_WELL;
	} else if (memcmp(name, tickets->before.name, NAME_BYTES) == 0) {
		*ret = tickets->before;
		use = USE_AND_RENEW;
	}
	pthread_mutex_unlock(&tickets->lock);
	return use;
}

static bool
key_apply(struct key *key, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool seal)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, MAC_KEY_BYTES),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, seal) == 1 &&
	       EVP_MAC_CTX_set_params(mac, params) == 1;
}

int
ld_tickets_use(struct ld_tickets *tickets, SSL *ssl, unsigned char name[16], unsigned char *iv,
	       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal, int64_t now_ms)
{
	struct key key;
	int use = key_get(tickets, seal ? NULL : name, now_ms, &key);

	if (use <= USE_UNKNOWN)
		return use;
	if (seal) {
		memcpy(name, key.name, NAME_BYTES);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			use = USE_FAILED;
	}
	if (use != USE_FAILED && !key_apply(&key, iv, cipher, mac, seal != 0))
		use = USE_FAILED;
	OPENSSL_cleanse(&key, sizeof key);
	/* A client of TLS 1.3 uses a ticket once (RFC 8446 appendix C.4): it gets another. */
	if (use == USE_WELL && !seal && SSL_version(ssl) >= TLS1_3_VERSION)
		use = USE_AND_RENEW;
	return use;
}
