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
	if (len >= room || query.len - LD_QUESTION_AT < len + 5)
		return false;
	len++;
	ld_lower_wire(lower, name, len);
	ret->name = lower;
	ret->len = len;
	return true;
}

/* Where the answer to a question that no list closes would be kept. */
static uint64_t
hash_of(const struct ld_worker *worker, struct ld_span query, const struct lindung_question *asked)
{
	const uint8_t *behind = query.data + LD_QUESTION_AT + asked->len;

	return ld_kept_hash(worker, ld_span(asked->name, asked->len), ld_get_be16(behind),
			    ld_get_be16(behind + 2), ld_get_be16(query.data + 2));
}

void
ld_worker_foresee(struct ld_worker *worker, const struct ld_span *queries, unsigned count)
{
	struct ld_span taken_from[LD_FORESEE_MAX];
	uint64_t hashes[LD_FORESEE_MAX];
	unsigned taken = 0, kept = 0;

	LD_ASSERT(count <= LD_FORESEE_MAX);
	worker->foreseen_at = worker->foreseen_count = 0;
	if (worker->list == NULL)
		return;
	for (unsigned i = 0; i < count; i++) {
		struct lindung_question *question = &worker->foreseen[taken];

		if (!take_name(worker->foreseen_names[taken], queries[i], question))
			continue;
		question->active = worker->active;
		taken_from[taken++] = queries[i];
	}
	lindung_lookup_many(worker->list, worker->foreseen, taken);
	worker->foreseen_count = taken;
	for (unsigned i = 0; i < taken; i++) {
		const struct lindung_question *asked = &worker->foreseen[i];

		if (asked->error != LINDUNG_OK || asked->answer.verdict != LINDUNG_ALLOW)
			continue;
		hashes[kept] = hash_of(worker, taken_from[i], asked);
		ld_cache_foresee(worker->cache, hashes[kept++]);
	}
	for (unsigned i = 0; i < kept; i++)
		ld_cache_foresee_entry(worker->cache, hashes[i]);
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
