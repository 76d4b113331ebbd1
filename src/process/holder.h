/* The list in force, in the resolver: opened from descriptors, put up for the threads, closed when
 * no thread uses it any more.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is put up was checked by the loader; its structure is looked at once more when it is opened,
 * so that no look-up reads outside of it.  The main thread's alone, but for what it puts on the
 * board. */
#ifndef LD_PROCESS_HOLDER_H
#define LD_PROCESS_HOLDER_H

#include <stdint.h>

#include <lindung/lindung.h>

#include "process/thread.h"

struct ld_holder;

/** An image and the overlays over it, from their descriptors, which stay the caller's.  The first
 * `followed` of them are a list of their own, to which the others are joined (index/layers.h).  If
 * `verify`, all hashes are checked.  *ret_failed (may be NULL): the number of the one that is bad.
 * Errors: those of lindung_open() and lindung_overlay(). */
int ld_layers_open(struct lindung **ret, const int *fds, unsigned count, unsigned followed,
		   bool verify, unsigned *ret_failed);

/** `board` outlives the holder.  Errors: LINDUNG_ENOMEM. */
int ld_holder_new(struct ld_holder **ret, struct ld_board *board);
/** No thread looks anything up any more.  NULL is a no-op. */
void ld_holder_free(struct ld_holder *holder);

/** Put up a list; on an error the one before stays up. */
int ld_holder_put(struct ld_holder *holder, const int *fds, unsigned count, unsigned followed);

/** Close lists that no thread uses: each is at this generation or past it. */
void ld_holder_sweep(struct ld_holder *holder, uint64_t generation);

#endif
