/* Writes what is said of the options: the manual page, and the file to begin with.  Run when ours
 * is built, never installed. SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: conf_man TEMPLATE	lindung.conf(5), with the options where the template says @OPTIONS@
 *        conf_man		the example file, every option with its default */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "conf/option.h"

enum {
	EXAMPLE_COLUMNS = 92,
	MANUAL_COLUMNS = 78,
};

static struct ld_conf defaults;

/* Text of mdoc: nothing in it is a request. */
static void
mdoc_text(const char *text, size_t len)
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

/* Text in lines of at most `columns`, each with `prefix` before it; without one it is mdoc. */
static void
wrapped(const char *prefix, size_t columns, const char *text, size_t len)
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
			mdoc_text(text, word);
		else
			fwrite(text, 1, word, stdout);
		column += word;
		text += word + (text + word < end);
	}
	putchar('\n');
}

/* Prose, a sentence a line, as mdoc wants it. */
static void
mdoc_prose(const char *prose)
{
	while (*prose != '\0') {
		const char *end = strstr(prose, ". ");
		size_t len = end != NULL ? (size_t)(end - prose) + 1 : strlen(prose);

		wrapped("", MANUAL_COLUMNS, prose, len);
		prose += end != NULL ? len + 1 : len;
	}
}

static void
mdoc_choices(const struct ld_conf_choice *choice)
{
	puts(".Bl -tag -width nxdomain -compact");
	for (; choice->key != NULL; choice++) {
		printf(".It Cm %s\n", choice->key);
		mdoc_prose(choice->what);
	}
	puts(".El");
}

/* The default as written in the file; the caller frees the buffer. */
static struct ld_buffer
default_text(const struct ld_conf_option *option)
{
	struct ld_buffer text;

	ld_buffer_init(&text, 4096);
	ld_conf_value_print((const char *)&defaults + option->offset, option, &text);
	ld_buffer_bytes(&text, LD_SPAN("\0"));
	LD_ASSERT(!text.failed);
	return text;
}

static void
mdoc_option(const struct ld_conf_option *option)
{
	char expected[LD_CONF_EXPECTED_BYTES], line[LD_CONF_EXPECTED_BYTES + 16];
	struct ld_buffer text = default_text(option);

	printf(".It Cm %s\n", option->key);
	mdoc_prose(option->prose);
	if (option->type == LD_CONF_CHOICE) {
		mdoc_choices(option->choices);
	} else {
		ld_conf_expected(option, expected);
		snprintf(line, sizeof line, "Expects %s.", expected);
		mdoc_prose(line);
	}
	printf("Default: ");
	mdoc_text((const char *)text.data, text.len - 1);
	putchar('\n');
	ld_buffer_free(&text);
}

static void
mdoc_options(void)
{
	puts(".Bl -tag -width Ds");
	for (unsigned i = 0; i < ld_conf_option_count; i++)
		mdoc_option(&ld_conf_options[i]);
	puts(".El");
}

static int
manual_write(const char *template)
{
	static const char mark[] = "@OPTIONS@\n";
	struct ld_report report;
	uint8_t *text;
	size_t len;
	const char *at;

	if (ld_read_file(template, 1024 * 1024, &text, &len, &report) != LINDUNG_OK) {
		fprintf(stderr, "conf_man: %s\n", report.text);
		return 1;
	}
	at = strstr((const char *)text, mark);
	if (at == NULL) {
		fprintf(stderr, "conf_man: %s: there is no line @OPTIONS@\n", template);
		free(text);
		return 1;
	}
	fwrite(text, 1, (size_t)(at - (const char *)text), stdout);
	mdoc_options();
	fputs(at + sizeof mark - 1, stdout);
	free(text);
	return 0;
}

static void
example_option(const struct ld_conf_option *option, const char *group)
{
	char expected[LD_CONF_EXPECTED_BYTES], line[LD_CONF_EXPECTED_BYTES + 16];
	const char *dot = strchr(option->key, '.');
	size_t len = dot != NULL ? (size_t)(dot - option->key) : 0;
	const char *indent = len != 0 ? "  " : "", *prefix = len != 0 ? "  # " : "# ";
	struct ld_buffer text = default_text(option);

	putchar('\n');
	if (len != 0 && (strncmp(group, option->key, len + 1) != 0))
		printf("%.*s:\n", (int)len, option->key);
	wrapped(prefix, EXAMPLE_COLUMNS, option->prose, strlen(option->prose));
	ld_conf_expected(option, expected);
	snprintf(line, sizeof line, "Expects %s.", expected);
	wrapped(prefix, EXAMPLE_COLUMNS, line, strlen(line));
	printf("%s#%s: %s\n", indent, option->key + (len != 0 ? len + 1 : 0),
	       (const char *)text.data);
	ld_buffer_free(&text);
}

static int
example_write(void)
{
	puts("# Configuration of Lindung: every option with its default; see lindung.conf(5).\n"
	     "# Take the # away before what you change.  Check with: lindung check-config -c FILE");
	for (unsigned i = 0; i < ld_conf_option_count; i++)
		example_option(&ld_conf_options[i], i != 0 ? ld_conf_options[i - 1].key : "");
	return 0;
}

int
main(int argc, char **argv)
{
	struct ld_arena arena;
	int status;

	ld_arena_init(&arena, 1024 * 1024);
	LD_ASSERT(ld_conf_load(&defaults, NULL, &arena, NULL) == LINDUNG_OK);
	status = argc == 2 ? manual_write(argv[1]) : example_write();
	ld_arena_clear(&arena);
	return status;
}
