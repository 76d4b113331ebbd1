/* Keys, key files, and the signatures of notes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "log/key_file.h"
#include "log/note.h"
#include "log/text.h"

/* The example of signed-note. */
#define EXAMPLE_KEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define EXAMPLE_NOTE                                                                               \
	"This is an example message.\n\n"                                                          \
	"\xe2\x80\x94 example.com/foo "                                                            \
	"Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72Iney" \
	"a"                                                                                        \
	"QM=\n"

static struct ld_report report;

/* ---- Verifier keys -------------------------------------------------------------------------- */

static void
test_verifier_text(void **state)
{
	static const char *const bad[] = {
		"",
		"example.com/foo",
		"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAA",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
		"example.com/ foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo 530d903a AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"a+530d903a+",
		"a+530d903a",
	};
	struct ld_verifier key, untouched = {.type = 77};
	char text[LD_KEY_TEXT_MAX];

	(void)state;
	assert_int_equal(ld_verifier_parse(&key, LD_SPAN(EXAMPLE_KEY), &report), LINDUNG_OK);
	assert_string_equal(key.name, "example.com/foo");
	assert_int_equal(key.id, 0x530d903a);
	assert_int_equal(ld_verifier_format(&key, text), sizeof EXAMPLE_KEY - 1);
	assert_string_equal(text, EXAMPLE_KEY);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		report.text[0] = '\0';
		if (ld_verifier_parse(&untouched, ld_span_str(bad[i]), &report) != LINDUNG_ESYNTAX)
			fail_msg("taken: %s", bad[i]);
		assert_true(strlen(report.text) > 10);
	}
	assert_int_equal(untouched.type, 77);
}

static void
test_names(void **state)
{
	char longest[LD_KEY_NAME_MAX + 2];

	(void)state;
	memset(longest, 'a', sizeof longest);
	assert_true(ld_key_name_is_valid(LD_SPAN("a")));
	assert_true(ld_key_name_is_valid(LD_SPAN("perlindungan.example/\xc3\xa9")));
	assert_true(ld_key_name_is_valid(ld_span(longest, LD_KEY_NAME_MAX)));
	assert_false(ld_key_name_is_valid(ld_span(longest, LD_KEY_NAME_MAX + 1)));
	assert_false(ld_key_name_is_valid(LD_SPAN("")));
	assert_false(ld_key_name_is_valid(LD_SPAN("a b")));
	assert_false(ld_key_name_is_valid(LD_SPAN("a+b")));
	assert_false(ld_key_name_is_valid(LD_SPAN("a\nb")));
	assert_false(ld_key_name_is_valid(LD_SPAN("a\xc2\xa0"
						  "b"))); /* no-break space */
	assert_false(ld_key_name_is_valid(LD_SPAN("a\xe3\x80\x80"
						  "b"))); /* ideographic space */
	assert_false(ld_key_name_is_valid(LD_SPAN("a\xff")));
	assert_false(ld_key_name_is_valid(LD_SPAN("\xed\xa0\x80")));     /* a surrogate */
	assert_false(ld_key_name_is_valid(LD_SPAN("\xc0\xaf")));         /* overlong */
	assert_false(ld_key_name_is_valid(LD_SPAN("\xf4\x90\x80\x80"))); /* above U+10FFFF */
	assert_false(ld_key_name_is_valid(LD_SPAN("\xe3\x80")));         /* cut */
}

/* ---- Signatures ----------------------------------------------------------------------------- */

/* tests/log/vectors/ed25519.txt */
static void
check_vector(const char *line)
{
	struct ld_verifier key = {.name = "v", .type = LD_KEY_ED25519}, again;
	char verdict[8], name[64], message[65], public[65], signature[129];
	uint8_t text[32], bytes[64];
	char key_text[LD_KEY_TEXT_MAX];

	assert_int_equal(
		sscanf(line, "%7s %63s %64s %64s %128s", verdict, name, message, public, signature),
		5);
	assert_true(ld_text_from_hex(text, 32, ld_span_str(message)));
	assert_true(ld_text_from_hex(key.key, 32, ld_span_str(public)));
	assert_true(ld_text_from_hex(bytes, 64, ld_span_str(signature)));
	if (ld_verifier_check(&key, ld_span(text, 32), ld_span(bytes, 64), NULL) !=
	    (strcmp(verdict, "good") == 0))
		fail_msg("%s", name);
	/* Of their keys only that of 6 and 7 lies in the prime-order group. */
	key.id = ld_verifier_id(&key);
	ld_verifier_format(&key, key_text);
	assert_int_equal(ld_verifier_parse(&again, ld_span_str(key_text), &report),
			 name[0] == '6' || name[0] == '7' ? LINDUNG_OK : LINDUNG_ESYNTAX);
}

