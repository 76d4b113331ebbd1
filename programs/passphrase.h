/* Passphrases: asked for on the terminal without echo, or read from a descriptor; never from the
 * command line, which everybody on the machine can read, and never from the environment.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One lies in a page of its own that is locked and left out of cores, and is wiped. */
#ifndef LD_PROGRAMS_PASSPHRASE_H
#define LD_PROGRAMS_PASSPHRASE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/span.h"

enum {
	LD_PASSPHRASE_TERMINAL = -1, /* instead of a descriptor */
	LD_PASSPHRASE_LEAST = 8,     /* characters of a new one */
};

struct ld_passphrase;

/** Ask for one with `prompt`, without a colon ("Passphrase of keys/log.key"); from a descriptor
 * the next line is taken.  Errors: LINDUNG_EIO (no terminal, or the end of the file),
 * LINDUNG_ELIMIT (longer than LD_KEY_PASSPHRASE_MAX), LINDUNG_ENOMEM (also: memory cannot be
 * locked). */
int ld_passphrase_ask(struct ld_passphrase **ret, int fd, const char *prompt,
		      struct ld_report *report);
/** A new one: on the terminal twice, and again until both are alike and it is long enough; an empty
 * one means none.  Errors: also LINDUNG_EINVAL (from a descriptor: too short). */
int ld_passphrase_choose(struct ld_passphrase **ret, int fd, const char *prompt,
			 struct ld_report *report);
/** Its octets, valid until it is freed; of NULL the empty span. */
struct ld_span ld_passphrase_text(const struct ld_passphrase *passphrase);
/** Wipe and free.  NULL is a no-op. */
void ld_passphrase_free(struct ld_passphrase *passphrase);

/** The number of a descriptor that is open for reading, as --passphrase-fd takes it.
 * Errors: LINDUNG_EINVAL with a report. */
int ld_passphrase_fd_read(int *ret, const char *text, struct ld_report *report);

#endif
