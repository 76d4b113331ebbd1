/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "log/disk.h"
#include "log/proof_text.h"
#include "log/text.h"

enum { ORIGIN_HEX = 2 * LD_HASH_BYTES };

struct watched {
	struct ld_verifier log;
	char hex[ORIGIN_HEX + 1];
	struct ld_buffer signed_last; /* empty: nothing yet */
	struct ld_checkpoint last;    /* points into it; size 0 where there is nothing */
	uint64_t last_s;              /* when it was signed */
};

struct ld_witness {
	const struct ld_signer *signer;
	int directory;
	int lock;
	unsigned count;
	struct watched logs[LD_WITNESS_LOGS_MAX];
};

/* ---- State ---------------------------------------------------------------------------------- */

int
ld_witness_open(struct ld_witness **ret, const char *directory, const struct ld_signer *signer,
		struct ld_report *report)
{
	struct ld_witness *witness;
	int err;

	if (ld_signer_verifier(signer)->type != LD_KEY_COSIGNATURE)
		return ld_fail(report, LINDUNG_EINVAL,
			       "a witness signs with a key for cosignatures (0x04)");
	witness = calloc(1, sizeof *witness);
	if (witness == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	witness->signer = signer;
	witness->directory = witness->lock = -1;
	err = ld_disk_make_directory(AT_FDCWD, directory, 0755, report);
	if (err == LINDUNG_OK)
		err = ld_disk_open(&witness->directory, AT_FDCWD, directory, report);
	if (err == LINDUNG_OK) {
		witness->lock = openat(witness->directory, ".lock",
				       O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (witness->lock < 0)
			err = ld_fail(report, LINDUNG_EIO, "%s/.lock: %s", directory,
				      strerror(errno));
		else if (flock(witness->lock, LOCK_EX | LOCK_NB) != 0)
			err = ld_fail(report, LINDUNG_EBUSY,
				      "%s: another process is the witness here", directory);
	}
	if (err != LINDUNG_OK) {
		ld_witness_close(witness);
		return err;
	}
	*ret = witness;
	return LINDUNG_OK;
}

void
ld_witness_close(struct ld_witness *witness)
{
	if (witness == NULL)
		return;
	for (unsigned i = 0; i < witness->count; i++)
		ld_buffer_free(&witness->logs[i].signed_last);
	if (witness->directory >= 0)
		close(witness->directory);
	if (witness->lock >= 0)
		close(witness->lock);
	free(witness);
}

/* Take `bytes` for what was signed last. */
static int
adopt(struct watched *log, const struct ld_verifier *own, struct ld_buffer *bytes)
{
	const struct ld_verifier *const keys[] = {&log->log, own};
	struct ld_checkpoint last;
	struct ld_note note;
	uint64_t signed_by, times_s[2];

	if (ld_note_parse(&note, ld_buffer_span(bytes), NULL) != LINDUNG_OK ||
	    ld_note_verify(&note, keys, 2, &signed_by, times_s, NULL) != LINDUNG_OK ||
	    signed_by != 3 || ld_checkpoint_parse(&last, note.text, NULL) != LINDUNG_OK ||
	    !ld_span_equal(last.origin, ld_span_str(log->log.name)))
		return LINDUNG_EDAMAGED;
	ld_buffer_free(&log->signed_last);
	log->signed_last = *bytes;
	log->last = last;
	log->last_s = times_s[1];
	return LINDUNG_OK;
}

static void
state_path(const struct watched *log, const char *file, char ret[ORIGIN_HEX + 32])
{
	memcpy(ret, log->hex, ORIGIN_HEX);
	ret[ORIGIN_HEX] = '/';
	memcpy(ret + ORIGIN_HEX + 1, file, strlen(file) + 1);
}

int
ld_witness_add_log(struct ld_witness *witness, const struct ld_verifier *key,
		   struct ld_report *report)
{
	struct watched *log = &witness->logs[witness->count];
	char path[ORIGIN_HEX + 32];
	struct ld_buffer bytes;
	struct ld_hash hash;
	int err;

	if (witness->count == LD_WITNESS_LOGS_MAX)
		return ld_fail(report, LINDUNG_ELIMIT, "a witness of more than %d logs",
			       LD_WITNESS_LOGS_MAX);
	if (key->type != LD_KEY_ED25519)
		return ld_fail(report, LINDUNG_EINVAL, "%s: a log's key is of type 0x01",
			       key->name);
	for (unsigned i = 0; i < witness->count; i++) {
		if (strcmp(witness->logs[i].log.name, key->name) == 0)
			return ld_fail(report, LINDUNG_EEXISTS, "%s: the log is there twice",
				       key->name);
	}
	*log = (struct watched){.log = *key};
	ld_hash_of(&hash, ld_span_str(key->name));
	ld_text_to_hex(log->hex, ld_span(hash.bytes, LD_HASH_BYTES));
	ld_hash_empty(&log->last.root);
	state_path(log, "checkpoint", path);
	ld_buffer_init(&bytes, LD_CHECKPOINT_MAX_BYTES);
	err = ld_disk_make_way(witness->directory, path, 0755, report);
	if (err == LINDUNG_OK)
		err = ld_disk_read(witness->directory, path, &bytes, report);
	if (err == LINDUNG_OK)
		err = adopt(log, ld_signer_verifier(witness->signer), &bytes);
	if (err == LINDUNG_EDAMAGED || err == LINDUNG_ELIMIT) {
		ld_buffer_free(&bytes);
		return ld_fail(report, LINDUNG_EDAMAGED,
			       "%s: what this witness signed last cannot be read; a witness that "
			       "forgets may sign a fork: restore the file, or begin with a new key",
			       path);
	}
	if (err != LINDUNG_OK && err != LINDUNG_ENOTFOUND)
		return err;
	witness->count++;
	return LINDUNG_OK;
}

int
ld_witness_checkpoint(const struct ld_witness *witness, struct ld_span origin_hash,
		      struct ld_span *ret)
{
	for (unsigned i = 0; i < witness->count; i++) {
		const struct watched *log = &witness->logs[i];

		if (ld_span_equal(ld_span(log->hex, ORIGIN_HEX), origin_hash) &&
		    log->signed_last.len != 0) {
			*ret = ld_buffer_span(&log->signed_last);
			return LINDUNG_OK;
		}
	}
	return LINDUNG_ENOTFOUND;
}

/* ---- Requests ------------------------------------------------------------------------------- */

struct request {
	uint64_t old_size;
	struct ld_proof proof;
	struct ld_note note;
	struct ld_checkpoint checkpoint;
};

static bool
parse_request(struct request *ret, struct ld_span body)
{
	struct ld_span rest = body, line;

	return body.len <= LD_WITNESS_REQUEST_MAX_BYTES && ld_text_line(&rest, &line) &&
	       ld_span_starts(line, LD_SPAN("old ")) &&
	       ld_text_number(&ret->old_size, ld_span_from(line, 4)) &&
	       ld_proof_read_lines(&rest, &ret->proof, LD_WITNESS_PROOF_MAX) == LINDUNG_OK &&
	       ld_note_parse(&ret->note, rest, NULL) == LINDUNG_OK &&
	       ld_checkpoint_parse(&ret->checkpoint, ret->note.text, NULL) == LINDUNG_OK;
}

static struct watched *
find_log(struct ld_witness *witness, struct ld_span origin)
{
	for (unsigned i = 0; i < witness->count; i++) {
		if (ld_span_equal(ld_span_str(witness->logs[i].log.name), origin))
			return &witness->logs[i];
	}
	return NULL;
}

static struct ld_witness_answer
answer(struct ld_buffer *body, int status, const char *text)
{
	ld_buffer_printf(body, "%s\n", text);
	return (struct ld_witness_answer){status, "text/plain; charset=utf-8"};
}

/* The checkpoint with the log's own signature and ours: what is kept, and served to monitors. */
static int
cosign(struct ld_buffer *ret, const struct ld_witness *witness, const struct watched *log,
       const struct request *request, uint64_t now_s)
{
	ld_buffer_bytes(ret, request->note.text);
	ld_buffer_bytes(ret, LD_SPAN("\n"));
	for (unsigned i = 0; i < request->note.signature_count; i++) {
		const struct ld_note_signature *signature = &request->note.signatures[i];

		if (signature->id == log->log.id &&
		    ld_span_equal(signature->name, ld_span_str(log->log.name))) {
			ld_note_copy_signature(ret, signature);
			break;
		}
	}
	return ld_note_add_signature(ret, witness->signer, now_s);
}

/* Our line alone: the last. */
static struct ld_span
last_line(struct ld_span note)
{
	size_t at = note.len - 1;

	while (at > 0 && note.data[at - 1] != '\n')
		at--;
	return ld_span_from(note, at);
}

static struct ld_witness_answer
sign_and_keep(struct ld_witness *witness, struct watched *log, const struct request *request,
	      uint64_t now_s, struct ld_buffer *ret_body)
{
	char path[ORIGIN_HEX + 32], temporary[ORIGIN_HEX + 32];
	struct ld_buffer note;
	int err;

	ld_buffer_init(&note, LD_CHECKPOINT_MAX_BYTES);
	err = cosign(&note, witness, log, request, now_s);
	state_path(log, "checkpoint", path);
	state_path(log, ".checkpoint.new", temporary);
	if (err == LINDUNG_OK)
		err = ld_disk_replace(witness->directory, temporary, witness->directory, path,
				      ld_buffer_span(&note), 0644, NULL);
	if (err == LINDUNG_OK)
		err = adopt(log, ld_signer_verifier(witness->signer), &note);
	if (err != LINDUNG_OK) {
		ld_buffer_free(&note);
		return answer(ret_body, 500, "the witness cannot keep what it would sign");
	}
	ld_buffer_bytes(ret_body, last_line(ld_buffer_span(&log->signed_last)));
	return (struct ld_witness_answer){200, "text/plain; charset=utf-8"};
}

struct ld_witness_answer
ld_witness_add_checkpoint(struct ld_witness *witness, struct ld_span body, uint64_t now_s,
			  struct ld_buffer *ret_body)
{
	struct request request;
	const struct ld_verifier *key;
	struct watched *log;
	struct ld_hash empty;
	uint64_t keys;

	if (!parse_request(&request, body))
		return answer(ret_body, 400, "not a request of tlog-witness");
	log = find_log(witness, request.checkpoint.origin);
	if (log == NULL)
		return answer(ret_body, 404, "a log that this witness does not know");
	key = &log->log;
	if (ld_note_verify(&request.note, &key, 1, &keys, NULL, NULL) != LINDUNG_OK)
		return answer(ret_body, 403, "not signed by the log");
	if (request.old_size > request.checkpoint.size)
		return answer(ret_body, 400, "the old size is larger than the checkpoint's");
	if (request.old_size != log->last.size) {
		ld_buffer_printf(ret_body, "%" PRIu64 "\n", log->last.size);
		return (struct ld_witness_answer){409, "text/x.tlog.size"};
	}
	ld_hash_empty(&empty);
	if (request.checkpoint.size == 0 && !ld_hash_equal(&request.checkpoint.root, &empty))
		return answer(ret_body, 422, "a tree of no entries with the root of some");
	if (ld_proof_check_consistency(&request.proof, request.old_size, request.checkpoint.size,
				       &log->last.root, &request.checkpoint.root) != LINDUNG_OK)
		return answer(ret_body, 422,
			      "the checkpoint is not shown to continue the one signed last");
	/* Anybody may post what is public. */
	if (log->signed_last.len != 0 && request.checkpoint.size == log->last.size &&
	    now_s >= log->last_s && now_s - log->last_s < LD_WITNESS_AGAIN_S) {
		ld_buffer_bytes(ret_body, last_line(ld_buffer_span(&log->signed_last)));
		return (struct ld_witness_answer){200, "text/plain; charset=utf-8"};
	}
	return sign_and_keep(witness, log, &request, now_s, ret_body);
}

/* ---- The other side ------------------------------------------------------------------------- */

int
ld_witness_request(struct ld_buffer *ret, uint64_t old_size, const struct ld_proof *proof,
		   struct ld_span checkpoint)
{
	ld_buffer_printf(ret, "old %" PRIu64 "\n", old_size);
	ld_proof_write_lines(ret, proof);
	ld_buffer_bytes(ret, checkpoint);
	return ret->failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

int
ld_witness_take(struct ld_buffer *note, struct ld_span body, const struct ld_verifier *witness,
		struct ld_report *report)
{
	struct ld_buffer together;
	struct ld_note all, parsed;
	uint64_t keys;
	int err;

	/* As the specification advises: under the checkpoint it is a note like any other. */
	if (body.len > LD_WITNESS_ANSWER_MAX_BYTES * 16 ||
	    ld_note_parse(&parsed, ld_buffer_span(note), NULL) != LINDUNG_OK)
		return ld_fail(report, LINDUNG_EWITNESS, "%s: its answer is too long",
			       witness->name);
	ld_buffer_init(&together, LD_NOTE_MAX_BYTES);
	ld_buffer_bytes(&together, parsed.text);
	ld_buffer_bytes(&together, LD_SPAN("\n"));
	ld_buffer_bytes(&together, body);
	err = together.failed ? LINDUNG_ENOMEM
			      : ld_note_parse(&all, ld_buffer_span(&together), NULL);
	if (err == LINDUNG_OK && !ld_span_equal(all.text, parsed.text))
		err = LINDUNG_ESYNTAX;
	if (err == LINDUNG_OK)
		err = ld_note_verify(&all, &witness, 1, &keys, NULL, NULL);
	for (unsigned i = 0; err == LINDUNG_OK && i < all.signature_count; i++) {
		if (all.signatures[i].id == witness->id &&
		    ld_span_equal(all.signatures[i].name, ld_span_str(witness->name))) {
			ld_note_copy_signature(note, &all.signatures[i]);
			break;
		}
	}
	if (err == LINDUNG_OK && note->failed)
		err = LINDUNG_ENOMEM;
	ld_buffer_free(&together);
	if (err == LINDUNG_ENOMEM)
		return ld_fail(report, err, "not enough memory");
	if (err != LINDUNG_OK)
		return ld_fail(report, LINDUNG_EWITNESS,
			       "%s: its answer has no signature of it that is right",
			       witness->name);
	return LINDUNG_OK;
}
