/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/test_bench.h"

#define SOA(owner, ttl, minimum) " | au " owner " " #ttl " SOA ns." owner " " #minimum
#define ADDRESS(name, ttl) " | an " name " " #ttl " A 192.0.2.1"
#define STALE "an www.example 30 A 192.0.2.1 | opt 1232 ede 3"

static const struct ld_upstream_result silent = {
	.error = LINDUNG_ENET, .ede = 22, .ede_text = "No server answered"};
static const struct ld_upstream_result bogus = {.error = LINDUNG_ENET, .ede = 6};

static const struct ld_show_query www = {.name = "www.example", .type = A, .edns = true};

static struct ld_show_query
of(const char *name, uint16_t type)
{
	return (struct ld_show_query){.name = name, .type = type};
}

/* Ask, which upstream must be asked for, and learn what it says. */
static void
learn(struct bench *bench, struct ld_show_query query, struct ld_upstream_result result,
      const char *response)
{
	assert_string_equal(bench_answer(bench, query), "ask");
	bench_finish(bench, result, response);
}

static void
learn_www(struct bench *bench)
{
	learn(bench, www, good, "NOERROR | www.example A" ADDRESS("www.example", 60));
}

/* What a client is told that has waited for LD_STALE_WAIT_MS; "wait" if it has to go on. */
static const char *
late(struct bench *bench)
{
	struct ld_writer w = ld_writer(bench->out, sizeof bench->out);

	if (!ld_worker_stale(bench->worker, bench->now_ms, &bench->ask, &w))
		return "wait";
	return ld_show_message(ld_span(w.data, w.len));
}

static uint64_t
counted(const struct bench *bench, enum ld_counter counter)
{
	return ld_worker_counter(bench->worker, counter);
}

/* ---- RFC 2181 and 2308: how long, and for what ------------------------------------------- */

static void
rfc2181_the_ttls_of_an_rrset_are_its_least(void **state)
{
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	assert_string_equal(bench_answer(bench, of("a.example", A)), "ask");
	assert_string_equal(
		bench_finish(bench, good,
			     "NOERROR | a.example A | an a.example 600 CNAME b.example"
			     " | an b.example 300 A 192.0.2.1 | an B.example 200 A 192.0.2.2"
			     " | an b.example 400 A 192.0.2.3 | an b.example 100 A 192.0.2.4"),
		"NOERROR qr rd ra | a.example A | an a.example 600 CNAME b.example"
		" | an b.example 100 A 192.0.2.1 | an b.example 100 A 192.0.2.2"
		" | an b.example 100 A 192.0.2.3 | an b.example 100 A 192.0.2.4");
	bench->now_ms += 10000;
	assert_string_equal(bench_answer(bench, of("a.example", A)),
			    "NOERROR qr rd ra | a.example A | an a.example 590 CNAME b.example"
			    " | an b.example 90 A 192.0.2.1 | an b.example 90 A 192.0.2.2"
			    " | an b.example 90 A 192.0.2.3 | an b.example 90 A 192.0.2.4");
	bench_free(bench);
}

static void
rfc2308_nxdomain_is_kept_by_name(void **state)
{
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	learn(bench, of("no.example", A), good, "NXDOMAIN | no.example A" SOA("example", 60, 90));
	bench->now_ms += 10000;
	assert_string_equal(
		bench_answer(bench, of("no.example", LD_TYPE_AAAA)),
		"NXDOMAIN qr rd ra | no.example AAAA | au example 50 SOA ns.example 90");
	/* For one that sets CD nothing is validated: that is kept apart. */
	assert_string_equal(bench_answer(bench, (struct ld_show_query){.name = "no.example",
								       .type = A,
								       .flags = LD_FLAG_CD}),
			    "ask");
	bench->now_ms += 50000;
	/* It has come into being: what is known of one type holds for no other. */
	learn(bench, of("no.example", A), good, "NOERROR | no.example A" ADDRESS("no.example", 60));
	assert_string_equal(bench_answer(bench, of("no.example", LD_TYPE_AAAA)), "ask");
	bench_free(bench);
}

