/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

#include <arpa/inet.h>

#include "base/hash.h"

void
ld_lower_name(struct ld_name *ret, const struct ld_name *name)
{
	ret->len = name->len;
	ret->labels = name->labels;
	/* Octet by octet: no length of a label is as large as a letter. */
	for (unsigned i = 0; i < name->len; i++) {
		uint8_t c = name->wire[i];

		ret->wire[i] = (uint8_t)(c | (c >= 'A' && c <= 'Z') << 5);
	}
}

bool
ld_judge_name(const struct ld_worker *worker, const struct ld_name *lower,
	      struct lindung_answer *ret)
{
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

uint64_t
ld_judge_targets_active(const struct ld_worker *worker, const struct lindung_answer *verdict)
{
	return verdict->is_protected ? 0 : worker->active & ~verdict->allowed;
}

static bool
is_closed(const struct ld_worker *worker, uint64_t active, struct ld_span name,
	  struct lindung_answer *ret)
{
	struct lindung_answer verdict;

	if (lindung_lookup_wire(worker->list, name.data, name.len, active, &verdict) !=
		    LINDUNG_OK ||
	    verdict.verdict != LINDUNG_BLOCK)
		return false;
	*ret = verdict;
	return true;
}

bool
ld_judge_message(const struct ld_worker *worker, uint64_t active, struct ld_span message,
		 struct ld_name *ret_name, struct lindung_answer *ret)
{
	struct ld_targets targets;

	if (active == 0 || !ld_targets_begin(&targets, message))
		return false;
	while (ld_targets_next(&targets, ret_name)) {
		if (is_closed(worker, active, ld_span(ret_name->wire, ret_name->len), ret))
			return true;
	}
	return false;
}

bool
ld_judge_targets(const struct ld_worker *worker, uint64_t active, struct ld_span targets,
		 struct ld_name *ret_name, struct lindung_answer *ret)
{
	while (active != 0 && ld_name_from_wire(ret_name, targets) == LINDUNG_OK) {
		if (is_closed(worker, active, ld_span_first(targets, ret_name->len), ret))
			return true;
		targets = ld_span_from(targets, ret_name->len);
	}
	return false;
}

/* ---- Closed names ------------------------------------------------------------------------- */

/* What lindung_explain() is asked for: the list by which the shown category was decided. */
struct source_search {
	struct lindung_text category;
	struct ld_writer *text;
};

static int
take_source(void *ctx, const struct lindung_reason *reason)
{
	struct source_search *search = ctx;

	if (!reason->decides || reason->action != LINDUNG_BLOCK || reason->source.len == 0 ||
	    !ld_span_equal(ld_span(reason->category.data, reason->category.len),
			   ld_span(search->category.data, search->category.len)))
		return 0;
	ld_writer_bytes(search->text, LD_SPAN(" (list "));
	ld_writer_bytes(search->text, ld_span(reason->source.data, reason->source.len));
	ld_writer_u8(search->text, ')');
	return 1;
}

static void
explain(const struct ld_worker *worker, unsigned category, const struct ld_name *lower,
	struct ld_writer *text)
{
	char host[LD_NAME_TEXT_MAX];
	struct source_search search = {
		.category = lindung_category_key(worker->list, category),
		.text = text,
	};

	ld_writer_bytes(text,
			ld_span(worker->reasons[category].text, worker->reasons[category].len));
	size_t before = text->len;
	if (lindung_explain(worker->list, host, ld_name_to_text(lower, host), worker->active,
			    take_source, &search) < 0 ||
	    text->failed)
		text->len = before;
}

/* "Blocked: gambling (list ut1-gambling)": for people, and only for a client that can take it.  To
 * find it takes longer than all else that is done for a closed name, and the same names are asked
 * for again and again: it is remembered. */
static struct ld_span
reason_text(struct ld_worker *worker, const struct lindung_answer *verdict,
	    const struct ld_name *lower)
{
	if (verdict->category < 0 || verdict->category >= LINDUNG_CATEGORY_MAX)
		return LD_SPAN("Blocked");
	uint64_t hash = ld_hash_bytes(ld_span(lower->wire, lower->len), worker->secret);
	struct ld_memo *memo = &worker->memos[hash % LD_MEMOS];
	if (memo->hash != hash || memo->list_generation != worker->list_generation) {
		struct ld_writer text = ld_writer(memo->text, sizeof memo->text);

		explain(worker, (unsigned)verdict->category, lower, &text);
		memo->hash = hash;
		memo->list_generation = worker->list_generation;
		memo->len = (uint8_t)text.len;
	}
	return ld_span(memo->text, memo->len);
}

/* The address that the mode gives for this type; the empty span for none. */
static struct ld_span
block_address(const struct ld_resolver_config *config, uint16_t type)
{
	static const uint8_t zero[16];

	if (config->block_mode == LD_BLOCK_ZERO && (type == LD_TYPE_A || type == LD_TYPE_AAAA))
		return ld_span(zero, type == LD_TYPE_A ? 4 : 16);
	if (config->block_mode == LD_BLOCK_ADDRESS && type == LD_TYPE_A && config->has_address4)
		return ld_span(config->address4, 4);
	if (config->block_mode == LD_BLOCK_ADDRESS && type == LD_TYPE_AAAA && config->has_address6)
		return ld_span(config->address6, 16);
	return (struct ld_span){NULL, 0};
}

/* Where in the question's name the entry begins that closed it. */
static size_t
entry_at(const struct ld_name *lower, unsigned match_labels)
{
	size_t at = 0;

	if (match_labels == 0)
		return 0;
	for (unsigned labels = lower->labels; labels > match_labels; labels--)
		at += lower->wire[at] + 1u;
	return at;
}

static void
add_block_soa(const struct ld_worker *worker, size_t owner_at, struct ld_writer *w)
{
	const struct ld_resolver *resolver = worker->resolver;

	ld_build_record(w, LD_COUNT_AUTHORITY, owner_at, LD_TYPE_SOA, resolver->config.block_ttl_s,
			ld_span(resolver->soa, resolver->soa_len));
}

/* Here belongs what depends on the client: over DoH, Firefox takes 15 and 16 without a usable
 * address as a reason to ask somebody who does not filter (design, "A blocked answer"). */
void
ld_block_answer(struct ld_worker *worker, const struct ld_ask *ask,
		const struct lindung_answer *verdict, const struct ld_name *lower, bool is_target,
		struct ld_writer *w)
{
	const struct ld_resolver_config *config = &worker->resolver->config;
	struct ld_writer edes = ld_writer(worker->edes, sizeof worker->edes);
	struct ld_answer_start start = {
		.rcode = config->block_mode == LD_BLOCK_NXDOMAIN ? LD_RCODE_NXDOMAIN
								 : LD_RCODE_NOERROR,
	};
	struct ld_answer answer;

