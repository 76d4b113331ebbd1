/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

enum {
	/* RFC 9520 section 3.2: at least a second, longer while it lasts. */
	FAILURE_MIN_MS = 1000,
	/* RFC 8767 section 5: who has a stale answer does not ask again sooner. */
	FAILURE_STALE_MS = 30000,
};

/* How long a failure is remembered: twice as long as the last time, if it is the same that goes
 * on. */
static int64_t
failure_ms(struct ld_worker *worker, const struct ld_cache_key *key, int64_t now_ms)
{
	int64_t max = (int64_t)worker->resolver->config.cache_failure_ttl_max_s * 1000;
	struct ld_cache_entry last;

	max = max < FAILURE_MIN_MS ? FAILURE_MIN_MS : max;
	if (!ld_cache_peek(worker->cache, key, &last) || now_ms - last.expires_ms > max)
		return FAILURE_MIN_MS;
	int64_t twice = 2 * (last.expires_ms - last.stored_ms);
	return twice < max ? twice : max;
}

/* Whether there is an answer that can be given in the meantime. */
static bool
has_stale(struct ld_worker *worker, const struct ld_keys *keys, int64_t now_ms)
{
	struct ld_cache_key no_name = ld_keys_no_name(keys);
	struct ld_cache_entry entry;

	return (ld_cache_peek(worker->cache, &keys->answer, &entry) &&
		ld_kept_may_be_stale(worker, now_ms, &entry)) ||
	       (ld_cache_peek(worker->cache, &no_name, &entry) &&
		ld_kept_may_be_stale(worker, now_ms, &entry));
}

/* The zone cannot be trusted now: what was had before holds to its end, and no longer. */
static void
let_expire(struct ld_worker *worker, const struct ld_keys *keys)
{
	struct ld_cache_entry entry;

	for (unsigned i = 0; i < 4; i++) {
		struct ld_cache_key key = i < 2 ? keys->answer : ld_keys_no_name(keys);

		key.dnssec_ok = i % 2 != 0;
		if (ld_cache_peek(worker->cache, &key, &entry))
			ld_cache_mark(&entry, LD_CACHE_NOT_STALE);
	}
}

/* What was said about a question before is not so any more. */
static void
forget(struct ld_worker *worker, const struct ld_keys *keys)
{
	struct ld_cache_key no_name = ld_keys_no_name(keys);

	ld_cache_remove(worker->cache, &keys->answer);
	ld_cache_remove(worker->cache, &no_name);
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

/* Only that, and why, there are addresses that nobody is told. */
static void
put_rebinding(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
	      const struct ld_keys *keys, const struct ld_name *lower, const struct ld_reply *reply)
{
	struct ld_writer w = ld_writer(worker->message, sizeof worker->message);
	unsigned flags = LD_CACHE_REBINDING | LD_CACHE_NOT_STALE;

	forget(worker, keys);
	ld_build_header(&w, 0, LD_RCODE_NOERROR);
	ld_build_question(&w, lower, ask->type, ask->class_);
	put(worker, &keys->answer,
	    &(struct ld_cache_entry){
		    .flags = (uint8_t)(flags | (keys->answer.checking_disabled ? LD_CACHE_CD : 0)),
		    .edes = reply->edes,
		    .stored_ms = now_ms,
		    .expires_ms = now_ms + worker->resolver->config.block_ttl_s * INT64_C(1000),
		    .message = {w.data, w.len},
	    });
}

static void
put_failure(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
	    const struct ld_keys *keys, const struct ld_name *lower, const struct ld_reply *reply)
{
	struct ld_cache_key key = ld_keys_failure(keys);
	struct ld_writer w = ld_writer(worker->message, sizeof worker->message);
	int64_t lasts_ms = failure_ms(worker, &key, now_ms);

	if (ld_reply_is_bogus(reply))
		let_expire(worker, keys);
	else if (lasts_ms < FAILURE_STALE_MS && has_stale(worker, keys, now_ms))
		lasts_ms = FAILURE_STALE_MS;
	ld_build_header(&w, 0, LD_RCODE_SERVFAIL);
	ld_build_question(&w, lower, ask->type, ask->class_);
	put(worker, &key,
	    &(struct ld_cache_entry){
		    .flags = LD_CACHE_FAILURE | (key.checking_disabled ? LD_CACHE_CD : 0),
		    .edes = reply->edes,
		    .stored_ms = now_ms,
		    .expires_ms = now_ms + lasts_ms,
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

/* That the name itself does not exist, for whatever type: not that of a name that a CNAME or DNAME
 * leads to (RFC 2308 section 2.1). */
static bool
is_no_name(const struct ld_reply *reply, const struct ld_writer *w)
{
	return reply->rcode == LD_RCODE_NXDOMAIN &&
	       ld_get_be16(w->data + 4 + 2 * LD_COUNT_ANSWER) == 0;
}

/* LINDUNG_EMALFORMED: it is a failure.  Else it is in the cache, or is not to be kept; either way
 * it takes the place of what was said before (RFC 8767 section 4). */
static int
put_reply(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
	  const struct ld_keys *keys, const struct ld_name *lower, const struct ld_reply *reply)
{
	struct ld_cache_key key = keys->answer;
	struct ld_writer w = ld_writer(worker->message, sizeof worker->message);
	struct ld_writer targets = ld_writer(worker->targets, sizeof worker->targets);
	struct ld_copy *copy = &worker->copy;

	ld_reply_prepare_copy(worker, ask, 0);
	copy->question = lower;
	int error = ld_copy_response(copy, reply->message, &w);
	if (error == LINDUNG_EMALFORMED)
		return error;
	if (error != LINDUNG_OK || !may_be_kept(copy, reply) ||
	    !collect_targets(ld_span(w.data, w.len), &targets)) {
		forget(worker, keys);
		return error;
	}
	ld_put_be16(w.data + 2, reply->rcode);
	if (is_no_name(reply, &w)) {
		key = ld_keys_no_name(keys);
		ld_put_be16(w.data + LD_QUESTION_AT + lower->len, key.type);
		ld_cache_remove(worker->cache, &keys->answer);
	} else {
		struct ld_cache_key no_name = ld_keys_no_name(keys);

		ld_cache_remove(worker->cache, &no_name);
	}
	unsigned flags =
		(reply->secure ? LD_CACHE_SECURE : 0) | (key.checking_disabled ? LD_CACHE_CD : 0);
	if (copy->had_dnssec)
		flags |= ask->dnssec_ok ? LD_CACHE_DO : LD_CACHE_NOT_DO;
	put(worker, &key,
	    &(struct ld_cache_entry){
		    .flags = (uint8_t)flags,
		    .asked = ask->refresh ? 0 : 1,
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
	struct ld_keys keys;
	struct ld_name lower;

	ld_lower_name(&lower, &ask->name);
	ld_keys_init(&keys, worker, ask, &lower);
	if (reply.is_rebinding) {
		put_rebinding(worker, now_ms, ask, &keys, &lower, &reply);
	} else if (reply.message.len == 0 ||
		   put_reply(worker, now_ms, ask, &keys, &lower, &reply) == LINDUNG_EMALFORMED) {
		put_failure(worker, now_ms, ask, &keys, &lower, &reply);
	} else {
		struct ld_cache_key failure = ld_keys_failure(&keys);

		ld_cache_remove(worker->cache, &failure);
	}
}
