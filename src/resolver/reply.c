/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

/* ---- Answers written anew ----------------------------------------------------------------- */

void
ld_reply_prepare_copy(struct ld_worker *worker, const struct ld_ask *ask, uint32_t age_s)
{
	const struct ld_resolver_config *config = &worker->resolver->config;
	struct ld_copy *copy = &worker->copy;

	copy->question = &ask->name;
	copy->alias = NULL;
	copy->alias_ttl = config->block_ttl_s;
	copy->dnssec = ask->dnssec_ok;
	copy->age_s = age_s;
	copy->ttl_min_s = config->cache_ttl_min_s;
	copy->ttl_max_s = config->cache_ttl_max_s;
	copy->negative_ttl_max_s = config->cache_negative_ttl_max_s;
}

void
ld_reply_failure(struct ld_worker *worker, const struct ld_ask *ask, struct ld_span edes,
		 struct ld_writer *w)
{
	struct ld_answer_start start = {.rcode = LD_RCODE_SERVFAIL};

	ld_explain_passed(worker, ask, false, edes, &start);
	ld_answer_bare(worker, ask, &start, w);
	ld_worker_count(worker, LD_COUNTER_FAILED);
}

void
ld_reply_trouble(struct ld_worker *worker, const struct ld_ask *ask, int ede, struct ld_span text,
		 struct ld_writer *w)
{
	ld_answer_empty(worker, ask, LD_RCODE_SERVFAIL, ede, text, w);
	ld_worker_count(worker, LD_COUNTER_FAILED);
}

bool
ld_reply_write(struct ld_worker *worker, const struct ld_ask *ask, const struct ld_reply *reply,
	       struct ld_writer *w)
{
	bool is_rewritten = ask->rewritten.len != 0;
	struct ld_answer_start start = {
		.rcode = reply->rcode,
		.secure = reply->secure && !is_rewritten,
	};
	struct ld_answer answer;

	ld_explain_passed(worker, ask, is_rewritten, reply->edes, &start);
	ld_reply_prepare_copy(worker, ask, reply->age_s);
	worker->copy.question = ld_ask_client_name(ask);
	if (is_rewritten)
		worker->copy.alias = &ask->name;
	if (reply->stale_ttl_s != 0)
		worker->copy.ttl_min_s = worker->copy.ttl_max_s = worker->copy.negative_ttl_max_s =
			reply->stale_ttl_s;
	ld_answer_frame(&answer, worker, ask, &start, w);
	int error = ld_copy_response(&worker->copy, reply->message, w);
	if (error == LINDUNG_EMALFORMED) {
		*w = ld_writer(w->data, answer.size);
		return false;
	}
	answer.question_end = LD_QUESTION_AT + worker->copy.question->len + 4u;
	if (w->size >= answer.question_end) {
		uint16_t flags = ld_answer_flags(ask, &start);

		ld_put_be16(w->data, ask->id);
		ld_put_be16(w->data + 2, (uint16_t)(flags | (reply->is_cut ? LD_FLAG_TC : 0)));
		/* Out of the cache it may have been one for all types. */
		ld_put_be16(w->data + answer.question_end - 4, ask->type);
	}
	ld_answer_end(&answer, worker);
	return true;
}

/* What is to be told with the answer: first what we found ourselves, then what upstream said of its
 * own accord.  Where that filtered, it is upstream's doing, not ours. */
static void
take_edes(struct ld_writer *edes, const struct ld_upstream_result *result)
{
	if (result->ede >= 0)
		ld_ede_put_foreign(edes, (uint16_t)result->ede, ld_span_str(result->ede_text));
	for (unsigned i = 0; i < result->ede_count; i++) {
		uint16_t code = result->edes[i].code;

		if (code == LD_EDE_BLOCKED || code == LD_EDE_CENSORED || code == LD_EDE_FILTERED)
			code = LD_EDE_BLOCKED_UPSTREAM;
		ld_ede_put_foreign(edes, code, result->edes[i].text);
	}
}

bool
ld_reply_is_bogus(const struct ld_reply *reply)
{
	struct ld_span edes = reply->edes;
	struct ld_ede_read ede;
	bool is_bogus = false;

	while (reply->message.len == 0 && ld_ede_next(&edes, &ede))
		is_bogus |= (ede.code >= LD_EDE_BOGUS && ede.code <= LD_EDE_NSEC_MISSING) ||
			    ede.code == LD_EDE_SIG_EXPIRED_EARLY ||
			    ede.code == LD_EDE_NSEC3_ITERATIONS;
	return is_bogus;
}

/* How servers close names that say so by no extended error: with the address of nothing, or by a
 * denial that nobody owns (Quad9's has no SOA). */
static bool
looks_closed(struct ld_span message)
{
	static const uint8_t zero[16];
	bool has_answer = false, has_soa = false;
	struct ld_record record;
	struct ld_walk walk;

	if (!ld_walk_begin(&walk, message))
		return false;
	while (ld_walk_next(&walk, &record)) {
		size_t octets = record.type == LD_TYPE_A ? 4 : record.type == LD_TYPE_AAAA ? 16 : 0;

		if (record.section == LD_SECTION_ANSWER && octets != 0 &&
		    ld_span_equal(record.rdata, ld_span(zero, octets)))
			return true;
		has_answer |= record.section == LD_SECTION_ANSWER;
		has_soa |= record.section == LD_SECTION_AUTHORITY && record.type == LD_TYPE_SOA;
	}
	return !walk.reader.failed && !has_answer && !has_soa;
}

