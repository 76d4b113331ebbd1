/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/rate.h"
#include "resolver/worker.h"

enum { ANSWER_COUNT_AT = 4 + 2 * LD_COUNT_ANSWER };

/* What stands in the place of an answer: "come back over TCP".  It has what else goes with an
 * answer, so the client may also get the cookie that proves it the next time. */
static void
cut(struct ld_worker *worker, const struct ld_ask *ask, struct ld_writer *answer)
{
	*answer = ld_writer(answer->data, answer->size);
	ld_answer_bare(worker, ask, &(struct ld_answer_start){.rcode = LD_RCODE_NOERROR}, answer);
	if (answer->len >= LD_HEADER_BYTES)
		ld_put_be16(answer->data + 2,
			    (uint16_t)(ld_get_be16(answer->data + 2) | LD_FLAG_TC));
}

/* False: nothing is sent. */
static bool
hold(struct ld_worker *worker, enum ld_rate_step step, const struct ld_ask *ask,
     struct ld_writer *answer)
{
	switch (step) {
	case LD_RATE_SLIP:
		ld_worker_count(worker, LD_COUNTER_RATE_SLIPPED);
		cut(worker, ask, answer);
		return true;
	case LD_RATE_HOLD:
		ld_worker_count(worker, LD_COUNTER_RATE_DROPPED);
		ld_worker_count(worker, LD_COUNTER_DROPPED);
		*answer = ld_writer(answer->data, answer->size);
		return false;
	case LD_RATE_LEAK:
		ld_worker_count(worker, LD_COUNTER_RATE_LEAKED);
		return true;
	case LD_RATE_SEND:
	default:
		return true;
	}
}

static enum ld_rate_kind
kind_of(const struct ld_worker *worker, struct ld_span answer)
{
	unsigned rcode = ld_get_be16(answer.data + 2) & LD_FLAG_RCODE;

	/* A list says no as often as it must: that is no sign of names made up. */
	if (worker->closed)
		return LD_RATE_ANSWER;
	if (rcode == LD_RCODE_NXDOMAIN)
		return LD_RATE_NXDOMAIN;
	if (rcode != LD_RCODE_NOERROR)
		return LD_RATE_ERROR;
	return ld_get_be16(answer.data + ANSWER_COUNT_AT) != 0 ? LD_RATE_ANSWER : LD_RATE_NODATA;
}

bool
ld_limit_answer(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
		struct ld_writer *answer)
{
	enum ld_rate_kind kind;

	if (worker->rate == NULL || ask->proven || answer->failed || answer->len < LD_HEADER_BYTES)
		return true;
	kind = kind_of(worker, ld_span(answer->data, answer->len));
	return hold(worker, ld_rate_take(worker->rate, kind, &ask->from, now_ms), ask, answer);
}

bool
ld_limit_query(struct ld_worker *worker, int64_t now_ms, const struct ld_ask *ask,
	       struct ld_writer *answer, enum ld_step *ret)
{
	enum ld_rate_step step;

	if (worker->rate == NULL)
		return false;
	step = ld_rate_take(worker->rate, ask->proven ? LD_RATE_QUERY_PROVEN : LD_RATE_QUERY,
			    &ask->from, now_ms);
	if (step == LD_RATE_SEND)
		return false;
	if (ask->proven) {
		ld_worker_count(worker, LD_COUNTER_RATE_REFUSED);
		ld_worker_count(worker, LD_COUNTER_REFUSED);
		ld_answer_empty(worker, ask, LD_RCODE_REFUSED, LD_EDE_RATE_LIMITED,
				(struct ld_span){NULL, 0}, answer);
		*ret = LD_STEP_ANSWER;
		return true;
	}
	if (step == LD_RATE_LEAK) {
		ld_worker_count(worker, LD_COUNTER_RATE_LEAKED);
		return false;
	}
	*ret = hold(worker, step, ask, answer) ? LD_STEP_ANSWER : LD_STEP_DROP;
	return true;
}

bool
ld_worker_may_answer(struct ld_worker *worker, const struct ld_from *from, int64_t now_ms,
		     struct ld_writer *answer)
{
	enum ld_rate_step step;

	if (worker->rate == NULL || answer->len < LD_HEADER_BYTES)
		return true;
	worker->closed = false;
	step = ld_rate_take(worker->rate, kind_of(worker, ld_span(answer->data, answer->len)), from,
			    now_ms);
	/* What is signed cannot be cut. */
	return hold(worker, step == LD_RATE_SLIP ? LD_RATE_HOLD : step, NULL, answer);
}
