/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/bech32.h"
#include "log/seal.h"

enum { CHUNK = 64 * 1024, ROOM = 64 * 1024 * 1024 };

/* The library of ASan has an mlock() of its own that locks nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define LOCKS_ARE_IGNORED true
#elif defined(__has_feature)
#define LOCKS_ARE_IGNORED __has_feature(address_sanitizer)
#else
#define LOCKS_ARE_IGNORED false
#endif

/* From the specification of age. */
static const char secret_text[] =
	"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
static const char recipient_text[] =
	"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

static struct ld_recipients *
recipients(const char *text)
{
	struct ld_recipients *set;

	assert_int_equal(ld_recipients_new(&set), LINDUNG_OK);
	if (text != NULL)
		assert_int_equal(ld_recipients_add(set, ld_span_str(text), NULL), LINDUNG_OK);
	return set;
}

static struct ld_openers *
openers(const char *text)
{
	struct ld_openers *set;

	assert_int_equal(ld_openers_new(&set), LINDUNG_OK);
	if (text != NULL)
		assert_int_equal(ld_openers_add(set, ld_span_str(text), NULL), LINDUNG_OK);
	return set;
}

static struct ld_buffer
seal(struct ld_span plain, const char *recipient)
{
	struct ld_recipients *set = recipients(recipient);
	struct ld_buffer sealed;

	ld_buffer_init(&sealed, ROOM);
	assert_int_equal(ld_seal(&sealed, plain, set), LINDUNG_OK);
	ld_recipients_free(set);
	return sealed;
}

static void
try_open(struct ld_span sealed, int error, const char *expected)
{
	struct ld_openers *keys = openers(secret_text);
	struct ld_opened opened = {0};
	struct ld_report report = {""};
	int err = ld_unseal(&opened, sealed, keys, &report);

	if (err != error || strstr(report.text, expected) == NULL)
		fail_msg("%d: %s", err, report.text);
	assert_null(opened.memory);
	ld_openers_free(keys);
}

/* ---- Keys ----------------------------------------------------------------------------------- */

static void
keys_as_text(void **state)
{
	static const char *const bad[] = {
		"",
		"age1",
		"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk", /* checksum */
		"AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ",
		"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj ",
		"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujw",
		"Age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
		"age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87",
		"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
	};
	uint8_t value[32];
	char text[LD_SEAL_TEXT_MAX], weak[LD_SEAL_TEXT_MAX], other[LD_SEAL_TEXT_MAX];
	struct ld_recipients *set = recipients(recipient_text);
	struct ld_openers *keys = openers(NULL);

	(void)state;
	assert_true(ld_bech32_read(value, "AGE-SECRET-KEY-", ld_span_str(secret_text)));
	ld_bech32_write(text, "AGE-SECRET-KEY-", value);
	assert_string_equal(text, secret_text);
	assert_int_equal(value[0], 0x42);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(ld_recipients_add(set, ld_span_str(bad[i]), NULL),
				 LINDUNG_ESYNTAX);
	memset(value, 0, sizeof value);
	ld_bech32_write(weak, "age", value);
	assert_int_equal(ld_recipients_add(set, ld_span_str(weak), NULL), LINDUNG_ESYNTAX);
	assert_int_equal(ld_openers_add(keys, ld_span_str(recipient_text), NULL), LINDUNG_ESYNTAX);
	for (unsigned i = 1; i <= LD_SEAL_RECIPIENTS_MAX; i++) {
		ld_seal_generate(text, other);
		assert_int_equal(ld_recipients_add(set, ld_span_str(other), NULL),
				 i < LD_SEAL_RECIPIENTS_MAX ? LINDUNG_OK : LINDUNG_ELIMIT);
	}
	/* The same again is none more. */
	assert_int_equal(ld_recipients_add(set, ld_span_str(recipient_text), NULL), LINDUNG_OK);
	for (unsigned i = 0; i <= LD_SEAL_OPENERS_MAX; i++) {
		ld_seal_generate(text, other);
		assert_int_equal(ld_openers_add(keys, ld_span_str(text), NULL),
				 i < LD_SEAL_OPENERS_MAX ? LINDUNG_OK : LINDUNG_ELIMIT);
	}
	assert_int_equal(ld_openers_count(keys), LD_SEAL_OPENERS_MAX);
	ld_recipients_free(set);
	ld_openers_free(keys);
	ld_openers_free(NULL);
	ld_recipients_free(NULL);
}

