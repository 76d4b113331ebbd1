/* Zones out and in, without a network: what one side gives the other takes, and then both have the
 * same, whatever changed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "index/make.h"
#include "index/test_image.h"
#include "wire/dns.h"
#include "zone/intake.h"
#include "zone/request.h"

enum { NOW_S = 1800000000, ROUNDS = 60, NAMES = 40, COLLIDING = 65536 };

static const _Atomic bool never = false;

static struct ld_zone_settings settings = {
	.by_category = true,
	.digests = LD_ZONE_SHA384 | LD_ZONE_SHA512,
	.refresh_s = 3600,
	.journal_max = 64,
	.journal_max_bytes = 1 << 20,
};
static struct ld_tsig_keys keys;

static int
prepare(void **state)
{
	(void)state;
	assert_int_equal(ld_name_from_text(&settings.merged, LD_SPAN("rpz.lindung")), LINDUNG_OK);
	assert_int_equal(ld_name_from_text(&settings.catalog, LD_SPAN("catalog.lindung")),
			 LINDUNG_OK);
	assert_int_equal(ld_tsig_keys_parse(&keys, "test",
					    LD_SPAN("key \"k.example\" { algorithm hmac-sha256; "
						    "secret \"QUFBQUFBQUFBQUFBQUFBQQ==\"; };"),
					    NULL),
			 LINDUNG_OK);
	return 0;
}

static struct ld_zone_set *
set_make(const char *list, struct ld_zone_set *old, uint32_t now_s)
{
	struct ld_zone_set *set;

	assert_int_equal(ld_zone_set_make(&set, &settings, ld_test_open(list), old, now_s, &never),
			 LINDUNG_OK);
	return set;
}

/* Bring `copy` up to date from the set, as over a connection. */
static enum ld_intake_state
follow(struct ld_zone_set *set, struct ld_zone_copy *copy, bool whole, bool *ret_whole)
{
	const struct ld_zone_access access = {.keys = &keys};
	const struct ld_from from = {.transport = LD_TRANSPORT_TCP, .address_len = 4};
	uint8_t request[1024], room[4096];
	struct ld_writer w = ld_writer(request, sizeof request), answer = ld_writer(room, 4096);
	enum ld_intake_state state = LD_INTAKE_GOES_ON;
	enum ld_zone_counter counter;
	struct ld_transfer *transfer;
	struct ld_intake *intake;
	struct ld_report report;
	struct ld_span message;

	assert_int_equal(ld_intake_new(&intake, copy, &keys.items[0]), LINDUNG_OK);
	ld_intake_request(intake, &w, whole, NOW_S);
	assert_false(w.failed);
	assert_int_equal(ld_zone_take(&settings, set, &access, &from, NOW_S, true,
				      ld_span(w.data, w.len), &answer, &transfer, &counter),
			 LD_ZONE_TRANSFER);
	while (state == LD_INTAKE_GOES_ON) {
		assert_int_equal(ld_transfer_next(transfer, NOW_S, &message), LINDUNG_OK);
		assert_int_not_equal(message.len, 0);
		if (ld_intake_take(intake, message, NOW_S, &state, &report) != LINDUNG_OK)
			fail_msg("%s", report.text);
	}
	assert_int_equal(ld_transfer_next(transfer, NOW_S, &message), LINDUNG_OK);
	assert_int_equal(message.len, 0);
	assert_true(ld_transfer_is_done(transfer));
	*ret_whole = ld_intake_is_whole(intake);
	ld_transfer_free(transfer);
	ld_intake_free(intake);
	return state;
}

static struct ld_zone_copy *
copy_new(const struct ld_name *origin)
{
	static const struct ld_copy_limits limits = {1000000, UINT64_C(1) << 30};
	struct ld_zone_copy *copy;

	assert_int_equal(ld_zone_copy_new(&copy, origin, &limits), LINDUNG_OK);
	return copy;
}

static uint8_t *
text_of(struct ld_zone_copy *copy)
{
	char path[] = "/tmp/lindung-zone-XXXXXX";
	int fd = mkstemp(path);
	uint8_t *text;
	size_t len;

	assert_true(fd >= 0);
	assert_int_equal(ld_zone_copy_write(copy, fd), LINDUNG_OK);
	assert_int_equal(ld_read_file(path, 1 << 26, &text, &len, NULL), LINDUNG_OK);
	close(fd);
	unlink(path);
	return text;
}

static void
expect_same(struct ld_zone_copy *a, struct ld_zone_copy *b)
{
	uint8_t *x = text_of(a), *y = text_of(b);

	assert_string_equal((const char *)x, (const char *)y);
	free(x);
	free(y);
}

