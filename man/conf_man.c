/* Writes what is said of the options: lindung.conf(5), and the configuration to begin with.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: conf_man TEMPLATE	the page, with the options where the template says @HERE@
 *        conf_man		the file, every option with its default
 *
 * Run when ours is built, never installed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/option.h"

#include "mdoc.h"

enum { EXAMPLE_COLUMNS = 92 };

static struct ld_conf defaults;

static void
mdoc_choices(const struct ld_conf_choice *choice)
{
	puts(".Bl -tag -width nxdomain -compact");
	for (; choice->key != NULL; choice++) {
		printf(".It Cm %s\n", choice->key);
		ld_mdoc_prose(choice->what);
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
	ld_mdoc_prose(option->prose);
	if (option->type == LD_CONF_CHOICE) {
		mdoc_choices(option->choices);
	} else {
		ld_conf_expected(option, expected);
		snprintf(line, sizeof line, "Expects %s.", expected);
		ld_mdoc_prose(line);
	}
	puts("Default:");
	ld_lines("", 78, (const char *)text.data, text.len - 1);
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
	ld_lines(prefix, EXAMPLE_COLUMNS, option->prose, strlen(option->prose));
	ld_conf_expected(option, expected);
	snprintf(line, sizeof line, "Expects %s.", expected);
	ld_lines(prefix, EXAMPLE_COLUMNS, line, strlen(line));
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
	status = argc == 2 ? ld_mdoc_template("conf_man", argv[1], mdoc_options) : example_write();
	ld_arena_clear(&arena);
	return status;
}
