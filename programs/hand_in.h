/* Statements handed in: to a log in a directory of this machine, or by HTTP to who hosts it.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Into a directory this does what the host does: who may say it, and whether the block is what the
 * statement says, is checked before anything is written. */
#ifndef LD_PROGRAMS_HAND_IN_H
#define LD_PROGRAMS_HAND_IN_H

#include "home.h"
#include "log/parcel.h"

struct ld_hand_in_options {
	int64_t now_s;
	int passphrase_fd;
	const char *policy, *log_key; /* NULL: those of the log's home */
};

struct ld_hand_in;

/** `where`: a log's directory, the home that it stands in, or a URL. */
int ld_hand_in_open(struct ld_hand_in **ret, struct ld_home *home, const char *where,
		    const struct ld_hand_in_options *options, struct ld_report *report);
/** `*ret_index`: its number in the log; UINT64_MAX where the host does not say yet.
 * Errors: LINDUNG_EDENIED (it is not for this log to take; the report says why), LINDUNG_ENET,
 * those of ld_block_read() and ld_log_append(). */
int ld_hand_in_give(struct ld_hand_in *hand_in, const struct ld_parcel *parcel, uint64_t *ret_index,
		    struct ld_report *report);
void ld_hand_in_close(struct ld_hand_in *hand_in);

#endif