static void
derived_secret(void **state)
{
	char secrets[3][LD_SEAL_TEXT_MAX], text[LD_SEAL_TEXT_MAX];
	uint8_t one[16], other[16], context[16], fewer[16];
	struct ld_openers *a = openers(NULL), *b = openers(NULL);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		ld_seal_generate(secrets[i], text);
	for (unsigned i = 0; i < 3; i++) {
		ld_openers_derive(a, LD_SPAN("log.example"), fewer);
		assert_int_equal(ld_openers_add(a, ld_span_str(secrets[i]), NULL), LINDUNG_OK);
		assert_int_equal(ld_openers_add(b, ld_span_str(secrets[2 - i]), NULL), LINDUNG_OK);
	}
	assert_int_equal(ld_openers_add(b, ld_span_str(secrets[1]), NULL), LINDUNG_OK);
	assert_int_equal(ld_openers_count(b), 3);
	ld_openers_derive(a, LD_SPAN("log.example"), one);
	ld_openers_derive(b, LD_SPAN("log.example"), other);
	ld_openers_derive(b, LD_SPAN("log.example2"), context);
	assert_memory_equal(one, other, sizeof one);
	assert_memory_not_equal(one, context, sizeof one);
	assert_memory_not_equal(one, fewer, sizeof one);
	ld_openers_free(a);
	ld_openers_free(b);
}

static void
keys_in_a_file(void **state)
{
	static const struct {
		const char *content;
		int error;
		const char *expected;
	} files[] = {
		{"# created: 2026-11-22T07:00:00Z\n"
		 "# public key: age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n"
		 "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n",
		 LINDUNG_OK, ""},
		{"\r\n AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
		 LINDUNG_OK, ""},
		{"# nothing\n", LINDUNG_ESYNTAX, "no key in it"},
		{"", LINDUNG_ESYNTAX, "no key in it"},
		{"\nage-encryption.org/v1\n", LINDUNG_ESYNTAX, "line 2: this is no X25519 secret"},
	};
	char path[] = "/tmp/lindung-seal-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct ld_openers *keys = openers(NULL);
		struct ld_report report = {""};
		size_t len = strlen(files[i].content);

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, files[i].content, len, 0), len);
		assert_int_equal(ld_openers_add_file(keys, path, &report), files[i].error);
		if (strstr(report.text, files[i].expected) == NULL)
			fail_msg("%s", report.text);
		assert_int_equal(ld_openers_count(keys), files[i].error == LINDUNG_OK);
		ld_openers_free(keys);
	}
	struct ld_openers *keys = openers(NULL);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(ld_openers_add_file(keys, path, NULL), LINDUNG_ELIMIT);
	close(fd);
	unlink(path);
	assert_int_equal(ld_openers_add_file(keys, path, NULL), LINDUNG_EIO);
	assert_int_equal(ld_openers_add_file(keys, "/tmp", NULL), LINDUNG_EIO);
	ld_openers_free(keys);
}

/* ---- Sealed and opened ----------------------------------------------------------------------- */

