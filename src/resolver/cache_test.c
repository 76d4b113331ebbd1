/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "resolver/cache.h"

enum { CACHE_BYTES = 1 << 20 };

/* A key and an entry for the name "n<number>", its message filled up to `size` octets with what
 * `value` says. */
struct sample {
	struct ld_name name;
	struct ld_cache_key key;
	uint8_t message[LD_CACHE_MESSAGE_MAX_BYTES + 1];
	struct ld_cache_entry entry;
};

static void
sample_make(struct sample *s, uint32_t number, uint32_t value, size_t size)
{
	static const uint16_t ttl_at[2] = {30, 46};
	char text[32];
	struct ld_writer w = ld_writer(s->message, sizeof s->message);

	snprintf(text, sizeof text, "n%u", number);
	assert_int_equal(ld_name_from_text(&s->name, ld_span_str(text)), LINDUNG_OK);
	ld_build_header(&w, 0, 0);
	ld_build_question(&w, &s->name, LD_TYPE_A, LD_CLASS_IN);
	ld_writer_be32(&w, value);
	assert_true(w.len <= size);
	memset(s->message + w.len, (int)(value & 0xff), size - w.len);
	s->key = (struct ld_cache_key){
		.hash = ld_hash_bytes(ld_span(s->name.wire, s->name.len), 42),
		.name = {s->name.wire, s->name.len},
		.type = LD_TYPE_A,
		.class_ = LD_CLASS_IN,
	};
	s->entry = (struct ld_cache_entry){
		.expires_ms = INT64_MAX,
		.message = {s->message, size},
		.ttl_at = ttl_at,
		.ttl_count = 2,
		.targets = LD_SPAN("\1t\0"),
		.edes = LD_SPAN("text"),
	};
}

static void
put(struct ld_cache *cache, uint32_t number, uint32_t value, size_t size)
{
	static struct sample s;

	sample_make(&s, number, value, size);
	ld_cache_put(cache, &s.key, &s.entry);
	assert_true(ld_cache_used_bytes(cache) <= CACHE_BYTES);
}

/* Whether the number is found; what is found is checked. */
static bool
got(struct ld_cache *cache, uint32_t number, uint32_t value)
{
	static struct sample s;
	struct ld_cache_entry found;

	sample_make(&s, number, value, 64);
	if (!ld_cache_get(cache, &s.key, &found))
		return false;
	sample_make(&s, number, value, found.message.len);
	assert_true(ld_span_equal(found.message, s.entry.message));
	assert_true(ld_span_equal(found.targets, s.entry.targets));
	assert_true(ld_span_equal(found.edes, s.entry.edes));
	assert_int_equal(found.ttl_count, 2);
	assert_int_equal(found.ttl_at[0], 30);
	assert_int_equal(found.ttl_at[1], 46);
	return true;
}

static struct ld_cache *
cache_new(void)
{
	struct ld_cache *cache;

	assert_int_equal(ld_cache_new(&cache, CACHE_BYTES, 0), LINDUNG_OK);
	return cache;
}

static void
an_entry_is_found_and_replaced(void **state)
{
	struct ld_cache *cache = cache_new();

	(void)state;
	assert_false(got(cache, 1, 7));
	put(cache, 1, 7, 100);
	assert_true(got(cache, 1, 7));
	assert_false(got(cache, 2, 7));
	put(cache, 1, 8, 200);
	assert_true(got(cache, 1, 8));
	put(cache, 1, 9, LD_CACHE_MESSAGE_MAX_BYTES);
	assert_true(got(cache, 1, 9));
	put(cache, 3, 9, LD_CACHE_MESSAGE_MAX_BYTES + 1);
	assert_false(got(cache, 3, 9));
	ld_cache_free(cache);
	ld_cache_free(NULL);
}

