/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *
lindung_strerror(int error)
{
	switch (error) {
#define LINDUNG_X(name, number, text)                                                              \
	case number:                                                                               \
		return text;
		LINDUNG_ERRORS(LINDUNG_X)
#undef LINDUNG_X
	default:
		return "unknown error";
	}
}

int
ld_fail(struct ld_report *report, int error, const char *format, ...)
{
	va_list args;

	if (report == NULL)
		return error;
	va_start(args, format);
	vsnprintf(report->text, sizeof report->text, format, args);
	va_end(args);
	for (char *c = report->text; *c != '\0'; c++) {
		unsigned char octet = (unsigned char)*c;

		if (octet < 0x20 || octet == 0x7f)
			*c = '?';
	}
	return error;
}

_Noreturn void
ld_assert_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "lindung: %s:%d: a fault of the program: %s is not true\n", file, line,
		condition);
	abort();
}
