/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/lifetime.h"

#include "wire/message.h"

enum { SOA_NUMBERS_BYTES = 20 }; /* behind its two names; the last of the five is MINIMUM */

uint32_t
ld_lifetime_s(struct ld_span answer)
{
	uint32_t answered = UINT32_MAX, negative = UINT32_MAX, minimum;
	struct ld_record record;
	struct ld_walk walk;

	if (!ld_walk_begin(&walk, answer))
		return 0;
	while (ld_walk_next(&walk, &record) && record.section < LD_SECTION_ADDITIONAL) {
		if (record.section == LD_SECTION_ANSWER) {
			answered = record.ttl < answered ? record.ttl : answered;
		} else if (record.type == LD_TYPE_SOA && record.rdata.len >= SOA_NUMBERS_BYTES) {
			minimum = ld_get_be32(record.rdata.data + record.rdata.len - 4);
			negative = record.ttl < minimum ? record.ttl : minimum;
		}
	}
	if (walk.reader.failed)
		return 0;
	/* An alias that leads to nothing: neither may outlive what it says. */
	if (negative < answered)
		return negative;
	return answered != UINT32_MAX ? answered : 0;
}
