/* Checkpoints, witnesses, followers and proofs, together: a log, its witnesses, who follows it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "log/log.h"
#include "log/text.h"
#include "log/tlog_proof.h"
#include "log/witness.h"

#define ORIGIN "log.example/follow"

enum { WITNESSES = 3, NOW = 1800000000, DAY = 86400 };

/* Each test has a log of its own, and three witnesses of which two must agree. */
static struct {
	char directory[64], path[128], other[128];
	struct ld_signer *signer, *witness_keys[WITNESSES];
	struct ld_witness *witnesses[WITNESSES];
	struct ld_verifier witness_verifiers[WITNESSES];
	bool asleep[WITNESSES];
	uint64_t now_s;
	struct ld_log *log;
	struct ld_trust trust;
	struct ld_report report;
} t;

static void
expect_ok(int err)
{
	if (err != LINDUNG_OK)
		fail_msg("%s: %s", lindung_strerror(err), t.report.text);
}

static bool
two_of_three(const void *ctx, uint64_t witnesses)
{
	(void)ctx;
	return __builtin_popcountll(witnesses) >= 2;
}

/* Ask one of them; one that has seen another size says so, and is asked again. */
static bool
ask_one(int i, uint64_t old_size, const struct ld_proof *proof, struct ld_buffer *note,
	struct ld_report *report)
{
	const struct ld_tile_source tiles = ld_log_tiles(t.log);
	struct ld_buffer request, body;
	struct ld_witness_answer answer;
	struct ld_checkpoint checkpoint;
	struct ld_proof other;
	struct ld_note parsed;
	uint64_t theirs;
	bool signs = false;

	ld_buffer_init(&request, LD_WITNESS_REQUEST_MAX_BYTES);
	ld_buffer_init(&body, LD_WITNESS_ANSWER_MAX_BYTES);
	expect_ok(ld_witness_request(&request, old_size, proof, ld_buffer_span(note)));
	answer =
		ld_witness_add_checkpoint(t.witnesses[i], ld_buffer_span(&request), t.now_s, &body);
	if (answer.status == 409) {
		assert_true(ld_text_number(&theirs, ld_span(body.data, body.len - 1)));
		assert_true(theirs != old_size);
		expect_ok(ld_note_parse(&parsed, ld_buffer_span(note), report));
		expect_ok(ld_checkpoint_parse(&checkpoint, parsed.text, report));
		expect_ok(ld_tree_prove_consistency(&other, theirs, checkpoint.size, &tiles));
		signs = ask_one(i, theirs, &other, note, report);
	} else if (answer.status == 200) {
		signs = ld_witness_take(note, ld_buffer_span(&body), &t.witness_verifiers[i],
					report) == LINDUNG_OK;
	}
	ld_buffer_free(&request);
	ld_buffer_free(&body);
	return signs;
}

static int
ask(void *ctx, uint64_t old_size, const struct ld_proof *proof, struct ld_buffer *note,
    struct ld_report *report)
{
	unsigned signed_by = 0;

	(void)ctx;
	for (int i = 0; i < WITNESSES; i++)
		signed_by += !t.asleep[i] && ask_one(i, old_size, proof, note, report);
	return signed_by >= 2 ? LINDUNG_OK
			      : ld_fail(report, LINDUNG_EWITNESS, "%u witnesses answer", signed_by);
}

static void
open_witness(int i)
{
	char path[160];

	snprintf(path, sizeof path, "%s/witness-%d", t.directory, i);
	expect_ok(ld_witness_open(&t.witnesses[i], path, t.witness_keys[i], &t.report));
	expect_ok(ld_witness_add_log(t.witnesses[i], ld_signer_verifier(t.signer), &t.report));
}

