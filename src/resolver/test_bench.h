/* A worker on a bench, for the tests of this folder: queries and responses as lines of text (see
 * wire/show.h), a list of a few names, a clock that the test moves.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_RESOLVER_TEST_BENCH_H
#define LD_RESOLVER_TEST_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "resolver/fake_list.h"
#include "resolver/resolver.h"
#include "upstream/upstream.h"
#include "wire/show.h"

/** What most tests use: a copy of it, with what they change. */
extern const struct ld_resolver_config bench_config;

/** A worker and what belongs to it. */
struct bench {
	struct ld_resolver *resolver;
	struct ld_worker *worker;
	struct lindung *list;
	struct ld_from from;
	int64_t now_ms;
	struct ld_ask ask;
	uint8_t out[LD_MESSAGE_MAX_BYTES];
	size_t out_len;
};

/** With the list of test_bench.c: closed are casino.example (but not shop.casino.example),
 * adult.example (but not help.adult.example, which is protected) and onion; rewritten are
 * search.example, img.example and img6.example. */
struct bench *bench_new(const struct ld_resolver_config *config);
void bench_free(struct bench *bench);

/** The answer to these octets as a line; "drop" or "ask" where there is none. */
const char *bench_answer_bytes(struct bench *bench, struct ld_span query);
const char *bench_answer(struct bench *bench, struct ld_show_query query);

/** Upstream says this to what was asked last: learnt, and finished for that client. */
const char *bench_finish(struct bench *bench, struct ld_upstream_result result,
			 const char *response);

/** Queries, and what is to be answered. */
struct row {
	struct ld_show_query query;
	const char *answer;
};

void bench_check_rows(struct bench *bench, const struct row *rows, size_t count);
#define CHECK_ROWS(bench, rows) bench_check_rows(bench, rows, sizeof rows / sizeof *rows)

static const struct ld_upstream_result good = {.ede = -1};
static const struct ld_upstream_result validated = {.ede = -1, .secure = true};

#define A LD_TYPE_A
#define BLOCK_SOA(owner) " | au " owner " 30 SOA lindung.invalid 30"
#define ZONE_SOA(zone) " | au " zone " 10800 SOA " zone " 10800"
#define GAMBLING " ede 17 Blocked: gambling (list fake)"

#endif
