/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

#include "base/hash.h"

enum {
	STALE_TTL_S = 30, /* RFC 8767 section 4 */
	/* An entry is asked for ahead of its end in the last tenth of its life. */
	REFRESH_SHARE = 10,
};

#define NO_CAUSES ((struct ld_span){NULL, 0})

/* ---- Keys --------------------------------------------------------------------------------- */

static uint64_t
name_hash(const struct ld_worker *worker, uint16_t class_, uint16_t flags, struct ld_span lower)
{
	uint64_t rest = (uint64_t)class_ << 16 | (flags & LD_FLAG_CD);

	return ld_hash_bytes(lower, worker->secret ^ rest);
}

static uint64_t
kind_hash(uint64_t hash, unsigned type, bool is_failure)
{
	return ld_mix64(hash ^ type ^ (uint64_t)is_failure << 16, 0x9e3779b97f4a7c15u);
}

uint64_t
ld_kept_hash(const struct ld_worker *worker, struct ld_span lower, uint16_t type, uint16_t class_,
	     uint16_t flags)
{
	return kind_hash(name_hash(worker, class_, flags, lower), type, false);
}

void
ld_keys_init(struct ld_keys *keys, const struct ld_worker *worker, const struct ld_ask *ask,
	     const struct ld_name *lower)
{
	struct ld_span name = {lower->wire, lower->len};

	keys->name_hash = name_hash(worker, ask->class_, ask->flags, name);
	keys->answer = (struct ld_cache_key){
		.hash = kind_hash(keys->name_hash, ask->type, false),
		.name = name,
		.type = ask->type,
		.class_ = ask->class_,
		.checking_disabled = (ask->flags & LD_FLAG_CD) != 0,
		.dnssec_ok = ask->dnssec_ok,
	};
}

struct ld_cache_key
ld_keys_no_name(const struct ld_keys *keys)
{
	struct ld_cache_key key = keys->answer;

	key.hash = kind_hash(keys->name_hash, 0, false);
	key.type = 0;
	return key;
}

struct ld_cache_key
ld_keys_failure(const struct ld_keys *keys)
{
	struct ld_cache_key key = keys->answer;

	key.hash = kind_hash(keys->name_hash, key.type, true);
	key.is_failure = true;
	return key;
}

/* ---- Writing an entry out ----------------------------------------------------------------- */

static uint16_t
rcode_of(const struct ld_cache_entry *entry)
{
	return ld_get_be16(entry->message.data + 2) & LD_FLAG_RCODE;
}

static uint32_t
age_s(const struct ld_cache_entry *entry, int64_t now_ms)
{
	return now_ms > entry->stored_ms ? (uint32_t)((now_ms - entry->stored_ms) / 1000) : 0;
}

static void
write_ttls(const struct ld_cache_entry *entry, bool is_stale, uint32_t age, struct ld_writer *w)
{
	for (unsigned i = 0; i < entry->ttl_count && entry->ttl_at[i] < w->len; i++) {
		uint8_t *at = w->data + entry->ttl_at[i];
		uint32_t ttl = ld_get_be32(at);

		ld_put_be32(at, is_stale ? STALE_TTL_S : ttl > age ? ttl - age : 0);
	}
}

/* What to tell with an entry: if it is stale that it is, and why nothing better is to be had. */
static struct ld_span
edes_of(struct ld_worker *worker, const struct ld_cache_entry *entry, bool is_stale,
	struct ld_span causes)
{
	struct ld_writer edes = ld_writer(worker->kept_edes, sizeof worker->kept_edes);

	if (!is_stale)
		return entry->edes;
	ld_ede_put(&edes,
		   rcode_of(entry) == LD_RCODE_NXDOMAIN ? LD_EDE_STALE_NXDOMAIN : LD_EDE_STALE,
		   ld_span(NULL, 0));
	if (causes.len <= edes.size - edes.len)
		ld_writer_bytes(&edes, causes);
	return ld_span(edes.data, edes.len);
}

/* Copy an entry out: its TTLs less its age, the question as the client wrote it.  What is stale is
 * not told as authentic: its signatures may have expired, too. */