static int
setup(void **state)
{
	const uint8_t seed[32] = {1};

	(void)state;
	memset(&t, 0, sizeof t);
	t.now_s = NOW;
	snprintf(t.directory, sizeof t.directory, "/tmp/lindung-follow-XXXXXX");
	assert_non_null(mkdtemp(t.directory));
	snprintf(t.path, sizeof t.path, "%s/log", t.directory);
	snprintf(t.other, sizeof t.other, "%s/other", t.directory);
	expect_ok(ld_signer_from_seed(&t.signer, ORIGIN, LD_KEY_ED25519, seed, &t.report));
	for (int i = 0; i < WITNESSES; i++) {
		const uint8_t witness_seed[32] = {2, (uint8_t)i};
		char name[32];

		snprintf(name, sizeof name, "witness%d.example", i);
		expect_ok(ld_signer_from_seed(&t.witness_keys[i], name, LD_KEY_COSIGNATURE,
					      witness_seed, &t.report));
		t.witness_verifiers[i] = *ld_signer_verifier(t.witness_keys[i]);
		open_witness(i);
	}
	t.trust = (struct ld_trust){
		.log = *ld_signer_verifier(t.signer),
		.witness_count = WITNESSES,
		.witnesses = t.witness_verifiers,
		.suffices = two_of_three,
		.age_max_s = 7 * DAY,
	};
	expect_ok(ld_log_create(t.path, t.signer, &t.report));
	expect_ok(ld_log_open(&t.log, t.path, t.signer, &t.report));
	ld_log_set_witness(t.log, ask, NULL);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	ld_log_close(t.log);
	for (int i = 0; i < WITNESSES; i++) {
		ld_witness_close(t.witnesses[i]);
		ld_signer_free(t.witness_keys[i]);
	}
	ld_signer_free(t.signer);
	snprintf(command, sizeof command, "rm -rf %s", t.directory);
	assert_int_equal(system(command), 0);
	return 0;
}

/* `count` entries: "PREFIX NUMBER". */
static void
append_to(struct ld_log *log, const char *prefix, size_t count)
{
	struct ld_span entries[1000];
	static char texts[1000][32];
	uint64_t first;

	for (size_t i = 0; i < count; i++)
		entries[i] = ld_span(texts[i], (size_t)snprintf(texts[i], 32, "%s %" PRIu64, prefix,
								ld_log_size(log) + i));
	expect_ok(ld_log_append(log, entries, count, &first, &t.report));
}

/* A copy of the checkpoint of now. */
static struct ld_buffer
checkpoint_of(const struct ld_log *log)
{
	struct ld_buffer copy;

	ld_buffer_init(&copy, LD_CHECKPOINT_MAX_BYTES);
	ld_buffer_bytes(&copy, ld_log_checkpoint(log));
	return copy;
}

/* ---- Checkpoints ---------------------------------------------------------------------------- */

static void
test_checkpoint_text(void **state)
{
	/* The example of tlog-checkpoint. */
	static const char good[] = "example.com/behind-the-sofa\n20852163\n"
				   "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
	static const char *const bad[] = {
		"",
		"a\n1\n",
		"\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"a\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"a\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"a\n+1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"a\n\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"a\n9223372036854775808\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
		"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
		"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jx\n",
		"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n",
		"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nmore",
	};
	struct ld_checkpoint checkpoint;
	struct ld_buffer text;

	(void)state;
	ld_buffer_init(&text, 1000);
	expect_ok(ld_checkpoint_parse(&checkpoint, ld_span_str(good), &t.report));
	assert_int_equal(checkpoint.size, 20852163);
	expect_ok(ld_checkpoint_format(&text, &checkpoint));
	assert_true(ld_span_equal(ld_buffer_span(&text), ld_span_str(good)));
	ld_buffer_printf(&text, "an extension\n");
	expect_ok(ld_checkpoint_parse(&checkpoint, ld_buffer_span(&text), &t.report));
	ld_buffer_free(&text);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (ld_checkpoint_parse(&checkpoint, ld_span_str(bad[i]), &t.report) !=
		    LINDUNG_ESYNTAX)
			fail_msg("taken: %zu", i);
	}
}

