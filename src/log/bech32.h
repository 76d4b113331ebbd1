/* Bech32 (BIP 173) of 32 octets, as age writes keys: without a limit on length.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each value has one text: lower case for a lower-case prefix, upper case for an upper-case one.
 * Nothing of the value is left on the stack. */
#ifndef LD_LOG_BECH32_H
#define LD_LOG_BECH32_H

#include "base/span.h"

enum { LD_BECH32_VALUE_BYTES = 32 };

/** Write prefix, '1', value and checksum, terminated; `text` has the prefix's length and 60. */
void ld_bech32_write(char *text, const char *prefix, const uint8_t value[LD_BECH32_VALUE_BYTES]);
/** Read exactly what is written by the above.  False: another prefix, length, letter case or
 * character, a wrong checksum. */
bool ld_bech32_read(uint8_t ret[LD_BECH32_VALUE_BYTES], const char *prefix, struct ld_span text);

#endif