static void
test_edge_cases(void **state)
{
	const char *folder = getenv("LINDUNG_TEST_DATA");
	char path[4096], *line;
	uint8_t *data;
	size_t len, count = 0;

	(void)state;
	assert_non_null(folder);
	snprintf(path, sizeof path, "%s/ed25519.txt", folder);
	assert_int_equal(ld_read_file(path, 1 << 20, &data, &len, NULL), LINDUNG_OK);
	for (line = strtok((char *)data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		if (line[0] == '#')
			continue;
		check_vector(line);
		count++;
	}
	free(data);
	assert_int_equal(count, 14);
}

/* A key of the group's torsion, whose text is otherwise right, is refused for that. */
static void
test_keys_of_small_order(void **state)
{
	static const char *const points[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0200000000000000000000000000000000000000000000000000000000000000",
	};

	(void)state;
	for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
		struct ld_verifier key = {.name = "v", .type = LD_KEY_ED25519}, ret;
		char text[LD_KEY_TEXT_MAX];

		assert_true(ld_text_from_hex(key.key, 32, ld_span_str(points[i])));
		key.id = ld_verifier_id(&key);
		ld_verifier_format(&key, text);
		assert_int_equal(ld_verifier_parse(&ret, ld_span_str(text), &report),
				 LINDUNG_ESYNTAX);
		assert_non_null(strstr(report.text, "prime-order"));
	}
}

static void
test_sign_and_check(void **state)
{
	const enum ld_key_type types[] = {LD_KEY_ED25519, LD_KEY_COSIGNATURE};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t bytes[8 + LD_KEY_SIGNATURE_BYTES];
		struct ld_signer *signer;
		const struct ld_verifier *key;
		size_t len;
		uint64_t time_s = 1;

		assert_int_equal(ld_signer_generate(&signer, "party.example", types[i], &report),
				 LINDUNG_OK);
		key = ld_signer_verifier(signer);
		assert_int_equal(ld_signer_sign(signer, LD_SPAN("text\n"), 1234, bytes, &len),
				 LINDUNG_OK);
		assert_int_equal(len, types[i] == LD_KEY_ED25519 ? 64 : 72);
		assert_true(
			ld_verifier_check(key, LD_SPAN("text\n"), ld_span(bytes, len), &time_s));
		assert_int_equal(time_s, types[i] == LD_KEY_ED25519 ? 0 : 1234);
		assert_false(ld_verifier_check(key, LD_SPAN("texT\n"), ld_span(bytes, len), NULL));
		assert_false(
			ld_verifier_check(key, LD_SPAN("text\n"), ld_span(bytes, len - 1), NULL));
		for (size_t bit = 0; bit < 8 * len; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(ld_verifier_check(key, LD_SPAN("text\n"), ld_span(bytes, len),
						       NULL));
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		ld_signer_free(signer);
	}
}

/* ---- Notes ---------------------------------------------------------------------------------- */

static void
test_example_note(void **state)
{
	struct ld_verifier key;
	const struct ld_verifier *keys = &key;
	struct ld_note note;
	uint64_t signed_by = 0;

	(void)state;
	assert_int_equal(ld_verifier_parse(&key, LD_SPAN(EXAMPLE_KEY), &report), LINDUNG_OK);
	assert_int_equal(ld_note_parse(&note, LD_SPAN(EXAMPLE_NOTE), &report), LINDUNG_OK);
	assert_true(ld_span_equal(note.text, LD_SPAN("This is an example message.\n")));
	assert_int_equal(note.signature_count, 1);
	assert_int_equal(ld_note_verify(&note, &keys, 1, &signed_by, NULL, &report), LINDUNG_OK);
	assert_int_equal(signed_by, 1);
	key.key[0] ^= 1;
	assert_int_equal(ld_note_verify(&note, &keys, 1, &signed_by, NULL, &report),
			 LINDUNG_ESIGNATURE);
	key.id ^= 1;
	assert_int_equal(ld_note_verify(&note, &keys, 1, &signed_by, NULL, &report),
			 LINDUNG_ESIGNATURE);
	assert_int_equal(ld_note_verify(&note, &keys, 0, &signed_by, NULL, &report),
			 LINDUNG_ESIGNATURE);
}