static void
copy_entry(struct ld_worker *worker, const struct ld_ask *ask, const struct ld_cache_entry *entry,
	   int64_t now_ms, struct ld_span causes, struct ld_writer *w)
{
	bool is_stale = entry->expires_ms <= now_ms;
	struct ld_answer_start start = {
		.rcode = rcode_of(entry),
		.secure = !is_stale && (entry->flags & LD_CACHE_SECURE) != 0,
	};
	struct ld_answer answer;
	struct ld_span message = entry->message;

	ld_explain_passed(worker, ask, false, edes_of(worker, entry, is_stale, causes), &start);
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
		/* One that says that the name does not exist has no type of its own. */
		ld_put_be16(w->data + answer.question_end - 4, ask->type);
		write_ttls(entry, is_stale, age_s(entry, now_ms), w);
		w->failed = is_cut;
	}
	ld_answer_end(&answer, worker);
}

/* Written anew: for a client that came here by a rewritten name, or below a name that does not
 * exist.  The name asked for is longer or shorter than the one in the entry. */
static void
rewrite_entry(struct ld_worker *worker, const struct ld_ask *ask,
	      const struct ld_cache_entry *entry, int64_t now_ms, struct ld_span causes,
	      struct ld_writer *w)
{
	bool is_stale = entry->expires_ms <= now_ms;
	struct ld_reply reply = {
		.message = entry->message,
		.rcode = rcode_of(entry),
		.secure = !is_stale && (entry->flags & LD_CACHE_SECURE) != 0,
		.age_s = is_stale ? 0 : age_s(entry, now_ms),
		.stale_ttl_s = is_stale ? STALE_TTL_S : 0,
		.edes = edes_of(worker, entry, is_stale, causes),
	};
	bool is_written = ld_reply_write(worker, ask, &reply, w);

	LD_ASSERT(is_written); /* it was well formed when it was put there */
}

static bool
targets_are_closed(struct ld_worker *worker, const struct ld_ask *ask,
		   const struct ld_cache_entry *entry, const struct lindung_answer *verdict,
		   struct ld_writer *w)
{
	struct ld_name target;
	struct lindung_answer target_verdict;

	if (entry->targets.len == 0)
		return false;
	/* What this list said about this name does not change.  But the same entry serves clients
	 * that came to it by a rewritten name, with another verdict: those are judged each time. */
	if (ask->rewritten.len == 0 && entry->list_generation == worker->list_generation)
		return false;
	if (ld_judge_targets(worker, verdict, entry->targets, &target, &target_verdict)) {
		ld_block_answer(worker, ask, &target_verdict, &target, true, w);
		return true;
	}
	if (ask->rewritten.len == 0)
		ld_cache_judged(entry, worker->list_generation);
	return false;
}

/* Answer with this entry, fresh or stale; `causes`: why upstream has no better one. */
static void
give(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
     const struct ld_cache_entry *entry, struct ld_span causes,
     const struct lindung_answer *verdict, struct ld_writer *w)
{
	if (targets_are_closed(worker, ask, entry, verdict, w))
		return;
	if ((entry->flags & LD_CACHE_REBINDING) != 0) {
		ld_block_rebinding(worker, ask, entry->edes, w);
		return;
	}
	if (ask->rewritten.len == 0)
		copy_entry(worker, ask, entry, now_ms, causes, w);
	else
		rewrite_entry(worker, ask, entry, now_ms, causes, w);
	if (entry->expires_ms <= now_ms)
		ld_worker_count(worker, LD_COUNTER_STALE);
	else
		ld_worker_count(worker,
				ask->rewritten.len == 0 ? LD_COUNTER_CACHED : LD_COUNTER_REWRITTEN);
}

/* ---- Finding one -------------------------------------------------------------------------- */

/* RFC 8020: below a name that does not exist is nothing.  Only where that was validated: there are
 * servers that deny a name which has others below it, and none of them signs. */
static bool
find_denied_above(const struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		  const struct ld_keys *keys, struct ld_cache_entry *ret)
{
	struct ld_cache_key key = ld_keys_no_name(keys);

	while (key.name.data[0] != 0) {
		key.name = ld_span_from(key.name, key.name.data[0] + 1u);
		key.hash =
			kind_hash(name_hash(worker, ask->class_, ask->flags, key.name), 0, false);
		if (ld_cache_peek(worker->cache, &key, ret) &&
		    (ret->flags & LD_CACHE_SECURE) != 0 && ret->expires_ms > now_ms)
			return ld_cache_get(worker->cache, &key, ret);
	}
	return false;
}

/* That the name does not exist, if that was said after what was found by the type. */
static bool
find_denied(struct ld_worker *worker, const struct ld_keys *keys, bool found,
	    struct ld_cache_entry *entry)
{
	struct ld_cache_key key = ld_keys_no_name(keys);
	struct ld_cache_entry denied;

	if (!ld_cache_get(worker->cache, &key, &denied) ||
	    (found && denied.stored_ms < entry->stored_ms))
		return false;
	*entry = denied;
	return true;
}

