/* Milliseconds from a file on the disk to the first answer.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: bench_open ROUNDS IMAGE NAME [OVERLAY CHANGED]    figures as JSON
 *
 * "warm": the file is in the page cache.  "cold": the kernel was asked to let go of it before.
 * With an overlay: the image, the overlay and the answer for CHANGED, which must differ from what
 * the image alone says. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lindung/lindung.h>

#include "base/clock.h"
#include "bench.h"

static enum lindung_verdict
answer(const char *image, const char *overlay, const char *name, double *ret_ms)
{
	struct lindung_answer answer;
	struct lindung *list;
	int64_t start = ld_clock_ns();
	int err = lindung_open(&list, image, 0);

	if (err == LINDUNG_OK && overlay != NULL)
		err = lindung_overlay(list, overlay, 0);
	if (err == LINDUNG_OK)
		err = lindung_lookup_name(list, name, strlen(name), LINDUNG_ALL, &answer);
	*ret_ms = (double)(ld_clock_ns() - start) / 1e6;
	if (err != LINDUNG_OK)
		bench_die("%s: %s", image, lindung_strerror(err));
	lindung_close(list);
	return answer.verdict;
}

/* Only pages that are on the disk already can be let go of. */
static void
forget(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fdatasync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
		bench_die("%s: %m", path);
	close(fd);
}

int
main(int argc, char **argv)
{
	struct bench_rounds warm = {.count = 0}, cold = {.count = 0}, changed = {.count = 0};
	double ms;

	if (argc != 4 && argc != 6)
		bench_die("usage: bench_open ROUNDS IMAGE NAME [OVERLAY CHANGED]");
	for (int round = atoi(argv[1]); round > 0; round--) {
		forget(argv[2]);
		answer(argv[2], NULL, argv[3], &ms);
		bench_rounds_add(&cold, ms);
		answer(argv[2], NULL, argv[3], &ms);
		bench_rounds_add(&warm, ms);
		if (argc == 6) {
			enum lindung_verdict before = answer(argv[2], NULL, argv[5], &ms);

			if (answer(argv[2], argv[4], argv[5], &ms) == before)
				bench_die("%s changes nothing for %s", argv[4], argv[5]);
			bench_rounds_add(&changed, ms);
		}
	}
	putchar('{');
	bench_rounds_print("warm_ms", &warm);
	fputs(",\n ", stdout);
	bench_rounds_print("cold_ms", &cold);
	fputs(",\n ", stdout);
	bench_rounds_print("changed_ms", &changed);
	puts("}");
	return 0;
}
