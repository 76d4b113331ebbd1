/* A connection out for programs: messages with a length before each, over TCP, one after the other.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Blocking, with a time limit for each step.  One thread's. */
#ifndef LD_NET_EXCHANGE_H
#define LD_NET_EXCHANGE_H

#include "base/bytes.h"
#include "net/address.h"

struct ld_exchange;

/** Connect; every step takes `step_ms` at most.  Errors: LINDUNG_ENET, LINDUNG_ETIMEOUT,
 * LINDUNG_ENOMEM with a report. */
int ld_exchange_open(struct ld_exchange **ret, const struct ld_address *address, unsigned step_ms,
		     struct ld_report *report);
/** NULL is a no-op. */
void ld_exchange_close(struct ld_exchange *exchange);

/** Send a message of at most 65535 octets.  Errors: LINDUNG_ENET, LINDUNG_ETIMEOUT with a report.
 */
int ld_exchange_send(struct ld_exchange *exchange, struct ld_span message,
		     struct ld_report *report);
/** The next message, valid until the next call.  Errors: as above. */
int ld_exchange_receive(struct ld_exchange *exchange, struct ld_span *ret,
			struct ld_report *report);

#endif
