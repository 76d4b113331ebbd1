/* What the clock will change: a heap of times.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "quorum/state.h"

int
ld_due_add(struct ld_quorum *q, int64_t time_s, uint32_t number, bool is_party)
{
	size_t at = q->due.count;

	if (time_s <= q->now_s || time_s == INT64_MAX)
		return LINDUNG_OK;
	if (LD_ROOM(&q->due, 1) != LINDUNG_OK)
		return LINDUNG_ENOMEM;
	q->due.count++;
	for (; at > 0 && q->due.at[(at - 1) / 2].time_s > time_s; at = (at - 1) / 2)
		q->due.at[at] = q->due.at[(at - 1) / 2];
	q->due.at[at] = (struct ld_due){time_s, number, is_party};
	return LINDUNG_OK;
}

bool
ld_due_take(struct ld_quorum *q, int64_t now_s, struct ld_due *ret)
{
	size_t at = 0, child, count;
	struct ld_due last;

	if (q->due.count == 0 || q->due.at[0].time_s > now_s)
		return false;
	*ret = q->due.at[0];
	count = --q->due.count;
	last = q->due.at[count];
	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count && q->due.at[child + 1].time_s < q->due.at[child].time_s)
			child++;
		if (last.time_s <= q->due.at[child].time_s)
			break;
		q->due.at[at] = q->due.at[child];
		at = child;
	}
	if (count > 0)
		q->due.at[at] = last;
	return true;
}