bool
ld_kept_may_be_stale(const struct ld_worker *worker, int64_t now_ms,
		     const struct ld_cache_entry *entry)
{
	return (entry->flags & LD_CACHE_NOT_STALE) == 0 &&
	       now_ms - entry->expires_ms < (int64_t)worker->resolver->config.cache_stale_s * 1000;
}

/* Whether to ask again ahead of the end, so that nobody has to wait then: of what clients ask for
 * more than once, and once an entry. */
static bool
take_refresh(const struct ld_worker *worker, int64_t now_ms, const struct ld_cache_entry *entry)
{
	if (entry->asked < LD_CACHE_ASKED_MAX || (entry->flags & LD_CACHE_REFRESHED) != 0 ||
	    !worker->resolver->config.cache_prefetch ||
	    (entry->expires_ms - now_ms) * REFRESH_SHARE >= entry->expires_ms - entry->stored_ms)
		return false;
	ld_cache_mark(entry, LD_CACHE_REFRESHED);
	return true;
}

/* A failure that is remembered: what is stale goes before it. */
static bool
answer_by_failure(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		  const struct ld_keys *keys, const struct ld_cache_entry *stale,
		  const struct lindung_answer *verdict, struct ld_writer *w)
{
	struct ld_cache_key key = ld_keys_failure(keys);
	struct ld_cache_entry failure;

	if (!ld_cache_get(worker->cache, &key, &failure) || failure.expires_ms <= now_ms)
		return false;
	if (stale != NULL) {
		give(worker, now_ms, ask, stale, failure.edes, verdict, w);
		return true;
	}
	struct ld_writer edes = ld_writer(worker->kept_edes, sizeof worker->kept_edes);
	ld_writer_bytes(&edes, failure.edes);
	ld_ede_put(&edes, LD_EDE_CACHED_ERROR, ld_span(NULL, 0));
	ld_reply_failure(worker, ask, ld_span(edes.data, edes.len), w);
	ld_worker_count(worker, LD_COUNTER_FAILED_CACHED);
	return true;
}

bool
ld_kept_answer(struct ld_worker *worker, int64_t now_ms, struct ld_ask *ask,
	       const struct ld_name *lower, const struct lindung_answer *verdict,
	       struct ld_writer *w)
{
	struct ld_keys keys;
	struct ld_cache_entry entry, denied;

	ld_keys_init(&keys, worker, ask, lower);
	ask->hash = keys.answer.hash;
	bool found = ld_cache_get(worker->cache, &keys.answer, &entry);
	if (!found || entry.expires_ms <= now_ms)
		found |= find_denied(worker, &keys, found, &entry);
	if (found && entry.expires_ms > now_ms) {
		ask->refresh = take_refresh(worker, now_ms, &entry);
		give(worker, now_ms, ask, &entry, NO_CAUSES, verdict, w);
		return true;
	}
	if (find_denied_above(worker, now_ms, ask, &keys, &denied)) {
		rewrite_entry(worker, ask, &denied, now_ms, NO_CAUSES, w);
		ld_worker_count(worker,
				ask->rewritten.len == 0 ? LD_COUNTER_CACHED : LD_COUNTER_REWRITTEN);
		return true;
	}
	ask->has_stale = found && ld_kept_may_be_stale(worker, now_ms, &entry);
	return answer_by_failure(worker, now_ms, ask, &keys, ask->has_stale ? &entry : NULL,
				 verdict, w);
}

bool
ld_kept_stale(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
	      struct ld_span causes, const struct lindung_answer *verdict, struct ld_writer *w)
{
	struct ld_keys keys;
	struct ld_name lower;
	struct ld_cache_entry entry;

	ld_lower_name(&lower, &ask->name);
	ld_keys_init(&keys, worker, ask, &lower);
	bool found = ld_cache_get(worker->cache, &keys.answer, &entry);
	found |= find_denied(worker, &keys, found, &entry);
	if (!found || !ld_kept_may_be_stale(worker, now_ms, &entry))
		return false;
	give(worker, now_ms, ask, &entry, causes, verdict, w);
	return true;
}

bool
ld_worker_stale(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		struct ld_writer *answer)
{
	struct lindung_answer verdict;

	worker->closed = false;
	if (!ld_reply_judge(worker, ask, &verdict, answer) &&
	    !ld_kept_stale(worker, now_ms, ask, NO_CAUSES, &verdict, answer))
		return false;
	(void)ld_limit_answer(worker, now_ms, ask, answer);
	return true;
}
