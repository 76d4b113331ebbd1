/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "zone/zone.h"

void
ld_change_record_put(struct ld_buffer *out, const struct ld_zone_record *record)
{
	uint8_t *room = ld_buffer_room(out, 1 + record->owner.len + 4 + record->rdata.len);

	if (room == NULL)
		return;
	*room++ = (uint8_t)record->owner.len;
	memcpy(room, record->owner.data, record->owner.len);
	room += record->owner.len;
	ld_put_be16(room, record->type);
	ld_put_be16(room + 2, (uint16_t)record->rdata.len);
	memcpy(room + 4, record->rdata.data, record->rdata.len);
}

bool
ld_change_record_next(struct ld_reader *r, struct ld_zone_record *ret)
{
	if (ld_reader_left(r) == 0)
		return false;
	ret->owner = ld_reader_take(r, ld_reader_u8(r));
	ret->type = ld_reader_be16(r);
	ret->rdata = ld_reader_take(r, ld_reader_be16(r));
	LD_ASSERT(!r->failed);
	return true;
}

struct ld_change *
ld_change_hold(struct ld_change *change)
{
	atomic_fetch_add(&change->refs, 1);
	return change;
}

void
ld_change_release(struct ld_change *change)
{
	if (change != NULL && atomic_fetch_sub(&change->refs, 1) == 1)
		free(change);
}

int
ld_zone_change_find(const struct ld_zone *zone, uint32_t serial)
{
	for (unsigned i = 0; i < zone->change_count; i++)
		if (zone->changes[i]->from == serial)
			return (int)i;
	return -1;
}
