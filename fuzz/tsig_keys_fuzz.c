/* The text of a key file: keys, or why not; never more than there is room for.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

#include "zone/tsig.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ld_tsig_keys keys;
	struct ld_report report;

	keys.count = 0;
	if (ld_tsig_keys_parse(&keys, "fuzz", ld_span(data, size), &report) == LINDUNG_OK &&
	    keys.count == 0)
		__builtin_trap();
	for (unsigned i = 0; i < keys.count; i++)
		if (keys.items[i].secret_len < LD_TSIG_SECRET_MIN ||
		    ld_tsig_key_find(&keys, &keys.items[i].name) != &keys.items[i])
			__builtin_trap();
	return 0;
}
