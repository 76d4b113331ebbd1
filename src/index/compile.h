/* Lists to an image: read, check, sort, build.  Everything between a list file and an index file.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What ordinary lists cannot do is refused here: close a single label, a public suffix, or a
 * protected name.  Every line that gives no entry is counted by reason, and told if asked for.
 *
 * Memory: half of `memory_bytes` for records; what is more goes to unlinked files in `directory`.
 * The other half is enough for merging and encoding 10 million names with the default of 256 MiB.
 */
#ifndef LD_INDEX_COMPILE_H
#define LD_INDEX_COMPILE_H

#include "index/build.h"
#include "list/list.h"
#include "name/psl.h"

enum {
	LD_COMPILE_LISTS_MAX = 4096,
	LD_COMPILE_THREADS_MAX = 16,
	LD_COMPILE_MEMORY_MIN_BYTES = 16 * 1024 * 1024,
	LD_CATEGORY_KEY_MAX = 32, /* octets: a-z, 0-9 and '-' */
};

struct ld_compile_list {
	const char *path;     /* "-": standard input */
	const char *category; /* key; "*": every one (allow lists); NULL: each line tells */
	enum ld_list_format format;
	const char *source;     /* label: who says so */
	const char *csv_column; /* or NULL */
	bool allow;             /* its blocks are meant as allows */
};

/** A name that nothing can close. */
struct ld_protected {
	struct ld_span host;
	bool exact; /* that host alone */
};

/** Called for each rejection, from one thread; `list` < 0: none. */
typedef void ld_compile_reject(void *ctx, int list, enum ld_reject reason, uint64_t line,
			       struct ld_span text);

struct ld_compile_options {
	size_t memory_bytes;
	unsigned threads;
	const char *directory;
	uint32_t date_day;
	bool overlay; /* "remove" lines are taken */
	bool drop_covered;
	const struct ld_psl *suffixes;
	const struct ld_protected *protects;
	size_t protect_count;
	/* Categories that an authority ordered to be closed: what lists close in them is locked. */
	const char *const *locked;
	size_t locked_count;
	ld_progress *progress; /* or NULL; from any thread, one at a time */
	void *progress_ctx;
	ld_compile_reject *reject; /* or NULL; lists are then read one by one, in order */
	void *reject_ctx;
};

struct ld_compile_counts {
	uint64_t lines;
	uint64_t entries; /* taken, before equal ones are merged */
	uint64_t rejects[LD_REJECT_COUNT];
	enum ld_list_format format;
};

struct ld_compile_stats {
	struct ld_compile_counts total;
	struct ld_compile_counts *lists; /* one each; the caller frees the array */
	struct ld_build_stats build;
};

/** Compile `lists` into an image at `path`.  Errors with a report: LINDUNG_EIO, LINDUNG_EDAMAGED (a
 * packed list), LINDUNG_ESYNTAX (no format fits), LINDUNG_ELIMIT, LINDUNG_ENOMEM, LINDUNG_EINVAL.
 */
int ld_compile(const char *path, const struct ld_compile_list *lists, size_t list_count,
	       const struct ld_compile_options *options, struct ld_compile_stats *ret,
	       struct ld_report *report);

/** What of these the building of the image itself wants. */
struct ld_build_options ld_compile_build_options(const struct ld_compile_options *options);

/** The key of a category has the right form. */
bool ld_category_key_is_valid(struct ld_span key);

#endif
