/* The sockets of all threads, opened by the parent while it still may; they stay open there when a
 * resolver ends, so that what comes in the meantime waits.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_SOCKETS_H
#define LD_PROCESS_SOCKETS_H

#include "net/address.h"

enum { LD_SOCKETS_ADDRESSES_MAX = 64 };

struct ld_sockets {
	struct ld_address addresses[LD_SOCKETS_ADDRESSES_MAX];
	unsigned count;   /* of addresses that are listened on */
	unsigned threads; /* for which there are sockets */
	int *fds;         /* of each thread in turn: UDP and TCP of each address */
};

/** Open a UDP and a TCP socket at each of `texts` for each thread.  A machine without ::1 is told
 * so on standard error, and served without.
 * Errors: LINDUNG_ENET (a port is taken ...), LINDUNG_ESYNTAX, LINDUNG_ENOMEM, with a report. */
int ld_sockets_open(struct ld_sockets *ret, const char *const *texts, unsigned count,
		    unsigned threads, struct ld_report *report);

/** Say on standard error what is listened on: one line. */
void ld_sockets_say(const struct ld_sockets *sockets);

/** Close them.  Safe on a zeroed struct. */
void ld_sockets_close(struct ld_sockets *sockets);

#endif
