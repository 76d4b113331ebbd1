/* A packet that may be a NOTIFY, or the answer to one: read or refused; what is read is answered in
 * no more octets than it had, and the answer is taken as one. An origin becomes a name or nothing.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

#include "wire/dns.h"
#include "wire/notify.h"

static void
message_check(struct ld_span message)
{
	uint8_t octets[LD_NOTIFY_MAX_BYTES];
	struct ld_writer w = ld_writer(octets, sizeof octets);
	struct ld_name zone, again;
	uint16_t id, again_id;

	if (!ld_notify_read(message, &id, &zone))
		return;
	LD_ASSERT(ld_notify_is(message));
	ld_notify_answer(&w, id, &zone, LD_RCODE_NOERROR);
	LD_ASSERT(!w.failed && w.len <= message.len);
	LD_ASSERT(!ld_notify_is(ld_span(w.data, w.len)));
	LD_ASSERT(ld_notify_taken(ld_span(w.data, w.len), id, &zone));
	LD_ASSERT(!ld_notify_taken(ld_span(w.data, w.len), id ^ 1, &zone));
	w.len = 0;
	ld_notify_write(&w, id, &zone);
	LD_ASSERT(!w.failed && ld_notify_read(ld_span(w.data, w.len), &again_id, &again));
	LD_ASSERT(again_id == id && ld_name_equal(&again, &zone));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ld_name zone;

	message_check(ld_span(data, size));
	if (ld_notify_zone(&zone, ld_span(data, size)) == LINDUNG_OK)
		LD_ASSERT(zone.labels > 0 && zone.len <= LD_NAME_WIRE_MAX);
	return 0;
}