static void
test_quorum_of_witnesses(void **state)
{
	struct ld_trusted trusted;
	struct ld_buffer bytes;

	(void)state;
	t.asleep[0] = true;
	append_to(t.log, "a", 3);
	expect_ok(
		ld_checkpoint_check(&trusted, ld_log_checkpoint(t.log), &t.trust, NOW, &t.report));
	assert_int_equal(trusted.witnesses, 6);
	assert_int_equal(trusted.time_s, NOW);
	/* One alone is too few: nothing is published, and nothing lost. */
	t.asleep[1] = true;
	t.now_s += 100;
	bytes = checkpoint_of(t.log);
	struct ld_span entry = LD_SPAN("waits");
	uint64_t first;
	assert_int_equal(ld_log_append(t.log, &entry, 1, &first, &t.report), LINDUNG_EWITNESS);
	assert_true(ld_log_is_pending(t.log));
	assert_int_equal(ld_log_size(t.log), 3);
	assert_true(ld_span_equal(ld_log_checkpoint(t.log), ld_buffer_span(&bytes)));
	assert_int_equal(ld_log_finish(t.log, &t.report), LINDUNG_EWITNESS);
	t.asleep[0] = t.asleep[1] = false;
	expect_ok(ld_log_finish(t.log, &t.report));
	assert_int_equal(ld_log_size(t.log), 4);
	assert_false(ld_log_is_pending(t.log));
	expect_ok(
		ld_checkpoint_check(&trusted, ld_log_checkpoint(t.log), &t.trust, NOW, &t.report));
	ld_buffer_free(&bytes);
	/* Signed by the log alone. */
	ld_log_set_witness(t.log, NULL, NULL);
	append_to(t.log, "b", 1);
	assert_int_equal(
		ld_checkpoint_check(&trusted, ld_log_checkpoint(t.log), &t.trust, NOW, &t.report),
		LINDUNG_EWITNESS);
}

/* Seen by one at NOW, by another an hour later, by the third a day later: two agree on the hour. */
static void
test_time_of_the_quorum(void **state)
{
	const uint64_t times_s[WITNESSES] = {NOW + DAY, NOW, NOW + 3600};
	struct ld_trusted trusted;
	struct ld_buffer note;

	(void)state;
	ld_log_set_witness(t.log, NULL, NULL);
	append_to(t.log, "a", 1);
	note = checkpoint_of(t.log);
	for (int i = 0; i < WITNESSES; i++)
		expect_ok(ld_note_add_signature(&note, t.witness_keys[i], times_s[i]));
	expect_ok(ld_checkpoint_check(&trusted, ld_buffer_span(&note), &t.trust, NOW + DAY,
				      &t.report));
	assert_int_equal(trusted.witnesses, 7);
	assert_int_equal(trusted.time_s, NOW + 3600);
	/* Signed by one again: the later counts. */
	expect_ok(ld_note_add_signature(&note, t.witness_keys[1], NOW + DAY));
	expect_ok(ld_checkpoint_check(&trusted, ld_buffer_span(&note), &t.trust, NOW + DAY,
				      &t.report));
	assert_int_equal(trusted.time_s, NOW + DAY);
	ld_buffer_free(&note);
}

static void
test_frozen(void **state)
{
	struct ld_trusted trusted;

	(void)state;
	append_to(t.log, "a", 3);
	expect_ok(ld_checkpoint_check(&trusted, ld_log_checkpoint(t.log), &t.trust, NOW + 7 * DAY,
				      &t.report));
	assert_int_equal(ld_checkpoint_check(&trusted, ld_log_checkpoint(t.log), &t.trust,
					     NOW + 7 * DAY + 1, &t.report),
			 LINDUNG_EFROZEN);
	/* The log has no news: witnesses say that it is so. */
	t.now_s = NOW + 7 * DAY;
	expect_ok(ld_log_refresh(t.log, &t.report));
	assert_int_equal(ld_log_size(t.log), 3);
	expect_ok(ld_checkpoint_check(&trusted, ld_log_checkpoint(t.log), &t.trust, NOW + 8 * DAY,
				      &t.report));
	assert_int_equal(trusted.time_s, NOW + 7 * DAY);
}

/* Witnesses whose clocks are ahead do not make an old checkpoint young for ever. */
static void
test_clock_skew(void **state)
{
	struct ld_trusted trusted;

	(void)state;
	t.now_s = NOW + LD_WITNESS_AHEAD_MAX_S;
	append_to(t.log, "a", 3);
	expect_ok(
		ld_checkpoint_check(&trusted, ld_log_checkpoint(t.log), &t.trust, NOW, &t.report));
	assert_int_equal(ld_checkpoint_check(&trusted, ld_log_checkpoint(t.log), &t.trust, NOW - 1,
					     &t.report),
			 LINDUNG_EWITNESS);
	assert_non_null(strstr(t.report.text, "clock"));
}