#define LINE "\xe2\x80\x94 k AAAAAAA=\n"

static void
test_note_syntax(void **state)
{
	static const char *const good[] = {
		"a\n\n" LINE,        "a\n\n" LINE LINE,      "\n\n" LINE,
		"a\n\nb\n\n" LINE,   "a\n\n" LINE "\n" LINE, /* then the first signature is text */
		"\xc3\xa9\n\n" LINE,
	};
	static const char *const bad[] = {
		"",
		"\n",
		"a",
		"a\n",
		"a\n\n",
		"a\n\nb\n",
		"a\n" LINE,
		"a\n\n" LINE "x",
		"a\n\n" LINE "x\n",
		"a\r\n\n" LINE,
		"a\t\n\n" LINE,
		"\xff\n\n" LINE,
		"a\n\n- k AAAAAAA=\n",
		"a\n\n\xe2\x80\x94  AAAAAAA=\n",
		"a\n\n\xe2\x80\x94 k+ AAAAAAA=\n",
		"a\n\n\xe2\x80\x94 k\n",
		"a\n\n\xe2\x80\x94 k \n",
		"a\n\n\xe2\x80\x94 k AAAAAA==\n", /* four octets: an id and nothing */
		"a\n\n\xe2\x80\x94 k AAAAAAA\n",  /* no padding */
		"a\n\n\xe2\x80\x94 k AAAAAAB=\n", /* bits left over */
		"a\n\n\xe2\x80\x94 k AAAAAAA= \n",
		"a\n\n\xe2\x80\x94 k A AAAAAA=\n",
		"a\n\n\xe2\x80\x94 k AA\xc3\xbb"
		"AAA=\n",                                      /* not ASCII */
		"a\n\n\xe2\x80\x94 k\xe2\x80\x83j AAAAAAA=\n", /* an em space in the name */
	};
	struct ld_note note;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (ld_note_parse(&note, ld_span_str(good[i]), &report) != LINDUNG_OK)
			fail_msg("good %zu: %s", i, report.text);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (ld_note_parse(&note, ld_span_str(bad[i]), &report) != LINDUNG_ESYNTAX)
			fail_msg("bad %zu taken", i);
	}
	/* A NUL is no text. */
	assert_int_equal(ld_note_parse(&note, LD_SPAN("a\0\n\n" LINE), &report), LINDUNG_ESYNTAX);
}

static void
test_note_limits(void **state)
{
	struct ld_buffer text;
	struct ld_note note;

	(void)state;
	ld_buffer_init(&text, SIZE_MAX);
	ld_buffer_printf(&text, "a\n\n");
	for (int i = 0; i < LD_NOTE_SIGNATURES_MAX; i++)
		ld_buffer_printf(&text, LINE);
	assert_int_equal(ld_note_parse(&note, ld_buffer_span(&text), &report), LINDUNG_OK);
	assert_int_equal(note.signature_count, LD_NOTE_SIGNATURES_MAX);
	ld_buffer_printf(&text, LINE);
	assert_int_equal(ld_note_parse(&note, ld_buffer_span(&text), &report), LINDUNG_ELIMIT);
	text.len = 0;
	memset(ld_buffer_room(&text, LD_NOTE_MAX_BYTES), 'a', LD_NOTE_MAX_BYTES);
	ld_buffer_printf(&text, "\n\n" LINE);
	assert_int_equal(ld_note_parse(&note, ld_buffer_span(&text), &report), LINDUNG_ELIMIT);
	ld_buffer_free(&text);
}