static void
no_cache_holds_nothing(void **state)
{
	struct ld_cache *cache = NULL;
	static struct sample s;

	(void)state;
	assert_int_equal(ld_cache_new(&cache, LD_CACHE_BYTES_MIN - 1, 0), LINDUNG_EINVAL);
	assert_int_equal(ld_cache_new(&cache, (size_t)-1, 0), LINDUNG_EINVAL);
	assert_null(cache);
	sample_make(&s, 1, 1, 100);
	assert_int_equal(ld_cache_put(cache, &s.key, &s.entry), 0);
	assert_false(ld_cache_get(cache, &s.key, &s.entry));
	assert_int_equal(ld_cache_used_bytes(cache), 0);
}

static void
keys_differ_in_every_part(void **state)
{
	struct ld_cache *cache = cache_new();
	static struct sample s;
	struct ld_cache_entry found;
	struct ld_cache_key key;

	(void)state;
	sample_make(&s, 1, 7, 100);
	s.entry.flags = LD_CACHE_DO;
	ld_cache_put(cache, &s.key, &s.entry);
	key = s.key;
	assert_false(ld_cache_get(cache, &key, &found));
	key.dnssec_ok = true;
	assert_true(ld_cache_get(cache, &key, &found));
	key.checking_disabled = true;
	assert_false(ld_cache_get(cache, &key, &found));
	key = s.key;
	key.dnssec_ok = true;
	key.type++;
	assert_false(ld_cache_get(cache, &key, &found));
	key.type--;
	key.class_++;
	assert_false(ld_cache_get(cache, &key, &found));
	key.class_--;
	key.name = LD_SPAN("\2n2\0"); /* with the same hash */
	assert_false(ld_cache_get(cache, &key, &found));

	/* One for the other clients stands beside it; one for all replaces both. */
	sample_make(&s, 1, 8, 100);
	s.entry.flags = LD_CACHE_NOT_DO;
	ld_cache_put(cache, &s.key, &s.entry);
	assert_true(ld_cache_get(cache, &s.key, &found));
	assert_int_equal(found.flags, LD_CACHE_NOT_DO);
	key = s.key;
	key.dnssec_ok = true;
	assert_true(ld_cache_get(cache, &key, &found));
	assert_int_equal(found.flags, LD_CACHE_DO);
	s.entry.flags = 0;
	ld_cache_put(cache, &s.key, &s.entry);
	assert_true(ld_cache_get(cache, &key, &found));
	assert_int_equal(found.flags, 0);
	assert_true(ld_cache_get(cache, &s.key, &found));
	assert_int_equal(found.flags, 0);
	ld_cache_free(cache);
}

/* Whatever is put and evicted, what is found is what was put last. */
static void
what_is_found_is_what_was_put_last(void **state)
{
	enum { NUMBERS = 20000, STEPS = 400000 };
	struct ld_cache *cache = cache_new();
	uint32_t *values = calloc(NUMBERS, sizeof *values);
	uint64_t random = 1;
	unsigned hits = 0;

	(void)state;
	assert_non_null(values);
	for (uint32_t step = 1; step <= STEPS; step++) {
		random = ld_mix64(random + step, 0x9e3779b97f4a7c15u);
		/* Small numbers come more often. */
		uint32_t number = (uint32_t)((random >> 8) % NUMBERS) >> (random % 8);
		size_t size = 64 + (random >> 40) % ((random >> 3) % 16 == 0 ? 4000 : 200);

		if ((random >> 60) < 8) {
			values[number] = step;
			put(cache, number, step, size);
			assert_true(got(cache, number, step));
		} else {
			hits += got(cache, number, values[number]);
		}
	}
	assert_true(hits > STEPS / 10);
	free(values);
	ld_cache_free(cache);
}

/* How many of 1000 names in use are found, while `cold` names that come once go by for each. */
static unsigned
found_beside_a_scan(unsigned cold)
{
	struct ld_cache *cache = cache_new();
	unsigned found = 0, asked = 0;
	uint32_t next_cold = 1000000;

	for (unsigned round = 0; round < 50; round++) {
		for (uint32_t hot = 0; hot < 1000; hot++) {
			bool is_found = got(cache, hot, hot);

			if (!is_found)
				put(cache, hot, hot, 120);
			for (unsigned i = 0; i < cold; i++)
				put(cache, next_cold++, 1, 120);
			/* The first rounds are there to warm up. */
			if (round >= 10) {
				asked++;
				found += is_found;
			}
		}
	}
	ld_cache_free(cache);
	return found * 1000 / asked;
}

