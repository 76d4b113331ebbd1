/* SPDX-License-Identifier: BSD-2-Clause */
/* A PROXY header of any octets, as it comes in one piece, and cut anywhere: cut it is never taken,
 * and refused only if the whole is. */
#include "fuzz.h"
#include "net/proxy.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_proxy whole, part;
	enum ld_proxy_step step = ld_proxy_read(&whole, ld_span(data, size));
	size_t cut = size != 0 ? data[size - 1] % (size + 1) : 0;
	uint8_t octets[16];

	if (step == LD_PROXY_TAKEN) {
		LD_ASSERT(whole.len >= LD_PROXY_START_BYTES && whole.len <= size);
		LD_ASSERT(whole.len <= LD_PROXY_MAX_BYTES);
		LD_ASSERT(whole.local || ld_address_octets(&whole.from, octets) >= 4);
	}
	if (step == LD_PROXY_MORE)
		LD_ASSERT(whole.len > size && whole.len <= LD_PROXY_MAX_BYTES);
	switch (ld_proxy_read(&part, ld_span(data, cut))) {
	case LD_PROXY_TAKEN:
		LD_ASSERT(step == LD_PROXY_TAKEN && part.len == whole.len && cut >= part.len);
		break;
	case LD_PROXY_BAD:
		LD_ASSERT(step == LD_PROXY_BAD);
		break;
	case LD_PROXY_MORE:
	default:
		break;
	}
	return 0;
}