/* Several signers, two of one name; a wrong one among the known spoils it, unknown ones do not. */
static void
test_many_signers(void **state)
{
	struct ld_signer *signers[4];
	const struct ld_verifier *keys[4], *some[2];
	struct ld_buffer bytes, copy;
	struct ld_note note;
	uint64_t signed_by, times_s[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		const uint8_t seed[32] = {(uint8_t)i};

		assert_int_equal(ld_signer_from_seed(&signers[i],
						     i < 2 ? "same.example" : "other.example",
						     i == 3 ? LD_KEY_COSIGNATURE : LD_KEY_ED25519,
						     seed, &report),
				 LINDUNG_OK);
		keys[i] = ld_signer_verifier(signers[i]);
	}
	ld_buffer_init(&bytes, LD_NOTE_MAX_BYTES);
	assert_int_equal(ld_note_sign(&bytes, LD_SPAN("no line end"),
				      (const struct ld_signer *const *)signers, 4, 99),
			 LINDUNG_EINVAL);
	assert_int_equal(ld_note_sign(&bytes, LD_SPAN("text\n"),
				      (const struct ld_signer *const *)signers, 4, 99),
			 LINDUNG_OK);
	assert_int_equal(ld_note_parse(&note, ld_buffer_span(&bytes), &report), LINDUNG_OK);
	assert_int_equal(ld_note_verify(&note, keys, 4, &signed_by, times_s, &report), LINDUNG_OK);
	assert_int_equal(signed_by, 15);
	assert_int_equal(times_s[0], 0);
	assert_int_equal(times_s[3], 99);
	some[0] = keys[1];
	some[1] = keys[3];
	assert_int_equal(ld_note_verify(&note, some, 2, &signed_by, NULL, &report), LINDUNG_OK);
	assert_int_equal(signed_by, 3);
	/* The signature of the third is put under another text. */
	ld_buffer_init(&copy, LD_NOTE_MAX_BYTES);
	assert_int_equal(ld_note_sign(&copy, LD_SPAN("other\n"),
				      (const struct ld_signer *const *)signers, 1, 0),
			 LINDUNG_OK);
	ld_note_copy_signature(&copy, &note.signatures[2]);
	assert_int_equal(ld_note_parse(&note, ld_buffer_span(&copy), &report), LINDUNG_OK);
	assert_int_equal(ld_note_verify(&note, keys, 1, &signed_by, NULL, &report), LINDUNG_OK);
	assert_int_equal(ld_note_verify(&note, keys, 3, &signed_by, NULL, &report),
			 LINDUNG_ESIGNATURE);
	assert_non_null(strstr(report.text, "other.example"));
	ld_buffer_free(&bytes);
	ld_buffer_free(&copy);
	for (int i = 0; i < 4; i++)
		ld_signer_free(signers[i]);
}

/* ---- Key files ------------------------------------------------------------------------------ */

static char directory[64], path[128];

