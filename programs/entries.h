/* Entries for a statement, from words of the command line and from lists in any format.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What no list can close (a public suffix, a protected name) is not taken: a word that is such is
 * an error, lines of a file are left out and counted. */
#ifndef LD_PROGRAMS_ENTRIES_H
#define LD_PROGRAMS_ENTRIES_H

#include "base/arena.h"
#include "base/bytes.h"
#include "index/admit.h"

enum { LD_ENTRIES_MAX_BYTES = 128 * 1024 * 1024 };

struct ld_entries {
	struct ld_arena arena;
	struct ld_psl *suffixes;
	const struct ld_protected *protects;
	size_t protect_count;
	struct ld_admission *admission;
	bool opens;             /* for allow: a protected name is no harm */
	struct ld_buffer lines; /* one entry a line, canonical, in the order given */
	uint64_t count;
	uint64_t rejected[LD_REJECT_COUNT];
};

int ld_entries_init(struct ld_entries *ret, struct ld_report *report);
void ld_entries_free(struct ld_entries *entries);

/** Errors: LINDUNG_ENAME, LINDUNG_ELIMIT, LINDUNG_ENOMEM, with a report that names the word. */
int ld_entries_word(struct ld_entries *entries, const char *word, struct ld_report *report);
/** All of a file ("-": standard input), in the format with this key; NULL: found out.
 * Errors: LINDUNG_EIO, LINDUNG_EFORMAT (no list), and those above. */
int ld_entries_file(struct ld_entries *entries, const char *path, const char *format,
		    struct ld_report *report);

#endif