static void
rfc2308_nodata_is_kept_by_name_and_type(void **state)
{
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	learn(bench, of("a.example", LD_TYPE_AAAA), good,
	      "NOERROR | a.example AAAA" SOA("example", 3600, 20));
	assert_string_equal(bench_answer(bench, of("a.example", LD_TYPE_AAAA)),
			    "NOERROR qr rd ra | a.example AAAA | au example 20 SOA ns.example 20");
	assert_string_equal(bench_answer(bench, of("a.example", A)), "ask");
	bench->now_ms += 20000;
	assert_string_equal(bench_answer(bench, of("a.example", LD_TYPE_AAAA)), "ask");
	bench_free(bench);
}

/* RFC 2308 section 2.1, RFC 6604: it is the last name of the chain that does not exist. */
static void
rfc2308_nxdomain_behind_a_cname_is_not_of_the_name(void **state)
{
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	learn(bench, of("a.example", A), validated,
	      "NXDOMAIN | a.example A | an a.example 60 CNAME b.example" SOA("example", 60, 60));
	assert_string_equal(bench_answer(bench, of("a.example", A)),
			    "NXDOMAIN qr rd ra | a.example A | an a.example 60 CNAME b.example"
			    " | au example 60 SOA ns.example 60");
	assert_string_equal(bench_answer(bench, of("a.example", LD_TYPE_CNAME)), "ask");
	assert_string_equal(bench_answer(bench, of("x.a.example", A)), "ask");
	bench_free(bench);
}

/* ---- RFC 8020: below a name that does not exist is nothing -------------------------------- */

static void
rfc8020_names_below_do_not_exist(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	struct ld_show_query below = {
		.name = "A.b.No.example", .type = LD_TYPE_MX, .flags = LD_FLAG_AD};

	(void)state;
	learn(bench, of("deep.no.example", A), good,
	      "NOERROR | deep.no.example A" ADDRESS("deep.no.example", 3600));
	learn(bench, of("no.example", A), validated,
	      "NXDOMAIN | no.example A" SOA("example", 60, 60));
	bench->now_ms += 15000;
	assert_string_equal(bench_answer(bench, below),
			    "NXDOMAIN qr rd ra ad | A.b.No.example MX | au example 45 SOA "
			    "ns.example 60");
	assert_int_equal(counted(bench, LD_COUNTER_CACHED), 1);
	/* Not beside it, not above it; and what is known better holds. */
	assert_string_equal(bench_answer(bench, of("xno.example", A)), "ask");
	assert_string_equal(bench_answer(bench, of("example", A)), "ask");
	assert_string_equal(bench_answer(bench, of("deep.no.example", A)),
			    "NOERROR qr rd ra | deep.no.example A | an deep.no.example 3585 A "
			    "192.0.2.1");
	/* A list comes first: casino.example is closed, and so stays its reason. */
	bench->now_ms += 45000;
	assert_string_equal(bench_answer(bench, below), "ask");
	bench_free(bench);
}

/* With its proof, for those who want proofs. */
static void
rfc8020_the_proof_goes_with_it(void **state)
{
	static const char response[] = "NXDOMAIN | no.example A" SOA(
		"example", 60,
		60) " | au example 60 RRSIG #0006080200000000000000000000000000000000";
	struct bench *bench = bench_new(&bench_config);
	struct ld_show_query query = {
		.name = "no.example", .type = A, .edns = true, .dnssec_ok = true};

	(void)state;
	learn(bench, query, validated, response);
	query.name = "x.no.example";
	assert_string_equal(
		bench_answer(bench, query),
		"NXDOMAIN qr rd ra ad | x.no.example A | au example 60 SOA ns.example "
		"60 | au example 60 RRSIG #0006080200000000000000000000000000000000 | opt "
		"1232 do");
	bench_free(bench);
}

static void
rfc8020_only_what_was_validated(void **state)
{
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	learn(bench, of("no.example", A), good, "NXDOMAIN | no.example A" SOA("example", 60, 60));
	assert_string_equal(bench_answer(bench, of("x.no.example", A)), "ask");
	/* What a list closes never comes into the cache. */
	bench_answer(bench, of("casino.example", A));
	assert_string_equal(bench_answer(bench, of("shop.casino.example", A)), "ask");
	bench_free(bench);
}

/* ---- RFC 8767: stale answers ------------------------------------------------------------- */