static void
test_another_log(void **state)
{
	struct ld_trust trust = t.trust;
	struct ld_signer *other;
	struct ld_trusted trusted;

	(void)state;
	append_to(t.log, "a", 1);
	expect_ok(ld_signer_generate(&other, ORIGIN, LD_KEY_ED25519, &t.report));
	trust.log = *ld_signer_verifier(other);
	assert_int_equal(
		ld_checkpoint_check(&trusted, ld_log_checkpoint(t.log), &trust, NOW, &t.report),
		LINDUNG_ESIGNATURE);
	/* The right key under a text with another origin. */
	struct ld_buffer note;
	struct ld_checkpoint checkpoint = {.origin = LD_SPAN("log.example/elsewhere"), .size = 0};
	struct ld_buffer text;
	ld_hash_empty(&checkpoint.root);
	ld_buffer_init(&text, 1000);
	ld_buffer_init(&note, 1000);
	expect_ok(ld_checkpoint_format(&text, &checkpoint));
	expect_ok(ld_note_sign(&note, ld_buffer_span(&text),
			       (const struct ld_signer *const *)&t.signer, 1, 0));
	assert_int_equal(
		ld_checkpoint_check(&trusted, ld_buffer_span(&note), &t.trust, NOW, &t.report),
		LINDUNG_ESIGNATURE);
	ld_buffer_free(&text);
	ld_buffer_free(&note);
	ld_signer_free(other);
}

/* ---- Witnesses ------------------------------------------------------------------------------ */

static int
post(struct ld_span body, char ret[LD_WITNESS_ANSWER_MAX_BYTES])
{
	struct ld_buffer answer;
	int status;

	ld_buffer_init(&answer, LD_WITNESS_ANSWER_MAX_BYTES);
	status = ld_witness_add_checkpoint(t.witnesses[0], body, t.now_s, &answer).status;
	assert_false(answer.failed);
	assert_true(answer.len < LD_WITNESS_ANSWER_MAX_BYTES);
	memcpy(ret, answer.data, answer.len);
	ret[answer.len] = '\0';
	ld_buffer_free(&answer);
	return status;
}

/* A request with this old size, proof and checkpoint. */
static int
post_parts(uint64_t old_size, const struct ld_proof *proof, struct ld_span checkpoint,
	   char ret[LD_WITNESS_ANSWER_MAX_BYTES])
{
	struct ld_buffer request;
	int status;

	ld_buffer_init(&request, LD_WITNESS_REQUEST_MAX_BYTES);
	expect_ok(ld_witness_request(&request, old_size, proof, checkpoint));
	status = post(ld_buffer_span(&request), ret);
	ld_buffer_free(&request);
	return status;
}

/* The checkpoint of now, signed by the log alone. */
static struct ld_buffer
by_log_alone(void)
{
	struct ld_buffer note;
	struct ld_note parsed;

	expect_ok(ld_note_parse(&parsed, ld_log_checkpoint(t.log), &t.report));
	ld_buffer_init(&note, LD_CHECKPOINT_MAX_BYTES);
	expect_ok(
		ld_note_sign(&note, parsed.text, (const struct ld_signer *const *)&t.signer, 1, 0));
	return note;
}

