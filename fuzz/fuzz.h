/* What a fuzz target is: one function that any bytes may be handed to.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_FUZZ_FUZZ_H
#define LD_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** Take `size` octets in; return 0.  A finding is a crash: a sanitizer's, or LD_ASSERT. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
