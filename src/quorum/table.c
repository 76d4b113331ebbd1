/* Arrays that grow, and tables of numbers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "quorum/state.h"

enum { TABLE_FIRST = 64 };

int
ld_array_room(void **at, size_t *size, size_t count, size_t more, size_t item)
{
	size_t wanted = *size + *size / 2;
	void *memory;

	if (*size - count >= more)
		return LINDUNG_OK;
	if (wanted < count + more)
		wanted = count + more;
	if (wanted < 16)
		wanted = 16;
	memory = reallocarray(*at, wanted, item);
	if (memory == NULL)
		return LINDUNG_ENOMEM;
	*at = memory;
	*size = wanted;
	return LINDUNG_OK;
}

struct ld_slot *
ld_table_find(const struct ld_table *table, uint64_t hash,
	      bool (*same)(const void *ctx, uint32_t number), const void *ctx)
{
	for (size_t at = (size_t)hash & (table->size - 1);; at = (at + 1) & (table->size - 1)) {
		struct ld_slot *slot = &table->slots[at];

		if (slot->number == LD_NONE ||
		    (slot->tag == (uint32_t)(hash >> 32) && same(ctx, slot->number)))
			return slot;
	}
}

void
ld_slot_take(struct ld_table *table, struct ld_slot *slot, uint64_t hash, uint32_t number)
{
	*slot = (struct ld_slot){.number = number, .tag = (uint32_t)(hash >> 32)};
	table->count++;
}

int
ld_table_room(struct ld_table *table, uint64_t (*hash)(const void *ctx, uint32_t number),
	      const void *ctx)
{
	struct ld_table wider = {.size = table->size == 0 ? TABLE_FIRST : table->size * 2};

	if (table->size != 0 && table->count < table->size / 4 * 3)
		return LINDUNG_OK;
	wider.slots = reallocarray(NULL, wider.size, sizeof *wider.slots);
	if (wider.slots == NULL)
		return LINDUNG_ENOMEM;
	memset(wider.slots, 0xff, wider.size * sizeof *wider.slots);
	for (size_t i = 0; i < table->size; i++) {
		if (table->slots[i].number == LD_NONE)
			continue;
		uint64_t h = hash(ctx, table->slots[i].number);
		size_t at = (size_t)h & (wider.size - 1);
		while (wider.slots[at].number != LD_NONE)
			at = (at + 1) & (wider.size - 1);
		ld_slot_take(&wider, &wider.slots[at], h, table->slots[i].number);
	}
	free(table->slots);
	*table = wider;
	return LINDUNG_OK;
}
