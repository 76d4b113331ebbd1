/* UDP in batches: many packets for one system call, in buffers that are used again.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A batch belongs to one thread and serves all its sockets, one after the other.  A packet longer
 * than LD_UDP_PACKET_MAX is passed over: nothing that we serve is asked in so many octets. */
#ifndef LD_NET_UDP_H
#define LD_NET_UDP_H

#include "base/span.h"
#include "net/address.h"

enum {
	LD_UDP_BATCH_MAX = 64,
	LD_UDP_PACKET_MAX = 4096,
};

/** Where a packet came from and, on a socket bound to a wildcard, which of our addresses it was
 * sent to: plain data, to be kept for a later answer. */
struct ld_udp_peer {
	struct ld_address from;
	struct ld_address to; /* len 0: the address that the socket is bound to */
};

struct ld_udp_batch;

/** NULL without memory. */
struct ld_udp_batch *ld_udp_batch_new(void);
void ld_udp_batch_free(struct ld_udp_batch *batch);

/** Take what waits at the socket: the number of packets, 0 when nothing does. */
unsigned ld_udp_batch_receive(struct ld_udp_batch *batch, int fd);
/** Packet `i` of those received, valid until the next receive; empty for one passed over. */
struct ld_span ld_udp_batch_packet(const struct ld_udp_batch *batch, unsigned i);
/** Where packet `i` came from: valid until the next receive. */
const struct ld_address *ld_udp_batch_from(const struct ld_udp_batch *batch, unsigned i);
void ld_udp_batch_peer(const struct ld_udp_batch *batch, unsigned i, struct ld_udp_peer *ret);
/** LD_UDP_PACKET_MAX octets in which to write the next answer ... */
uint8_t *ld_udp_batch_room(struct ld_udp_batch *batch);
/** ... and how many of them answer packet `i`: it goes out with the next send.  At most once a
 * packet. */
void ld_udp_batch_answer(struct ld_udp_batch *batch, unsigned i, size_t len);
/** Send all answers of this batch.  What the kernel has no room for is lost, as UDP is. */
void ld_udp_batch_send(struct ld_udp_batch *batch, int fd);

/** Send one packet, later, to a peer that was kept. */
void ld_udp_send(int fd, const struct ld_udp_peer *peer, struct ld_span packet);

#endif
