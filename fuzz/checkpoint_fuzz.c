/* Any bytes as a checkpoint, as a follower gets it; and as the text of one.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "log/checkpoint.h"

static bool
one_is_enough(const void *ctx, uint64_t witnesses)
{
	(void)ctx;
	return witnesses != 0;
}

/* What is taken is written again as it stood, but for extension lines. */
static void
check_text(struct ld_span text)
{
	struct ld_report report = {.text = ""};
	struct ld_checkpoint checkpoint;
	struct ld_buffer again;

	if (ld_checkpoint_parse(&checkpoint, text, &report) != LINDUNG_OK) {
		LD_ASSERT(report.text[0] != '\0');
		return;
	}
	LD_ASSERT(checkpoint.size <= LD_TREE_SIZE_MAX);
	ld_buffer_init(&again, LD_CHECKPOINT_MAX_BYTES);
	LD_ASSERT(ld_checkpoint_format(&again, &checkpoint) == LINDUNG_OK);
	LD_ASSERT(ld_span_starts(text, ld_buffer_span(&again)));
	ld_buffer_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_report report = {.text = ""};
	struct ld_verifier witness;
	struct ld_trust trust = {
		.witness_count = 1,
		.witnesses = &witness,
		.suffices = one_is_enough,
		.age_max_s = 1000,
	};
	struct ld_trusted trusted;

	LD_ASSERT(ld_verifier_parse(&trust.log,
				    LD_SPAN("example.com/foo+530d903a+"
					    "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
				    NULL) == LINDUNG_OK);
	witness = trust.log;
	witness.type = LD_KEY_COSIGNATURE;
	witness.id = ld_verifier_id(&witness);
	check_text(ld_span(data, size));
	if (ld_checkpoint_check(&trusted, ld_span(data, size), &trust, 2000, &report) != LINDUNG_OK)
		LD_ASSERT(report.text[0] != '\0');
	return 0;
}
