/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

enum {
	/* RFC 9520 section 3.2: at least a second, longer while it lasts. */
	FAILURE_MIN_MS = 1000,
	FAILURE_MAX_MS = 5000,
};

struct ld_cache_key
ld_ask_key(const struct ld_ask *ask, const struct ld_name *lower)
{
	return (struct ld_cache_key){
		.hash = ask->hash,
		.name = {lower->wire, lower->len},
		.type = ask->type,
		.class_ = ask->class_,
		.checking_disabled = (ask->flags & LD_FLAG_CD) != 0,
		.dnssec_ok = ask->dnssec_ok,
	};
}

/* ---- From the cache ----------------------------------------------------------------------- */

/* Copy an entry out: its TTLs less its age, the question as the client wrote it. */
static void
copy_entry(struct ld_worker *worker, const struct ld_ask *ask, const struct ld_cache_entry *entry,
	   uint32_t age_s, struct ld_writer *w)
{
	struct ld_answer_start start = {
		.rcode = ld_get_be16(entry->message.data + 2) & LD_FLAG_RCODE,
		.secure = (entry->flags & LD_CACHE_SECURE) != 0,
		.ede = entry->ede,
		.ede_text = entry->ede_text,
	};
	struct ld_answer answer;
	struct ld_span message = entry->message;

	ld_answer_frame(&answer, worker, ask, &start, w);
	answer.question_end = LD_QUESTION_AT + ask->name.len + 4u;
	/* Too long: header and question, which is what is left of it when it is cut. */
	bool is_cut = message.len > w->size;
	if (is_cut)
		message.len = answer.question_end;
	ld_writer_bytes(w, message);
	if (!w->failed) {
		ld_put_be16(w->data, ask->id);
		ld_put_be16(w->data + 2, ld_answer_flags(ask, &start));
		memcpy(w->data + LD_QUESTION_AT, ask->name.wire, ask->name.len);
		for (unsigned i = 0; i < entry->ttl_count && entry->ttl_at[i] < w->len; i++) {
			uint8_t *at = w->data + entry->ttl_at[i];
			uint32_t ttl = ld_get_be32(at);

			ld_put_be32(at, ttl > age_s ? ttl - age_s : 0);
		}
		w->failed = is_cut;
	}
	ld_answer_end(&answer, worker);
}

static bool
targets_are_closed(struct ld_worker *worker, const struct ld_ask *ask,
		   const struct ld_cache_entry *entry, const struct lindung_answer *verdict,
		   struct ld_writer *w)
{
	struct ld_name target;
	struct lindung_answer target_verdict;
	uint64_t active = ld_judge_targets_active(worker, verdict);

	if (entry->targets.len == 0)
		return false;
	/* What this list said about this name does not change.  But the same entry serves clients
	 * that came to it by a rewritten name, with another verdict: those are judged each time. */
	if (ask->rewritten.len == 0 && entry->list_generation == worker->list_generation)
		return false;
	if (ld_judge_targets(worker, active, entry->targets, &target, &target_verdict)) {
		ld_block_answer(worker, ask, &target_verdict, &target, true, w);
		return true;
	}
	if (ask->rewritten.len == 0)
		ld_cache_judged(worker->cache, worker->list_generation);
	return false;
}

/* ---- Answers written anew ----------------------------------------------------------------- */

/* What is in a response, as far as it concerns us. */
struct reply {
	struct ld_span message; /* empty: a failure */
	uint16_t rcode;
	bool secure;
	bool is_cut;
	uint32_t age_s;
	int ede;
	struct ld_span ede_text;
};

static void
prepare_copy(struct ld_worker *worker, const struct ld_ask *ask, uint32_t age_s)
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

static void
answer_failure(struct ld_worker *worker, const struct ld_ask *ask, int ede, struct ld_span text,
	       struct ld_writer *w)
{
	ld_answer_empty(worker, ask, LD_RCODE_SERVFAIL, ede, text, w);
	ld_worker_count(worker, LD_COUNTER_FAILED);
}

