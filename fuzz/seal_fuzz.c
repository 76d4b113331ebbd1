/* Any bytes as a sealed file, opened with the key of the specification of age; and as a key.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The seeds are sealed for that key, so that what lies behind the header is reached. */
#include "fuzz.h"
#include "log/bech32.h"
#include "log/seal.h"

static const char secret[] =
	"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

static struct ld_openers *
openers_new(void)
{
	struct ld_openers *openers;

	LD_ASSERT(ld_openers_new(&openers) == LINDUNG_OK);
	LD_ASSERT(ld_openers_add(openers, ld_span_str(secret), NULL) == LINDUNG_OK);
	return openers;
}

/* One text of a key alone. */
static void
key_check(struct ld_span text)
{
	uint8_t value[LD_BECH32_VALUE_BYTES];
	char again[LD_SEAL_TEXT_MAX];

	if (ld_bech32_read(value, "age", text)) {
		ld_bech32_write(again, "age", value);
		LD_ASSERT(ld_span_equal(ld_span_str(again), text));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ld_openers *openers;
	struct ld_opened opened = {0};
	struct ld_report report;

	if (openers == NULL)
		openers = openers_new();
	key_check(ld_span(data, size));
	if (ld_unseal(&opened, ld_span(data, size), openers, &report) == LINDUNG_OK) {
		LD_ASSERT(opened.bytes.len < size);
		ld_opened_free(&opened);
	}
	LD_ASSERT(opened.memory == NULL);
	return 0;
}