static void
rfc8767_a_stale_answer_when_upstream_fails(void **state)
{
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	learn_www(bench);
	bench->now_ms += 60000;
	assert_string_equal(bench_answer(bench, www), "ask");
	assert_true(bench->ask.has_stale);
	assert_string_equal(bench_finish(bench, silent, NULL),
			    "NOERROR qr rd ra | www.example A | " STALE
			    " ede 22 No server answered");
	/* Section 5: not asked for again within 30 s, but told at once. */
	bench->now_ms += 29999;
	assert_string_equal(bench_answer(bench, www), "NOERROR qr rd ra | www.example A | " STALE
						      " ede 22 No server answered");
	bench->now_ms += 1;
	assert_string_equal(bench_answer(bench, www), "ask");
	assert_int_equal(counted(bench, LD_COUNTER_STALE), 2);
	assert_int_equal(counted(bench, LD_COUNTER_FAILED), 0);
	/* Upstream is back. */
	bench_finish(bench, good, "NOERROR | www.example A" ADDRESS("www.example", 60));
	assert_string_equal(bench_answer(bench, www),
			    "NOERROR qr rd ra | www.example A | an www.example 60 A 192.0.2.1 | "
			    "opt 1232");
	bench_free(bench);
}

/* The client response timer of section 5: the question goes on meanwhile. */
static void
rfc8767_a_stale_answer_when_upstream_is_late(void **state)
{
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	learn_www(bench);
	assert_string_equal(bench_answer(bench, of("other.example", A)), "ask");
	assert_false(bench->ask.has_stale);
	assert_string_equal(late(bench), "wait");
	bench->now_ms += 60000;
	assert_string_equal(bench_answer(bench, www), "ask");
	bench->now_ms += LD_STALE_WAIT_MS;
	assert_string_equal(late(bench), "NOERROR qr rd ra | www.example A | " STALE);
	bench_finish(bench, good, "NOERROR | www.example A | an www.example 60 A 192.0.2.2");
	assert_string_equal(bench_answer(bench, www),
			    "NOERROR qr rd ra | www.example A | an www.example 60 A 192.0.2.2 | "
			    "opt 1232");
	bench_free(bench);
}

static void
rfc8767_a_stale_nxdomain(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	struct ld_show_query query = {
		.name = "no.example", .type = LD_TYPE_MX, .edns = true, .flags = LD_FLAG_AD};

	(void)state;
	learn(bench, of("no.example", A), validated,
	      "NXDOMAIN | no.example A" SOA("example", 60, 60));
	bench->now_ms += 60000;
	/* For names below a stale one is not enough. */
	assert_string_equal(bench_answer(bench, of("x.no.example", A)), "ask");
	assert_false(bench->ask.has_stale);
	assert_string_equal(bench_answer(bench, query), "ask");
	/* And it is not told as authentic: its signatures may have expired, too. */
	assert_string_equal(bench_finish(bench, silent, NULL),
			    "NXDOMAIN qr rd ra | no.example MX | au example 30 SOA ns.example 60"
			    " | opt 1232 ede 19 ede 22 No server answered");
	bench_free(bench);
}

static void
rfc8767_not_longer_than_configured(void **state)
{
	struct ld_resolver_config config = bench_config;
	struct bench *bench;

	(void)state;
	config.cache_stale_s = 3600;
	bench = bench_new(&config);
	learn_www(bench);
	bench->now_ms += 60000 + 3600000 - 1;
	assert_string_equal(bench_answer(bench, www), "ask");
	assert_true(bench->ask.has_stale);
	bench->now_ms += 1;
	assert_string_equal(late(bench), "wait");
	assert_string_equal(bench_answer(bench, www), "ask");
	assert_false(bench->ask.has_stale);
	assert_string_equal(bench_finish(bench, silent, NULL),
			    "SERVFAIL qr rd ra | www.example A | opt 1232 ede 22 No server "
			    "answered");
	bench_free(bench);
	config.cache_stale_s = 0;
	bench = bench_new(&config);
	learn_www(bench);
	bench->now_ms += 60000;
	assert_string_equal(bench_answer(bench, www), "ask");
	assert_false(bench->ask.has_stale);
	assert_string_equal(late(bench), "wait");
	bench_free(bench);
}

/* Section 4: whatever upstream says of the name takes the place of what was said before, also if it
 * is not to be kept; any other rcode is a failure. */
