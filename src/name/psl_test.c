/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "name/idna.h"
#include "name/psl.h"

static const char small_list[] = "// VERSION: 2026-11-01_07-31-18_UTC\n"
				 "// ===BEGIN ICANN DOMAINS===\n"
				 "com\n*.ck\n!www.ck\njp\n*.kobe.jp\n!city.kobe.jp\n"
				 "xn--fiqs8s\n公司.cn\r\n"
				 "// ===END ICANN DOMAINS===\n"
				 "// ===BEGIN PRIVATE DOMAINS===\n"
				 "blogspot.com\n*.compute.example\n"
				 "// ===END PRIVATE DOMAINS===\n";

/* A list with this text; *err says how opening went. */
static struct ld_psl *
list_of(const char *text, size_t len, int *err, struct ld_report *report)
{
	char path[] = "/tmp/lindung-psl-XXXXXX";
	int fd = mkstemp(path);
	struct ld_psl *psl = NULL;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	*err = ld_psl_open(&psl, path, report);
	unlink(path);
	return psl;
}

static void
suffixes_of_a_small_list(void **state)
{
	static const struct {
		const char *host;
		bool is_suffix;
		const char *registrable;
	} rows[] = {
		{"com", true, ""},
		{"example.com", false, "example.com"},
		{"a.b.example.com", false, "example.com"},
		{"blogspot.com", true, ""},
		{"me.blogspot.com", false, "me.blogspot.com"},
		{"ck", true, ""},
		{"any.ck", true, ""},
		{"a.any.ck", false, "a.any.ck"},
		{"www.ck", false, "www.ck"},
		{"www.www.ck", false, "www.ck"},
		{"c.kobe.jp", true, ""},
		{"city.kobe.jp", false, "city.kobe.jp"},
		{"osaka.jp", false, "osaka.jp"},
		{"xn--fiqs8s", true, ""},
		{"xn--55qx5d.cn", true, ""},
		{"a.xn--55qx5d.cn", false, "a.xn--55qx5d.cn"},
		{"a.compute.example", true, ""},
		{"unlisted", true, ""},
		{"a.unlisted", false, "a.unlisted"},
		{"", false, ""},
	};
	int err;
	struct ld_psl *psl = list_of(small_list, sizeof small_list - 1, &err, NULL);

	(void)state;
	assert_int_equal(err, LINDUNG_OK);
	assert_string_equal(ld_psl_date(psl), "2026-11-01");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ld_span host = ld_span_str(rows[i].host);
		struct ld_span domain = ld_psl_registrable(psl, host);

		assert_int_equal(ld_psl_is_suffix(psl, host), rows[i].is_suffix);
		assert_true(ld_span_equal(domain, ld_span_str(rows[i].registrable)));
		assert_true(domain.len == 0 || ld_span_ends(host, domain));
	}
	ld_psl_close(psl);
	ld_psl_close(NULL);
}

static void
long_hosts(void **state)
{
	char host[260];
	int err;
	struct ld_psl *psl = list_of(small_list, sizeof small_list - 1, &err, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof host; i++)
		host[i] = i % 2 == 0 ? 'a' : '.';
	assert_false(ld_psl_is_suffix(psl, ld_span(host, 253)));
	assert_int_equal(ld_psl_registrable(psl, ld_span(host, 253)).len, 3);
	assert_false(ld_psl_is_suffix(psl, ld_span(host, 255)));
	assert_int_equal(ld_psl_registrable(psl, ld_span(host, 255)).len, 0);
	ld_psl_close(psl);
}

