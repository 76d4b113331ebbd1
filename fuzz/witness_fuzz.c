/* Any bytes as what a stranger posts to a witness: never a signature without the log's own.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"
#include "log/witness.h"

static char directory[64];
static struct ld_signer *signer;
static struct ld_witness *witness;

static void
end(void)
{
	char command[96];

	ld_witness_close(witness);
	ld_signer_free(signer);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	LD_ASSERT(system(command) == 0);
}

static void
begin(void)
{
	static const uint8_t seed[32] = {1};
	struct ld_verifier log;

	snprintf(directory, sizeof directory, "/tmp/lindung-witness-fuzz-XXXXXX");
	LD_ASSERT(mkdtemp(directory) != NULL);
	LD_ASSERT(ld_signer_from_seed(&signer, "witness.example", LD_KEY_COSIGNATURE, seed, NULL) ==
		  LINDUNG_OK);
	LD_ASSERT(ld_witness_open(&witness, directory, signer, NULL) == LINDUNG_OK);
	LD_ASSERT(ld_verifier_parse(&log,
				    LD_SPAN("example.com/foo+530d903a+"
					    "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
				    NULL) == LINDUNG_OK);
	LD_ASSERT(ld_witness_add_log(witness, &log, NULL) == LINDUNG_OK);
	atexit(end);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_witness_answer answer;
	struct ld_buffer body;

	if (witness == NULL)
		begin();
	ld_buffer_init(&body, LD_WITNESS_ANSWER_MAX_BYTES);
	answer = ld_witness_add_checkpoint(witness, ld_span(data, size), 1000, &body);
	LD_ASSERT(!body.failed && body.len != 0);
	LD_ASSERT(answer.status == 400 || answer.status == 403 || answer.status == 404);
	ld_buffer_free(&body);
	return 0;
}
