/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "list/list.h"

/* A source over an array, that can be made to fail. */
struct array {
	const struct ld_entry *entries;
	size_t count;
	size_t at;
	size_t fail_at; /* the entry that cannot be read; SIZE_MAX: none */
	unsigned rewinds;
	unsigned shrink_after; /* passes after which the last entry is gone; 0: never */
};

static int
array_rewind(void *ctx)
{
	struct array *a = ctx;

	a->at = 0;
	a->rewinds++;
	return LINDUNG_OK;
}

static int
array_next(void *ctx, struct ld_entry *ret)
{
	struct array *a = ctx;
	size_t count = a->count;

	if (a->shrink_after != 0 && a->rewinds > a->shrink_after)
		count--;
	if (a->at == a->fail_at)
		return LINDUNG_EDAMAGED;
	if (a->at == count)
		return LINDUNG_ENOTFOUND;
	*ret = a->entries[a->at++];
	return LINDUNG_OK;
}

#define TREE(act, name)                                                                            \
	{                                                                                          \
		.action = LD_ACTION_##act, .scope = LD_SCOPE_TREE, .host = {                       \
			(const uint8_t *)(name),                                                   \
			sizeof(name) - 1                                                           \
		}                                                                                  \
	}

static const struct ld_entry three[] = {
	TREE(BLOCK, "a.example"),
	TREE(ALLOW, "open.a.example"),
	TREE(BLOCK, "b.example"),
};

static int
write_to(char *text, size_t size, enum ld_list_format format, struct array *array,
	 const struct ld_write_options *options, struct ld_write_summary *summary,
	 struct ld_report *report)
{
	const struct ld_list_source source = {array, array_rewind, array_next};
	FILE *file = tmpfile();

	assert_non_null(file);
	int err = ld_list_write(fileno(file), format, &source, options, summary, report);
	rewind(file);
	size_t len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
	return err;
}

static void
every_written_format_works(void **state)
{
	char text[8192];
	struct ld_report report;

	(void)state;
	for (int f = 0; f < LD_LIST_FORMAT_COUNT; f++) {
		enum ld_list_format format = (enum ld_list_format)f;
		struct array array = {three, 3, 0, SIZE_MAX, 0, 0};
		struct ld_write_summary summary;
		int err = write_to(text, sizeof text, format, &array, NULL, &summary, &report);

		assert_non_null(ld_list_format_limits(format));
		if (!ld_list_format_is_written(format)) {
			assert_int_equal(err, LINDUNG_EINVAL);
			assert_string_equal(text, "");
			continue;
		}
		assert_int_equal(err, LINDUNG_OK);
		assert_int_equal(summary.read, 3);
		if (format != LD_LIST_SQUID_URLS)
			assert_non_null(strstr(text, "b.example"));
	}
}

static void
rpz_says_it_all(void **state)
{
	struct array array = {three, 3, 0, SIZE_MAX, 0, 0};
	const struct ld_write_options options = {.title = "two\nlines", .rpz_serial = 77};
	struct ld_write_summary summary;
	char text[8192];

	(void)state;
	assert_int_equal(write_to(text, sizeof text, LD_LIST_RPZ, &array, &options, &summary, NULL),
			 LINDUNG_OK);
	assert_int_equal(array.rewinds, 2);
	assert_int_equal(summary.written, 3);
	assert_ptr_equal(strstr(text, "; two lines\n"), text);
	assert_string_equal(strstr(text, "$ORIGIN"),
			    "$ORIGIN rpz.lindung.\n"
			    "$TTL 60\n"
			    "@ SOA localhost. nobody.invalid. 77 3600 600 604800 60\n"
			    "@ NS localhost.\n"
			    "a.example CNAME .\n"
			    "*.a.example CNAME .\n"
			    "open.a.example CNAME rpz-passthru.\n"
			    "*.open.a.example CNAME rpz-passthru.\n"
			    "b.example CNAME .\n"
			    "*.b.example CNAME .\n");
}

