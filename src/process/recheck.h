/* Which listed names still exist: asked of the configured resolver, slowly, again and again.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A name of which it was said several times, over days, that it does not exist (NXDOMAIN) becomes
 * *dormant*: it need not burden a list.  It is asked for on, and comes back when it answers.  What
 * a resolver does not answer, or says for a reason of its own (an Extended DNS Error of blocking),
 * counts for nothing.
 *
 *     store: a row for each name: when it was asked for, since when it is said to be gone, how
 * often
 *
 * One thread's. */
#ifndef LD_PROCESS_RECHECK_H
#define LD_PROCESS_RECHECK_H

#include <lindung/lindung.h>

#include "base/error.h"
#include "upstream/upstream.h"

enum {
	LD_RECHECK_DUE_MAX = 1000 * 1000, /* names of one run */
	LD_RECHECK_RATE_MAX = 1000,       /* questions a second */
	LD_RECHECK_AT_ONCE_MAX = 256,     /* under way */
	LD_RECHECK_ALIVE_S = 30 * 86400,  /* until an existing name is asked for again, */
	LD_RECHECK_DOUBT_S = 86400,       /* one that did not exist, or was not answered, */
	LD_RECHECK_DORMANT_S = 7 * 86400, /* and a dormant one */
	LD_RECHECK_SILENCE_MAX = 50, /* questions without an answer, from the start: no resolver */
};

struct ld_recheck_options {
	const char *store;
	struct ld_upstream_config upstream;
	unsigned rate;   /* questions a second */
	unsigned most;   /* names of one run */
	unsigned times;  /* so often said to be gone, */
	int64_t after_s; /* over so long: dormant */
};

struct ld_recheck_outcome {
	uint64_t names;              /* in the lists */
	uint64_t asked, alive, gone; /* in this run */
	uint64_t unanswered;
	uint64_t slept, woke;  /* became dormant, came back */
	uint64_t dormant, due; /* now; and left for the next run */
};

struct ld_recheck;

/** Errors: those of ld_store_open() and ld_upstream_new(). */
int ld_recheck_open(struct ld_recheck **ret, const struct ld_recheck_options *options,
		    struct ld_report *report);
void ld_recheck_close(struct ld_recheck *recheck);
/** The names are those that this list closes; others are forgotten.
 * Errors: those of ld_store_run(). */
int ld_recheck_names(struct ld_recheck *recheck, const struct lindung *list,
		     struct ld_report *report);
/** Ask for those that are due.  What was answered is kept, whatever the outcome.
 * Errors: LINDUNG_ENET (the resolver answers nothing), those of the store. */
int ld_recheck_run(struct ld_recheck *recheck, int64_t now_s, struct ld_recheck_outcome *ret,
		   struct ld_report *report);
/** Write the dormant ones as a list of changes (formats/list.md), for `lindung compile --overlay`.
 * Errors: LINDUNG_EIO, those of the store. */
int ld_recheck_write(struct ld_recheck *recheck, const char *path, struct ld_report *report);

#endif
