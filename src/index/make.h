/* Entries from memory to an image: what the effective list, and changes to it, are compiled with.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * As ld_compile(), which reads files: what ordinary lists cannot close is refused here alike.
 * The same set of entries gives the same file, octet for octet.  One thread's.
 *
 * An overlay (`options->overlay`) speaks of a name instead of what lies below it: it must be given
 * *all* that holds of each name that changed, in every category; or one REMOVE in category "*" if
 * nothing holds any more.  The same goes for sealed names, which are names of their own kind: what
 * is said of a sealed name neither hides nor changes what is said of the same name openly. */
#ifndef LD_INDEX_MAKE_H
#define LD_INDEX_MAKE_H

#include "index/compile.h"
#include "name/blind.h"

struct ld_maker;

/** An empty one.  Of `options`, which must outlive it, what ld_compile() needs for lists alone is
 * not looked at; `reject`, if there is one, is told of entries that were not taken (list 0, line
 * 0). Errors: LINDUNG_ENOMEM. */
int ld_maker_new(struct ld_maker **ret, const struct ld_compile_options *options);
/** Add an entry with its category and sources (joined by ',').  `*ret_reject` (or NULL): why it was
 * not taken, or LD_REJECT_COUNT. Errors: LINDUNG_ENOMEM, LINDUNG_ELIMIT, LINDUNG_EIO (scratch). */
int ld_maker_add(struct ld_maker *maker, const struct ld_entry *entry, enum ld_reject *ret_reject);
/** What sealed entries are blinded with: goes into the image, and is needed before the first. */
void ld_maker_blind_key(struct ld_maker *maker, const uint8_t key[LD_BLIND_KEY_BYTES]);
/** Add a sealed entry: closed for everybody; or, in an overlay, `removed`: no longer.  It cannot be
 * checked here: whoever blinded it has seen that it is no public suffix.  (A protected name stays
 * open whatever is sealed.)  `sources` as above.
 * Errors: as ld_maker_add(); LINDUNG_EINVAL (no key yet, no category key, removed in a base). */
int ld_maker_seal(struct ld_maker *maker, const uint8_t blind[LD_BLIND_BYTES],
		  struct ld_span category, struct ld_span sources, bool removed);
/** Write the image, in one step, to `path`.  The maker is empty afterwards, to be freed.
 * Errors: as ld_compile() without lists. */
int ld_maker_finish(struct ld_maker *maker, const char *path, struct ld_build_stats *ret,
		    struct ld_report *report);
void ld_maker_free(struct ld_maker *maker);

#endif