static void
round_trips(void **state)
{
	static const size_t sizes[] = {0,     1,         15,        16,        CHUNK - 1,
				       CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK, 3 * CHUNK + 7};
	struct ld_openers *keys = openers(secret_text);
	uint8_t *plain = malloc(4 * CHUNK);

	(void)state;
	for (size_t i = 0; i < 4 * CHUNK; i++)
		plain[i] = (uint8_t)(i * 31 + i / 251);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct ld_buffer sealed = seal(ld_span(plain, sizes[i]), recipient_text);
		struct ld_opened opened = {0};
		struct ld_report report = {""};

		if (ld_unseal(&opened, ld_buffer_span(&sealed), keys, &report) != LINDUNG_OK)
			fail_msg("%zu: %s", sizes[i], report.text);
		assert_true(ld_span_equal(opened.bytes, ld_span(plain, sizes[i])));
		ld_opened_free(&opened);
		assert_null(opened.memory);
		ld_opened_free(&opened);
		/* Every length that is shorter is refused. */
		for (size_t cut = sizes[i] < 100 ? 0 : sealed.len - 20; cut < sealed.len; cut++)
			assert_int_not_equal(
				ld_unseal(&opened, ld_span(sealed.data, cut), keys, NULL),
				LINDUNG_OK);
		ld_buffer_free(&sealed);
	}
	ld_openers_free(keys);
	free(plain);
}

static void
for_several(void **state)
{
	char secret[LD_SEAL_TEXT_MAX], recipient[LD_SEAL_TEXT_MAX];
	struct ld_recipients *set = recipients(recipient_text);
	struct ld_openers *second, *stranger;
	struct ld_opened opened = {0};
	struct ld_buffer sealed;

	(void)state;
	ld_seal_generate(secret, recipient);
	second = openers(secret);
	assert_int_equal(ld_recipients_add(set, ld_span_str(recipient), NULL), LINDUNG_OK);
	ld_seal_generate(secret, recipient);
	stranger = openers(secret);
	ld_buffer_init(&sealed, ROOM);
	assert_int_equal(ld_seal(&sealed, LD_SPAN("x"), set), LINDUNG_OK);
	assert_int_equal(ld_unseal(&opened, ld_buffer_span(&sealed), second, NULL), LINDUNG_OK);
	assert_true(ld_span_equal(opened.bytes, LD_SPAN("x")));
	ld_opened_free(&opened);
	assert_int_equal(ld_unseal(&opened, ld_buffer_span(&sealed), stranger, NULL),
			 LINDUNG_EDENIED);
	assert_int_equal(ld_unseal(&opened, ld_buffer_span(&sealed), NULL, NULL), LINDUNG_EDENIED);
	ld_recipients_free(set);
	set = recipients(NULL);
	assert_int_equal(ld_seal(&sealed, LD_SPAN("x"), set), LINDUNG_EINVAL);
	ld_recipients_free(set);
	ld_openers_free(second);
	ld_openers_free(stranger);
	ld_buffer_free(&sealed);
}

/* The flags that the kernel has for the memory at `address` (proc(5), VmFlags). */
static void
memory_flags(char *ret, size_t size, const void *address)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[512];
	bool within = false;

	assert_non_null(maps);
	ret[0] = '\0';
	while (fgets(line, sizeof line, maps) != NULL) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			within = (uintptr_t)address >= start && (uintptr_t)address < end;
		if (within && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(ret, size, "%s", line);
	}
	fclose(maps);
}

static void
locked_and_left_out_of_cores(void **state)
{
	struct ld_opened opened = {0};
	char flags[512];

	(void)state;
	if (LOCKS_ARE_IGNORED)
		skip();
	struct ld_buffer sealed = seal(LD_SPAN("casino.example\n"), recipient_text);
	struct ld_openers *keys = openers(secret_text);
	assert_int_equal(ld_unseal(&opened, ld_buffer_span(&sealed), keys, NULL), LINDUNG_OK);
	memory_flags(flags, sizeof flags, opened.bytes.data);
	assert_non_null(strstr(flags, " lo"));
	assert_non_null(strstr(flags, " dd"));
	ld_opened_free(&opened);
	ld_openers_free(keys);
	memory_flags(flags, sizeof flags, sealed.data);
	assert_null(strstr(flags, " lo"));
	ld_buffer_free(&sealed);
}

