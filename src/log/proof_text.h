/* Hashes of a proof as lines of base64 and an empty line behind them, as tlog-proof and
 * tlog-witness have them. SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_LOG_PROOF_TEXT_H
#define LD_LOG_PROOF_TEXT_H

#include "log/merkle.h"

/** Read up to and with the empty line; `rest` goes on behind it.  At most `most` hashes.
 * Errors: LINDUNG_ESYNTAX. */
int ld_proof_read_lines(struct ld_span *rest, struct ld_proof *ret, unsigned most);
void ld_proof_write_lines(struct ld_buffer *ret, const struct ld_proof *proof);

#endif
