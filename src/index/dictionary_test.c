/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "index/dictionary.h"
#include "index/test_image.h"

static struct ld_dictionary dictionary;

/* Fewest strings of the dictionary that make up the text, by trying all at each place. */
static uint32_t
fewest(const uint8_t *text, size_t len)
{
	uint32_t best[256] = {0};

	assert_true(len < 256);
	for (size_t end = 1; end <= len; end++) {
		best[end] = UINT32_MAX;
		for (uint32_t code = 0; code < dictionary.count; code++) {
			size_t n = dictionary.lens[code];
			uint8_t string[8];

			ld_put_le64(string, dictionary.texts[code]);
			if (n <= end && best[end - n] + 1 < best[end] &&
			    memcmp(text + end - n, string, n) == 0)
				best[end] = best[end - n] + 1;
		}
	}
	return best[len];
}

static void
check(const uint8_t *text, size_t len, bool brute)
{
	static uint16_t codes[LD_INDEX_KEY_MAX];
	static uint8_t back[LD_INDEX_KEY_MAX + 8];
	uint32_t count = ld_dictionary_encode(&dictionary, ld_span(text, len), codes);
	size_t at = 0;

	for (uint32_t i = 0; i < count; i++) {
		assert_true(codes[i] < dictionary.count);
		ld_put_le64(back + at, dictionary.texts[codes[i]]);
		at += dictionary.lens[codes[i]];
		assert_true(at <= len);
	}
	assert_int_equal(at, len);
	assert_memory_equal(back, text, len);
	if (brute)
		assert_int_equal(count, fewest(text, len));
}

static size_t
text_make(uint8_t *text, uint64_t *seed, size_t longest, unsigned letters)
{
	static const char *const words[] = {"casino", "bet", "porn", "online", "xxx", "cdn", "com"};
	size_t len = ld_test_random(seed) % longest, at = 0;

	while (at < len) {
		const char *word = words[ld_test_random(seed) % 7];

		if (ld_test_random(seed) % 2 == 0 && at + strlen(word) <= len) {
			memcpy(text + at, word, strlen(word));
			at += strlen(word);
		} else {
			text[at++] = (uint8_t)('a' + ld_test_random(seed) % letters);
		}
	}
	return len;
}

static void
train(uint64_t *seed, unsigned count, unsigned letters)
{
	struct ld_buffer samples;
	bool octets[256] = {false};
	uint8_t text[64];

	ld_buffer_init(&samples, SIZE_MAX);
	for (unsigned i = 0; i < 26; i++)
		octets['a' + i] = true;
	for (unsigned i = 0; i < count; i++) {
		size_t len = text_make(text, seed, 40, letters);
		uint8_t *room = ld_buffer_room(&samples, 2 + len);

		assert_non_null(room);
		ld_put_le16(room, (uint16_t)len);
		memcpy(room + 2, text, len);
	}
	assert_int_equal(ld_dictionary_train(&dictionary, octets, ld_buffer_span(&samples)),
			 LINDUNG_OK);
	ld_buffer_free(&samples);
}

static void
test_encode(void **state)
{
	static const unsigned letters[] = {1, 2, 3, 26};
	uint64_t seed = ld_test_seed(10);
	static uint8_t text[LD_INDEX_KEY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
		train(&seed, 3000, letters[i]);
		for (int round = 0; round < 500; round++)
			check(text, text_make(text, &seed, 60, letters[i]), true);
		for (int round = 0; round < 50; round++)
			check(text, text_make(text, &seed, LD_INDEX_KEY_MAX, 26), false);
	}
	memset(text, 'a', sizeof text);
	check(text, sizeof text, false);
	check(text, 0, true);
}

static void
test_contents(void **state)
{
	uint64_t seed = ld_test_seed(11);

	(void)state;
	train(&seed, 5000, 26);
	assert_in_range(dictionary.count, 100, LD_INDEX_SYMBOLS_MAX);
	for (uint32_t i = 0; i < dictionary.count; i++) {
		unsigned len = dictionary.lens[i];

		assert_in_range(len, 1, LD_INDEX_SYMBOL_BYTES_MAX);
		/* No zero in it, nothing but zeros behind it; and no string twice. */
		for (unsigned j = 0; j < 8; j++)
			assert_int_equal((dictionary.texts[i] >> (8 * j) & 0xff) != 0, j < len);
		for (uint32_t j = 0; j < i; j++)
			assert_true(dictionary.texts[i] != dictionary.texts[j]);
	}
	/* Nothing to learn from: single octets. */
	bool octets[256] = {false};
	octets['x'] = octets['~'] = true;
	assert_int_equal(ld_dictionary_train(&dictionary, octets, ld_span(NULL, 0)), LINDUNG_OK);
	assert_int_equal(dictionary.count, 2);
	check((const uint8_t *)"x~xx", 4, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_contents),
	};

	return cmocka_run_group_tests_name("dictionary", tests, NULL, NULL);
}