/* ---- Changed files --------------------------------------------------------------------------- */

/* Where the payload begins. */
static size_t
payload_of(const struct ld_buffer *sealed)
{
	const uint8_t *mac = memmem(sealed->data, sealed->len, "\n--- ", 5);

	return (size_t)(mac + 5 + 43 + 1 - sealed->data);
}

static void
changed_payload(void **state)
{
	enum { SEALED_CHUNK = CHUNK + 16 };
	uint8_t *plain = calloc(1, 3 * CHUNK);
	struct ld_buffer sealed = seal(ld_span(plain, 3 * CHUNK), recipient_text);
	size_t first = payload_of(&sealed) + 16;
	uint8_t *chunk = sealed.data + first, *copy = malloc(sealed.len + CHUNK);
	uint8_t *third = chunk + 2 * (size_t)SEALED_CHUNK;

	(void)state;
	assert_int_equal(sealed.len - first, 3 * SEALED_CHUNK);
	try_open(ld_span(sealed.data, sealed.len - 1), LINDUNG_EDAMAGED, "cut");
	/* The last chunk is missing; then two are. */
	try_open(ld_span(sealed.data, sealed.len - SEALED_CHUNK), LINDUNG_EDAMAGED, "cut");
	try_open(ld_span(sealed.data, first + SEALED_CHUNK), LINDUNG_EDAMAGED, "cut");
	try_open(ld_span(sealed.data, first), LINDUNG_EDAMAGED, "cut");
	try_open(ld_span(sealed.data, first - 16), LINDUNG_EDAMAGED, "cut");
	/* Chunks in another order; one twice; one left out. */
	memcpy(copy, sealed.data, sealed.len);
	memcpy(copy + first, chunk + SEALED_CHUNK, SEALED_CHUNK);
	memcpy(copy + first + SEALED_CHUNK, chunk, SEALED_CHUNK);
	try_open(ld_span(copy, sealed.len), LINDUNG_EDAMAGED, "changed");
	memcpy(copy + first, chunk, SEALED_CHUNK);
	try_open(ld_span(copy, sealed.len), LINDUNG_EDAMAGED, "changed");
	memcpy(copy + first + SEALED_CHUNK, third, SEALED_CHUNK);
	try_open(ld_span(copy, sealed.len - SEALED_CHUNK), LINDUNG_EDAMAGED, "changed");
	/* An octet in each part. */
	for (size_t at = first - 1; at < sealed.len; at += SEALED_CHUNK / 2 + 1) {
		sealed.data[at] ^= 0x20;
		try_open(ld_buffer_span(&sealed), LINDUNG_EDAMAGED, "changed");
		sealed.data[at] ^= 0x20;
	}
	/* Something behind the end; an empty chunk behind the last. */
	memcpy(copy, sealed.data, sealed.len);
	memset(copy + sealed.len, 0, 17);
	try_open(ld_span(copy, sealed.len + 1), LINDUNG_EDAMAGED, "cut");
	try_open(ld_span(copy, sealed.len + 16), LINDUNG_EDAMAGED, "cut");
	try_open(ld_span(copy, sealed.len + 17), LINDUNG_EDAMAGED, "changed");
	free(copy);
	free(plain);
	ld_buffer_free(&sealed);
}

/* The header with `old` changed to `new`, over its payload. */
static void
changed_header(const struct ld_buffer *sealed, const char *old, const char *new, int error,
	       const char *expected)
{
	static uint8_t copy[256 * 1024];
	const uint8_t *at = memmem(sealed->data, sealed->len, old, strlen(old));
	size_t before = (size_t)(at - sealed->data), behind = before + strlen(old);

	assert_non_null(at);
	memcpy(copy, sealed->data, before);
	memcpy(copy + before, new, strlen(new));
	memcpy(copy + before + strlen(new), sealed->data + behind, sealed->len - behind);
	try_open(ld_span(copy, sealed->len - strlen(old) + strlen(new)), error, expected);
}

