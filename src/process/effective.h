/* The effective list into an image.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_EFFECTIVE_H
#define LD_PROCESS_EFFECTIVE_H

#include "index/make.h"
#include "log/checkpoint.h"
#include "quorum/quorum.h"

enum { LD_EFFECTIVE_ORIGIN_MAX = 400 };

struct ld_effective_making;

/** What goes into an image: calls ld_effective_add() and the maker; returns the first error. */
typedef int ld_effective_fill(void *ctx, struct ld_effective_making *making);

struct ld_effective_making {
	struct ld_maker *maker;
	bool is_coarse; /* sources are parties alone: there are too many statements to name */
	unsigned added;
};

/** Put it into the maker; as ld_quorum_each, `ctx` is a struct ld_effective_making. */
int ld_effective_add(void *ctx, const struct ld_effective *effective);

/** Compile to `path` what `fill` puts in, NULL: all that is in effect as of the last settling.
 * Where there are more sources than an image can name, it is called again, and parties stand for
 * their statements.
 * Errors: those of ld_maker_finish(), with a report. */
int ld_effective_compile(struct ld_quorum *quorum, const struct ld_compile_options *options,
			 ld_effective_fill *fill, void *ctx, const char *path,
			 struct ld_report *report);

/** "log ORIGIN, size N, root BASE64", terminated, of a checkpoint as it is served; "" if it is
 * none.
 */
void ld_effective_origin(char ret[LD_EFFECTIVE_ORIGIN_MAX], struct ld_span checkpoint);

#endif
