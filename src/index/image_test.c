/* Small images, and every function of lindung.h asked about them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "index/compile.h"
#include "index/test_image.h"

/* ---- What a name is ------------------------------------------------------------------------ */

static void
test_limits(void **state)
{
	struct lindung *list = ld_test_open("block\tadult\texample.com\ts\n");
	struct lindung_answer answer, before;
	char name[300];

	(void)state;
	/* A label of 63 and of 64. */
	memset(name, 'a', sizeof name);
	memcpy(name + 63, ".example.com", 13);
	assert_true(ld_test_blocked(list, name));
	memset(&answer, 0x5a, sizeof answer);
	memset(&before, 0x5a, sizeof before);
	memset(name, 'a', sizeof name);
	memcpy(name + 64, ".example.com", 13);
	assert_int_equal(lindung_lookup_name(list, name, strlen(name), LINDUNG_ALL, &answer),
			 LINDUNG_ENAME);
	assert_memory_equal(&answer, &before, sizeof answer);
	/* A name of 253 octets and of 254; the last dot does not count. */
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 2 == 0 ? 'b' : '.';
	memcpy(name + 253 - 12, ".example.com", 13);
	assert_true(ld_test_blocked(list, name));
	memcpy(name + 253, ".", 2);
	assert_true(ld_test_blocked(list, name));
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 2 == 0 ? 'b' : '.';
	name[241] = 'b';
	memcpy(name + 254 - 12, ".example.com", 13);
	assert_int_equal(lindung_lookup_name(list, name, 254, LINDUNG_ALL, &answer), LINDUNG_ENAME);
	/* 127 labels. */
	for (size_t i = 0; i < 253; i++)
		name[i] = i % 2 == 0 ? 'b' : '.';
	assert_int_equal(lindung_lookup_name(list, name, 253, LINDUNG_ALL, &answer), LINDUNG_OK);
	assert_int_equal(answer.verdict, LINDUNG_ALLOW);
	lindung_close(list);
}

static void
test_texts(void **state)
{
	static const struct {
		const char *name;
		int err;
		bool blocked;
	} cases[] = {
		{"example.com", LINDUNG_OK, true},
		{"EXAMPLE.com", LINDUNG_OK, true},
		{"eXaMpLe.CoM.", LINDUNG_OK, true},
		{"www.Example.com", LINDUNG_OK, true},
		{"a.b.c.example.com.", LINDUNG_OK, true},
		{"xexample.com", LINDUNG_OK, false},
		{"example.co", LINDUNG_OK, false},
		{"example.comm", LINDUNG_OK, false},
		{"com", LINDUNG_OK, false},
		{"com.", LINDUNG_OK, false},
		{"example.com.net", LINDUNG_OK, false},
		{"", LINDUNG_ENAME, false},
		{".", LINDUNG_ENAME, false},
		{"..", LINDUNG_ENAME, false},
		{".example.com", LINDUNG_ENAME, false},
		{"www..example.com", LINDUNG_ENAME, false},
		{"example.com..", LINDUNG_ENAME, false},
		{"ex\303\244mple.com", LINDUNG_ENOTASCII, false},
		{"www.example.com\377", LINDUNG_ENOTASCII, false},
		{"b\001d.example.com", LINDUNG_OK, true},
		{"sp ace.example.com", LINDUNG_OK, true},
		{"a/b.example.com", LINDUNG_OK, true},
		{"example\001com", LINDUNG_OK, false},
		{"com\001example", LINDUNG_OK, false},
		{"example.com\002", LINDUNG_OK, false},
		{"[`{@.example.com", LINDUNG_OK, true},
	};
	struct lindung *list = ld_test_open("block\tadult\texample.com\ts\n");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lindung_answer answer = {.verdict = LINDUNG_REWRITE};
		/* Exactly as long as the name, for a sanitizer to see one octet too many. */
		size_t len = strlen(cases[i].name);
		char *exact = malloc(len + 1);
		int err;

		assert_non_null(exact);
		memcpy(exact, cases[i].name, len);
		exact = realloc(exact, len != 0 ? len : 1);
		err = lindung_lookup_name(list, exact, len, LINDUNG_ALL, &answer);
		free(exact);
		if (err != cases[i].err)
			fail_msg("%s: %s", cases[i].name, lindung_strerror(err));
		if (err == LINDUNG_OK && (answer.verdict == LINDUNG_BLOCK) != cases[i].blocked)
			fail_msg("%s: verdict %d", cases[i].name, (int)answer.verdict);
		if (err != LINDUNG_OK)
			assert_int_equal(answer.verdict, LINDUNG_REWRITE);
	}
	lindung_close(list);
}