/* Write a response for the client.  False if it turns out malformed: nothing is written then. */
static bool
write_reply(struct ld_worker *worker, const struct ld_ask *ask, const struct reply *reply,
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

	prepare_copy(worker, ask, reply->age_s);
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
take_upstream_ede(struct reply *reply, struct ld_span message)
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

/* Take in what upstream said.  What is no answer to this question is a failure, and so is a rcode
 * that speaks of what we asked, not of what our client did. */
static struct reply
read_result(const struct ld_ask *ask, const struct ld_upstream_result *result)
{
	struct reply reply = {.ede = result->ede, .ede_text = ld_span_str(result->ede_text)};
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

bool
ld_reply_from_cache(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		    const struct ld_name *lower, const struct lindung_answer *verdict,
		    struct ld_writer *w)
{
	struct ld_cache_key key = ld_ask_key(ask, lower);
	struct ld_cache_entry entry;

	if (!ld_cache_get(worker->cache, &key, &entry) || entry.expires_ms <= now_ms)
		return false;
	if (targets_are_closed(worker, ask, &entry, verdict, w))
		return true;
	uint32_t age_s =
		now_ms > entry.stored_ms ? (uint32_t)((now_ms - entry.stored_ms) / 1000) : 0;
	if ((entry.flags & LD_CACHE_FAILURE) != 0) {
		answer_failure(worker, ask, entry.ede, entry.ede_text, w);
		return true;
	}
	if (ask->rewritten.len == 0) {
		copy_entry(worker, ask, &entry, age_s, w);
		ld_worker_count(worker, LD_COUNTER_CACHED);
		return true;
	}
	struct reply reply = {
		.message = entry.message,
		.rcode = ld_get_be16(entry.message.data + 2) & LD_FLAG_RCODE,
		.age_s = age_s,
	};
	bool is_written = write_reply(worker, ask, &reply, w);
	LD_ASSERT(is_written); /* it was well formed when it was put there */
	ld_worker_count(worker, LD_COUNTER_REWRITTEN);
	return true;
}

/* ---- From upstream ------------------------------------------------------------------------ */

void
ld_worker_finish(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		 const struct ld_upstream_result *result, struct ld_writer *answer)
{
	struct reply reply = read_result(ask, result);
	struct ld_name name;
	struct lindung_answer verdict, target_verdict;

	(void)now_ms;
	if (worker->list == NULL) {
		answer_failure(worker, ask, LD_EDE_NOT_READY, LD_NOT_READY_TEXT, answer);
		return;
	}
	/* The list may have been changed since the question was asked. */
	ld_lower_name(&name, ld_ask_client_name(ask));
	if (!ld_judge_name(worker, &name, &verdict)) {
		answer_failure(worker, ask, LD_EDE_OTHER, LD_UNREADABLE_TEXT, answer);
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
	if (reply.message.len == 0 || !write_reply(worker, ask, &reply, answer))
		answer_failure(worker, ask, reply.ede, reply.ede_text, answer);
	else
		ld_worker_count(worker, ask->rewritten.len != 0 ? LD_COUNTER_REWRITTEN
								: LD_COUNTER_RESOLVED);
}

/* ---- Into the cache ----------------------------------------------------------------------- */

/* How long a failure is remembered: twice as long as the last time, if it is the same that goes
 * on; `key` finds the last one. */
static int64_t
failure_ms(struct ld_worker *worker, const struct ld_cache_key *key, int64_t now_ms)
{
	struct ld_cache_entry last;

	if (!ld_cache_get(worker->cache, key, &last) || (last.flags & LD_CACHE_FAILURE) == 0 ||
	    now_ms - last.expires_ms > FAILURE_MAX_MS)
		return FAILURE_MIN_MS;
	int64_t twice = 2 * (last.expires_ms - last.stored_ms);
	return twice < FAILURE_MAX_MS ? twice : FAILURE_MAX_MS;
}

static void
put(struct ld_worker *worker, const struct ld_cache_key *key, const struct ld_cache_entry *entry)
{
	unsigned evicted = ld_cache_put(worker->cache, key, entry);

	for (unsigned i = 0; i < evicted; i++)
		ld_worker_count(worker, LD_COUNTER_CACHE_EVICTED);
	atomic_store_explicit(&worker->cache_bytes, ld_cache_used_bytes(worker->cache),
			      memory_order_relaxed);
}

static void
put_failure(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
	    const struct ld_name *lower, const struct reply *reply)
{
	struct ld_cache_key key = ld_ask_key(ask, lower);
	struct ld_writer w = ld_writer(worker->message, sizeof worker->message);

	ld_build_header(&w, 0, LD_RCODE_SERVFAIL);
	ld_build_question(&w, lower, ask->type, ask->class_);
	put(worker, &key,
	    &(struct ld_cache_entry){
		    .flags = LD_CACHE_FAILURE | (key.checking_disabled ? LD_CACHE_CD : 0),
		    .ede = reply->ede,
		    .ede_text = ld_span_first(reply->ede_text, LD_EDE_TEXT_MAX_BYTES),
		    .stored_ms = now_ms,
		    .expires_ms = now_ms + failure_ms(worker, &key, now_ms),
		    .message = {w.data, w.len},
	    });
}

/* The targets of a response, one behind the other; false if there is not enough room. */
static bool
collect_targets(struct ld_span message, struct ld_writer *w)
{
	struct ld_targets targets;
	struct ld_name target;

	if (!ld_targets_begin(&targets, message))
		return false;
	while (ld_targets_next(&targets, &target))
		ld_writer_bytes(w, ld_span(target.wire, target.len));
	return !w->failed;
}

/* RFC 2308: without an SOA nobody said how long "no" holds. */
static bool
may_be_kept(const struct ld_copy *copy, const struct reply *reply)
{
	bool is_answer = reply->rcode == LD_RCODE_NOERROR && copy->has_answer;

	return !reply->is_cut && (is_answer || copy->is_negative) && copy->ttl_least != 0 &&
	       copy->ttl_count <= LD_COPY_TTLS_MAX;
}

/* LINDUNG_EMALFORMED: it is a failure.  Else it is in the cache, or is not to be kept. */
static int
put_reply(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
	  const struct ld_name *lower, const struct reply *reply)
{
	struct ld_cache_key key = ld_ask_key(ask, lower);
	struct ld_writer w = ld_writer(worker->message, sizeof worker->message);
	struct ld_writer targets = ld_writer(worker->targets, sizeof worker->targets);
	struct ld_copy *copy = &worker->copy;

	prepare_copy(worker, ask, 0);
	copy->question = lower;
	int error = ld_copy_response(copy, reply->message, &w);
	if (error != LINDUNG_OK || !may_be_kept(copy, reply) ||
	    !collect_targets(ld_span(w.data, w.len), &targets))
		return error;
	ld_put_be16(w.data + 2, reply->rcode);
	unsigned flags =
		(reply->secure ? LD_CACHE_SECURE : 0) | (key.checking_disabled ? LD_CACHE_CD : 0);
	if (copy->had_dnssec)
		flags |= ask->dnssec_ok ? LD_CACHE_DO : LD_CACHE_NOT_DO;
	put(worker, &key,
	    &(struct ld_cache_entry){
		    .flags = (uint8_t)flags,
		    .ede = reply->ede,
		    .ede_text = ld_span_first(reply->ede_text, LD_EDE_TEXT_MAX_BYTES),
		    .stored_ms = now_ms,
		    .expires_ms = now_ms + (int64_t)copy->ttl_least * 1000,
		    .message = {w.data, w.len},
		    .ttl_at = copy->ttl_at,
		    .ttl_count = (uint16_t)copy->ttl_count,
		    .targets = {targets.data, targets.len},
	    });
	return LINDUNG_OK;
}

void
ld_worker_learn(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		const struct ld_upstream_result *result)
{
	struct reply reply = read_result(ask, result);
	struct ld_name lower;

	ld_lower_name(&lower, &ask->name);
	if (reply.message.len == 0 ||
	    put_reply(worker, now_ms, ask, &lower, &reply) == LINDUNG_EMALFORMED)
		put_failure(worker, now_ms, ask, &lower, &reply);
}
