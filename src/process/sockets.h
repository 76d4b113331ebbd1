/* The sockets of all threads, opened by the parent while it still may; they stay open there when a
 * resolver ends, so that what comes in the meantime waits.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_SOCKETS_H
#define LD_PROCESS_SOCKETS_H

#include "net/address.h"
#include "resolver/resolver.h"

enum { LD_SOCKETS_ADDRESSES_MAX = 192 }; /* 64 of each kind */

/** Addresses to listen on, in text, of one kind: LD_TRANSPORT_TCP stands for UDP, too. */
struct ld_sockets_wanted {
	enum ld_transport stream;
	const char *option; /* that names them, for reports */
	const char *const *texts;
	unsigned count;
};

struct ld_sockets_address {
	struct ld_address address;
	enum ld_transport stream;
};

struct ld_sockets {
	struct ld_sockets_address addresses[LD_SOCKETS_ADDRESSES_MAX];
	unsigned count;   /* of addresses that are listened on */
	unsigned threads; /* for which there are sockets */
	int *fds;         /* of each thread in turn: UDP (-1: none) and TCP of each address */
};

/** Open the sockets of each wanted address for each thread; the first of `wanted` must come to
 * something.  A machine without ::1 is told so on standard error, and served without.
 * Errors: LINDUNG_ENET (a port is taken ...), LINDUNG_ESYNTAX, LINDUNG_ENOMEM, with a report. */
int ld_sockets_open(struct ld_sockets *ret, const struct ld_sockets_wanted *wanted,
		    unsigned wanted_count, unsigned threads, struct ld_report *report);

/** Each thread takes what comes in on its core, of which there must be as many as threads.
 * False where that cannot be. */
bool ld_sockets_steer(const struct ld_sockets *sockets);

/** Say on standard error what is listened on: a line for each transport. */
void ld_sockets_say(const struct ld_sockets *sockets);

/** Close them.  Safe on a zeroed struct. */
void ld_sockets_close(struct ld_sockets *sockets);

#endif
