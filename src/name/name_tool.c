/* Puts the functions of this folder to the test from outside: lines "op<TAB>argument" in, one line
 * out for each.  Not installed.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Arguments are in hexadecimal, so that any octet can be handed over; two are separated by a ','.
 * A result that is octets is in hexadecimal too; an error is "!" and its number. */
#include <stdio.h>
#include <stdlib.h>

#include "name/idna.h"
#include "name/psl.h"
#include "name/url.h"

enum { ARGUMENT_MAX = 16384 };

static struct ld_psl *psl;

static void
put_error(int error)
{
	printf("!%d\n", error);
}

static void
put_hex(int error, const void *data, size_t len)
{
	const uint8_t *octets = data;

	if (error != LINDUNG_OK) {
		put_error(error);
		return;
	}
	for (size_t i = 0; i < len; i++)
		printf("%02x", octets[i]);
	putchar('\n');
}

static void
text_to_wire(struct ld_span text, struct ld_span unused)
{
	struct ld_name name;
	int err = ld_name_from_text(&name, text);

	(void)unused;
	put_hex(err, name.wire, err == LINDUNG_OK ? name.len : 0);
}

static void
wire_to_text(struct ld_span wire, struct ld_span unused)
{
	struct ld_name name;
	char text[LD_NAME_TEXT_MAX];
	int err = ld_name_from_wire(&name, wire);

	(void)unused;
	put_hex(err, text, err == LINDUNG_OK ? ld_name_to_text(&name, text) : 0);
}

/* Two wire names: order, equality, whether the first is within the second. */
static void
compare(struct ld_span wire_a, struct ld_span wire_b)
{
	struct ld_name a, b;
	int err = ld_name_from_wire(&a, wire_a);

	if (err == LINDUNG_OK)
		err = ld_name_from_wire(&b, wire_b);
	if (err != LINDUNG_OK) {
		put_error(err);
		return;
	}
	int order = ld_name_compare(&a, &b);
	printf("%d %d %d\n", (order > 0) - (order < 0), ld_name_equal(&a, &b),
	       ld_name_is_within(&a, &b));
}

static void
host(struct ld_span text, struct ld_span unused)
{
	char out[LD_HOST_MAX + 1];
	size_t len = 0;
	int err = ld_host_from_text(out, &len, text);

	(void)unused;
	put_hex(err, out, len);
}

static void
idna(struct ld_span text, struct ld_span unused)
{
	char out[LD_HOST_MAX + 1];
	size_t len = 0;
	int err = ld_idna_to_host(out, &len, text);

	(void)unused;
	put_hex(err, out, len);
}

static void
unicode(struct ld_span text, struct ld_span unused)
{
	char out[4 * LD_HOST_MAX + 1];

	(void)unused;
	put_hex(LINDUNG_OK, out, ld_idna_to_unicode(out, text));
}

/* Whether a host is a public suffix, and its registrable domain. */
static void
suffix(struct ld_span text, struct ld_span unused)
{
	struct ld_span domain = ld_psl_registrable(psl, text);

	(void)unused;
	printf("%d ", ld_psl_is_suffix(psl, text));
	put_hex(LINDUNG_OK, domain.data, domain.len);
}

static void
url(struct ld_span text, struct ld_span unused)
{
	static struct ld_url canonical;
	int err = ld_url_canonical(&canonical, text);

	(void)unused;
	if (err != LINDUNG_OK)
		put_error(err);
	else
		printf("%s%s\n", canonical.host, canonical.text);
}

static const struct {
	const char *name;
	void (*run)(struct ld_span first, struct ld_span second);
} ops[] = {
	{"text-to-wire", text_to_wire},
	{"wire-to-text", wire_to_text},
	{"compare", compare},
	{"host", host},
	{"idna", idna},
	{"unicode", unicode},
	{"suffix", suffix},
	{"url", url},
};

/* Reads hexadecimal up to what is none. */
static struct ld_span
argument(uint8_t *out, const char **at)
{
	size_t len = 0;
	unsigned octet;

	while (len < ARGUMENT_MAX && sscanf(*at, "%2x", &octet) == 1) {
		out[len++] = (uint8_t)octet;
		*at += 2;
	}
	return ld_span(out, len);
}

static bool
line_run(char *line)
{
	static uint8_t first[ARGUMENT_MAX], second[ARGUMENT_MAX];
	char *tab = strchr(line, '\t');

	if (tab == NULL)
		return false;
	*tab = '\0';
	const char *at = tab + 1;
	struct ld_span a = argument(first, &at);
	at += *at == ',';
	struct ld_span b = argument(second, &at);
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		if (strcmp(ops[i].name, line) == 0) {
			ops[i].run(a, b);
			return true;
		}
	}
	return false;
}

int
main(int argc, char **argv)
{
	static char line[4 * ARGUMENT_MAX + 64];
	struct ld_report report;

	if (ld_psl_open(&psl, argc > 1 ? argv[1] : NULL, &report) != LINDUNG_OK) {
		fprintf(stderr, "%s\n", report.text);
		return 2;
	}
	while (fgets(line, sizeof line, stdin) != NULL) {
		if (!line_run(line)) {
			fprintf(stderr, "name_tool: not understood: %.60s\n", line);
			return 2;
		}
	}
	ld_psl_close(psl);
	return 0;
}
