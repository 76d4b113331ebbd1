/* SPDX-License-Identifier: BSD-2-Clause */
/* A request's head of any octets: what is taken keeps the promises of the header, and ranges stay
 * inside of what they are of. */
#include "base/error.h"
#include "fuzz.h"
#include "net/web_request.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_span bytes = ld_span(data, size);
	size_t len = ld_web_head_len(bytes);
	struct ld_web_request r;
	uint64_t first, part;

	LD_ASSERT(len <= size && (len == 0 || memcmp(data + len - 4, "\r\n\r\n", 4) == 0));
	if (ld_web_request_read(&r, ld_span_first(bytes, len)) != 200)
		return 0;
	LD_ASSERT(r.path.len > 0 && r.path.len <= LD_WEB_PATH_MAX && r.path.data[0] == '/');
	LD_ASSERT(memmem(r.path.data, r.path.len, "/.", 2) == NULL);
	LD_ASSERT(memmem(r.path.data, r.path.len, "//", 2) == NULL);
	LD_ASSERT(!ld_span_has_any(r.path, "%\\\r\n\"' "));
	LD_ASSERT(r.method == LD_WEB_POST ? r.has_length : r.length == 0);
	for (uint64_t of = 0; of < 200; of += 67)
		if (ld_web_range_read(&first, &part, r.range, of) == LD_WEB_RANGE_ONE)
			LD_ASSERT(part > 0 && first < of && part <= of - first);
	(void)ld_web_tag_listed(r.if_none_match, LD_SPAN("\"tag\""));
	return 0;
}
