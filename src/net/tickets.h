/* Inside src/net: the keys of TLS session tickets (RFC 5077, RFC 8446 section 4.6.1).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The server remembers no session: the client does, sealed with a key that only we have.  A key
 * seals for one period, opens for one more, and is then forgotten.  All threads share them; a lock
 * is held for some memory accesses in a handshake. */
#ifndef LD_NET_TICKETS_H
#define LD_NET_TICKETS_H

#include <stdint.h>

#include <openssl/ssl.h>

struct ld_tickets;

/** NULL without memory or random numbers. */
struct ld_tickets *ld_tickets_new(unsigned period_s);
/** Wipes the keys.  NULL is a no-op. */
void ld_tickets_free(struct ld_tickets *tickets);

/** For SSL_CTX_set_tlsext_ticket_key_evp_cb(). */
int ld_tickets_use(struct ld_tickets *tickets, SSL *ssl, unsigned char name[16], unsigned char *iv,
		   EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal, int64_t now_ms);

#endif
