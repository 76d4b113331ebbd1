/* SPDX-License-Identifier: BSD-2-Clause */
#include "log/proof_text.h"

#include "log/text.h"

int
ld_proof_read_lines(struct ld_span *rest, struct ld_proof *ret, unsigned most)
{
	struct ld_span line;

	ret->count = 0;
	while (ld_text_line(rest, &line)) {
		size_t len;

		if (line.len == 0)
			return LINDUNG_OK;
		if (ret->count == most ||
		    !ld_text_from_base64(ret->hashes[ret->count].bytes, LD_HASH_BYTES, &len,
					 line) ||
		    len != LD_HASH_BYTES)
			return LINDUNG_ESYNTAX;
		ret->count++;
	}
	return LINDUNG_ESYNTAX;
}

void
ld_proof_write_lines(struct ld_buffer *ret, const struct ld_proof *proof)
{
	for (unsigned i = 0; i < proof->count; i++) {
		ld_text_to_base64(ret, ld_span(proof->hashes[i].bytes, LD_HASH_BYTES));
		ld_buffer_bytes(ret, LD_SPAN("\n"));
	}
	ld_buffer_bytes(ret, LD_SPAN("\n"));
}