/* A list of names that lie above and below one another, with all that can be said of them. */
static char *
random_list(uint64_t *seed)
{
	static const char *const labels[] = {"a", "b", "c", "a-b", "x9"};
	static const char *const kinds[] = {"block", "block", "block", "allow", "rewrite"};
	static const char *const scopes[] = {"", "", "=", "*."};
	static const char *const targets[] = {"A 192.0.2.1", "AAAA 2001:db8::1",
					      "CNAME safe.example"};
	struct ld_buffer text;
	char *list;

	ld_buffer_init(&text, 1 << 16);
	for (uint64_t i = ld_test_random(seed) % NAMES; i > 0; i--) {
		const char *kind = kinds[ld_test_random(seed) % 5];

		ld_buffer_printf(&text, "%s\t%s\t%s", kind,
				 ld_test_random(seed) % 3 != 0 ? "adult" : "gambling",
				 scopes[ld_test_random(seed) % 4]);
		for (uint64_t k = ld_test_random(seed) % 4; k > 0; k--)
			ld_buffer_printf(&text, "%s.", labels[ld_test_random(seed) % 5]);
		ld_buffer_printf(&text, "%s.example\tlist", labels[ld_test_random(seed) % 5]);
		if (*kind == 'r')
			ld_buffer_printf(&text, "\t%s", targets[ld_test_random(seed) % 3]);
		ld_buffer_printf(&text, "\n");
	}
	ld_buffer_printf(&text, "block\tadult\talways.example\tlist\n"
				"block\tgambling\talways-too.example\tlist\n");
	ld_buffer_bytes(&text, ld_span("", 1));
	assert_false(text.failed);
	list = (char *)text.data;
	return list;
}

