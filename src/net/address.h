/* Socket addresses as people write them, and listening sockets.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Text: "192.0.2.1", "192.0.2.1@5354", "::1", "fe80::1%eth0@53", "0.0.0.0@53", "::@53".  No names:
 * who resolves names must not need them resolved. */
#ifndef LD_NET_ADDRESS_H
#define LD_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/span.h"

struct ld_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

enum { LD_ADDRESS_TEXT_MAX = 80 };

/** Read address text; `port` is for text that names none.
 * Errors: LINDUNG_ESYNTAX with a report. */
int ld_address_from_text(struct ld_address *ret, struct ld_span text, uint16_t port,
			 struct ld_report *report);

/** Write it for a person, terminated: "127.0.0.1 port 5354". */
void ld_address_to_text(const struct ld_address *address, char text[LD_ADDRESS_TEXT_MAX]);

/** The address alone, in network order; one of IPv4 that a socket of IPv6 took counts as the
 * former. How many octets: 4 or 16. */
unsigned ld_address_octets(const struct ld_address *address, uint8_t ret[16]);

/** The same address and port. */
bool ld_address_same(const struct ld_address *a, const struct ld_address *b);

uint16_t ld_address_port(const struct ld_address *address);

/** 0.0.0.0 or ::, which stand for every address of the machine. */
bool ld_address_is_wildcard(const struct ld_address *address);

/** What a listening socket is for. */
enum ld_listen { LD_LISTEN_UDP, LD_LISTEN_TCP };

/** Open a socket bound to `address`, not blocking, shared among `SO_REUSEPORT` users of this
 * program.  UDP: never fragmented by what a path claims (RFC 9715), with the destination of each
 * packet if the address is a wildcard.  TCP: listening.
 * Errors: LINDUNG_ENET with a report ("127.0.0.1 port 5354 is in use: ..."). */
int ld_listen_open(int *ret_fd, const struct ld_address *address, enum ld_listen kind,
		   struct ld_report *report);

/** Nobody else has the port: SO_REUSEPORT alone would let two servers share it in silence.
 * *ret_absent (may be NULL): the machine has no such address, or not this kind of address.
 * Errors: LINDUNG_ENET with a report. */
int ld_listen_check(const struct ld_address *address, enum ld_listen kind, bool *ret_absent,
		    struct ld_report *report);

#endif
