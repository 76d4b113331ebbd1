/* Sealing: encrypted to named recipients, in the age v1 format (C2SP age; X25519 recipients,
 * and a passphrase for backups).
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Secrets lie in memory that is locked and left out of cores, and are wiped.  Streaming in chunks
 * of 64 KiB as the format has it; a file that is cut is refused. */
#ifndef LD_LOG_SEAL_H
#define LD_LOG_SEAL_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/span.h"

enum {
	LD_SEAL_RECIPIENTS_MAX = 64,
	LD_SEAL_OPENERS_MAX = 16,
	LD_SEAL_HEADER_MAX_BYTES = 16 * 1024,
	LD_SEAL_TEXT_MAX = 128, /* "age1...", "AGE-SECRET-KEY-1..." */
};

struct ld_recipients;
struct ld_openers;

/** An empty set; recipients are added as "age1...". Errors: LINDUNG_ENOMEM. */
int ld_recipients_new(struct ld_recipients **ret);
/** Errors: LINDUNG_ESYNTAX, LINDUNG_ELIMIT. */
int ld_recipients_add(struct ld_recipients *set, struct ld_span text, struct ld_report *report);
/** A passphrase (scrypt, as "age -p" has it), in an empty set; it stays alone.
 * Errors: LINDUNG_EINVAL, LINDUNG_ENOMEM. */
int ld_recipients_passphrase(struct ld_recipients *set, struct ld_span passphrase,
			     struct ld_report *report);
void ld_recipients_free(struct ld_recipients *set);

/** An empty set of secret keys, in locked memory. Errors: LINDUNG_ENOMEM. */
int ld_openers_new(struct ld_openers **ret);
/** Add "AGE-SECRET-KEY-1...".  Errors: LINDUNG_ESYNTAX, LINDUNG_ELIMIT. */
int ld_openers_add(struct ld_openers *set, struct ld_span text, struct ld_report *report);
/** Add those of a file as age-keygen writes it ('#' comments).  Errors: also LINDUNG_EIO. */
int ld_openers_add_file(struct ld_openers *set, const char *path, struct ld_report *report);
/** Try this passphrase, too.  Errors: LINDUNG_EINVAL, LINDUNG_ENOMEM. */
int ld_openers_passphrase(struct ld_openers *set, struct ld_span passphrase,
			  struct ld_report *report);
/** Of keys. */
size_t ld_openers_count(const struct ld_openers *set);
/** The recipient of key `i`, as text: LD_SEAL_TEXT_MAX octets, terminated. */
void ld_openers_recipient(const struct ld_openers *set, size_t i, char *ret);
/** A secret of the set and of `context`, the same whatever the order in which keys were added:
 * what sealed names are blinded with in an image. */
void ld_openers_derive(const struct ld_openers *set, struct ld_span context, uint8_t ret[16]);
/** Wipe and free.  NULL is a no-op. */
void ld_openers_free(struct ld_openers *set);

/** A new pair: secret text and recipient text, terminated, LD_SEAL_TEXT_MAX octets each. */
void ld_seal_generate(char *ret_secret, char *ret_recipient);
/** A new pair into a new file, mode 0600, as age-keygen writes it; `ret_recipient` as above.
 * Errors: LINDUNG_EEXISTS, LINDUNG_EIO, LINDUNG_ENOMEM. */
int ld_seal_generate_file(const char *path, char *ret_recipient, struct ld_report *report);

/** Encrypt `plain`.  Errors: LINDUNG_ENOMEM, LINDUNG_ELIMIT (the buffer's). */
int ld_seal(struct ld_buffer *ret, struct ld_span plain, const struct ld_recipients *recipients);

/** What was opened: `bytes` in locked memory. */
struct ld_opened {
	struct ld_span bytes;
	void *memory;
	size_t memory_bytes;
};

/** Decrypt all of `sealed`.  Errors: LINDUNG_EFORMAT (no age v1), LINDUNG_EDENIED (for none of the
 * keys), LINDUNG_EDAMAGED, LINDUNG_ENOMEM (also: the memory cannot be locked). */
int ld_unseal(struct ld_opened *ret, struct ld_span sealed, const struct ld_openers *openers,
	      struct ld_report *report);
/** The same into an empty buffer, for what is written to files anyway: its memory is not locked. */
int ld_unseal_buffer(struct ld_buffer *ret, struct ld_span sealed, const struct ld_openers *openers,
		     struct ld_report *report);
/** Whether a passphrase opens it. */
bool ld_seal_is_for_passphrase(struct ld_span sealed);
/** Wipe and give back.  Safe on a zeroed struct. */
void ld_opened_free(struct ld_opened *opened);

#endif