static void
test_wire(void **state)
{
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1
	static const struct {
		const uint8_t *wire;
		size_t len;
		int err;
		bool blocked;
	} cases[] = {
		{WIRE("\7example\3com\0"), LINDUNG_OK, true},
		{WIRE("\3WWW\7EXAMPLE\3cOm\0"), LINDUNG_OK, true},
		{WIRE("\0"), LINDUNG_OK, false},
		{WIRE("\3com\0"), LINDUNG_OK, false},
		/* Octets that no host has, in labels below a listed name ... */
		{WIRE("\3\0\1.\7example\3com\0"), LINDUNG_OK, true},
		{WIRE("\3\377\200A\7example\3com\0"), LINDUNG_OK, true},
		{WIRE("\3a/b\7example\3com\0"), LINDUNG_OK, true},
		/* ... and in the place of what is listed. */
		{WIRE("\13example.com\0"), LINDUNG_OK, false},
		{WIRE("\13com\001example\0"), LINDUNG_OK, false},
		{WIRE("\7example\7com\001org\0"), LINDUNG_OK, false},
		{WIRE("\10example\0\3com\0"), LINDUNG_OK, false},
		{WIRE("\7example\4com\0\0"), LINDUNG_OK, false},
		{WIRE("\7exampl\305\3com\0"), LINDUNG_OK, false},
		{WIRE("\13example\001www\3com\0"), LINDUNG_OK, false},
		{WIRE(""), LINDUNG_ENAME, false},
		{WIRE("\7example\3com"), LINDUNG_ENAME, false},
		{WIRE("\7example\3co"), LINDUNG_ENAME, false},
		{WIRE("\7example\3com\0\0"), LINDUNG_ENAME, false},
		{WIRE("\7example\3com\0x"), LINDUNG_ENAME, false},
		{WIRE("\300\0"), LINDUNG_ENAME, false},
		{WIRE("\100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0"),
		 LINDUNG_ENAME, false},
		{WIRE("\77"), LINDUNG_ENAME, false},
	};
	struct lindung *list = ld_test_open("block\tadult\texample.com\ts\n"
					    "block\tadult\texample.org/www\ts\n");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lindung_answer answer;
		uint8_t *exact = malloc(cases[i].len != 0 ? cases[i].len : 1);
		int err;

		assert_non_null(exact);
		memcpy(exact, cases[i].wire, cases[i].len);
		err = lindung_lookup_wire(list, exact, cases[i].len, LINDUNG_ALL, &answer);
		free(exact);
		if (err != cases[i].err ||
		    (err == LINDUNG_OK && (answer.verdict == LINDUNG_BLOCK) != cases[i].blocked))
			fail_msg("wire name %zu", i);
	}
	lindung_close(list);
}

static void
test_wire_limits(void **state)
{
	struct lindung *list = ld_test_open("block\tadult\tb.b\ts\n");
	struct lindung_answer answer;
	uint8_t wire[258];

	(void)state;
	/* 127 labels of one octet: 255 octets with the zero. */
	for (size_t i = 0; i < sizeof wire; i++)
		wire[i] = i % 2 == 0 ? 1 : 'B';
	wire[254] = 0;
	assert_int_equal(lindung_lookup_wire(list, wire, 255, LINDUNG_ALL, &answer), LINDUNG_OK);
	assert_int_equal(answer.verdict, LINDUNG_BLOCK);
	assert_int_equal(answer.match_labels, 2);
	wire[254] = 1;
	wire[256] = 0;
	assert_int_equal(lindung_lookup_wire(list, wire, 257, LINDUNG_ALL, &answer), LINDUNG_ENAME);
	lindung_close(list);
}

/* ---- Explaining -------------------------------------------------------------------------------
 */

struct told {
	char text[4096];
	int stop_at, count;
};

