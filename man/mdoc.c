/* SPDX-License-Identifier: BSD-2-Clause */
#include "mdoc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { MANUAL_COLUMNS = 78 };

void
ld_mdoc_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (i == 0 && (text[i] == '.' || text[i] == '\''))
			fputs("\\&", stdout);
		if (text[i] == '\\')
			fputs("\\e", stdout);
		else
			putchar(text[i]);
	}
}

void
ld_lines(const char *prefix, size_t columns, const char *text, size_t len)
{
	const char *end = text + len;
	size_t column = 0;

	while (text < end) {
		size_t word = strcspn(text, " ");

		if (word > (size_t)(end - text))
			word = (size_t)(end - text);
		if (column != 0 && column + 1 + word > columns) {
			putchar('\n');
			column = 0;
		}
		if (column == 0)
			column = (size_t)printf("%s", prefix);
		else
			column += (size_t)printf(" ");
		if (prefix[0] == '\0')
			ld_mdoc_text(text, word);
		else
			fwrite(text, 1, word, stdout);
		column += word;
		text += word + (text + word < end);
	}
	putchar('\n');
}

void
ld_mdoc_prose(const char *prose)
{
	while (*prose != '\0') {
		const char *end = strstr(prose, ". ");
		size_t len = end != NULL ? (size_t)(end - prose) + 1 : strlen(prose);

		ld_lines("", MANUAL_COLUMNS, prose, len);
		prose += end != NULL ? len + 1 : len;
	}
}

int
ld_mdoc_template(const char *program, const char *path, void (*write)(void))
{
	static const char mark[] = "@HERE@\n";
	struct ld_report report;
	uint8_t *text;
	size_t len;
	const char *at;

	if (ld_read_file(path, 1024 * 1024, &text, &len, &report) != LINDUNG_OK) {
		fprintf(stderr, "%s: %s\n", program, report.text);
		return 1;
	}
	at = strstr((const char *)text, mark);
	if (at == NULL) {
		fprintf(stderr, "%s: %s: there is no line @HERE@\n", program, path);
		free(text);
		return 1;
	}
	fwrite(text, 1, (size_t)(at - (const char *)text), stdout);
	write();
	fputs(at + sizeof mark - 1, stdout);
	free(text);
	return 0;
}
