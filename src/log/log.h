/* A log on the disk: what its operator writes, what anybody reads.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     DIR/checkpoint            signed by the log, cosigned
 *     DIR/tile/...              C2SP tlog-tiles; DIR/tile/entries/... with the signed notes
 *     DIR/block/HEX             blocks of entries, as they are served
 *
 * DIR is what a web server serves: immutable files, and the checkpoint.  Writing is for one process
 * (locked); it holds what it needs beside the public files in DIR/.private (mode 0700).
 * An append is on the disk before it is acknowledged, and whatever was signed once is never signed
 * differently: kill -9 and a full disk lose nothing that was acknowledged, and never fork the
 * tree. */
#ifndef LD_LOG_LOG_H
#define LD_LOG_LOG_H

#include "log/checkpoint.h"
#include "log/note.h"

enum {
	LD_LOG_APPEND_MAX = 65536, /* entries of one append */
};

struct ld_log;

/** Begin a new log in the empty or new directory `path`: its origin is the key's name.
 * Errors: LINDUNG_EEXISTS, LINDUNG_EIO. */
int ld_log_create(const char *path, const struct ld_signer *signer, struct ld_report *report);

/** Open for reading (`signer` NULL), or for writing by its key, which must outlive it.  Opening for
 * writing checks the whole edge of the tree against the checkpoint, and takes up what a crash
 * interrupted: what was not signed yet is dropped, what was is pending (ld_log_finish()).
 * Errors: LINDUNG_EIO, LINDUNG_EDAMAGED, LINDUNG_EBUSY (another writes), LINDUNG_ESIGNATURE. */
int ld_log_open(struct ld_log **ret, const char *path, const struct ld_signer *signer,
		struct ld_report *report);
void ld_log_close(struct ld_log *log);

/** What it says now: the octets of the checkpoint, valid until the next append or close. */
struct ld_span ld_log_checkpoint(const struct ld_log *log);
uint64_t ld_log_size(const struct ld_log *log);
struct ld_tile_source ld_log_tiles(struct ld_log *log);
/** Entry `index` into malloc()ed memory, the caller's. Errors: LINDUNG_ENOTFOUND, LINDUNG_EDAMAGED
 * (not what the tree says), LINDUNG_EIO. */
int ld_log_entry(struct ld_log *log, uint64_t index, struct ld_buffer *ret,
		 struct ld_report *report);

/** Told of a file below the log's directory, and what is wrong with it. */
typedef void ld_log_fault(void *ctx, const char *path, const char *what);
/** Check every public file but the checkpoint, read by anybody or not, to its last octet: tiles and
 * their parts against the entries, blocks against their names.  Whether the entries are those of
 * the checkpoint is for who reads them to say.  Errors: LINDUNG_ENOMEM. */
int ld_log_check_files(struct ld_log *log, ld_log_fault *fault, void *ctx,
		       struct ld_report *report);

/** Ask witnesses about a checkpoint that is signed and not yet public: add what they sign to
 * `note`.  Its tiles are in their places: for a witness that has seen another size than `old_size`,
 * a proof is made of ld_log_tiles().  Returns LINDUNG_OK, or an error that stops the append (it is
 * finished later). */
typedef int ld_log_witness(void *ctx, uint64_t old_size, const struct ld_proof *proof,
			   struct ld_buffer *note, struct ld_report *report);
void ld_log_set_witness(struct ld_log *log, ld_log_witness *witness, void *ctx);

/** Append entries, all or none, in order; durable and public when it returns.  What is pending is
 * finished before.  `*ret_first`: index of the first.
 * Errors: LINDUNG_ELIMIT (an entry too long, or too many), LINDUNG_EIO, LINDUNG_EWITNESS.  After an
 * error the log is as it was; but where ld_log_is_pending() then, they are signed, and will be
 * public when ld_log_finish() or the next append is through. */
int ld_log_append(struct ld_log *log, const struct ld_span *entries, size_t count,
		  uint64_t *ret_first, struct ld_report *report);
/** Whether a signed checkpoint waits to be public: a crash, a full disk or witnesses stopped it. */
bool ld_log_is_pending(const struct ld_log *log);
/** Finish it; nothing pending is fine.  Errors: LINDUNG_EIO, LINDUNG_EWITNESS, LINDUNG_EDAMAGED. */
int ld_log_finish(struct ld_log *log, struct ld_report *report);
/** Ask the witnesses again about the checkpoint that is public, so that followers see that it is
 * no old one (`old_size` of the callback: the size itself).  Finishes what is pending first. */
int ld_log_refresh(struct ld_log *log, struct ld_report *report);
/** Keep a block, durable when it returns; of that hash, or LINDUNG_EDAMAGED. */
int ld_log_put_block(struct ld_log *log, const uint8_t hash[LD_HASH_BYTES], struct ld_span stored,
		     struct ld_report *report);
/** Errors: LINDUNG_ENOTFOUND, LINDUNG_EIO, LINDUNG_EDAMAGED. */
int ld_log_get_block(struct ld_log *log, const uint8_t hash[LD_HASH_BYTES], struct ld_buffer *ret,
		     struct ld_report *report);

#endif
