/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/worker.h"

enum {
	PADDING_BLOCK = 468, /* RFC 8467 section 4.1 */
};

const struct ld_name *
ld_ask_client_name(const struct ld_ask *ask)
{
	return ask->rewritten.len != 0 ? &ask->rewritten : &ask->name;
}

uint16_t
ld_answer_flags(const struct ld_ask *ask, const struct ld_answer_start *start)
{
	unsigned flags = LD_FLAG_QR | LD_FLAG_RA | (start->rcode & LD_FLAG_RCODE);

	flags |= ask->flags & (LD_FLAG_OPCODE | LD_FLAG_RD | LD_FLAG_CD);
	if (start->authoritative)
		flags |= LD_FLAG_AA;
	/* RFC 6840 section 5.8: to those who set AD or DO. */
	if (start->secure && (ask->dnssec_ok || (ask->flags & LD_FLAG_AD) != 0))
		flags |= LD_FLAG_AD;
	return (uint16_t)flags;
}

static size_t
size_limit(const struct ld_worker *worker, const struct ld_ask *ask, size_t size)
{
	size_t limit = LD_MESSAGE_MAX_BYTES;

	if (ask->from.transport == LD_TRANSPORT_UDP) {
		size_t ours = worker->resolver->config.udp_payload_bytes;

		limit = ask->udp_size < ours ? ask->udp_size : ours;
	}
	return size < limit ? size : limit;
}

/* In units of 100 ms, as far as the field goes. */
static uint16_t
keepalive_units(uint32_t idle_ms)
{
	return (uint16_t)(idle_ms / 100 < UINT16_MAX ? idle_ms / 100 : UINT16_MAX);
}

void
ld_answer_frame(struct ld_answer *answer, const struct ld_worker *worker, const struct ld_ask *ask,
		const struct ld_answer_start *start, struct ld_writer *w)
{
	const struct ld_resolver_config *config = &worker->resolver->config;
	bool is_tls = ask->from.transport == LD_TRANSPORT_TLS;

	answer->ask = ask;
	answer->w = w;
	answer->question_end = LD_HEADER_BYTES;
	answer->opt = (struct ld_opt){
		.udp_size = config->udp_payload_bytes,
		.rcode_high = (uint8_t)(start->rcode >> 4),
		.dnssec_ok = ask->dnssec_ok,
		.edes = start->edes,
		.edes_shorter = start->edes_shorter,
		.cookie = {ask->cookie, ask->cookie_len},
		.has_keepalive = ask->keepalive,
		.keepalive = keepalive_units(is_tls ? config->tls_idle_ms : config->tcp_idle_ms),
		.padding_block = ask->padding ? PADDING_BLOCK : 0,
	};
	answer->size = size_limit(worker, ask, w->size);
	w->size = answer->size;
	size_t reserved = ask->edns ? ld_build_opt_bytes(&answer->opt) : 0;
	w->size = w->size > reserved ? w->size - reserved : 0;
}

void
ld_answer_begin(struct ld_answer *answer, const struct ld_worker *worker, const struct ld_ask *ask,
		const struct ld_answer_start *start, struct ld_writer *w)
{
	const struct ld_name *name = ld_ask_client_name(ask);

	ld_answer_frame(answer, worker, ask, start, w);
	ld_build_header(w, ask->id, ld_answer_flags(ask, start));
	if (name->len != 0)
		ld_build_question(w, name, ask->type, ask->class_);
	answer->question_end = w->len;
}

void
ld_answer_end(struct ld_answer *answer, struct ld_worker *worker)
{
	struct ld_writer *w = answer->w;

	if (w->failed && answer->question_end <= w->size &&
	    answer->question_end >= LD_HEADER_BYTES) {
		ld_build_cut(w, answer->question_end);
		ld_worker_count(worker, LD_COUNTER_TRUNCATED);
	}
	w->size = answer->size;
	if (answer->ask->edns)
		ld_build_opt(w, &answer->opt);
}

void
ld_answer_empty(struct ld_worker *worker, const struct ld_ask *ask, unsigned rcode, int ede,
		struct ld_span ede_text, struct ld_writer *w)
{
	uint8_t memory[LD_EDE_BYTES + LD_EDE_TEXT_MAX_BYTES];
	struct ld_writer edes = ld_writer(memory, sizeof memory);

	if (ede >= 0)
		ld_ede_put(&edes, (uint16_t)ede, ld_span_first(ede_text, LD_EDE_TEXT_MAX_BYTES));
	ld_answer_bare(
		worker, ask,
		&(struct ld_answer_start){.rcode = (uint16_t)rcode, .edes = {edes.data, edes.len}},
		w);
}

void
ld_answer_bare(struct ld_worker *worker, const struct ld_ask *ask,
	       const struct ld_answer_start *start, struct ld_writer *w)
{
	struct ld_answer answer;

	ld_answer_begin(&answer, worker, ask, start, w);
	ld_answer_end(&answer, worker);
}
