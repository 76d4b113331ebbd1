/* How many connections each client address has open, all threads of the process together.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A client is an address of IPv4, or the first 64 bits of one of IPv6: whoever has one of those has
 * them all.  Memory is taken once.  Any thread; a lock is held for some memory accesses when a
 * connection comes or goes, never for a query. */
#ifndef LD_NET_SHARES_H
#define LD_NET_SHARES_H

#include <stdbool.h>

struct ld_address;
struct ld_shares;

/** `connections_max` of all clients together are known; `client_max` of one.
 * NULL without memory or random numbers. */
struct ld_shares *ld_shares_new(unsigned connections_max, unsigned client_max);
/** NULL is a no-op. */
void ld_shares_free(struct ld_shares *shares);

/** Count a connection from `client`; false, and nothing is counted, if it has its share. */
bool ld_shares_enter(struct ld_shares *shares, const struct ld_address *client);
/** One that was counted is closed. */
void ld_shares_leave(struct ld_shares *shares, const struct ld_address *client);

/** The same client, as far as shares go. */
bool ld_shares_same(const struct ld_address *a, const struct ld_address *b);

#endif
