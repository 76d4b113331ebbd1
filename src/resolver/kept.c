/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

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

/* Copy an entry out: its TTLs less its age, the question as the client wrote it. */
static void
copy_entry(struct ld_worker *worker, const struct ld_ask *ask, const struct ld_cache_entry *entry,
	   uint32_t age_s, struct ld_writer *w)
{
	struct ld_answer_start start = {
		.rcode = ld_get_be16(entry->message.data + 2) & LD_FLAG_RCODE,
		.secure = (entry->flags & LD_CACHE_SECURE) != 0,
	};
	struct ld_answer answer;
	struct ld_span message = entry->message;

	ld_explain_passed(worker, ask, false, entry->edes, &start);
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

bool
ld_kept_answer(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
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
		ld_reply_failure(worker, ask, entry.edes, w);
		return true;
	}
	if (ask->rewritten.len == 0) {
		copy_entry(worker, ask, &entry, age_s, w);
		ld_worker_count(worker, LD_COUNTER_CACHED);
		return true;
	}
	struct ld_reply reply = {
		.message = entry.message,
		.rcode = ld_get_be16(entry.message.data + 2) & LD_FLAG_RCODE,
		.age_s = age_s,
	};
	bool is_written = ld_reply_write(worker, ask, &reply, w);
	LD_ASSERT(is_written); /* it was well formed when it was put there */
	ld_worker_count(worker, LD_COUNTER_REWRITTEN);
	return true;
}
