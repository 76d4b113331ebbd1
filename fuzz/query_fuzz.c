/* SPDX-License-Identifier: BSD-2-Clause */
/* A query of any octets.  The first octet chooses the transport and the mode; an answer, if there
 * is one, is a response to that query, within its limit, and our own parser takes it. */
#include "fuzz.h"
#include "resolver/fake_list.h"
#include "resolver/resolver.h"
#include "wire/message.h"

#include <stdlib.h>

static const struct fake_entry entries[] = {
	{.name = "a", .category = "gambling", .action = LINDUNG_BLOCK},
	{.name = "b.a", .category = "gambling", .action = LINDUNG_ALLOW},
	{.name = "r", .category = "safesearch", .action = LINDUNG_REWRITE, .target = "CNAME t.r"},
	{.name = "i", .category = "safesearch", .action = LINDUNG_REWRITE, .target = "A 192.0.2.1"},
};

static struct ld_worker *workers[4];

static const char *const names[] = {"n.home.arpa 10.0.0.1 fd00::1", "n 10.0.0.2", "i.n ::1"};

static uint32_t
a_time(void)
{
	return 1700000000;
}

static void
make_workers(void)
{
	struct lindung *list = fake_list_new(entries, sizeof entries / sizeof *entries);

	for (unsigned mode = 0; mode < 4; mode++) {
		struct ld_resolver *resolver;
		struct ld_resolver_config config = {
			.block_mode = (enum ld_block_mode)mode,
			.has_address4 = true,
			.block_ttl_s = 30,
			.block_ede = 17,
			.udp_payload_bytes = 1232,
			.unix_s = a_time,
			.cookie_required = mode == 3,
			.tcp_idle_ms = 10000,
			.local_names = names,
			.local_name_count = 3,
			.canaries = true,
			.identity_name = "i.n",
			.tls_port = 853,
			.https_port = 443,
		};

		LD_ASSERT(ld_resolver_new(&resolver, &config, NULL) == LINDUNG_OK);
		LD_ASSERT(ld_worker_new(&workers[mode], resolver) == LINDUNG_OK);
		ld_worker_set_list(workers[mode], list);
	}
}

static void
check_answer(struct ld_span query, struct ld_span answer, size_t limit)
{
	struct ld_walk walk;
	struct ld_record record;
	struct ld_header header;

	LD_ASSERT(answer.len >= LD_HEADER_BYTES && answer.len <= limit);
	LD_ASSERT(ld_get_be16(answer.data) == ld_get_be16(query.data));
	struct ld_reader r = ld_reader(answer);
	header = ld_header_read(&r);
	LD_ASSERT((header.flags & LD_FLAG_QR) != 0);
	LD_ASSERT((header.flags & (LD_FLAG_Z | LD_FLAG_AD)) == 0);
	if (header.counts[0] == 0) {
		for (int i = 1; i < 3; i++)
			LD_ASSERT(header.counts[i] == 0);
		return;
	}
	LD_ASSERT(ld_walk_begin(&walk, answer));
	LD_ASSERT((header.flags & LD_FLAG_AA) == 0 || walk.type == LD_TYPE_SVCB ||
		  walk.type == LD_TYPE_RESINFO);
	while (ld_walk_next(&walk, &record))
		;
	LD_ASSERT(!walk.reader.failed && ld_reader_left(&walk.reader) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[LD_MESSAGE_MAX_BYTES];
	struct ld_writer answer = ld_writer(memory, sizeof memory);
	struct ld_ask ask;

	if (size < 1)
		return 0;
	if (workers[0] == NULL)
		make_workers();
	struct ld_from from = {
		.transport = data[0] >> 2 & 3,
		.address_len = data[0] & 16 ? 4 : 16,
	};
	struct ld_span query = ld_span(data + 1, size - 1);
	enum ld_step step =
		ld_worker_query(workers[data[0] & 3], &from, 1000, query, &answer, &ask);
	if (step == LD_STEP_ANSWER) {
		LD_ASSERT(!answer.failed);
		check_answer(query, ld_span(answer.data, answer.len),
			     from.transport == LD_TRANSPORT_UDP ? 1232 : LD_MESSAGE_MAX_BYTES);
	}
	LD_ASSERT(step != LD_STEP_DROP || answer.len == 0);
	return 0;
}
