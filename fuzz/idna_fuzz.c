/* Any bytes as a name in UTF-8: what comes out is a host, and shown as Unicode it leads back.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "name/idna.h"

static void
shown_check(struct ld_span host)
{
	char text[4 * LD_HOST_MAX + 1], again[LD_HOST_MAX + 1];
	size_t len = ld_idna_to_unicode(text, host), again_len;

	LD_ASSERT(strlen(text) == len && len < sizeof text);
	if (ld_idna_to_host(again, &again_len, ld_span(text, len)) == LINDUNG_OK)
		LD_ASSERT(ld_span_equal(host, ld_span(again, again_len)));
	else /* an A-label that stands for nothing passes only in a name that is all ASCII */
		LD_ASSERT(strstr(text, "xn--") != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char host[LD_HOST_MAX + 1], again[LD_HOST_MAX + 1];
	size_t len, again_len;

	if (ld_idna_to_host(host, &len, ld_span(data, size)) != LINDUNG_OK)
		return 0;
	LD_ASSERT(ld_host_from_text(again, &again_len, ld_span(host, len)) == LINDUNG_OK);
	LD_ASSERT(ld_span_equal(ld_span(host, len), ld_span(again, again_len)));
	shown_check(ld_span(host, len));
	return 0;
}