static void
rfc8767_an_answer_refreshes_whatever_it_says(void **state)
{
	static const struct {
		const char *response;
		bool refreshes;
	} rows[] = {
		{"NXDOMAIN | www.example A", true},
		{"NOERROR | www.example A", true},
		{"NOERROR | www.example A | an www.example 0 A 192.0.2.7", true},
		{"NXDOMAIN | www.example A | au example 1 SOA ns.example 1", true},
		{"SERVFAIL | www.example A", false},
		{"REFUSED | www.example A", false},
		{"NOERROR | other.example A | an other.example 60 A 192.0.2.7", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench *bench = bench_new(&bench_config);

		learn_www(bench);
		bench->now_ms += 60000;
		learn(bench, www, good, rows[i].response);
		bench->now_ms += 50000;
		assert_string_equal(bench_answer(bench, www), "ask");
		const char *told = bench_finish(bench, silent, NULL);
		if ((strstr(told, "192.0.2.1") == NULL) != rows[i].refreshes)
			fail_msg("row %zu: %s", i, told);
		bench_free(bench);
	}
}

static void
rfc8767_what_is_bogus_is_no_reason(void **state)
{
	static const char told[] = "SERVFAIL qr rd ra | www.example A | opt 1232 ede 6";
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	learn_www(bench);
	/* While it lasts, it holds. */
	bench->now_ms += 59000;
	assert_string_equal(bench_answer(bench, www),
			    "NOERROR qr rd ra | www.example A | an www.example 1 A 192.0.2.1 | opt "
			    "1232");
	bench->ask.refresh = true;
	ld_worker_learn(bench->worker, bench->now_ms, &bench->ask, &bogus);
	assert_string_equal(bench_answer(bench, www),
			    "NOERROR qr rd ra | www.example A | an www.example 1 A 192.0.2.1 | opt "
			    "1232");
	/* Then never again, neither now nor when upstream falls silent. */
	bench->now_ms += 1000;
	assert_string_equal(bench_answer(bench, www), "ask");
	assert_false(bench->ask.has_stale);
	assert_string_equal(bench_finish(bench, bogus, NULL), told);
	assert_string_equal(bench_answer(bench, www),
			    "SERVFAIL qr rd ra | www.example A | opt 1232 ede 6 ede 13");
	bench->now_ms += 60000;
	assert_string_equal(bench_answer(bench, www), "ask");
	assert_string_equal(late(bench), "wait");
	assert_string_equal(bench_finish(bench, silent, NULL),
			    "SERVFAIL qr rd ra | www.example A | opt 1232 ede 22 No server "
			    "answered");
	bench_free(bench);
}

/* Stale or not: what a list closes is closed, and so is what leads there. */
static void
rfc8767_what_is_closed_meanwhile_stays_closed(void **state)
{
	static const struct fake_entry more[] = {
		{.name = "www.example", .category = "adult", .action = LINDUNG_BLOCK},
		{.name = "cdn.example", .category = "adult", .action = LINDUNG_BLOCK},
	};
	struct bench *bench = bench_new(&bench_config);
	struct lindung *other = fake_list_new(more, 2);
	struct ld_show_query alias = of("a.example", A);

	(void)state;
	learn_www(bench);
	learn(bench, alias, good,
	      "NOERROR | a.example A | an a.example 60 CNAME cdn.example"
	      " | an cdn.example 60 A 192.0.2.1");
	bench->now_ms += 60000;
	assert_string_equal(bench_answer(bench, alias), "ask");
	ld_worker_set_list(bench->worker, other);
	assert_string_equal(late(bench), "NOERROR qr rd ra | a.example A" BLOCK_SOA("a.example"));
	assert_string_equal(bench_finish(bench, silent, NULL),
			    "NOERROR qr rd ra | a.example A" BLOCK_SOA("a.example"));
	assert_string_equal(bench_answer(bench, alias),
			    "NOERROR qr rd ra | a.example A" BLOCK_SOA("a.example"));
	assert_non_null(strstr(bench_answer(bench, www), "Blocked: adult"));
	ld_worker_set_list(bench->worker, NULL);
	assert_non_null(strstr(late(bench), "SERVFAIL"));
	fake_list_free(other);
	bench_free(bench);
}

static void
rfc8767_for_a_rewritten_name(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	struct ld_show_query query = {.name = "search.example", .type = A, .edns = true};

	(void)state;
	learn(bench, query, good, "NOERROR | safe.example A" ADDRESS("safe.example", 60));
	bench->now_ms += 60000;
	assert_string_equal(bench_answer(bench, query), "ask");
	assert_true(bench->ask.has_stale);
	assert_string_equal(bench_finish(bench, silent, NULL),
			    "NOERROR qr rd ra | search.example A | an search.example 30 CNAME "
			    "safe.example | an safe.example 30 A 192.0.2.1 | opt 1232 ede 4 "
			    "Rewritten by a list ede 3 ede 22 No server answered");
	bench_free(bench);
}

/* ---- RFC 9520: failures ------------------------------------------------------------------ */

static void
rfc9520_failures_are_kept_with_backoff(void **state)
{
	const char *told = "SERVFAIL qr rd ra | www.example A | opt 1232 ede 22 No server answered";
	struct bench *bench = bench_new(&bench_config); /* 5 s at most */
	int lasts_ms = 1000;

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_string_equal(bench_answer(bench, www), "ask");
		assert_string_equal(bench_finish(bench, silent, NULL), told);
		bench->now_ms += lasts_ms - 1;
		assert_string_equal(bench_answer(bench, www),
				    "SERVFAIL qr rd ra | www.example A | opt 1232 ede 22 No server "
				    "answered ede 13");
		bench->now_ms += 1;
		lasts_ms = lasts_ms * 2 < 5000 ? lasts_ms * 2 : 5000;
	}
	/* Long ago is another failure; so is one after a success. */
	bench->now_ms += 10000;
	learn(bench, www, silent, NULL);
	bench->now_ms += 1000;
	learn(bench, www, good, "NOERROR | www.example A" ADDRESS("www.example", 0));
	learn(bench, www, silent, NULL);
	bench->now_ms += 1000;
	assert_string_equal(bench_answer(bench, www), "ask");
	assert_int_equal(counted(bench, LD_COUNTER_FAILED), 10);
	assert_int_equal(counted(bench, LD_COUNTER_FAILED_CACHED), 4);
	bench_free(bench);
}

