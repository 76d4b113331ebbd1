/* SPDX-License-Identifier: BSD-2-Clause */
/* What upstream says, of any octets.  The first octet chooses the client; the question is that of
 * the message itself, so that it gets past the check that it is the one asked.  Then the answer for
 * the client, and one more from the cache, must be responses to the client's query that our own
 * parser takes, within the limit. */
#include "fuzz.h"
#include "resolver/fake_list.h"
#include "resolver/resolver.h"
#include "upstream/extended_error.h"
#include "upstream/upstream.h"
#include "wire/message.h"

static const struct fake_entry entries[] = {
	{.name = "a.b", .category = "gambling", .action = LINDUNG_BLOCK},
	{.name = "r", .category = "safesearch", .action = LINDUNG_REWRITE, .target = "CNAME t.r"},
};

static const char *const shared[] = {"b"};

static struct ld_worker *worker;

static void
make_worker(void)
{
	struct ld_resolver *resolver;
	struct ld_resolver_config config = {
		.block_ttl_s = 30,
		.block_ede = 17,
		.cache_bytes = 256 * 1024,
		.cache_ttl_min_s = 1,
		.cache_ttl_max_s = 3600,
		.cache_negative_ttl_max_s = 60,
		.cache_stale_s = 20000,
		.cache_failure_ttl_max_s = 30,
		.cache_prefetch = true,
		.udp_payload_bytes = 1232,
		.rebinding_protection = true,
		.upstream_filters = true,
		.shared = shared,
		.shared_count = 1,
	};

	LD_ASSERT(ld_resolver_new(&resolver, &config, NULL) == LINDUNG_OK);
	LD_ASSERT(ld_worker_new(&worker, resolver) == LINDUNG_OK);
	ld_worker_set_list(worker, fake_list_new(entries, sizeof entries / sizeof *entries));
}

/* An extended error with the code 4, which structured errors exclude. */
static bool
tells_forged(struct ld_span answer)
{
	struct ld_upstream_result said = {.ede = -1};
	bool found = false;

	ld_extended_errors_read(&said, answer);
	for (unsigned i = 0; i < said.ede_count; i++)
		found |= said.edes[i].code == LD_EDE_FORGED;
	return found;
}

static void
check_answer(const struct ld_ask *ask, struct ld_span answer)
{
	struct ld_walk walk;
	struct ld_record record;
	const struct ld_name *asked = ask->rewritten.len != 0 ? &ask->rewritten : &ask->name;

	LD_ASSERT(answer.len <= (ask->from.transport == LD_TRANSPORT_UDP ? ask->udp_size : 65535u));
	LD_ASSERT(ld_walk_begin(&walk, answer));
	LD_ASSERT(walk.header.id == ask->id && (walk.header.flags & LD_FLAG_QR) != 0);
	LD_ASSERT(walk.question.len == asked->len);
	LD_ASSERT(memcmp(walk.question.wire, asked->wire, asked->len) == 0);
	LD_ASSERT(walk.type == ask->type && walk.class_ == ask->class_);
	unsigned opts = 0;
	while (ld_walk_next(&walk, &record))
		opts += record.type == LD_TYPE_OPT;
	if (ask->structured_error)
		LD_ASSERT(!tells_forged(answer));
	LD_ASSERT(!walk.reader.failed && ld_reader_left(&walk.reader) == 0);
	LD_ASSERT(opts == (ask->edns ? 1 : 0));
}

