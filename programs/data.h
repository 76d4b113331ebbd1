/* What people edit: the data folder, its protected names and categories, manifests of lists.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * All that is returned lives in the arena given. */
#ifndef LD_PROGRAMS_DATA_H
#define LD_PROGRAMS_DATA_H

#include "base/arena.h"
#include "index/compile.h"

/** Path of a file of the data folder: that of $LINDUNG_DATA, else share/lindung beside the
 * program's bin/, else data/ of the source tree that the program was built in.  NULL if none has
 * the file. */
const char *ld_data_path(const char *file, struct ld_arena *arena);

/** Names that nothing may close, from a file like data/protected.yaml.
 * Errors: those of ld_yaml_load(); LINDUNG_ESYNTAX, with a report. */
int ld_data_protected(const struct ld_protected **ret, size_t *ret_count, const char *path,
		      struct ld_arena *arena, struct ld_report *report);

/** Those of the data folder as text, one a line, '=' before one that has nothing below it: what is
 * handed to who follows a log.  Behind them, behind a '!' each, the keys of the locked categories.
 * Errors as above; LINDUNG_EIO (there is no such file). */
int ld_data_protected_text(struct ld_span *ret, struct ld_arena *arena, struct ld_report *report);

/** Keys of the categories, from a file like data/categories.yaml; errors as above. */
int ld_data_categories(const char *const **ret, size_t *ret_count, const char *path,
		       struct ld_arena *arena, struct ld_report *report);
/** The same of those that are locked alone. */
int ld_data_locked(const char *const **ret, size_t *ret_count, const char *path,
		   struct ld_arena *arena, struct ld_report *report);

/** Domains that strangers share, from a file like data/shared-targets.yaml; errors as above. */
int ld_data_shared(const char *const **ret, unsigned *ret_count, const char *path,
		   struct ld_arena *arena, struct ld_report *report);

/** The key that is nearest to this one. */
const char *ld_data_nearest(const char *const *keys, size_t count, const char *key);

/** A list of a manifest. */
struct ld_manifest_list {
	struct ld_compile_list list; /* its path is ready to open */
	bool counted;
	uint64_t names; /* what the manifest says how many it holds */
};

/** The lists of a manifest like data/starter/lists.yaml; errors as above. */
int ld_data_manifest(const struct ld_manifest_list **ret, size_t *ret_count, const char *path,
		     struct ld_arena *arena, struct ld_report *report);

/** The label of a list by its path: the file's name without its endings; in `arena`, or NULL. */
const char *ld_data_label(const char *path, struct ld_arena *arena);

/** Today's date (UTC) in days since 1970-01-01; that of $SOURCE_DATE_EPOCH, if it is set.
 * Errors: LINDUNG_EINVAL with a report. */
int ld_data_today(uint32_t *ret, struct ld_report *report);

#endif