static void
rfc9520_each_question_fails_for_itself(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	struct ld_show_query query = www;

	(void)state;
	learn(bench, www, bogus, NULL);
	query.type = LD_TYPE_AAAA;
	assert_string_equal(bench_answer(bench, query), "ask");
	/* Without validation it may well work. */
	query = www;
	query.flags = LD_FLAG_CD;
	assert_string_equal(bench_answer(bench, query), "ask");
	query = www;
	query.dnssec_ok = true;
	assert_string_equal(bench_answer(bench, query),
			    "SERVFAIL qr rd ra | www.example A | opt 1232 do ede 6 ede 13");
	bench_free(bench);
}

/* Failures of a million names take no more memory than the cache has. */
static void
rfc9520_failures_are_bounded(void **state)
{
	struct bench *bench = bench_new(&bench_config);
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "n%u.example", i);
		bench_answer(bench, of(name, A));
		ld_worker_learn(bench->worker, bench->now_ms, &bench->ask, &silent);
		assert_true(ld_worker_cache_bytes(bench->worker) <= bench_config.cache_bytes);
	}
	assert_true(counted(bench, LD_COUNTER_CACHE_EVICTED) > 80000);
	bench_free(bench);
}

/* ---- Prefetch ---------------------------------------------------------------------------- */

static void
what_is_asked_for_often_is_refreshed_once(void **state)
{
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	learn_www(bench);
	bench->now_ms += 53999;
	bench_answer(bench, www);
	assert_false(bench->ask.refresh);
	bench->now_ms += 2;
	assert_string_equal(bench_answer(bench, www),
			    "NOERROR qr rd ra | www.example A | an www.example 6 A 192.0.2.1 | opt "
			    "1232");
	assert_true(bench->ask.refresh);
	struct ld_ask refresh = bench->ask;
	bench_answer(bench, www);
	assert_false(bench->ask.refresh);

	/* What comes is there for all, and for another whole life; but nobody has asked for it. */
	struct ld_writer w = ld_writer(bench->out, sizeof bench->out);
	ld_show_build_response(&w, "NOERROR | www.example A | an www.example 60 A 192.0.2.2");
	struct ld_upstream_result result = {.ede = -1, .message = {w.data, w.len}};
	ld_worker_learn(bench->worker, bench->now_ms, &refresh, &result);
	bench->now_ms += 55000;
	assert_string_equal(bench_answer(bench, www),
			    "NOERROR qr rd ra | www.example A | an www.example 5 A 192.0.2.2 | opt "
			    "1232");
	assert_false(bench->ask.refresh);
	bench_answer(bench, www);
	assert_true(bench->ask.refresh);
	bench_free(bench);
}

