/* A server elsewhere, as people write it: its address, the way there, and how it proves who it is.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *   192.0.2.1  192.0.2.1@5354  2001:db8::1@53          in the clear; without a port it is 53
 *   tls://192.0.2.1@853#dns.example                    over TLS; without a port it is 853
 *   https://192.0.2.1@443/dns-query#dns.example        over HTTP/2 and TLS; 443, /dns-query
 *
 * Behind # stands the name that its certificate must be for; without one it must be for the address
 * itself.  #pin-sha256=BASE64 (of the public key, as in RFC 7858 section 4.2) may follow, or stand
 * alone: then the key is what is checked, with a name both are. */
#ifndef LD_NET_SERVER_ADDRESS_H
#define LD_NET_SERVER_ADDRESS_H

#include "net/address.h"

enum ld_server_way { LD_SERVER_PLAIN, LD_SERVER_TLS, LD_SERVER_HTTPS };

enum {
	LD_SERVER_TEXT_MAX_BYTES = 512,
	LD_SERVER_NAME_MAX_BYTES = 253,
	LD_SERVER_PATH_MAX_BYTES = 127,
	LD_SERVER_PINS_MAX = 2, /* the key in use, and the one after it */
	LD_SERVER_PIN_BYTES = 32,
};

struct ld_server_address {
	enum ld_server_way way;
	struct ld_address address;
	char host[INET6_ADDRSTRLEN];             /* the address alone, as text */
	char name[LD_SERVER_NAME_MAX_BYTES + 1]; /* "": none */
	char path[LD_SERVER_PATH_MAX_BYTES + 1]; /* of HTTPS */
	uint8_t pins[LD_SERVER_PINS_MAX][LD_SERVER_PIN_BYTES];
	unsigned pin_count;
};

/** Errors: LINDUNG_ESYNTAX with a report that says what is wrong. */
int ld_server_address_from_text(struct ld_server_address *ret, struct ld_span text,
				struct ld_report *report);

/** A socket that listens at that address takes what is sent there: the server is this machine.
 * `probe`: with a wildcard, ask the kernel which addresses are ours; else only the loopback's. */
bool ld_server_address_is_here(const struct ld_server_address *server,
			       const struct ld_address *listener, bool probe);

#endif
