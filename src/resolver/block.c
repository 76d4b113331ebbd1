/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

#include <arpa/inet.h>

/* ---- Closed names ------------------------------------------------------------------------- */

/* Over DoH, Firefox takes 15 and 16 without a usable address as a reason to ask somebody who does
 * not filter; not so a browser that asked for structured errors. */
static bool
must_have_address(const struct ld_ask *ask, uint16_t ede)
{
	return ask->from.transport == LD_TRANSPORT_HTTPS && ask->edns && !ask->structured_error &&
	       (ede == LD_EDE_BLOCKED || ede == LD_EDE_CENSORED);
}

/* The address to answer with; the empty span for none. */
static struct ld_span
block_address(const struct ld_resolver_config *config, const struct ld_ask *ask, uint16_t ede)
{
	static const uint8_t zero[16];
	bool is_a = ask->type == LD_TYPE_A, has_any = config->has_address4 || config->has_address6;
	bool is_forced = must_have_address(ask, ede);

	/* Whoever takes the reason itself needs no address that stands for it. */
	if ((!is_a && ask->type != LD_TYPE_AAAA) || ask->structured_error)
		return (struct ld_span){NULL, 0};
	if (config->block_mode == LD_BLOCK_ADDRESS || (is_forced && has_any)) {
		if (is_a ? config->has_address4 : config->has_address6)
			return is_a ? ld_span(config->address4, 4) : ld_span(config->address6, 16);
		return (struct ld_span){NULL, 0};
	}
	if (config->block_mode == LD_BLOCK_ZERO || is_forced)
		return ld_span(zero, is_a ? 4 : 16);
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

void
ld_block_answer(struct ld_worker *worker, const struct ld_ask *ask,
		const struct lindung_answer *verdict, const struct ld_name *lower, bool is_target,
		struct ld_writer *w)
{
	const struct ld_resolver_config *config = &worker->resolver->config;
	uint16_t ede = ld_explain_code(worker, verdict);
	struct ld_span address = block_address(config, ask, ede);
	/* What was ordered to be closed is not told by its owner either. */
	bool tells_entry = !is_target && ede != LD_EDE_CENSORED;
	struct ld_answer_start start = {.rcode = LD_RCODE_NOERROR};
	struct ld_answer answer;

	/* RFC 8020: NXDOMAIN denies all names below, too.  Those of an entry for one host alone,
	 * and those of a name that only leads to a closed one, may be open. */
	if (config->block_mode == LD_BLOCK_NXDOMAIN && !must_have_address(ask, ede) && !is_target &&
	    verdict->holds_below)
		start.rcode = LD_RCODE_NXDOMAIN;
	ld_explain_closed(worker, ask, verdict, &start);
	ld_answer_begin(&answer, worker, ask, &start, w);
	if (address.len != 0)
		ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, ask->type, config->block_ttl_s,
				address);
	else
		add_block_soa(worker,
			      LD_QUESTION_AT +
				      (tells_entry ? entry_at(lower, verdict->match_labels) : 0),
			      w);
	ld_answer_end(&answer, worker);
	worker->closed = true;
	ld_worker_count(worker, LD_COUNTER_BLOCKED);
}

void
ld_block_rebinding(struct ld_worker *worker, const struct ld_ask *ask, struct ld_span edes,
		   struct ld_writer *w)
{
	const struct ld_resolver_config *config = &worker->resolver->config;
	struct ld_answer_start start = {.rcode = LD_RCODE_NOERROR};
	struct ld_span address = {NULL, 0};
	struct ld_answer answer;

	if (must_have_address(ask, config->block_ede))
		address = block_address(config, ask, config->block_ede);
	ld_explain_passed(worker, ask, false, edes, &start);
	ld_answer_begin(&answer, worker, ask, &start, w);
	if (address.len != 0)
		ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, ask->type, config->block_ttl_s,
				address);
	else
		add_block_soa(worker, LD_QUESTION_AT, w);
	ld_answer_end(&answer, worker);
	ld_worker_count(worker, LD_COUNTER_REBINDING);
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
	struct ld_answer_start start = {.rcode = LD_RCODE_NOERROR};
	struct ld_answer answer;
	uint8_t address[16];
	struct ld_name target;
	bool is_name = rewrite_name(verdict->target, &target);

	if (is_name && ask->type != LD_TYPE_CNAME && (ask->flags & LD_FLAG_RD) != 0) {
		ask->rewritten = ask->name;
		ask->name = target;
		return false;
	}
	ld_explain_passed(worker, ask, true, (struct ld_span){NULL, 0}, &start);
	ld_answer_begin(&answer, worker, ask, &start, w);
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

bool
ld_rewrite_closed(struct ld_worker *worker, const struct ld_ask *ask,
		  const struct lindung_answer *verdict, struct ld_writer *w)
{
	struct lindung_answer target_verdict;
	struct ld_name lower, target;

	if (ask->rewritten.len == 0)
		return false;
	ld_lower_name(&lower, &ask->name);
	if (!ld_judge_targets(worker, verdict, ld_span(lower.wire, lower.len), &target,
			      &target_verdict))
		return false;
	ld_block_answer(worker, ask, &target_verdict, &target, true, w);
	return true;
}