static void
expect_verified(struct ld_zone_copy *copy)
{
	struct ld_report report;
	unsigned digests = 0;

	if (ld_zone_copy_verify(copy, &digests, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	assert_int_equal(digests, 2);
}

/* Whole, and by what changed over several serials: the same records, with the digest that they
 * have. */
static void
test_changes_lead_to_the_same(void **state)
{
	uint64_t seed = 20261122;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		char *list = random_list(&seed);
		struct ld_zone_set *set = set_make(list, NULL, 1000);
		struct ld_zone_copy *copies[3];
		bool whole;

		free(list);
		for (unsigned i = 0; i < 3; i++) {
			copies[i] = copy_new(&set->zones[i].origin);
			assert_int_equal(follow(set, copies[i], false, &whole), LD_INTAKE_DONE);
			assert_true(whole);
			expect_verified(copies[i]);
		}
		for (uint64_t step = ld_test_random(&seed) % 4 + 1; step > 0; step--) {
			struct ld_zone_set *old = set;

			list = random_list(&seed);
			set = set_make(list, old, 1000 + 10 * (uint32_t)step);
			free(list);
			ld_zone_set_release(old);
		}
		for (unsigned i = 0; i < 3; i++) {
			struct ld_zone_copy *fresh = copy_new(&set->zones[i].origin);
			uint32_t serial, last = set->zones[i].serial;

			assert_true(ld_zone_copy_serial(copies[i], &serial));
			assert_int_equal(follow(set, copies[i], false, &whole),
					 serial == last ? LD_INTAKE_CURRENT : LD_INTAKE_DONE);
			assert_false(whole);
			assert_int_equal(follow(set, fresh, true, &whole), LD_INTAKE_DONE);
			expect_verified(copies[i]);
			expect_same(copies[i], fresh);
			ld_zone_copy_free(copies[i]);
			ld_zone_copy_free(fresh);
		}
		ld_zone_set_release(set);
	}
}

/* An exception whose name is too long for the zone: the entry above it loses what lies below it,
 * rather than close what is open. */
static void
test_what_cannot_be_said_is_not_widened(void **state)
{
	static const char label[] = "123456789012345678901234567890123456789012345678901234567890";
	char list[1024];
	struct ld_zone_copy *copy;
	struct ld_zone_set *set;
	uint8_t *text;
	bool whole;

	(void)state;
	snprintf(list, sizeof list,
		 "block\tadult\tbelow.example\ts\nblock\tadult\tplain.example\ts\n"
		 "allow\tadult\t%s.%s.%s.%s.below.example\ts\n"
		 "block\tadult\t%s.%s.%s.%s.other.example\ts\n",
		 label, label, label, "1234567890123456789012345678901234567890123456", label,
		 label, label, "12345678901234567890123456789012345678901234567890");
	set = set_make(list, NULL, 1000);
	copy = copy_new(&settings.merged);
	assert_int_equal(follow(set, copy, false, &whole), LD_INTAKE_DONE);
	expect_verified(copy);
	text = text_of(copy);
	assert_non_null(strstr((const char *)text, "\nbelow.example.rpz.lindung. 60 IN CNAME .\n"));
	assert_null(strstr((const char *)text, "*.below.example"));
	assert_non_null(strstr((const char *)text, "*.plain.example"));
	assert_null(strstr((const char *)text, "other.example"));
	free(text);
	ld_zone_copy_free(copy);
	ld_zone_set_release(set);
}

static void
test_serials(void **state)
{
	static const char one[] = "block\tadult\ta.example\ts\n",
			  two[] = "block\tadult\tb.example\ts\n";
	struct ld_zone_set *first, *same, *early, *wrapped;

	(void)state;
	assert_true(ld_serial_is_after(5, 4) && ld_serial_is_after(0, UINT32_MAX));
	assert_false(ld_serial_is_after(4, 4) || ld_serial_is_after(4, 5));
	first = set_make(one, NULL, 100);
	assert_int_equal(first->zones[0].serial, 100);
	same = set_make(one, first, 200);
	assert_int_equal(same->zones[0].serial, 100); /* it says the same */
	early = set_make(two, same, 50);
	assert_int_equal(early->zones[0].serial, 101); /* the clock went back */
	early->zones[0].serial = UINT32_MAX;
	wrapped = set_make(one, early, 100);
	assert_int_equal(wrapped->zones[0].serial, 100); /* RFC 1982: that is after it */
	ld_zone_set_release(first);
	ld_zone_set_release(same);
	ld_zone_set_release(early);
	ld_zone_set_release(wrapped);
}

/* The oldest differences give way; one that is too large cuts the way. */
static void
test_the_journal(void **state)
{
	struct ld_zone_settings before = settings;
	struct ld_zone_set *set = set_make("block\tadult\ta.example\ts\n", NULL, 100);
	char list[64];

	(void)state;
	settings.journal_max = 3;
	for (unsigned i = 0; i < 5; i++) {
		struct ld_zone_set *old = set;

		snprintf(list, sizeof list, "block\tadult\tn%u.example\ts\n", i);
		set = set_make(list, old, 200 + i);
		ld_zone_set_release(old);
	}
	assert_int_equal(set->zones[0].change_count, 3);
	assert_int_equal(set->zones[0].changes[0]->from, 201);
	assert_int_equal(set->zones[0].changes[2]->to, 204);
	settings.journal_max_bytes = 10;
	struct ld_zone_set *last = set_make("block\tadult\tb.example\ts\n", set, 300);
	assert_int_equal(last->zones[0].change_count, 0);
	assert_int_equal(last->zones[0].serial, 300);
	ld_zone_set_release(set);
	ld_zone_set_release(last);
	settings = before;
}

/* Owners that ld_hash_bytes() maps upon one number, whatever its seed: whoever sends a zone knows
 * the program, and makes it no slower by that. */
static void
test_owners_chosen_to_collide(void **state)
{
	struct ld_zone_copy *copy = copy_new(&settings.merged);
	clock_t begun = clock();

	(void)state;
	for (unsigned i = 0; i < COLLIDING; i++) {
		uint8_t wire[LD_NAME_WIRE_MAX];
		struct ld_writer w = ld_writer(wire, sizeof wire);
		struct ld_name owner;

		ld_writer_bytes(&w, LD_SPAN("\x10\x3b\xa7\xca\x84\x85\xae\x67\xbb"));
		for (unsigned k = 0; k < 8; k++)
			ld_writer_u8(&w, (uint8_t)('0' + (i >> 2 * k) % 4));
		ld_writer_bytes(&w, ld_span(settings.merged.wire, settings.merged.len));
		assert_int_equal(ld_name_from_wire(&owner, ld_span(w.data, w.len)), LINDUNG_OK);
		assert_int_equal(
			ld_zone_copy_add(copy,
					 &(struct ld_zone_copy_record){.owner = &owner,
								       .type = LD_TYPE_CNAME,
								       .rdata = LD_SPAN("\0")}),
			LINDUNG_OK);
	}
	assert_int_equal(ld_zone_copy_count(copy), COLLIDING);
	/* Tenths of a second; with a hash that is no secret, more than ten seconds. */
	assert_true(clock() - begun < 5 * CLOCKS_PER_SEC);
	ld_zone_copy_free(copy);
}

/* What does not come to an end is ended. */
static void
test_a_transfer_without_end(void **state)
{
	/* An answer with the question, and no records. */
	static const uint8_t empty[] = "\0\0\x84\0\0\1\0\0\0\0\0\0\x03rpz\x07lindung\0\0\xfc\0\1";
	struct ld_zone_copy *copy = copy_new(&settings.merged);
	uint8_t request[1024], message[sizeof empty - 1];
	struct ld_writer w = ld_writer(request, sizeof request);
	enum ld_intake_state is;
	struct ld_intake *intake;
	struct ld_report report;

	(void)state;
	assert_int_equal(ld_intake_new(&intake, copy, NULL), LINDUNG_OK);
	ld_intake_request(intake, &w, false, NOW_S);
	memcpy(message, empty, sizeof message);
	memcpy(message, request, 2);
	assert_int_equal(ld_intake_take(intake, ld_span(message, sizeof message),
					NOW_S + LD_INTAKE_TIME_MAX_S, &is, &report),
			 LINDUNG_OK);
	assert_int_equal(is, LD_INTAKE_GOES_ON);
	assert_int_equal(ld_intake_take(intake, ld_span(message, sizeof message),
					NOW_S + LD_INTAKE_TIME_MAX_S + 1, &is, &report),
			 LINDUNG_ELIMIT);
	assert_non_null(strstr(report.text, "did not end"));
	ld_intake_free(intake);
	ld_zone_copy_free(copy);
}

/* A list with a name that is listed, and one that is sealed. */
static struct lindung *
sealed_list(const char *path)
{
	static const struct ld_compile_options options = {
		.memory_bytes = 16u << 20, .threads = 1, .directory = "/tmp"};
	static const uint8_t secret[LD_BLIND_KEY_BYTES] = {7};
	const struct ld_entry entry = {
		.action = LD_ACTION_BLOCK,
		.scope = LD_SCOPE_TREE,
		.host = LD_SPAN("open.example"),
		.category = LD_SPAN("adult"),
		.source = LD_SPAN("s"),
	};
	uint8_t blind[LD_BLIND_BYTES], key[LD_HOST_MAX];
	size_t len = ld_host_to_key(key, LD_SPAN("sealed.example"));
	struct ld_build_stats stats;
	struct ld_maker *maker;
	struct lindung *list;

	assert_int_equal(ld_maker_new(&maker, &options), LINDUNG_OK);
	assert_int_equal(ld_maker_add(maker, &entry, NULL), LINDUNG_OK);
	ld_maker_blind_key(maker, secret);
	ld_blind(blind, secret, LD_SCOPE_TREE, ld_span(key, len), (struct ld_span){NULL, 0});
	assert_int_equal(ld_maker_seal(maker, blind, LD_SPAN("csam"), LD_SPAN("s"), false),
			 LINDUNG_OK);
	assert_int_equal(ld_maker_finish(maker, path, &stats, NULL), LINDUNG_OK);
	ld_maker_free(maker);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_OK);
	return list;
}