static void
changed_headers(void **state)
{
	struct ld_buffer sealed = seal(LD_SPAN("casino.example\n"), recipient_text);
	static char many[LD_SEAL_HEADER_MAX_BYTES + 100];
	char share[64];
	const char *line = strstr((char *)sealed.data, "X25519 ");

	(void)state;
	for (size_t i = 0; i + 10 < sizeof many; i += 10)
		memcpy(many + i, "-> x\nAAAA\n", 10);
	/* A MAC of another header: a recipient more, a line more. */
	changed_header(&sealed, "-> X", "-> grease.example a b\nAAAA\n-> X", LINDUNG_EDAMAGED,
		       "header of the sealed file was changed");
	changed_header(&sealed, "--- ", "-> x\n\n--- ", LINDUNG_EDAMAGED,
		       "header of the sealed file was changed");
	changed_header(&sealed, "v1\n", "v2\n", LINDUNG_EFORMAT, "first line");
	changed_header(&sealed, "v1\n", "v1\r\n", LINDUNG_EFORMAT, "first line");
	changed_header(&sealed, "v1\n", "v1\n\n", LINDUNG_EFORMAT, "for no recipient");
	changed_header(&sealed, "-> X25519", "->  X25519", LINDUNG_EFORMAT, "malformed");
	changed_header(&sealed, "-> X25519", "->X25519", LINDUNG_EFORMAT, "malformed");
	changed_header(&sealed, "-> X25519 ", "-> X25519  ", LINDUNG_EFORMAT, "malformed");
	changed_header(&sealed, "X25519 ", "X25519 a ", LINDUNG_EFORMAT, "X25519 is malformed");
	changed_header(&sealed, "X25519 ", "X25518 ", LINDUNG_EDENIED, "none of the keys");
	changed_header(&sealed, "X25519 ", "scrypt ", LINDUNG_EDENIED, "none of the keys");
	changed_header(&sealed, "-> X", "-> scrypt a 10\nAAAA\n-> X", LINDUNG_EFORMAT,
		       "a passphrase beside");
	changed_header(&sealed, "-> X", "-> \x7f\nAAAA\n-> X", LINDUNG_EFORMAT, "malformed");
	changed_header(&sealed, "-> X", "-> x\nAAB\n-> X", LINDUNG_EFORMAT, "malformed");
	changed_header(&sealed, "-> X", "-> x\nAA==\n-> X", LINDUNG_EFORMAT, "malformed");
	changed_header(&sealed, "-> X", many, LINDUNG_EFORMAT, "16 KiB");
	changed_header(&sealed, "--- ", "---", LINDUNG_EFORMAT, "last line is malformed");
	changed_header(&sealed, "--- ", "--- A", LINDUNG_EFORMAT, "last line is malformed");
	/* Zero as the share: any key agrees with it. */
	snprintf(share, sizeof share, "%.43s", line + 7);
	changed_header(&sealed, share, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		       LINDUNG_EFORMAT, "weak point");
	/* The last digit has two bits that mean nothing: they are zero. */
	char spare[64];
	strcpy(spare, share);
	spare[42] = (char)(share[42] == 'Z' ? 'a' : share[42] == 'z' ? '0' : share[42] + 1);
	changed_header(&sealed, share, spare, LINDUNG_EFORMAT, "X25519 is malformed");
	ld_buffer_free(&sealed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_as_text),
		cmocka_unit_test(derived_secret),
		cmocka_unit_test(keys_in_a_file),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(for_several),
		cmocka_unit_test(changed_payload),
		cmocka_unit_test(locked_and_left_out_of_cores),
		cmocka_unit_test(changed_headers),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
