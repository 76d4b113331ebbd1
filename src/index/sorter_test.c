/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "index/rules.h"
#include "index/sorter.h"
#include "index/test_image.h"

struct item {
	uint8_t key[LD_INDEX_KEY_MAX];
	uint16_t len, rule, list;
	uint32_t line;
	uint8_t scope;
};

static int
item_order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = ld_span_compare(ld_span(x->key, x->len), ld_span(y->key, y->len));

	if (order != 0)
		return order;
	if (x->list != y->list)
		return x->list < y->list ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (int)x->rule - (int)y->rule;
}

/* A key that shares `prefix` octets with its like, over few letters, so that many are equal. */
static void
item_make(struct item *item, uint64_t *seed, unsigned prefix, unsigned letters, unsigned longest)
{
	unsigned len = 1 + (unsigned)(ld_test_random(seed) % longest);

	memset(item, 0, sizeof *item);
	memset(item->key, 'p', prefix);
	for (unsigned i = 0; i < len; i++)
		item->key[prefix + i] = (uint8_t)(1 + ld_test_random(seed) % letters);
	item->len = (uint16_t)(prefix + len);
	item->rule = (uint16_t)(ld_test_random(seed) % 5);
	item->list = (uint16_t)(ld_test_random(seed) % 3);
	item->line = (uint32_t)ld_test_random(seed);
	item->scope = (uint8_t)(1 + ld_test_random(seed) % 4);
}

static void
check(struct item *items, size_t count, unsigned sorter_count, size_t memory_bytes)
{
	struct ld_sorter *sorters[8];
	struct ld_merge *merge;
	struct ld_record record;

	for (unsigned i = 0; i < sorter_count; i++)
		assert_int_equal(ld_sorter_new(&sorters[i], memory_bytes, "/tmp"), LINDUNG_OK);
	for (size_t i = 0; i < count; i++) {
		record = (struct ld_record){.key = ld_span(items[i].key, items[i].len),
					    .rule = items[i].rule,
					    .list = items[i].list,
					    .line = items[i].line,
					    .scope = items[i].scope};
		assert_int_equal(ld_sorter_add(sorters[i * i % sorter_count], &record), LINDUNG_OK);
	}
	for (unsigned i = 0; i < sorter_count; i++)
		assert_int_equal(ld_sorter_finish(sorters[i]), LINDUNG_OK);
	qsort(items, count, sizeof *items, item_order);
	assert_int_equal(ld_merge_new(&merge, sorters, sorter_count), LINDUNG_OK);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(ld_merge_next(merge, &record), LINDUNG_OK);
		assert_int_equal(record.key.len, items[i].len);
		assert_memory_equal(record.key.data, items[i].key, items[i].len);
		assert_int_equal(record.list, items[i].list);
		assert_int_equal(record.line, items[i].line);
		assert_int_equal(record.rule, items[i].rule);
		assert_int_equal(record.scope, items[i].scope);
	}
	assert_int_equal(ld_merge_next(merge, &record), LINDUNG_ENOTFOUND);
	assert_int_equal(ld_merge_next(merge, &record), LINDUNG_ENOTFOUND);
	ld_merge_free(merge);
	for (unsigned i = 0; i < sorter_count; i++)
		ld_sorter_free(sorters[i]);
}

static void
test_against_qsort(void **state)
{
	static const unsigned prefixes[] = {0, 1, 7, 8, 9, 15, 16, 17, 24, 25, 32, 100};
	static const size_t memories[] = {4096, 16384, 1 << 20};
	enum { COUNT = 3000 };
	struct item *items = calloc(COUNT, sizeof *items);
	uint64_t seed = ld_test_seed(7);

	(void)state;
	assert_non_null(items);
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		for (size_t m = 0; m < 3; m++) {
			unsigned letters = m == 0 ? 2 : m == 1 ? 37 : 254;

			for (size_t j = 0; j < COUNT; j++)
				item_make(&items[j], &seed, prefixes[i], letters, 20);
			check(items, COUNT, 1 + (unsigned)(i % 4), memories[m]);
		}
	}
	free(items);
}

