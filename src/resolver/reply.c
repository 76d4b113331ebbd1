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
ld_reply_failure(struct ld_worker *worker, const struct ld_ask *ask, int ede, struct ld_span text,
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
		.ede = is_rewritten ? LD_EDE_FORGED : reply->ede,
		.ede_text = is_rewritten ? LD_REWRITTEN_TEXT : reply->ede_text,
	};
	struct ld_answer answer;

	ld_reply_prepare_copy(worker, ask, reply->age_s);
	worker->copy.question = ld_ask_client_name(ask);
	if (is_rewritten)
		worker->copy.alias = &ask->name;
	ld_answer_frame(&answer, worker, ask, &start, w);
	int error = ld_copy_response(&worker->copy, reply->message, w);
	if (error == LINDUNG_EMALFORMED) {
		*w = ld_writer(w->data, answer.size);
		return false;
	}
	if (w->size >= LD_HEADER_BYTES) {
		uint16_t flags = ld_answer_flags(ask, &start);

		ld_put_be16(w->data, ask->id);
		ld_put_be16(w->data + 2, (uint16_t)(flags | (reply->is_cut ? LD_FLAG_TC : 0)));
	}
	answer.question_end = LD_QUESTION_AT + worker->copy.question->len + 4u;
	ld_answer_end(&answer, worker);
	return true;
}

/* What upstream itself said about its answer, if nobody else did.  Its text is for people: any that
 * is not plain is left out. */
static void
take_upstream_ede(struct ld_reply *reply, struct ld_span message)
{
	struct ld_span text = {NULL, 0};

	if (reply->ede >= 0)
		return;
	reply->ede = ld_message_ede(message, &text);
	if (reply->ede == LD_EDE_BLOCKED || reply->ede == LD_EDE_CENSORED ||
	    reply->ede == LD_EDE_FILTERED)
		reply->ede = LD_EDE_BLOCKED_UPSTREAM;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < ' ' || text.data[i] > '~')
			return;
	}
	reply->ede_text = text;
}

static bool
is_question_of(const struct ld_walk *walk, const struct ld_ask *ask)
{
	return walk->type == ask->type && walk->class_ == ask->class_ &&
	       ld_name_equal(&walk->question, &ask->name);
}

struct ld_reply
ld_reply_read(const struct ld_ask *ask, const struct ld_upstream_result *result)
{
	struct ld_reply reply = {.ede = result->ede, .ede_text = ld_span_str(result->ede_text)};
	struct ld_reader r = ld_reader(result->message);
	struct ld_walk walk;

	if (result->error != LINDUNG_OK)
		return reply;
	struct ld_header header = ld_header_read(&r);
	reply.rcode = header.flags & LD_FLAG_RCODE;
	reply.secure = result->secure;
	reply.is_cut = (header.flags & LD_FLAG_TC) != 0;
	take_upstream_ede(&reply, result->message);
	bool is_response = !r.failed && (header.flags & LD_FLAG_QR) != 0 &&
			   (header.flags & LD_FLAG_OPCODE) == 0;
	bool is_answer = reply.rcode == LD_RCODE_NOERROR || reply.rcode == LD_RCODE_NXDOMAIN ||
			 reply.rcode == LD_RCODE_YXDOMAIN;
	if (is_response && is_answer && ld_walk_begin(&walk, result->message) &&
	    is_question_of(&walk, ask)) {
		reply.message = result->message;
	} else if (!is_response || is_answer) {
		reply.ede = LD_EDE_OTHER;
		reply.ede_text = LD_SPAN("The answer from upstream is malformed");
	} else if (reply.ede < 0) {
		reply.ede = LD_EDE_NO_AUTHORITY;
		reply.ede_text = LD_SPAN("Upstream could not answer");
	}
	return reply;
}

/* ---- From upstream ------------------------------------------------------------------------ */

void
ld_worker_finish(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		 const struct ld_upstream_result *result, struct ld_writer *answer)
{
	struct ld_reply reply = ld_reply_read(ask, result);
	struct ld_name name;
	struct lindung_answer verdict, target_verdict;

	(void)now_ms;
	if (worker->list == NULL) {
		ld_reply_failure(worker, ask, LD_EDE_NOT_READY, LD_NOT_READY_TEXT, answer);
		return;
	}
	/* The list may have been changed since the question was asked. */
	ld_lower_name(&name, ld_ask_client_name(ask));
	if (!ld_judge_name(worker, &name, &verdict)) {
		ld_reply_failure(worker, ask, LD_EDE_OTHER, LD_UNREADABLE_TEXT, answer);
		return;
	}
	if (verdict.verdict == LINDUNG_BLOCK) {
		ld_block_answer(worker, ask, &verdict, &name, false, answer);
		return;
	}
	if (ld_judge_message(worker, ld_judge_targets_active(worker, &verdict), reply.message,
			     &name, &target_verdict)) {
		ld_block_answer(worker, ask, &target_verdict, &name, true, answer);
		return;
	}
	if (reply.message.len == 0 || !ld_reply_write(worker, ask, &reply, answer))
		ld_reply_failure(worker, ask, reply.ede, reply.ede_text, answer);
	else
		ld_worker_count(worker, ask->rewritten.len != 0 ? LD_COUNTER_REWRITTEN
								: LD_COUNTER_RESOLVED);
}
