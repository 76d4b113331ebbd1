/* How long others may keep an answer (RFC 8484 section 5.1).
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_LIFETIME_H
#define LD_PROCESS_LIFETIME_H

#include "base/span.h"

/** The smallest TTL of the answer section, and what the SOA record of a negative answer says
 * (RFC 2308 section 5): the lesser of the two; 0 without either. */
uint32_t ld_lifetime_s(struct ld_span answer);

#endif