/* What cannot be opened again is not closed; a second survey finds that out. */
static void
domain_with_exception_is_left_out(void **state)
{
	struct array array = {three, 3, 0, SIZE_MAX, 0, 0};
	struct ld_write_summary summary;
	char text[8192];

	(void)state;
	assert_int_equal(write_to(text, sizeof text, LD_LIST_DOMAINS, &array, NULL, &summary, NULL),
			 LINDUNG_OK);
	assert_int_equal(array.rewinds, 3);
	assert_int_equal(summary.written, 1);
	assert_int_equal(summary.no_tree, 1);
	assert_int_equal(summary.no_allow, 1);
	assert_null(strstr(text, "\na.example\n"));
	assert_non_null(strstr(text, "\nb.example\n"));
}

static void
errors_are_handed_on(void **state)
{
	const struct ld_entry removal = TREE(REMOVE, "gone.example");
	struct ld_write_summary summary = {.read = 99};
	struct ld_report report;
	char text[8192];

	(void)state;
	struct array damaged = {three, 3, 0, 1, 0, 0};
	assert_int_equal(
		write_to(text, sizeof text, LD_LIST_HOSTS, &damaged, NULL, &summary, &report),
		LINDUNG_EDAMAGED);
	struct array changed = {three, 3, 0, SIZE_MAX, 0, 1};
	assert_int_equal(
		write_to(text, sizeof text, LD_LIST_HOSTS, &changed, NULL, &summary, &report),
		LINDUNG_EINTERNAL);
	struct array removes = {&removal, 1, 0, SIZE_MAX, 0, 0};
	assert_int_equal(
		write_to(text, sizeof text, LD_LIST_HOSTS, &removes, NULL, &summary, &report),
		LINDUNG_EEXPRESS);
	assert_int_equal(summary.read, 99); /* untouched */
	assert_int_equal(
		write_to(text, sizeof text, LD_LIST_LINDUNG, &removes, NULL, &summary, &report),
		LINDUNG_OK);
	assert_non_null(strstr(text, "remove\t\tgone.example\t\n"));

	struct array array = {three, 3, 0, SIZE_MAX, 0, 0};
	const struct ld_list_source source = {&array, array_rewind, array_next};
	int full = open("/dev/full", O_WRONLY);
	assert_true(full >= 0);
	assert_int_equal(ld_list_write(full, LD_LIST_HOSTS, &source, NULL, &summary, &report),
			 LINDUNG_EIO);
	assert_int_equal(ld_list_write(full, LD_LIST_CHROMIUM, &source, NULL, NULL, &report),
			 LINDUNG_EIO);
	close(full);
}

/* More than one buffer, and hosts of the greatest length and depth. */
static void
large_and_deep(void **state)
{
	enum { DEPTH = 127 };
	static char host[2 * DEPTH];
	struct ld_entry entries[DEPTH];
	struct ld_write_summary summary;
	char *text = malloc(1 << 20);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof host - 1; i++)
		host[i] = i % 2 == 0 ? 'a' : '.';
	for (size_t i = 0; i < DEPTH; i++) {
		size_t len = 2 * i + 1;

		entries[i] =
			(struct ld_entry){.action = i % 2 == 0 ? LD_ACTION_BLOCK : LD_ACTION_ALLOW,
					  .scope = LD_SCOPE_TREE,
					  .host = ld_span(host + sizeof host - 1 - len, len)};
	}
	struct array array = {entries, DEPTH, 0, SIZE_MAX, 0, 0};
	assert_int_equal(write_to(text, 1 << 20, LD_LIST_DNSMASQ, &array, NULL, &summary, NULL),
			 LINDUNG_OK);
	assert_int_equal(summary.written, DEPTH);
	array.rewinds = 0;
	assert_int_equal(write_to(text, 1 << 20, LD_LIST_DOMAINS, &array, NULL, &summary, NULL),
			 LINDUNG_OK);
	assert_int_equal(summary.written, 1); /* the deepest block alone has no exception */
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_written_format_works),
		cmocka_unit_test(rpz_says_it_all),
		cmocka_unit_test(domain_with_exception_is_left_out),
		cmocka_unit_test(errors_are_handed_on),
		cmocka_unit_test(large_and_deep),
	};

	return cmocka_run_group_tests_name("list write", tests, NULL, NULL);
}
