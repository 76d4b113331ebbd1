/* Replies of a server forwarded to: never read outside, and only the reply to the very question is
 * taken.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

#include <string.h>

#include "base/bytes.h"
#include "upstream/forward_message.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_name name;
	struct ld_forward_query query = {.name = &name, .type = 1, .id = 0x1234, .edns = true};

	if (ld_name_from_text(&name, LD_SPAN("www.example.com")) != LINDUNG_OK)
		__builtin_trap();
	/* With a cookie and the case, what is taken has both. */
	query.cookie = LD_SPAN("12345678server-1");
	query.exact_case = true;
	if (ld_forward_reply_check(&query, ld_span(data, size)).kind == LD_FORWARD_ANSWER &&
	    (memcmp(data + 12, name.wire, name.len) != 0 ||
	     memmem(data, size, "12345678", 8) == NULL))
		__builtin_trap();
	query.cookie = LD_SPAN("");
	query.exact_case = false;
	if (ld_forward_reply_check(&query, ld_span(data, size)).kind != LD_FORWARD_ANSWER)
		return 0;
	/* What is taken can be nothing but a response with this id and this question. */
	if (size < 33 || ld_get_be16(data) != 0x1234 || !(data[2] & 0x80) || data[12] != 3 ||
	    memcmp(data + 29, "\0\1\0\1", 4) != 0)
		__builtin_trap();
	return 0;
}
