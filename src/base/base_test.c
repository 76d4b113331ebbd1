/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/siphash.h"

static void
error_texts(void **state)
{
	struct ld_report report;

	(void)state;
	assert_string_equal(lindung_strerror(LINDUNG_OK), "no error");
	assert_string_equal(lindung_strerror(LINDUNG_EURL), "this is not a URL");
	assert_string_equal(lindung_strerror(-9999), "unknown error");
	assert_int_equal(ld_fail(&report, LINDUNG_EIO, "a\nb\x7f %d", 7), LINDUNG_EIO);
	assert_string_equal(report.text, "a?b? 7");
	assert_int_equal(ld_fail(NULL, LINDUNG_EIO, "x"), LINDUNG_EIO);
}

static void
arena_grows_to_its_limit(void **state)
{
	struct ld_arena arena;

	(void)state;
	ld_arena_init(&arena, 200000);
	for (int i = 0; i < 100; i++) {
		uint8_t *p = ld_arena_alloc(&arena, 1000);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (int j = 0; j < 1000; j++)
			assert_int_equal(p[j], 0);
		p[999] = 1;
	}
	assert_non_null(ld_arena_alloc(&arena, 100000));
	assert_null(ld_arena_alloc(&arena, 1));
	ld_arena_clear(&arena);
	struct ld_span copy = ld_arena_copy(&arena, LD_SPAN("text"));
	assert_int_equal(copy.len, 4);
	assert_string_equal((const char *)copy.data, "text");
	assert_null(ld_arena_alloc(&arena, SIZE_MAX));
	ld_arena_clear(&arena);
}

static void
cursors_stick(void **state)
{
	uint8_t memory[4];
	struct ld_reader r = ld_reader(LD_SPAN("\x01\x02\x03"));
	struct ld_writer w = ld_writer(memory, sizeof memory);

	(void)state;
	assert_int_equal(ld_reader_be16(&r), 0x0102);
	assert_int_equal(ld_reader_be16(&r), 0);
	assert_true(r.failed);
	assert_int_equal(ld_reader_u8(&r), 0);
	assert_int_equal(ld_reader_left(&r), 0);
	ld_writer_be16(&w, 0xabcd);
	ld_writer_be32(&w, 1);
	assert_true(w.failed);
	ld_writer_u8(&w, 1);
	assert_int_equal(w.len, 2);
}

static void
buffer_grows_to_its_limit(void **state)
{
	struct ld_buffer b;

	(void)state;
	ld_buffer_init(&b, 1000);
	ld_buffer_printf(&b, "%d-%s", 42, "text");
	assert_memory_equal(b.data, "42-text", 7);
	assert_int_equal(b.len, 7);
	assert_non_null(ld_buffer_room(&b, 993));
	assert_false(b.failed);
	assert_null(ld_buffer_room(&b, 1));
	assert_true(b.failed);
	assert_int_equal(b.len, 1000);
	ld_buffer_free(&b);
}

static void
file_is_replaced_as_a_whole(void **state)
{
	char dir[] = "/tmp/lindung-base-XXXXXX", path[64];
	struct ld_replace file;
	struct ld_report report;
	struct ld_map map;
	uint8_t *data;
	size_t len;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/file", dir);
	assert_int_equal(ld_replace_begin(&file, path, &report), LINDUNG_OK);
	assert_int_equal(ld_write_all(file.fd, "one", 3), LINDUNG_OK);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(ld_replace_commit(&file, &report), LINDUNG_OK);
	ld_replace_abandon(&file);

	assert_int_equal(ld_replace_begin(&file, path, &report), LINDUNG_OK);
	assert_int_equal(ld_write_all(file.fd, "other", 5), LINDUNG_OK);
	ld_replace_abandon(&file);
	assert_int_equal(ld_map_open(&map, path), LINDUNG_OK);
	assert_true(ld_span_equal(map.bytes, LD_SPAN("one")));
	ld_map_close(&map);

	assert_int_equal(ld_read_file(path, 2, &data, &len, &report), LINDUNG_ELIMIT);
	assert_int_equal(ld_read_file(path, 3, &data, &len, &report), LINDUNG_OK);
	assert_string_equal((char *)data, "one");
	free(data);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ld_map_open(&map, path), LINDUNG_EIO);
	assert_int_equal(ld_map_open(&map, dir), LINDUNG_EIO);
	assert_int_equal(rmdir(dir), 0); /* and no temporary file is left in it */
	snprintf(path, sizeof path, "%s/no/file", dir);
	assert_int_equal(ld_replace_begin(&file, path, &report), LINDUNG_EIO);
	assert_non_null(strstr(report.text, path));
}