static void
test_witness_statuses(void **state)
{
	struct ld_tile_source source = ld_log_tiles(t.log);
	struct ld_proof proof, none = {.count = 0};
	struct ld_buffer at_3, unsigned_by_log;
	char answer[LD_WITNESS_ANSWER_MAX_BYTES], first[LD_WITNESS_ANSWER_MAX_BYTES];

	(void)state;
	t.asleep[0] = true;
	append_to(t.log, "a", 3);
	at_3 = checkpoint_of(t.log);
	append_to(t.log, "a", 4);
	expect_ok(ld_tree_prove_consistency(&proof, 3, 7, &source));

	assert_int_equal(post(LD_SPAN(""), answer), 400);
	assert_int_equal(post(LD_SPAN("old 0\n\nnonsense"), answer), 400);
	assert_int_equal(post(LD_SPAN("old 00\n\n"), answer), 400);
	assert_int_equal(post_parts(8, &proof, ld_log_checkpoint(t.log), answer), 400);
	/* Nothing seen yet: from 0, without a proof. */
	assert_int_equal(post_parts(3, &proof, ld_log_checkpoint(t.log), answer), 409);
	assert_string_equal(answer, "0\n");
	assert_int_equal(post_parts(0, &proof, ld_buffer_span(&at_3), answer), 422);
	assert_int_equal(post_parts(0, &none, ld_buffer_span(&at_3), answer), 200);
	assert_memory_equal(answer, "\xe2\x80\x94 witness0.example ", 21);
	/* The same again: the same signature, until some seconds have passed. */
	memcpy(first, answer, sizeof first);
	assert_int_equal(post_parts(0, &none, ld_buffer_span(&at_3), answer), 409);
	assert_string_equal(answer, "3\n");
	t.now_s += LD_WITNESS_AGAIN_S - 1;
	assert_int_equal(post_parts(3, &none, ld_buffer_span(&at_3), answer), 200);
	assert_string_equal(answer, first);
	t.now_s += 1;
	assert_int_equal(post_parts(3, &none, ld_buffer_span(&at_3), answer), 200);
	assert_string_not_equal(answer, first);
	/* On to 7, by the right proof only. */
	assert_int_equal(post_parts(3, &none, ld_log_checkpoint(t.log), answer), 422);
	proof.hashes[0].bytes[0] ^= 1;
	assert_int_equal(post_parts(3, &proof, ld_log_checkpoint(t.log), answer), 422);
	proof.hashes[0].bytes[0] ^= 1;
	assert_int_equal(post_parts(3, &proof, ld_log_checkpoint(t.log), answer), 200);
	assert_int_equal(post_parts(7, &none, ld_buffer_span(&at_3), answer), 400);
	/* Not the log's signature, and a log that is not known. */
	unsigned_by_log = by_log_alone();
	/* An octet in the middle of the signature, behind name and id. */
	unsigned_by_log.data[unsigned_by_log.len - 20] ^= 1;
	assert_int_equal(post_parts(7, &none, ld_buffer_span(&unsigned_by_log), answer), 403);
	ld_buffer_free(&unsigned_by_log);
	ld_buffer_free(&at_3);
	assert_int_equal(post(LD_SPAN("old 0\n\nlog.example/unknown\n0\n"
				      "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
				      "\xe2\x80\x94 log.example/unknown AAAAAAA=\n"),
			      answer),
			 404);
	assert_int_equal(post(LD_SPAN("old 7\n\n" ORIGIN "\n7\n"
				      "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
				      "\xe2\x80\x94 " ORIGIN " AAAAAAA=\n"),
			      answer),
			 403);
}

/* What it has signed survives it; a damaged memory is none. */
static void
test_witness_remembers(void **state)
{
	struct ld_proof none = {.count = 0};
	char answer[LD_WITNESS_ANSWER_MAX_BYTES], path[320], hex[65];
	struct ld_span served;
	struct ld_hash hash;
	struct ld_witness *twice;

	(void)state;
	append_to(t.log, "a", 3);
	snprintf(path, sizeof path, "%s/witness-0", t.directory);
	assert_int_equal(ld_witness_open(&twice, path, t.witness_keys[0], &t.report),
			 LINDUNG_EBUSY);
	ld_witness_close(t.witnesses[0]);
	open_witness(0);
	assert_int_equal(post_parts(0, &none, ld_log_checkpoint(t.log), answer), 409);
	assert_string_equal(answer, "3\n");
	/* Monitors get the checkpoint with both signatures. */
	ld_hash_of(&hash, LD_SPAN(ORIGIN));
	ld_text_to_hex(hex, ld_span(hash.bytes, sizeof hash.bytes));
	expect_ok(ld_witness_checkpoint(t.witnesses[0], ld_span(hex, 64), &served));
	{
		const struct ld_verifier *const keys[] = {&t.trust.log, &t.witness_verifiers[0]};
		struct ld_note note;
		uint64_t signed_by;

		expect_ok(ld_note_parse(&note, served, &t.report));
		expect_ok(ld_note_verify(&note, keys, 2, &signed_by, NULL, &t.report));
		assert_int_equal(signed_by, 3);
	}
	assert_int_equal(ld_witness_checkpoint(t.witnesses[0], LD_SPAN("00"), &served),
			 LINDUNG_ENOTFOUND);
	ld_witness_close(t.witnesses[0]);
	expect_ok(ld_witness_open(&t.witnesses[0], path, t.witness_keys[0], &t.report));
	snprintf(path + strlen(path), sizeof path - strlen(path), "/%s/checkpoint", hex);
	assert_int_equal(truncate(path, 20), 0);
	assert_int_equal(
		ld_witness_add_log(t.witnesses[0], ld_signer_verifier(t.signer), &t.report),
		LINDUNG_EDAMAGED);
}