static void
test_what_is_sealed_is_in_no_zone(void **state)
{
	struct lindung_answer answer;
	struct ld_zone_set *set;
	struct lindung *list;
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "/tmp/lindung-zone-%ld.ldx", (long)getpid());
	list = sealed_list(path);
	assert_int_equal(lindung_lookup_name(list, "sealed.example", 14, LINDUNG_ALL, &answer),
			 LINDUNG_OK);
	assert_int_equal(answer.verdict, LINDUNG_BLOCK);
	assert_int_equal(ld_zone_set_make(&set, &settings, list, NULL, 1000, &never), LINDUNG_OK);
	for (unsigned i = 0; i < set->count; i++) {
		struct ld_zone_copy *copy = copy_new(&set->zones[i].origin);
		uint8_t *text;
		bool whole;

		assert_int_equal(follow(set, copy, false, &whole), LD_INTAKE_DONE);
		text = text_of(copy);
		assert_null(strstr((const char *)text, "sealed"));
		assert_int_equal(i == 0, strstr((const char *)text, "open.example.rpz") != NULL);
		free(text);
		ld_zone_copy_free(copy);
	}
	ld_zone_set_release(set);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_lead_to_the_same),
		cmocka_unit_test(test_what_cannot_be_said_is_not_widened),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_the_journal),
		cmocka_unit_test(test_owners_chosen_to_collide),
		cmocka_unit_test(test_a_transfer_without_end),
		cmocka_unit_test(test_what_is_sealed_is_in_no_zone),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