static int
on_reason(void *ctx, const struct lindung_reason *r)
{
	struct told *told = ctx;
	size_t at = strlen(told->text);

	snprintf(told->text + at, sizeof told->text - at, "%.*s %.*s %.*s %d%s%s%s %u%s%.*s\n",
		 (int)r->entry.len, r->entry.data, (int)r->category.len, r->category.data,
		 (int)r->source.len, r->source.data, (int)r->action, r->decides ? " decides" : "",
		 r->important ? " important" : "", r->is_protected ? " protected" : "", r->layer,
		 r->target.len != 0 ? " " : "", (int)r->target.len, r->target.data);
	return ++told->count == told->stop_at ? 77 : 0;
}

static void
assert_explained(const struct lindung *list, const char *name, uint64_t active,
		 const char *expected)
{
	struct told told = {.stop_at = 0};

	assert_int_equal(lindung_explain(list, name, strlen(name), active, on_reason, &told),
			 LINDUNG_OK);
	assert_string_equal(told.text, expected);
}

static void
test_explain(void **state)
{
	struct lindung *list = ld_test_open("block\tadult\texample.com\tone,two\n"
					    "allow\tadult\t=www.example.com\tthree\n"
					    "block!\tgambling\t*.example.com\tfour\n"
					    "rewrite\tadult\trw.net\tfive\tCNAME safe.rw.net\n"
					    "block\tadult\twww.example.com/bad\tsix\n"
					    "protect\tadult\thelp.example.com\tseven\n");
	struct told told = {.stop_at = 2};

	(void)state;
	assert_int_equal(ld_test_overlay(list, "block\tadult\tb.www.example.com\teight\n"),
			 LINDUNG_OK);
	assert_explained(list, "www.example.com", LINDUNG_ALL,
			 "=www.example.com adult three 0 decides 0\n"
			 "example.com adult one 1 0\n"
			 "example.com adult two 1 0\n"
			 "*.example.com gambling four 1 decides important 0\n");
	assert_explained(list, "example.com", LINDUNG_ALL,
			 "example.com adult one 1 decides 0\nexample.com adult two 1 decides 0\n");
	assert_explained(list, "b.www.example.com", ld_test_bit(list, "adult"),
			 "b.www.example.com adult eight 1 decides 1\n"
			 "example.com adult one 1 0\nexample.com adult two 1 0\n");
	assert_explained(list, "x.rw.net", LINDUNG_ALL,
			 "rw.net adult five 2 decides 0 CNAME safe.rw.net\n");
	assert_explained(list, "http://www.example.com/bad/x", ld_test_bit(list, "adult"),
			 "www.example.com/bad adult six 1 decides 0\n"
			 "=www.example.com adult three 0 0\n"
			 "example.com adult one 1 0\nexample.com adult two 1 0\n");
	assert_explained(list, "help.example.com", LINDUNG_ALL,
			 "help.example.com adult seven 0 decides protected 0\n"
			 "example.com adult one 1 0\nexample.com adult two 1 0\n"
			 "*.example.com gambling four 1 important 0\n");
	assert_explained(list, "nothing.org", LINDUNG_ALL, "");
	assert_int_equal(
		lindung_explain(list, "www.example.com", 15, LINDUNG_ALL, on_reason, &told), 77);
	assert_int_equal(told.count, 2);
	assert_int_equal(lindung_explain(list, "a..b", 4, LINDUNG_ALL, on_reason, &told),
			 LINDUNG_ENAME);
	lindung_close(list);
}

/* ---- Files that are none -----------------------------------------------------------------------
 */

static void
put_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

