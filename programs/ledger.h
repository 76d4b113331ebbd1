/* A log as a party or an operator reads it: its statements, weighed by a policy at a time.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_PROGRAMS_LEDGER_H
#define LD_PROGRAMS_LEDGER_H

#include "home.h"
#include "log/log.h"
#include "quorum/quorum.h"

struct ld_ledger_options {
	const char *log, *policy; /* NULL: those of the home */
	int64_t now_s;
	bool sealed; /* open what is sealed, with HOME/keys/... .age */
};

struct ld_ledger {
	const char *where; /* as it was named: a directory or a URL */
	struct ld_policy *policy;
	struct ld_openers *openers;
	struct ld_psl *suffixes; /* with openers */
	struct ld_log *log;
	struct ld_trusted trusted;
	struct ld_quorum *quorum; /* settled at now_s */
	int64_t now_s, next_s;
	uint64_t effective; /* entries in effect */
};

/** Read the policy alone: enough to say something, without the log. */
int ld_ledger_policy(struct ld_ledger *ret, struct ld_home *home,
		     const struct ld_ledger_options *options, struct ld_report *report);
/** Open the log, too; from a URL it is fetched into HOME/mirror first.  The quorum has nothing in
 * it yet.  What was opened is ld_ledger_close()'s, whatever the outcome. */
int ld_ledger_open(struct ld_ledger *ledger, struct ld_home *home,
		   const struct ld_ledger_options *options, struct ld_report *report);
/** The same, and read all of it. */
int ld_ledger_read(struct ld_ledger *ledger, struct ld_home *home,
		   const struct ld_ledger_options *options, struct ld_report *report);
void ld_ledger_close(struct ld_ledger *ledger);

/** Blocks of the log. */
struct ld_block_source ld_ledger_blocks(struct ld_ledger *ledger);

#endif
