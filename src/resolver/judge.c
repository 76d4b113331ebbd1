/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

/* Eight octets at once: one that is a letter in upper case, and so below 0x80, gets bit 0x20. */
static void
lower_eight(uint8_t *ret, const uint8_t *octets)
{
	const uint64_t each = 0x0101010101010101u;
	uint64_t word;

	memcpy(&word, octets, sizeof word);
	uint64_t low = word & (each * 0x7f);
	/* The top bit of each octet: not below 'A'; past 'Z'; an octet of 0x80 and more. */
	uint64_t from_a = low + each * (0x80 - 'A'), past_z = low + each * (0x7f - 'Z');
	uint64_t is_upper = from_a & ~past_z & ~word & (each * 0x80);

	word |= is_upper >> 2;
	memcpy(ret, &word, sizeof word);
}

void
ld_lower_wire(uint8_t *ret, const uint8_t *wire, size_t len)
{
	/* All octets alike: no length of a label is as large as a letter.  The last eight overlap
	 * those before, so that there is no rest. */
	for (size_t i = 0; i + 8 < len; i += 8)
		lower_eight(ret + i, wire + i);
	if (len >= 8)
		lower_eight(ret + len - 8, wire + len - 8);
	for (size_t i = 0; len < 8 && i < len; i++)
		ret[i] = (uint8_t)(wire[i] | (wire[i] >= 'A' && wire[i] <= 'Z') << 5);
}

void
ld_lower_name(struct ld_name *ret, const struct ld_name *name)
{
	ret->len = name->len;
	ret->labels = name->labels;
	ld_lower_wire(ret->wire, name->wire, name->len);
}

bool
ld_judge_name(struct ld_worker *worker, const struct ld_name *lower, struct lindung_answer *ret)
{
	const struct lindung_question *foreseen = ld_foreseen_find(worker, lower);

	if (foreseen != NULL && foreseen->error == LINDUNG_OK)
		*ret = foreseen->answer;
	if (foreseen != NULL)
		return foreseen->error == LINDUNG_OK;
	return lindung_lookup_wire(worker->list, lower->wire, lower->len, worker->active, ret) ==
	       LINDUNG_OK;
}

/* ---- Targets ------------------------------------------------------------------------------ */

bool
ld_targets_begin(struct ld_targets *targets, struct ld_span message)
{
	targets->message = message;
	return ld_walk_begin(&targets->walk, message);
}

/* RFC 6672 section 2.2: the end of the question's name that is the owner becomes the target.  A
 * DNAME that is not above the question leads nowhere but to its target. */
static bool
substitute(const struct ld_name *question, const struct ld_name *owner, struct ld_name *target)
{
	size_t before = question->len > owner->len ? (size_t)(question->len - owner->len) : 0;

	if (!ld_name_is_within(question, owner) || before == 0)
		return true;
	if (before + target->len > LD_NAME_WIRE_MAX)
		return false;
	memmove(target->wire + before, target->wire, target->len);
	memcpy(target->wire, question->wire, before);
	target->len = (uint8_t)(target->len + before);
	target->labels = (uint8_t)(target->labels + question->labels - owner->labels);
	return true;
}

bool
ld_targets_next(struct ld_targets *targets, struct ld_name *ret)
{
	struct ld_record record;
	struct ld_name target;

	while (ld_walk_next(&targets->walk, &record) && record.section == LD_SECTION_ANSWER) {
		bool is_service = record.type == LD_TYPE_SVCB || record.type == LD_TYPE_HTTPS;

		if (!is_service && record.type != LD_TYPE_CNAME && record.type != LD_TYPE_DNAME)
			continue;
		if (!ld_record_target(targets->message, &record, is_service ? 2 : 0, &target))
			continue;
		if (record.type == LD_TYPE_DNAME &&
		    !substitute(&targets->walk.question, &record.owner, &target))
			continue;
		if (target.len <= 1) /* SVCB: the owner itself */
			continue;
		ld_lower_name(ret, &target);
		return true;
	}
	return false;
}

/* What is said of a shared infrastructure as a whole says nothing of one who uses it: its entry
 * does not close what leads there.  An entry for one name in it does. */
static bool
is_of_strangers(const struct ld_resolver *resolver, struct ld_span name,
		const struct lindung_answer *verdict)
{
	struct ld_name target;

	if (resolver->shared_count == 0 || ld_name_from_wire(&target, name) != LINDUNG_OK)
		return false;
	for (unsigned i = 0; i < resolver->shared_count; i++) {
		if (ld_name_is_within(&target, &resolver->shared[i]) &&
		    verdict->match_labels <= resolver->shared[i].labels && verdict->holds_below)
			return true;
	}
	return false;
}

/* Where a name leads that has this verdict itself. */
static bool
is_closed(const struct ld_worker *worker, const struct lindung_answer *leading, struct ld_span name,
	  struct lindung_answer *ret)
{
	uint64_t active = worker->active & ~leading->allowed;
	struct lindung_answer verdict;

	if (lindung_lookup_wire(worker->list, name.data, name.len, active, &verdict) !=
		    LINDUNG_OK ||
	    verdict.verdict != LINDUNG_BLOCK || is_of_strangers(worker->resolver, name, &verdict))
		return false;
	*ret = verdict;
	return true;
}

bool
ld_judge_message(const struct ld_worker *worker, const struct lindung_answer *verdict,
		 struct ld_span message, struct ld_name *ret_name, struct lindung_answer *ret)
{
	struct ld_targets targets;

	if (verdict->is_protected || !ld_targets_begin(&targets, message))
		return false;
	while (ld_targets_next(&targets, ret_name)) {
		if (is_closed(worker, verdict, ld_span(ret_name->wire, ret_name->len), ret))
			return true;
	}
	return false;
}

bool
ld_judge_targets(const struct ld_worker *worker, const struct lindung_answer *verdict,
		 struct ld_span targets, struct ld_name *ret_name, struct lindung_answer *ret)
{
	while (!verdict->is_protected && ld_name_from_wire(ret_name, targets) == LINDUNG_OK) {
		if (is_closed(worker, verdict, ld_span_first(targets, ret_name->len), ret))
			return true;
		targets = ld_span_from(targets, ret_name->len);
	}
	return false;
}
