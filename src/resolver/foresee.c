/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

/* The name that a query asks for, in lower case; false if it is not where a query has it.  Whether
 * the message is well formed is not judged here. */
static bool
take_name(uint8_t lower[LD_NAME_WIRE_MAX], struct ld_span query, struct lindung_question *ret)
{
	const uint8_t *name = query.data + LD_QUESTION_AT;
	size_t len = 0, room = query.len > LD_QUESTION_AT ? query.len - LD_QUESTION_AT : 0;

	if (room > LD_NAME_WIRE_MAX)
		room = LD_NAME_WIRE_MAX;
	while (len < room && name[len] != 0) {
		if (name[len] > LD_LABEL_MAX)
			return false;
		len += name[len] + 1u;
	}
	if (len >= room)
		return false;
	len++;
	ld_lower_wire(lower, name, len);
	ret->name = lower;
	ret->len = len;
	return true;
}

void
ld_worker_foresee(struct ld_worker *worker, const struct ld_span *queries, unsigned count)
{
	unsigned taken = 0;

	LD_ASSERT(count <= LD_FORESEE_MAX);
	worker->foreseen_at = worker->foreseen_count = 0;
	if (worker->list == NULL)
		return;
	for (unsigned i = 0; i < count; i++) {
		struct lindung_question *question = &worker->foreseen[taken];

		if (!take_name(worker->foreseen_names[taken], queries[i], question))
			continue;
		question->active = worker->active;
		taken++;
	}
	lindung_lookup_many(worker->list, worker->foreseen, taken);
	worker->foreseen_count = taken;
}

const struct lindung_question *
ld_foreseen_find(struct ld_worker *worker, const struct ld_name *lower)
{
	/* In the order of the queries, some of which are answered unjudged. */
	for (unsigned i = worker->foreseen_at; i < worker->foreseen_count; i++) {
		const struct lindung_question *question = &worker->foreseen[i];

		if (question->len == lower->len &&
		    memcmp(question->name, lower->wire, lower->len) == 0) {
			worker->foreseen_at = i + 1;
			return question;
		}
	}
	return NULL;
}
