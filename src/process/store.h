/* The files of the list, in the parent: watched, copied into sealed memory, kept while in force.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parent never looks into them.  They are copied, so that one that is overwritten in place or
 * cut short (a plain cp does both) cannot hurt who has it mapped.  An overlay that does not exist
 * is no overlay, and becomes one when its file appears. */
#ifndef LD_PROCESS_STORE_H
#define LD_PROCESS_STORE_H

#include <lindung/lindung.h>

#include "process/message.h"
#include "process/snapshot.h"

/** The files of one list, as they were at one time. */
struct ld_file_set {
	/* Those of the list that is followed, then the image, and the overlays that there are. */
	int fds[LD_MESSAGE_FDS_MAX];
	unsigned count;    /* 0: none */
	unsigned followed; /* of them */
	uint64_t present;  /* bit i: there is overlay i */
	struct ld_mark image;
};

struct ld_store {
	struct ld_watched files[1 + LINDUNG_OVERLAY_MAX]; /* the image, if there is one, first */
	unsigned count;
	bool has_image;
};

/** Copy all of them, behind those of `followed`.  The image that is in memory already (`in_force`)
 * is not copied anew.  Errors: LINDUNG_EIO, LINDUNG_ENOTFOUND, LINDUNG_ELIMIT, with a report. */
int ld_store_read(struct ld_store *store, const struct ld_file_set *followed,
		  const struct ld_file_set *in_force, struct ld_file_set *ret,
		  struct ld_report *report);

/** They were replaced since they were last read, and have come to rest: the same at two looks in a
 * row. */
bool ld_store_changed(struct ld_store *store);

/** Close them; `files` is empty. */
void ld_file_set_close(struct ld_file_set *files);

/** "583,012 names in 9 categories, 3.9 MB, of 2026-11-22, with 1 overlay" */
void ld_facts_describe(const struct ld_list_facts *facts, struct ld_report *ret);

#endif
