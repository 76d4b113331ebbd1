/* Inside of follow*.c.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROCESS_FOLLOW_PARTS_H
#define LD_PROCESS_FOLLOW_PARTS_H

#include "base/arena.h"
#include "index/make.h"
#include "process/follow.h"

enum {
	FOLLOW_PATH_MAX = 4096 + 264, /* with the name of a file in DIR */
	FOLLOW_IMAGE_NAME_MAX = 40,
};

/** An image: its name in DIR, and in memory. */
struct follow_image {
	char name[FOLLOW_IMAGE_NAME_MAX]; /* "": none */
	struct ld_hash hash;
	int fd; /* -1: none */
};

struct ld_follow {
	struct ld_follow_config config;
	char state[4096];
	int lock_fd, entries_fd;
	struct ld_policy *policy;
	struct ld_openers *openers; /* NULL: none */
	struct ld_psl *suffixes;
	struct ld_arena arena;
	struct ld_protected *protects;
	const char **locked; /* keys of categories */
	size_t protect_count, locked_count;
	struct ld_fetcher *fetcher;

	/* What was verified. */
	struct ld_buffer checkpoint; /* as it was served; empty: none yet */
	char checkpoint_tag[LD_FETCH_TAG_MAX];
	struct ld_checkpoint seen; /* origin points into `checkpoint` */
	uint64_t checkpoint_s;
	struct ld_tree tree;
	uint64_t entries_bytes;

	/* What follows from it. */
	struct ld_quorum *quorum; /* NULL: to be made from the entries */
	int64_t settled_s, next_s;
	void *changes; /* a tree (search.h) of names since the base */
	size_t change_count;
	bool is_dirty; /* there are changes that are in no overlay yet */
	struct follow_image base, overlay;
	uint64_t image_number;
	bool is_saved; /* `state` says all this */

	struct ld_follow_result *result; /* of the step under way */
};

/** Tell that it gets on: before whatever may take long. */
void ld_follow_moves(const struct ld_follow *f);

/* ---- follow_state.c: what is in DIR ---------------------------------------------------------- */

/** Path of a file of DIR. */
const char *ld_follow_path(const struct ld_follow *f, const char *name, char path[FOLLOW_PATH_MAX]);
int ld_follow_state_open(struct ld_follow *f, struct ld_report *report);
int ld_follow_state_read(struct ld_follow *f, struct ld_report *report);
int ld_follow_state_write(struct ld_follow *f, struct ld_report *report);
/** Keep what proves a fork: the checkpoint that was seen, and this one, in DIR/fork; once. */
void ld_follow_evidence_write(struct ld_follow *f, struct ld_span checkpoint);
/** Add entries behind those that are there: on the disk when it returns. */
int ld_follow_entries_add(struct ld_follow *f, struct ld_span bundle, struct ld_report *report);
/** Call `each` for the entries from `first` on. */
typedef int follow_each(void *ctx, uint64_t index, struct ld_span entry);
int ld_follow_entries(struct ld_follow *f, uint64_t first, uint64_t size, follow_each *each,
		      void *ctx, struct ld_report *report);
/** A block of DIR; LINDUNG_ENOTFOUND. An ld_block_source's function, of a `struct ld_follow *`. */
int ld_follow_block_read(void *ctx, const uint8_t hash[32], struct ld_buffer *ret,
			 struct ld_report *report);
int ld_follow_block_write(struct ld_follow *f, const char *name, struct ld_span bytes,
			  struct ld_report *report);
void ld_follow_block_name(char ret[80], const uint8_t hash[32], const char *suffix);

/* ---- follow_fetch.c: what comes from the log ------------------------------------------------- */

/** The checkpoint, verified; *ret_new: it is another than we have. */
int ld_follow_checkpoint(struct ld_follow *f, time_t now_s, struct ld_buffer *ret,
			 struct ld_trusted *ret_trusted, char tag[LD_FETCH_TAG_MAX], bool *ret_new,
			 struct ld_report *report);
/** The entries up to there, verified, into `ret` (a bundle behind those that are had). */
int ld_follow_bundles(struct ld_follow *f, const struct ld_checkpoint *to, struct ld_buffer *ret,
		      struct ld_tree *ret_tree, struct ld_report *report);
/** Fetch blocks of which there are `count`; those that come, and are what they should be, are in
 * DIR then.  The report tells of the first that is not. */
int ld_follow_blocks(struct ld_follow *f, const uint8_t (*hashes)[32], size_t count,
		     struct ld_report *report);

/* ---- follow_image.c: what is in effect, compiled --------------------------------------------- */

/** A name of which something changed. */
int ld_follow_change(void *ctx, const struct ld_effective *effective);
void ld_follow_changes_clear(struct ld_follow *f);
/** Compile all, or the changes. */
int ld_follow_compile_base(struct ld_follow *f, struct ld_report *report);
int ld_follow_compile_overlay(struct ld_follow *f, struct ld_report *report);
int ld_follow_compile_to(struct ld_follow *f, const char *path, struct ld_report *report);
/** The image of that name, from DIR into sealed memory. */
int ld_follow_image_load(struct ld_follow *f, struct follow_image *image, bool check,
			 struct ld_report *report);
void ld_follow_image_clear(struct ld_follow *f, struct follow_image *image, bool remove);

#endif