/* A query for the question of the message, as the octet says; false if it has none. */
static bool
write_query(struct ld_writer *w, uint8_t choice, const struct ld_walk *walk)
{
	ld_writer_be16(w, 0x1234);
	ld_writer_be16(w, (uint16_t)(LD_FLAG_RD | (choice & 1 ? LD_FLAG_CD : 0) |
				     (choice & 2 ? LD_FLAG_AD : 0)));
	ld_writer_be32(w, 0x00010000);
	ld_writer_be32(w, choice & 4 ? 1 : 0);
	ld_writer_bytes(w, choice & 8 ? LD_SPAN("\1R\0")
				      : ld_span(walk->question.wire, walk->question.len));
	ld_writer_be16(w, walk->type);
	ld_writer_be16(w, walk->class_);
	if (choice & 4) {
		ld_writer_bytes(w, LD_SPAN("\0\0\x29"));
		ld_writer_be16(w, choice & 16 ? 1232 : 512);
		ld_writer_be32(w, choice & 32 ? LD_EDNS_DO : 0);
		ld_writer_be16(w, choice & 2 ? 4 : 0);
		if (choice & 2) /* structured errors */
			ld_writer_be32(w, (uint32_t)LD_OPTION_STRUCTURED_ERROR << 16);
	}
	return !w->failed;
}

/* Ask; what upstream says to it, if it is asked, is `result`. */
static void
ask_once(struct ld_span query, const struct ld_from *from, int64_t now_ms,
	 const struct ld_upstream_result *result)
{
	static uint8_t memory[LD_MESSAGE_MAX_BYTES];
	struct ld_writer answer = ld_writer(memory, sizeof memory);
	struct ld_ask ask;
	enum ld_step step = ld_worker_query(worker, from, now_ms, query, &answer, &ask);

	LD_ASSERT(step != LD_STEP_DROP);
	if (step == LD_STEP_ASK && ask.has_stale) {
		struct ld_writer stale = ld_writer(memory, sizeof memory);

		LD_ASSERT(ld_worker_stale(worker, now_ms, &ask, &stale) && !stale.failed);
		check_answer(&ask, ld_span(stale.data, stale.len));
	}
	if (step == LD_STEP_ASK) {
		ld_worker_learn(worker, now_ms, &ask, result);
		ld_worker_finish(worker, now_ms, &ask, result, &answer);
	}
	LD_ASSERT(!answer.failed);
	check_answer(&ask, ld_span(answer.data, answer.len));
}

/* The name below the one asked for, which the answer may speak of, too (RFC 8020). */
static bool
go_below(struct ld_walk *walk)
{
	struct ld_name *name = &walk->question;

	if (name->len > LD_NAME_WIRE_MAX - 2)
		return false;
	memmove(name->wire + 2, name->wire, name->len);
	memcpy(name->wire, "\1x", 2);
	name->len = (uint8_t)(name->len + 2);
	name->labels++;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ld_upstream_result silent = {.error = LINDUNG_ENET, .ede = 22};
	static uint8_t memory[512], below_memory[512];
	static int64_t now_ms = 1000;
	struct ld_writer query = ld_writer(memory, sizeof memory);
	struct ld_writer below = ld_writer(below_memory, sizeof below_memory);
	struct ld_upstream_result result = {.ede = -1};
	struct ld_walk walk;

	if (worker == NULL)
		make_worker();
	if (size < 1 || !ld_walk_begin(&walk, ld_span(data + 1, size - 1)) ||
	    !write_query(&query, data[0], &walk))
		return 0;
	now_ms += 100000000; /* nothing of the input before is left, not even stale */
	result.message = ld_span(data + 1, size - 1);
	ld_extended_errors_read(&result, result.message);
	result.secure = (data[0] & 64) != 0;
	struct ld_from from = {.transport = data[0] & 128 ? LD_TRANSPORT_TCP : LD_TRANSPORT_UDP};
	/* From upstream, from the cache, for a name below; stale, and stale once more. */
	ask_once(ld_span(query.data, query.len), &from, now_ms, &result);
	ask_once(ld_span(query.data, query.len), &from, now_ms, &result);
	if (go_below(&walk) && write_query(&below, data[0], &walk))
		ask_once(ld_span(below.data, below.len), &from, now_ms, &silent);
	ask_once(ld_span(query.data, query.len), &from, now_ms + 4000000, &silent);
	ask_once(ld_span(query.data, query.len), &from, now_ms + 4000000, &silent);
	return 0;
}
