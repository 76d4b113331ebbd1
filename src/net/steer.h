/* Which of several sockets at one address takes a packet: the one of the core that it came in on.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel spreads packets over sockets with SO_REUSEPORT by a hash of the addresses.  Where a
 * network card has a queue for each core, a packet is cheapest where it is: then thread i, which
 * has socket i, stays on core i.  With fewer queues most threads would have nothing to do. */
#ifndef LD_NET_STEER_H
#define LD_NET_STEER_H

#include <pthread.h>
#include <stdbool.h>

enum { LD_STEER_CORES_MAX = 1024 };

/** The core for each of `count` threads, so that core modulo `count` is the thread's number; false
 * if this process may not run on `count` such cores. */
bool ld_steer_cores(unsigned count, unsigned ret_cores[]);

/** From now on socket number (core modulo `count`) takes what comes in on a core, of all sockets
 * bound to one address, numbered as they were bound (UDP) or began to listen (TCP).  `fd`: any of
 * them.  False if the kernel does not do that. */
bool ld_steer_sockets(int fd, unsigned count);

/** A thread that is made with these attributes stays on this core. */
void ld_steer_attributes(pthread_attr_t *attributes, unsigned core);

#endif
