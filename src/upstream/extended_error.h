/* Inside src/upstream: the extended errors (RFC 8914) that came with an answer, and those that
 * libunbound puts into words.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_UPSTREAM_EXTENDED_ERROR_H
#define LD_UPSTREAM_EXTENDED_ERROR_H

#include "upstream/upstream.h"

/** Take the extended errors of a message of any octets into `result`; their texts point into it. */
void ld_extended_errors_read(struct ld_upstream_result *result, struct ld_span message);

/** The code for what libunbound says about a bogus answer: 6 if nothing closer is known. */
int ld_extended_error_bogus(const char *why);

#endif