	if (ask->edns)
		ld_ede_put(&edes, config->block_ede, reason_text(worker, verdict, lower));
	start.edes = ld_span(edes.data, edes.len);
	ld_answer_begin(&answer, worker, ask, &start, w);
	struct ld_span address = block_address(config, ask->type);
	if (address.len != 0)
		ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, ask->type, config->block_ttl_s,
				address);
	else
		add_block_soa(worker,
			      LD_QUESTION_AT +
				      (is_target ? 0 : entry_at(lower, verdict->match_labels)),
			      w);
	ld_answer_end(&answer, worker);
	ld_worker_count(worker, LD_COUNTER_BLOCKED);
}

/* ---- Rewriting ---------------------------------------------------------------------------- */

/* The address in "A 192.0.2.1" or "AAAA 2001:db8::1"; its type, or 0. */
static uint16_t
rewrite_address(struct lindung_text target, uint8_t address[16])
{
	struct ld_span text = ld_span(target.data, target.len);
	bool is_ipv4 = ld_span_starts(text, LD_SPAN("A "));
	char terminated[INET6_ADDRSTRLEN];

	if (!is_ipv4 && !ld_span_starts(text, LD_SPAN("AAAA ")))
		return 0;
	text = ld_span_from(text, is_ipv4 ? 2 : 5);
	if (text.len >= sizeof terminated)
		return 0;
	memcpy(terminated, text.data, text.len);
	terminated[text.len] = '\0';
	if (inet_pton(is_ipv4 ? AF_INET : AF_INET6, terminated, address) != 1)
		return 0;
	return is_ipv4 ? LD_TYPE_A : LD_TYPE_AAAA;
}

static bool
rewrite_name(struct lindung_text target, struct ld_name *ret)
{
	struct ld_span text = ld_span(target.data, target.len);

	return ld_span_starts(text, LD_SPAN("CNAME ")) &&
	       ld_name_from_text(ret, ld_span_from(text, 6)) == LINDUNG_OK;
}

bool
ld_rewrite_answer(struct ld_worker *worker, struct ld_ask *ask,
		  const struct lindung_answer *verdict, struct ld_writer *w)
{
	uint32_t ttl = worker->resolver->config.block_ttl_s;
	struct ld_writer edes = ld_writer(worker->edes, sizeof worker->edes);
	struct ld_answer answer;
	uint8_t address[16];
	struct ld_name target;
	bool is_name = rewrite_name(verdict->target, &target);

	if (is_name && ask->type != LD_TYPE_CNAME && (ask->flags & LD_FLAG_RD) != 0) {
		ask->rewritten = ask->name;
		ask->name = target;
		return false;
	}
	ld_ede_put(&edes, LD_EDE_FORGED, LD_REWRITTEN_TEXT);
	ld_answer_begin(&answer, worker, ask,
			&(struct ld_answer_start){.edes = {edes.data, edes.len}}, w);
	uint16_t type = is_name ? 0 : rewrite_address(verdict->target, address);
	if (is_name)
		ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, LD_TYPE_CNAME, ttl,
				ld_span(target.wire, target.len));
	else if (type == ask->type)
		ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, type, ttl,
				ld_span(address, type == LD_TYPE_A ? 4 : 16));
	else
		add_block_soa(worker, LD_QUESTION_AT + entry_at(&ask->name, verdict->match_labels),
			      w);
	ld_answer_end(&answer, worker);
	ld_worker_count(worker, LD_COUNTER_REWRITTEN);
	return true;
}