/* ---- Followers ------------------------------------------------------------------------------ */

/* A log with the same key and another history: what a thief of the key, or a log that lies, makes.
 */
static struct ld_log *
begin_fork(size_t same, size_t different)
{
	struct ld_log *fork;

	expect_ok(ld_log_create(t.other, t.signer, &t.report));
	expect_ok(ld_log_open(&fork, t.other, t.signer, &t.report));
	if (same != 0)
		append_to(fork, "a", same);
	append_to(fork, "z", different);
	return fork;
}

static struct ld_checkpoint
read_checkpoint(struct ld_span bytes)
{
	struct ld_checkpoint checkpoint;
	struct ld_note note;

	expect_ok(ld_note_parse(&note, bytes, &t.report));
	expect_ok(ld_checkpoint_parse(&checkpoint, note.text, &t.report));
	return checkpoint;
}

static void
test_growth_and_rollback(void **state)
{
	struct ld_tile_source source = ld_log_tiles(t.log);
	struct ld_buffer old = checkpoint_of(t.log);

	(void)state;
	for (size_t i = 1; i < 300; i += i) {
		struct ld_checkpoint seen = read_checkpoint(ld_buffer_span(&old)), now;

		append_to(t.log, "a", i);
		now = read_checkpoint(ld_log_checkpoint(t.log));
		expect_ok(ld_checkpoint_continues(&seen, &now, &source, &t.report));
		expect_ok(ld_checkpoint_continues(&now, &now, &source, &t.report));
		assert_int_equal(ld_checkpoint_continues(&now, &seen, &source, &t.report),
				 LINDUNG_EROLLBACK);
		ld_buffer_free(&old);
		old = checkpoint_of(t.log);
	}
	ld_buffer_free(&old);
}

/* A mirror that answers the same question in two ways: first as this log, then as that one. */
static struct {
	struct ld_tile_source first, then;
	int questions, turns_at;
} two_faced;

static int
ask_two_faced(void *ctx, const struct ld_tile *tile, struct ld_hash *ret)
{
	const struct ld_tile_source *source =
		two_faced.questions++ < two_faced.turns_at ? &two_faced.first : &two_faced.then;

	(void)ctx;
	return source->tile(source->ctx, tile, ret);
}

