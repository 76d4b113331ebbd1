/* What an opened list enforces, as a file for another program, with a header that says where it
 * comes from.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_EXPORT_FILE_H
#define LD_INDEX_EXPORT_FILE_H

#include <lindung/lindung.h>

#include "list/list.h"

enum { LD_EXPORT_ORIGIN_MAX = 512 }; /* octets of text */

struct ld_export_file {
	enum ld_list_format format;
	uint64_t active; /* categories */
	const char
		*titles; /* their keys, for the header; NULL: not said, nor is where it is from */
	/* Where the list comes from, for the header: "log ORIGIN, size N, root BASE64"; NULL: not
	 * said. */
	const char *origin;
	struct ld_write_options options; /* title and date are found here, if it has none */
};

struct ld_export_outcome {
	struct ld_write_summary summary;
	uint64_t sealed; /* entries left out because they are sealed */
};

/** Write it to `fd`: of the format LINDUNG the entries of these categories as they stand, else what
 * takes effect when these categories are closed.  Errors: those of ld_list_write(). */
int ld_export_file(int fd, const struct lindung *list, const struct ld_export_file *file,
		   struct ld_export_outcome *ret, struct ld_report *report);

#endif
