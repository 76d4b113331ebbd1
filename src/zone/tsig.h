/* Transaction signatures: TSIG (RFC 8945) with hmac-sha256, of single messages and of streams.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Time is an argument.  A chain is one conversation's, and one thread's; keys are read-only once
 * made, and shared.  Limits: LD_TSIG_KEYS_MAX keys, secrets of LD_TSIG_SECRET_MAX octets, and
 * LD_TSIG_UNSIGNED_MAX messages of a stream that are received without a signature. */
#ifndef LD_ZONE_TSIG_H
#define LD_ZONE_TSIG_H

#include "base/bytes.h"
#include "base/error.h"
#include "name/name.h"
#include "net/digest.h"

enum {
	LD_TSIG_KEYS_MAX = 64,
	LD_TSIG_SECRET_MAX = 128,
	LD_TSIG_SECRET_MIN = 16, /* shorter ones can be guessed */
	LD_TSIG_MAC_BYTES = LD_DIGEST_SHA256_BYTES,
	LD_TSIG_FUDGE_S = 300,
	LD_TSIG_UNSIGNED_MAX = 99, /* RFC 8945 section 5.3.1 */
	/* Of a TSIG record that we write: owner, type to rdlength, algorithm, the rest. */
	LD_TSIG_BYTES_MAX = LD_NAME_WIRE_MAX + 10 + 13 + 16 + LD_TSIG_MAC_BYTES + 6,
};

/** The field Error of a TSIG record. */
enum ld_tsig_error {
	LD_TSIG_GOOD = 0,
	LD_TSIG_BADSIG = 16,
	LD_TSIG_BADKEY = 17,
	LD_TSIG_BADTIME = 18,
	LD_TSIG_BADTRUNC = 22,
};

struct ld_tsig_key {
	struct ld_name name; /* in lower case */
	uint8_t secret_len;
	uint8_t secret[LD_TSIG_SECRET_MAX];
};

struct ld_tsig_keys {
	unsigned count;
	struct ld_tsig_key items[LD_TSIG_KEYS_MAX];
};

/** Add the keys in the text of a file, as BIND and its tsig-keygen write them:
 *
 *     key "NAME" { algorithm hmac-sha256; secret "BASE64"; };
 *
 * `what` names the text in reports.
 * Errors: LINDUNG_ESYNTAX, LINDUNG_ELIMIT with a report; `keys` may then hold some of them. */
int ld_tsig_keys_parse(struct ld_tsig_keys *keys, const char *what, struct ld_span text,
		       struct ld_report *report);

/** Add the keys of a file, which strangers may neither read nor write.
 * Errors: those of ld_tsig_keys_parse(), LINDUNG_EIO, LINDUNG_EDENIED, with a report. */
int ld_tsig_keys_read(struct ld_tsig_keys *keys, const char *path, struct ld_report *report);

/** The key of that name, whatever its case; NULL if there is none. */
const struct ld_tsig_key *ld_tsig_key_find(const struct ld_tsig_keys *keys,
					   const struct ld_name *name);

/** A TSIG record that stands at the end of a message. */
struct ld_tsig {
	size_t at; /* in the message: where it begins */
	struct ld_name name, algorithm;
	uint64_t time_s;
	uint16_t fudge_s, original_id, error;
	struct ld_span mac, other; /* into the message */
};

/** LINDUNG_OK with the record; LINDUNG_ENOTFOUND if there is none; LINDUNG_EMALFORMED if it stands
 * elsewhere than last, twice, or cannot be read, or the message cannot. */
int ld_tsig_find(struct ld_tsig *ret, struct ld_span message);

/** One side of a conversation. */
struct ld_tsig_chain {
	const struct ld_tsig_key *key; /* NULL: nothing is signed */
	struct ld_digest *hmac;
	bool is_later;      /* a message was signed: timers alone are digested from here on */
	bool is_gathering;  /* messages without a signature have been digested */
	unsigned unsigned_; /* since the last signature that was received */
	size_t mac_len;     /* of the one before, which the next one covers; 0: none */
	uint8_t mac[LD_TSIG_MAC_BYTES];
};

/** Errors: LINDUNG_ENOMEM. */
int ld_tsig_chain_init(struct ld_tsig_chain *chain, const struct ld_tsig_key *key);
/** Safe on a zeroed chain. */
void ld_tsig_chain_clear(struct ld_tsig_chain *chain);

/** Verify a request with `keys`, and begin the chain of its answers: chain->key is set if they are
 * to be signed.  What is wrong is the value (enum ld_tsig_error); with BADTIME the chain signs.
 * `chain` is zeroed.  Errors: LINDUNG_EMALFORMED (FORMERR), LINDUNG_ENOMEM. */
int ld_tsig_take_request(struct ld_tsig_chain *chain, const struct ld_tsig_keys *keys,
			 struct ld_span message, const struct ld_tsig *tsig, uint64_t now_s);

/** Sign the message in `w`, with a TSIG record behind it, counted.  `request`: for an answer that
 * tells an error (else NULL).  It fails as the writer does, and for want of memory. */
void ld_tsig_sign(struct ld_tsig_chain *chain, struct ld_writer *w, uint64_t now_s,
		  enum ld_tsig_error error, const struct ld_tsig *request);

/** The TSIG record of an answer that cannot be signed: `error` and no MAC (RFC 8945 section 5.3.2).
 */
void ld_tsig_refuse(struct ld_writer *w, const struct ld_tsig *request, enum ld_tsig_error error);

/** Verify an answer, or the next one of a stream; *ret_signed: it has a signature (the last of a
 * stream must).  Errors: LINDUNG_ESIGNATURE (with a report), LINDUNG_EMALFORMED, LINDUNG_ENOMEM. */
int ld_tsig_take_answer(struct ld_tsig_chain *chain, struct ld_span message, uint64_t now_s,
			bool *ret_signed, struct ld_report *report);

#endif
