/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

enum {
	/* RFC 9520 section 3.2: at least a second, longer while it lasts. */
	FAILURE_MIN_MS = 1000,
	FAILURE_MAX_MS = 5000,
};

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
	    const struct ld_name *lower, const struct ld_reply *reply)
{
	struct ld_cache_key key = ld_ask_key(ask, lower);
	struct ld_writer w = ld_writer(worker->message, sizeof worker->message);

	ld_build_header(&w, 0, LD_RCODE_SERVFAIL);
	ld_build_question(&w, lower, ask->type, ask->class_);
	put(worker, &key,
	    &(struct ld_cache_entry){
		    .flags = LD_CACHE_FAILURE | (key.checking_disabled ? LD_CACHE_CD : 0),
		    .edes = reply->edes,
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
may_be_kept(const struct ld_copy *copy, const struct ld_reply *reply)
{
	bool is_answer = reply->rcode == LD_RCODE_NOERROR && copy->has_answer;

	return !reply->is_cut && (is_answer || copy->is_negative) && copy->ttl_least != 0 &&
	       copy->ttl_count <= LD_COPY_TTLS_MAX;
}

/* LINDUNG_EMALFORMED: it is a failure.  Else it is in the cache, or is not to be kept. */
static int
put_reply(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
	  const struct ld_name *lower, const struct ld_reply *reply)
{
	struct ld_cache_key key = ld_ask_key(ask, lower);
	struct ld_writer w = ld_writer(worker->message, sizeof worker->message);
	struct ld_writer targets = ld_writer(worker->targets, sizeof worker->targets);
	struct ld_copy *copy = &worker->copy;

	ld_reply_prepare_copy(worker, ask, 0);
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
		    .edes = reply->edes,
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
	struct ld_reply reply = ld_reply_read(worker, ask, result);
	struct ld_name lower;

	ld_lower_name(&lower, &ask->name);
	if (reply.message.len == 0 ||
	    put_reply(worker, now_ms, ask, &lower, &reply) == LINDUNG_EMALFORMED)
		put_failure(worker, now_ms, ask, &lower, &reply);
}
