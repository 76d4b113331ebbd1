/* Writes lindung(1): its template, with the list formats where that says @HERE@.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: list_man TEMPLATE
 *
 * Run when ours is built, never installed. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "list/list.h"

#include "mdoc.h"

static const char *const what[] = {
#define LD_X(symbol, key, text, ending) text,
	LD_LIST_FORMATS(LD_X)
#undef LD_X
};

/* The text with a capital, as a sentence; but "address=" is written so in its file. */
static void
sentence(const char *text, const char *end)
{
	char line[2048];

	snprintf(line, sizeof line, "%s%s", text, end);
	if (line[strcspn(line, " =")] != '=')
		line[0] = (char)toupper((unsigned char)line[0]);
	ld_mdoc_prose(line);
}

static void
formats(void)
{
	puts(".Bl -tag -width Ds");
	for (int i = LD_LIST_AUTO; i < LD_LIST_FORMAT_COUNT; i++) {
		enum ld_list_format format = (enum ld_list_format)i;

		printf(".It Cm %s\n", ld_list_format_key(format));
		sentence(what[i], ".");
		if (!ld_list_format_is_written(format)) {
			if (format != LD_LIST_AUTO)
				puts("Read only.");
			continue;
		}
		if (!ld_list_format_is_read(format) && strstr(what[i], "written only") == NULL)
			puts("Written only.");
		sentence(ld_list_format_limits(format), "");
	}
	puts(".El");
}

int
main(int argc, char **argv)
{
	return argc == 2 ? ld_mdoc_template("list_man", argv[1], formats) : 2;
}