static void
a_scan_does_not_wash_away_what_is_in_use(void **state)
{
	(void)state;
	/* The cache holds some 4,000 such entries: a queue by age alone, or by last use, would find
	 * none of the names in use with 7 cold ones to each. */
	assert_int_equal(found_beside_a_scan(0), 1000);
	assert_in_range(found_beside_a_scan(1), 999, 1000);
	assert_in_range(found_beside_a_scan(7), 990, 1000);
	assert_in_range(found_beside_a_scan(15), 900, 1000);
}

/* How many of a thousand lookups find what they ask for, when names are asked for as often as
 * people do (Zipf, s = 1, of 20,000 names; the cache holds some 4,000), and `cold` names that come
 * once for each. */
static unsigned
found_of_what_people_ask(unsigned cold)
{
	enum { NAMES = 20000, ASKED = 200000 };
	struct ld_cache *cache = cache_new();
	double *until = calloc(NAMES, sizeof *until), all = 0;
	uint32_t next_cold = 1000000;
	uint64_t random = 7;
	unsigned found = 0;

	assert_non_null(until);
	for (unsigned i = 0; i < NAMES; i++)
		until[i] = all += 1.0 / (i + 1);
	for (unsigned asked = 0; asked < ASKED; asked++) {
		random = ld_mix64(random + asked, 0x9e3779b97f4a7c15u);
		double at = (double)(random >> 11) / 9007199254740992.0 * all;
		unsigned low = 0, high = NAMES - 1;

		while (low < high) {
			unsigned middle = (low + high) / 2;

			if (until[middle] < at)
				low = middle + 1;
			else
				high = middle;
		}
		bool is_found = got(cache, low, low);
		if (!is_found)
			put(cache, low, low, 120);
		found += is_found && asked >= ASKED / 2;
		for (unsigned i = 0; i < cold; i++)
			put(cache, next_cold++, 1, 120);
	}
	free(until);
	ld_cache_free(cache);
	return found * 2000 / ASKED;
}

static void
a_scan_costs_people_little(void **state)
{
	/* Of what a cache of so many entries can find at most (its 4,000 most asked for names):
	 * (ln 4000 + 0.577) / (ln 20000 + 0.577) = 0.846. */
	unsigned alone = found_of_what_people_ask(0), scanned = found_of_what_people_ask(4);

	(void)state;
	print_message("found of 1000: %u; beside four names that come once to each: %u\n", alone,
		      scanned);
	assert_in_range(alone, 800, 846);
	assert_in_range(scanned, 700, alone);
}

/* All at once, ten times what the cache holds, while nobody asks for anything else. */
static void
a_scan_of_ten_times_the_cache_leaves_what_is_in_use(void **state)
{
	enum { HOT = 1000, SCAN = 40000 };
	struct ld_cache *cache = cache_new();
	unsigned found = 0;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t hot = 0; hot < HOT; hot++)
			if (!got(cache, hot, hot))
				put(cache, hot, hot, 120);
	}
	for (uint32_t i = 0; i < SCAN; i++)
		put(cache, 1000000 + i, 1, 120);
	for (uint32_t hot = 0; hot < HOT; hot++)
		found += got(cache, hot, hot);
	print_message("found of %d in use after a scan of %d: %u\n", HOT, SCAN, found);
	assert_in_range(found, 970, HOT);
	ld_cache_free(cache);
}