static void
test_bad_files(void **state)
{
	struct lindung *list = NULL;
	char path[64];
	uint8_t *data;
	size_t len;

	(void)state;
	snprintf(path, sizeof path, "/tmp/lindung-bad-%ld", (long)getpid());
	assert_int_equal(lindung_open(&list, "/nowhere/at/all", 0), LINDUNG_EIO);
	assert_int_equal(lindung_open(&list, "/tmp", 0), LINDUNG_EIO);
	put_file(path, "", 0);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EFORMAT);
	put_file(path, "example.com\n", 12);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EFORMAT);
	assert_null(list);
	assert_int_equal(
		ld_test_build(path, LD_SPAN("block\tadult\texample.com\ts\n"), NULL, NULL, NULL),
		LINDUNG_OK);
	assert_int_equal(ld_read_file(path, 1 << 20, &data, &len, NULL), LINDUNG_OK);
	put_file(path, data, len - 1);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EDAMAGED);
	put_file(path, data, LD_INDEX_HEADER_BYTES - 1);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EFORMAT);
	data[LD_HEADER_VERSION]++;
	put_file(path, data, len);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EVERSION);
	data[LD_HEADER_VERSION]--;
	/* Any octet changed is found by one hash or another. */
	for (size_t i = 0; i < len; i += i < 600 ? 1 : 7) {
		int err;

		data[i] ^= 0x10;
		put_file(path, data, len);
		err = lindung_open(&list, path, LINDUNG_VERIFY);
		data[i] ^= 0x10;
		if (err == LINDUNG_OK) {
			/* What fills up to the next section says nothing. */
			assert_true(lindung_verify(list) == LINDUNG_OK && data[i] == 0 && i >= 512);
			lindung_close(list);
			list = NULL;
		}
	}
	free(data);
	unlink(path);
	lindung_close(NULL);
}

/* A file of version 2 is one of version 3 without the last section, and without locks. */
static void
test_version_2(void **state)
{
	struct lindung *list = NULL;
	struct lindung_facts facts;
	char path[64];
	uint8_t *data;
	size_t len;

	(void)state;
	snprintf(path, sizeof path, "/tmp/lindung-old-%ld", (long)getpid());
	assert_int_equal(
		ld_test_build(path, LD_SPAN("block\tadult\texample.com\ts\n"), NULL, NULL, NULL),
		LINDUNG_OK);
	assert_int_equal(ld_read_file(path, 1 << 20, &data, &len, NULL), LINDUNG_OK);
	ld_put_le32(data + LD_HEADER_VERSION, 2);
	memset(data + LD_HEADER_SECTIONS + LD_SECTION_SEALED * 24, 0, 24);
	len = ld_get_le64(data + LD_HEADER_SECTIONS + LD_SECTION_FILTER * 24) +
	      ld_get_le64(data + LD_HEADER_SECTIONS + LD_SECTION_FILTER * 24 + 8);
	ld_put_le64(data + LD_HEADER_FILE_BYTES, len);
	ld_put_le64(data + LD_HEADER_HASH, ld_hash_bytes(ld_span(data, LD_HEADER_HASH), 2));
	put_file(path, data, len);
	assert_int_equal(lindung_open(&list, path, LINDUNG_VERIFY), LINDUNG_OK);
	assert_int_equal(lindung_verify(list), LINDUNG_OK);
	assert_true(ld_test_blocked(list, "www.example.com"));
	assert_int_equal(lindung_facts(list, 0, &facts), LINDUNG_OK);
	assert_int_equal(facts.format_version, 2);
	assert_int_equal(facts.sealed_count, 0);
	lindung_close(list);
	data[ld_get_le64(data + LD_HEADER_SECTIONS + LD_SECTION_RULES * 24) + 2] = LD_ENTRY_LOCKED;
	put_file(path, data, len);
	assert_int_equal(lindung_open(&list, path, 0), LINDUNG_EDAMAGED);
	free(data);
	unlink(path);
}

static void
test_strangest_limits(void **state)
{
	(void)state;
	assert_string_equal(lindung_version(), "0.1.0");
	struct lindung *list = ld_test_open("# nothing\n");
	assert_int_equal(lindung_category_count(list), 0);
	assert_false(ld_test_blocked(list, "example.com"));
	assert_false(ld_test_blocked(list, "http://example.com/x"));
	assert_explained(list, "example.com", LINDUNG_ALL, "");
	/* Nothing to lay over. */
	assert_int_equal(ld_test_overlay(list, "# nothing\n"), LINDUNG_OK);
	assert_int_equal(ld_test_overlay(list, "block\ta\texample.com\ts\n"), LINDUNG_OK);
	assert_true(ld_test_blocked(list, "example.com"));
	lindung_close(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),    cmocka_unit_test(test_texts),
		cmocka_unit_test(test_wire),      cmocka_unit_test(test_wire_limits),
		cmocka_unit_test(test_explain),   cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_version_2), cmocka_unit_test(test_strangest_limits),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
