/* The policy of a follower (formats/policy.md): which log, whom to believe, what it takes.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Immutable once read; any number of threads. */
#ifndef LD_QUORUM_POLICY_H
#define LD_QUORUM_POLICY_H

#include "list/entry.h"
#include "list/entry.h"
#include "log/checkpoint.h"
#include "log/statement.h"

enum {
	LD_POLICY_MAX_BYTES = 1024 * 1024,
	LD_POLICY_GROUPS_MAX = 256,
	LD_POLICY_MEMBERS_MAX = 256, /* of a group */
	LD_POLICY_WITNESSES_MAX = 64,
	LD_POLICY_ROOTS_MAX = 32,
	LD_POLICY_CATEGORIES_MAX = 64,
	LD_POLICY_PARTIES_MAX = 1024, /* that it names */
	LD_POLICY_OPERATORS_MAX = 16,
	LD_POLICY_POPULAR_MAX = 100000, /* names */
	LD_POLICY_POPULAR_BYTES_MAX = 8 * 1024 * 1024,
	LD_POLICY_DEPTH_MAX = 16,   /* of groups in groups */
	LD_POLICY_COST_MAX = 4096,  /* members of a group and of all groups in it */
	LD_POLICY_INCLUDES_MAX = 4, /* files in files */
};

struct ld_policy;

/** Read the file at `path`, and what it includes.  `builtin_popular`: path of the list of
 * well-known sites that ships.  The report names file, line and what is wrong.
 * Errors: LINDUNG_EIO, LINDUNG_ESYNTAX, LINDUNG_ELIMIT, LINDUNG_EDENIED (laxer without saying so).
 */
int ld_policy_open(struct ld_policy **ret, const char *path, const char *builtin_popular,
		   struct ld_report *report);
/** The same from text in memory: without includes and files of popular names. */
int ld_policy_parse(struct ld_policy **ret, struct ld_span text, const char *builtin_popular,
		    struct ld_report *report);
void ld_policy_free(struct ld_policy *policy);

/** What ld_checkpoint_check() needs; valid as long as the policy. */
const struct ld_trust *ld_policy_trust(const struct ld_policy *policy);
struct ld_span ld_policy_origin(const struct ld_policy *policy);
/** Would this entry close a well-known site? */
bool ld_policy_is_popular(const struct ld_policy *policy, const struct ld_entry *entry);
/** Where witness `i` (as in ld_policy_trust()) takes checkpoints, without "/add-checkpoint"; NULL:
 * the policy does not say. */
const char *ld_policy_witness_url(const struct ld_policy *policy, unsigned i);
/** Where the log is, as its line says; or NULL. */
const char *ld_policy_url(const struct ld_policy *policy);
/** What is odd about it: what may be laxer than what it includes and why, what is used nowhere...
 * `is_wrong`: it cannot work as it is written. */
int ld_policy_remarks(const struct ld_policy *policy,
		      int (*each)(void *ctx, const char *text, bool is_wrong), void *ctx);
/** SHA-256 of its meaning (comments and blanks do not count): two with the same are the same. */
void ld_policy_hash(const struct ld_policy *policy, uint8_t ret[32]);

#endif
