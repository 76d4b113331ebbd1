/* Several threads that read several lists, and tell of it: for ThreadSanitizer.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index/compile.h"

enum { LISTS = 4, NAMES = 20000, THREADS = 4 };

static unsigned tellings;

static void
progress(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
	(void)ctx;
	tellings += strcmp(phase, "reading") == 0 && done <= total;
}

static void
several_threads_read_several_lists(void **state)
{
	const struct ld_compile_options options = {.memory_bytes = 16u << 20,
						   .threads = THREADS,
						   .directory = "/tmp",
						   .progress = progress};
	char folder[] = "/tmp/lindung-readers-XXXXXX", paths[LISTS][64], image[64];
	struct ld_compile_list lists[LISTS];
	struct ld_compile_stats stats = {0};
	struct ld_report report = {{0}};

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(image, sizeof image, "%s/image", folder);
	for (int i = 0; i < LISTS; i++) {
		FILE *file;

		snprintf(paths[i], sizeof paths[i], "%s/%d", folder, i);
		file = fopen(paths[i], "w");
		assert_non_null(file);
		for (int name = 0; name < NAMES; name++)
			fprintf(file, "n%d.list%d.example\n", name, i);
		fclose(file);
		lists[i] = (struct ld_compile_list){.path = paths[i],
						    .category = "adult",
						    .format = LD_LIST_DOMAINS,
						    .source = "s"};
	}
	assert_int_equal(ld_compile(image, lists, LISTS, &options, &stats, &report), LINDUNG_OK);
	for (int i = 0; i < LISTS; i++) {
		assert_int_equal(stats.lists[i].entries, NAMES);
		unlink(paths[i]);
	}
	assert_true(tellings != 0);
	free(stats.lists);
	unlink(image);
	rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_threads_read_several_lists),
	};

	return cmocka_run_group_tests_name("readers", tests, NULL, NULL);
}