static void
what_is_no_list_is_refused(void **state)
{
	struct ld_report report;
	struct ld_psl *psl;
	int err;

	(void)state;
	assert_null(list_of("", 0, &err, &report));
	assert_int_equal(err, LINDUNG_EFORMAT);
	assert_null(list_of("com\nnet\n", 8, &err, &report));
	assert_int_equal(err, LINDUNG_EFORMAT);
	assert_non_null(strstr(report.text, "publicsuffix.org"));
	assert_null(list_of("// ===BEGIN ICANN DOMAINS===\n", 29, &err, &report));
	assert_int_equal(err, LINDUNG_EFORMAT);
	assert_int_equal(ld_psl_open(&psl, "/nowhere/list", &report), LINDUNG_EIO);
	assert_non_null(strstr(report.text, "/nowhere/list"));
}

static void
date_of_a_list_without_version(void **state)
{
	static const char *const rows[] = {"// VERSION: soon\n", "// VERSION: 2026-11-0", ""};
	char text[sizeof small_list + 64];
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *rest = strchr(small_list, '\n') + 1;
		int len = snprintf(text, sizeof text, "%s%s", rest, rows[i]);
		struct ld_psl *psl = list_of(text, (size_t)len, &err, NULL);

		assert_int_equal(err, LINDUNG_OK);
		/* The file's time: now. */
		assert_int_equal(strlen(ld_psl_date(psl)), 10);
		assert_true(strcmp(ld_psl_date(psl), "2026-01-01") >= 0);
		assert_string_not_equal(ld_psl_date(psl), "2026-11-01");
		ld_psl_close(psl);
	}
}

/* One line of the published tests: "name expected", "null" for none. */
static void
published_case(const struct ld_psl *psl, const char *name, const char *expected)
{
	char host[LD_HOST_MAX + 1], wanted[LD_HOST_MAX + 1] = "";
	size_t len, wanted_len = 0;

	if (strcmp(name, "null") == 0 || name[0] == '.') {
		/* No name, or one with a leading dot: no host of ours, and none expected. */
		assert_string_equal(expected, "null");
		if (name[0] == '.')
			assert_int_equal(ld_idna_to_host(host, &len, ld_span_str(name)),
					 LINDUNG_ENAME);
		return;
	}
	assert_int_equal(ld_idna_to_host(host, &len, ld_span_str(name)), LINDUNG_OK);
	if (strcmp(expected, "null") != 0)
		assert_int_equal(ld_idna_to_host(wanted, &wanted_len, ld_span_str(expected)),
				 LINDUNG_OK);
	struct ld_span domain = ld_psl_registrable(psl, ld_span(host, len));
	assert_true(ld_span_equal(domain, ld_span(wanted, wanted_len)));
	assert_int_equal(ld_psl_is_suffix(psl, ld_span(host, len)), wanted_len == 0);
}

static void
published_tests(void **state)
{
	char path[512], line[512], name[256], expected[256];
	const char *data = getenv("LINDUNG_TEST_DATA");
	struct ld_psl *psl, *quick;
	unsigned count = 0;

	(void)state;
	snprintf(path, sizeof path, "%s/psl/tests.txt", data != NULL ? data : "tests/name/data");
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(ld_psl_open(&psl, NULL, NULL), LINDUNG_OK);
	assert_int_equal(ld_psl_open_quick(&quick, NULL), LINDUNG_OK);
	assert_int_equal(strlen(ld_psl_date(psl)), 10);
	assert_int_equal(ld_psl_date_number(psl) / 100000000, 0);
	assert_true(ld_psl_date_number(psl) > 20000101);
	while (fgets(line, sizeof line, file) != NULL) {
		if (strncmp(line, "//", 2) == 0 || sscanf(line, "%255s %255s", name, expected) != 2)
			continue;
		published_case(psl, name, expected);
		published_case(quick, name, expected);
		count++;
	}
	assert_int_equal(count, 78);
	fclose(file);
	ld_psl_close(psl);
	ld_psl_close(quick);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suffixes_of_a_small_list),
		cmocka_unit_test(long_hosts),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(date_of_a_list_without_version),
		cmocka_unit_test(published_tests),
	};

	return cmocka_run_group_tests_name("psl", tests, NULL, NULL);
}