static void
hash_sees_every_octet(void **state)
{
	uint8_t data[100] = {0};
	uint64_t before = ld_hash_bytes(ld_span(data, sizeof data), 0);

	(void)state;
	for (size_t i = 0; i < sizeof data; i++) {
		data[i] ^= 1;
		assert_true(ld_hash_bytes(ld_span(data, sizeof data), 0) != before);
		data[i] ^= 1;
	}
	assert_true(ld_hash_bytes(ld_span(data, 99), 0) != before);
	assert_true(ld_hash_bytes(ld_span(data, 100), 1) != before);
	assert_true(ld_hash_bytes(ld_span(NULL, 0), 0) != ld_hash_bytes(ld_span(data, 1), 0));
}

/* Of the reference implementation: key and message count up from 0. */
static void
siphash_is_that_of_its_authors(void **state)
{
	static const struct {
		size_t len;
		uint8_t octets[8];
	} rows[] = {
		{0, {0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72}},
		{1, {0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74}},
		{7, {0x37, 0xd1, 0x01, 0x8b, 0xf5, 0x00, 0x02, 0xab}},
		{8, {0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93}},
		{15, {0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1}},
		{63, {0x72, 0x45, 0x06, 0xeb, 0x4c, 0x32, 0x8a, 0x95}},
	};
	uint8_t data[64], got[8];

	(void)state;
	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)i;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		ld_put_le64(got, ld_siphash(data, ld_span(data, rows[i].len)));
		assert_memory_equal(got, rows[i].octets, sizeof got);
	}
}

static void
siphash_of_128_bits_is_that_of_its_authors(void **state)
{
	static const struct {
		size_t len;
		uint8_t octets[LD_SIPHASH_128_BYTES];
	} rows[] = {
		{0,
		 {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7,
		  0x55, 0x02, 0x93}},
		{1,
		 {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b,
		  0x22, 0xfc, 0x45}},
		{8,
		 {0x3b, 0x62, 0xa9, 0xba, 0x62, 0x58, 0xf5, 0x61, 0x0f, 0x83, 0xe2, 0x64, 0xf3,
		  0x14, 0x97, 0xb4}},
		{15,
		 {0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97,
		  0xcf, 0xc3, 0xd9}},
		{63,
		 {0x51, 0x50, 0xd1, 0x77, 0x2f, 0x50, 0x83, 0x4a, 0x50, 0x3e, 0x06, 0x9a, 0x97,
		  0x3f, 0xbd, 0x7c}},
	};
	uint8_t data[64], got[LD_SIPHASH_128_BYTES];

	(void)state;
	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)i;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t cut = 0; cut <= rows[i].len; cut++) {
			ld_siphash_128(got, data, ld_span(data, cut),
				       ld_span(data + cut, rows[i].len - cut));
			assert_memory_equal(got, rows[i].octets, sizeof got);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_texts),
		cmocka_unit_test(arena_grows_to_its_limit),
		cmocka_unit_test(cursors_stick),
		cmocka_unit_test(buffer_grows_to_its_limit),
		cmocka_unit_test(file_is_replaced_as_a_whole),
		cmocka_unit_test(hash_sees_every_octet),
		cmocka_unit_test(siphash_is_that_of_its_authors),
		cmocka_unit_test(siphash_of_128_bits_is_that_of_its_authors),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
