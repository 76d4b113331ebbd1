/* Any bytes as a signed note: what is taken has exactly the text and lines it came from; its
 * signatures can be checked.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "log/note.h"
#include "log/text.h"

/* Text, empty line and signatures together are the note. */
static void
write_back(const struct ld_note *note, struct ld_span bytes)
{
	struct ld_buffer again;

	ld_buffer_init(&again, LD_NOTE_MAX_BYTES);
	ld_buffer_bytes(&again, note->text);
	ld_buffer_bytes(&again, LD_SPAN("\n"));
	for (unsigned i = 0; i < note->signature_count; i++)
		ld_note_copy_signature(&again, &note->signatures[i]);
	LD_ASSERT(ld_span_equal(ld_buffer_span(&again), bytes));
	ld_buffer_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The example of signed-note: its key, and a key of its name for cosignatures. */
	static const char *const texts[] = {
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	};
	struct ld_report report = {.text = ""};
	struct ld_verifier keys[2];
	const struct ld_verifier *pointers[2] = {&keys[0], &keys[1]};
	struct ld_note note;
	uint64_t signed_by = 0, times_s[2];

	LD_ASSERT(ld_verifier_parse(&keys[0], ld_span_str(texts[0]), NULL) == LINDUNG_OK);
	keys[1] = keys[0];
	keys[1].type = LD_KEY_COSIGNATURE;
	keys[1].id = ld_verifier_id(&keys[1]);
	if (ld_note_parse(&note, ld_span(data, size), &report) != LINDUNG_OK) {
		LD_ASSERT(report.text[0] != '\0');
		return 0;
	}
	write_back(&note, ld_span(data, size));
	if (ld_note_verify(&note, pointers, 2, &signed_by, times_s, &report) == LINDUNG_OK)
		LD_ASSERT(signed_by != 0 && signed_by < 4);
	return 0;
}