static int
setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "/tmp/lindung-key-XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/party.key", directory);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static void
save_and_open(struct ld_span passphrase)
{
	struct ld_signer *signer, *again = NULL;
	struct stat st;
	bool encrypted = passphrase.len == 0;

	unlink(path);
	assert_int_equal(ld_signer_generate(&signer, "party.example", LD_KEY_ED25519, &report),
			 LINDUNG_OK);
	assert_int_equal(ld_signer_save(signer, path, passphrase, &report), LINDUNG_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(ld_signer_save(signer, path, passphrase, &report), LINDUNG_EEXISTS);
	assert_int_equal(ld_signer_is_encrypted(&encrypted, path, &report), LINDUNG_OK);
	assert_int_equal(encrypted, passphrase.len != 0);
	assert_int_equal(ld_signer_open(&again, path, passphrase, &report), LINDUNG_OK);
	assert_memory_equal(ld_signer_verifier(signer), ld_signer_verifier(again),
			    sizeof(struct ld_verifier));
	ld_signer_free(again);
	if (passphrase.len != 0) {
		again = NULL;
		assert_int_equal(ld_signer_open(&again, path, LD_SPAN("wrong"), &report),
				 LINDUNG_EPASSPHRASE);
		assert_int_equal(ld_signer_open(&again, path, LD_SPAN(""), &report),
				 LINDUNG_EPASSPHRASE);
		assert_null(again);
	}
	ld_signer_free(signer);
}

static void
test_key_file(void **state)
{
	(void)state;
	save_and_open(LD_SPAN(""));
	save_and_open(LD_SPAN("kata sandi yang panjang"));
}

/* Every line of a file is under the passphrase: another name or cost does not open. */
static void
test_key_file_changed(void **state)
{
	struct ld_signer *signer, *other;
	char head[512];
	uint8_t *data;
	size_t len;
	FILE *file;

	(void)state;
	unlink(path);
	assert_int_equal(ld_signer_generate(&signer, "party.example", LD_KEY_ED25519, &report),
			 LINDUNG_OK);
	assert_int_equal(ld_signer_save(signer, path, LD_SPAN("secret"), &report), LINDUNG_OK);
	ld_signer_free(signer);
	assert_int_equal(ld_read_file(path, 4096, &data, &len, NULL), LINDUNG_OK);
	memcpy(head, data, len);
	head[len] = '\0';
	free(data);
	memcpy(strstr(head, "passes: 3"), "passes: 2", 9);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(head, 1, len, file), len);
	fclose(file);
	assert_int_equal(ld_signer_open(&other, path, LD_SPAN("secret"), &report),
			 LINDUNG_EPASSPHRASE);
	assert_int_equal(ld_signer_open(&other, "/nonexistent/key", LD_SPAN(""), &report),
			 LINDUNG_EIO);
	unlink(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(ld_signer_open(&other, path, LD_SPAN(""), &report), LINDUNG_EIO);
}

#define HEAD "lindung key 1\nkey: " EXAMPLE_KEY "\nencryption: argon2id-xchacha20poly1305\n"
#define TAIL                                                                                       \
	"salt: AAAAAAAAAAAAAAAAAAAAAA==\nsecret: "                                                 \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAA"                                                                                     \
	"AAAA\n"

static void
test_key_file_costs(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{HEAD "passes: 3\nmemory-kib: 262144\n" TAIL, LINDUNG_OK},
		{HEAD "passes: 16\nmemory-kib: 1048576\n" TAIL, LINDUNG_OK},
		/* A hundred gigabytes. */
		{HEAD "passes: 3\nmemory-kib: 104857600\n" TAIL, LINDUNG_ELIMIT},
		{HEAD "passes: 1000000\nmemory-kib: 8\n" TAIL, LINDUNG_ELIMIT},
		{HEAD "passes: 17\nmemory-kib: 8\n" TAIL, LINDUNG_ELIMIT},
		{HEAD "passes: 0\nmemory-kib: 8\n" TAIL, LINDUNG_EFORMAT},
		{HEAD "passes: 1\nmemory-kib: 7\n" TAIL, LINDUNG_EFORMAT},
		{HEAD "passes: 1\nmemory-kib: 9999999999999999999\n" TAIL, LINDUNG_EFORMAT},
		{HEAD "memory-kib: 8\npasses: 1\n" TAIL, LINDUNG_EFORMAT},
		{HEAD "passes: 1\nmemory-kib: 8\n" TAIL "more\n", LINDUNG_EFORMAT},
		{HEAD "passes: 1\n" TAIL, LINDUNG_EFORMAT},
		{HEAD, LINDUNG_EFORMAT},
		{"lindung key 2\n", LINDUNG_EVERSION},
		{"", LINDUNG_EFORMAT},
		{"lindung key 1", LINDUNG_EFORMAT},
		{"lindung key 1\nkey: " EXAMPLE_KEY "\nencryption: rot13\n", LINDUNG_EFORMAT},
		{"lindung key 1\nkey: " EXAMPLE_KEY "\nencryption: none\nsecret: AAAA\n",
		 LINDUNG_EFORMAT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ld_key_file file;
		int err = ld_key_file_parse(&file, ld_span_str(cases[i].text), &report);

		if (err != cases[i].error)
			fail_msg("case %zu: %s", i, lindung_strerror(err));
	}
}

/* Where memory cannot be locked there is no secret. */
static void
test_memory_is_locked(void **state)
{
	pid_t child;
	int status;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* its mlock() does nothing */
#endif
	if (geteuid() != 0)
		skip();
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit none = {0, 0};
		struct ld_signer *signer;

		/* root may lock whatever the limit says. */
		if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || setresuid(65534, 65534, 65534) != 0)
			_exit(3);
		_exit(ld_signer_generate(&signer, "party.example", LD_KEY_ED25519, &report) ==
				      LINDUNG_ENOMEM
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verifier_text),    cmocka_unit_test(test_names),
		cmocka_unit_test(test_edge_cases),       cmocka_unit_test(test_keys_of_small_order),
		cmocka_unit_test(test_sign_and_check),   cmocka_unit_test(test_example_note),
		cmocka_unit_test(test_note_syntax),      cmocka_unit_test(test_note_limits),
		cmocka_unit_test(test_many_signers),     cmocka_unit_test(test_key_file),
		cmocka_unit_test(test_key_file_changed), cmocka_unit_test(test_key_file_costs),
		cmocka_unit_test(test_memory_is_locked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