static void
a_refresh_that_fails_takes_nothing_away(void **state)
{
	struct bench *bench = bench_new(&bench_config);

	(void)state;
	learn_www(bench);
	bench->now_ms += 55000;
	bench_answer(bench, www);
	assert_true(bench->ask.refresh);
	ld_worker_learn(bench->worker, bench->now_ms, &bench->ask, &silent);
	assert_non_null(strstr(bench_answer(bench, www), "an www.example 5 A 192.0.2.1"));
	bench->now_ms += 5000;
	/* Expired: stale at once, as it was found out already that upstream is gone. */
	assert_non_null(strstr(bench_answer(bench, www), STALE));
	bench->now_ms += 25000;
	assert_string_equal(bench_answer(bench, www), "ask");
	bench_free(bench);
}

static void
no_prefetch_if_it_is_off(void **state)
{
	struct ld_resolver_config config = bench_config;

	(void)state;
	config.cache_prefetch = false;
	struct bench *bench = bench_new(&config);
	learn_www(bench);
	bench->now_ms += 59000;
	bench_answer(bench, www);
	bench_answer(bench, www);
	assert_false(bench->ask.refresh);
	bench_free(bench);
}

/* ---- Clocks ------------------------------------------------------------------------------ */

static uint32_t unix_now;

static uint32_t
unix_s(void)
{
	return unix_now;
}

/* The date may jump as it likes: what is kept ages by the clock that does not. */
static void
a_date_that_jumps_ages_nothing(void **state)
{
	static const uint32_t dates[] = {1, UINT32_MAX, 0, 1800000000};
	struct ld_resolver_config config = bench_config;

	(void)state;
	config.unix_s = unix_s;
	unix_now = 1700000000;
	struct bench *bench = bench_new(&config);
	learn(bench, www, good, "NOERROR | www.example A" ADDRESS("www.example", 3600));
	learn(bench, of("fails.example", A), silent, NULL);
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
		unix_now = dates[i];
		bench->now_ms += 200;
		assert_non_null(
			strstr(bench_answer(bench, www), "an www.example 3600 A 192.0.2.1"));
		assert_false(bench->ask.refresh);
		assert_string_equal(bench_answer(bench, of("fails.example", A)),
				    "SERVFAIL qr rd ra | fails.example A");
	}
	bench->now_ms += 200;
	assert_string_equal(bench_answer(bench, of("fails.example", A)), "ask");
	assert_non_null(strstr(bench_answer(bench, www), "an www.example 3599 A 192.0.2.1"));
	bench_free(bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc2181_the_ttls_of_an_rrset_are_its_least),
		cmocka_unit_test(rfc2308_nxdomain_is_kept_by_name),
		cmocka_unit_test(rfc2308_nodata_is_kept_by_name_and_type),
		cmocka_unit_test(rfc2308_nxdomain_behind_a_cname_is_not_of_the_name),
		cmocka_unit_test(rfc8020_names_below_do_not_exist),
		cmocka_unit_test(rfc8020_the_proof_goes_with_it),
		cmocka_unit_test(rfc8020_only_what_was_validated),
		cmocka_unit_test(rfc8767_a_stale_answer_when_upstream_fails),
		cmocka_unit_test(rfc8767_a_stale_answer_when_upstream_is_late),
		cmocka_unit_test(rfc8767_a_stale_nxdomain),
		cmocka_unit_test(rfc8767_not_longer_than_configured),
		cmocka_unit_test(rfc8767_an_answer_refreshes_whatever_it_says),
		cmocka_unit_test(rfc8767_what_is_bogus_is_no_reason),
		cmocka_unit_test(rfc8767_what_is_closed_meanwhile_stays_closed),
		cmocka_unit_test(rfc8767_for_a_rewritten_name),
		cmocka_unit_test(rfc9520_failures_are_kept_with_backoff),
		cmocka_unit_test(rfc9520_each_question_fails_for_itself),
		cmocka_unit_test(rfc9520_failures_are_bounded),
		cmocka_unit_test(what_is_asked_for_often_is_refreshed_once),
		cmocka_unit_test(a_refresh_that_fails_takes_nothing_away),
		cmocka_unit_test(no_prefetch_if_it_is_off),
		cmocka_unit_test(a_date_that_jumps_ages_nothing),
	};

	return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
