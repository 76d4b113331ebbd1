/* Entries from memory to an image: what the effective list, and changes to it, are compiled with.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * As ld_compile(), which reads files: what ordinary lists cannot close is refused here alike.
 * The same set of entries gives the same file, octet for octet. One thread's. */
#ifndef LD_INDEX_MAKE_H
#define LD_INDEX_MAKE_H

#include "index/compile.h"
#include "name/blind.h"

struct ld_maker;

/** Errors: LINDUNG_ENOMEM, LINDUNG_EINVAL.  What `options` points at must outlive the maker. */
int ld_maker_new(struct ld_maker **ret, const struct ld_compile_options *options,
		 struct ld_report *report);
/** Add an entry with its category and sources (joined by ',').  `*ret_reject` (or NULL): why it was
 * not taken, or LD_REJECT_COUNT. Errors: LINDUNG_ENOMEM, LINDUNG_ELIMIT, LINDUNG_EIO (scratch). */
int ld_maker_add(struct ld_maker *maker, const struct ld_entry *entry, enum ld_reject *ret_reject);
/** What sealed entries are blinded with; needed before the first of them. */
void ld_maker_blind_key(struct ld_maker *maker, const uint8_t key[LD_BLIND_KEY_BYTES]);
/** Add a sealed entry: closed for everybody (a locked category), or, in an overlay, no longer. */
int ld_maker_seal(struct ld_maker *maker, const uint8_t blind[LD_BLIND_BYTES],
		  struct ld_span category, bool removed);
/** Write the image.  The maker is empty afterwards.  Errors: as ld_build(). */
int ld_maker_finish(struct ld_maker *maker, const char *path, struct ld_build_stats *ret,
		    struct ld_report *report);
void ld_maker_free(struct ld_maker *maker);

#endif
