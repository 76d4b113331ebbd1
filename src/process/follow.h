/* Following a log: what is new is fetched, verified, judged by the policy, and compiled.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     DIR/state          what is in force: size, policy, keys, images, checkpoint
 *     DIR/entries        the log's entries so far, each behind its length (u16, big-endian)
 *     DIR/block/HEX      blocks; HEX.part: what came of one
 *     DIR/base-N, DIR/changes-N    images: all that is in effect, and changes since
 *     DIR/fork        two checkpoints that prove a fork, once one was met
 *
 * `state` is replaced last, in one step: whatever ends a step, and whenever, what stood in force
 * stays, and the next start goes on from there.  What of the rest is no part of it is taken away.
 * Nothing is believed for standing in DIR: the entries must give the checkpoint's root, the images
 * their hashes.
 *
 * A rollback, a fork, a frozen log, a mirror that lies: each is named, and what is in force stays.
 *
 * One thread's.  Blocks in the network; limits of net/fetch.h, quorum/quorum.h, log/block.h. */
#ifndef LD_PROCESS_FOLLOW_H
#define LD_PROCESS_FOLLOW_H

#include <time.h>

#include "net/fetch.h"
#include "quorum/quorum.h"

enum {
	LD_FOLLOW_FILES_MAX = 2,        /* an image, and an overlay over it */
	LD_FOLLOW_CHANGES_MAX = 65536,  /* names in the overlay; then all is compiled */
	LD_FOLLOW_CHANGES_IDLE = 4096,  /* the same when nothing else is to be done */
	LD_FOLLOW_BUNDLES = 8,          /* bundles of entries that are fetched at a time */
	LD_FOLLOW_BLOCKS = 2,           /* blocks, which can be large */
	LD_FOLLOW_SHORTFALL_MAX = 1024, /* missing blocks that are asked for again */
};

struct ld_follow;

struct ld_follow_config {
	const char *url; /* at which the log is; what is in DIR of log/log.h */
	const char *policy, *popular;
	const char *const *keys; /* files of secret age keys */
	unsigned key_count;
	const char *state;        /* DIR */
	const char *ca_file;      /* NULL: the system's */
	struct ld_span protected; /* as ld_parent_run() has it */
	ld_fetch_resolve *resolve;
	void *resolve_ctx;
	const char *user_agent;
	void (*moves)(void *ctx); /* called now and then, as long as it gets on; or NULL */
	void *moves_ctx;
};

/** Read all that lies outside of DIR: policy, keys, certificates, public suffixes.  Takes DIR for
 * itself.  Of `config`, the texts must outlive it.
 * Errors, with a report: those of ld_policy_open(), ld_openers_add_file(); LINDUNG_EBUSY (another
 * process has DIR), LINDUNG_EIO, LINDUNG_ENOMEM. */
int ld_follow_open(struct ld_follow **ret, const struct ld_follow_config *config,
		   struct ld_report *report);
/** NULL is a no-op. */
void ld_follow_free(struct ld_follow *follow);
/** DIR is at this path from now on (behind walls). */
void ld_follow_moved(struct ld_follow *follow, const char *state);

/** Take up what is in DIR: the images at once, if they are of this policy and these keys.
 * Errors, with a report: LINDUNG_EIO.  What is damaged is as if it was not there. */
int ld_follow_restore(struct ld_follow *follow, struct ld_report *report);

/** What a step came to. */
struct ld_follow_result {
	bool changed;             /* the files are others */
	bool has_more;            /* blocks are missing: come back soon */
	uint64_t size;            /* of the log, as it is in force */
	uint64_t added;           /* statements that are new */
	uint64_t names;           /* of which something changed */
	uint64_t checkpoint_s;    /* struct ld_trusted.time_s; 0: no witness is needed */
	int64_t next_s;           /* when time alone changes something; INT64_MAX: never */
	uint32_t retry_after_s;   /* as the server wishes */
	uint64_t requests, bytes; /* sent; that came (bodies) */
};

/** Look for what is new, and take it.  Errors, with a report: LINDUNG_ENET, LINDUNG_ETIMEOUT,
 * LINDUNG_ESIGNATURE, LINDUNG_EWITNESS, LINDUNG_EROLLBACK, LINDUNG_EFORK, LINDUNG_EFROZEN,
 * LINDUNG_EDAMAGED (a mirror that has something else than the log), LINDUNG_EIO (the disk),
 * LINDUNG_ELIMIT, LINDUNG_ENOMEM.  *ret is filled in whatever the outcome. */
int ld_follow_step(struct ld_follow *follow, time_t now_s, struct ld_follow_result *ret,
		   struct ld_report *report);
/** What can wait: compile all into one image, if that is worth its while. */
int ld_follow_tidy(struct ld_follow *follow, time_t now_s, struct ld_follow_result *ret,
		   struct ld_report *report);

/** The files in force, in sealed memory: the image, then its overlay; they stay the follower's and
 * are valid until the next call of any of the above.  Returns how many: 0 for none yet. */
unsigned ld_follow_files(const struct ld_follow *follow, int fds[LD_FOLLOW_FILES_MAX]);
/** How many statements of the log were verified, and when witnesses saw it; 0: none, never. */
void ld_follow_seen(const struct ld_follow *follow, uint64_t *ret_size, uint64_t *ret_checkpoint_s);
const struct ld_policy *ld_follow_policy(const struct ld_follow *follow);
/** All that is in effect at the time of the last step as one image at `path`: of the same log,
 * policy, time and keys it is the same, octet for octet. */
int ld_follow_export(struct ld_follow *follow, const char *path, struct ld_report *report);

#endif
