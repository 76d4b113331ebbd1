/* The entries of an overlay while it is edited.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything lives in the arena.  A site is a host, or a host and a path: what an overlay speaks of
 * at all it speaks of alone, so that changes are made to all that is said of one site. */
#ifndef LD_PROGRAMS_EDIT_LIST_H
#define LD_PROGRAMS_EDIT_LIST_H

#include <lindung/lindung.h>

#include "base/arena.h"
#include "index/compile.h"

struct ld_edit_entry {
	struct ld_entry entry;
	struct ld_edit_entry *next;
};

struct ld_edit_list {
	struct ld_arena arena;
	struct ld_edit_entry *first, *at; /* `at`: where a writer is */
	size_t protect_count;
};

/** Take all entries of the overlay that is opened alone. */
int ld_edit_load(struct ld_edit_list *list, const struct lindung *overlay);
/** Take all that the topmost layer of `below` with anything for this site says of it. */
int ld_edit_copy_site(struct ld_edit_list *list, const struct lindung *below,
		      const struct ld_entry *site);
/** `below` has something for this site that is not a removal. */
bool ld_edit_below_has(const struct lindung *below, const struct ld_entry *site);
/** The list speaks of this site. */
bool ld_edit_has(const struct ld_edit_list *list, const struct ld_entry *site);
/** Take out all that is said of this site; or only what is said in the same category and scope, and
 * removals. */
void ld_edit_drop(struct ld_edit_list *list, const struct ld_entry *entry, bool all);
int ld_edit_add(struct ld_edit_list *list, const struct ld_entry *entry);

/** Compile it to an overlay at `path`.  `options`: date, memory, directory. */
int ld_edit_write(struct ld_edit_list *list, const char *path,
		  const struct ld_compile_options *options, struct ld_report *report);

#endif
