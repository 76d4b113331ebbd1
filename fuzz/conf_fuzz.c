/* Any bytes as a configuration file: they are refused with a message, or what they give is printed
 * and read back to the same.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "conf/conf.h"
#include "fuzz.h"

static void
count(void *ctx, const struct ld_report *problem)
{
	unsigned *problems = ctx;

	LD_ASSERT(problem->text[0] != '\0');
	(*problems)++;
}

static void
read_back(const struct ld_conf *conf, struct ld_arena *arena)
{
	struct ld_buffer once, twice;
	struct ld_conf again;
	unsigned problems = 0;

	ld_buffer_init(&once, 1024 * 1024);
	ld_buffer_init(&twice, 1024 * 1024);
	ld_conf_print(conf, &once);
	if (ld_conf_parse(&again, "printed", ld_buffer_span(&once), arena, count, &problems) ==
	    LINDUNG_OK) {
		ld_conf_print(&again, &twice);
		LD_ASSERT(ld_span_equal(ld_buffer_span(&once), ld_buffer_span(&twice)));
	} else {
		/* Only for want of memory in the arena. */
		LD_ASSERT(arena->used_bytes > arena->limit_bytes / 2);
	}
	ld_buffer_free(&once);
	ld_buffer_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_arena arena;
	struct ld_conf conf;
	unsigned problems = 0;
	int err;

	ld_arena_init(&arena, 8 * 1024 * 1024);
	err = ld_conf_parse(&conf, "fuzz", ld_span(data, size), &arena, count, &problems);
	LD_ASSERT((err == LINDUNG_OK) == (problems == 0));
	if (err == LINDUNG_OK)
		read_back(&conf, &arena);
	ld_arena_clear(&arena);
	return 0;
}
