/* Any bytes as a proof that somebody hands over.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "log/tlog_proof.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_report report = {.text = ""};
	struct ld_trust trust = {.suffices = NULL};
	struct ld_tlog_proof proof;
	struct ld_buffer again;

	LD_ASSERT(ld_verifier_parse(&trust.log,
				    LD_SPAN("example.com/foo+530d903a+"
					    "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
				    NULL) == LINDUNG_OK);
	if (ld_tlog_proof_parse(&proof, ld_span(data, size), &report) != LINDUNG_OK) {
		LD_ASSERT(report.text[0] != '\0');
		return 0;
	}
	ld_buffer_init(&again, LD_TLOG_PROOF_MAX_BYTES);
	LD_ASSERT(ld_tlog_proof_format(&again, &proof) == LINDUNG_OK);
	LD_ASSERT(ld_span_equal(ld_buffer_span(&again), ld_span(data, size)));
	ld_buffer_free(&again);
	ld_tlog_proof_check(&proof, LD_SPAN("an entry"), &trust, 0, NULL, &report);
	return 0;
}
