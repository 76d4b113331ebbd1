/* What a compilation came to, told to people and to programs.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_COMPILE_H
#define LD_PROGRAMS_COMPILE_H

#include "index/compile.h"

struct ld_compile_summary {
	const char *output;
	const struct ld_compile_list *lists;
	size_t list_count;
	const struct ld_compile_stats *stats;
	double seconds;
	uint64_t memory_bytes; /* most that was resident */
	uint32_t date_day;
};

/** A table on standard output. */
void ld_compile_print(const struct ld_compile_summary *summary);
/** The same as one JSON object on one line. */
void ld_compile_print_json(const struct ld_compile_summary *summary);

#endif
