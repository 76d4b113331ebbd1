/* Errors: a negative number says which kind, a report says what, where and what to do.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A library function returns LINDUNG_OK or a negative `enum lindung_error` and leaves its outputs
 * untouched on an error.  Where a person must be told more than the kind, it takes a
 * `struct ld_report *` (may be NULL) last and writes one line into it.  Libraries never print. */
#ifndef LD_BASE_ERROR_H
#define LD_BASE_ERROR_H

#include <lindung/errors.h>

#define LD_REPORT_MAX_BYTES 512

/** One line for a person, terminated, without a newline. */
struct ld_report {
	char text[LD_REPORT_MAX_BYTES];
};

/** Write the report (cut at its limit, control characters shown as '?') and return `error`,
 * so that a caller can `return ld_fail(report, LINDUNG_EIO, "%s: ...", ...)`. */
int ld_fail(struct ld_report *report, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** A condition of our own logic that cannot be false.  Never for input. Always compiled in. */
#define LD_ASSERT(condition)                                                                       \
	do {                                                                                       \
		if (__builtin_expect(!(condition), 0))                                             \
			ld_assert_failed(#condition, __FILE__, __LINE__);                          \
	} while (0)

_Noreturn void ld_assert_failed(const char *condition, const char *file, int line);

#endif