static void
evictions_are_counted(void **state)
{
	struct ld_cache *cache = cache_new();
	static struct sample s;
	unsigned evicted = 0, found = 0;

	(void)state;
	for (uint32_t i = 0; i < 50000; i++) {
		sample_make(&s, i, i, 120);
		evicted += ld_cache_put(cache, &s.key, &s.entry);
	}
	for (uint32_t i = 0; i < 50000; i++)
		found += got(cache, i, i);
	assert_int_equal(found + evicted, 50000);
	assert_in_range(found, 200, 5000);
	ld_cache_free(cache);
}

/* How many of 100 entries that expired at 1000 ms, and were asked for, are there after many others
 * that were put at `now_ms`. */
static unsigned
found_after_their_end(int64_t stale_ms, uint8_t flags, int64_t now_ms)
{
	struct ld_cache *cache;
	struct ld_cache_entry found;
	static struct sample s;
	unsigned count = 0;

	assert_int_equal(ld_cache_new(&cache, CACHE_BYTES, stale_ms), LINDUNG_OK);
	for (uint32_t i = 0; i < 100; i++) {
		sample_make(&s, i, i, 120);
		s.entry.expires_ms = 1000;
		s.entry.flags = flags;
		ld_cache_put(cache, &s.key, &s.entry);
		assert_true(got(cache, i, i));
	}
	for (uint32_t i = 1000; i < 20000; i++) {
		sample_make(&s, i, i, 120);
		s.entry.stored_ms = now_ms;
		ld_cache_put(cache, &s.key, &s.entry);
	}
	for (uint32_t i = 0; i < 100; i++) {
		sample_make(&s, i, i, 120);
		count += ld_cache_peek(cache, &s.key, &found);
	}
	ld_cache_free(cache);
	return count;
}

static void
what_is_of_no_use_does_not_go_round_again(void **state)
{
	(void)state;
	assert_int_equal(found_after_their_end(0, 0, 2000), 0);
	/* Stale it may be of use yet (RFC 8767), unless it must not be. */
	assert_in_range(found_after_their_end(5000, 0, 2000), 90, 100);
	assert_int_equal(found_after_their_end(5000, 0, 6000), 0);
	assert_int_equal(found_after_their_end(5000, LD_CACHE_NOT_STALE, 2000), 0);
}

/* A look of our own makes nothing popular; one of a client does, up to a limit. */
static void
only_clients_count(void **state)
{
	struct ld_cache *cache = cache_new();
	static struct sample s;
	struct ld_cache_entry found;

	(void)state;
	sample_make(&s, 1, 1, 120);
	ld_cache_put(cache, &s.key, &s.entry);
	for (unsigned i = 0; i < 5; i++)
		assert_true(ld_cache_peek(cache, &s.key, &found));
	assert_int_equal(found.asked, 0);
	for (unsigned i = 1; i < 5; i++) {
		assert_true(ld_cache_get(cache, &s.key, &found));
		assert_int_equal(found.asked, i < LD_CACHE_ASKED_MAX ? i : LD_CACHE_ASKED_MAX);
	}
	ld_cache_mark(&found, LD_CACHE_REFRESHED);
	assert_true(ld_cache_get(cache, &s.key, &found));
	assert_int_equal(found.flags, LD_CACHE_REFRESHED);
	ld_cache_remove(cache, &s.key);
	assert_false(ld_cache_get(cache, &s.key, &found));
	ld_cache_remove(cache, &s.key);
	ld_cache_remove(NULL, &s.key);
	ld_cache_free(cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_found_and_replaced),
		cmocka_unit_test(no_cache_holds_nothing),
		cmocka_unit_test(keys_differ_in_every_part),
		cmocka_unit_test(what_is_found_is_what_was_put_last),
		cmocka_unit_test(a_scan_does_not_wash_away_what_is_in_use),
		cmocka_unit_test(a_scan_of_ten_times_the_cache_leaves_what_is_in_use),
		cmocka_unit_test(a_scan_costs_people_little),
		cmocka_unit_test(evictions_are_counted),
		cmocka_unit_test(what_is_of_no_use_does_not_go_round_again),
		cmocka_unit_test(only_clients_count),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
