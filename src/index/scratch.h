/* Files without a name for what does not fit in memory.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_SCRATCH_H
#define LD_INDEX_SCRATCH_H

/** An empty file in `directory` that is gone when it is closed.  -1 with errno. */
int ld_scratch_open(const char *directory);

#endif