static bool
has_ede(struct ld_span edes, uint16_t code)
{
	struct ld_ede_read one;

	while (ld_ede_next(&edes, &one)) {
		if (one.code == code)
			return true;
	}
	return false;
}

/* A response to our question: who closed it, and whether it may be told. */
static void
take_answer(struct ld_worker *worker, const struct ld_ask *ask, struct ld_reply *reply,
	    struct ld_writer *edes)
{
	const struct ld_resolver *resolver = worker->resolver;
	bool is_closed = has_ede(ld_span(edes->data, edes->len), LD_EDE_BLOCKED_UPSTREAM);

	if (!is_closed && resolver->config.upstream_filters && looks_closed(reply->message)) {
		ld_ede_put(edes, LD_EDE_BLOCKED_UPSTREAM, (struct ld_span){NULL, 0});
		is_closed = true;
	}
	reply->is_rebinding = ld_rebind_found(resolver, &ask->name, reply->message);
	if (reply->is_rebinding && !is_closed) {
		*edes = ld_writer(edes->data, edes->size);
		ld_explain_rebinding(worker, edes);
	}
}

static bool
is_question_of(const struct ld_walk *walk, const struct ld_ask *ask)
{
	return walk->type == ask->type && walk->class_ == ask->class_ &&
	       ld_name_equal(&walk->question, &ask->name);
}

struct ld_reply
ld_reply_read(struct ld_worker *worker, const struct ld_ask *ask,
	      const struct ld_upstream_result *result)
{
	struct ld_writer edes = ld_writer(worker->edes, sizeof worker->edes);
	struct ld_reader r = ld_reader(result->message);
	struct ld_reply reply = {0};
	struct ld_walk walk;

	take_edes(&edes, result);
	reply.edes = ld_span(edes.data, edes.len);
	if (result->error != LINDUNG_OK)
		return reply;
	struct ld_header header = ld_header_read(&r);
	reply.rcode = header.flags & LD_FLAG_RCODE;
	reply.secure = result->secure;
	reply.is_cut = (header.flags & LD_FLAG_TC) != 0;
	bool is_response = !r.failed && (header.flags & LD_FLAG_QR) != 0 &&
			   (header.flags & LD_FLAG_OPCODE) == 0;
	bool is_answer = reply.rcode == LD_RCODE_NOERROR || reply.rcode == LD_RCODE_NXDOMAIN ||
			 reply.rcode == LD_RCODE_YXDOMAIN;
	if (is_response && is_answer && ld_walk_begin(&walk, result->message) &&
	    is_question_of(&walk, ask)) {
		reply.message = result->message;
		take_answer(worker, ask, &reply, &edes);
		reply.edes.len = edes.len;
		return reply;
	}
	if (!is_response || is_answer) {
		edes = ld_writer(worker->edes, sizeof worker->edes);
		ld_ede_put(&edes, LD_EDE_OTHER, LD_SPAN("The answer from upstream is malformed"));
	} else if (edes.len == 0) {
		ld_ede_put(&edes, LD_EDE_NO_AUTHORITY, LD_SPAN("Upstream could not answer"));
	}
	reply.edes.len = edes.len;
	return reply;
}

/* ---- From upstream ------------------------------------------------------------------------ */

bool
ld_reply_judge(struct ld_worker *worker, const struct ld_ask *ask, struct lindung_answer *verdict,
	       struct ld_writer *w)
{
	struct ld_name name;

	if (worker->list == NULL) {
		ld_reply_trouble(worker, ask, LD_EDE_NOT_READY, LD_NOT_READY_TEXT, w);
		return true;
	}
	ld_lower_name(&name, ld_ask_client_name(ask));
	if (!ld_judge_name(worker, &name, verdict)) {
		ld_reply_trouble(worker, ask, LD_EDE_OTHER, LD_UNREADABLE_TEXT, w);
		return true;
	}
	if (verdict->verdict != LINDUNG_BLOCK)
		return ld_rewrite_closed(worker, ask, verdict, w);
	ld_block_answer(worker, ask, verdict, &name, false, w);
	return true;
}

static void
finish(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
       const struct ld_upstream_result *result, struct ld_writer *answer)
{
	struct ld_reply reply = ld_reply_read(worker, ask, result);
	struct ld_name target;
	struct lindung_answer verdict, target_verdict;

	if (ld_reply_judge(worker, ask, &verdict, answer))
		return;
	if (ld_judge_message(worker, &verdict, reply.message, &target, &target_verdict)) {
		ld_block_answer(worker, ask, &target_verdict, &target, true, answer);
		return;
	}
	if (reply.is_rebinding)
		ld_block_rebinding(worker, ask, reply.edes, answer);
	else if (reply.message.len != 0 && ld_reply_write(worker, ask, &reply, answer))
		ld_worker_count(worker, ask->rewritten.len != 0 ? LD_COUNTER_REWRITTEN
								: LD_COUNTER_RESOLVED);
	else if (ld_reply_is_bogus(&reply) ||
		 !ld_kept_stale(worker, now_ms, ask, reply.edes, &verdict, answer))
		ld_reply_failure(worker, ask, reply.edes, answer);
}

void
ld_worker_finish(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		 const struct ld_upstream_result *result, struct ld_writer *answer)
{
	worker->closed = false;
	finish(worker, now_ms, ask, result, answer);
	(void)ld_limit_answer(worker, now_ms, ask, answer);
}