/* A million times the same key must not take a million times a million steps. */
static void
test_equal_keys(void **state)
{
	enum { COUNT = 1000000 };
	struct ld_sorter *sorter;
	struct ld_merge *merge;
	uint32_t before = 0;
	uint64_t seed = ld_test_seed(8);

	(void)state;
	assert_int_equal(ld_sorter_new(&sorter, 256u << 20, "/tmp"), LINDUNG_OK);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct ld_record record = {.key = LD_SPAN("com\001example"),
					   .scope = 3,
					   .line = (uint32_t)ld_test_random(&seed)};
		assert_int_equal(ld_sorter_add(sorter, &record), LINDUNG_OK);
	}
	assert_int_equal(ld_sorter_finish(sorter), LINDUNG_OK);
	assert_int_equal(ld_merge_new(&merge, &sorter, 1), LINDUNG_OK);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct ld_record record;

		assert_int_equal(ld_merge_next(merge, &record), LINDUNG_OK);
		assert_true(record.line >= before);
		before = record.line;
	}
	ld_merge_free(merge);
	ld_sorter_free(sorter);
}

static void
test_longest_keys(void **state)
{
	enum { COUNT = 200 };
	struct item *items = calloc(COUNT, sizeof *items);
	uint64_t seed = ld_test_seed(9);

	(void)state;
	assert_non_null(items);
	for (size_t i = 0; i < COUNT; i++) {
		item_make(&items[i], &seed, 4000, 3, 90);
		items[i].len = i % 2 == 0 ? LD_INDEX_KEY_MAX : items[i].len;
		for (unsigned j = 4000; j < items[i].len; j++)
			items[i].key[j] |= items[i].key[j] == 0;
	}
	check(items, COUNT, 2, 64 * 1024);
	/* No room for one record: an error, no loop. */
	struct ld_sorter *sorter;
	struct ld_record record = {.key = ld_span(items[0].key, LD_INDEX_KEY_MAX)};
	record.key.len = LD_INDEX_KEY_MAX;
	assert_int_equal(ld_sorter_new(&sorter, 2048, "/tmp"), LINDUNG_OK);
	assert_int_equal(ld_sorter_add(sorter, &record), LINDUNG_ENOMEM);
	ld_sorter_free(sorter);
	free(items);
}

static void
test_nothing(void **state)
{
	struct item none;

	(void)state;
	check(&none, 0, 3, 4096);
	ld_sorter_free(NULL);
	ld_merge_free(NULL);
	/* A folder that is not there is told when it is needed. */
	struct ld_sorter *sorter;
	struct ld_record record = {.key = LD_SPAN("com\001example")};
	int err = LINDUNG_OK;
	assert_int_equal(ld_sorter_new(&sorter, 4096, "/nowhere/at/all"), LINDUNG_OK);
	for (int i = 0; i < 1000 && err == LINDUNG_OK; i++)
		err = ld_sorter_add(sorter, &record);
	assert_int_equal(err, LINDUNG_EIO);
	ld_sorter_free(sorter);
}

static void
test_rules(void **state)
{
	struct ld_rules *rules;
	struct ld_rule_text rule = {.category = LD_SPAN("adult"), .source = LD_SPAN("s")};
	static const char long_text[LD_INDEX_TEXT_MAX + 1];
	uint16_t a, b;
	char text[16];

	(void)state;
	assert_int_equal(ld_rules_new(&rules), LINDUNG_OK);
	assert_int_equal(ld_rules_intern(rules, &rule, &a), LINDUNG_OK);
	assert_int_equal(ld_rules_intern(rules, &rule, &b), LINDUNG_OK);
	assert_int_equal(a, b);
	rule.flags = LD_ENTRY_IMPORTANT;
	assert_int_equal(ld_rules_intern(rules, &rule, &b), LINDUNG_OK);
	assert_int_not_equal(a, b);
	assert_int_equal(ld_rules_count(rules), 2);
	assert_true(ld_span_equal(ld_rules_get(rules, b)->source, LD_SPAN("s")));
	rule.source = ld_span(long_text, sizeof long_text);
	assert_int_equal(ld_rules_intern(rules, &rule, &b), LINDUNG_ELIMIT);
	for (unsigned i = 2; i < LD_INDEX_RULES_MAX; i++) {
		rule.source = ld_span(text, (size_t)snprintf(text, sizeof text, "source %u", i));
		assert_int_equal(ld_rules_intern(rules, &rule, &b), LINDUNG_OK);
		assert_int_equal(b, i);
	}
	rule.source = LD_SPAN("one too many");
	b = 7;
	assert_int_equal(ld_rules_intern(rules, &rule, &b), LINDUNG_ELIMIT);
	assert_int_equal(b, 7);
	rule.source = LD_SPAN("source 77");
	assert_int_equal(ld_rules_intern(rules, &rule, &b), LINDUNG_OK);
	assert_int_equal(b, 77);
	ld_rules_free(rules);
	ld_rules_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_qsort), cmocka_unit_test(test_equal_keys),
		cmocka_unit_test(test_longest_keys),  cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests_name("sorter", tests, NULL, NULL);
}