static void
test_forks_are_proven(void **state)
{
	struct ld_tile_source source, lies = {.tile = ask_two_faced};
	struct ld_checkpoint seen, other, now;
	struct ld_buffer old;
	struct ld_log *fork;

	(void)state;
	ld_log_set_witness(t.log, NULL, NULL); /* they are in it, or asleep */
	append_to(t.log, "a", 300);
	old = checkpoint_of(t.log);
	seen = read_checkpoint(ld_buffer_span(&old));
	/* Another tree of the same size. */
	fork = begin_fork(290, 10);
	source = ld_log_tiles(fork);
	other = read_checkpoint(ld_log_checkpoint(fork));
	assert_int_equal(ld_checkpoint_continues(&seen, &other, &source, &t.report), LINDUNG_EFORK);
	/* A larger one that does not continue what was seen. */
	append_to(fork, "z", 400);
	other = read_checkpoint(ld_log_checkpoint(fork));
	assert_int_equal(ld_checkpoint_continues(&seen, &other, &source, &t.report), LINDUNG_EFORK);
	/* The right checkpoint with the tiles of another tree proves nothing against the log; nor
	 * do tiles of both. */
	append_to(t.log, "a", 400);
	now = read_checkpoint(ld_log_checkpoint(t.log));
	assert_int_equal(ld_checkpoint_continues(&seen, &now, &source, &t.report),
			 LINDUNG_EDAMAGED);
	two_faced.first = ld_log_tiles(t.log);
	two_faced.then = source;
	for (two_faced.turns_at = 0; two_faced.turns_at < 12; two_faced.turns_at++) {
		int err;

		two_faced.questions = 0;
		err = ld_checkpoint_continues(&seen, &now, &lies, &t.report);
		assert_true(err == LINDUNG_EDAMAGED ||
			    (err == LINDUNG_OK && two_faced.questions <= two_faced.turns_at));
	}
	source = ld_log_tiles(t.log);
	expect_ok(ld_checkpoint_continues(&seen, &now, &source, &t.report));
	ld_buffer_free(&old);
	ld_log_close(fork);
}

/* ---- Proofs --------------------------------------------------------------------------------- */

static void
test_proofs(void **state)
{
	struct ld_buffer bytes, again;
	struct ld_tlog_proof proof;
	struct ld_trusted trusted;

	(void)state;
	append_to(t.log, "a", 300);
	ld_buffer_init(&bytes, LD_TLOG_PROOF_MAX_BYTES);
	ld_buffer_init(&again, LD_TLOG_PROOF_MAX_BYTES);
	expect_ok(ld_tlog_proof_make(&bytes, t.log, 77, &t.report));
	expect_ok(ld_tlog_proof_parse(&proof, ld_buffer_span(&bytes), &t.report));
	assert_int_equal(proof.index, 77);
	/* Years later, too. */
	expect_ok(ld_tlog_proof_check(&proof, LD_SPAN("a 77"), &t.trust, NOW + 3000 * DAY, &trusted,
				      &t.report));
	assert_int_equal(trusted.checkpoint.size, 300);
	assert_int_equal(
		ld_tlog_proof_check(&proof, LD_SPAN("a 78"), &t.trust, NOW, NULL, &t.report),
		LINDUNG_ESIGNATURE);
	proof.index = 78;
	assert_int_equal(
		ld_tlog_proof_check(&proof, LD_SPAN("a 77"), &t.trust, NOW, NULL, &t.report),
		LINDUNG_ESIGNATURE);
	proof.index = 77;
	proof.extra = LD_SPAN("YWdl");
	expect_ok(ld_tlog_proof_format(&again, &proof));
	expect_ok(ld_tlog_proof_parse(&proof, ld_buffer_span(&again), &t.report));
	assert_true(ld_span_equal(proof.extra, LD_SPAN("YWdl")));
	expect_ok(ld_tlog_proof_check(&proof, LD_SPAN("a 77"), &t.trust, NOW, NULL, &t.report));
	/* Cut anywhere before the checkpoint it is none. */
	for (size_t len = 0; len < (size_t)(proof.checkpoint.data - again.data) + 1; len++)
		assert_int_equal(ld_tlog_proof_parse(&proof,
						     ld_span(again.data, len == 0 ? 0 : len - 1),
						     &t.report),
				 LINDUNG_ESYNTAX);
	assert_int_equal(ld_tlog_proof_make(&bytes, t.log, 300, &t.report), LINDUNG_ENOTFOUND);
	ld_buffer_free(&bytes);
	ld_buffer_free(&again);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_checkpoint_text),
		TEST(test_quorum_of_witnesses),
		TEST(test_time_of_the_quorum),
		TEST(test_frozen),
		TEST(test_clock_skew),
		TEST(test_another_log),
		TEST(test_witness_statuses),
		TEST(test_witness_remembers),
		TEST(test_growth_and_rollback),
		TEST(test_forks_are_proven),
		TEST(test_proofs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
