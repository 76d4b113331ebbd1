/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/note.h"

#include <stdlib.h>

#include "log/text.h"

#define DASH "\xe2\x80\x94 " /* em dash, blank */

enum { SIGNATURE_MAX_BYTES = 8192 }; /* with its id; those of today's schemes have up to 5 kB */

/* Where the signatures begin: behind the last empty line; or 0. */
static size_t
signatures_at(struct ld_span bytes)
{
	for (size_t at = bytes.len; at >= 2; at--) {
		if (bytes.data[at - 1] == '\n' && bytes.data[at - 2] == '\n')
			return at;
	}
	return 0;
}

static int
signature_line(struct ld_note_signature *ret, struct ld_span line, struct ld_report *report)
{
	uint8_t decoded[SIGNATURE_MAX_BYTES];
	struct ld_note_signature signature;
	size_t len;

	if (!ld_span_starts(line, LD_SPAN(DASH)))
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "not a signed note: a line behind its last empty line is no "
			       "signature");
	line = ld_span_from(line, sizeof DASH - 1);
	signature.name = ld_span_first(line, ld_span_find(line, ' '));
	signature.base64 = ld_span_from(line, signature.name.len + 1);
	/* Names of keys that are not known may be longer than ours. */
	if (signature.name.len == 0 || ld_text_has_space(signature.name) ||
	    ld_span_has_any(signature.name, "+"))
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "not a signed note: a signature without a key's name");
	if (!ld_text_from_base64(decoded, sizeof decoded, &len, signature.base64) || len < 5)
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "not a signed note: the signature by %.*s is no base64",
			       (int)(signature.name.len > 100 ? 100 : signature.name.len),
			       (const char *)signature.name.data);
	signature.id = ld_get_be32(decoded);
	*ret = signature;
	return LINDUNG_OK;
}

int
ld_note_parse(struct ld_note *ret, struct ld_span bytes, struct ld_report *report)
{
	struct ld_note note;
	struct ld_span rest, line;
	size_t at;

	if (bytes.len > LD_NOTE_MAX_BYTES)
		return ld_fail(report, LINDUNG_ELIMIT, "a signed note of more than %d bytes",
			       LD_NOTE_MAX_BYTES);
	if (!ld_text_is_utf8(bytes) || ld_text_has_control(bytes, '\n'))
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "not a signed note: not UTF-8, or control characters in it");
	at = signatures_at(bytes);
	if (at == 0 || at == bytes.len || bytes.data[bytes.len - 1] != '\n')
		return ld_fail(report, LINDUNG_ESYNTAX,
			       "not a signed note: no signatures behind an empty line");
	note.text = ld_span_first(bytes, at - 1);
	note.signature_count = 0;
	rest = ld_span_from(bytes, at);
	while (ld_text_line(&rest, &line)) {
		int err;

		if (note.signature_count == LD_NOTE_SIGNATURES_MAX)
			return ld_fail(report, LINDUNG_ELIMIT,
				       "a note with more than %d signatures",
				       LD_NOTE_SIGNATURES_MAX);
		err = signature_line(&note.signatures[note.signature_count], line, report);
		if (err != LINDUNG_OK)
			return err;
		note.signature_count++;
	}
	*ret = note;
	return LINDUNG_OK;
}

int
ld_note_verify(const struct ld_note *note, const struct ld_verifier *const *keys, size_t count,
	       uint64_t *ret_keys, uint64_t *times_s, struct ld_report *report)
{
	uint64_t signed_by = 0, times[LD_NOTE_KEYS_MAX] = {0};

	if (count > LD_NOTE_KEYS_MAX)
		return ld_fail(report, LINDUNG_EINVAL, "more than %d keys", LD_NOTE_KEYS_MAX);
	for (unsigned i = 0; i < note->signature_count; i++) {
		const struct ld_note_signature *signature = &note->signatures[i];
		uint8_t decoded[SIGNATURE_MAX_BYTES];
		size_t len, k = 0;
		uint64_t time_s;

		while (k < count && (keys[k]->id != signature->id ||
				     !ld_span_equal(ld_span_str(keys[k]->name), signature->name)))
			k++;
		if (k == count)
			continue;
		if (!ld_text_from_base64(decoded, sizeof decoded, &len, signature->base64) ||
		    !ld_verifier_check(keys[k], note->text, ld_span(decoded + 4, len - 4), &time_s))
			return ld_fail(
				report, LINDUNG_ESIGNATURE,
				"the signature by %s is wrong: the text or the signature was "
				"changed",
				keys[k]->name);
		signed_by |= UINT64_C(1) << k;
		if (time_s > times[k])
			times[k] = time_s;
	}
	if (signed_by == 0)
		return ld_fail(report, LINDUNG_ESIGNATURE, "no signature by a known key");
	*ret_keys = signed_by;
	if (times_s != NULL)
		memcpy(times_s, times, count * sizeof times[0]);
	return LINDUNG_OK;
}

int
ld_note_add_signature(struct ld_buffer *note, const struct ld_signer *signer, uint64_t time_s)
{
	const struct ld_verifier *key = ld_signer_verifier(signer);
	uint8_t signature[4 + 8 + LD_KEY_SIGNATURE_BYTES];
	struct ld_span text;
	size_t len, at = signatures_at(ld_buffer_span(note));
	int err;

	if (at == 0)
		return LINDUNG_EINVAL;
	text = ld_span_first(ld_buffer_span(note), at - 1);
	ld_put_be32(signature, key->id);
	err = ld_signer_sign(signer, text, time_s, signature + 4, &len);
	if (err != LINDUNG_OK)
		return err;
	ld_buffer_printf(note, DASH "%s ", key->name);
	ld_text_to_base64(note, ld_span(signature, 4 + len));
	ld_buffer_bytes(note, LD_SPAN("\n"));
	return note->failed ? LINDUNG_ENOMEM : LINDUNG_OK;
}

void
ld_note_copy_signature(struct ld_buffer *note, const struct ld_note_signature *signature)
{
	ld_buffer_bytes(note, LD_SPAN(DASH));
	ld_buffer_bytes(note, signature->name);
	ld_buffer_bytes(note, LD_SPAN(" "));
	ld_buffer_bytes(note, signature->base64);
	ld_buffer_bytes(note, LD_SPAN("\n"));
}

int
ld_note_sign(struct ld_buffer *ret, struct ld_span text, const struct ld_signer *const *signers,
	     size_t count, uint64_t time_s)
{
	if (text.len == 0 || text.data[text.len - 1] != '\n' || !ld_text_is_utf8(text) ||
	    ld_text_has_control(text, '\n'))
		return LINDUNG_EINVAL;
	/* What is there already is not ours to sign under. */
	if (ret->len != 0)
		return LINDUNG_EINVAL;
	ld_buffer_bytes(ret, text);
	ld_buffer_bytes(ret, LD_SPAN("\n"));
	if (ret->failed)
		return LINDUNG_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int err = ld_note_add_signature(ret, signers[i], time_s);

		if (err != LINDUNG_OK)
			return err;
	}
	return LINDUNG_OK;
}
